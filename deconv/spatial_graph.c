// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/spatial_graph.h"

#include <stdbool.h>

struct spatial_graph *spatial_graph_new(size_t n_nodes, const uint32_t *ends, size_t n_edges)
{
    g_assert(n_nodes <= G_MAXUINT32 && n_edges <= G_MAXUINT32);
    struct spatial_graph *graph = g_new(struct spatial_graph, 1);
    *graph = (struct spatial_graph){.n_nodes = n_nodes,
                                    .n_edges = n_edges,
                                    .ends = g_new0(uint32_t, MAX(2 * n_edges, 1)),
                                    .first = g_new0(size_t, n_nodes + 1),
                                    .incident = g_new(uint32_t, MAX(2 * n_edges, 1))};
    for (size_t e = 0; e < n_edges; e++) {
        g_assert(ends[2 * e] != ends[2 * e + 1]);
        graph->ends[2 * e] = MIN(ends[2 * e], ends[2 * e + 1]);
        graph->ends[2 * e + 1] = MAX(ends[2 * e], ends[2 * e + 1]);
        g_assert(graph->ends[2 * e + 1] < n_nodes);
        graph->first[ends[2 * e] + 1]++;
        graph->first[ends[2 * e + 1] + 1]++;
    }
    for (size_t v = 0; v < n_nodes; v++)
        graph->first[v + 1] += graph->first[v];
    g_autofree size_t *next = g_memdup2(graph->first, (n_nodes + 1) * sizeof(size_t));
    for (size_t i = 0; i < 2 * n_edges; i++)
        graph->incident[next[graph->ends[i]]++] = (uint32_t) (i / 2);
    return graph;
}

// Half of the neighbours, those that come later in the grid.
static const int steps[][3] = {{1, 0, 0}, {0, 1, 0},  {0, 0, 1}, {1, 1, 0}, {-1, 1, 0},
                               {1, 0, 1}, {-1, 0, 1}, {0, 1, 1}, {0, -1, 1}};

struct grid {
    const uint8_t *mask;
    const size_t *dim;
    const uint32_t *number; // of a voxel among those inside
};

// The voxel one step from (x, y, z), if it is inside the grid and the mask.
static bool neighbour(const struct grid *grid, const size_t at[3], const int step[3], size_t *found)
{
    size_t to[3];
    for (size_t i = 0; i < 3; i++) {
        to[i] = at[i] + (size_t) step[i]; // a step below 0 wraps around to a huge number
        if (to[i] >= grid->dim[i])
            return false;
    }
    *found = to[0] + grid->dim[0] * (to[1] + grid->dim[1] * to[2]);
    return grid->mask == NULL || grid->mask[*found] != 0;
}

static void add_edges(const struct grid *grid, const size_t at[3], size_t n_steps, GArray *ends)
{
    static const int here[3] = {0, 0, 0};
    size_t from, to;
    if (!neighbour(grid, at, here, &from))
        return;
    for (size_t i = 0; i < n_steps; i++) {
        if (neighbour(grid, at, steps[i], &to)) {
            uint32_t edge[2] = {grid->number[from], grid->number[to]};
            g_array_append_vals(ends, edge, 2);
        }
    }
}

struct spatial_graph *spatial_graph_of_mask(const uint8_t *mask, const size_t dim[3],
                                            enum spatial_neighbours neighbours)
{
    size_t n_grid = dim[0] * dim[1] * dim[2], n_nodes = 0;
    g_autofree uint32_t *number = g_new(uint32_t, MAX(n_grid, 1));
    for (size_t i = 0; i < n_grid; i++) {
        number[i] = (uint32_t) n_nodes;
        n_nodes += mask == NULL || mask[i] != 0;
    }
    struct grid grid = {mask, dim, number};
    g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (size_t z = 0; z < dim[2]; z++)
        for (size_t y = 0; y < dim[1]; y++)
            for (size_t x = 0; x < dim[0]; x++)
                add_edges(&grid, (const size_t[3]){x, y, z}, (size_t) neighbours / 2, ends);
    return spatial_graph_new(n_nodes, (const uint32_t *) (void *) ends->data, ends->len / 2);
}

void spatial_graph_free(struct spatial_graph *graph)
{
    if (graph == NULL)
        return;
    g_free(graph->ends);
    g_free(graph->first);
    g_free(graph->incident);
    g_free(graph);
}
