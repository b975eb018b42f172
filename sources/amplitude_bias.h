// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sources/mixed_norm.h"

struct amplitude_bias_result {
    size_t n_iterations;
    bool converged; // no factor moved by 1e-6 or more in the last iteration
};

/**
 * Factors against the shrinkage of the penalty on amplitudes: towards the minimiser over d >= 1 of
 * 1/2 ||M - G diag(d) X||_F^2, one factor a position, so that the course of a source keeps its
 * shape (Gramfort, Strohmeier, Haueisen, Hamalainen and Kowalski 2013).
 *
 * From d = 1, at most 1000 iterations of FISTA (Beck and Teboulle 2009) of step 1 / (1.1 n_orient
 * ||G_S||_2^2 ||X||_2^2): those of MNE-Python, on purpose no more. Where fields of sources are
 * nearly parallel, a source that is all but zero has factors of hundreds at the minimiser, for
 * next to no gain in fit; stopping early leaves it alone. factors: one for each active position.
 */
struct amplitude_bias_result amplitude_bias(const struct mixed_norm_input *input,
                                            const struct source_estimate *estimate,
                                            double *factors);

/** X_k <- d_k X_k. */
void amplitude_bias_apply(struct source_estimate *estimate, const double *factors);
