// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/workspace.h"

/** Fewer samples than this have too few details for a median. */
enum { NOISE_MIN_SAMPLES = 8 };

/**
 * The standard deviation of white noise in a series: the median absolute deviation of the finest
 * db3 wavelet details, median|d - median d| / 0.6744898 (Donoho and Johnstone 1994). Details are
 * orthonormal combinations of six samples, blind to quadratic trends; those that would reach over
 * an end are left out. n >= NOISE_MIN_SAMPLES, finite. Noise with an autocorrelation, and series
 * after a low-pass, have less in their finest details than in all: then it is too small.
 */
double noise_sigma(const double *y, size_t n, struct workspace *ws);

/**
 * What to tell a user of noise_sigma on series that went through a low-pass at high_hz (0: none):
 * an owned message, or NULL where the finest details, above half the Nyquist frequency, are there.
 */
char *noise_warning(double high_hz, double tr_s);
