// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/workspace.h"

#include <stddef.h>

/**
 * The pieces on which the prox of TV is constant, as the solver found them: two neighbours whose
 * values happen to be equal stay two. Piece q holds the samples start[q] .. start[q + 1] - 1, and
 * sign[q] is the sign of the jump that leads into it, so that sign[0] = sign[n] = 0.
 */
struct tv_segments {
    size_t n;
    size_t *start;     // n + 1 used, room for n_time + 1
    signed char *sign; // n + 1 used, room for n_time + 1
    size_t n_visits;   // samples that the search looked at: its work, at most 4 n_time
};

/** An empty list for n_time samples; its arrays belong to the workspace. */
struct tv_segments tv_segments_alloc(size_t n_time, struct workspace *ws);

/**
 * u = prox of mu TV at y: the minimiser of 1/2 ||u - y||^2 + mu sum_i |u_{i+1} - u_i|.
 *
 * y, u: n samples; u may be y. Samples must be finite. mu <= 0 gives u = y. Exact up to rounding,
 * in O(n) time on every input; the samples of a piece carry the same double. The pieces are
 * stored in `segments` (from tv_segments_alloc) for the derivative, unless that is NULL.
 *
 * The cumulative sum of u is the shortest string in the tube of radius mu around that of y
 * (Davies and Kovac, 2001). It is found by the segment construction of Condat (2013) and, where
 * that goes back too often, by the convex hulls of the walls.
 */
void prox_tv(const double *y, size_t n, double mu, double *u, struct tv_segments *segments,
             struct workspace *ws);

/**
 * The pieces alone, mu > 0. `patience` bounds the work of the segment construction: when the
 * samples that it went back by are more than patience * (samples done + n / 16), the hulls take
 * over. 0: they do so at the first bend that goes back; INFINITY: never, and ramps cost O(n^2).
 */
void prox_tv_segments(const double *y, size_t n, double mu, double patience,
                      struct tv_segments *segments, struct workspace *ws);

/**
 * The derivative of a loss through u = prox_tv(y, mu), given g = dloss/du (n samples):
 * dloss/dy (n samples, may be g) is the mean of g on every piece, and dloss/dmu, returned, is the
 * sum over pieces of that mean times (sign of the jump out - sign of the jump in).
 */
double prox_tv_backward(const struct tv_segments *segments, const double *g, double *dloss_dy);
