// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/kernels.h"
#include "solvers/workspace.h"

#include <stdbool.h>

/**
 * min_X 1/2 ||M - G X||_F^2 + alpha sum_k ||X_k||_F over the blocks of a working set. Rows of
 * samples (of X, B, C, R) are n_time apart, zero in their padding; block k has the n_orient rows
 * (columns of G) from k * n_orient on.
 *
 * Two ways to keep what a block needs, C_k = G_k' (M - G X). With a Gram matrix, all C are kept,
 * and a block that changes costs |columns| n_time; without it, the residual is, and every look at a
 * block costs n_sensors n_time. The first wins up to a few times n_sensors columns.
 */
struct block_problem {
    size_t n_blocks;
    size_t n_orient;         // 1 or 3
    size_t n_time;           // padded as panel_kernels.h has it
    double alpha;            // > 0
    double data_norm2;       // ||M||_F^2
    const double *curvature; // L_k = ||G_k||_2^2
    const double *b;         // B = G' M
    const double *gram;      // G' G, columns ld apart; NULL: the residual form
    size_t ld;               //
    const double *gain;      // residual form: columns of G, n_sensors each
    const double *data;      // residual form: M, n_sensors rows
    size_t n_sensors;        //
    const struct kernels *kernels;
};

/** What is known about a point. */
struct block_view {
    double objective;
    double gap;   // of the working set: a lower bound of the gap over all columns
    double scale; // a: the dual point is a (M - G X)
};

/**
 * From ||M - G X||_F^2, <M, M - G X>, sum ||X_k||_F and max ||C_k||_F: the dual point is a (M - G
 * X) with a = clip(<M, R> / ||R||^2, +-alpha / max ||C_k||_F).
 */
struct block_view block_view_of(double residual2, double inner, double penalty, double largest,
                                double alpha);

struct block_descent_result {
    double gap;
    size_t n_passes; // of coordinate descent
    size_t n_newton; // steps of Newton that were kept
};

/**
 * Lowers the objective from x until the gap is at most target_gap, or max_passes passes are over,
 * or rounding keeps it from falling. x: rows, the start on entry. kept: C (Gram form) or M - G X
 * (residual form), on return.
 *
 * The step of a block is that of block coordinate descent, X_k <- V max(0, 1 - alpha / (L_k
 * ||V||_F)) with V = X_k + C_k / L_k (Gramfort, Kowalski and Hamalainen 2012). In the residual form
 * a pass takes all blocks in turn. In the Gram form it takes those in use, then the worst violators
 * one by one, and two steps on the blocks in use follow, block_radial and block_newton: with the
 * nearly parallel columns of leadfields they take the place of thousands of passes.
 */
struct block_descent_result block_descent(const struct block_problem *problem, double target_gap,
                                          size_t max_passes, double *x, double *kept,
                                          struct workspace *ws);

/**
 * One step of Newton on the blocks of x that are not zero; false, and x is as before, where it
 * does not lower the objective from `objective`. Gram form. On success `kept` is C at the new x.
 *
 * With K = G_S' G_S, E = diag(||X_k||) and Xhat = X / ||X||, the Hessian is (K + alpha E^-1) x I
 * less one rank-one term a block, so that a step costs a factor of |S| columns and one of |S|
 * blocks, whatever the number of samples. With one sample it is exact on the right signs.
 */
bool block_newton(const struct block_problem *problem, double objective, double *x, double *kept,
                  struct workspace *ws);

/**
 * The best norms of the blocks of x for the directions Xhat_k = X_k / ||X_k||_F that they have: the
 * Lasso min_w 1/2 ||M - sum_k w_k G_k Xhat_k||_F^2 + alpha ||w||_1, solved exactly by
 * gram_active_set.h. Of neighbours that share what one of them explains, the others become zero.
 * Gram form; false, and x is as before, where it does not lower the objective from `objective`. On
 * success `kept` is C at the new x.
 */
bool block_radial(const struct block_problem *problem, double objective, double *x, double *kept,
                  struct workspace *ws);
