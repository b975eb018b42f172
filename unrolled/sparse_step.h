// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/layer.h"
#include "unrolled/shrink.h"

/**
 * What the networks with soft thresholds share, for the Lasso (state z, design A) and for TV in
 * the synthesis form (state z, u = L z the cumulative sum, design A L, z_1 without a threshold).
 */

/** layer_kind.n_state and .tape_bytes: n_in numbers, z and what is thresholded or D' r. */
size_t sparse_n_state(const struct layer_context *context);
size_t sparse_tape_bytes(const struct layer_context *context);

/**
 * Learned thresholds: one for each entry, or one for all (but the level); they begin at 1 / L, and
 * are in units of that in the synthesis form.
 */
size_t sparse_n_thresholds(const struct layer_context *context);
void sparse_init_thresholds(const struct layer_context *context, double *th);
void sparse_project_thresholds(const struct layer_context *context, double *th);
struct shrink sparse_shrink(const struct layer_call *call, const double *th);

/**
 * The step of ISTA with any step size, ST(z - a D' r, lambda a), r = D z - x, and its derivative:
 * the layer of SLISTA (Ablin, Moreau, Massias and Gramfort, 2019), and with a = 1 / L what the
 * safeguard does. Tape: D' r. a_gradient is added to; NULL: not wanted.
 */
void sparse_step_forward(const struct layer_call *call, double a, struct block *out, double *tape);
void sparse_step_backward(const struct layer_call *call, double a, const double *tape,
                          const struct block *out_adjoint, const struct layer_gradient *gradient,
                          double *a_gradient);

/** layer_kind.descend and its backward pass. */
void sparse_descend(const struct layer_call *call, struct block *out, void *tape);
void sparse_descend_backward(const struct layer_call *call, const void *tape,
                             const struct block *out_adjoint,
                             const struct layer_gradient *gradient);

/** layer_kind.start, .output and .output_adjoint of the synthesis form. */
void sparse_start(const struct layer_context *context, const struct block *x, const struct block *u,
                  struct block *state, struct workspace *ws);
void sparse_output(const struct layer_context *context, const struct block *state,
                   const struct block *x, struct block *u, struct workspace *ws);
void sparse_output_adjoint(const struct layer_context *context, const struct block *u_adjoint,
                           struct block *state_adjoint, struct block *x_gradient,
                           struct workspace *ws);
