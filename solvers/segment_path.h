// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/homotopy.h"
#include "solvers/segment_active_set.h"

/** Whether there are tables for this operator that are worth their memory. */
bool segment_path_applies(const linop *op);

/**
 * The path of homotopy.h for TV with a convolution, from lambda_max down to lambda_end >= 0,
 * without a Gram matrix: the equations of a piece are banded; from one bend to the next only their
 * rows after the knot that came or went are factored again, and the dual string changes near it
 * alone. x: n_out samples, finite. False where rounding kept the path from its end.
 */
bool segment_path_follow(const struct segment_active_set *set, const double *x, double lambda_end,
                         homotopy_visit *visit, void *data, struct workspace *ws);

/**
 * The lambda > 0 at which ||x - A u||^2 = target, by Newton's method in lambda^2 on exact
 * minimisers: lambda_max where the best constant leaves no more than the target, `least` > 0 where
 * more is left there. NaN where rounding kept a minimiser from being found: the path may help.
 */
double segment_path_find_residual(const struct segment_active_set *set, const double *x,
                                  double target, double least, struct workspace *ws);
