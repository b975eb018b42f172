// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/run/run_options.h"
#include "app/settings/settings.h"

/**
 * What the settings of one recording ask for; to be cleared whatever is returned. Errors:
 * APP_ERROR_USAGE where a setting names several files, APP_ERROR_INPUT where none matches.
 */
bool settings_run_options(const struct settings *settings, struct run_options *options,
                          GError **error);
