// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/iterative.h"
#include "solvers/lasso_form.h"
#include "solvers/soft_threshold.h"

/**
 * What the coordinate descents share: the Lasso form of their problem, and the iterate of one
 * series in it.
 */
struct descent {
    struct iterative_solver base;
    struct lasso_form *form; // owned
};

/** A solver of either kind of problem; a Gram matrix is made where columns are few enough. */
struct solver *descent_new(const char *name, const struct problem *problem,
                           const struct solver_options *options,
                           void (*minimise)(const struct iterative_solver *self,
                                            struct progress *progress, double *u,
                                            struct workspace *ws));

/** The minimiser along w_j where M_j' (x - M w) = c: ST(w_j + c / ||M_j||^2, lambda / ||M_j||^2).
 * w_j itself for a zero column. */
static inline double descent_coordinate(double w_j, double c, double norm2, double lambda)
{
    return norm2 > 0.0 ? soft_threshold(w_j + c / norm2, lambda / norm2) : w_j;
}

/**
 * r = x - M w, n_out entries (TV: but for a part along S, which M_j does not see), and c = M' r.
 */
void descent_refresh(const struct lasso_form *form, const double *x, const double *w, double *r,
                     double *c);

/**
 * Whether r and c are due to be made anew: at first, and then now and again, since what keeps them
 * current gathers rounding.
 */
static inline bool descent_is_stale(const struct progress *progress)
{
    return progress->iteration % 32 == 1;
}
