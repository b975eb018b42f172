// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/run/run_options.h"
#include "app/settings/options.h"

/**
 * What options of the table deconv_options, of one recording, ask for; lives as long as they.
 * Errors: those of options_fill.
 */
bool deconv_options_fill(struct options *options, struct run_options *run, GError **error);

/** What is wrong with how series were cleaned (preprocessing.h), or NULL. Owned. */
char *preprocessing_option_check(const char *text);
