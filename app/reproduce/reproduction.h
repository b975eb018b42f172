// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

struct experiment;

/** One part of a figure: the curves of every method that has results of a metric. */
struct panel {
    const char *title;
    const char *metric;
    const char *x_label;
    const char *y_label;
    double y_least; // of a logarithmic axis: smaller values are not drawn; 0: all are
    bool log_x;
    bool log_y;
    bool points; // marks without lines
};

/** An experiment under way: what it was asked, and what it has found. */
struct reproduction {
    const struct host *host;             // borrowed
    const struct experiment *experiment; // borrowed
    uint64_t seed;
    bool quick;              // at most three minutes on two cores, of files given only a part
    bool full;               // the published sizes; else minutes on two cores
    const char *folder;      // borrowed; of the results, maybe not there yet
    const char *const *data; // borrowed; recordings given by the user, NULL-terminated
    GPtrArray *rows;         // owned; results in the order of drawing
    GPtrArray *checks;       // owned
    GPtrArray *settings;     // owned
    GPtrArray *notes;        // owned; lines of the figure's caption
};

/** A table's row: one of them per experiment, in alphabetical order. */
struct experiment {
    const char *id;
    const char *title;          // of the figure
    const struct panel *panels; // ends with a panel without a metric
    bool (*run)(struct reproduction *r, GError **error);
    const char *data; // what --data gives it, "TRAIN,TEST"; NULL: it takes none
    size_t n_data;    // how many files
};

extern const struct experiment reproduce_iterations;
extern const struct experiment reproduce_lambda_shift;
extern const struct experiment reproduce_learning_curves;
extern const struct experiment reproduce_networks;
extern const struct experiment reproduce_oista;
extern const struct experiment reproduce_sparsity_law;
extern const struct experiment reproduce_steps;
extern const struct experiment reproduce_theory;
extern const struct experiment reproduce_tv_iterative;
extern const struct experiment reproduce_tv_prox_error;
extern const struct experiment reproduce_tv_rates;
extern const struct experiment reproduce_tv_simulation;
extern const struct experiment reproduce_ukbb;
extern const struct experiment reproduce_weights;

/** A result: step is a number of layers or iterations, or what the panel's x axis says. */
void reproduction_result(struct reproduction *r, const char *method, double step, uint64_t seed,
                         const char *metric, double value);

/** A statement and whether it holds: `value` is what was measured, `bound` what it is held to. */
void reproduction_check(struct reproduction *r, const char *name, bool passed, double value,
                        double bound);

/**
 * An aim rather than a claim: reported as met or missed. Missed, it is a check that failed at the
 * published sizes only.
 */
void reproduction_target(struct reproduction *r, const char *name, bool met, double value,
                         double bound);

/** What was used, for summary.json and config.ini. */
void reproduction_set(struct reproduction *r, const char *key, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/** A line of the figure's caption. */
void reproduction_note(struct reproduction *r, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** The mean over seeds of a result; NAN where there is none. */
double reproduction_mean(const struct reproduction *r, const char *method, double step,
                         const char *metric);

struct reproduction *reproduction_new(const struct host *host, const struct experiment *experiment);
void reproduction_free(struct reproduction *r);
typedef struct reproduction owned_reproduction; // for g_autoptr(owned_reproduction)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_reproduction, reproduction_free)

/**
 * Writes results.tsv, figure.gp, config.ini, the figure (SVG and PNG, where gnuplot is
 * installed) and, last, summary.json into a folder. Errors: output errors.
 */
bool reproduction_write(struct reproduction *r, const char *folder, double seconds, GError **error);

/** Checks that failed. */
size_t reproduction_n_failed(const struct reproduction *r);

/** What summary.json holds. */
JsonObject *reproduction_to_json(const struct reproduction *r, double seconds);

/** A line a check, PASS, MISS or FAIL. Owned. */
char *reproduction_checks(const struct reproduction *r);
