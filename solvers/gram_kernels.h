// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>

/**
 * Lower triangles stored by rows, each row padded to whole groups of TRIANGLE_PAD doubles (one
 * cache line), so that every product runs over full registers. Entries right of the diagonal are
 * zero.
 */
enum { TRIANGLE_PAD = 8 };

/** n rounded up to a multiple of TRIANGLE_PAD. */
static inline size_t triangle_padded(size_t n)
{
    return (n + TRIANGLE_PAD - 1) / TRIANGLE_PAD * TRIANGLE_PAD;
}

/** Where row i begins. */
static inline size_t triangle_row(size_t i)
{
    size_t group = i / TRIANGLE_PAD;
    return TRIANGLE_PAD * (group + 1) * (TRIANGLE_PAD / 2 * group + i % TRIANGLE_PAD);
}

/**
 * The hot loops of the methods that work on a Gram matrix, compiled for one instruction set;
 * reached through struct kernels. Vectors are padded like rows (triangle_padded) and 64-byte
 * aligned; outputs do not overlap inputs.
 */
struct gram_kernels {
    /** y = N x for a triangle N of n rows. x is zero in its padding. */
    void (*multiply)(const double *rows, size_t n, const double *x, double *y);

    /** x = N' y. Sets the padding of x to zero; reads n entries of y. */
    void (*multiply_transposed)(const double *rows, size_t n, const double *y, double *x);

    /**
     * The rotation (a, b) <- (s a + c b, c a - s b) of two vectors of n entries, n a multiple of
     * TRIANGLE_PAD.
     */
    void (*rotate)(double c, double s, double *a, double *b, size_t n);

    /**
     * r = b - sum_{i < n_active} w_i G_{index_i}, G_j the n entries from gram + j * n on, n a
     * multiple of TRIANGLE_PAD. Returns max |r|.
     */
    double (*subtract_columns)(const double *gram, size_t n, const size_t *index, const double *w,
                               size_t n_active, const double *b, double *r);

    /**
     * The least g >= 0 with |c_j + g slope_j| = lambda - g for a j < n, and that j: where lines
     * from |c_j| <= lambda first meet the falling bound. n a multiple of TRIANGLE_PAD.
     */
    double (*first_crossing)(const double *c, const double *slope, size_t n, double lambda,
                             size_t *where);
};
