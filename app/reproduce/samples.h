// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/reproduce/reproduction.h"
#include "solvers/solver.h"
#include "unrolled/train.h"

/** Samples of one problem with their exact minima: what curves are drawn against. */
struct samples {
    const struct problem *problem; // borrowed
    struct block x;                // owned data
    struct block start;            // owned data: where all methods begin
    double *lambda;                // owned; one a sample
    double *minima;                // owned; certified to 1e-12 relative
    double minimum;                // their mean
    double worst_gap;              // relative, of their certificates
    struct train_samples train;    // views of the above
};

/** How samples are prepared. */
struct samples_options {
    double ratio;            // lambda / lambda_max of every sample
    enum solver_start start; // CONST, ZERO or PINV
    bool scale;              // divide every sample by its lambda_max
    bool run_scope;          // by the largest of all samples, and lambda is a share of that
};

/**
 * Takes x (n_out x n_series, data owned by the result from now on), chooses lambda and start and
 * solves every sample exactly. Error: APP_ERROR_OUTPUT never; a sample whose exact solution is not
 * certified to 1e-12, or a signal.
 */
struct samples *samples_new(struct reproduction *r, const struct problem *problem, struct block x,
                            const struct samples_options *options, GError **error);
void samples_free(struct samples *samples);
typedef struct samples owned_samples; // for g_autoptr(owned_samples)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_samples, samples_free)

/** Where a curve is read off: steps in ascending order, and what the results are called. */
struct curve {
    const char *method;
    const char *metric;
    const size_t *steps;
    size_t n_steps;
};

/** Results: the mean of F - F* over the samples after each number of iterations of a solver. */
bool samples_solver_curve(struct reproduction *r, const struct samples *samples,
                          solver_constructor *create, const struct curve *curve, GError **error);

/** Results: the same after each number of layers of a network (its stages, where it has them). */
void samples_network_curve(struct reproduction *r, const struct samples *samples,
                           const struct network *network, bool safeguard,
                           const struct curve *curve);

/**
 * D of n_out x n_in, columns uniform on the sphere, column-major: the coding law, drawn from a
 * seed. To be freed.
 */
double *samples_draw_dictionary(uint64_t seed, size_t n_out, size_t n_in);

/** x = D z with dense normal z (coding law), or normal x (slide law), column by column. Owned. */
struct block samples_draw_lasso(uint64_t seed, const linop *op, size_t n_series, bool slide);

/** A dense operator from the rows of a simulation. */
linop *samples_operator(const double *rows, size_t n_out, size_t n_in);
