// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/problem.h"

#include <math.h>
#include <string.h>

static double dot(const struct problem *problem, const double *a, const double *b)
{
    return problem->kernels->dot(a, b, problem->op->n_out);
}

static struct problem *problem_new(enum problem_kind kind, const linop *op)
{
    struct problem *problem = g_new0(struct problem, 1);
    problem->kind = kind;
    problem->op = op;
    problem->kernels = kernels_best();
    return problem;
}

struct problem *problem_new_tv(const linop *op)
{
    struct problem *problem = problem_new(PROBLEM_TV, op);
    problem->level = g_new(double, op->n_out);
    struct workspace *ws = workspace_new();
    double *ones = WORKSPACE_ALLOC(ws, double, op->n_in);
    for (size_t i = 0; i < op->n_in; i++)
        ones[i] = 1.0;
    linop_apply_series(op, ones, problem->level, ws);
    problem->level_norm2 = dot(problem, problem->level, problem->level);
    // What rounding leaves of a sum that vanishes is no direction.
    const double rounding = 1e-15 * (double) op->n_in;
    if (problem->level_norm2 <= rounding * rounding * op->norm2) {
        memset(problem->level, 0, op->n_out * sizeof(double));
        problem->level_norm2 = 0.0;
    }
    workspace_free(ws);
    return problem;
}

struct problem *problem_new_lasso(const linop *op)
{
    return problem_new(PROBLEM_LASSO, op);
}

struct problem *problem_new_positive_lasso(const linop *op)
{
    struct problem *problem = problem_new_lasso(op);
    problem->positive = true;
    return problem;
}

void problem_free(struct problem *problem)
{
    if (problem == NULL)
        return;
    g_free(problem->level);
    g_free(problem);
}

double problem_trivial_level(const struct problem *problem, const double *x)
{
    if (problem->level == NULL || !(problem->level_norm2 > 0.0))
        return 0.0;
    return dot(problem, problem->level, x) / problem->level_norm2;
}

// out = Pi x: x less its part along S (TV), or x itself (Lasso).
static void project(const struct problem *problem, const double *x, double *out)
{
    size_t n = problem->op->n_out;
    double c = problem_trivial_level(problem, x);
    if (c == 0.0)
        memmove(out, x, n * sizeof *out);
    else
        problem->kernels->subtract(x, c, problem->level, out, n);
}

void problem_project(const struct problem *problem, const double *x, double *out)
{
    const double rounding = 1e-13; // relative
    size_t n = problem->op->n_out;
    project(problem, x, out);
    if (dot(problem, out, out) <= rounding * rounding * dot(problem, x, x))
        memset(out, 0, n * sizeof *out);
}

static double largest_positive(const double *v, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, v[i]);
    return largest;
}

// ||v||_inf of the dual constraint, v = A' r (Lasso) or the cumulative sum of A' r from the end
// without its first entry, which is zero for a projected r (TV); its largest entry, or 0, where
// solutions are not negative. A' r becomes v.
static double constraint_norm(const struct problem *problem, double *adjoint)
{
    size_t n = problem->op->n_in;
    if (problem->positive)
        return largest_positive(adjoint, n);
    return problem->kind == PROBLEM_TV ? problem->kernels->suffix_sums(adjoint, adjoint, n)
                                       : problem->kernels->largest(adjoint, n);
}

static double dual_norm(const struct problem *problem, const double *r, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *adjoint = WORKSPACE_ALLOC(ws, double, problem->op->n_in);
    linop_adjoint_series(problem->op, r, adjoint, ws);
    double norm = constraint_norm(problem, adjoint);
    workspace_release(ws, mark);
    return norm;
}

double problem_lambda_max(const struct problem *problem, const double *x, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *r = WORKSPACE_ALLOC(ws, double, problem->op->n_out);
    problem_project(problem, x, r);
    double lambda_max = dual_norm(problem, r, ws);
    workspace_release(ws, mark);
    return lambda_max;
}

double problem_penalty(const struct problem *problem, const double *u)
{
    size_t n = problem->op->n_in;
    if (problem->kind == PROBLEM_TV)
        return problem->kernels->distance(u + 1, u, n - 1);
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += problem->positive && u[i] < 0.0 ? INFINITY : fabs(u[i]);
    return sum;
}

static double sign(double a)
{
    return (double) ((a > 0.0) - (a < 0.0));
}

void problem_penalty_subgradient(const struct problem *problem, const double *u, double lambda,
                                 double *out)
{
    if (problem->kind == PROBLEM_LASSO) {
        for (size_t i = 0; i < problem->op->n_in; i++)
            out[i] += lambda * sign(u[i]);
        return;
    }
    for (size_t i = 1; i < problem->op->n_in; i++) {
        double jump = lambda * sign(u[i] - u[i - 1]);
        out[i] += jump;
        out[i - 1] -= jump;
    }
}

