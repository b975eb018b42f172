// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/parallel.h"
#include "solvers/solver.h"

/**
 * The Lasso at each sample of a window, min_z 1/2 ||M_t - G z||^2 + lambda_t ||z||_1, for a gain of
 * fixed orientation. Sources of sample t: index and value from first[t] to first[t + 1].
 */
struct lasso_window {
    size_t n_time;
    size_t *first;                 // owned; n_time + 1
    size_t *index;                 // owned; columns of G, ascending for a sample
    double *value;                 // owned
    struct series_result *results; // owned; one a sample, with a certified gap
};

struct lasso_window_input {
    const double *gain; // n_sensors x n_columns, column-major
    const double *data; // row-major n_sensors x n_time
    size_t n_sensors;
    size_t n_columns;
    size_t n_time;
    double lambda; // a fraction of each sample's own lambda_max, ||G' M_t||_inf
    double tol;    // relative gap at which a sample counts as solved
};

/**
 * Exact, by the active sets of gram_exact.h on columns that samples share. Samples are taken in
 * chunks of 16, cut by their number alone, so that the result does not depend on the threads of
 * the team. NULL if it was stopped.
 */
struct lasso_window *lasso_window_solve(const struct lasso_window_input *input,
                                        struct parallel *team);
void lasso_window_free(struct lasso_window *window);
typedef struct lasso_window owned_lasso_window; // for g_autoptr(owned_lasso_window)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_lasso_window, lasso_window_free)
