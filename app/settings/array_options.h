// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/settings/options.h"

/** What an operator is made of: rows of a struct operator_options. */
extern const struct option operator_option_rows[];

/** For OPTION_FILE: what is wrong with the name of an array to be written. Owned. */
char *array_option_check(const char *path);

/** The options of `taut apply`; texts are borrowed. */
struct apply_options {
    const char *network;
    const char *data;
    const char *output;
    size_t layers;       // OPTION_NO_COUNT: all
    int safeguard;       // 0 on, 1 off; -1: as in training
    double certify;      // NaN: not asked for
    double lambda_ratio; // NaN: as in training
    const char *matrix;  // NULL: what the network's file has
    const char *trace;   // NULL: none
};
