// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/linop.h"

enum hrf_conv_kind {
    HRF_CONV_CAUSAL, // n_out = n_in = n_time; activity before the first frame is 0
    HRF_CONV_FULL,   // n_out = n_time, n_in = n_time - n_h + 1
};

/**
 * How the convolution is computed: by direct sums, by FFT, or the faster of the two: FFT for
 * responses of more than 144 samples and more than 200 frames, as bench/hrf_conv measured.
 */
enum hrf_conv_method { HRF_CONV_AUTO, HRF_CONV_FIR, HRF_CONV_FFT };

/**
 * The convolution with a response as a linop: (A u)_t = sum_k h_k u_{t-k}; its adjoint is the
 * correlation (A' x)_j = sum_k h_k x_{j+k}. norm2 is the power iteration's. A response longer than
 * n_time is cut to it (causal). Error: DECONV_ERROR_VALUE (full with n_time < n_h, naming both; a
 * response that is not finite, or 0 in all of the n_time frames).
 */
linop *hrf_conv_new(const double *h, size_t n_h, size_t n_time, enum hrf_conv_kind kind,
                    enum hrf_conv_method method, GError **error);
