// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/layer.h"

/**
 * The step of ISTA with any step size: ST(z - a A' r, lambda a), r = A z - x, and its derivative.
 * It is the layer of SLISTA, and with a = 1 / L what the safeguard of every Lasso network does.
 * Tape: A' r, n_in doubles a series. Ablin, Moreau, Massias and Gramfort 2019.
 */
void lasso_step_forward(const struct layer_call *call, double a, struct block *out, double *tape);
void lasso_step_backward(const struct layer_call *call, double a, const double *tape,
                         const struct block *out_adjoint, const struct layer_gradient *gradient,
                         double *a_gradient);

/** layer_kind.descend and its backward pass for every kind whose state is the iterate z. */
void lasso_descend(const struct layer_call *call, struct block *out, void *tape);
void lasso_descend_backward(const struct layer_call *call, const void *tape,
                            const struct block *out_adjoint, const struct layer_gradient *gradient);
