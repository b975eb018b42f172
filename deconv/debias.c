// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/debias.h"

#include "solvers/lapack.h"
#include "solvers/segment_active_set.h"

#include <string.h>

// The tables of a causal response grow with the square of its length.
enum { MOST_CAUSAL_SAMPLES = 2048 };

// Segments: the first sample of each, and after them n_in. Returns how many.
static size_t find_segments(const double *u, size_t n, size_t *begin)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || u[i] != u[i - 1])
            begin[count++] = i;
    begin[count] = n;
    return count;
}

// Column q = A applied to the indicator of segment q.
static void fill_columns(const linop *op, const size_t *begin, size_t count, double *columns,
                         struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *indicator = WORKSPACE_ALLOC(ws, double, op->n_in);
    memset(indicator, 0, op->n_in * sizeof(double));
    for (size_t q = 0; q < count; q++) {
        for (size_t i = begin[q]; i < begin[q + 1]; i++)
            indicator[i] = 1.0;
        linop_apply_series(op, indicator, columns + q * op->n_out, ws);
        for (size_t i = begin[q]; i < begin[q + 1]; i++)
            indicator[i] = 0.0;
    }
    workspace_release(ws, mark);
}

// min ||columns d - r|| of least ||d||; r has max(n_rows, count) entries, d in the first ones.
static void least_squares(double *columns, size_t n_rows, size_t count, double *r,
                          struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    int m = (int) n_rows, n = (int) count, one = 1, rank = 0, info = 0;
    int ld = MAX(m, n), n_work = MIN(m, n) + 64 * (n + 1) + 2 * ld;
    const double rcond = 1e-10;
    int *pivots = WORKSPACE_ALLOC(ws, int, count);
    double *work = WORKSPACE_ALLOC(ws, double, (size_t) n_work);
    memset(pivots, 0, count * sizeof(int));
    dgelsy_(&m, &n, &one, columns, &m, r, &ld, pivots, &rcond, &rank, work, &n_work, &info);
    g_assert(info == 0);
    workspace_release(ws, mark);
}

// By singular values, for the segments that the normal equations cannot tell apart.
static void fit_dense(const linop *op, const double *x, const double *u, const size_t *begin,
                      size_t count, double *out, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *columns = WORKSPACE_ALLOC(ws, double, op->n_out *count);
    double *r = WORKSPACE_ALLOC(ws, double, MAX(op->n_out, count));
    fill_columns(op, begin, count, columns, ws);
    linop_apply_series(op, u, r, ws);
    for (size_t t = 0; t < op->n_out; t++)
        r[t] = x[t] - r[t];
    least_squares(columns, op->n_out, count, r, ws);
    for (size_t q = 0; q < count; q++)
        for (size_t i = begin[q]; i < begin[q + 1]; i++)
            out[i] = u[i] + r[q];
    workspace_release(ws, mark);
}

struct debias {
    const linop *op;                     // borrowed
    struct segment_active_set *segments; // owned; NULL: dense
};

struct debias *debias_new(const linop *op)
{
    struct debias *self = g_new0(struct debias, 1);
    self->op = op;
    if (op->filter != NULL && (op->filter->full || op->filter->n <= MOST_CAUSAL_SAMPLES))
        self->segments = segment_active_set_new(op->filter, op->n_in, kernels_best());
    return self;
}

void debias_free(struct debias *self)
{
    if (self == NULL)
        return;
    segment_active_set_free(self->segments);
    g_free(self);
}

static void debias_series(const struct debias *self, const double *x, const double *u, double *out,
                          struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    size_t *begin = WORKSPACE_ALLOC(ws, size_t, self->op->n_in + 1);
    size_t count = find_segments(u, self->op->n_in, begin);
    if (self->segments == NULL ||
        !segment_active_set_refit(self->segments, x, begin, count, out, ws))
        fit_dense(self->op, x, u, begin, count, out, ws);
    workspace_release(ws, mark);
}

void debias_apply(const struct debias *self, const struct block *x, const struct block *u,
                  struct block *out, struct workspace *ws)
{
    const linop *op = self->op;
    g_assert(x->n_time == op->n_out && u->n_time == op->n_in && out->n_time == op->n_in);
    g_assert(u->n_series == x->n_series && out->n_series == x->n_series);
    for (size_t v = 0; v < x->n_series; v++)
        debias_series(self, block_series(x, v), block_series(u, v), block_series(out, v), ws);
}
