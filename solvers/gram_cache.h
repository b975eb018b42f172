// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/gram.h"
#include "solvers/workspace.h"

/** Columns that a cache holds at most, unless more are asked for at once: 32 MiB of products. */
enum { GRAM_CACHE_COLUMNS = 2048 };

/**
 * The Gram matrix of those columns of a large M that were asked for so far: what one series needs,
 * its neighbours find. Lives in the workspace, of one thread.
 */
struct gram_cache {
    const double *matrix; // M, borrowed: n_rows x n, column-major
    size_t n_rows;
    size_t n;
    struct workspace *ws; // borrowed
    size_t n_held;        // columns held
    size_t capacity;
    size_t *slot;    // of each column of M; SIZE_MAX where it is not held
    size_t *column;  // of each slot
    double *columns; // n_rows x n_held
    double *values;  // their Gram matrix, capacity apart
};

/** An empty cache. What it holds is gone when the workspace is released to before this call. */
struct gram_cache gram_cache_begin(const double *matrix, size_t n_rows, size_t n,
                                   struct workspace *ws);

/**
 * Makes what gram_cache_copy will need of these distinct columns of M. The cache forgets what it
 * holds when it would outgrow its bound.
 */
void gram_cache_hold(struct gram_cache *cache, const size_t *chosen, size_t n_chosen);

/**
 * The Gram matrix of columns that were held together by the last gram_cache_hold, in that order:
 * ld doubles a column, ld = n_chosen padded as in struct gram, zero in the padding.
 */
void gram_cache_copy(const struct gram_cache *cache, const size_t *chosen, size_t n_chosen,
                     double *values);
