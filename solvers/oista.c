// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/iterative.h"
#include "solvers/soft_threshold.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

// A relative change of ||A_S||^2 that ends its power iteration.
#define NORM_CHANGE 1e-10

enum { MOST_NORM_STEPS = 500 };

// The iterate of one series and what its support says about the step.
struct iterate {
    const linop *op;
    double *z;        // n_in
    double *next;     // n_in
    double *gradient; // A' (A z - x)
    double *residual; // A z - x
    double *vector;   // of the power iteration on the support, kept from one support to the next
    double *masked;
    bool *support; // S, for which norm2 is known
    double norm2;  // L_S = ||A_S||_2^2
};

static struct iterate begin(const struct progress *progress, const double *u, struct workspace *ws)
{
    const linop *op = progress->problem->op;
    struct iterate it = {.op = op,
                         .z = WORKSPACE_ALLOC(ws, double, op->n_in),
                         .next = WORKSPACE_ALLOC(ws, double, op->n_in),
                         .gradient = WORKSPACE_ALLOC(ws, double, op->n_in),
                         .residual = WORKSPACE_ALLOC(ws, double, op->n_out),
                         .vector = WORKSPACE_ALLOC(ws, double, op->n_in),
                         .masked = WORKSPACE_ALLOC(ws, double, op->n_in),
                         .support = WORKSPACE_ALLOC(ws, bool, op->n_in),
                         .norm2 = op->norm2};
    memcpy(it.z, u, op->n_in * sizeof *u);
    memset(it.support, 0, op->n_in * sizeof *it.support);
    for (size_t j = 0; j < op->n_in; j++)
        it.vector[j] = 1.0 + sin(0.37 * (double) j);
    return it;
}

static void set_gradient(struct iterate *it, const double *x, struct workspace *ws)
{
    linop_apply_series(it->op, it->z, it->residual, ws);
    for (size_t t = 0; t < it->op->n_out; t++)
        it->residual[t] -= x[t];
    linop_adjoint_series(it->op, it->residual, it->gradient, ws);
}

// True if S = supp(z) differs from the one that norm2 belongs to.
static bool update_support(struct iterate *it)
{
    bool changed = false;
    for (size_t j = 0; j < it->op->n_in; j++) {
        bool is_used = it->z[j] != 0.0;
        changed |= is_used != it->support[j];
        it->support[j] = is_used;
    }
    return changed;
}

// vector restricted to S and of unit length, in masked; false if nothing is left of it.
static bool restrict_to_support(struct iterate *it)
{
    size_t n = it->op->n_in;
    for (size_t j = 0; j < n; j++)
        it->masked[j] = it->support[j] ? it->vector[j] : 0.0;
    double length = cblas_dnrm2((int) n, it->masked, 1);
    if (!(length > 0.0))
        return false;
    cblas_dscal((int) n, 1.0 / length, it->masked, 1);
    return true;
}

// ||A_S||_2^2 by power iteration on A_S' A_S from the vector of the last support, whose entries
// outside S stay as they are; ||A||_2^2 for an empty S.
static double support_norm2(struct iterate *it, struct workspace *ws)
{
    const linop *op = it->op;
    size_t mark = workspace_mark(ws);
    double *image = WORKSPACE_ALLOC(ws, double, op->n_out);
    double norm2 = 0.0;
    for (int i = 0; i < MOST_NORM_STEPS && restrict_to_support(it); i++) {
        double previous = norm2;
        linop_apply_series(op, it->masked, image, ws);
        norm2 = cblas_ddot((int) op->n_out, image, 1, image, 1);
        linop_adjoint_series(op, image, it->masked, ws);
        for (size_t j = 0; j < op->n_in; j++)
            if (it->support[j])
                it->vector[j] = it->masked[j];
        if (fabs(norm2 - previous) <= NORM_CHANGE * norm2)
            break;
    }
    workspace_release(ws, mark);
    return norm2 > 0.0 ? fmin(norm2, op->norm2) : op->norm2;
}

// next = ST(z - rho gradient, rho lambda). True if its support is in S.
static bool try_step(struct iterate *it, double rho, double lambda)
{
    bool stays = true;
    for (size_t j = 0; j < it->op->n_in; j++) {
        it->next[j] = soft_threshold(it->z[j] - rho * it->gradient[j], rho * lambda);
        stays &= it->next[j] == 0.0 || it->support[j];
    }
    return stays;
}

static void minimise(const struct iterative_solver *self G_GNUC_UNUSED, struct progress *progress,
                     double *u, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct iterate it = begin(progress, u, ws);
    while (progress_continue(progress, u, ws)) {
        set_gradient(&it, progress->x, ws);
        if (update_support(&it))
            it.norm2 = support_norm2(&it, ws);
        if (!try_step(&it, 1.0 / it.norm2, progress->lambda))
            try_step(&it, 1.0 / it.op->norm2, progress->lambda);
        memcpy(it.z, it.next, it.op->n_in * sizeof(double));
        memcpy(u, it.z, it.op->n_in * sizeof(double));
    }
    workspace_release(ws, mark);
}

struct solver *solver_new_oista(const struct problem *problem, const struct solver_options *options,
                                GError **error)
{
    if (problem->kind != PROBLEM_LASSO) {
        g_set_error_literal(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE,
                            "oista: expected a Lasso, found a total variation problem");
        return NULL;
    }
    struct iterative_solver *solver = g_new0(struct iterative_solver, 1);
    iterative_solver_init(solver, "oista", problem, options);
    solver->minimise = minimise;
    return &solver->base;
}
