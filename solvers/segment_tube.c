// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/segment_tube.h"

#include <math.h>
#include <string.h>

struct segment_tube segment_tube_alloc(const struct segment_filter *filter,
                                       const struct kernels *kernels, const double *zeros,
                                       struct workspace *ws)
{
    size_t padded = segment_padded(filter->n_in), n_tiles = padded / SEGMENT_TILE;
    struct segment_tube tube = {.tables = &filter->tables,
                                .kernels = kernels,
                                .n_tiles = n_tiles,
                                .zeros = zeros,
                                .c = WORKSPACE_ALLOC(ws, double, padded + 1),
                                .slope = WORKSPACE_ALLOC(ws, double, padded + 1),
                                .held = WORKSPACE_ALLOC(ws, double, n_tiles),
                                .meets = WORKSPACE_ALLOC(ws, double, n_tiles),
                                .at = WORKSPACE_ALLOC(ws, size_t, n_tiles),
                                .pace = 0.02};
    memset(tube.slope, 0, (padded + 1) * sizeof *tube.slope);
    return tube;
}

void segment_tube_widen(const struct segment_tube *tube, ptrdiff_t *begin, ptrdiff_t *end)
{
    ptrdiff_t n = (ptrdiff_t) tube->n_tiles * SEGMENT_TILE;
    *begin = MAX(*begin, 0) / SEGMENT_TILE * SEGMENT_TILE;
    *end = MIN((*end + SEGMENT_TILE - 1) / SEGMENT_TILE * SEGMENT_TILE, n);
}

void segment_tube_turn(struct segment_tube *tube, const struct segment_steps *u, ptrdiff_t begin,
                       ptrdiff_t end, double lambda)
{
    for (ptrdiff_t t = begin; t < end; t += SEGMENT_TILE) {
        double fall = tube->held[t / SEGMENT_TILE] - lambda;
        tube->held[t / SEGMENT_TILE] = lambda;
        tube->kernels->subtract(tube->c + t, -fall, tube->slope + t, tube->c + t, SEGMENT_TILE);
    }
    tube->kernels->segment->dual_string(tube->tables, u, tube->zeros, begin, end, tube->slope);
}

// Looks at a tile down to lambda = down.
static void look_at(struct segment_tube *tube, size_t tile, double down)
{
    const double *c = tube->c + tile * SEGMENT_TILE, *slope = tube->slope + tile * SEGMENT_TILE;
    double held = tube->held[tile];
    size_t at = G_MAXSIZE;
    double fall = tube->kernels->segment->first_crossing(c, slope, held, held - down, &at);
    tube->at[tile] = at == G_MAXSIZE ? at : tile * SEGMENT_TILE + at;
    tube->meets[tile] = at == G_MAXSIZE ? down : held - fall;
}

void segment_tube_look(struct segment_tube *tube, ptrdiff_t begin, ptrdiff_t end)
{
    for (ptrdiff_t t = begin; t < end; t += SEGMENT_TILE) {
        size_t tile = (size_t) t / SEGMENT_TILE;
        look_at(tube, tile, tube->held[tile] * (1.0 - 4.0 * tube->pace));
    }
}

static size_t first_tile(const struct segment_tube *tube)
{
    double meets = tube->kernels->largest(tube->meets, tube->n_tiles);
    size_t first = 0;
    while (tube->meets[first] < meets)
        first++;
    return first;
}

double segment_tube_next(struct segment_tube *tube, double lambda, double least, size_t *at)
{
    size_t tile = first_tile(tube);
    // A tile that was left as it was for several pieces has been looked at less far.
    for (double far = 4.0 * tube->pace; tube->at[tile] == G_MAXSIZE && tube->meets[tile] > least;
         far = MIN(2.0 * far, 1.0)) {
        double down = MIN(lambda, tube->meets[tile]) * (1.0 - far);
        look_at(tube, tile, MAX(down, least));
        tile = first_tile(tube);
    }
    if (!(tube->meets[tile] > least))
        return least;
    double next = MIN(tube->meets[tile], lambda);
    tube->pace = CLAMP(0.9 * tube->pace + 0.1 * (1.0 - next / lambda), 1e-3, 0.4);
    *at = tube->at[tile];
    return next;
}