static void residual(const struct problem *problem, const double *x, const double *u, double *r,
                     struct workspace *ws)
{
    linop_apply_series(problem->op, u, r, ws);
    problem->kernels->subtract(x, 1.0, r, r, problem->op->n_out);
}

double problem_objective(const struct problem *problem, const double *x, const double *u,
                         double lambda, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *r = WORKSPACE_ALLOC(ws, double, problem->op->n_out);
    residual(problem, x, u, r, ws);
    double objective = 0.5 * dot(problem, r, r) + lambda * problem_penalty(problem, u);
    workspace_release(ws, mark);
    return objective;
}

void problem_optimise_level(const struct problem *problem, const double *x, double *u,
                            struct workspace *ws)
{
    if (problem->kind != PROBLEM_TV)
        return;
    size_t mark = workspace_mark(ws);
    double *r = WORKSPACE_ALLOC(ws, double, problem->op->n_out);
    residual(problem, x, u, r, ws);
    double shift = problem_trivial_level(problem, r);
    for (size_t i = 0; i < problem->op->n_in; i++)
        u[i] += shift;
    workspace_release(ws, mark);
}

// The best multiple a of the residual as dual point, -c <= a <= c with c = lambda / ||v||_inf;
// 0 <= a <= c, where v_norm bounds one side alone.
static double dual_objective(double xr, double rr, double lambda, double v_norm, bool one_sided)
{
    if (!(rr > 0.0))
        return 0.0;
    double a = one_sided ? fmax(xr / rr, 0.0) : xr / rr;
    if (v_norm > 0.0) {
        double bound = lambda / v_norm;
        a = fmin(fmax(a, -bound), bound);
    }
    return a * xr - 0.5 * a * a * rr;
}

// The certificate of u, of which r = Pi (x - A u) is known and v_norm, its dual norm.
static struct certificate certify(const struct problem *problem, const double *x, const double *u,
                                  double lambda, const double *r, double v_norm,
                                  struct workspace *ws)
{
    size_t n = problem->op->n_out;
    size_t mark = workspace_mark(ws);
    double *px = WORKSPACE_ALLOC(ws, double, n);
    problem_project(problem, x, px);

    struct certificate result = {0};
    double rr = dot(problem, r, r);
    result.objective = 0.5 * rr + lambda * problem_penalty(problem, u);
    result.trivial_objective = 0.5 * dot(problem, px, px);
    double dual = dual_objective(dot(problem, px, r), rr, lambda, v_norm, problem->positive);
    result.duality_gap = result.objective - dual;
    double scale =
        result.trivial_objective > 0.0 ? result.trivial_objective : 0.5 * dot(problem, x, x);
    result.relative_gap = scale > 0.0 ? result.duality_gap / scale : result.duality_gap;
    workspace_release(ws, mark);
    return result;
}

struct certificate problem_certify(const struct problem *problem, const double *x, const double *u,
                                   double lambda, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *r = WORKSPACE_ALLOC(ws, double, problem->op->n_out);
    residual(problem, x, u, r, ws);
    project(problem, r, r);
    struct certificate result = certify(problem, x, u, lambda, r, dual_norm(problem, r, ws), ws);
    workspace_release(ws, mark);
    return result;
}

void problem_certify_block(const struct problem *problem, const struct block *x,
                           const struct block *u, const double *lambda, struct certificate *results,
                           struct workspace *ws)
{
    const linop *op = problem->op;
    size_t mark = workspace_mark(ws);
    struct block r = {op->n_out, x->n_series, op->n_out, NULL};
    struct block adjoint = {op->n_in, x->n_series, op->n_in, NULL};
    r.data = WORKSPACE_ALLOC(ws, double, r.stride *r.n_series);
    adjoint.data = WORKSPACE_ALLOC(ws, double, adjoint.stride *adjoint.n_series);
    linop_apply(op, u, &r, ws);
    for (size_t v = 0; v < x->n_series; v++) {
        double *r_v = block_series(&r, v);
        problem->kernels->subtract(block_series(x, v), 1.0, r_v, r_v, op->n_out);
        project(problem, r_v, r_v);
    }
    linop_adjoint(op, &r, &adjoint, ws);
    for (size_t v = 0; v < x->n_series; v++)
        results[v] =
            certify(problem, block_series(x, v), block_series(u, v), lambda[v], block_series(&r, v),
                    constraint_norm(problem, block_series(&adjoint, v)), ws);
    workspace_release(ws, mark);
}
