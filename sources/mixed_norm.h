// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/kernels.h"
#include "solvers/workspace.h"
#include "sources/source_estimate.h"

#include <stdbool.h>

/**
 * Sparse sources that share their support over a window of time (MxNE; Gramfort, Kowalski and
 * Hamalainen 2012): min_X 1/2 ||M - G X||_F^2 + alpha sum_k ||X_k||_F.
 *
 * M, whitened data, is row-major: the n_time samples of a sensor are contiguous. G, whitened and
 * weighted, is column-major; position k has its n_orient columns from k * n_orient on, and X_k is
 * n_orient x n_time. All numbers are finite. Both arrays are borrowed; the rest is owned, immutable
 * and shared by threads.
 */
struct mixed_norm {
    const double *gain;
    const double *data;
    size_t n_sensors;
    size_t n_positions;
    size_t n_orient; // 1 or 3
    size_t n_time;
    size_t n_padded;     // n_time as rows of panel_kernels.h are padded
    double *padded_data; // M, rows n_padded apart
    double *b;           // G' M, rows n_padded apart
    double *curvature;   // ||G_k||_2^2
    double data_norm2;   // ||M||_F^2
    double alpha_max;    // max_k ||G_k' M||_F: X = 0 from there on
    const struct kernels *kernels;
};

struct mixed_norm_input {
    const double *gain;
    const double *data;
    size_t n_sensors;
    size_t n_positions;
    size_t n_orient;
    size_t n_time;
};

struct mixed_norm *mixed_norm_new(const struct mixed_norm_input *input);
void mixed_norm_free(struct mixed_norm *problem);
typedef struct mixed_norm owned_mixed_norm; // for g_autoptr(owned_mixed_norm)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_mixed_norm, mixed_norm_free)

struct mixed_norm_options {
    double tol;        // relative gap: duality gap / (1/2 ||M||_F^2)
    size_t max_passes; // of coordinate descent, over all working sets
};

/** tol 1e-6, 10000 passes. */
struct mixed_norm_options mixed_norm_options_default(void);

struct mixed_norm_result {
    double alpha;
    double objective;
    double duality_gap;  // by mixed_norm_certify
    double relative_gap; // duality_gap / (1/2 ||M||_F^2)
    bool converged;      // relative_gap <= tol
    size_t n_rounds;     // working sets
    size_t n_passes;     // of coordinate descent
    size_t n_newton;     // steps of Newton
};

/**
 * Minimises at alpha > 0, from the estimate given (an empty one will do), which the minimiser
 * replaces. The result is certified on all columns.
 *
 * Working sets as in celer and skglm (Massias, Gramfort and Salmon 2018; Bertrand et al. 2022): the
 * blocks in use and those nearest to the bound of the dual, twice as many as are in use; on
 * each, block_descent.h with Gram columns that are made once. Blocks that gap safe screening
 * (Ndiaye, Fercoq, Gramfort and Salmon 2017) proves to be zero are not looked at again.
 * With the same input the result is the same on every thread.
 */
struct mixed_norm_result mixed_norm_solve(const struct mixed_norm *problem, double alpha,
                                          const struct mixed_norm_options *options,
                                          struct source_estimate *estimate, struct workspace *ws);

/** What is known about a point, by code that no solver shares. */
struct mixed_norm_certificate {
    double objective;
    double duality_gap;   // >= objective - minimum, up to rounding
    double relative_gap;  // / (1/2 ||M||_F^2); 0 where M = 0
    double explained;     // 1 - ||M - G X||_F^2 / ||M||_F^2; 0 where M = 0
    double largest_block; // max_k ||G_k' (M - G X)||_F: alpha at the minimiser, unless X = 0
};

/**
 * The duality gap of X, over all columns: with R = M - G X, the dual point is a R,
 * a = clip(<M, R> / ||R||_F^2, +-alpha / max_k ||G_k' R||_F), and the gap
 * 1/2 ||R||^2 + alpha sum_k ||X_k||_F - a <M, R> + a^2 / 2 ||R||^2. In long double, but for the
 * search of the block with the largest ||G_k' R||_F.
 */
struct mixed_norm_certificate mixed_norm_certify(const struct mixed_norm_input *input,
                                                 const struct source_estimate *estimate,
                                                 double alpha);
