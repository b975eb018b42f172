// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>

enum figure_outcome {
    FIGURE_DRAWN,
    FIGURE_NO_GNUPLOT, // not installed: script and table are there to be drawn elsewhere
    FIGURE_FAILED,     // *error says why
};

/**
 * Runs gnuplot on a script of a folder, with that folder as the working one; no shell is involved.
 * Error: APP_ERROR_OUTPUT with gnuplot's own words.
 */
enum figure_outcome figure_draw(const char *folder, const char *script, GError **error);
