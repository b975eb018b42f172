// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/iterative.h"
#include "solvers/lasso_form.h"
#include "solvers/soft_threshold.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

// A relative change of ||A_S||^2 that ends the Lanczos iteration for it, and its bounds.
#define NORM_CHANGE 1e-12

enum { MOST_LANCZOS_STEPS = 60, LANCZOS_STEPS_BETWEEN_LOOKS = 4 };

struct oista {
    struct iterative_solver base;
    struct lasso_form *form; // owned; for the columns of A
};

// The iterate of one series, and the norm of the columns that it uses.
struct iterate {
    const linop *op;
    const struct lasso_form *form;
    double *z;        // n_in
    double *next;     // n_in
    double *gradient; // A' (A z - x)
    double *residual; // A z - x
    bool *is_used;    // S, for which norm2 is known
    size_t *support;  // S, n_support entries
    size_t n_support;
    double norm2; // L_S = ||A_S||_2^2
};

static struct iterate begin(const struct oista *solver, const double *z, struct workspace *ws)
{
    const linop *op = solver->base.base.problem->op;
    struct iterate it = {.op = op,
                         .form = solver->form,
                         .z = WORKSPACE_ALLOC(ws, double, op->n_in),
                         .next = WORKSPACE_ALLOC(ws, double, op->n_in),
                         .gradient = WORKSPACE_ALLOC(ws, double, op->n_in),
                         .residual = WORKSPACE_ALLOC(ws, double, op->n_out),
                         .is_used = WORKSPACE_ALLOC(ws, bool, op->n_in),
                         .support = WORKSPACE_ALLOC(ws, size_t, op->n_in),
                         .norm2 = op->norm2};
    memcpy(it.z, z, op->n_in * sizeof *z);
    memset(it.is_used, 0, op->n_in * sizeof *it.is_used);
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
    it->n_support = 0;
    for (size_t j = 0; j < it->op->n_in; j++) {
        bool is_used = it->z[j] != 0.0;
        changed |= is_used != it->is_used[j];
        it->is_used[j] = is_used;
        if (is_used)
            it->support[it->n_support++] = j;
    }
    return changed;
}

// The largest eigenvalue of the symmetric tridiagonal matrix of diagonal a (n entries) and
// off-diagonal b: bisection on the signs of the pivots of T - t I, which is negative definite for t
// beyond all eigenvalues.
static double largest_eigenvalue(const double *a, const double *b, size_t n)
{
    double low = 0.0, high = 0.0;
    for (size_t i = 0; i < n; i++) {
        double radius = (i > 0 ? fabs(b[i - 1]) : 0.0) + (i + 1 < n ? fabs(b[i]) : 0.0);
        low = fmax(low, a[i]);
        high = fmax(high, a[i] + radius);
    }
    while (high - low > 1e-14 * high) {
        double t = 0.5 * (low + high);
        double pivot = a[0] - t;
        size_t i = 1;
        for (; i < n && pivot < 0.0; i++)
            pivot = a[i] - t - b[i - 1] * b[i - 1] / pivot;
        if (i == n && pivot < 0.0)
            high = t;
        else
            low = t;
    }
    return high;
}

// next = A_S' A_S q, for coefficients q of the columns in S.
static void multiply_normal(const struct iterate *it, const double *q, double *image, double *next)
{
    int n_out = (int) it->op->n_out;
    const double *matrix = it->form->matrix;
    memset(image, 0, it->op->n_out * sizeof *image);
    for (size_t k = 0; k < it->n_support; k++)
        cblas_daxpy(n_out, q[k], matrix + it->support[k] * it->op->n_out, 1, image, 1);
    for (size_t k = 0; k < it->n_support; k++)
        next[k] = cblas_ddot(n_out, matrix + it->support[k] * it->op->n_out, 1, image, 1);
}

static bool converged(const double *a, const double *b, size_t n, double *value)
{
    double previous = *value;
    *value = largest_eigenvalue(a, b, n);
    return fabs(*value - previous) <= NORM_CHANGE * *value;
}

// ||A_S||_2^2 by the Lanczos iteration on A_S' A_S; ||A||_2^2 for an empty S.
static double support_norm2(const struct iterate *it, struct workspace *ws)
{
    int n = (int) it->n_support;
    if (n == 0)
        return it->op->norm2;
    size_t mark = workspace_mark(ws);
    double *q = WORKSPACE_ALLOC(ws, double, it->n_support);
    double *before = WORKSPACE_ALLOC(ws, double, it->n_support);
    double *next = WORKSPACE_ALLOC(ws, double, it->n_support);
    double *image = WORKSPACE_ALLOC(ws, double, it->op->n_out);
    double a[MOST_LANCZOS_STEPS], b[MOST_LANCZOS_STEPS];
    double value = 0.0;
    memset(before, 0, it->n_support * sizeof *before);
    // Without symmetry, so that it is orthogonal to no likely eigenvector.
    for (size_t k = 0; k < it->n_support; k++)
        q[k] = 1.0 + sin(0.37 * (double) it->support[k]);
    cblas_dscal(n, 1.0 / cblas_dnrm2(n, q, 1), q, 1);

    for (size_t i = 0; i < MOST_LANCZOS_STEPS; i++) {
        multiply_normal(it, q, image, next);
        a[i] = cblas_ddot(n, q, 1, next, 1);
        cblas_daxpy(n, -a[i], q, 1, next, 1);
        cblas_daxpy(n, i > 0 ? -b[i - 1] : 0.0, before, 1, next, 1);
        b[i] = cblas_dnrm2(n, next, 1);
        bool exhausted = b[i] <= NORM_CHANGE * a[0] || i + 1 == MOST_LANCZOS_STEPS;
        if ((exhausted || i % LANCZOS_STEPS_BETWEEN_LOOKS == 0) &&
            (converged(a, b, i + 1, &value) || exhausted))
            break;
        cblas_dcopy(n, q, 1, before, 1);
        cblas_dcopy(n, next, 1, q, 1);
        cblas_dscal(n, 1.0 / b[i], q, 1);
    }
    workspace_release(ws, mark);
    return value > 0.0 ? fmin(value, it->op->norm2) : it->op->norm2;
}

// next = ST(z - rho gradient, rho lambda). True if its support is in S.
static bool try_step(struct iterate *it, double rho, double lambda)
{
    bool stays = true;
    for (size_t j = 0; j < it->op->n_in; j++) {
        it->next[j] = soft_threshold(it->z[j] - rho * it->gradient[j], rho * lambda);
        stays &= it->next[j] == 0.0 || it->is_used[j];
    }
    return stays;
}

static void minimise(const struct iterative_solver *self, struct progress *progress, double *u,
                     struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct iterate it = begin((const struct oista *) self, u, ws);
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

static void release(struct solver *self)
{
    lasso_form_free(((struct oista *) self)->form);
    iterative_solver_free(self);
}

struct solver *solver_new_oista(const struct problem *problem, const struct solver_options *options,
                                GError **error)
{
    if (problem->kind != PROBLEM_LASSO) {
        g_set_error_literal(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE,
                            "oista: expected a Lasso, found a total variation problem");
        return NULL;
    }
    struct oista *solver = g_new0(struct oista, 1);
    iterative_solver_init(&solver->base, "oista", problem, options);
    solver->base.minimise = minimise;
    solver->base.base.free = release;
    solver->form = lasso_form_new(problem, false);
    return &solver->base.base;
}
