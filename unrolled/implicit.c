// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/implicit.h"

#include "solvers/lapack.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

// The columns of B: TV: column q is 1 on piece q, from begin[q] to begin[q + 1]; Lasso: the unit
// vector of entry begin[q]. c = B' subgradient of the penalty.
struct basis {
    enum problem_kind kind;
    size_t n_in;
    size_t n;
    size_t *begin; // n + 1
    double *c;     // n
};

static double sign(double a)
{
    return (double) ((a > 0.0) - (a < 0.0));
}

static struct basis basis_of(const struct problem *problem, const double *u, struct workspace *ws)
{
    size_t n_in = problem->op->n_in;
    struct basis basis = {.kind = problem->kind,
                          .n_in = n_in,
                          .begin = WORKSPACE_ALLOC(ws, size_t, n_in + 1),
                          .c = WORKSPACE_ALLOC(ws, double, n_in)};
    for (size_t i = 0; i < n_in; i++) {
        bool begins = problem->kind == PROBLEM_LASSO ? u[i] != 0.0 : i == 0 || u[i] != u[i - 1];
        if (!begins)
            continue;
        basis.begin[basis.n] = i;
        basis.c[basis.n] = problem->kind == PROBLEM_LASSO ? sign(u[i]) : 0.0;
        if (problem->kind == PROBLEM_TV && i > 0) {
            double jump = sign(u[i] - u[i - 1]);
            basis.c[basis.n] += jump;
            basis.c[basis.n - 1] -= jump;
        }
        basis.n++;
    }
    basis.begin[basis.n] = n_in;
    return basis;
}

static size_t column_end(const struct basis *basis, size_t q)
{
    return basis->kind == PROBLEM_LASSO ? basis->begin[q] + 1 : basis->begin[q + 1];
}

// p = B w
static void expand(const struct basis *basis, const double *w, double *p)
{
    memset(p, 0, basis->n_in * sizeof(double));
    for (size_t q = 0; q < basis->n; q++)
        for (size_t i = basis->begin[q]; i < column_end(basis, q); i++)
            p[i] = w[q];
}

// w = B' g
static void reduce(const struct basis *basis, const double *g, double *w)
{
    for (size_t q = 0; q < basis->n; q++) {
        w[q] = 0.0;
        for (size_t i = basis->begin[q]; i < column_end(basis, q); i++)
            w[q] += g[i];
    }
}

// In place: w becomes the solution of (A B)'(A B) w = w. False if a pivot is lost in rounding.
static bool solve_reduced(const linop *op, const struct basis *basis, double *w,
                          struct workspace *ws)
{
    int n = (int) basis->n;
    int n_out = (int) op->n_out;
    double *unit = WORKSPACE_ALLOC(ws, double, op->n_in);
    double *weights = WORKSPACE_ALLOC(ws, double, basis->n);
    double *ab = WORKSPACE_ALLOC(ws, double, op->n_out * basis->n);
    double *m = WORKSPACE_ALLOC(ws, double, basis->n * basis->n);
    memset(weights, 0, basis->n * sizeof(double));
    for (size_t q = 0; q < basis->n; q++) {
        weights[q] = 1.0;
        expand(basis, weights, unit);
        weights[q] = 0.0;
        linop_apply_series(op, unit, ab + q * op->n_out, ws);
    }
    memset(m, 0, basis->n * basis->n * sizeof(double));
    cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, n, n_out, 1.0, ab, n_out, 0.0, m, n);
    for (size_t q = 0; q < basis->n; q++)
        weights[q] = m[q * (basis->n + 1)];
    int info = 0;
    dpotrf_("L", &n, m, &n, &info);
    if (info != 0)
        return false;
    for (size_t q = 0; q < basis->n; q++) {
        double pivot = m[q * (basis->n + 1)];
        if (!(pivot * pivot > 1e-12 * weights[q]))
            return false;
    }
    cblas_dtrsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, n, m, n, w, 1);
    cblas_dtrsv(CblasColMajor, CblasLower, CblasTrans, CblasNonUnit, n, m, n, w, 1);
    return true;
}

// dLoss/dA = r p' - (A p) u', and for a convolution the sum along its diagonals.
static void set_operator_gradient(const linop *op, const double *r, const double *p,
                                  const double *ap, const double *u,
                                  const struct implicit_gradient *gradient)
{
    for (size_t j = 0; gradient->matrix != NULL && j < op->n_in; j++)
        for (size_t i = 0; i < op->n_out; i++)
            gradient->matrix[j * op->n_out + i] = r[i] * p[j] - ap[i] * u[j];
    if (gradient->response == NULL || op->filter == NULL)
        return;
    for (size_t k = 0; k < op->filter->n; k++) {
        gradient->response[k] = 0.0;
        for (size_t j = 0; j < op->n_in && j + k < op->n_out; j++)
            gradient->response[k] += r[j + k] * p[j] - ap[j + k] * u[j];
    }
}

bool implicit_backward(const struct problem *problem, const double *x, double lambda,
                       const double *u, const double *u_adjoint,
                       const struct implicit_gradient *gradient, struct workspace *ws)
{
    const linop *op = problem->op;
    size_t mark = workspace_mark(ws);
    g_assert(lambda > 0.0);
    struct basis basis = basis_of(problem, u, ws);
    double *w = WORKSPACE_ALLOC(ws, double, basis.n);
    double *p = WORKSPACE_ALLOC(ws, double, op->n_in);
    double *ap = WORKSPACE_ALLOC(ws, double, op->n_out);
    double *r = WORKSPACE_ALLOC(ws, double, op->n_out);
    reduce(&basis, u_adjoint, w);
    if (basis.n > 0 && !solve_reduced(op, &basis, w, ws)) {
        workspace_release(ws, mark);
        return false;
    }
    expand(&basis, w, p);
    linop_apply_series(op, p, ap, ws);
    linop_apply_series(op, u, r, ws);
    for (size_t t = 0; t < op->n_out; t++)
        r[t] = x[t] - r[t];
    if (gradient->x != NULL)
        memcpy(gradient->x, ap, op->n_out * sizeof(double));
    if (gradient->lambda != NULL)
        *gradient->lambda = -cblas_ddot((int) basis.n, basis.c, 1, w, 1);
    set_operator_gradient(op, r, p, ap, u, gradient);
    workspace_release(ws, mark);
    return true;
}
