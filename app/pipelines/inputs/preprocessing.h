// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/settings/settings.h"

/**
 * How series were cleaned before a network saw them: words "detrend=cosine:128",
 * "bandpass=0.01:0.1", "standardize=zscore", separated by commas, with the values that `deconv`
 * takes ("none" for a band-pass that is not there). What is not named may be anything. A scale is
 * no matter to a network, which maps c x to c u; drifts and frequencies are.
 *
 * NULL where text is such a list, else what is wrong with it. Owned.
 */
char *preprocessing_check(const char *text);

/** "detrend: expected ..., found ..." for the first word that settings differ in, or NULL. Owned.
 */
char *preprocessing_mismatch(const char *text, const struct settings *settings);
