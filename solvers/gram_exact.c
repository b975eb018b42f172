// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/gram_exact.h"

#include "solvers/fista.h"
#include "solvers/gram_active_set.h"
#include "solvers/lasso_form.h"

#include <math.h>
#include <string.h>

// b_j below this part of ||x|| ||M_j|| is rounding: x lies outside the span of M.
#define ROUNDING 1e-14

struct gram_exact {
    struct solver base;
    struct lasso_form *form; // owned
    double longest;          // max_j ||M_j||
};

static void set_trivial(const struct problem *problem, const double *x, double *u)
{
    double level = problem_trivial_level(problem, x);
    for (size_t i = 0; i < problem->op->n_in; i++)
        u[i] = level;
}

static bool is_trivial(const struct gram_exact *solver, const double *x,
                       const struct series_result *result)
{
    double norm2 = 0.0;
    for (size_t t = 0; t < solver->base.problem->op->n_out; t++)
        norm2 += x[t] * x[t];
    return !(result->lambda < result->lambda_max) ||
           result->lambda_max <= ROUNDING * solver->longest * sqrt(norm2);
}

static void tell(const struct gram_exact *solver, size_t series, size_t iteration, const double *u)
{
    const struct solver_observer *observer = solver->base.options.observer;
    if (observer != NULL)
        observer->iterate(observer->data, series, iteration, u);
}

static void solve_series(const struct gram_exact *solver, const struct solve_input *input, size_t v,
                         const double *b, double *u, struct series_result *result,
                         struct workspace *ws)
{
    const double *x = block_series(input->x, v);
    const struct lasso_form *form = solver->form;
    size_t series = input->first_series + v;
    set_trivial(solver->base.problem, x, u);
    if (solver->base.options.start == START_GIVEN)
        memcpy(u, block_series(input->start, v), form->problem->op->n_in * sizeof *u);
    tell(solver, series, 0, u);
    if (is_trivial(solver, x, result)) {
        set_trivial(solver->base.problem, x, u);
        return;
    }
    size_t mark = workspace_mark(ws);
    double *w = WORKSPACE_ALLOC(ws, double, form->n);
    lasso_form_coefficients(form, u, w);
    struct gram_lasso lasso = {.gram = form->gram,
                               .b = b,
                               .lambda = result->lambda,
                               .one_per_run = form->problem->kind == PROBLEM_TV};
    struct gram_active_set_result found = gram_active_set_solve(&lasso, w, ws);
    lasso_form_expand(form, x, w, u);
    if (!found.finished)
        fista_rescue(solver->base.problem, solver->base.options.tol, x, result->lambda, u, ws);
    result->iterations = found.n_solves;
    tell(solver, series, found.n_solves, u);
    workspace_release(ws, mark);
}

static void solve(const struct solver *self, const struct solve_input *input, struct block *u,
                  struct series_result *results, struct workspace *ws)
{
    const struct gram_exact *solver = (const struct gram_exact *) self;
    size_t n = solver->form->n;
    size_t n_series = input->x->n_series;
    size_t mark = workspace_mark(ws);
    struct block b = {triangle_padded(n), n_series, triangle_padded(n), NULL};
    b.data = WORKSPACE_ALLOC(ws, double, b.stride *n_series);
    lasso_form_correlations(solver->form, input->x, &b, ws);
    for (size_t v = 0; v < n_series; v++) {
        results[v].lambda_max = lasso_form_lambda_max(block_series(&b, v), n);
        results[v].lambda = solve_input_lambda(input, v, results[v].lambda_max);
        solve_series(solver, input, v, block_series(&b, v), block_series(u, v), &results[v], ws);
    }
    workspace_release(ws, mark);
}

static void release(struct solver *self)
{
    struct gram_exact *solver = (struct gram_exact *) self;
    lasso_form_free(solver->form);
    g_free(solver);
}

struct solver *gram_exact_new(const struct problem *problem, const struct solver_options *options)
{
    struct gram_exact *solver = g_new0(struct gram_exact, 1);
    solver->base = (struct solver){
        .name = "exact", .problem = problem, .options = *options, .solve = solve, .free = release};
    solver->form = lasso_form_new(problem, true);
    for (size_t j = 0; j < solver->form->n; j++)
        solver->longest = fmax(solver->longest, sqrt(solver->form->norm2[j]));
    return &solver->base;
}
