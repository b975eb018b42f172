// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/tv_prox.h"

#include "solvers/prox_tv.h"

// The tape of a series: the number of pieces, where each starts, the signs of the jumps.
static struct tv_segments segments_on(const char *tape, size_t n_in)
{
    size_t *head = (size_t *) (void *) tape;
    return (struct tv_segments){
        .n = head[0], .start = head + 1, .sign = (signed char *) (head + n_in + 2)};
}

size_t tv_prox_bytes(size_t n_in)
{
    size_t bytes = (n_in + 2) * sizeof(size_t) + n_in + 1;
    return (bytes + sizeof(size_t) - 1) / sizeof(size_t) * sizeof(size_t);
}

void tv_prox_forward(const struct layer_call *call, const struct block *a, double mu,
                     struct block *u, char *tape, size_t stride)
{
    for (size_t v = 0; v < a->n_series; v++) {
        struct tv_segments segments;
        if (tape != NULL)
            segments = segments_on(tape + v * stride, a->n_time);
        prox_tv(block_series(a, v), a->n_time, call->lambda[v] * mu, block_series(u, v),
                tape == NULL ? NULL : &segments, call->ws);
        if (tape != NULL)
            *(size_t *) (void *) (tape + v * stride) = segments.n;
    }
}

double tv_prox_backward(const struct layer_call *call, double mu, const char *tape, size_t stride,
                        const struct block *u_adjoint, struct block *a_adjoint,
                        double *lambda_gradient)
{
    double mu_gradient = 0.0;
    for (size_t v = 0; v < u_adjoint->n_series; v++) {
        struct tv_segments segments = segments_on(tape + v * stride, a_adjoint->n_time);
        double slope =
            prox_tv_backward(&segments, block_series(u_adjoint, v), block_series(a_adjoint, v));
        mu_gradient += call->lambda[v] * slope;
        if (lambda_gradient != NULL)
            lambda_gradient[v] += mu * slope;
    }
    return mu_gradient;
}
