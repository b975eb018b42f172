// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/report/html_report.h"
#include "app/report/plot.h"

/** What the sections of a page share: the bottom of this folder. */

enum { HTML_WIDTH = 1040 }; // of figures, in pixels

/** Okabe and Ito 2008: colours that are told apart by every kind of colour vision. */
extern const char *const html_status_colours[SERIES_N_STATUS];

/** Voxels of the grid. */
size_t html_grid_size(const struct html_report *report);

/** Whether voxel i was solved, accurately or not. */
bool html_has_solution(const struct html_report *report, size_t i);

/** Whether noise would not have shown voxel i; how many there are; how many noise would show. */
bool html_is_found(const struct html_report *report, size_t i);
size_t html_count_found(const struct html_report *report);
double html_expected_of_noise(const struct html_report *report);

/** A place of the grid in mm, "12, −3, 40 mm", or its index where there is no orientation. */
void html_append_place(GString *html, const struct image_grid *grid, size_t voxel);

/** An option's value by its name, "" where there is none. */
const char *html_setting(const struct html_report *report, const char *name);

/** A table of names and values. */
void html_add_rows(GString *html, const char *title, const struct html_report_row *rows, size_t n);

/** The values of a map where there is a solution, in ascending order. */
struct html_sorted {
    float *values; // owned
    size_t n;
};
typedef struct html_sorted owned_html_sorted;
struct html_sorted html_sort_map(const struct html_report *report, enum html_report_map map);

/** The explained variance of what was found, in ascending order. */
struct html_sorted html_sort_found(const struct html_report *report);
void html_sorted_clear(struct html_sorted *sorted);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_html_sorted, html_sorted_clear)

/** The quantile of sorted values at a fraction in 0..1; NaN if there are none. */
double html_quantile(const struct html_sorted *sorted, double fraction);

/** The head of a page and its style, up to its content; the end of it. */
GString *html_open_page(const char *title);
void html_close_page(GString *html, const char *version);

/** A number with a name and what stands after it, inside <dl class='tiles'>. */
void html_add_tile(GString *html, const char *name, double value, const char *after);

/** Shades the frames that do not count, in a plot over seconds. */
void html_shade_censored(const struct plot *plot, const struct html_report *report);

void html_open_svg(GString *html, double width, double height, const char *label);

/** "NAME.html" -> "NAME" with another ending. */
char *html_beside(const char *html_path, const char *ending);
