// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/gram_kernels.h"
#include "solvers/panel_kernels.h"
#include "solvers/segment_kernels.h"

/**
 * The hot loops, compiled for one instruction set.
 *
 * Take a set with kernels_best when tables or operators are built and keep the pointer there. The
 * same set gives the same bits for the same input, whatever the alignment of the arrays; two sets
 * differ by rounding, since some of them have fused multiply-adds. No loop reads or writes beyond
 * the samples that its comment names, none allocates, and outputs never overlap inputs.
 */
struct kernels {
    const char *name; // "plain", "avx2" or "avx512"

    /**
     * A correlation: y_t = sum_{k < n_h} h_k x_{t+k} for t < n; x has n + n_h - 1 samples.
     * With zeros after x it is the adjoint of a convolution; with n_h - 1 zeros before x and h
     * reversed it is the convolution itself.
     */
    void (*fir)(const double *h, size_t n_h, const double *x, double *y, size_t n);

    /** sum_{i < n} a_i b_i. */
    double (*dot)(const double *a, const double *b, size_t n);

    /** sum_{i < n} |a_i - b_i|; the arrays may overlap. */
    double (*distance)(const double *a, const double *b, size_t n);

    /** max_{i < n} |x_i|, 0 for n = 0. */
    double (*largest)(const double *x, size_t n);

    /** y_i = x_i - c s_i for i < n; y may be x or s. */
    void (*subtract)(const double *x, double c, const double *s, double *y, size_t n);

    /**
     * y_t = sum_{t <= s < n} x_s; y may be x. Returns max_{0 < t < n} |y_t|, the first of them left
     * out, and 0 for n = 1.
     */
    double (*suffix_sums)(const double *x, double *y, size_t n);

    const struct gram_kernels *gram; // compiled for the same set
    const struct panel_kernels *panel;
    const struct segment_kernels *segment;
};

/** The fastest set that this processor runs. */
const struct kernels *kernels_best(void);

/** The set of that name, or NULL where this build or this processor does not have it. */
const struct kernels *kernels_named(const char *name);
