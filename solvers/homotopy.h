// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/lasso_form.h"

#include <stdbool.h>

/** A minimiser on the path of one series over lambda, and what criteria for lambda ask of it. */
struct path_point {
    double lambda;
    double residual_norm2; // ||x - A u||^2, up to rounding of ||x||^2
    double penalty;        // TV: ||nabla u||_1; Lasso: ||u||_1
    size_t n_jumps;        // TV: changes of value; Lasso: non-zero entries; just above lambda
};

/** Told the points at which the path bends, the one at lambda_max first; false ends the path. */
typedef bool homotopy_visit(void *data, const struct path_point *point);

/**
 * The minimisers of one series for all lambda from lambda_max down to lambda_end >= 0, at the
 * price of the one at lambda_end (gram_path.h): between two bends u is linear in lambda and
 * n_jumps stays, so that the best lambda of a criterion which wants few jumps and a small residual
 * is at a bend. The last point is at lambda_end, where that is below lambda_max.
 *
 * form: with its Gram matrix; x: n_out samples. False where rounding kept the path from its end.
 */
bool homotopy_path(const struct lasso_form *form, const double *x, double lambda_end,
                   homotopy_visit *visit, void *data, struct workspace *ws);

/**
 * The minimisers of one series at n given lambda >= 0, the largest first, in one walk down the
 * path: u has one series of n_in samples for each, points one entry for each (NULL: not wanted).
 * Returns how many of them it reached: n, but for rounding; the others are not set.
 */
size_t homotopy_at(const struct lasso_form *form, const double *x, const double *lambda,
                   struct block *u, struct path_point *points, struct workspace *ws);
