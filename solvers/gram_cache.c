// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/gram_cache.h"

#include <cblas.h>
#include <stdint.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

struct gram_cache gram_cache_begin(const double *matrix, size_t n_rows, size_t n,
                                   struct workspace *ws)
{
    struct gram_cache cache = {.matrix = matrix,
                               .n_rows = n_rows,
                               .n = n,
                               .ws = ws,
                               .capacity = FIRST_CAPACITY,
                               .slot = WORKSPACE_ALLOC(ws, size_t, n),
                               .column = WORKSPACE_ALLOC(ws, size_t, n)};
    cache.columns = WORKSPACE_ALLOC(ws, double, n_rows *FIRST_CAPACITY);
    cache.values = WORKSPACE_ALLOC(ws, double, FIRST_CAPACITY *FIRST_CAPACITY);
    for (size_t j = 0; j < n; j++)
        cache.slot[j] = SIZE_MAX;
    return cache;
}

static void make_room(struct gram_cache *cache, size_t n_needed)
{
    if (n_needed <= cache->capacity)
        return;
    size_t capacity = MAX(n_needed, 2 * cache->capacity);
    double *columns = WORKSPACE_ALLOC(cache->ws, double, cache->n_rows *capacity);
    double *values = WORKSPACE_ALLOC(cache->ws, double, capacity *capacity);
    memcpy(columns, cache->columns, cache->n_rows * cache->n_held * sizeof(double));
    for (size_t k = 0; k < cache->n_held; k++)
        memcpy(values + k * capacity, cache->values + k * cache->capacity,
               cache->n_held * sizeof(double));
    cache->columns = columns;
    cache->values = values;
    cache->capacity = capacity;
}

static void forget(struct gram_cache *cache)
{
    for (size_t k = 0; k < cache->n_held; k++)
        cache->slot[cache->column[k]] = SIZE_MAX;
    cache->n_held = 0;
}

static size_t count_missing(const struct gram_cache *cache, const size_t *chosen, size_t n_chosen)
{
    size_t count = 0;
    for (size_t i = 0; i < n_chosen; i++)
        count += cache->slot[chosen[i]] == SIZE_MAX;
    return count;
}

// The products of the columns from slot `first` on with all before them and with each other.
static void multiply_new(struct gram_cache *cache, size_t first)
{
    size_t n = cache->n_held;
    size_t ld = cache->capacity;
    double *values = cache->values;
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int) n, (int) (n - first),
                (int) cache->n_rows, 1.0, cache->columns, (int) cache->n_rows,
                cache->columns + first * cache->n_rows, (int) cache->n_rows, 0.0,
                values + first * ld, (int) ld);
    for (size_t i = 0; i < first; i++)
        for (size_t k = first; k < n; k++)
            values[i * ld + k] = values[k * ld + i];
}

void gram_cache_hold(struct gram_cache *cache, const size_t *chosen, size_t n_chosen)
{
    size_t n_missing = count_missing(cache, chosen, n_chosen);
    if (n_missing == 0)
        return;
    if (cache->n_held + n_missing > GRAM_CACHE_COLUMNS) {
        forget(cache);
        n_missing = n_chosen;
    }
    make_room(cache, cache->n_held + n_missing);
    size_t first = cache->n_held;
    for (size_t i = 0; i < n_chosen; i++) {
        size_t j = chosen[i];
        if (cache->slot[j] != SIZE_MAX)
            continue;
        memcpy(cache->columns + cache->n_held * cache->n_rows, cache->matrix + j * cache->n_rows,
               cache->n_rows * sizeof(double));
        cache->column[cache->n_held] = j;
        cache->slot[j] = cache->n_held++;
    }
    multiply_new(cache, first);
}

void gram_cache_copy(const struct gram_cache *cache, const size_t *chosen, size_t n_chosen,
                     double *values)
{
    size_t ld = triangle_padded(n_chosen);
    for (size_t k = 0; k < n_chosen; k++) {
        const double *from = cache->values + cache->slot[chosen[k]] * cache->capacity;
        double *to = values + k * ld;
        for (size_t i = 0; i < n_chosen; i++)
            to[i] = from[cache->slot[chosen[i]]];
        for (size_t i = n_chosen; i < ld; i++)
            to[i] = 0.0;
    }
}
