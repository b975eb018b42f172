// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/settings/options.h"

/** The options of every command. */
struct common_options {
    bool force;
    bool help;
    size_t jobs; // OPTION_NO_COUNT: not given
    bool json;
    const char *log;
    size_t mem_limit; // 0: not given
    bool quiet;
    bool verbose;
};
extern const struct option_table common_options;

// Those of the commands; the struct that a table fills in is named as the table.
extern const struct option_table apply_options;
extern const struct option_table bench_command_options;
extern const struct option_table config_options;
extern const struct option_table convert_options;
extern const struct option_table deconv_options;
extern const struct option_table demo_options;
extern const struct option_table denoise_options;
extern const struct option_table hrf_options;
extern const struct option_table info_options;
extern const struct option_table report_options;
extern const struct option_table reproduce_options;
extern const struct option_table run_command_options;
extern const struct option_table simulate_digits_options;
extern const struct option_table simulate_fmri_options;
extern const struct option_table simulate_lasso_options;
extern const struct option_table simulate_meeg_options;
extern const struct option_table simulate_tv_options;
extern const struct option_table simulate_options; // what can be drawn; not one of the following
extern const struct option_table solve_options;
extern const struct option_table sources_options;
extern const struct option_table training_options;

/** Those that `taut run` takes configurations of, the usual one first; ends with NULL. */
extern const struct option_table *const run_tables[];

/** All of the commands, by command and kind; ends with NULL. */
extern const struct option_table *const option_tables[];
