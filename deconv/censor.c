// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/censor.h"

#include "deconv/hrf.h"

#include <string.h>

enum { LEAST_KEPT = 4 };

struct censor *censor_new(const bool *censored, size_t n_time, GError **error)
{
    g_autoptr(owned_censor) censor = g_new0(struct censor, 1);
    censor->n_time = n_time;
    censor->kept = g_new(size_t, n_time);
    for (size_t t = 0; t < n_time; t++)
        if (!censored[t])
            censor->kept[censor->n_kept++] = t;
    if (censor->n_kept < LEAST_KEPT) {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_DATA,
                    "censoring: expected at least %d of %zu frames to remain, got %zu", LEAST_KEPT,
                    n_time, censor->n_kept);
        return NULL;
    }
    g_autofree double *places = g_new(double, censor->n_kept);
    for (size_t i = 0; i < censor->n_kept; i++)
        places[i] = (double) censor->kept[i];
    censor->spline = spline_new(places, censor->n_kept);
    return g_steal_pointer(&censor);
}

void censor_free(struct censor *censor)
{
    if (censor == NULL)
        return;
    g_free(censor->kept);
    spline_free(censor->spline);
    g_free(censor);
}

size_t censor_span(const struct censor *censor)
{
    return censor->kept[censor->n_kept - 1] - censor->kept[0] + 1;
}

void censor_gather(const struct censor *censor, const double *y, double *out)
{
    for (size_t i = 0; i < censor->n_kept; i++)
        out[i] = y[censor->kept[i]];
}

void censor_scatter(const struct censor *censor, double *y)
{
    // From the last on, since every sample moves to a later place or stays.
    size_t i = censor->n_kept;
    for (size_t t = censor->n_time; t-- > 0;) {
        bool counts = i > 0 && censor->kept[i - 1] == t;
        y[t] = counts ? y[i - 1] : 0.0;
        i -= counts;
    }
}

void censor_bridge(const struct censor *censor, const double *y, double *out, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *values = WORKSPACE_ALLOC(ws, double, censor->n_kept);
    double *slopes = WORKSPACE_ALLOC(ws, double, censor->n_kept);
    censor_gather(censor, y, values);
    spline_slopes(censor->spline, values, slopes);
    const size_t *kept = censor->kept;
    for (size_t i = 0; i + 1 < censor->n_kept; i++) {
        out[kept[i] - kept[0]] = values[i];
        for (size_t t = kept[i] + 1; t < kept[i + 1]; t++)
            out[t - kept[0]] = spline_value(censor->spline, values, slopes, i, (double) t);
    }
    out[censor_span(censor) - 1] = values[censor->n_kept - 1];
    workspace_release(ws, mark);
}

struct censored_operator {
    linop base;
    const linop *op; // borrowed
    bool *censored;  // owned
};

static void set_to_zero(const bool *censored, double *x, size_t n)
{
    for (size_t t = 0; t < n; t++)
        if (censored[t])
            x[t] = 0.0;
}

static void censored_apply(const linop *op, const struct block *u, struct block *x,
                           struct workspace *ws)
{
    const struct censored_operator *self = (const struct censored_operator *) op;
    linop_apply(self->op, u, x, ws);
    for (size_t v = 0; v < x->n_series; v++)
        set_to_zero(self->censored, block_series(x, v), op->n_out);
}

static void censored_adjoint(const linop *op, const struct block *x, struct block *u,
                             struct workspace *ws)
{
    const struct censored_operator *self = (const struct censored_operator *) op;
    size_t mark = workspace_mark(ws);
    struct block kept = {op->n_out, x->n_series, op->n_out,
                         WORKSPACE_ALLOC(ws, double, op->n_out * x->n_series)};
    for (size_t v = 0; v < x->n_series; v++) {
        memcpy(block_series(&kept, v), block_series(x, v), op->n_out * sizeof(double));
        set_to_zero(self->censored, block_series(&kept, v), op->n_out);
    }
    linop_adjoint(self->op, &kept, u, ws);
    workspace_release(ws, mark);
}

static void censored_free(linop *op)
{
    struct censored_operator *self = (struct censored_operator *) op;
    g_free(self->censored);
    g_free(self);
}

linop *censor_operator(const linop *op, const bool *censored)
{
    struct censored_operator *self = g_new0(struct censored_operator, 1);
    self->op = op;
    self->censored = g_memdup2(censored, op->n_out * sizeof(bool));
    self->base = (linop){.n_in = op->n_in,
                         .n_out = op->n_out,
                         .apply = censored_apply,
                         .adjoint = censored_adjoint,
                         .free = censored_free};
    self->base.norm2 = linop_power_norm2(&self->base);
    return &self->base;
}
