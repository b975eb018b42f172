// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/linop.h"

/** The plainest convolution, by its definition, to test solvers that know of filters. */
struct test_convolution {
    linop base;
    struct filter filter;
    double *h; // owned
};

static inline void test_convolution_apply(const linop *op, const struct block *u, struct block *x,
                                          struct workspace *ws)
{
    (void) ws;
    for (size_t v = 0; v < u->n_series; v++) {
        const double *in = block_series(u, v);
        double *out = block_series(x, v);
        for (size_t t = 0; t < op->n_out; t++) {
            out[t] = 0.0;
            for (size_t k = 0; k < op->filter->n && k <= t; k++)
                if (t - k < op->n_in)
                    out[t] += op->filter->h[k] * in[t - k];
        }
    }
}

static inline void test_convolution_adjoint(const linop *op, const struct block *x, struct block *u,
                                            struct workspace *ws)
{
    (void) ws;
    for (size_t v = 0; v < x->n_series; v++) {
        const double *in = block_series(x, v);
        double *out = block_series(u, v);
        for (size_t t = 0; t < op->n_in; t++) {
            out[t] = 0.0;
            for (size_t k = 0; k < op->filter->n && t + k < op->n_out; k++)
                out[t] += op->filter->h[k] * in[t + k];
        }
    }
}

static inline void test_convolution_free(linop *op)
{
    struct test_convolution *self = (struct test_convolution *) op;
    g_free(self->h);
    g_free(self);
}

/** A causal or full convolution with n_h samples of response, of n_in samples of activity. */
static inline linop *test_convolution_new(const double *h, size_t n_h, size_t n_in, bool full)
{
    struct test_convolution *self = g_new0(struct test_convolution, 1);
    self->h = g_memdup2(h, n_h * sizeof(double));
    self->filter = (struct filter){self->h, n_h, full};
    self->base = (linop){.n_in = n_in,
                         .n_out = full ? n_in + n_h - 1 : n_in,
                         .filter = &self->filter,
                         .apply = test_convolution_apply,
                         .adjoint = test_convolution_adjoint,
                         .free = test_convolution_free};
    self->base.norm2 = linop_power_norm2(&self->base);
    return &self->base;
}
