// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/report/html_report.h"
#include "app/report/montage.h"

/** A map as it is drawn: palette indices, and what its colours mean. */
struct html_map {
    uint8_t *indices;    // owned; n_grid; 0: nothing
    size_t first_colour; // palette entries from here to N_COLOURS are values, ascending
    double range[2];     // of the values; those beyond get the end colours
    picture_colour palette[256];
};
typedef struct html_map owned_html_map;
void html_map_clear(struct html_map *map);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_html_map, html_map_clear)

/** A map over its mask, from its 1st to its 99th percentile; grey: no solution. */
struct html_map html_map_of_values(const struct html_report *report, enum html_report_map which);

/** The explained variance of what was found, over the mean of the recording in grey. */
struct html_map html_map_of_findings(const struct html_report *report);

/** The status of every voxel. */
struct html_map html_map_of_status(const struct html_report *report);

/** At most max_slices slices of a plane, side by side; their places below them. */
void html_add_slices(GString *html, const struct html_report *report, const struct html_map *map,
                     enum montage_plane plane, size_t max_slices);

/** The colours of a map and their values, with a label. */
void html_add_colours(GString *html, const struct html_map *map, const char *label);
