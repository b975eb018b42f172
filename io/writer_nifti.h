// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"

enum image_type { IMAGE_FLOAT32, IMAGE_INT16 };

/** An image to write: a volume (3-D, one frame) or a series (4-D). */
struct image {
    const struct image_grid *grid;
    size_t n_frames;
    bool is_series;    // 4-D, be it of one frame; of several it is anyway
    double interval_s; // 4-D only; 0: none
    enum image_type type;
    double scale; // int16: scl_slope; the file holds the filled value / scale, rounded
    /**
     * Fills values of `count` voxels of frame t from grid index first on. Called for disjoint
     * ranges on any thread, in any order.
     */
    void (*fill)(void *data, size_t t, size_t first, size_t count, float *values);
    void *data;
};

/**
 * Writes path (.nii or .nii.gz) by the publish protocol: NIfTI-1, or NIfTI-2 where a dimension
 * does not fit. gz: independent members of 8 MiB, filled and compressed through io->run, mtime 0;
 * the bytes do not depend on the number of threads. Error: IO_ERROR_OUTPUT, _EXISTS, _CANCELLED.
 */
bool writer_nifti_write(const char *path, const struct image *image, bool overwrite,
                        const struct io_context *io, GError **error);

/** Bytes that writing an image of n_bytes holds besides, for a team of n_threads. */
size_t writer_nifti_memory(uint64_t n_bytes, size_t n_threads);
