// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/inputs/preprocessing.h"
#include "deconv/clean.h"
#include "deconv/hrf_conv.h"
#include "deconv/lambda_rule.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** 4-D images that may be written, as bits. */
enum run_image {
    RUN_ACTIVITY = 1,
    RUN_INNOVATION = 2,
    RUN_FITTED = 4,
    RUN_RESIDUAL = 8,
    RUN_DEBIASED = 16,
};

/**
 * What a run is asked for: one recording, checked and complete. Text is owned; a path is NULL where
 * there is no such file.
 */
struct run_options {
    // files
    char *bold;
    char *folder; // of the outputs
    char *mask;
    bool auto_mask; // else, without a file, all voxels
    char *sidecar;
    bool auto_sidecar; // beside the recording, where there is one
    char *confounds;
    char *confound_columns;
    char *network;    // trained, in the place of the solver
    char *lambda_map; // rule LAMBDA_MAP

    // frames
    double tr_s;   // 0: that of the sidecar, else of the header
    size_t n_drop; // at the beginning
    size_t first;  // of those left, the first that is deconvolved
    size_t n_time; // and how many are; 0: all from there on

    // the problem
    struct clean_options clean; // confounds and censored frames come with the table
    struct preprocessing words; // the same, in words
    char *hrf;                  // as given: a model or a file
    char *response;             // the same, a file's path as it is from here
    enum hrf_conv_kind conv;    //
    char *solver;               // name of a method
    double certify;             // of a network: gap that is left to an exact solver; NaN: none
    double lambda;              // a ratio or a value, by the rule
    enum lambda_kind rule;      //
    bool one_lambda;            // for the run; else one a series
    double tol;                 // relative gap
    size_t max_iter;            //
    unsigned images;            // of enum run_image
    int compression;            // of gzip
    char **asked;               // NAME, VALUE, NAME, VALUE, ..., NULL: options, for the report
    char *config;               // all settings, as a file
    char *settings_sha256;      // of all settings, in hexadecimal
};

/** All defaults, and no text. */
struct run_options run_options_default(void);
void run_options_clear(struct run_options *options);
typedef struct run_options owned_run_options;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_run_options, run_options_clear)
