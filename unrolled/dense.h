// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/block.h"

/** A learned matrix, row-major as in parameter files. */
struct dense {
    const double *weights; // borrowed
    size_t n_rows;
    size_t n_columns;
};

/** out = alpha W in + beta out, series by series. */
void dense_apply(const struct dense *w, double alpha, const struct block *in, double beta,
                 struct block *out);

/** out = alpha W' in + beta out. */
void dense_adjoint(const struct dense *w, double alpha, const struct block *in, double beta,
                   struct block *out);

/** gradient (row-major, like W) += alpha sum_v out_adjoint_v in_v'. NULL: does nothing. */
void dense_gradient(const struct dense *w, double alpha, const struct block *in,
                    const struct block *out_adjoint, double *gradient);
