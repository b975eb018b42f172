// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/block.h"
#include "solvers/workspace.h"

#include <stdbool.h>

/** Convolution with a response by FFT, and its adjoint; immutable, shared by threads. */
struct hrf_fft;

/** For n_h samples of h, and series of up to n_in samples. NULL in a build without FFTW. */
struct hrf_fft *hrf_fft_new(const double *h, size_t n_h, size_t n_in);
void hrf_fft_free(struct hrf_fft *fft);

/**
 * out = the first samples of F^-1 (F in . s) for each series, s the spectrum of h or its
 * conjugate. in: at most n_in + n_h - 1 samples a series, out too.
 */
void hrf_fft_filter(const struct hrf_fft *fft, bool conjugate, const struct block *in,
                    struct block *out, struct workspace *ws);
