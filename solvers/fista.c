// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/fista.h"

#include "solvers/first_order.h"

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
