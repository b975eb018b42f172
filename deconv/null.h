// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "deconv/clean.h"
#include "deconv/jumps.h"
#include "deconv/noise_fit.h"
#include "solvers/parallel.h"
#include "solvers/solver.h"

#include <stdint.h>

/** The series of a run, from noise to what is deconvolved. All borrowed. */
struct null_source {
    const struct clean *clean;
    size_t n_read;                   // frames that are cleaned
    size_t first;                    // of these, the first of the problem's n_out
    const struct problem *problem;   // TV
    const struct noise_prior *prior; // of the series of the run
};

/** How noise is drawn and counted. */
struct null_options {
    size_t n_draws;
    uint64_t seed;
    double lambda_factor; // C: lambda is C times the median lambda_max of white noise
    bool has_tail;        // beyond the largest tenth, a law is fitted to it; else draws are counted
};

/**
 * Jumps are looked for only where the probability of lambda_max is up to this: what jumps does not
 * stay below the median of noise, and half of the solutions are saved. Draws go the same
 * way, so that the null of jumps is that of both steps.
 */
#define NULL_SCREEN 0.5

/** 2000 draws, seed 1, C = 0.8, with a tail. */
struct null_options null_options_default(void);

/**
 * What noise alone would show: the distributions of lambda_max, and of the largest jump of the
 * exact solution at a lambda in proportion to the noise, over series without activity.
 *
 * Noise of an autocorrelation is drawn as long as the run, cleaned as the run was, its noise
 * estimated as that of the run was, and solved at the same multiple of its noise: whatever
 * cleaning, estimation and solver do to a series they do to its null too. Draws are shared by all
 * series whose autocorrelation is near (classes of 0.1, probabilities in between interpolated).
 * A jump's null is the largest jump of a whole series: its p is one for the series, family-wise.
 *
 * With a tail, the squares of the largest tenth of the draws are continued as an exponential law,
 * as maxima of Gaussian processes are (Leadbetter, Lindgren, Rootzen 1983): small p need no more
 * draws. Without, p is (1 + draws at least as large) / (1 + draws).
 */
struct null;

/** The same numbers for any team. NULL if the team was stopped. */
struct null *null_new(const struct null_source *source, const struct null_options *options,
                      struct parallel *team);
void null_free(struct null *null);
typedef struct null owned_null; // for g_autoptr(owned_null)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_null, null_free)

/** What the draws were solved with, for the series that are held against them. */
const struct solver *null_solver(const struct null *null);

/** C q50 sigma, q50 the median lambda_max of white noise of standard deviation 1. */
double null_lambda(const struct null *null, const struct noise_estimate *noise);

/** The probability of a lambda_max at least as large in noise. 1 where there is no noise. */
double null_p_largest(const struct null *null, const struct noise_estimate *noise,
                      double lambda_max);

/** The probability of any jump at least as large in a series of noise. */
double null_p_jump(const struct null *null, const struct noise_estimate *noise, double size);

/**
 * The jumps of u (solved at null_lambda; of a series within NULL_SCREEN) that noise would have with
 * a probability of at most alpha a series, and the probability of each; merged as jumps_merge does.
 * Those so near the end that less than half of their response is in the run do not count: noise
 * moves them far. Returns how many; room for n - 1 of both.
 */
size_t null_jumps(const struct null *null, const struct noise_estimate *noise, double alpha,
                  const double *u, size_t n, struct jump *jumps, double *p);

/** The z that a standard normal variable exceeds with probability p, 0 < p <= 1. */
double null_z(double p);

/**
 * False discovery rates (Benjamini and Hochberg 1995) of n probabilities: q[i] is the least rate at
 * which test i is found. NaN: not tested, and NaN in q.
 */
void null_false_discovery(const double *p, size_t n, double *q);
