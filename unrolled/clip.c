// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/clip.h"

#include <math.h>

void clip_forward(const struct layer_call *call, double th, const struct block *q,
                  struct block *out)
{
    for (size_t v = 0; v < q->n_series; v++) {
        double bound = call->lambda[v] * th;
        for (size_t i = 0; i < q->n_time; i++)
            block_series(out, v)[i] = fmin(fmax(block_series(q, v)[i], -bound), bound);
    }
}

double clip_backward(const struct layer_call *call, double th, const struct block *q,
                     const struct block *out_adjoint, struct block *q_adjoint,
                     const struct layer_gradient *gradient)
{
    double th_gradient = 0.0;
    for (size_t v = 0; v < q->n_series; v++) {
        double bound = call->lambda[v] * th;
        double at_bound = 0.0;
        for (size_t i = 0; i < q->n_time; i++) {
            double value = block_series(q, v)[i];
            double adjoint = block_series(out_adjoint, v)[i];
            bool inside = fabs(value) < bound;
            block_series(q_adjoint, v)[i] = inside ? adjoint : 0.0;
            at_bound += inside ? 0.0 : copysign(1.0, value) * adjoint;
        }
        th_gradient += call->lambda[v] * at_bound;
        if (gradient->lambda != NULL)
            gradient->lambda[v] += th * at_bound;
    }
    return th_gradient;
}
