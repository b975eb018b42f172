// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/first_order.h"

#include "solvers/prox_tv.h"
#include "solvers/pseudo_inverse.h"
#include "solvers/soft_threshold.h"
#include "solvers/synthesis.h"

#include <math.h>
#include <string.h>

// The iterates of one series: op->n_in entries each, the residuals op->n_out.
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

static void shrink(double *z, size_t n, double threshold)
{
    for (size_t i = 0; i < n; i++)
        z[i] = soft_threshold(z[i], threshold);
}

static void clip(double *z, size_t n, double bound)
{
    for (size_t i = 0; i < n; i++)
        z[i] = fabs(z[i]) > bound ? copysign(bound, z[i]) : z[i];
}

static void prox(const struct first_order *solver, double *z, double rho, double lambda,
                 struct workspace *ws)
{
    size_t n = solver->op->n_in;
    switch (solver->form) {
    case FORM_ANALYSIS:
        if (solver->base.base.problem->kind == PROBLEM_TV)
            prox_tv(z, n, rho * lambda, z, NULL, ws);
        else
            shrink(z, n, rho * lambda);
        break;
    case FORM_SYNTHESIS:
        shrink(z + 1, n - 1, rho * lambda);
        break;
    case FORM_DUAL:
        clip(z, n, lambda);
        break;
    }
}

static double penalty(const struct first_order *solver, const double *z)
{
    double sum = 0.0;
    if (solver->form == FORM_ANALYSIS)
        return problem_penalty(solver->base.base.problem, z);
    for (size_t i = 1; i < solver->op->n_in && solver->form == FORM_SYNTHESIS; i++)
        sum += fabs(z[i]);
    return sum;
}

static void set_coordinates(const struct first_order *solver, const double *u, double *z)
{
    size_t n = solver->op->n_in;
    if (solver->form == FORM_ANALYSIS)
        memcpy(z, u, n * sizeof *z);
    else if (solver->form == FORM_SYNTHESIS)
        synthesis_difference(u, z, n);
    else
        memset(z, 0, n * sizeof *z);
}

static void set_point(const struct first_order *solver, const struct iterates *it, double *u,
                      struct workspace *ws)
{
    size_t n = solver->base.base.problem->op->n_in;
    if (solver->form == FORM_ANALYSIS)
        memcpy(u, it->z, n * sizeof *u);
    else if (solver->form == FORM_SYNTHESIS)
        synthesis_sum(it->z, u, n);
    else {
        linop_apply_series(solver->pseudo_inverse, it->residual, u, ws);
        for (size_t i = 0; i < n; i++)
            u[i] = -u[i];
    }
}

static double objective(const struct first_order *solver, double lambda, const double *z,
                        const double *residual)
{
    double fit = solver->kernels->dot(residual, residual, solver->op->n_out);
    return 0.5 * fit + lambda * penalty(solver, z);
}

static void set_residual(const struct first_order *solver, const double *x, const double *z,
                         double *residual, struct workspace *ws)
{
    const linop *op = solver->op;
    linop_apply_series(op, z, residual, ws);
    for (size_t t = 0; t < op->n_out; t++)
        residual[t] -= x[t];
}

static struct iterates begin(const struct first_order *solver, const struct progress *progress,
                             const double *u, struct workspace *ws)
{
    const linop *op = solver->op;
    struct iterates it = {.z = WORKSPACE_ALLOC(ws, double, op->n_in),
                          .next = WORKSPACE_ALLOC(ws, double, op->n_in),
                          .y = WORKSPACE_ALLOC(ws, double, op->n_in),
                          .residual = WORKSPACE_ALLOC(ws, double, op->n_out),
                          .residual_next = WORKSPACE_ALLOC(ws, double, op->n_out),
                          .residual_y = WORKSPACE_ALLOC(ws, double, op->n_out),
                          .gradient = WORKSPACE_ALLOC(ws, double, op->n_in),
                          .t = 1.0};
    set_coordinates(solver, u, it.z);
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
        if (it->objective > before || turn(it->y, it->next, it->z, solver->op->n_in) > 0.0)
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
    const linop *op = solver->op;
    double rho = 1.0 / op->norm2;
    linop_adjoint_series(op, it->residual_y, it->gradient, ws);
    for (size_t i = 0; i < op->n_in; i++)
        it->next[i] = it->y[i] - rho * it->gradient[i];
    prox(solver, it->next, rho, progress->lambda, ws);
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
    size_t mark = workspace_mark(ws);
    struct iterates it = begin(solver, progress, u, ws);
    set_point(solver, &it, u, ws);
    while (progress_continue(progress, u, ws)) {
        step(solver, progress, &it, ws);
        if (progress_needs_point(progress))
            set_point(solver, &it, u, ws);
    }
    set_point(solver, &it, u, ws);
    workspace_release(ws, mark);
}

static void release(struct solver *self)
{
    struct first_order *solver = (struct first_order *) self;
    linop_free(solver->form_op);
    linop_free(solver->pseudo_inverse);
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
    solver->op = problem->op;
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
    if (!iterative_solver_is_for_tv(name, problem, error))
        return NULL;
    struct first_order *solver = first_order_alloc(name, momentum, problem, options);
    solver->form = FORM_SYNTHESIS;
    solver->form_op = linop_new_synthesis(problem->op);
    solver->op = solver->form_op;
    return &solver->base.base;
}

struct solver *first_order_new_dual_unchecked(const char *name, enum momentum momentum,
                                              const struct problem *problem,
                                              const struct solver_options *options)
{
    struct first_order *solver = first_order_alloc(name, momentum, problem, options);
    solver->form = FORM_DUAL;
    solver->pseudo_inverse = linop_new_pseudo_inverse(problem->op);
    // One sample has no jump, its problem is trivial: the operator is never applied.
    if (problem->op->n_in > 1)
        solver->form_op = linop_new_tv_dual(solver->pseudo_inverse);
    solver->op = solver->form_op;
    return &solver->base.base;
}

struct solver *first_order_new_dual(const char *name, enum momentum momentum,
                                    const struct problem *problem,
                                    const struct solver_options *options, GError **error)
{
    const linop *op = problem->op;
    if (!iterative_solver_is_for_tv(name, problem, error))
        return NULL;
    size_t rank = linop_rank(op);
    if (rank < op->n_in) {
        g_set_error(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE,
                    "%s: expected an operator of full column rank %zu, found rank %zu "
                    "(%zu x %zu)",
                    name, op->n_in, rank, op->n_out, op->n_in);
        return NULL;
    }
    return first_order_new_dual_unchecked(name, momentum, problem, options);
}
