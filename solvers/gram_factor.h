// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/gram.h"
#include "solvers/workspace.h"

#include <stdbool.h>

/**
 * N, the inverse of the Cholesky factor of G_SS for a set S of columns that grows and shrinks by
 * one: N G_SS N' = I. Beside it y = N r for one right-hand side r on S, so that G_SS^-1 r = N' y
 * costs one triangular product. Lives in the workspace; rows grow as S does. Vectors that callers
 * pass have room for |S| entries padded as a row is, and are 64-byte aligned.
 */
struct gram_factor {
    const struct gram *gram; // borrowed
    struct workspace *ws;    // borrowed
    size_t n;                // columns in S
    size_t capacity;         // rows that there is room for
    size_t *index;           // S, in the order of the rows
    double *rows;            // N, a triangle of gram_kernels.h, up to rotations of its rows
    double *y;               // N r
    double *cross;           // scratch: G_Sj of the column last offered, then a carried row
    double *overlap;         // scratch: N G_Sj
};

/** An empty S. What it holds is gone when the workspace is released to before this call. */
struct gram_factor gram_factor_begin(const struct gram *gram, struct workspace *ws);

/**
 * Column j joins S with r_j = rhs, in O(|S|^2). False, and S is as before, where it depends on S:
 * ||Pi_S M_j||^2 <= 1e-11 ||M_j||^2, Pi_S the projection on the complement of the columns of S.
 */
bool gram_factor_add(struct gram_factor *factor, size_t j, double rhs);

/** The column in row q leaves S, by Givens rotations of the rows after it. */
void gram_factor_drop(struct gram_factor *factor, size_t q);

/** solution = G_SS^-1 r. */
void gram_factor_solve(const struct gram_factor *factor, double *solution);

/**
 * direction = -G_SS^-1 G_Sj for the column j that gram_factor_add has just refused: moving w_j by 1
 * and w_S by it leaves M w where it is.
 */
void gram_factor_null_direction(const struct gram_factor *factor, double *direction);

/** v = G_SS^-1 v, for any v. */
void gram_factor_apply_inverse(const struct gram_factor *factor, double *v);
