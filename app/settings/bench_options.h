// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/bench/bench.h"
#include "app/pipelines/inputs/operator.h"
#include "app/pipelines/sources/sources.h"

enum bench_kind { BENCH_LASSO, BENCH_PROX, BENCH_SOURCES, BENCH_TV };

/** The options of `taut bench`; texts are borrowed, NULL where not given. */
struct bench_command_options {
    int kind; // of enum bench_kind
    const char *output;
    const char *compare;
    const char *data;
    struct operator_options op;
    const char *law; // of simulated data
    char **solvers;
    struct bench_options race; // lambda_ratio: NaN where not given
    size_t n_series;           // OPTION_NO_COUNT where not given, as the next two
    size_t n_observed;
    size_t n_unknown;
    size_t seed;
    struct sources_options leadfield; // of sources
};
