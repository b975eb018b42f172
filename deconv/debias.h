// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/linop.h"

/**
 * The levels of u without their shrinkage: out is constant where u is, and minimises ||x - A out||.
 *
 * Total variation draws levels together; where u jumps is kept, and the levels between the jumps
 * are refitted by least squares: for a convolution by the banded normal equations of the segments,
 * else, and where those are too ill-conditioned, by singular values; there a direction that A does
 * not see (the last sample of a causal response that begins with 0) stays as it is in u. It
 * amplifies noise where segments are short: a picture to look at beside u, not in its place.
 */
struct debias;

/** For the operator A (borrowed); immutable, shared by threads. */
struct debias *debias_new(const linop *op);
void debias_free(struct debias *self);
typedef struct debias owned_debias; // for g_autoptr(owned_debias)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_debias, debias_free)

/** u, out: n_in x n_series; x: n_out x n_series; u and out may be the same. */
void debias_apply(const struct debias *self, const struct block *x, const struct block *u,
                  struct block *out, struct workspace *ws);
