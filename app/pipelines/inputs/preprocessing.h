// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>

/** How series are cleaned, in the words of the settings; borrowed, NULL: not at all. */
struct preprocessing {
    const char *detrend;
    const char *bandpass;
    const char *standardize;
};

/**
 * How series were cleaned before a network saw them: words "detrend=cosine:128",
 * "bandpass=0.01:0.1", "standardize=zscore", separated by commas, with the values that `deconv`
 * takes ("none" for a band-pass that is not there). What is not named may be anything. A scale is
 * no matter to a network, which maps c x to c u; drifts and frequencies are.
 *
 * "detrend: expected ..., found ..." for the first word that differs, or NULL. Owned.
 */
char *preprocessing_mismatch(const char *text, const struct preprocessing *found);

enum { PREPROCESSING_STEPS = 3 };

/** "detrend", "bandpass", "standardize". */
extern const char *const preprocessing_names[PREPROCESSING_STEPS];

/** The step of a word NAME=VALUE, and its value; PREPROCESSING_STEPS where it is none. */
size_t preprocessing_step(const char *word, const char **value);
