// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/kernels.h"
#include "solvers/linop.h"

#include <stdbool.h>

/**
 * The exact solver of the TV problem with a convolution,
 *
 *     min_u 1/2 ||x - A u||^2 + lambda ||nabla u||_1,
 *
 * by an active set over piecewise constant u. Its unknowns are the values of the segments between
 * the knots where u jumps: the normal equations are banded in them, since responses to segments
 * farther apart than the filter is long do not overlap, and all their large terms cancel on
 * paper. Where the dual string v_a = <A 1_{t >= a}, x - A u> leaves the tube of radius lambda, the
 * peak of each excursion becomes a knot; a knot whose jump takes the wrong sign is removed by a
 * blocking step (an active set method in the sense of Nocedal and Wright 2006, chapter 16). It
 * ends when the string is inside the tube, which proves that u is the minimiser.
 *
 * The tables of a filter are immutable and shared by threads.
 */
struct segment_active_set;

/**
 * Tables for activity of n_in samples; kernels: borrowed, kernels_best() or one to be tested.
 * They take O(n_in) memory, and O(filter->n^2) more if the filter is causal; a causal filter that
 * is longer than n_in is cut to it.
 */
struct segment_active_set *segment_active_set_new(const struct filter *filter, size_t n_in,
                                                  const struct kernels *kernels);
void segment_active_set_free(struct segment_active_set *set);
typedef struct segment_active_set owned_segment_active_set; // for g_autoptr
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_segment_active_set, segment_active_set_free)

/** How a series was solved. */
struct segment_result {
    double lambda;        // used
    double lambda_max;    // of this series
    size_t n_knots;       // jumps of u
    size_t n_evaluations; // of the dual string
    size_t n_solves;      // of the normal equations
    bool finished;        // the string is inside the tube, and no pivot was lost to rounding
};

/**
 * The minimiser u (n_in samples) for the series x (n_out samples, finite). lambda is a fraction of
 * the series' lambda_max if is_ratio.
 *
 * For lambda >= lambda_max, and where lambda_max is no more than rounding, u is the best constant.
 * A lambda of less than 1e-9 lambda_max (0 is least squares) is taken for that; where rounding
 * leaves no way to the minimiser for one below 1e-6 lambda_max, u is that for 1e-6 lambda_max.
 * Not finished: rounding spoilt the equations or kept the objective from falling; u is then the
 * best point found, and a certificate will tell how good it is.
 */
struct segment_result segment_active_set_solve(const struct segment_active_set *set,
                                               const double *x, double lambda, bool is_ratio,
                                               double *u, struct workspace *ws);

/**
 * Least squares on given segments: u (n_in samples) is constant on each [begin[i], begin[i + 1]),
 * i < n_segments, begin[0] = 0, the last one ends at n_in, and minimises ||x - A u||; by the normal
 * equations of the segments, which are banded. False, and u untouched, where rounding leaves them
 * no solution: a segment that A does not see, or that looks like others.
 */
bool segment_active_set_refit(const struct segment_active_set *set, const double *x,
                              const size_t *begin, size_t n_segments, double *u,
                              struct workspace *ws);

/**
 * What others add to a voxel: weight / 2 ||u||^2 - <linear, u>, weight >= 0. A pull towards z is
 * linear = weight z.
 */
struct segment_pull {
    const double *linear; // borrowed; n_in samples
    double weight;
};

/** The knots of a minimiser: sample t is +t where u rises there and -t where it falls. */
struct segment_knots {
    size_t n;
    int32_t *at; // room for n_in of them, in their order
};

/**
 * The minimiser of 1/2 ||x - A u||^2 + weight/2 ||u||^2 - <linear, u> + lambda ||nabla u||_1,
 * lambda > 0: the proximal step of a voxel among others or, without weight, what it does at given
 * prices. Indicators of segments are disjoint, so that the weight adds to the diagonal of the
 * normal equations alone and costs next to nothing.
 *
 * knots: those to begin with, n = 0 for none; those of u afterwards. Near the minimiser's they
 * save most of the work.
 */
struct segment_result segment_active_set_pulled(const struct segment_active_set *set,
                                                const double *x, double lambda,
                                                const struct segment_pull *pull,
                                                struct segment_knots *knots, double *u,
                                                struct workspace *ws);
