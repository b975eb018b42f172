// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/solver.h"

/**
 * Improves u by accelerated proximal gradient with restart until its relative gap is at most
 * options->tol or options->max_iter is reached: for solvers that come to a halt above their
 * tolerance. x: n_out samples; u: n_in samples, the start and the result, its level optimal;
 * options: tol, max_iter and observer. Returns the iterations; the caller certifies.
 */
size_t fista_refine(const struct problem *problem, const struct solver_options *options,
                    const double *x, double lambda, double *u, struct workspace *ws);

/**
 * For exact methods that rounding brought to a halt at u: fista_refine from there, to the smaller
 * of `tol` and 1e-10 within 5000 iterations, without an observer. Keeps the better of the points.
 */
void fista_rescue(const struct problem *problem, double tol, const double *x, double lambda,
                  double *u, struct workspace *ws);
