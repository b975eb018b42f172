// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/kernels.h"
#include "solvers/segment_tables.h"
#include "solvers/workspace.h"

/**
 * The dual string c of one series on its way down a piece of the path, on which it is linear in
 * lambda, and which of its samples meets the bound |c_t| = lambda next. It is kept by tiles: a knot
 * that comes or goes changes the direction near it alone, and tiles that it does not reach are
 * left as they are.
 */
struct segment_tube {
    const struct segment_tables *tables;
    const struct kernels *kernels;
    size_t n_tiles;
    const double *zeros; // as long as the string
    double *c;           // tile by tile at lambda = held; zero at samples that are not to meet
    double *slope;       // of c as lambda falls; zero there
    double *held;        // a tile each
    double *meets;       // lambda at which a sample of the tile meets the bound, or looked so far
    size_t *at;          // that sample, or G_MAXSIZE
    double pace;         // mean fall of lambda from one piece to the next, relative
};

/** zeros: borrowed; as c, of whole words and one more sample. Every tile is to be taken anew. */
struct segment_tube segment_tube_alloc(const struct segment_filter *filter,
                                       const struct kernels *kernels, const double *zeros,
                                       struct workspace *ws);

/** The samples [*begin, *end) widened to whole tiles. */
void segment_tube_widen(const struct segment_tube *tube, ptrdiff_t *begin, ptrdiff_t *end);

/**
 * Begins to take a new direction: moves the tiles [begin, end) to lambda and sets their slopes to
 * those of the direction u. The caller then sets c and slope where nothing may meet the bound, and
 * ends with segment_tube_look.
 */
void segment_tube_turn(struct segment_tube *tube, const struct segment_steps *u, ptrdiff_t begin,
                       ptrdiff_t end, double lambda);

/** Looks where the tiles [begin, end) meet the bound next. */
void segment_tube_look(struct segment_tube *tube, ptrdiff_t begin, ptrdiff_t end);

/** The largest lambda > least at which a sample meets the bound, and which; or `least`. */
double segment_tube_next(struct segment_tube *tube, double lambda, double least, size_t *at);

/** c at sample t and lambda. */
static inline double segment_tube_at(const struct segment_tube *tube, size_t t, double lambda)
{
    return tube->c[t] + (tube->held[t / SEGMENT_TILE] - lambda) * tube->slope[t];
}
