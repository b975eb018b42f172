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
    const char *label; // why this one: "largest explained variance", ...
    size_t index[3];   // voxel on the grid
    struct series_result result;
    const double *x;      // n_time: what was deconvolved, after cleaning
    const double *fitted; // n_time: the response to u
    const double *u;      // n_activity
};

/** A warning, and how often it was given. */
struct html_report_warning {
    const char *text;
    size_t count;
};

enum html_report_map {
    HTML_REPORT_STATUS,
    HTML_REPORT_LAMBDA,
    HTML_REPORT_LAMBDA_MAX,
    HTML_REPORT_GAP, // relative
    HTML_REPORT_JUMPS,
    HTML_REPORT_EXPLAINED, // part of the variance, 0..1
    HTML_REPORT_MEAN,      // of the recording
    HTML_REPORT_P,         // of lambda_max in noise; only where it was tested
    HTML_REPORT_N_MAPS
};

/** What tells activity from noise. */
struct html_report_found {
    const double *white; // explained variance of series of white noise, ascending
    size_t n_white;      //
    double white_point;  // their 99.9 % point: a voxel above it is found, where p is not tested
    double alpha;        // of p, up to which a voxel is found; 0: not tested
    double sigma;        // median standard deviation of the noise; NaN: not estimated
    double ar;           // and autocorrelation
    size_t n_ends;       // found voxels that vary at the ends of the run above all
    size_t n_single;     // that have one swing
    size_t n_spike;      // or one frame far from all others
};

/** Courses over the frames; NULL where there is none. */
struct html_report_courses {
    const double *rises;        // n_time: mean rise of u over the found voxels, from 0 on
    const double *falls;        // mean fall, up to 0
    const double *global;       // mean of all series, after cleaning
    const double *displacement; // framewise, mm
    const double *censored;     // frames that do not count
    size_t n_censored;
};

/** Rows of frames as a picture: carpets of x, fitted and u share their rows. */
struct html_report_carpet {
    const char *name;
    const char *png;  // base64
    const char *span; // what black and white, or both colours, stand for
};
enum { HTML_REPORT_N_CARPETS = 3 };

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
    const struct html_report_warning *warnings;
    size_t n_warnings;

    double tr_s;
    size_t n_time;       // frames deconvolved
    size_t n_activity;   // samples of u
    const char *unit;    // of x and u: "z-score", "percent signal", ...
    const double *h;     // the response, one sample every tr_s seconds
    size_t n_h;          //
    double tol;          // relative gap that counts as solved
    double microseconds; // CPU time of the solver per voxel; 0: not known

    const struct image_grid *grid;
    const float *maps[HTML_REPORT_N_MAPS]; // on the whole grid, 0 outside the mask; P may be NULL
    struct html_report_found found;
    struct html_report_courses courses;

    struct html_report_carpet carpets[HTML_REPORT_N_CARPETS]; // name NULL: none
    size_t carpet_rows;                                       //
    size_t carpet_found;                                      // of these, the first are found

    const struct html_report_trace *traces;
    size_t n_traces;
};

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
