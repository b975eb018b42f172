// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/linop.h"

/**
 * The Moore-Penrose inverse of A as a dense operator: from x to the u of least norm among those
 * of least ||x - A u||. Singular values that linop_rank leaves out count as zero. Time
 * O(n_in n_out min(n_in, n_out)): for small operators.
 */
linop *linop_new_pseudo_inverse(const linop *op);

/** The singular values of an operator, min(n_in, n_out) of them, the largest first; to be freed. */
double *linop_singular_values(const linop *op);

/** The number of singular values above max(n_in, n_out) 2^-52 times the largest. */
size_t linop_rank(const linop *op);

/**
 * The operator Psi = (A^+)' nabla' of the dual of TV (Chambolle 2004), from A^+ as above: n_in - 1
 * unknowns, n_out samples, n_in > 1. Where A has full column rank, u = A^+ (x - Psi v).
 */
linop *linop_new_tv_dual(const linop *pseudo_inverse);
