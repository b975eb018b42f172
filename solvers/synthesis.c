// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/synthesis.h"

struct synthesis {
    linop base;
    const linop *op; // borrowed
};

void synthesis_sum(const double *z, double *u, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        u[i] = sum += z[i];
}

void synthesis_difference(const double *u, double *z, size_t n)
{
    for (size_t i = n - 1; i > 0; i--)
        z[i] = u[i] - u[i - 1];
    z[0] = u[0];
}

void synthesis_sum_from_end(double *g, size_t n)
{
    for (size_t i = n - 1; i > 0; i--)
        g[i - 1] += g[i];
}

static void synthesis_apply(const linop *op, const struct block *z, struct block *x,
                            struct workspace *ws)
{
    const linop *analysis = ((const struct synthesis *) op)->op;
    size_t mark = workspace_mark(ws);
    double *sums = WORKSPACE_ALLOC(ws, double, z->n_time * z->n_series);
    struct block u = {z->n_time, z->n_series, z->n_time, sums};
    for (size_t v = 0; v < z->n_series; v++)
        synthesis_sum(block_series(z, v), block_series(&u, v), z->n_time);
    analysis->apply(analysis, &u, x, ws);
    workspace_release(ws, mark);
}

static void synthesis_adjoint(const linop *op, const struct block *x, struct block *z,
                              struct workspace *ws)
{
    const linop *analysis = ((const struct synthesis *) op)->op;
    analysis->adjoint(analysis, x, z, ws);
    for (size_t v = 0; v < z->n_series; v++)
        synthesis_sum_from_end(block_series(z, v), z->n_time);
}

static void synthesis_free(linop *op)
{
    g_free(op);
}

linop *linop_new_synthesis(const linop *op)
{
    struct synthesis *synthesis = g_new0(struct synthesis, 1);
    synthesis->op = op;
    synthesis->base = (linop){.n_in = op->n_in,
                              .n_out = op->n_out,
                              .apply = synthesis_apply,
                              .adjoint = synthesis_adjoint,
                              .free = synthesis_free};
    synthesis->base.norm2 = linop_power_norm2(&synthesis->base);
    return &synthesis->base;
}
