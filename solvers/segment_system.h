// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/kernels.h"
#include "solvers/segment_active_set.h"
#include "solvers/segment_tables.h"
#include "solvers/workspace.h"

struct segment_active_set {
    struct segment_filter *filter; // owned
    const struct kernels *kernels;
};

/** Room for the level, n_in - 1 knots and the end, after SEGMENT_BAND positions far to the left. */
ptrdiff_t *segment_alloc_positions(const struct segment_filter *filter, struct workspace *ws);

/** Room for the equations of as many segments as there are samples; knot, sign and b: not set. */
void segment_system_alloc(struct segment_system *system, const struct segment_filter *filter,
                          struct workspace *ws);

/**
 * The dual string b_a = <step_a, x - level S> (n_in samples) of the best constant, which is
 * <S, x> / ||S||^2 but for a pull (NULL: none); b_0 is set to 0. Returns lambda_max, the largest
 * |b_a|; 0 where no more than rounding is left of the series.
 */
double segment_correlate(const struct segment_filter *filter, const struct kernels *kernels,
                         const double *x, const struct segment_pull *pull, double *b, double *level,
                         struct workspace *ws);
