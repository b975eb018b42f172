// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/kernels.h"

#include <glib.h>
#include <stddef.h>

/**
 * What must be left of a column, relative to the largest, after its part along the others was
 * taken out. Filtered columns that depend on each other do so up to 1e-13 or so, not to 1e-16.
 */
#define ORTHOBASIS_INDEPENDENT 1e-10

/** Orthonormal columns in R^n, to take their span out of series; immutable once made. */
struct orthobasis {
    size_t n;
    size_t rank;
    double *q;                     // owned; n x rank, column-major
    const struct kernels *kernels; // of this processor
};

/** The empty basis in R^n. */
void orthobasis_init(struct orthobasis *basis, size_t n);

/**
 * Adds the directions of n_columns columns (n x n_columns, column-major) that are independent of
 * each other, by QR with column pivoting: those with |R_ii| > ORTHOBASIS_INDEPENDENT |R_00| stay.
 * Columns are taken to be orthogonal to the basis already, or exactly zero. Returns how many were
 * dropped.
 */
size_t orthobasis_add(struct orthobasis *basis, const double *columns, size_t n_columns);

/** Adds columns that are known to be orthogonal to each other and to the basis; none is zero. */
void orthobasis_add_orthogonal(struct orthobasis *basis, const double *columns, size_t n_columns);

/** y -= Q Q' y; coefficients: rank doubles of scratch. */
void orthobasis_remove(const struct orthobasis *basis, double *y, double *coefficients);

void orthobasis_clear(struct orthobasis *basis);
