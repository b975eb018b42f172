// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "deconv/spatial_graph.h"
#include "solvers/linop.h"
#include "solvers/parallel.h"

#include <stdbool.h>

/** What holds neighbours together; D_e = u_a - u_b for an edge e = (a, b). */
enum spatial_kind {
    SPATIAL_GROUP,     // lambda_s sum_e ||D_e||_2: whole time courses are equal, or are not
    SPATIAL_LAPLACIAN, // lambda_s / 2 sum_e ||D_e||_2^2
    SPATIAL_TV,        // lambda_s sum_e ||D_e||_1: each sample for itself (Karahanoglu et al. 2013)
};

/**
 * Deconvolution of all series at once,
 *
 *     min_U sum_v 1/2 ||x_v - A u_v||^2 + lambda_t ||nabla u_v||_1 + penalty_s(U),
 *
 * with A causal, of n_time x n_time. A series without neighbours is solved alone.
 */
struct spatial_problem {
    const linop *op;                   // borrowed; with a filter that is not full
    const struct spatial_graph *graph; // borrowed
    const float *x;                    // borrowed; n_time of each series, one series after another
    enum spatial_kind kind;
    double lambda_t;
    double lambda_s;
};

struct spatial_options {
    double tol;       // relative duality gap at which it ends
    size_t max_iter;  //
    size_t gap_every; // iterations from one certificate to the next
    double rho;       // of the augmented Lagrangian
};

/** tol 1e-3, 300 iterations, a certificate every 5, rho 1. */
struct spatial_options spatial_options_default(void);

/** Where it is. relative_gap: duality gap / objective of the best constants. */
struct spatial_progress {
    size_t iteration;
    double objective;
    double duality_gap;
    double relative_gap;
};

/** Told of every certificate; false ends the work there. */
typedef bool spatial_visit(void *data, const struct spatial_progress *progress);

/** Bytes that spatial_solve asks for besides x and u. */
size_t spatial_bytes(const struct spatial_problem *problem);

/**
 * Into u (laid out as x), by the alternating direction method of multipliers over edges (Boyd et
 * al. 2011; Hallac et al. 2015 for the group kind) around the exact solver of a voxel, over-relaxed
 * by 1.6. The answer is the iterate with its certificate, *last: a gap of the whole problem,
 * recomputed from u, x and a feasible dual point. False if it was stopped (by `visit` or the
 * team's signal), or memory could not be had (iteration 0): u is then of no use where no
 * certificate has been given.
 *
 * Same bytes for any number of threads.
 */
bool spatial_solve(const struct spatial_problem *problem, const struct spatial_options *options,
                   struct parallel *team, spatial_visit *visit, void *data, float *u,
                   struct spatial_progress *last);
