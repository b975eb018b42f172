// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** A leadfield (leadfield.h) and whitened data. */
struct minimum_norm_input {
    const double *gain;   // n_sensors x n_positions n_orient, column-major; trace(G G') = n_sensors
    const double *weight; // of each column: amplitude in A m = weight times coefficient
    const double *data;   // row-major n_sensors x n_time
    size_t n_sensors;
    size_t n_positions;
    size_t n_orient; // 1 or 3
    size_t n_time;
    double snr;         // of amplitudes, assumed: lambda^2 = 1 / snr^2; MNE-Python has 3
    bool is_normalised; // divide by what noise alone would give (dSPM)
};

/**
 * A map of all positions without sparsity, as a reference: X = G' (G G' + lambda^2 I)^-1 M
 * (Hamalainen and Ilmoniemi 1994), in A m; or, is_normalised, X_k over the standard deviation that
 * white noise gives it, without unit (dSPM; Dale et al. 2000). map: row-major n_positions x n_time;
 * signed for one orientation, the norm of the moment for three. One Cholesky factor. Noise is that
 * of `data`: an average of n trials has sqrt(n) less of it than the covariance of single trials
 * says.
 */
void minimum_norm(const struct minimum_norm_input *input, double *map);
