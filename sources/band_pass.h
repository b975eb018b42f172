// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sources/whiten.h"

#include "solvers/workspace.h"

/**
 * A linear-phase FIR filter applied without delay: an ideal band, its edges in the middle of its
 * transitions, by a Hamming window (the design that MNE-Python calls firwin). Immutable and shared
 * by threads.
 */
struct band_pass;

struct band_pass_input {
    double rate_hz;
    double low_hz;  // 0: nothing is taken out below
    double high_hz; // INFINITY: nothing is taken out above
};

/**
 * Transitions are min(max(low / 4, 2), low) and min(max(high / 4, 2), rate / 2 - high) Hz wide; the
 * length is 3.3 over the narrower one, in seconds, made odd. NULL and SOURCES_ERROR_BAND where the
 * edges are not 0 <= low < high and high < rate / 2.
 */
struct band_pass *band_pass_new(const struct band_pass_input *input, GError **error);
void band_pass_free(struct band_pass *filter);
typedef struct band_pass owned_band_pass; // for g_autoptr(owned_band_pass)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_band_pass, band_pass_free)

/** Coefficients of the filter: an odd number. */
size_t band_pass_length(const struct band_pass *filter);

/** The n coefficients, symmetric; borrowed. */
const double *band_pass_coefficients(const struct band_pass *filter);

/**
 * x (n samples) filtered in place, by overlap-add of FFTs. Beyond its ends the series goes on as
 * its odd reflection, 2 x_0 - x_i, as far as there are samples for it, and then as zeros.
 */
void band_pass_apply(const struct band_pass *filter, double *x, size_t n, struct workspace *ws);
