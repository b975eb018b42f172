// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/iterative.h"
#include "solvers/soft_threshold.h"

#include <cblas.h>
#include <string.h>

// The step that is tried first, over 1 / ||A||^2, and the factor from one trial to the next.
#define FIRST_STEP 1000.0
#define SHRINK     0.95

struct iterate {
    const linop *op;
    double *next;     // n_in
    double *gradient; // A' (A u - x)
    double *residual; // A u - x
    double *move;     // next - u
    double *image;    // A move
};

static struct iterate begin(const linop *op, struct workspace *ws)
{
    struct iterate it = {.op = op,
                         .next = WORKSPACE_ALLOC(ws, double, op->n_in),
                         .gradient = WORKSPACE_ALLOC(ws, double, op->n_in),
                         .residual = WORKSPACE_ALLOC(ws, double, op->n_out),
                         .move = WORKSPACE_ALLOC(ws, double, op->n_in),
                         .image = WORKSPACE_ALLOC(ws, double, op->n_out)};
    return it;
}

static void set_gradient(struct iterate *it, const double *x, const double *u, struct workspace *ws)
{
    linop_apply_series(it->op, u, it->residual, ws);
    for (size_t t = 0; t < it->op->n_out; t++)
        it->residual[t] -= x[t];
    linop_adjoint_series(it->op, it->residual, it->gradient, ws);
}

// next, and whether the quadratic of slope 1/t through u is above the data term f there:
// f(next) - f(u) - <f'(u), move> = 1/2 ||A move||^2, so that nothing cancels near the solution.
static bool try_step(struct iterate *it, const double *u, double t, double lambda,
                     struct workspace *ws)
{
    size_t n_in = it->op->n_in, n_out = it->op->n_out;
    for (size_t j = 0; j < n_in; j++) {
        it->next[j] = soft_threshold(u[j] - t * it->gradient[j], t * lambda);
        it->move[j] = it->next[j] - u[j];
    }
    linop_apply_series(it->op, it->move, it->image, ws);
    double curvature = cblas_ddot((int) n_out, it->image, 1, it->image, 1);
    return t * curvature <= cblas_ddot((int) n_in, it->move, 1, it->move, 1);
}

// Each iteration begins one trial above the last accepted step: steps may grow again, at the price
// of one trial instead of hundreds. 1 / ||A||^2 needs no trial.
static void minimise(const struct iterative_solver *self, struct progress *progress, double *u,
                     struct workspace *ws)
{
    const linop *op = self->base.problem->op;
    double shortest = 1.0 / op->norm2;
    double longest = FIRST_STEP * shortest;
    double t = longest;
    size_t mark = workspace_mark(ws);
    struct iterate it = begin(op, ws);
    while (progress_continue(progress, u, ws)) {
        set_gradient(&it, progress->x, u, ws);
        while (!try_step(&it, u, t, progress->lambda, ws) && t > shortest)
            t = fmax(SHRINK * t, shortest);
        memcpy(u, it.next, op->n_in * sizeof(double));
        t = fmin(t / SHRINK, longest);
    }
    workspace_release(ws, mark);
}

struct solver *solver_new_bt_ista(const struct problem *problem,
                                  const struct solver_options *options, GError **error)
{
    if (problem->kind != PROBLEM_LASSO) {
        g_set_error_literal(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE,
                            "bt-ista: expected a Lasso, found a total variation problem");
        return NULL;
    }
    struct iterative_solver *solver = g_new0(struct iterative_solver, 1);
    iterative_solver_init(solver, "bt-ista", problem, options);
    solver->minimise = minimise;
    return &solver->base;
}
