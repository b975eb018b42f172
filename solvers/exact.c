// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/fista.h"
#include "solvers/gram_exact.h"
#include "solvers/kernels.h"
#include "solvers/lasso_form.h"
#include "solvers/prox_tv.h"
#include "solvers/segment_active_set.h"
#include "solvers/solver.h"

// The tables of a causal response grow with the square of its length: 100 MB at this one.
enum { MOST_CAUSAL_SAMPLES = 2048 };

// TV with a convolution: by segments, or by the prox where the response is one sample.
// gram_exact.h has all other problems.
struct exact {
    struct solver base;
    struct segment_active_set *segments; // owned; NULL: the prox
};

// A = h_0 times the identity: P is h_0^2 times that of the prox at x / h_0.
static void solve_by_prox(const struct exact *self, const double *x, double *u,
                          struct series_result *result, struct workspace *ws)
{
    const linop *op = self->base.problem->op;
    double h = op->filter->h[0];
    for (size_t t = 0; t < op->n_in; t++)
        u[t] = x[t] / h;
    prox_tv(u, op->n_in, result->lambda / (h * h), u, NULL, ws);
    result->iterations = 1;
}

static void solve_by_segments(const struct exact *self, const double *x, double lambda,
                              bool is_ratio, double *u, struct series_result *result,
                              struct workspace *ws)
{
    struct segment_result found =
        segment_active_set_solve(self->segments, x, lambda, is_ratio, u, ws);
    result->lambda = found.lambda;
    result->lambda_max = found.lambda_max;
    result->iterations = found.n_evaluations;
    if (!found.finished)
        fista_rescue(self->base.problem, self->base.options.tol, x, result->lambda, u, ws);
}

static void tell(const struct exact *self, size_t series, size_t iteration, const double *u)
{
    const struct solver_observer *observer = self->base.options.observer;
    if (observer != NULL)
        observer->iterate(observer->data, series, iteration, u);
}

static void tell_start(const struct exact *self, const double *x, size_t series, double *u)
{
    if (self->base.options.observer == NULL)
        return;
    double level = problem_trivial_level(self->base.problem, x);
    for (size_t i = 0; i < self->base.problem->op->n_in; i++)
        u[i] = level;
    tell(self, series, 0, u);
}

static void exact_solve(const struct solver *solver, const struct solve_input *input,
                        struct block *u, struct series_result *results, struct workspace *ws)
{
    const struct exact *self = (const struct exact *) solver;
    for (size_t v = 0; v < input->x->n_series; v++) {
        const double *x = block_series(input->x, v);
        double *out = block_series(u, v);
        struct series_result *result = &results[v];
        tell_start(self, x, input->first_series + v, out);
        if (self->segments != NULL) {
            solve_by_segments(self, x, input->lambda[v], input->lambda_is_ratio, out, result, ws);
        } else {
            result->lambda_max = problem_lambda_max(solver->problem, x, ws);
            result->lambda = solve_input_lambda(input, v, result->lambda_max);
            solve_by_prox(self, x, out, result, ws);
        }
        tell(self, input->first_series + v, result->iterations, out);
    }
}

static void exact_free(struct solver *solver)
{
    struct exact *self = (struct exact *) solver;
    segment_active_set_free(self->segments);
    g_free(self);
}

struct solver *solver_new_exact(const struct problem *problem, const struct solver_options *options,
                                GError **error)
{
    const struct filter *filter = problem->op->filter;
    if (problem->positive && problem->op->n_in > LASSO_FORM_GRAM_COLUMNS) {
        g_set_error(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE,
                    "exact: expected at most %d unknowns that are not negative, found %zu",
                    LASSO_FORM_GRAM_COLUMNS, problem->op->n_in);
        return NULL;
    }
    if (problem->kind != PROBLEM_TV || filter == NULL)
        return gram_exact_new(problem, options);
    if (!filter->full && filter->n > MOST_CAUSAL_SAMPLES) {
        g_set_error(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE,
                    "exact: expected a response of at most %d samples, found %zu",
                    MOST_CAUSAL_SAMPLES, filter->n);
        return NULL;
    }
    struct exact *self = g_new0(struct exact, 1);
    self->base = (struct solver){"exact", problem, *options, exact_solve, exact_free};
    if (filter->n > 1 || filter->h[0] == 0.0)
        self->segments = segment_active_set_new(filter, problem->op->n_in, kernels_best());
    return &self->base;
}
