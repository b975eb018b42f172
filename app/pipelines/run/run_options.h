// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/inputs/preprocessing.h"
#include "app/pipelines/inputs/values.h"
#include "app/pipelines/run/findings.h"
#include "deconv/clean.h"
#include "deconv/hrf_conv.h"
#include "deconv/lambda_rule.h"
#include "solvers/solver.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** How the series of a parcel's voxels become one. */
enum run_parcel { PARCEL_MEAN, PARCEL_PC1 };

/** What activity is made of. */
enum run_model { MODEL_BLOCK, MODEL_SPIKE, MODEL_BOTH };

/** 4-D images that may be written, as bits. */
enum run_image {
    RUN_ACTIVITY = 1,
    RUN_INNOVATION = 2,
    RUN_FITTED = 4,
    RUN_RESIDUAL = 8,
    RUN_DEBIASED = 16,
    RUN_SIGNIFICANT = 32, // by what was found beyond noise
    RUN_INNOVATIONS = 64, //
    RUN_SPIKES = 128,     // not of MODEL_BLOCK
};

/** Values of the table that others below are made from. */
struct run_words {
    struct word detrend;
    struct interval bandpass;
    int standardize;
    struct word lambda_rule;
    int lambda_scope;  // 0 voxel, 1 run
    int mask_resample; // 0 none, 1 nearest
    size_t frames[2];  // first and count
    size_t compression;
    bool debias;
    const char *null;  // none, analytic or a number of draws
    const char *alpha; // A or A:B
};

/**
 * What a run is asked for: one recording, checked and complete. Text is borrowed; a path is NULL
 * where there is no such file.
 */
struct run_options {
    // files; the switches of what is taken without a name stand together
    const char *bold;
    const char *folder; // of the outputs
    const char *mask;
    const char *atlas;     // labels; parcels are deconvolved in the place of voxels
    const char *labels;    // their names
    int parcel;            // of enum run_parcel
    double mask_threshold; // above it a voxel is inside; NaN: where it is not zero
    bool mask_is_found;    // beside the recording, and not named
    bool resamples_mask;   // where it has another grid
    bool auto_mask;        // one is made; else, without a file, all voxels
    bool auto_sidecar;     // those that belong to the recording
    bool drops_unsteady;   // as many frames as the table of confounds marks as not steady
    bool one_lambda;       // for the run; else one a series
    bool finds;            // what noise would not have shown
    bool strict;           // the tolerance decides on the exit status
    const char *sidecar;   // else this one
    const char *confounds;
    const char *confound_columns;
    const char *network;    // trained, in the place of the solver
    const char *lambda_map; // rule LAMBDA_MAP

    // frames
    double tr_s;        // 0: that of the sidecar, else of the header
    size_t n_drop;      // at the beginning
    size_t first;       // of those left, the first that is deconvolved
    size_t n_time;      // and how many are; 0: all from there on
    const char *joined; // first frames of runs that were joined, "240,480"; NULL: it is one run

    // the problem
    struct run_words given;     //
    struct clean_options clean; // confounds and censored frames come with the table
    struct preprocessing words; // the same, in words
    const char *hrf;            // as given: a model or a file
    const char *response;       // the same, a file's path as it is from here
    int conv;                   // of enum hrf_conv_kind
    int model;                  // of enum run_model
    bool positive;              // MODEL_SPIKE: no spike is below 0
    const char *solver;         // name of a method
    double certify;             // of a network: gap that is left to an exact solver; NaN: none
    double lambda;              // a ratio or a value, by the rule
    enum lambda_kind rule;      //
    double noise_factor;        // rule LAMBDA_MAP by the noise, C; else 0
    struct findings_options found;
    struct solver_options solving; // what the user can say of it
    unsigned images;               // of enum run_image
    int compression;               // of gzip
    char **asked;                  // NAME, VALUE, NAME, VALUE, ..., NULL: options, for the report
    const char *config;            // all settings, as a file
    const char *settings_sha256;   // of all settings, in hexadecimal
};

/** Makes what is made from others: all but hrf, asked, config and settings_sha256. */
void run_options_complete(struct run_options *options);
