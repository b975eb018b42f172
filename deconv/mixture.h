// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/problem.h"

/** How much dearer a spike is than noise alone would make it, beside jumps. */
#define MIXTURE_SPIKE_PRICE 4.0

/** What activity is a sum of, beside its level. */
struct mixture_parts {
    bool blocks;   // jumps
    bool positive; // without blocks: no spike is below 0
};

/**
 * Activity of spikes, or of blocks and spikes, u = b + s:
 *
 *     min_{b, s} 1/2 ||x - A (b + s)||^2 + lambda (TV(b) + kappa ||s||_1)
 *
 * Without blocks b is a constant and kappa is 1: series have lost their mean when they were
 * cleaned, and spikes stand on a level that is as free as that of blocks.
 *
 * kappa = MIXTURE_SPIKE_PRICE times the median of ||A' Pi e||_inf over that of the lambda_max of
 * jumps, e white noise (300 draws of a fixed seed). At price 1 noise is as likely to raise a spike
 * as a jump, and spikes take blocks apart; a spike made of two jumps costs 2 lambda, so that kappa
 * near 2 and above leaves none.
 *
 * It is solved as what it is, a Lasso: z holds the n - 1 jumps of b, if any, and then kappa s, and
 * Pi takes out what the level of b explains. The solution is exact and its duality gap holds, but b
 * and s need not be the only pair: where columns depend on each other, u is one of several of the
 * same fit and penalty. Immutable and shared by threads.
 */
struct mixture;

/** tv: borrowed, on more than one sample. */
struct mixture *mixture_new(const struct problem *tv, const struct mixture_parts *parts);
void mixture_free(struct mixture *mixture);
typedef struct mixture owned_mixture; // for g_autoptr(owned_mixture)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_mixture, mixture_free)

/** The Lasso in z, n or 2 n - 1 unknowns, of the series that problem_project of tv leaves. */
const struct problem *mixture_problem(const struct mixture *mixture);

double mixture_kappa(const struct mixture *mixture);

/** u = b + s and s, n samples each, of a solution z for the series x. */
void mixture_expand(const struct mixture *mixture, const double *x, const double *z, double *u,
                    double *spikes);
