// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/linop.h"
#include "tests/check.h"

#include <string.h>

/** A dense operator of standard normal numbers. */
static inline linop *dense_normal(size_t n_out, size_t n_in, GRand *rand)
{
    double *matrix = g_new(double, n_out *n_in);
    fill_normal(rand, matrix, n_out * n_in);
    linop *op = linop_new_dense(matrix, n_out, n_in);
    g_free(matrix);
    return op;
}

/** The full convolution as a dense operator: n_in + n_h - 1 samples from n_in. */
static inline linop *dense_convolution(const double *h, size_t n_h, size_t n_in)
{
    size_t n_out = n_in + n_h - 1;
    double *matrix = g_new0(double, n_out *n_in);
    for (size_t j = 0; j < n_in; j++)
        memcpy(matrix + j * n_out + j, h, n_h * sizeof *h);
    linop *op = linop_new_dense(matrix, n_out, n_in);
    g_free(matrix);
    return op;
}
