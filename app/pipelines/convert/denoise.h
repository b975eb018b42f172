// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/outputs/outcome.h"
#include "io/recording.h"
#include "solvers/parallel.h"

/** How lambda is chosen for a channel of T samples; sigma: its noise, by noise_sigma. */
enum denoise_rule {
    DENOISE_FIXED, // the value given, in the unit of the channel
    DENOISE_LUT,   // sigma sqrt(2 ln T - ln(1 + 4 ln T))
    DENOISE_MAD,   // the lambda whose residual has the variance sigma^2
    DENOISE_RATIO, // a fraction of lambda_max, above which the solution is a constant
    DENOISE_UT,    // sigma sqrt(2 ln T)
    DENOISE_N_RULES
};

/** The options of `taut denoise`. */
struct denoise_options {
    const char *input;
    const char *output;
    double lambda; // a fraction, or a value; NaN: none was given
    int rule;      // of enum denoise_rule; -1: by whether there is a lambda
    size_t part;   // as in struct convert_options
};

/** "fixed", "lut", ... in the order of the enum; NULL-terminated. */
extern const char *const denoise_rule_names[];

/**
 * Denoises the channels of a sensor recording that was read, in place: each becomes the u that
 * minimises 1/2 ||y - u||^2 + lambda sum_i |u_{i+1} - u_i|, in SI units (gain 1, offset 0).
 * Channels of triggers, constant ones and those with NaN or infinities stay as they are.
 *
 * results: one a series, those of triggers SERIES_OUTSIDE. False: stopped.
 */
bool denoise_recording(struct recording *recording, enum denoise_rule rule, double value,
                       struct series_result *results, struct parallel *team);
