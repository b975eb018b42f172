// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/layer.h"

/**
 * A step of proximal gradient descent, prox_{lambda a TV}(y - a A' r), r = A y - x, and its
 * derivative: the layer of the `step` networks, and with a = 1 / L what the safeguard of every TV
 * network that holds u does.
 */
struct tv_step {
    double a;
    const struct block *y;        // n_in samples a series
    const struct block *residual; // A y - x
};

/** Bytes a series that tv_step_forward keeps. */
size_t tv_step_bytes(const struct layer_context *context);

/** The step; out may have longer columns, of which the first n_in samples are written. */
void tv_step_forward(const struct layer_call *call, const struct tv_step *step, struct block *out,
                     void *tape);

/**
 * From dLoss/d(out) to dLoss/dy (set), and to x and lambda where wanted. Returns dLoss/da.
 */
double tv_step_backward(const struct layer_call *call, const struct tv_step *step, const void *tape,
                        const struct block *out_adjoint, struct block *y_adjoint,
                        const struct layer_gradient *gradient);

/** layer_kind.n_state, .descend and its backward pass for kinds whose state is u. */
size_t tv_n_state(const struct layer_context *context);
void tv_descend(const struct layer_call *call, struct block *out, void *tape);
void tv_descend_backward(const struct layer_call *call, const void *tape,
                         const struct block *out_adjoint, const struct layer_gradient *gradient);
