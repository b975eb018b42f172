// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/linop.h"

/**
 * The operator A L of the synthesis form of TV: u = L z is the cumulative sum of z, so that z_1 is
 * the level of u and z_i, i > 1, its jumps. op: borrowed, to outlive the result.
 */
linop *linop_new_synthesis(const linop *op);

/** u = L z, z = L^-1 u, n samples; in place if both are the same. */
void synthesis_sum(const double *z, double *u, size_t n);
void synthesis_difference(const double *u, double *z, size_t n);

/** g = L' g: the cumulative sum from the end, in place. */
void synthesis_sum_from_end(double *g, size_t n);
