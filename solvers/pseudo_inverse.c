// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/pseudo_inverse.h"

#include "solvers/lapack.h"

#include <cblas.h>
#include <float.h>

static double *to_matrix(const linop *op)
{
    double *matrix = g_new(double, op->n_out * op->n_in);
    double *unit = g_new0(double, op->n_in);
    struct workspace *ws = workspace_new();
    for (size_t j = 0; j < op->n_in; j++) {
        unit[j] = 1.0;
        linop_apply_series(op, unit, matrix + j * op->n_out, ws);
        unit[j] = 0.0;
    }
    workspace_free(ws);
    g_free(unit);
    return matrix;
}

// A = U diag(s) V' with q = min(m, n) columns in U (m x q) and rows in vt (q x n).
struct decomposition {
    int m, n, q;
    double *u;
    double *s;
    double *vt;
};

static struct decomposition decompose(const linop *op)
{
    struct decomposition svd = {.m = (int) op->n_out, .n = (int) op->n_in};
    svd.q = MIN(svd.m, svd.n);
    svd.u = g_new(double, (size_t) svd.m *(size_t) svd.q);
    svd.s = g_new0(double, (size_t) svd.q);
    svd.vt = g_new(double, (size_t) svd.q *(size_t) svd.n);
    double *a = to_matrix(op);
    int *iwork = g_new(int, 8 * (size_t) svd.q);
    double best = 0.0;
    int lwork = -1;
    int info = 0;
    dgesdd_("S", &svd.m, &svd.n, a, &svd.m, svd.s, svd.u, &svd.m, svd.vt, &svd.q, &best, &lwork,
            iwork, &info);
    lwork = (int) best;
    double *work = g_new(double, (size_t) lwork);
    dgesdd_("S", &svd.m, &svd.n, a, &svd.m, svd.s, svd.u, &svd.m, svd.vt, &svd.q, work, &lwork,
            iwork, &info);
    g_assert(info == 0);
    g_free(work);
    g_free(iwork);
    g_free(a);
    return svd;
}

static bool is_zero(const linop *op, const double *s, int i)
{
    return !(s[i] > DBL_EPSILON * (double) MAX(op->n_in, op->n_out) * s[0]);
}

linop *linop_new_pseudo_inverse(const linop *op)
{
    struct decomposition svd = decompose(op);
    for (int i = 0; i < svd.q; i++)
        cblas_dscal(svd.n, is_zero(op, svd.s, i) ? 0.0 : 1.0 / svd.s[i], svd.vt + i, svd.q);
    double *inverse = g_new(double, op->n_in * op->n_out);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasTrans, svd.n, svd.m, svd.q, 1.0, svd.vt, svd.q,
                svd.u, svd.m, 0.0, inverse, svd.n);
    linop *result = linop_new_dense(inverse, op->n_in, op->n_out);
    g_free(inverse);
    g_free(svd.u);
    g_free(svd.s);
    g_free(svd.vt);
    return result;
}

double *linop_singular_values(const linop *op)
{
    struct decomposition svd = decompose(op);
    g_free(svd.u);
    g_free(svd.vt);
    return svd.s;
}

size_t linop_rank(const linop *op)
{
    double *s = linop_singular_values(op);
    int n = (int) MIN(op->n_in, op->n_out);
    size_t rank = 0;
    for (int i = 0; i < n; i++)
        rank += !is_zero(op, s, i);
    g_free(s);
    return rank;
}

// Column i is row i + 1 of A^+ less row i: (A^+)' applied to nabla' of a unit vector.
linop *linop_new_tv_dual(const linop *pseudo_inverse)
{
    size_t n_in = pseudo_inverse->n_out;
    size_t n_out = pseudo_inverse->n_in;
    g_assert(n_in > 1);
    double *matrix = g_new(double, n_out *(n_in - 1));
    for (size_t i = 0; i + 1 < n_in; i++)
        for (size_t t = 0; t < n_out; t++)
            matrix[i * n_out + t] =
                pseudo_inverse->matrix[t * n_in + i + 1] - pseudo_inverse->matrix[t * n_in + i];
    linop *op = linop_new_dense(matrix, n_out, n_in - 1);
    g_free(matrix);
    return op;
}
