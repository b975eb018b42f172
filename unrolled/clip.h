// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/layer.h"

/** out = the projection of q on [-lambda_v th, lambda_v th], series by series; out may be q. */
void clip_forward(const struct layer_call *call, double th, const struct block *q,
                  struct block *out);

/**
 * From dLoss/d(out) to dLoss/dq (set; may be the same block). Returns dLoss/dth, and adds
 * dLoss/dlambda where wanted.
 */
double clip_backward(const struct layer_call *call, double th, const struct block *q,
                     const struct block *out_adjoint, struct block *q_adjoint,
                     const struct layer_gradient *gradient);
