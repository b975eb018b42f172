// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/linop.h"

/**
 * The levels of u without their shrinkage: out is constant where u is, and minimises ||x - A out||.
 *
 * Total variation draws levels together; where u jumps is kept, and the levels between the jumps
 * are refitted by least squares. A direction that A does not see (the last sample of a causal
 * response that begins with 0) stays as it is in u. It amplifies noise where segments are short: a
 * picture to look at beside u, not in its place. u, out: n_in x n_series; x: n_out x n_series; u
 * and out may be the same.
 */
void debias(const linop *op, const struct block *x, const struct block *u, struct block *out,
            struct workspace *ws);
