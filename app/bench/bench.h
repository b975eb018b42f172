// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/methods.h"

#include <stdatomic.h>

enum { BENCH_N_TARGETS = 7 };

/** Relative gaps to which methods are timed, falling. */
extern const double bench_targets[BENCH_N_TARGETS];

/** A method on its way to one relative gap. */
struct bench_timing {
    GArray *us;          // owned; of double: CPU microseconds per series, a round each
    double cpu_s;        // spent so far
    double worst_gap;    // of all series
    size_t n_series;     //
    size_t n_iterations; // of all series together
    bool missed;         // a series did not get there
};

/** A method on all targets. */
struct bench_row {
    const struct method *method;
    struct solver *solver; // owned, unless lent; NULL where the method does not apply
    bool lent;             // by bench_add
    char *refusal;         // owned; why not, else NULL
    double prepare_s;      // CPU seconds of its construction
    struct bench_timing timings[BENCH_N_TARGETS];
};

struct bench_options {
    double lambda_ratio;
    size_t n_rounds;
    size_t max_iter;
    double budget_s; // CPU seconds after which a method is timed no further on a target
};

/**
 * Times methods against each other on the same series: round by round, each round on series of its
 * own, each method in turn on each target, on the calling thread.
 */
struct bench {
    struct bench_options options;
    const struct problem *problem; // borrowed
    const double *x;               // borrowed; n_series x n_out, row-major
    size_t n_series;
    size_t n_rows;
    struct bench_row *rows; // owned
};

/** names: NULL-terminated, known methods of that kind of problem. */
struct bench *bench_new(const struct problem *problem, const double *x, size_t n_series,
                        const char *const *names, const struct bench_options *options);
void bench_free(struct bench *bench);
typedef struct bench owned_bench; // for g_autoptr(owned_bench)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_bench, bench_free)

/**
 * One more row, of a solver made elsewhere; both are borrowed, and options of the solver are set as
 * it goes. Before bench_run.
 */
void bench_add(struct bench *bench, const struct method *method, struct solver *solver);

/** go_on(data, fraction done) is asked between timings; false from it stops with false. */
bool bench_run(struct bench *bench, bool (*go_on)(void *data, double fraction), void *data);

/** Median microseconds per series of a row to a target; NaN where it was missed or not tried. */
double bench_us(const struct bench_row *row, size_t target);

/** Median over rounds of the ratio of a row's time to another's; NaN where one has none. */
double bench_ratio(const struct bench_row *row, const struct bench_row *reference, size_t target);
