// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>

/** Samples to which rows of panel kernels are padded, with zeros. */
enum { PANEL_PAD = 8 };

/** n_time rounded up to a multiple of PANEL_PAD. */
static inline size_t panel_padded(size_t n_time)
{
    return (n_time + PANEL_PAD - 1) / PANEL_PAD * PANEL_PAD;
}

/**
 * The hot loops of block coordinate descent, compiled for one instruction set; reached through
 * struct kernels. A panel is n_rows x n_orient, column-major with columns ld apart, n_orient 1 or
 * 3. Rows are n_time samples apart, n_time a multiple of PANEL_PAD; fastest where they are 64-byte
 * aligned. Outputs do not overlap inputs.
 */
struct panel_kernels {
    /** rows -= panel delta: n_rows x n_time; delta: n_orient x n_time. */
    void (*subtract_product)(const double *panel, size_t ld, size_t n_rows, size_t n_orient,
                             const double *delta, size_t n_time, double *rows);

    /** out = panel' rows: n_orient x n_time; rows: n_rows x n_time. */
    void (*correlate)(const double *panel, size_t ld, size_t n_rows, size_t n_orient,
                      const double *rows, size_t n_time, double *out);
};
