// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/solve/solve_path.h"

#include "solvers/homotopy.h"

#include <math.h>
#include <string.h>

struct solve_path *solve_path_new(const struct problem *problem, size_t n, double least,
                                  size_t n_series, GError **error)
{
    if (lasso_form_size(problem) > LASSO_FORM_MOST_GRAM_COLUMNS) {
        g_set_error(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE,
                    "--path: expected at most %d unknowns, found %zu", LASSO_FORM_MOST_GRAM_COLUMNS,
                    problem->op->n_in);
        return NULL;
    }
    struct solve_path *path = g_new0(struct solve_path, 1);
    path->form = lasso_form_new(problem, true);
    path->n = n;
    path->ratios = g_new(double, n);
    path->lambda = g_new0(double, n *n_series);
    for (size_t k = 0; k < n; k++)
        path->ratios[k] = n == 1 ? least : pow(least, (double) k / (double) (n - 1));
    return path;
}

void solve_path_free(struct solve_path *path)
{
    if (path == NULL)
        return;
    lasso_form_free(path->form);
    g_free(path->ratios);
    g_free(path->lambda);
    g_free(path);
}

void solve_path_series(const struct solve_path *path, size_t series, double *x, double tol,
                       double *u, struct series_result *results, struct workspace *ws)
{
    const struct problem *problem = path->form->problem;
    size_t n_in = problem->op->n_in;
    enum series_status status = series_classify(x, problem->op->n_out);
    double lambda_max = status == SERIES_NONFINITE ? 0.0 : problem_lambda_max(problem, x, ws);
    double *lambda = path->lambda + series * path->n;
    for (size_t k = 0; k < path->n; k++) {
        lambda[k] = path->ratios[k] * lambda_max;
        results[k] =
            (struct series_result){.status = status, .lambda = lambda[k], .lambda_max = lambda_max};
    }
    memset(u, 0, path->n * n_in * sizeof *u);
    if (status == SERIES_NONFINITE)
        return;
    struct block points = {n_in, path->n, n_in, u};
    size_t n_reached = homotopy_at(path->form, x, lambda, &points, NULL, ws);
    for (size_t k = 0; k < path->n; k++) {
        if (k >= n_reached && k > 0)
            memcpy(u + k * n_in, u + (k - 1) * n_in, n_in * sizeof *u);
        series_certify(problem, x, u + k * n_in, tol, &results[k], ws);
    }
}
