// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/kernels.h"
#include "solvers/linop.h"

enum problem_kind {
    PROBLEM_LASSO, // min_z 1/2 ||x - A z||^2 + lambda ||z||_1
    PROBLEM_TV,    // min_u 1/2 ||x - A u||^2 + lambda ||nabla u||_1, (nabla u)_i = u_{i+1} - u_i
};

/**
 * A family of problems that share their operator A; x and lambda differ from series to series.
 * Immutable and shared by threads. Below, "trivial solution" is the best constant for TV and 0
 * for the Lasso: the solution for every lambda >= lambda_max.
 */
struct problem {
    enum problem_kind kind;
    const linop *op;               // borrowed
    bool positive;                 // Lasso: z >= 0
    double *level;                 // owned; TV: S = A 1, n_out samples; Lasso: NULL
    double level_norm2;            // <S, S>
    const struct kernels *kernels; // of this processor
};

/** What is known about a point: all in float64, by code that no solver shares. */
struct certificate {
    double objective;         // at the point (TV: after its level was re-optimised)
    double duality_gap;       // at least objective - minimum, up to rounding
    double trivial_objective; // at the trivial solution; 0 where that fits x up to rounding
    double relative_gap;      // duality_gap / trivial_objective; / 1/2 ||x||^2 where that is 0
};

struct problem *problem_new_tv(const linop *op);
struct problem *problem_new_lasso(const linop *op);

/**
 * The Lasso with z >= 0. Its lambda_max is max(0, max_j (A' x)_j), the penalty of a point with a
 * negative entry is infinite, and of the methods "exact" alone takes it.
 */
struct problem *problem_new_positive_lasso(const linop *op);
void problem_free(struct problem *problem);
typedef struct problem owned_problem; // for g_autoptr(owned_problem)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_problem, problem_free)

/** TV: c = <S, x> / <S, S>, the constant that fits x best; 0 where S = 0. Lasso: 0. */
double problem_trivial_level(const struct problem *problem, const double *x);

/**
 * out = Pi x, n_out samples (TV; the Lasso has Pi = I), and zero where x is in the span of S up to
 * rounding: what is left is no signal. x and out do not overlap.
 */
void problem_project(const struct problem *problem, const double *x, double *out);

/**
 * The smallest lambda whose solution is the trivial one. Lasso: ||A' x||_inf.
 * TV: ||L' A' (x - c S)||_inf, where L' is the cumulative sum from the end.
 */
double problem_lambda_max(const struct problem *problem, const double *x, struct workspace *ws);

/** The penalty at u, without lambda: ||u||_1, or ||nabla u||_1. */
double problem_penalty(const struct problem *problem, const double *u);

/** Adds lambda times a subgradient of the penalty to `out` (n_in): the one with 0 at every kink. */
void problem_penalty_subgradient(const struct problem *problem, const double *u, double lambda,
                                 double *out);

/** The objective at u. */
double problem_objective(const struct problem *problem, const double *x, const double *u,
                         double lambda, struct workspace *ws);

/**
 * TV: moves u along the constants to where the objective is least,
 * u_i += <S, x - A u> / <S, S>. Lasso: nothing.
 */
void problem_optimise_level(const struct problem *problem, const double *x, double *u,
                            struct workspace *ws);

/**
 * The duality gap of u by a scaled residual as dual point.
 *
 * TV: with Pi = I - S S' / ||S||^2 and r = Pi (x - A u), the dual point a r, a clipped to
 * +-lambda / ||v||_inf with v the cumulative sum of A' r from the end, is feasible: the projection
 * makes the sum of A' r vanish. Without it the number certifies nothing.
 * Lasso: the same with Pi = I and v = A' r. x: n_out samples, u: n_in samples, lambda >= 0.
 */
struct certificate problem_certify(const struct problem *problem, const double *x, const double *u,
                                   double lambda, struct workspace *ws);

/**
 * problem_certify of every series of a block, by products of the whole block: much faster for a
 * dense operator. lambda, results: one a series.
 */
void problem_certify_block(const struct problem *problem, const struct block *x,
                           const struct block *u, const double *lambda, struct certificate *results,
                           struct workspace *ws);
