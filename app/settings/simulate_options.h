// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/simulate/meeg_phantom.h"
#include "app/simulate/phantom.h"
#include "app/simulate/simulate.h"

/** Options of the kinds of `taut simulate`; see tables.h. */
struct simulate_digits_options {
    const char *output;
    const char *data; // table of digits, or NULL
    size_t seed;
    size_t n_atoms;
};

struct simulate_fmri_options {
    const char *output;
    struct phantom_law law;
    int datatype; // 0: int16, 1: float32
};

struct simulate_lasso_options {
    const char *output;
    struct simulate_lasso law; // n_observed, n_unknown: OPTION_NO_COUNT where not given
};

struct simulate_meeg_options {
    const char *output;
    struct meeg_law law;
};

struct simulate_tv_options {
    const char *output;
    struct simulate_tv law; // snr_db: NaN where not given
};
