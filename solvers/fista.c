// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/fista.h"

#include "solvers/first_order.h"

#include <math.h>
#include <string.h>

enum { MOST_RESCUE_ITERATIONS = 5000 };
static const double RESCUE_GAP = 1e-10;

struct solver *solver_new_fista(const struct problem *problem, const struct solver_options *options,
                                GError **error G_GNUC_UNUSED)
{
    return first_order_new("fista", MOMENTUM_RESTARTED, problem, options);
}

size_t fista_refine(const struct problem *problem, const struct solver_options *options,
                    const double *x, double lambda, double *u, struct workspace *ws)
{
    struct first_order solver = {.base = {.base = {.name = "fista", .problem = problem}},
                                 .kernels = kernels_best(),
                                 .momentum = MOMENTUM_RESTARTED,
                                 .op = problem->op};
    struct progress progress = {.problem = problem, .options = options, .x = x, .lambda = lambda};
    first_order_minimise(&solver.base, &progress, u, ws);
    problem_optimise_level(problem, x, u, ws);
    return progress.iteration;
}

void fista_rescue(const struct problem *problem, double tol, const double *x, double lambda,
                  double *u, struct workspace *ws)
{
    struct solver_options options = solver_options_default();
    options.tol = fmin(tol, RESCUE_GAP);
    options.max_iter = MOST_RESCUE_ITERATIONS;
    size_t mark = workspace_mark(ws), n = problem->op->n_in;
    double *refined = WORKSPACE_ALLOC(ws, double, n);
    memcpy(refined, u, n * sizeof *u);
    fista_refine(problem, &options, x, lambda, refined, ws);
    if (problem_certify(problem, x, refined, lambda, ws).duality_gap <
        problem_certify(problem, x, u, lambda, ws).duality_gap)
        memcpy(u, refined, n * sizeof *u);
    workspace_release(ws, mark);
}
