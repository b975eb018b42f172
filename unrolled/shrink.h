// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/block.h"

/**
 * Soft thresholding of a block: ST(a, t)_i = sign(a_i) max(|a_i| - t_i, 0), t_i = lambda_v unit
 * th_i; the first n_free entries, such as the level of TV, pass as they are.
 */
struct shrink {
    const double *lambda; // one a series, borrowed
    const double *th;     // >= 0, borrowed; one an entry (stride 1) or one for all (stride 0)
    size_t stride;
    double unit;
    size_t n_free;
};

/** out = ST(a); out may be a. */
void shrink_forward(const struct shrink *s, const struct block *a, struct block *out);

/**
 * From dLoss/d(out) to dLoss/da, which may overwrite a; adds dLoss/d(th) (summed over the series)
 * and dLoss/d(lambda) where they are not NULL. The derivative is 0 at |a| = t.
 */
void shrink_backward(const struct shrink *s, const struct block *a, const struct block *out_adjoint,
                     struct block *a_adjoint, double *th_gradient, double *lambda_gradient);
