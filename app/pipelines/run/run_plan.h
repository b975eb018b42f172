// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/warnings.h"
#include "app/pipelines/outputs/record.h"
#include "app/pipelines/run/run_joined.h"
#include "app/pipelines/run/run_options.h"
#include "deconv/confounds.h"
#include "deconv/hrf.h"
#include "deconv/mixture.h"
#include "io/frame_table.h"
#include "io/metadata.h"
#include "solvers/solver.h"
#include "unrolled/network.h"

#include <json-glib/json-glib.h>

/** Series that a thread takes at a time: what is read of a frame then fills cache lines. */
enum { RUN_ITEM_SERIES = 8 * BLOCK_SERIES };

/** Which series of an item are kept. */
enum run_trace_kind {
    RUN_TRACE_EXPLAINED, // most of its variance, of those that are no artefact
    RUN_TRACE_GAP,       // largest
    RUN_TRACE_SPREAD,    // from here on: spread evenly over the run
};

/** Series that are kept of each item of a run: enum run_trace_kind, the spread ones counted. */
size_t run_n_kept(size_t n_series);

/** A trained network and what it leaves to an exact solver. */
struct run_network {
    struct network *network; // owned; NULL: there is none
    struct network_use use;
    struct solver *exact;      // owned; NULL: nothing is left to it
    atomic_size_t *n_finished; // owned; counts what it solved, over all that runs by this plan
};

/** What a run is about, before any file is opened. */
struct run_files {
    const struct run_options *options; // borrowed
    char *stem;                        // owned; of the outputs' names
    GPtrArray *inputs;                 // owned, of owned struct input_file; the recording first
};

/** Notes all files that the result depends on; opens none. */
struct run_files *run_files_new(const struct run_options *options);
void run_files_free(struct run_files *files);
typedef struct run_files owned_run_files; // for g_autoptr(owned_run_files)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_run_files, run_files_free)

/** The done-record of what these inputs make; borrows all. */
struct record run_files_record(const struct run_files *files, const GPtrArray *inputs);

/**
 * All that is decided about a run before its samples are read. It is built once and does not
 * change: any number of results may be made by it, and what is to be done can be told from it.
 */
struct run_plan {
    const struct host *host;           // borrowed
    const struct run_options *options; // borrowed
    const struct run_files *files;     // borrowed

    // what is read
    struct image_grid grid;    //
    enum sample_type type;     // of the samples in memory
    guint n_warnings;          // of the recording, by its header
    GPtrArray *inputs;         // owned, of borrowed struct input_file: those that are used
    struct metadata *metadata; // owned; side-cars and repetition time
    double tr_s;
    size_t n_drop;                 // frames left out at the beginning
    size_t n_read;                 // frames after them; all are cleaned
    size_t first;                  // of these, the first that is deconvolved
    size_t n_time;                 // and how many are
    size_t n_grid;                 // voxels of the grid
    uint8_t *mask;                 // owned; n_grid; NULL: all, or to be made
    size_t n_inside;               // voxels of the mask; n_grid without one
    bool makes_mask;               // from the samples
    double *labels;                // owned; n_grid: parcels; NULL: voxels are deconvolved
    GHashTable *label_names;       // owned; number to name, both text; NULL: no parcels
    struct clean *component_clean; // owned; what principal components are taken of, or NULL

    // the problem
    struct hrf *response;        // owned
    struct hrf_shape shape;      // of it
    linop *op;                   // owned
    linop *seen;                 // owned; op less what censored frames would see; NULL: op
    struct frame_table *table;   // owned; of the confounds; NULL: none
    struct confounds *confounds; // owned; NULL: none
    struct clean *clean;         // owned; NULL for runs that were joined, which have their own
    struct run_joined *joined;   // owned; NULL: it is one run
    struct problem *problem;     // owned; of blocks
    struct mixture *mixture;     // owned; with spikes; NULL: MODEL_BLOCK
    struct run_network network;  // in the place of a solver by name
    struct solver *solver;       // owned; NULL for runs that were joined
    struct debias *levels;       // owned; NULL: they stay as they are
    struct lambda_rule *rule;    // owned; NULL: ratio or fixed
    double *lambda_map;          // owned; n_grid: rule map
    bool one_lambda;             // for all series
    bool overwrites;             // outputs that are there are replaced
    struct noise_fit *noise_fit; // owned; NULL: no noise is looked at

    struct warnings warnings; // told while it was made
    gint64 begin_us;          // of the monotonic clock
    double seconds;           // that planning took
};

/**
 * Checks all that can be checked without reading samples: settings, header, response, mask,
 * memory, outputs; files and their options outlive the plan. overwrite: existing outputs are no
 * error. Errors: any.
 */
struct run_plan *run_plan_new(const struct host *host, const struct run_files *files,
                              bool overwrite, GError **error);
void run_plan_free(struct run_plan *plan);
typedef struct run_plan owned_run_plan; // for g_autoptr(owned_run_plan)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_run_plan, run_plan_free)

/** The problem whose solutions are certified, and whose lambda_max lambda refers to. */
const struct problem *run_plan_solved(const struct run_plan *plan);

/** True for the frames of those deconvolved that do not count; NULL where all do. */
const bool *run_plan_censored(const struct run_plan *plan);

/** The method that solves, or that of the first of runs that were joined. */
const struct solver *run_plan_solver(const struct run_plan *plan);

/** Regressors that are taken out of all frames; whether means are. */
size_t run_plan_rank(const struct run_plan *plan);
bool run_plan_centres(const struct run_plan *plan);

/** Refuses n_series series where they need more memory than the limit. */
bool run_plan_check_memory(const struct run_plan *plan, size_t n_series, GError **error);

/** The resolved settings, as they are written beside the images. Owned. */
char *run_plan_config(const struct run_plan *plan);

/** "standard deviations", "percent signal" or "as stored": the unit of activity. */
const char *run_plan_unit(const struct run_plan *plan);

// the parts of it, each filling its fields

/** Header, repetition time, table of confounds and frames. */
bool run_plan_input(struct run_plan *plan, GError **error);

/** The table of confounds as it was read; borrows of the plan. */
struct confounds_table run_plan_table(const struct run_plan *plan);

/** How series are cleaned, confounds and censored frames included; borrows of the plan. */
struct clean_options run_plan_clean_options(const struct run_plan *plan);

/** The mask of a file. */
bool run_plan_mask(struct run_plan *plan, GError **error);

/** The map of lambda, if there is one. */
bool run_plan_lambda_map(struct run_plan *plan, GError **error);

/** Whether the settings of solver and network go together. Error: APP_ERROR_USAGE. */
bool run_options_check_network(const struct run_options *options, GError **error);

/**
 * Makes the solver of the network. Errors: IO_ERROR_INPUT; APP_ERROR_INPUT where it was
 * trained for another repetition time, length, convolution, response or cleaning.
 */
bool run_plan_network(struct run_plan *plan, const struct solver_options *options, GError **error);

/**
 * The fit of the noise where it is asked for, or the rule of lambda needs it; where cleaning leaves
 * no frequencies of noise there is none, and a warning, or an error if the rule needs it.
 */
bool run_plan_noise(struct run_plan *plan, GError **error);

/** Tells the user while a plan is made, and keeps the line for the report. */
void run_plan_warn(struct run_plan *plan, const char *format, ...) G_GNUC_PRINTF(2, 3);
