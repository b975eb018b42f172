// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/fif.h"

/** Something at a sample, as lists of events of MNE have it. */
struct sample_event {
    double sample; // on the clock of the acquisition
    int value;     // the code
    char *text;    // owned; what the code is called, or NULL
};

/** Whether a file of this name is a list of events by samples, `.fif` or text (`.eve`, `.lst`). */
bool event_file_recognise(const char *path);

/**
 * The events of a list, of struct sample_event, owned: FIF (`-eve.fif`: block 361, its tag 3561 of
 * sample, code before and code), or text with a line an event of the same three numbers, or of four
 * with a time in seconds after the sample. Errors: IO_ERROR_INPUT, _MEMORY.
 */
GArray *event_file_read(const char *path, const struct io_context *io, GError **error);

/** The same of the list in a FIF file that is open. */
GArray *event_list_of_fif(const struct fif *fif, const struct io_context *io, GError **error);
