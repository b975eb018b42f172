// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/layer.h"

/** Row i of D' scaled: row-major n_in x n_out, W = scale D'. */
void weights_adjoint(const linop *op, double scale, double *w);

/** Row-major n_in x n_in: W = I - D'D / norm2. */
void weights_gradient_step(const linop *op, double norm2, double *w);

/** Row-major n x n identity. */
void weights_identity(size_t n, double *w);
