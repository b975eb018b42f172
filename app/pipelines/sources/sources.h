// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"
#include "app/pipelines/inputs/values.h"
#include "io/fif_covariance.h"
#include "io/fif_forward.h"
#include "io/recording.h"
#include "sources/band_pass.h"
#include "sources/epochs.h"
#include "sources/leadfield.h"
#include "sources/models.h"
#include "unrolled/params_file.h"

#include <json-glib/json-glib.h>

/** A reference map of all positions. */
enum source_map { SOURCE_MAP_NONE, SOURCE_MAP_MNE, SOURCE_MAP_DSPM };

/** What is done about EEG without an average reference. */
enum source_reference {
    REFERENCE_DEFAULT = -1, // average, but custom references are refused
    REFERENCE_AVERAGE,
    REFERENCE_NONE,
};

/** The options of `taut sources`; texts are borrowed. */
struct sources_options {
    const char *recording; // NULL: none; the channels are those of covariance and leadfield
    const char *forward;
    const char *noise_cov;
    const char *folder;
    const char *condition;    // NULL: any
    const char *events;       // NULL: those of the recording
    const char *stim;         // channel whose codes are the events; NULL: none in particular
    size_t stim_mask;         // bits of its codes; 0: all
    size_t trial;             // the epoch to take alone, from 1; 0: their average
    bool keep_bad_spans;      // epochs in spans of bad data count, too
    struct interval epoch;    // s
    struct interval baseline; // s
    struct interval band;     // Hz
    struct bounds reject;     // of the kinds of sensors, peak to peak, SI units
    char **bads;              // NULL: none
    double tmin_s;            // NaN: the beginning
    double tmax_s;            // NaN: the end
    struct word orient;       // fixed, free, loose, loose=W
    double depth;
    int reference;       // of enum source_reference
    int model;           // of source_models; -1: not given
    double lambda;       // a fraction of alpha_max; NaN: 0.5, or what the network is for
    double tol;          //
    int map;             // of enum source_map
    const char *network; // a trained network: of the Lasso alone
    double certify;      // with a network: gap above which a sample is solved exactly; NaN
    size_t layers;       // of the network; 0: all
    bool force_network;  // whatever leadfield it was trained on
    bool debias;
};

/** Channels to choose from, in the order of the recording or, without one, of the covariance. */
struct sources_channels {
    size_t n;
    const char **name;      // owned; names are borrowed
    enum sensor_kind *kind; // owned
};

/** What became of the events that epochs were cut around. */
struct epoch_counts {
    size_t n_events;
    size_t n_outside;  // not all of the epoch was recorded: before, after, or over a gap
    size_t n_repeated; // at the sample of another one
    size_t n_bad;      // in a span of bad data
    size_t n_rejected; // by --reject, or not finite
};

/** Samples of the chosen channels over a window, in SI units. */
struct sources_window {
    size_t n_channels;
    size_t n_time;
    double start_s;
    double interval_s;
    double *data;   // owned; row-major n_channels x n_time
    int n_averaged; // trials behind it; 0: no average
    struct epoch_counts counts;
    char *condition; // owned; "" where there is none
};

/** What was found, in A m. */
struct sources_result {
    struct source_estimate *estimate; // owned; rows of X
    double *factors;                  // owned; debiasing factor of each active position, or NULL
    double *amplitude; // owned; X times the weights (and factors), rows as those of X
    double *share;     // owned; variance that each position alone explains
    double alpha_max;
    double alpha;     // lambda times alpha_max; lasso: of the sample where it is largest
    double gap[2];    // relative, median and largest (lasso: over samples; irl21: first round)
    double objective; // lasso: the sum over samples
    bool converged;   //
    bool has_gap;     // irl21 is not convex: it has none
    size_t n_passes;  // of coordinate descent; lasso: iterations in all
    double explained; // variance in whitened space
    double explained_debiased;
    double solve_s;
};

/** What a network did. */
struct sources_network {
    linop *op; // owned, as the next two: the leadfield, its Lasso, the network
    struct problem *problem;
    struct network *net;
    size_t layers;
    size_t n_rejected;       // steps that the safeguard replaced, of all samples and layers
    size_t n_solved_exactly; // samples left above the tolerance of --certify
    size_t block_samples;    // that go through the layers together
    double latency_s[2];     // of a block, from its samples to its certified sources: median, most
};

/** A recording on its way to sources. Pointers are owned unless it says borrowed. */
struct sources {
    const struct host *host;               // borrowed
    const struct sources_options *options; // borrowed
    const struct source_model *model;      // of the table
    enum source_orientation orientation;
    double loose;
    double lambda;        // a fraction of alpha_max
    bool overwrites;      // outputs that are there are replaced
    bool any_condition;   // begin with the first, where none is named
    bool orient_by_space; // no orientation was asked for: source spaces decide
    bool has_reference;   // an average reference projector in the files
    bool adds_reference;  // an average reference that the files lack
    char *stem;
    GPtrArray *inputs; // of struct input_file; NULL until results are written
    char **sha256;     // of these

