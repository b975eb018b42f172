// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/network.h"

struct network_solver {
    struct solver base;
    const struct network *network; // borrowed
    struct network_use use;
};

static void set_start(const struct problem *problem, const struct solve_input *input,
                      enum solver_start start, size_t v, double *u)
{
    double level =
        start == START_CONST ? problem_trivial_level(problem, block_series(input->x, v)) : 0.0;
    for (size_t i = 0; i < problem->op->n_in; i++)
        u[i] = start == START_GIVEN ? block_series(input->start, v)[i] : level;
}

// Solves one series with the fallback, from where the network left it.
static void finish(const struct network_solver *self, const struct solve_input *input, size_t v,
                   struct block *u, struct series_result *result, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    size_t n = u->n_time;
    struct block x = block_slice(input->x, v, 1);
    struct block out = block_slice(u, v, 1);
    struct block start = block_of_series(WORKSPACE_ALLOC(ws, double, n), n);
    struct solve_input one = {.x = &x, .lambda = &result->lambda, .start = &start};
    size_t layers = result->iterations;
    block_copy(&out, &start);
    self->use.fallback->solve(self->use.fallback, &one, &out, result, ws);
    result->iterations += layers;
    workspace_release(ws, mark);
}

static void certify(const struct network_solver *self, const struct solve_input *input,
                    struct block *u, struct series_result *results, struct workspace *ws)
{
    for (size_t v = 0; v < u->n_series; v++) {
        struct certificate found = problem_certify(self->base.problem, block_series(input->x, v),
                                                   block_series(u, v), results[v].lambda, ws);
        if (!(found.relative_gap <= self->use.certify))
            finish(self, input, v, u, &results[v], ws);
    }
}

static void solve(const struct solver *base, const struct solve_input *input, struct block *u,
                  struct series_result *results, struct workspace *ws)
{
    const struct network_solver *self = (const struct network_solver *) base;
    const struct problem *problem = base->problem;
    size_t n_series = input->x->n_series;
    size_t mark = workspace_mark(ws);
    double *lambda = WORKSPACE_ALLOC(ws, double, n_series);
    size_t size = problem->op->n_in * n_series;
    struct block start = {problem->op->n_in, n_series, problem->op->n_in,
                          WORKSPACE_ALLOC(ws, double, size)};
    for (size_t v = 0; v < n_series; v++) {
        results[v].lambda_max = problem_lambda_max(problem, block_series(input->x, v), ws);
        results[v].lambda = solve_input_lambda(input, v, results[v].lambda_max);
        results[v].iterations = self->use.depth;
        lambda[v] = results[v].lambda;
        set_start(problem, input, base->options.start, v, block_series(&start, v));
    }
    struct network_input samples = {.x = input->x, .lambda = lambda, .start = &start};
    struct network_pass pass = {.depth = self->use.depth,
                                .safeguard = self->use.safeguard,
                                .observer = base->options.observer,
                                .first_series = input->first_series};
    network_forward(self->network, &samples, &pass, u, ws);
    if (self->use.fallback != NULL)
        certify(self, input, u, results, ws);
    workspace_release(ws, mark);
}

static void release(struct solver *self)
{
    g_free(self);
}

struct solver *network_solver_new(const struct network *network, const struct network_use *use,
                                  const struct solver_options *options)
{
    g_assert(use->depth <= network->depth);
    struct network_solver *solver = g_new0(struct network_solver, 1);
    solver->base = (struct solver){.name = network->kind->network,
                                   .problem = network->context.problem,
                                   .options = *options,
                                   .solve = solve,
                                   .free = release};
    solver->network = network;
    solver->use = *use;
    return &solver->base;
}
