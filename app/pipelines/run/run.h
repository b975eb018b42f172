// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/warnings.h"
#include "app/pipelines/outputs/outcome.h"
#include "app/settings/settings.h"
#include "deconv/clean.h"
#include "deconv/confounds.h"
#include "deconv/hrf.h"
#include "deconv/lambda_rule.h"
#include "io/metadata.h"
#include "io/recording.h"
#include "solvers/linop.h"
#include "solvers/solver.h"
#include "unrolled/network.h"

#include <json-glib/json-glib.h>

/** Series that a thread takes at a time: what is read of a frame then fills cache lines. */
enum { RUN_ITEM_SERIES = 8 * BLOCK_SERIES };

/** A file that the result depends on, as it was when it was read. */
struct run_input {
    const char *role; // "bold", "mask", ...; static
    char *path;       // owned
    guint64 size;
    gint64 mtime_ns;
    char *sha256; // owned; of the bytes, once they were read
};

/** A series that is kept as it was deconvolved, to be shown. */
struct run_trace {
    size_t series;
    bool used;
};

/** Which series of an item are kept. */
enum run_trace_kind {
    RUN_TRACE_LAMBDA_MAX, // largest
    RUN_TRACE_JUMPS,      // most
    RUN_TRACE_GAP,        // largest
    RUN_TRACE_FIRST,      // the first that was solved, for the median
    RUN_N_TRACES
};

struct run_seconds {
    double read;
    double prepare;
    double solve;
    double write;
    double total;
};

/** A trained network and what it leaves to an exact solver. */
struct run_network {
    char *path;              // owned; NULL: there is none
    struct network *network; // owned
    struct network_use use;
    struct solver *exact;     // owned; NULL: nothing is left to it
    atomic_size_t n_finished; // series that it solved
};

/**
 * One recording, from its file to its outputs: planned (everything is checked, nothing is touched),
 * then executed. Fields are filled in this order; a pointer is NULL until then.
 */
struct run {
    const struct host *host;         // borrowed
    const struct settings *settings; // borrowed; of this recording alone

    // where from, where to
    char *input;       // owned; path
    char *folder;      // owned; of the outputs
    char *stem;        // owned
    GPtrArray *inputs; // owned, of owned struct run_input

    // what is read
    struct recording *recording; // owned
    guint n_warned;              // of its warnings, those that were told
    struct metadata *metadata;   // owned; side-cars and repetition time
    double tr_s;
    size_t n_drop;     // frames left out at the beginning
    size_t n_read;     // frames after them; all are cleaned
    size_t first;      // of these, the first that is deconvolved
    size_t n_time;     // and how many are
    size_t n_grid;     // voxels of the grid
    uint8_t *mask;     // owned; n_grid; NULL: all
    bool mask_is_made; // by automask
    size_t n_series;   // inside the mask

    // the problem
    struct hrf *response;        // owned
    linop *op;                   // owned
    linop *seen;                 // owned; op less what censored frames would see; NULL: op
    struct confounds *confounds; // owned; NULL: none
    struct clean *clean;         // owned
    struct problem *problem;     // owned
    struct run_network network;  // in the place of a solver by name
    struct solver *solver;       // owned
    double lambda;               // ratio or value, one for all series, unless there is a rule
    bool lambda_is_ratio;        //
    struct lambda_rule *rule;    // owned; NULL: ratio or fixed
    double *lambda_map;          // owned; n_grid: rule map
    bool run_scope;              // one lambda for all

    // what came of it
    struct series_result *results; // owned; n_series
    float *fitted;                 // owned; n_time x n_series, series fastest; where saved
    float *residual;               // owned; the same
    float *debiased;               // owned; n_in x n_series
    struct debias *levels;         // owned; what makes it
    struct lambda_choice *choices; // owned; n_series: what the rule chose
    struct run_trace *traces;      // owned; RUN_N_TRACES an item
    float *trace_x;                // owned; n_time of each
    double run_lambda_max;         // run scope of rule ratio
    double sigma;                  // median of the noise level, NaN where no rule looked at it
    struct outcome outcome;
    double solve_cpu_seconds;
    gint64 begin_us; // of the monotonic clock
    struct run_seconds seconds;
    GPtrArray *outputs; // owned, of owned paths, once they are published
    struct warnings warnings;
};

/**
 * Names input, outputs and all files that the result depends on; opens none. settings name one
 * recording and one folder, and outlive the run. Errors: any.
 */
struct run *run_new(const struct host *host, const struct settings *settings, GError **error);

/**
 * Checks all that can be checked without reading samples: settings, header, response, mask,
 * memory, outputs. overwrite: existing outputs are no error. Errors: any.
 */
bool run_plan(struct run *run, bool overwrite, GError **error);

/** Reads, solves, writes. On an error or a signal nothing is published. */
bool run_execute(struct run *run, GError **error);

/** What `--json` says of it, but for the command's name. */
JsonObject *run_to_json(const struct run *run);

void run_free(struct run *run);
typedef struct run owned_run; // for g_autoptr(owned_run)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_run, run_free)

/** True for the frames of those deconvolved that do not count; NULL where all do. */
const bool *run_censored(const struct run *run);

/** Tells the user, and keeps the line for the report. */
void run_warn(struct run *run, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Tells what reading found, each line once. */
void run_warn_of_recording(struct run *run);

/** Notes a file that the result depends on, with its size and time. */
void run_add_input(struct run *run, const char *role, const char *path);

/** The path of the input of a role; NULL where there is none. */
const char *run_input_path(const struct run *run, const char *role);

// the parts of it

/** Header, repetition time and frames. */
bool run_plan_input(struct run *run, GError **error);

/** Reads the mask of a file; there is none where all voxels are wanted. */
bool run_plan_mask(struct run *run, GError **error);

/** Reads the map of lambda, if there is one; checks it once the voxels are known. */
bool run_plan_lambda_map(struct run *run, GError **error);
bool run_check_lambda_map(const struct run *run, GError **error);

/** Whether the settings of solver and network go together. Error: APP_ERROR_USAGE. */
bool run_check_network_settings(const struct run *run, GError **error);

/**
 * Makes run->solver of the network. Errors: IO_ERROR_INPUT; APP_ERROR_INPUT where it was
 * trained for another repetition time, length, convolution, response or cleaning.
 */
bool run_plan_network(struct run *run, const struct solver_options *options, GError **error);

/** What sidecars and --json say of the network. */
JsonObject *run_describe_network(const struct run *run);

/** Makes the mask, where it is to be made, and reads the samples inside. */
bool run_read(struct run *run, GError **error);

/** Refuses what needs more memory than the limit. */
bool run_check_memory(const struct run *run, GError **error);

/** Solves all series; activity takes the place of the samples that it came from. */
bool run_solve(struct run *run, GError **error);

/** The names of all outputs, sidecars and done-record included. Owned. */
GPtrArray *run_output_names(const struct run *run);

/** The resolved settings, as they are written beside the images. Owned. */
char *run_config(const struct run *run);

/** Writes and publishes all outputs. */
bool run_write(struct run *run, GError **error);

/** The sidecar of a 4-D image, or of a map. */
JsonObject *run_series_sidecar(const struct run *run, const char *description, const char *units);
JsonObject *run_map_sidecar(const struct run *run, const char *description, const char *units);

/** "z-score", "percent signal" or "as stored": the unit of what is deconvolved, and of activity. */
const char *run_unit(const struct run *run);

/** Writes the report and what it is made from. */
bool run_write_report(const struct run *run, const char *path, const float *const maps[],
                      const GPtrArray *names, GError **error);
