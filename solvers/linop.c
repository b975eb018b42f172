// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/linop.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

void linop_apply(const linop *op, const struct block *u, struct block *x, struct workspace *ws)
{
    g_assert(u->n_time == op->n_in && x->n_time == op->n_out && u->n_series == x->n_series);
    op->apply(op, u, x, ws);
}

void linop_adjoint(const linop *op, const struct block *x, struct block *u, struct workspace *ws)
{
    g_assert(u->n_time == op->n_in && x->n_time == op->n_out && u->n_series == x->n_series);
    op->adjoint(op, x, u, ws);
}

// The cast drops const from an input that a block describes and nobody writes through.
static struct block borrow_series(const double *series, size_t n_time)
{
    return block_of_series((double *) series, n_time);
}

void linop_apply_series(const linop *op, const double *u, double *x, struct workspace *ws)
{
    struct block in = borrow_series(u, op->n_in);
    struct block out = block_of_series(x, op->n_out);
    op->apply(op, &in, &out, ws);
}

void linop_adjoint_series(const linop *op, const double *x, double *u, struct workspace *ws)
{
    struct block in = borrow_series(x, op->n_out);
    struct block out = block_of_series(u, op->n_in);
    op->adjoint(op, &in, &out, ws);
}

void linop_free(linop *op)
{
    if (op != NULL)
        op->free(op);
}

double linop_power_norm2(const linop *op)
{
    struct workspace *ws = workspace_new();
    double *u = WORKSPACE_ALLOC(ws, double, op->n_in);
    double *x = WORKSPACE_ALLOC(ws, double, op->n_out);
    // Positive and without symmetry, so that it is orthogonal to no likely singular vector.
    for (size_t t = 0; t < op->n_in; t++)
        u[t] = 1.0 + sin(0.37 * (double) t);

    double norm2 = 0.0;
    for (int iteration = 0; iteration < 5000; iteration++) {
        double length = cblas_dnrm2((int) op->n_in, u, 1);
        if (!(length > 0.0))
            break;
        cblas_dscal((int) op->n_in, 1.0 / length, u, 1);
        linop_apply_series(op, u, x, ws);
        double previous = norm2;
        norm2 = cblas_ddot((int) op->n_out, x, 1, x, 1);
        if (fabs(norm2 - previous) <= 1e-6 * norm2 * 1e-2)
            break;
        linop_adjoint_series(op, x, u, ws);
    }
    workspace_free(ws);
    return norm2 * 1.0005;
}

struct identity {
    linop base;
    struct filter filter;
    double h;
};

static void identity_copy(const struct block *from, struct block *to)
{
    for (size_t v = 0; v < from->n_series; v++)
        memcpy(block_series(to, v), block_series(from, v), from->n_time * sizeof(double));
}

static void identity_apply(const linop *op G_GNUC_UNUSED, const struct block *u, struct block *x,
                           struct workspace *ws G_GNUC_UNUSED)
{
    identity_copy(u, x);
}

static void identity_adjoint(const linop *op G_GNUC_UNUSED, const struct block *x, struct block *u,
                             struct workspace *ws G_GNUC_UNUSED)
{
    identity_copy(x, u);
}

static void identity_free(linop *op)
{
    g_free(op);
}

linop *linop_new_identity(size_t n)
{
    g_assert(n > 0);
    struct identity *op = g_new0(struct identity, 1);
    op->h = 1.0;
    op->filter = (struct filter){&op->h, 1, false};
    op->base = (linop){.n_in = n,
                       .n_out = n,
                       .norm2 = 1.0,
                       .filter = &op->filter,
                       .apply = identity_apply,
                       .adjoint = identity_adjoint,
                       .free = identity_free};
    return &op->base;
}

struct dense {
    linop base;
    double *matrix; // owned
};

static void dense_product(const linop *op, CBLAS_TRANSPOSE transpose, const struct block *in,
                          struct block *out)
{
    int rows = (int) op->n_out;
    if (in->n_series == 1) {
        cblas_dgemv(CblasColMajor, transpose, rows, (int) op->n_in, 1.0, op->matrix, rows, in->data,
                    1, 0.0, out->data, 1);
        return;
    }
    cblas_dgemm(CblasColMajor, transpose, CblasNoTrans, (int) out->n_time, (int) in->n_series,
                (int) in->n_time, 1.0, op->matrix, rows, in->data, (int) in->stride, 0.0, out->data,
                (int) out->stride);
}

static void dense_apply(const linop *op, const struct block *u, struct block *x,
                        struct workspace *ws G_GNUC_UNUSED)
{
    dense_product(op, CblasNoTrans, u, x);
}

static void dense_adjoint(const linop *op, const struct block *x, struct block *u,
                          struct workspace *ws G_GNUC_UNUSED)
{
    dense_product(op, CblasTrans, x, u);
}

static void dense_free(linop *op)
{
    struct dense *dense = (struct dense *) op;
    g_free(dense->matrix);
    g_free(dense);
}

linop *linop_new_dense(const double *matrix, size_t n_out, size_t n_in)
{
    g_assert(n_out > 0 && n_in > 0 && n_out <= G_MAXINT && n_in <= G_MAXINT);
    struct dense *op = g_new0(struct dense, 1);
    op->matrix = g_memdup2(matrix, n_out * n_in * sizeof(double));
    op->base = (linop){.n_in = n_in,
                       .n_out = n_out,
                       .matrix = op->matrix,
                       .apply = dense_apply,
                       .adjoint = dense_adjoint,
                       .free = dense_free};
    op->base.norm2 = linop_power_norm2(&op->base);
    return &op->base;
}
