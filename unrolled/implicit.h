// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/problem.h"

#include <stdbool.h>

/** Where implicit_backward leaves what it finds; everything is set, NULL: not wanted. */
struct implicit_gradient {
    double *x;        // n_out numbers
    double *lambda;   // one
    double *matrix;   // of A, n_out x n_in, column-major
    double *response; // of a convolution's filter, filter->n numbers
};

/**
 * The derivative of a loss through the solution u of a problem, not through the iterations that
 * found it: from u_adjoint = dLoss/du (n_in numbers) to x, lambda and the operator.
 *
 * Near (x, lambda) the solution keeps its pieces (TV) or its support (Lasso) and their signs, so
 * that u = B v with (A B)'(A B) v = B'A'x - lambda c. With w solving the same system for
 * B' u_adjoint and p = B w: dLoss/dx = A p, dLoss/dlambda = -c'w, dLoss/dA = r p' - (A p) u',
 * r = x - A u. (Bertrand et al., Implicit differentiation of Lasso-type models, 2020; for TV
 * Cherkaoui, Sulam and Moreau, 2020, proposition 3.1.)
 *
 * u must be a minimiser up to rounding, constant to the bit on its pieces, as exact solvers give
 * it. False where the reduced system is singular: the solution is then not unique, and there is no
 * derivative. x: n_out samples, lambda > 0.
 */
bool implicit_backward(const struct problem *problem, const double *x, double lambda,
                       const double *u, const double *u_adjoint,
                       const struct implicit_gradient *gradient, struct workspace *ws);
