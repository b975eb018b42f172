// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/outputs/outcome.h"
#include "app/pipelines/run/run_plan.h"
#include "deconv/parcels.h"
#include "deconv/swings.h"

/** A series that is kept as it was deconvolved, to be shown. */
struct run_trace {
    size_t series;
    bool used;
};

struct run_seconds {
    double read;
    double solve;
    double write;
    double total; // since the plan was begun
};

/** Numbers of all series, series fastest: that of series v in frame t is at t * n_series + v. */
struct run_series {
    enum sample_type type;
    union {
        float *f;
        double *d;
        void *any;
    } values; // owned
    size_t n_series;
};

/** The lambda that all series are solved with, where none has its own. */
struct run_lambda {
    double value;
    bool is_ratio; // to lambda_max
};

/** One recording, as a plan has it done. */
struct run {
    const struct run_plan *plan; // borrowed

    // what was read
    struct recording *recording; // owned; its samples go to `activity`
    const uint8_t *mask;         // n_grid; NULL: all; the plan's or made_mask
    uint8_t *made_mask;          // owned; NULL: none was made
    size_t n_series;             // inside the mask, or parcels
    struct parcels *parcels;     // owned; NULL: series are voxels
    size_t *painted;             // owned; of each member of the parcels its voxel, rising
    char **sha256;               // owned, of owned; of each input

    // what came of it
    struct run_series activity;    // frame by frame in the memory of the samples: see run_solve
    struct series_result *results; // owned; n_series
    float *fitted;                 // owned; n_time x n_series, series fastest; where saved
    float *residual;               // owned; the same
    float *debiased;               // owned; n_in x n_series
    float *spikes;                 // owned; the same; not of MODEL_BLOCK
    float *explained;              // owned; n_series: variance that the response explains
    float *deviation;              // owned; n_series: standard deviation of the activity
    float *mean;                   // owned; n_series: of the recording, before cleaning
    uint8_t *swings;               // owned; n_series: enum swings_kind of what was found
    double *global;                // owned; n_time: mean of the series that were solved
    struct findings *findings;     // owned; NULL: no noise is looked at
    struct lambda_choice *choices; // owned; n_series: what the rule chose
    struct run_lambda lambda;      //
    struct run_trace *traces;      // owned; n_kept an item
    size_t n_kept;                 // RUN_TRACE_SPREAD, and those that are spread
    float *trace_x;                // owned; n_time of each
    double sigma;                  // median of the noise level, NaN where no rule looked at it
    size_t n_finished;             // series that a network left to an exact solver
    struct outcome outcome;
    double solve_cpu_seconds;
    struct run_seconds seconds;
    GPtrArray *outputs;       // owned, of owned paths, once they are published
    struct warnings warnings; // the plan's, and then its own
};

/** Reads, solves, writes. NULL on an error or a signal: then nothing is published. */
struct run *run_execute(const struct run_plan *plan, GError **error);

/** The voxels of the grid that series stand for, rising: how many, which, and whose. */
size_t run_n_painted(const struct run *run);
size_t run_painted_voxel(const struct run *run, size_t i);
size_t run_painted_series(const struct run *run, size_t i);

/** The activity of series v in frame t. */
double run_activity(const struct run *run, size_t t, size_t v);

/** What `--json` says of it, but for the command's name. */
JsonObject *run_to_json(const struct run *run);

void run_free(struct run *run);
typedef struct run owned_run; // for g_autoptr(owned_run)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_run, run_free)

/** Tells the user, and keeps the line for the report. */
void run_warn(struct run *run, const char *format, ...) G_GNUC_PRINTF(2, 3);

// the parts of it

/** Makes the mask, where it is to be made, and reads the samples inside. */
bool run_read(struct run *run, GError **error);

/**
 * Solves all series. The samples are spent by that: where a series stood, its activity stands
 * afterwards, so that one buffer of the size of the recording is enough. run->recording has no
 * samples from here on, and run->activity has the buffer.
 */
bool run_solve(struct run *run, GError **error);

/** Makes run->findings, where they are planned, for the items of run_solve. */
void run_begin_findings(struct run *run, size_t n_items);

/** Draws the null of run->findings, from the likelihoods of n series. */
bool run_learn_noise(struct run *run, const float *likelihoods, size_t n, GError **error);

/** The table of jumps of the voxels that are found. Owned. */
char *run_events_table(const struct run *run);

/** What `--json` says of them. */
void run_describe_findings(const struct run *run, JsonObject *object);

/** Writes and publishes all outputs. */
bool run_write(struct run *run, GError **error);

/** The sidecar of a 4-D image, or of a map. */
JsonObject *run_series_sidecar(const struct run *run, const char *description, const char *units);
JsonObject *run_map_sidecar(const struct run *run, const char *description, const char *units);

/** Writes the report and what it is made from. */
bool run_write_report(const struct run *run, const char *path, const float *const maps[],
                      const GPtrArray *names, GError **error);
