// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/reproduce/reproduction.h"
#include "solvers/block.h"

/** Series of a recording, as the authors of the experiment on UK Biobank prepare them. */
struct recorded {
    struct block x; // owned data
    double tr_s;
    size_t n_constant; // series that do not vary: dropped
    bool cleaned;      // an image; the rows of an array are taken as they are
};

/**
 * Reads an image (linear trends and all outside 0.01 .. 0.1 Hz taken out, z-scores, over all
 * frames; then the first n_frames of them), or an array whose rows are the series.
 *
 * Of an image of 30 voxels or more along each axis, the cube of 20 voxels from voxel (10, 10, 10)
 * is taken, else all of it; at most `most` series, evenly spaced. Errors: IO_ERROR, DECONV_ERROR,
 * APP_ERROR_INPUT (too short, no interval, no series that vary).
 */
bool recordings_read(struct reproduction *r, const char *path, size_t n_frames, size_t most,
                     struct recorded *recorded, GError **error);
