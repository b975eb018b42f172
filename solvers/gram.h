// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/kernels.h"

#include <glib.h>

/**
 * The Gram matrix G = M' M of a Lasso min_w 1/2 ||x - M w||^2 + lambda ||w||_1, of which methods
 * need no more than G and b = M' x. Column j is the ld entries from values + j * ld on, ld = n
 * padded as rows of a triangle are, zero in the padding. Immutable and shared by threads.
 */
struct gram {
    size_t n;             // columns of M
    size_t ld;            //
    size_t rank;          // at least the rank of G: the smaller side of M
    const double *values; // 64-byte aligned; owned if from gram_new
    const struct gram_kernels *kernels;
};

/** The Gram matrix of the n columns of a matrix: n_rows x n, column-major. */
struct gram *gram_new(const double *matrix, size_t n_rows, size_t n);
void gram_free(struct gram *gram);
typedef struct gram owned_gram; // for g_autoptr(owned_gram)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_gram, gram_free)

/** G_ij. */
static inline double gram_entry(const struct gram *gram, size_t i, size_t j)
{
    return gram->values[j * gram->ld + i];
}
