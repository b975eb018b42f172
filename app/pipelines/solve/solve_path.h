// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/solve/solve.h"
#include "solvers/lasso_form.h"

/** What is the same for all series of a path. */
struct solve_path {
    struct lasso_form *form; // owned
    double *ratios;          // owned; n, from 1 down, in equal steps of their logarithm
    size_t n;
    double *lambda; // owned; n_series x n, once solved
};

/** n ratios from 1 to `least`. Error: SOLVERS_ERROR_NOT_APPLICABLE where the problem is too large.
 */
struct solve_path *solve_path_new(const struct problem *problem, size_t n, double least,
                                  size_t n_series, GError **error);
void solve_path_free(struct solve_path *path);

/**
 * Solves one series at all ratios of its lambda_max. u: n x n_in; results: n, certified at tol.
 */
void solve_path_series(const struct solve_path *path, size_t series, double *x, double tol,
                       double *u, struct series_result *results, struct workspace *ws);
