// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Time courses at some vertices of one hemisphere; everything is borrowed. */
struct source_courses {
    double start_s;
    double interval_s;
    size_t n_vertices;
    const uint32_t *vertex; // n_vertices, ascending; may be NULL where there is none
    size_t n_time;
    const double *values; // n_vertices x n_time, row-major
};

/**
 * Writes a source estimate (.stc) as MNE and FreeView read it: big-endian, times in milliseconds,
 * float32 values, time-major. Values that do not fit become infinite. No vertex is no error.
 * Error: IO_ERROR_OUTPUT, IO_ERROR_EXISTS.
 */
bool writer_stc_write(const char *path, const struct source_courses *courses, bool overwrite,
                      GError **error);
