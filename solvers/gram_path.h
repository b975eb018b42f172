// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/gram.h"
#include "solvers/workspace.h"

#include <stdbool.h>

/**
 * A piece of the path lambda -> w(lambda) of minimisers of 1/2 w' G w - b' w + lambda ||w||_1, on
 * which w is linear: w_{index_i}(lambda) = w_i + (from - lambda) direction_i for from >= lambda >=
 * to, and zero elsewhere. Borrowed, for the time of the call.
 */
struct gram_path_piece {
    double from;
    double to;
    size_t n; // columns with w != 0
    const size_t *index;
    const double *w; // at `from`
    const double *direction;
};

/** Told the pieces, from lambda_max on downwards; false ends the path here. */
typedef bool gram_path_visit(void *data, const struct gram_path_piece *piece);

struct gram_path_result {
    bool finished; // reached lambda_end, or was told to end
    size_t n_pieces;
};

/**
 * The exact path from lambda_max = ||b||_inf, where w = 0, down to lambda_end >= 0, by homotopy
 * (Osborne, Presnell and Turlach 2000; Efron, Hastie, Johnstone and Tibshirani 2004): along a
 * piece, the c_j = (b - G w)_j of the columns in use stay at +-lambda; it ends where another |c_j|
 * reaches lambda and joins, or where a coefficient reaches zero and leaves. No piece where
 * lambda_end >= lambda_max. b: gram->ld entries, zero in the padding.
 *
 * Not finished: ties that rounding cannot tell apart kept the path from going down.
 */
struct gram_path_result gram_path_follow(const struct gram *gram, const double *b,
                                         double lambda_end, gram_path_visit *visit, void *data,
                                         struct workspace *ws);
