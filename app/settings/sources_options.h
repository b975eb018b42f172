// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/settings/options.h"

/** What a window of a recording and a leadfield need: rows of a struct sources_options. */
extern const struct option window_rows[];
