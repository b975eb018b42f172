// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/iterative.h"

#include "solvers/pseudo_inverse.h"

#include <string.h>

static bool gap_is_due(const struct progress *progress)
{
    return progress->options->tol > 0.0 && progress->iteration >= progress->next_check;
}

bool progress_needs_point(const struct progress *progress)
{
    return progress->options->observer != NULL || gap_is_due(progress);
}

static void tell(const struct solver_observer *observer, size_t series, size_t iteration,
                 const double *u)
{
    if (observer != NULL)
        observer->iterate(observer->data, series, iteration, u);
}

bool progress_continue(struct progress *progress, const double *u, struct workspace *ws)
{
    const struct solver_options *options = progress->options;
    tell(options->observer, progress->series, progress->iteration, u);
    if (gap_is_due(progress)) {
        struct certificate found =
            problem_certify(progress->problem, progress->x, u, progress->lambda, ws);
        if (found.relative_gap <= options->tol)
            return false;
        // A gap costs about as much as a step: one in five at first, then at most one in nine.
        progress->next_check = progress->iteration + 5 + progress->iteration / 8;
    }
    if (progress->iteration >= options->max_iter)
        return false;
    progress->iteration++;
    return true;
}

static void set_constant(double *u, size_t n, double level)
{
    for (size_t i = 0; i < n; i++)
        u[i] = level;
}

static void set_start(const struct iterative_solver *solver, const struct solve_input *input,
                      size_t v, double *u, struct workspace *ws)
{
    const struct problem *problem = solver->base.problem;
    const double *x = block_series(input->x, v);
    size_t n = problem->op->n_in;
    switch (solver->base.options.start) {
    case START_CONST:
        set_constant(u, n, problem_trivial_level(problem, x));
        break;
    case START_ZERO:
        set_constant(u, n, 0.0);
        break;
    case START_GIVEN:
        memcpy(u, block_series(input->start, v), n * sizeof *u);
        break;
    case START_PINV:
        linop_apply_series(solver->pseudo_inverse, x, u, ws);
        break;
    }
}

static void solve_series(const struct iterative_solver *solver, const struct solve_input *input,
                         size_t v, double *u, struct series_result *result, struct workspace *ws)
{
    const struct problem *problem = solver->base.problem;
    const double *x = block_series(input->x, v);
    result->lambda_max = problem_lambda_max(problem, x, ws);
    result->lambda = solve_input_lambda(input, v, result->lambda_max);
    if (result->lambda >= result->lambda_max) {
        set_constant(u, problem->op->n_in, problem_trivial_level(problem, x));
        tell(solver->base.options.observer, input->first_series + v, 0, u);
        return;
    }
    struct progress progress = {.problem = problem,
                                .options = &solver->base.options,
                                .x = x,
                                .lambda = result->lambda,
                                .series = input->first_series + v};
    set_start(solver, input, v, u, ws);
    solver->minimise(solver, &progress, u, ws);
    problem_optimise_level(problem, x, u, ws);
    result->iterations = progress.iteration;
}

static void solve(const struct solver *self, const struct solve_input *input, struct block *u,
                  struct series_result *results, struct workspace *ws)
{
    const struct iterative_solver *solver = (const struct iterative_solver *) self;
    for (size_t v = 0; v < input->x->n_series; v++)
        solve_series(solver, input, v, block_series(u, v), &results[v], ws);
}

void iterative_solver_init(struct iterative_solver *solver, const char *name,
                           const struct problem *problem, const struct solver_options *options)
{
    solver->base = (struct solver){.name = name,
                                   .problem = problem,
                                   .options = *options,
                                   .solve = solve,
                                   .free = iterative_solver_free};
    if (options->start == START_PINV)
        solver->pseudo_inverse = linop_new_pseudo_inverse(problem->op);
}

void iterative_solver_free(struct solver *solver)
{
    linop_free(((struct iterative_solver *) solver)->pseudo_inverse);
    g_free(solver);
}

bool iterative_solver_is_for_tv(const char *name, const struct problem *problem, GError **error)
{
    if (problem->kind == PROBLEM_TV)
        return true;
    g_set_error(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE,
                "%s: expected a total variation problem, found a Lasso", name);
    return false;
}
