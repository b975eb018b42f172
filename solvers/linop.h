// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/block.h"
#include "solvers/workspace.h"

#include <glib.h>
#include <stdbool.h>

/** The response of a convolution, for solvers that use its structure. */
struct filter {
    const double *h; // n samples, borrowed from the operator
    size_t n;
    bool full; // full: n_out = n_in + n - 1; causal: n_out = n_in
};

/**
 * A linear operator A on time, applied to each series of a block alone: x = A u.
 *
 * An implementation embeds this struct as its first member and fills every field. Operators are
 * immutable once made and shared by threads; the slots allocate nothing but from the workspace
 * and cannot fail. Input and output may not overlap.
 */
typedef struct linop linop;
struct linop {
    size_t n_in;  // samples of u
    size_t n_out; // samples of x
    double norm2; // at least ||A||_2^2, the largest eigenvalue of A'A; tight to 0.1 %
    const struct filter *filter; // borrowed; set for convolutions and the identity, else NULL
    const double *matrix;        // borrowed; set for dense operators (n_out x n_in, column-major)
    void (*apply)(const linop *op, const struct block *u, struct block *x, struct workspace *ws);
    void (*adjoint)(const linop *op, const struct block *x, struct block *u, struct workspace *ws);
    void (*free)(linop *op);
};

/** x = A u. */
void linop_apply(const linop *op, const struct block *u, struct block *x, struct workspace *ws);

/** u = A' x, the transpose. */
void linop_adjoint(const linop *op, const struct block *x, struct block *u, struct workspace *ws);

/** One series: x (n_out samples) = A u (n_in samples). */
void linop_apply_series(const linop *op, const double *u, double *x, struct workspace *ws);

/** One series: u (n_in samples) = A' x (n_out samples). */
void linop_adjoint_series(const linop *op, const double *x, double *u, struct workspace *ws);

void linop_free(linop *op);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(linop, linop_free)

/**
 * An upper bound of ||A||_2^2: power iteration on A'A to a relative change of 1e-6, times 1.0005.
 * The starting vector is fixed: the result is the same on every call.
 */
double linop_power_norm2(const linop *op);

/** The identity on n samples; its filter is the single sample 1. */
linop *linop_new_identity(size_t n);

/** The dense operator x = M u; matrix: n_out x n_in, column-major, copied. */
linop *linop_new_dense(const double *matrix, size_t n_out, size_t n_in);
