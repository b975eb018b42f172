// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/first_order.h"

#include "solvers/prox_tv.h"
#include "solvers/synthesis.h"

#include <math.h>
#include <string.h>

// The iterates of one series; n_in samples each, the residuals n_out.
struct iterates {
    double *z;        // the last one
    double *next;     // the one in the making
    double *y;        // where the gradient is taken
    double *residual; // B z - x
    double *residual_next;
    double *residual_y;
    double *gradient;
    double objective; // at z, for restarts
    double t;         // of the momentum sequence
};

static const linop *gradient_op(const struct first_order *solver)
{
    return solver->synthesis != NULL ? solver->synthesis : solver->base.base.problem->op;
}

static void soft_threshold(double *z, size_t n, double threshold)
{
    for (size_t i = 0; i < n; i++)
        z[i] = copysign(fmax(fabs(z[i]) - threshold, 0.0), z[i]);
}

static void prox(const struct first_order *solver, double *z, double mu, struct workspace *ws)
{
    const struct problem *problem = solver->base.base.problem;
    size_t n = problem->op->n_in;
    if (solver->synthesis != NULL)
        soft_threshold(z + 1, n - 1, mu);
    else if (problem->kind == PROBLEM_TV)
        prox_tv(z, n, mu, z, NULL, ws);
    else
        soft_threshold(z, n, mu);
}

static double objective(const struct first_order *solver, double lambda, const double *z,
                        const double *residual)
{
    const struct problem *problem = solver->base.base.problem;
    double penalty = solver->synthesis == NULL ? problem_penalty(problem, z) : 0.0;
    if (solver->synthesis != NULL)
        for (size_t i = 1; i < problem->op->n_in; i++)
            penalty += fabs(z[i]);
    size_t n_out = problem->op->n_out;
    return 0.5 * solver->kernels->dot(residual, residual, n_out) + lambda * penalty;
}

static void set_residual(const struct first_order *solver, const double *x, const double *z,
                         double *residual, struct workspace *ws)
{
    const linop *op = gradient_op(solver);
    linop_apply_series(op, z, residual, ws);
    for (size_t t = 0; t < op->n_out; t++)
        residual[t] -= x[t];
}

static struct iterates begin(const struct first_order *solver, const struct progress *progress,
                             const double *u, struct workspace *ws)
{
    const linop *op = gradient_op(solver);
    struct iterates it = {.z = WORKSPACE_ALLOC(ws, double, op->n_in),
                          .next = WORKSPACE_ALLOC(ws, double, op->n_in),
                          .y = WORKSPACE_ALLOC(ws, double, op->n_in),
                          .residual = WORKSPACE_ALLOC(ws, double, op->n_out),
                          .residual_next = WORKSPACE_ALLOC(ws, double, op->n_out),
                          .residual_y = WORKSPACE_ALLOC(ws, double, op->n_out),
                          .gradient = WORKSPACE_ALLOC(ws, double, op->n_in),
                          .t = 1.0};
    if (solver->synthesis != NULL)
        synthesis_difference(u, it.z, op->n_in);
    else
        memcpy(it.z, u, op->n_in * sizeof *u);
    set_residual(solver, progress->x, it.z, it.residual, ws);
    it.objective = objective(solver, progress->lambda, it.z, it.residual);
    memcpy(it.y, it.z, op->n_in * sizeof *it.y);
    memcpy(it.residual_y, it.residual, op->n_out * sizeof *it.residual_y);
    return it;
}

// <y - z+, z+ - z>: positive where the step turned against the momentum.
static double turn(const double *y, const double *next, const double *z, size_t n)
{
    double part[4] = {0.0, 0.0, 0.0, 0.0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; j++)
            part[j] += (y[i + j] - next[i + j]) * (next[i + j] - z[i + j]);
    for (; i < n; i++)
        part[0] += (y[i] - next[i]) * (next[i] - z[i]);
    return (part[0] + part[1]) + (part[2] + part[3]);
}

