// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/network.h"

struct network_solver {
    struct solver base;
    const struct network *network; // borrowed
    size_t depth;
    bool safeguard;
};

static void set_start(const struct problem *problem, const struct solve_input *input,
                      enum solver_start start, size_t v, double *u)
{
    double level =
        start == START_CONST ? problem_trivial_level(problem, block_series(input->x, v)) : 0.0;
    for (size_t i = 0; i < problem->op->n_in; i++)
        u[i] = start == START_GIVEN ? block_series(input->start, v)[i] : level;
}

static void solve(const struct solver *self, const struct solve_input *input, struct block *u,
                  struct series_result *results, struct workspace *ws)
{
    const struct network_solver *solver = (const struct network_solver *) self;
    const struct problem *problem = self->problem;
    size_t n_series = input->x->n_series;
    size_t mark = workspace_mark(ws);
    double *lambda = WORKSPACE_ALLOC(ws, double, n_series);
    size_t size = problem->op->n_in * n_series;
    struct block start = {problem->op->n_in, n_series, problem->op->n_in,
                          WORKSPACE_ALLOC(ws, double, size)};
    for (size_t v = 0; v < n_series; v++) {
        results[v].lambda_max = problem_lambda_max(problem, block_series(input->x, v), ws);
        results[v].lambda = solve_input_lambda(input, v, results[v].lambda_max);
        results[v].iterations = solver->depth;
        lambda[v] = results[v].lambda;
        set_start(problem, input, self->options.start, v, block_series(&start, v));
    }
    struct network_input samples = {.x = input->x, .lambda = lambda, .start = &start};
    struct network_pass pass = {.depth = solver->depth,
                                .safeguard = solver->safeguard,
                                .observer = self->options.observer,
                                .first_series = input->first_series};
    network_forward(solver->network, &samples, &pass, u, ws);
    workspace_release(ws, mark);
}

static void release(struct solver *self)
{
    g_free(self);
}

struct solver *network_solver_new(const struct network *network, size_t depth, bool safeguard,
                                  const struct solver_options *options)
{
    g_assert(depth <= network->depth);
    struct network_solver *solver = g_new0(struct network_solver, 1);
    solver->base = (struct solver){.name = network->kind->network,
                                   .problem = network->context.problem,
                                   .options = *options,
                                   .solve = solve,
                                   .free = release};
    solver->network = network;
    solver->depth = depth;
    solver->safeguard = safeguard;
    return &solver->base;
}
