// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>

/**
 * Eigenvalues, ascending, of a symmetric n x n matrix, and its eigenvectors in place of it: that of
 * value k is the n entries from matrix + k * n on. Its entries are finite.
 */
void eigen_symmetric(double *matrix, size_t n, double *values);