    struct recording *recording;
    struct forward *forward;
    struct covariance *covariance;
    char **bads; // of the recording, the covariance and the user

    struct sources_channels channels;
    struct channel_choice *choice; // of these channels
    size_t n_projections;          // in recording and covariance
    struct projector_matrix *projector;
    struct data_space *space; // that the recording's samples lie in, or NULL
    struct whitener *whitener;
    struct leadfield *leadfield;
    double *normals;        // n_positions x 3, in the frame of the forward solution
    double *position;       // n_positions x 3, m, head frame
    struct band_pass *band; // of a continuous recording, or NULL
    double noise_shrinkage; // of a covariance of baselines
    struct sources_window window;
    double *whitened; // rank x n_time, row-major; NULL without a recording

    struct params_file *network_file; // NULL: exact methods
    struct sources_network network;
    struct sources_result result;
    gint64 begin_us;
    double read_s;
    double prepare_s;
};

/** The name of the outputs: that of the file without what tells its format. Owned. */
char *sources_stem(const char *recording);

/** The files that a result depends on: struct input_file, owned. */
GPtrArray *sources_inputs(const struct sources_options *options);

/** All that comes before solving; overwrite: existing outputs are no error. Errors: any. */
bool sources_prepare(struct sources *sources, bool overwrite, GError **error);

/** How the reference of EEG was dealt with; NULL: there is no EEG. */
const char *sources_reference_text(const struct sources *sources);

/** Warns of a result that missed its tolerance. */
void sources_warn(const struct sources *sources);

/** Reads the options into model and orientation. Error: APP_ERROR_USAGE. */
bool sources_plan(struct sources *sources, GError **error);

/** The same where the forward solution, which was read, knows but one. Error: APP_ERROR_USAGE. */
bool sources_plan_forward(struct sources *sources, GError **error);

/** Filters n rows of n_time samples, which begin stride apart, on all threads. */
void sources_filter(const struct sources *sources, double *rows, size_t n, size_t n_time,
                    size_t stride);

/** Whether --noise-cov is "baseline": noise is that of the epochs themselves. */
bool sources_noise_is_of_baseline(const struct sources *sources);

/** The covariance of zeros that sources_noise_fill will fill. Error: APP_ERROR_USAGE. */
struct covariance *sources_noise_begin(const struct sources *sources, GError **error);

/** From the samples [baseline[0], baseline[1]) of the epochs in use. Error: IO_ERROR_INPUT. */
bool sources_noise_fill(struct sources *sources, const struct epochs *epochs, const bool *is_used,
                        const size_t baseline[2], GError **error);

/** Opens the files and picks the channels. Errors: IO_ERROR, APP_ERROR. */
bool sources_read(struct sources *sources, GError **error);

/** Picks the channels, of files that are there already. Errors: APP_ERROR_USAGE, IO_ERROR_INPUT. */
bool sources_choose_channels(struct sources *sources, GError **error);

/** The projector of the chosen channels. Errors: SOURCES_ERROR. */
bool sources_make_projector(struct sources *sources, GError **error);

/** The rank of the data of the chosen channels, from header and samples. Errors: IO_ERROR. */
bool sources_find_space(struct sources *sources, GError **error);

/** Tells the ranks of noise and data where they differ. */
void sources_tell_rank(const struct sources *sources);

/** Of averages the condition asked for (NULL: the only one); else the part with most sensors. */
bool sources_choose_part(struct sources *sources, GError **error);

/** The samples of the chosen channels: one condition, or a stretch of a continuous recording. */
bool sources_read_window(struct sources *sources, GError **error);

/** Whitener, leadfield and, of a window that was read, whitened data. */
bool sources_form(struct sources *sources, GError **error);

/** Minimises. */
bool sources_solve(struct sources *sources, GError **error);

/** The input of the mixed norm: the whitened window on the leadfield. */
struct mixed_norm_input sources_problem(const struct sources *sources);

/** The names of all outputs; owned by the caller. */
GPtrArray *sources_output_names(const struct sources *sources);

/** Publishes all outputs. Errors: IO_ERROR_OUTPUT, APP_ERROR_OUTPUT. */
bool sources_write(struct sources *sources, GError **error);

/** What is told of a result: the sidecar, and with what else the command says, `--json`. */
JsonObject *sources_to_json(const struct sources *sources);

/** The report as one page. */
GString *sources_report(const struct sources *sources);

void sources_clear(struct sources *sources);
typedef struct sources owned_sources;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_sources, sources_clear)

/** Position k is of the space returned; *vertex is its number there. */
const struct source_space *sources_space_of(const struct sources *sources, size_t k,
                                            size_t *vertex);

/** Amplitudes (A m) of active position i at sample t: n_orient numbers n_time apart. */
static inline const double *sources_amplitude(const struct sources *sources, size_t i)
{
    const struct source_estimate *estimate = sources->result.estimate;
    return sources->result.amplitude + i * estimate->n_orient * estimate->n_time;
}

/** ||amplitude|| of active position i over its orientations at sample t, A m. */
double sources_magnitude(const struct sources *sources, size_t i, size_t t);
