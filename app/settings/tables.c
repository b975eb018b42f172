// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings/tables.h"

const struct option_table *const option_tables[] = {
    &apply_options,           &bench_command_options, &config_options,
    &convert_options,         &deconv_options,        &demo_options,
    &denoise_options,         &hrf_options,           &info_options,
    &report_options,          &reproduce_options,     &run_command_options,
    &simulate_digits_options, &simulate_fmri_options, &simulate_lasso_options,
    &simulate_meeg_options,   &simulate_tv_options,   &solve_options,
    &sources_options,         &training_options,      NULL,
};

const struct option_table *const run_tables[] = {&deconv_options, &sources_options,
                                                 &training_options, NULL};
