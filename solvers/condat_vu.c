// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/iterative.h"

#include <math.h>
#include <string.h>

// Condat 2013 and Vu 2013 on TV: u meets nabla through the dual variable v alone,
//
//     u+ = u - tau A' (A u - x) - tau nabla' v
//     v+ = clip(v + sigma nabla (2 u+ - u), -lambda, lambda)
//
// with sigma = 1/2 and tau = 1 / (||A||^2 / 2 + sigma ||nabla||^2). Begins at v = 0.
struct iterates {
    double *next;     // u+, n_in
    double *v;        // n_in - 1
    double *residual; // A u - x
    double *gradient; // A' (A u - x) + nabla' v
};

static const double SIGMA = 0.5;

static struct iterates begin(const linop *op, struct workspace *ws)
{
    struct iterates it = {.next = WORKSPACE_ALLOC(ws, double, op->n_in),
                          .v = WORKSPACE_ALLOC(ws, double, op->n_in),
                          .residual = WORKSPACE_ALLOC(ws, double, op->n_out),
                          .gradient = WORKSPACE_ALLOC(ws, double, op->n_in)};
    memset(it.v, 0, op->n_in * sizeof *it.v);
    return it;
}

// ||nabla||^2 on n samples.
static double nabla_norm2(size_t n)
{
    double c = cos(G_PI / (2.0 * (double) n));
    return 4.0 * c * c;
}

static void set_gradient(const linop *op, const double *x, const double *u, struct iterates *it,
                         struct workspace *ws)
{
    linop_apply_series(op, u, it->residual, ws);
    for (size_t t = 0; t < op->n_out; t++)
        it->residual[t] -= x[t];
    linop_adjoint_series(op, it->residual, it->gradient, ws);
    for (size_t i = 0; i + 1 < op->n_in; i++) {
        it->gradient[i] -= it->v[i];
        it->gradient[i + 1] += it->v[i];
    }
}

static void ascend(const double *u, const double *next, double lambda, double *v, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        double ahead = 2.0 * (next[i + 1] - next[i]) - (u[i + 1] - u[i]);
        double moved = v[i] + SIGMA * ahead;
        v[i] = fabs(moved) > lambda ? copysign(lambda, moved) : moved;
    }
}

static void minimise(const struct iterative_solver *self, struct progress *progress, double *u,
                     struct workspace *ws)
{
    const linop *op = self->base.problem->op;
    double tau = 1.0 / (0.5 * op->norm2 + SIGMA * nabla_norm2(op->n_in));
    size_t mark = workspace_mark(ws);
    struct iterates it = begin(op, ws);
    while (progress_continue(progress, u, ws)) {
        set_gradient(op, progress->x, u, &it, ws);
        for (size_t i = 0; i < op->n_in; i++)
            it.next[i] = u[i] - tau * it.gradient[i];
        ascend(u, it.next, progress->lambda, it.v, op->n_in);
        memcpy(u, it.next, op->n_in * sizeof *u);
    }
    workspace_release(ws, mark);
}

struct solver *solver_new_condat_vu(const struct problem *problem,
                                    const struct solver_options *options, GError **error)
{
    if (!iterative_solver_is_for_tv("condat-vu", problem, error))
        return NULL;
    struct iterative_solver *solver = g_new0(struct iterative_solver, 1);
    iterative_solver_init(solver, "condat-vu", problem, options);
    solver->minimise = minimise;
    return &solver->base;
}
