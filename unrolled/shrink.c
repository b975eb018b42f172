// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/shrink.h"

#include <math.h>
#include <string.h>

void shrink_forward(const struct shrink *s, const struct block *a, struct block *out)
{
    for (size_t v = 0; v < a->n_series; v++) {
        const double *in = block_series(a, v);
        double *z = block_series(out, v);
        memmove(z, in, s->n_free * sizeof(double));
        for (size_t i = s->n_free; i < a->n_time; i++) {
            double rest = fabs(in[i]) - s->lambda[v] * s->unit * s->th[i * s->stride];
            z[i] = rest > 0.0 ? copysign(rest, in[i]) : 0.0;
        }
    }
}

void shrink_backward(const struct shrink *s, const struct block *a, const struct block *out_adjoint,
                     struct block *a_adjoint, double *th_gradient, double *lambda_gradient)
{
    for (size_t v = 0; v < a->n_series; v++) {
        const double *in = block_series(a, v);
        const double *adjoint = block_series(out_adjoint, v);
        double *through = block_series(a_adjoint, v);
        double slope = 0.0;
        memmove(through, adjoint, s->n_free * sizeof(double));
        for (size_t i = s->n_free; i < a->n_time; i++) {
            double th = s->unit * s->th[i * s->stride];
            double passed = fabs(in[i]) > s->lambda[v] * th ? adjoint[i] : 0.0;
            double t_adjoint = in[i] > 0.0 ? -passed : passed;
            through[i] = passed;
            if (th_gradient != NULL)
                th_gradient[i * s->stride] += s->lambda[v] * s->unit * t_adjoint;
            slope += th * t_adjoint;
        }
        if (lambda_gradient != NULL)
            lambda_gradient[v] += slope;
    }
}
