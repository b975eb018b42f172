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
 * Runs gnuplot on a script of a folder, with that folder as the working one; no shell is involved,
 * and no start-up file of the user's is read. The script draws each of `images` (names, NULL at the
 * end) by `set output hidden."NAME"`, where the variable hidden, "" unless given, is what comes
 * before the name: here the images are drawn under hidden names, looked at, and published. See
 * FIGURE_PREAMBLE.
 * Error: APP_ERROR_OUTPUT with gnuplot's own words, or IO_ERROR_OUTPUT.
 */
enum figure_outcome figure_draw(const char *folder, const char *script, const char *const *images,
                                bool overwrite, GError **error);

/** What a script begins with: so it can be run by hand too. */
#define FIGURE_PREAMBLE "if (!exists('hidden')) hidden = ''\n"
