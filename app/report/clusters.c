// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/clusters.h"

#include <string.h>

/** A cluster and the voxel that it was met at. */
struct met {
    struct cluster cluster;
    size_t first;
};

static int compare(const void *a, const void *b)
{
    const struct met *left = a, *right = b;
    if (left->cluster.n_voxels != right->cluster.n_voxels)
        return left->cluster.n_voxels < right->cluster.n_voxels ? 1 : -1;
    return (left->first > right->first) - (left->first < right->first);
}

/** Voxels that are left to be looked at, and those that wait for their neighbours. */
struct search {
    const size_t *dim;
    uint8_t *left; // owned; non-zero: inside, and not met yet
    size_t *stack; // owned
    size_t n;
};

static void meet_neighbours(struct search *search, size_t voxel)
{
    const size_t *dim = search->dim;
    size_t at[3] = {voxel % dim[0], voxel / dim[0] % dim[1], voxel / dim[0] / dim[1]};
    size_t low[3], high[3];
    for (size_t d = 0; d < 3; d++) {
        low[d] = at[d] == 0 ? 0 : at[d] - 1;
        high[d] = MIN(at[d] + 2, dim[d]);
    }
    for (size_t z = low[2]; z < high[2]; z++)
        for (size_t row = z * dim[1] + low[1]; row < z * dim[1] + high[1]; row++)
            for (size_t i = row * dim[0] + low[0]; i < row * dim[0] + high[0]; i++)
                if (search->left[i]) {
                    search->left[i] = 0;
                    search->stack[search->n++] = i;
                }
}

static struct cluster grow(struct search *search, size_t first, const float *values)
{
    struct cluster cluster = {0, first};
    search->left[first] = 0;
    search->stack[search->n++] = first;
    while (search->n > 0) {
        size_t voxel = search->stack[--search->n];
        cluster.n_voxels++;
        if (values[voxel] > values[cluster.peak] ||
            (values[voxel] == values[cluster.peak] && voxel < cluster.peak))
            cluster.peak = voxel;
        meet_neighbours(search, voxel);
    }
    return cluster;
}

size_t clusters_find(const struct image_grid *grid, const uint8_t *inside, const float *values,
                     struct cluster *clusters, size_t most)
{
    size_t n_grid = grid->dim[0] * grid->dim[1] * grid->dim[2];
    g_autofree uint8_t *left = g_new(uint8_t, MAX(n_grid, 1));
    g_autofree size_t *stack = g_new(size_t, MAX(n_grid, 1));
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct met));
    struct search search = {grid->dim, left, stack, 0};
    memcpy(left, inside, n_grid);
    for (size_t i = 0; i < n_grid; i++) {
        if (!left[i])
            continue;
        struct met met = {grow(&search, i, values), i};
        g_array_append_val(all, met);
    }
    g_array_sort(all, compare);
    for (guint i = 0; i < MIN(all->len, (guint) most); i++)
        clusters[i] = g_array_index(all, struct met, i).cluster;
    return all->len;
}
