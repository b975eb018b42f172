// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SEGMENT_TILE = 32, // samples of the dual string that are computed together
    SEGMENT_PAD = 64,  // strings have room for whole words of marks, one bit a sample
    SEGMENT_BAND = 16, // rows of nothing before the first of a factor
};

/**
 * Inner products of steps. The open step at a is the response to a unit of activity from sample a
 * on. With c its values, c_inf the sum of the response and e = c - c_inf its transient, which has
 * died out after `reach` samples, two of them have the product, for a >= b,
 *
 *     <step_a, step_b> = c_inf sum_{t < T - a} c_t + E_{a-b}(a),
 *     E_d(a) = sum_{u < T - a} c_u e_{u+d}.
 *
 * The first term cancels from all products of segments (differences of two steps) that do not
 * overlap; the second is zero for d >= reach and the same for all a <= `saturated`. The step at
 * `end`, one beyond the last sample of activity, closes the last segment.
 */
struct segment_tables {
    ptrdiff_t end;
    ptrdiff_t reach;
    ptrdiff_t saturated;
    /** plateau[a] = c_inf sum_{T - end <= t < T - a} c_t for a < end, then 0 to the padding. */
    double *plateau;
    /** E_d(a), d = 0 .. reach: row 0 for a <= saturated, row i for a = saturated + i. */
    double *transient;
    /**
     * What the product of the steps at a and at a knot k is beyond plateau[a],
     * E_|a-k| + plateau[max(a, k)] - plateau[a], for k - reach - TILE <= a < k + reach + TILE:
     * row 0 for k <= saturated, row i for k = saturated + i.
     */
    double *coupling;
};

/** The entries of a row of `coupling`. */
static inline ptrdiff_t segment_coupling_stride(const struct segment_tables *tables)
{
    return 2 * (tables->reach + SEGMENT_TILE);
}

/**
 * A piecewise constant u as a sum of open steps: n of them, from knot[0] = 0 to knot[n-1] = end,
 * the last with the jump to zero. value[j] = jump[0] + .. + jump[j].
 */
struct segment_steps {
    size_t n;
    const ptrdiff_t *knot;
    const double *jump;
    const double *value;
};

/**
 * The normal equations of n segments, segment i from knot[i] to knot[i+1] - 1,
 *
 *     M V = b(knot[i]) - b(knot[i+1]) - lambda (sign[i] - sign[i+1]),
 *
 * and their factor M = L D L'. Segments farther apart than the reach are orthogonal: L is stored
 * by rows of `stride` entries, band[i * stride + d - 1] = L_{i,i-d}. Before entry 0 of knot stand
 * SEGMENT_BAND positions far to the left, before row 0 of band and entry 0 of inverse and forward
 * as many zero rows.
 */
struct segment_system {
    size_t n;
    size_t stride;
    const ptrdiff_t *knot; // n + 1
    const double *sign;    // n + 1, of the jumps; 0 for the level and at the end
    const double *b;       // end + 1
    double lambda;         //
    double pull;           // added to M_ii a sample of segment i: the weight of ||u||^2 / 2, or 0
    double *band;          // L
    double *inverse;       // 1 / D
    double *forward;       // L^-1 of the right hand side
    double *gain;          // n + 1: half of forward' D^-1 forward over the rows before
    size_t *width;         // entries of a row of L, or more (zeros)
    double *far;           // n: what a value takes from those BAND and more before it
    double *value;         // V
    double *jump;          // n: V_i - V_{i-1}
    size_t *wrong;         // n: knots whose jump does not have their sign, at the end of the array
};

/**
 * The hot loops of the segment active set, compiled for one instruction set; reached through
 * struct kernels.
 */
struct segment_kernels {
    /**
     * The dual string v_a = b_a - <step_a - step_end, A u> at the samples begin <= a < end, whole
     * tiles; in the padding it means nothing.
     */
    void (*dual_string)(const struct segment_tables *tables, const struct segment_steps *u,
                        const double *b, ptrdiff_t begin, ptrdiff_t end, double *v);

    /**
     * Marks samples where v > threshold (rising) and v < -threshold (falling), among those marked
     * in `among`. One bit a sample, n_words words of 64.
     */
    void (*mark)(const double *v, double threshold, const uint64_t *among, size_t n_words,
                 uint64_t *rising, uint64_t *falling);

    /**
     * The least g < limit with |c_i + g slope_i| = lambda - g in a tile, and where it is (the first
     * of equal ones; *where stays as it is if there is none, and the result is `limit`). A line as
     * steep as the bound never meets it, one above it by rounding meets it at once.
     */
    double (*first_crossing)(const double *c, const double *slope, double lambda, double limit,
                             size_t *where);

    /** The first i < n at which |v_i| is largest; n > 0. */
    size_t (*peak)(const double *v, size_t n);

    /**
     * The rows of the factor, of `forward` and of `gain` from first_row on, the rows before it
     * being right. False if a pivot was lost to rounding and replaced by a tiny one.
     */
    bool (*factor)(const struct segment_tables *tables, const struct segment_system *system,
                   size_t first_row);

    /** Values, jumps and wrong knots from the factor. Returns how many are wrong. */
    size_t (*solve)(const struct segment_system *system);
};
