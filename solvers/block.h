// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>
#include <string.h>

/** Series in a tile of work: large enough to amortise a call, small enough to stay in cache. */
enum { BLOCK_SERIES = 32 };

/**
 * The unit of work: n_series series of n_time samples each, column-major.
 * Series v starts at data + v * stride, stride >= n_time. The memory belongs to whoever made it.
 */
struct block {
    size_t n_time;
    size_t n_series;
    size_t stride;
    double *data;
};

static inline double *block_series(const struct block *block, size_t v)
{
    return block->data + v * block->stride;
}

/** The series [first, first + count) of a block, in place. */
static inline struct block block_slice(const struct block *block, size_t first, size_t count)
{
    return (struct block){block->n_time, count, block->stride, block_series(block, first)};
}

/** A block around one contiguous series. */
static inline struct block block_of_series(double *series, size_t n_time)
{
    return (struct block){n_time, 1, n_time, series};
}

/** to = from, of the same shape. */
static inline void block_copy(const struct block *from, struct block *to)
{
    for (size_t v = 0; v < from->n_series; v++)
        memcpy(block_series(to, v), block_series(from, v), from->n_time * sizeof(double));
}

/** to += scale * from, of the same shape. */
static inline void block_add(struct block *to, double scale, const struct block *from)
{
    for (size_t v = 0; v < from->n_series; v++)
        for (size_t t = 0; t < from->n_time; t++)
            block_series(to, v)[t] += scale * block_series(from, v)[t];
}

/** block *= scale. */
static inline void block_scale(struct block *block, double scale)
{
    for (size_t v = 0; v < block->n_series; v++)
        for (size_t t = 0; t < block->n_time; t++)
            block_series(block, v)[t] *= scale;
}

/** The sum over samples and series of a b. */
static inline double block_dot(const struct block *a, const struct block *b)
{
    double sum = 0.0;
    for (size_t v = 0; v < a->n_series; v++)
        for (size_t t = 0; t < a->n_time; t++)
            sum += block_series(a, v)[t] * block_series(b, v)[t];
    return sum;
}
