// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sources/mixed_norm.h"

/**
 * Sources sparser than those of the mixed norm, and less shrunk (irMxNE; Strohmeier, Bekhti,
 * Haueisen and Gramfort 2016): min_X 1/2 ||M - G X||_F^2 + beta sum_k sqrt(||X_k||_F).
 */
struct reweighted_options {
    double first_alpha; // of the first round, a mixed norm without weights
    double beta;
    double tol;        // relative gap of each round
    size_t max_rounds; //
    size_t max_passes; // of a round
};

struct reweighted_result {
    double objective; // there is no gap: the problem is not convex
    bool converged;   // same support, and objective to 1e-8, as the round before
    size_t n_rounds;  //
    size_t n_passes;  // of coordinate descent
    double first_gap; // relative gap of the first round
};

/**
 * At `ratio` of alpha_max: first_alpha = ratio alpha_max, beta = 10 ratio sqrt(alpha_max), which is
 * the problem of MNE-Python's user function. That divides G by alpha_max / 100 and takes
 * 100 ratio; the penalty, of degree 1/2, depends on the scale of G, and beta carries it here. At
 * most 10 rounds.
 */
struct reweighted_options reweighted_options_of(double ratio, double alpha_max);

/**
 * A local minimum, by majorisation: each round solves the mixed norm with G_k w_k on the support of
 * the round before, w_k = 2 sqrt(||X_k||_F), and takes X_k <- w_k X_k. The objective never rises.
 * objectives: of each round, max_rounds entries, or NULL. The estimate on entry does not matter.
 */
struct reweighted_result reweighted_solve(const struct mixed_norm *problem,
                                          const struct reweighted_options *options,
                                          struct source_estimate *estimate, double *objectives,
                                          struct workspace *ws);

/** 1/2 ||M - G X||_F^2 + beta sum_k sqrt(||X_k||_F). */
double reweighted_objective(const struct mixed_norm *problem,
                            const struct source_estimate *estimate, double beta);
