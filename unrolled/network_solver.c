// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/network.h"

#include "solvers/pseudo_inverse.h"

#include <string.h>

struct network_solver {
    struct solver base;
    const struct network *network; // borrowed
    struct network_use use;
    linop *pseudo_inverse; // owned; START_PINV, else NULL
};

static void set_constant(struct block *u, size_t v, double level)
{
    for (size_t i = 0; i < u->n_time; i++)
        block_series(u, v)[i] = level;
}

static void set_start(const struct network_solver *self, const struct solve_input *input,
                      struct block *u, struct workspace *ws)
{
    switch (self->base.options.start) {
    case START_CONST:
        for (size_t v = 0; v < u->n_series; v++)
            set_constant(u, v,
                         problem_trivial_level(self->base.problem, block_series(input->x, v)));
        break;
    case START_ZERO:
        for (size_t v = 0; v < u->n_series; v++)
            set_constant(u, v, 0.0);
        break;
    case START_GIVEN:
        block_copy(input->start, u);
        break;
    case START_PINV:
        linop_apply(self->pseudo_inverse, input->x, u, ws);
        break;
    }
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
    if (self->use.n_finished != NULL)
        atomic_fetch_add(self->use.n_finished, 1);
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

// What no layer has to find: the level of a series, and the solution from lambda_max on.
static void set_level(const struct problem *problem, const double *x,
                      const struct series_result *result, struct block *u, size_t v,
                      struct workspace *ws)
{
    if (result->lambda >= result->lambda_max)
        set_constant(u, v, problem_trivial_level(problem, x));
    else
        problem_optimise_level(problem, x, block_series(u, v), ws);
}

static void run_network(const struct network_solver *self, const struct network_input *samples,
                        size_t first_series, struct block *u, struct workspace *ws)
{
    size_t depth = self->use.depth;
    size_t mark = workspace_mark(ws);
    size_t *n_rejected = WORKSPACE_ALLOC(ws, size_t, depth + 1);
    memset(n_rejected, 0, depth * sizeof *n_rejected);
    struct network_pass pass = {.depth = depth,
                                .safeguard = self->use.safeguard,
                                .observer = self->base.options.observer,
                                .first_series = first_series,
                                .n_rejected = n_rejected};
    network_forward(self->network, samples, &pass, u, ws);
    for (size_t layer = 0; layer < depth && self->use.n_rejected != NULL; layer++)
        atomic_fetch_add(&self->use.n_rejected[layer], n_rejected[layer]);
    workspace_release(ws, mark);
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
    }
    set_start(self, input, &start, ws);
    struct network_input samples = {.x = input->x, .lambda = lambda, .start = &start};
    run_network(self, &samples, input->first_series, u, ws);
    for (size_t v = 0; v < n_series; v++)
        set_level(problem, block_series(input->x, v), &results[v], u, v, ws);
    if (self->use.fallback != NULL)
        certify(self, input, u, results, ws);
    workspace_release(ws, mark);
}

static void release(struct solver *base)
{
    struct network_solver *self = (struct network_solver *) base;
    linop_free(self->pseudo_inverse);
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
    if (options->start == START_PINV)
        solver->pseudo_inverse = linop_new_pseudo_inverse(network->context.op);
    return &solver->base;
}
