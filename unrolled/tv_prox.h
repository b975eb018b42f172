// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/layer.h"

/** Bytes a series of the tape that the prox of TV needs for its way back, n_in samples. */
size_t tv_prox_bytes(size_t n_in);

/**
 * u_v = prox of (lambda_v mu) TV at a_v, series by series; u may be a. The tape of series v begins
 * at tape + v * stride (NULL: nothing is kept).
 */
void tv_prox_forward(const struct layer_call *call, const struct block *a, double mu,
                     struct block *u, char *tape, size_t stride);

/**
 * From dLoss/du to dLoss/da (set; may be the same block), by the pieces on the tape. Returns
 * dLoss/dmu, the sum over the series, and adds dLoss/dlambda unless lambda_gradient is NULL.
 */
double tv_prox_backward(const struct layer_call *call, double mu, const char *tape, size_t stride,
                        const struct block *u_adjoint, struct block *a_adjoint,
                        double *lambda_gradient);
