// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/linop.h"
#include "solvers/segment_kernels.h"

/** What the segment active set knows of a filter: made once, immutable, shared by threads. */
struct segment_filter {
    struct segment_tables tables; // arrays owned
    size_t n_in;                  // samples of activity, tables.end
    size_t n_out;                 // samples of the series
    size_t n_h;                   // samples of the response that act, tables.reach
    double *h;                    // owned
    double *level;                // owned; S = A 1
    double level_norm2;           // <S, S>
    /** One bit a sample, to the padding: steps that are neither zero nor parallel to S. owned */
    uint64_t *candidates;
};

/** A response longer than the series (causal) acts by its first n_in samples only. */
struct segment_filter *segment_filter_new(const struct filter *filter, size_t n_in);
void segment_filter_free(struct segment_filter *filter);
typedef struct segment_filter owned_segment_filter; // for g_autoptr(owned_segment_filter)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_segment_filter, segment_filter_free)

/** n rounded up to whole words of marks. */
static inline size_t segment_padded(size_t n)
{
    return (n + SEGMENT_PAD - 1) / SEGMENT_PAD * SEGMENT_PAD;
}
