// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/bytes.h"
#include "io/fif.h"
#include "io/sensors.h"

/** Where the samples of an epoch stand: n_channels rows of n_time numbers. */
struct fif_epoch {
    uint32_t file;   // of a split recording
    uint64_t offset; // in it
    const struct bytes_format *format;
};

/**
 * Adds a part for each epoch of a file (block 373), in order: named as its event is, with its code;
 * its samples to `epochs`, of struct fif_epoch. Files of split epochs are added one after the
 * other. Error: IO_ERROR_INPUT, _MEMORY.
 */
bool fif_epochs_add(const struct fif *fif, uint32_t file, double rate_hz, struct sensors *sensors,
                    GArray *epochs, const struct io_context *io, GError **error);

/** The n samples of an epoch as they are stored. */
bool fif_epochs_read(const struct fif *fif, const struct fif_epoch *epoch, size_t n, double *rows,
                     const struct io_context *io, GError **error);
