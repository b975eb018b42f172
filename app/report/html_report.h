// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"
#include "solvers/solver.h"

/** A line of a table: a setting, a time, a version. */
struct html_report_row {
    const char *name;
    const char *value;
};

/** A voxel shown as curves. */
struct html_report_trace {
    const char *label; // why this one: "largest lambda_max", "median lambda_max", ...
    size_t index[3];   // voxel on the grid
    struct series_result result;
    const double *x;      // n_time: what was deconvolved, after cleaning
    const double *fitted; // n_time: the response to u
    const double *u;      // n_activity
};

enum html_report_map {
    HTML_REPORT_STATUS,
    HTML_REPORT_LAMBDA,
    HTML_REPORT_LAMBDA_MAX,
    HTML_REPORT_GAP, // relative
    HTML_REPORT_JUMPS,
    HTML_REPORT_N_MAPS
};

/** What a page shows of one run; everything is borrowed, and text is any bytes (it is escaped). */
struct html_report {
    const char *title; // the stem of the outputs
    const char *input;
    const char *version;                    // of Taut
    const struct html_report_row *settings; // by the names of the options: "hrf", "lambda", ...
    size_t n_settings;                      //
    const struct html_report_row *times;    // "read", "prepare", "solve", ...: seconds and others
    size_t n_times;                         //
    const char *const *outputs;             // NULL-terminated file names
    const char *const *warnings;            // NULL-terminated, or NULL

    double tr_s;
    size_t n_time;       // frames deconvolved
    size_t n_activity;   // samples of u
    const char *unit;    // of x and u: "z-score", "percent signal", ...
    const double *h;     // the response, one sample every tr_s seconds
    size_t n_h;          //
    double tol;          // relative gap that counts as solved
    double microseconds; // CPU time of the solver per voxel; 0: not known

    const struct image_grid *grid;
    const float *maps[HTML_REPORT_N_MAPS]; // on the whole grid, 0 outside the mask

    const struct html_report_trace *traces;
    size_t n_traces;
};

/**
 * Chooses the voxels worth a look, from the results alone: the largest and the median lambda_max
 * among the solved, the most jumps, and the largest gap if a series is inaccurate. Ties go to the
 * lower index. Fills up to HTML_REPORT_N_TRACES indices and their labels; returns how many.
 */
enum { HTML_REPORT_N_TRACES = 4 };
size_t html_report_choose(const struct series_result *results, size_t n,
                          size_t chosen[HTML_REPORT_N_TRACES],
                          const char *labels[HTML_REPORT_N_TRACES]);

/**
 * Writes the page, one file without any outside reference, and beside it, as NAME.json for
 * NAME.html, what it shows except for the maps: html_report_rebuild draws it again from there.
 * Error: IO_ERROR_OUTPUT, IO_ERROR_EXISTS.
 */
bool html_report_write(const char *path, const struct html_report *report, bool overwrite,
                       GError **error);

/**
 * Writes NAME.html again from NAME.json and the maps beside it (STEM_stat-*_boldmap.nii.gz).
 * Error: IO_ERROR_INPUT, IO_ERROR_OUTPUT.
 */
bool html_report_rebuild(const char *path, const struct io_context *io, GError **error);
