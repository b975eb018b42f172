// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"

/**
 * What a format implements. `open` fills a recording from the header; `frames` then hands every
 * stored frame, in order and in the stored sample type, to `take`. Called at most once for a
 * recording that was opened; a second pass opens again.
 */
struct reader {
    const char *name;
    /** Whether a file of this name that begins with these bytes is of the format. */
    bool (*recognise)(const char *path, const uint8_t *head, size_t n_head);
    bool (*open)(struct recording *recording, const struct io_context *io, GError **error);
    /**
     * Streams all frames: take(data, t, samples) gets n_series stored samples (float or double by
     * recording->type) and returns false to stop. To the end of the stream, gzip trailer included.
     */
    bool (*frames)(struct recording *recording,
                   bool (*take)(void *data, size_t t, const void *samples), void *data,
                   const struct io_context *io, GError **error);
    void (*close)(struct recording *recording);
};

extern const struct reader reader_array;
extern const struct reader reader_nifti;