// beta of y+ = z+ + beta (z+ - z), and the next member of the sequence behind it.
static double momentum(const struct first_order *solver, double lambda, struct iterates *it)
{
    if (solver->momentum == MOMENTUM_NONE)
        return 0.0;
    if (solver->momentum == MOMENTUM_RESTARTED) {
        // Rounding is no rise: near the solution it would restart without end.
        double before = it->objective * (1.0 + 1e-13);
        it->objective = objective(solver, lambda, it->next, it->residual_next);
        if (it->objective > before || turn(it->y, it->next, it->z, gradient_op(solver)->n_in) > 0.0)
            it->t = 1.0;
    }
    double t = it->t;
    it->t = 0.5 * (1.0 + sqrt(1.0 + 4.0 * t * t));
    return (t - 1.0) / it->t;
}

static void extrapolate(double beta, const double *next, const double *last, double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = next[i] + beta * (next[i] - last[i]);
}

static void swap(double **a, double **b)
{
    double *c = *a;
    *a = *b;
    *b = c;
}

// B y is the same combination of B z+ and B z as y of z+ and z: one application of B a step.
static void step(const struct first_order *solver, const struct progress *progress,
                 struct iterates *it, struct workspace *ws)
{
    const linop *op = gradient_op(solver);
    double rho = 1.0 / op->norm2;
    linop_adjoint_series(op, it->residual_y, it->gradient, ws);
    for (size_t i = 0; i < op->n_in; i++)
        it->next[i] = it->y[i] - rho * it->gradient[i];
    prox(solver, it->next, rho * progress->lambda, ws);
    set_residual(solver, progress->x, it->next, it->residual_next, ws);

    double beta = momentum(solver, progress->lambda, it);
    extrapolate(beta, it->next, it->z, it->y, op->n_in);
    extrapolate(beta, it->residual_next, it->residual, it->residual_y, op->n_out);
    swap(&it->z, &it->next);
    swap(&it->residual, &it->residual_next);
}

void first_order_minimise(const struct iterative_solver *self, struct progress *progress, double *u,
                          struct workspace *ws)
{
    const struct first_order *solver = (const struct first_order *) self;
    size_t n = progress->problem->op->n_in;
    size_t mark = workspace_mark(ws);
    struct iterates it = begin(solver, progress, u, ws);
    while (progress_continue(progress, u, ws)) {
        step(solver, progress, &it, ws);
        if (solver->synthesis == NULL)
            memcpy(u, it.z, n * sizeof *u);
        else if (progress_needs_point(progress))
            synthesis_sum(it.z, u, n);
    }
    if (solver->synthesis != NULL)
        synthesis_sum(it.z, u, n);
    workspace_release(ws, mark);
}

static void release(struct solver *self)
{
    linop_free(((struct first_order *) self)->synthesis);
    iterative_solver_free(self);
}

static struct first_order *first_order_alloc(const char *name, enum momentum momentum,
                                             const struct problem *problem,
                                             const struct solver_options *options)
{
    struct first_order *solver = g_new0(struct first_order, 1);
    iterative_solver_init(&solver->base, name, problem, options);
    solver->base.minimise = first_order_minimise;
    solver->base.base.free = release;
    solver->kernels = kernels_best();
    solver->momentum = momentum;
    return solver;
}

struct solver *first_order_new(const char *name, enum momentum momentum,
                               const struct problem *problem, const struct solver_options *options)
{
    return &first_order_alloc(name, momentum, problem, options)->base.base;
}

struct solver *first_order_new_synthesis(const char *name, enum momentum momentum,
                                         const struct problem *problem,
                                         const struct solver_options *options, GError **error)
{
    if (problem->kind != PROBLEM_TV) {
        g_set_error(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE,
                    "%s: expected a total variation problem, found a Lasso", name);
        return NULL;
    }
    struct first_order *solver = first_order_alloc(name, momentum, problem, options);
    solver->synthesis = linop_new_synthesis(problem->op);
    return &solver->base.base;
}
