// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/gram_exact.h"

#include "solvers/fista.h"
#include "solvers/gram_active_set.h"
#include "solvers/working_set.h"

#include <math.h>
#include <string.h>

struct gram_exact {
    struct solver base;
    struct lasso_form *form; // owned
};

// The series of a block in the Lasso form of their problem.
struct lasso_block {
    struct block x; // TV: Pi x
    struct block b; // M' x
    struct block w;
    double *lambda;
    struct working_set_result *results;
};

static struct block new_block(size_t n_time, size_t n_series, struct workspace *ws)
{
    double *data = WORKSPACE_ALLOC(ws, double, n_time *n_series);
    return (struct block){n_time, n_series, n_time, data};
}

static void tell(const struct gram_exact *solver, size_t series, size_t iteration, const double *u)
{
    const struct solver_observer *observer = solver->base.options.observer;
    if (observer != NULL)
        observer->iterate(observer->data, series, iteration, u);
}

static void set_start(const struct gram_exact *solver, const struct solve_input *input, size_t v,
                      double *u, double *w)
{
    const struct problem *problem = solver->base.problem;
    size_t n_in = problem->op->n_in;
    double level = problem_trivial_level(problem, block_series(input->x, v));
    for (size_t i = 0; i < n_in; i++)
        u[i] = level;
    if (solver->base.options.start == START_GIVEN)
        memcpy(u, block_series(input->start, v), n_in * sizeof *u);
    tell(solver, input->first_series + v, 0, u);
    lasso_form_coefficients(solver->form, u, w);
}

static double lambda_max_of(const struct lasso_form *form, const double *b)
{
    double largest = 0.0;
    for (size_t j = 0; j < form->n && form->problem->positive; j++)
        largest = fmax(largest, b[j]);
    return form->problem->positive ? largest : lasso_form_lambda_max(b, form->n);
}

static struct lasso_block begin(const struct gram_exact *solver, const struct solve_input *input,
                                struct block *u, struct series_result *results,
                                struct workspace *ws)
{
    const struct lasso_form *form = solver->form;
    size_t n_series = input->x->n_series;
    struct lasso_block block = {.x = *input->x,
                                .b = new_block(triangle_padded(form->n), n_series, ws),
                                .w = new_block(form->n, n_series, ws),
                                .lambda = WORKSPACE_ALLOC(ws, double, n_series),
                                .results =
                                    WORKSPACE_ALLOC(ws, struct working_set_result, n_series)};
    lasso_form_correlations(form, input->x, &block.b, ws);
    if (form->gram == NULL && form->level != NULL) {
        block.x = new_block(input->x->n_time, n_series, ws);
        lasso_form_project(form, input->x, &block.x);
    }
    for (size_t v = 0; v < n_series; v++) {
        results[v].lambda_max = lambda_max_of(form, block_series(&block.b, v));
        results[v].lambda = solve_input_lambda(input, v, results[v].lambda_max);
        block.lambda[v] = results[v].lambda;
        set_start(solver, input, v, block_series(u, v), block_series(&block.w, v));
        if (!(results[v].lambda < results[v].lambda_max))
            memset(block_series(&block.w, v), 0, form->n * sizeof(double));
    }
    return block;
}

static void minimise(const struct gram_exact *solver, struct lasso_block *block,
                     struct workspace *ws)
{
    const struct lasso_form *form = solver->form;
    if (form->gram == NULL) {
        struct working_set_input input = {form, &block->x, &block->b, block->lambda};
        working_set_solve(&input, &block->w, block->results, ws);
        return;
    }
    for (size_t v = 0; v < block->w.n_series; v++) {
        struct gram_lasso lasso = {.gram = form->gram,
                                   .b = block_series(&block->b, v),
                                   .lambda = block->lambda[v],
                                   .one_per_run = form->problem->kind == PROBLEM_TV,
                                   .positive = form->problem->positive};
        struct gram_active_set_result found =
            gram_active_set_solve(&lasso, block_series(&block->w, v), ws);
        block->results[v] = (struct working_set_result){found.finished, found.n_solves};
    }
}

static void solve(const struct solver *self, const struct solve_input *input, struct block *u,
                  struct series_result *results, struct workspace *ws)
{
    const struct gram_exact *solver = (const struct gram_exact *) self;
    size_t mark = workspace_mark(ws);
    struct lasso_block block = begin(solver, input, u, results, ws);
    if (solver->form->n > 0)
        minimise(solver, &block, ws);
    for (size_t v = 0; v < u->n_series && solver->form->n > 0; v++) {
        const double *x = block_series(input->x, v);
        double *u_v = block_series(u, v);
        lasso_form_expand(solver->form, x, block_series(&block.w, v), u_v);
        if (!block.results[v].finished && !self->problem->positive)
            fista_rescue(self->problem, self->options.tol, x, results[v].lambda, u_v, ws);
        results[v].iterations = block.results[v].n_solves;
        tell(solver, input->first_series + v, results[v].iterations, u_v);
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
    g_assert(!problem->positive || lasso_form_size(problem) <= LASSO_FORM_GRAM_COLUMNS);
    struct gram_exact *solver = g_new0(struct gram_exact, 1);
    solver->base = (struct solver){
        .name = "exact", .problem = problem, .options = *options, .solve = solve, .free = release};
    solver->form = lasso_form_new(problem, lasso_form_size(problem) <= LASSO_FORM_GRAM_COLUMNS);
    return &solver->base;
}
