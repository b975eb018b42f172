// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/** Which series are neighbours: voxels of a grid, vertices of a mesh, parcels. Immutable. */
struct spatial_graph {
    size_t n_nodes;
    size_t n_edges;
    uint32_t *ends;     // owned; 2 an edge, the smaller first, in their order
    size_t *first;      // owned; n_nodes + 1: where the edges of a node begin in `incident`
    uint32_t *incident; // owned; edges of the nodes
};

/** Of edges as they come; ends: 2 n_edges numbers below n_nodes, no edge from a node to itself. */
struct spatial_graph *spatial_graph_new(size_t n_nodes, const uint32_t *ends, size_t n_edges);

/** Neighbours that share a face, or a face or an edge, of their voxels. */
enum spatial_neighbours { SPATIAL_FACES = 6, SPATIAL_FACES_AND_EDGES = 18 };

/**
 * Of the voxels inside a mask (dim[0] x dim[1] x dim[2] bytes, x fastest; NULL: all), numbered in
 * the order of the grid.
 */
struct spatial_graph *spatial_graph_of_mask(const uint8_t *mask, const size_t dim[3],
                                            enum spatial_neighbours neighbours);

void spatial_graph_free(struct spatial_graph *graph);
typedef struct spatial_graph owned_spatial_graph; // for g_autoptr
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_spatial_graph, spatial_graph_free)

/** How many edges node v has. */
static inline size_t spatial_graph_degree(const struct spatial_graph *graph, size_t v)
{
    return graph->first[v + 1] - graph->first[v];
}
