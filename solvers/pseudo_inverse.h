// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/linop.h"

/**
 * The Moore-Penrose inverse of A as a dense operator: from x to the u of least norm among those
 * of least ||x - A u||. Singular values below that of linop_rank count as zero. Time O(n_in n_out
 * min(n_in, n_out)): for small operators.
 */
linop *linop_new_pseudo_inverse(const linop *op);

/** The matrix of an operator, n_out x n_in, column-major; to be freed. */
double *linop_to_matrix(const linop *op);

/** Its singular values, min(n_in, n_out) of them, the largest first; to be freed. */
double *linop_singular_values(const linop *op);

/** Singular values above max(n_in, n_out) 2^-52 times the largest. */
size_t linop_rank(const linop *op);
