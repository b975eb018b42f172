// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/run/run.h"
#include "app/report/html_report.h"
#include "io/writer_nifti.h"

/** A 4-D image of a run: one sample a frame and series. A row of the table adds an image. */
struct run_series_image {
    const char *name; // in --save and in the file's name
    const char *description;
    enum run_image image;
    bool is_activity; // n_in frames, else n_time
    double (*sample)(const struct run *run, size_t t, size_t v);
};

/** A 3-D map of a run: one number a series. A row of the table adds a map. */
struct run_map_image {
    const char *name;
    const char *description;
    const char *unit;
    enum html_report_map shown; // by the report; HTML_REPORT_N_MAPS: not
    enum image_type type;
    double (*value)(const struct run *run, size_t v);
    bool (*is_wanted)(const struct run_options *options); // NULL: always
    float outside;                                        // of the mask
};

/** The tables; run_image_is_wanted and run_map_is_wanted choose of them. */
extern const struct run_series_image run_series_images[];
size_t run_n_series_images(void);
extern const struct run_map_image run_map_images[];
size_t run_n_maps(void);

bool run_series_is_wanted(const struct run_options *options, const struct run_series_image *image);
bool run_map_is_wanted(const struct run_options *options, const struct run_map_image *map);

/** The names of all outputs, sidecars and done-record included. Owned. */
GPtrArray *run_image_names(const struct run_files *files);
