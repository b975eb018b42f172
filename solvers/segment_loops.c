// SPDX-License-Identifier: BSD-3-Clause
// The loops of segment_kernels.h. The build compiles this file once for each instruction set, with
// KERNELS_SET its name and KERNELS_LANES the doubles in one of its registers.
#include "solvers/segment_kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// GCC leaves short loops over the entries of a row rolled, and the row then lives in memory; clang
// unrolls what it can by itself, and warns of what it is asked for and cannot.
#ifdef __clang__
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

// An unaligned register, and the integers as wide.
typedef double vec __attribute__((vector_size(8 * KERNELS_LANES), aligned(8), may_alias));
typedef int64_t mask __attribute__((vector_size(8 * KERNELS_LANES)));

enum {
    LANES = KERNELS_LANES,
    TILE = SEGMENT_TILE,
    VECS = TILE / LANES,
    WIDE = SEGMENT_BAND, // entries of a row that zeros fill up: no loop depends on the knots
    BAND = WIDE / 2,     // entries in all but rare rows
    BAND_VECS = BAND / LANES,
};

// Relative to the diagonal that it is left from, a pivot below this is rounding.
#define SMALLEST_PIVOT 1e-13

INLINE vec load(const double *x)
{
    return *(const vec *) x;
}

INLINE void store(double *x, vec value)
{
    *(vec *) x = value;
}

// Whether a lane is set.
INLINE bool any(mask m)
{
#if KERNELS_LANES == 8
    m |= __builtin_shufflevector(m, m, 4, 5, 6, 7, 0, 1, 2, 3);
    m |= __builtin_shufflevector(m, m, 2, 3, 0, 1, 6, 7, 4, 5);
#elif KERNELS_LANES == 4
    m |= __builtin_shufflevector(m, m, 2, 3, 0, 1);
#endif
    return (m[0] | m[1]) != 0;
}

// Which row of a table belongs to position a.
INLINE ptrdiff_t table_row(const struct segment_tables *tables, ptrdiff_t a)
{
    ptrdiff_t late = a - tables->saturated;
    return late > 0 ? late : 0;
}

INLINE const double *transient_row(const struct segment_tables *tables, ptrdiff_t a)
{
    return tables->transient + table_row(tables, a) * (tables->reach + 1);
}

// What the jump to zero at the end takes from every sample.
static double closing_term(const struct segment_tables *tables, const struct segment_steps *u)
{
    const double *transient = transient_row(tables, tables->end);
    double sum = 0.0;
    for (size_t j = u->n; j-- > 0 && tables->end - u->knot[j] < tables->reach;)
        sum += u->jump[j] * transient[tables->end - u->knot[j]];
    return sum;
}

// Tiles from right to left. Knots on the right of a tile's reach act on it as a constant, knots
// on the left as a multiple of the plateau; those within reach [left, right) have their coupling.
static void dual_string(const struct segment_tables *tables, const struct segment_steps *u,
                        const double *b, ptrdiff_t begin, ptrdiff_t end, double *v)
{
    ptrdiff_t reach = tables->reach, stride = segment_coupling_stride(tables);
    double constant = -closing_term(tables, u);
    size_t right = u->n;
    for (ptrdiff_t tile = end; tile > begin;) {
        tile -= TILE;
        for (; u->knot[right - 1] >= tile + TILE - 1 + reach; right--)
            constant += u->jump[right - 1] * tables->plateau[u->knot[right - 1]];
        vec sum[VECS];
        for (size_t i = 0; i < VECS; i++)
            sum[i] = load(b + tile + i * LANES) - constant -
                     u->value[right - 1] * load(tables->plateau + tile + i * LANES);
        for (size_t j = right; j-- > 0 && u->knot[j] > tile - reach;) {
            const double *row = tables->coupling + table_row(tables, u->knot[j]) * stride +
                                (tile - u->knot[j] + reach + TILE);
            for (size_t i = 0; i < VECS; i++)
                sum[i] -= u->jump[j] * load(row + i * LANES);
        }
        for (size_t i = 0; i < VECS; i++)
            store(v + tile + i * LANES, sum[i]);
    }
}

static void mark(const double *v, double threshold, const uint64_t *among, size_t n_words,
                 uint64_t *rising, uint64_t *falling)
{
    mask bit;
    for (size_t i = 0; i < LANES; i++)
        bit[i] = (int64_t) 1 << i;
    for (size_t word = 0; word < n_words; word++) {
        mask above = {0}, below = {0};
        for (size_t i = 0; i < 64; i += LANES) {
            vec x = load(v + 64 * word + i);
            above |= (mask) (x > threshold) & (bit << (int64_t) i);
            below |= (mask) (x < -threshold) & (bit << (int64_t) i);
        }
        uint64_t up = 0, down = 0;
        for (size_t i = 0; i < LANES; i++) {
            up |= (uint64_t) above[i];
            down |= (uint64_t) below[i];
        }
        rising[word] = up & among[word];
        falling[word] = down & among[word];
    }
}

static size_t peak(const double *v, size_t n)
{
    size_t best = 0;
    double top = fabs(v[0]);
    for (size_t i = 1; i < n; i++) {
        double here = fabs(v[i]);
        best = here > top ? i : best;
        top = here > top ? here : top;
    }
    return best;
}

// c + g slope = lambda - g.
INLINE double crossing(double c, double slope, double lambda)
{
    double room = lambda - c, speed = 1.0 + slope;
    return speed > 1e-14 ? (room > 0.0 ? room : 0.0) / speed : HUGE_VAL;
}

INLINE mask is_beyond(vec c, vec slope, double lambda, double limit)
{
    vec end = c + limit * slope;
    return (mask) (end > lambda - limit) | (mask) (-end > lambda - limit);
}

// What is inside the bound at g = limit has not met it before: few need a division.
static double first_crossing(const double *c, const double *slope, double lambda, double limit,
                             size_t *where)
{
    mask beyond = {0};
    for (size_t i = 0; i < TILE; i += LANES)
        beyond |= is_beyond(load(c + i), load(slope + i), lambda, limit);
    if (!any(beyond))
        return limit;
    for (size_t i = 0; i < TILE; i += LANES) {
        if (!any(is_beyond(load(c + i), load(slope + i), lambda, limit)))
            continue;
        for (size_t j = i; j < i + LANES; j++) {
            double above = crossing(c[j], slope[j], lambda);
            double below = crossing(-c[j], -slope[j], lambda);
            double sooner = above < below ? above : below;
            *where = sooner < limit ? j : *where;
            limit = sooner < limit ? sooner : limit;
        }
    }
    return limit;
}

// What the next row takes over from the row before it, in registers rather than through memory or
// another look into the tables.
struct newest {
    const double *transient; // row of the table for the knot between them
    double products[BAND];   // the transients of the last BAND knots with that one
    double plateau;          // there
    double b;                // there
    double inverse;
    double forward;
    double gain; // of all rows so far
    bool sound;  // no pivot has been lost
};

INLINE double product(const struct segment_tables *tables, const double *transient, ptrdiff_t d)
{
    return transient[d < tables->reach ? d : tables->reach];
}

// Entries of the normal equations in row i: matrix[p] for column i - width + p, and the diagonal,
// which is returned. The plateaus have cancelled from all but the diagonal. With the transients of
// knot j at the begin and at the end of segment i, the entry for the segment from knot j to knot
// j + 1 is (begin_j - end_j) - (begin_{j+1} - end_{j+1}).
INLINE double matrix_row(const struct segment_tables *tables, const ptrdiff_t *knot, size_t width,
                         double *matrix, struct newest *newest)
{
    ptrdiff_t begin = knot[0], end = knot[1];
    const double *to = transient_row(tables, end);
    double plateau = tables->plateau[end];
    double previous = 0.0, products[BAND] = {0.0};
    UNROLL
    for (size_t p = 0; p <= width; p++) {
        ptrdiff_t left = (knot - width)[p];
        double at_end = product(tables, to, end - left);
        double at_begin;
        if (p == width)
            at_begin = newest->transient[0];
        else if (p + BAND >= width)
            at_begin = newest->products[p + BAND - width];
        else
            at_begin = product(tables, newest->transient, begin - left);
        if (p > 0)
            matrix[p - 1] = previous - (at_begin - at_end);
        previous = at_begin - at_end;
        if (p + BAND > width)
            products[p + BAND - width - 1] = at_end;
    }
    double diagonal = newest->plateau - plateau + previous - (products[BAND - 1] - to[0]);
    newest->transient = to;
    newest->plateau = plateau;
    for (size_t p = 0; p < BAND; p++)
        newest->products[p] = products[p];
    return diagonal;
}

// Indicators of segments are disjoint: a pull acts on the diagonal alone.
INLINE double pull_of_segment(const struct segment_system *system, size_t i)
{
    return system->pull * (double) (system->knot[i + 1] - system->knot[i]);
}

INLINE double right_hand_side(const struct segment_system *system, size_t i, struct newest *newest)
{
    double b = newest->b;
    newest->b = system->b[system->knot[i + 1]];
    return b - newest->b - system->lambda * (system->sign[i] - system->sign[i + 1]);
}

// The pivot is at least a tiny part of the diagonal that it is left from.
INLINE void finish_row(const struct segment_system *system, size_t i, double pivot, double diagonal,
                       double forward, struct newest *newest)
{
    double smallest = SMALLEST_PIVOT * diagonal;
    if (!(pivot > smallest)) {
        newest->sound = false;
        pivot = fabs(smallest) + DBL_MIN;
    }
    newest->inverse = 1.0 / pivot;
    newest->forward = forward;
    newest->gain += 0.5 * forward * forward * newest->inverse;
    system->inverse[i] = newest->inverse;
    system->forward[i] = forward;
    system->gain[i + 1] = newest->gain;
    system->far[i] = 0.0;
}

// Row i, which has at most `width` entries left of the diagonal; width is a constant, at most
// WIDE. Zeros fill the row up to WIDE entries.
INLINE void factor_row(const struct segment_tables *tables, const struct segment_system *system,
                       size_t i, size_t width, struct newest *newest)
{
    double row[WIDE];
    double diagonal = matrix_row(tables, system->knot + i, width, row, newest);
    diagonal += pull_of_segment(system, i);
    double pivot = diagonal, forward = right_hand_side(system, i, newest);
    const double *inverse = system->inverse + i - width, *done = system->forward + i - width;
    ptrdiff_t stride = (ptrdiff_t) system->stride;
    double *out = system->band + (ptrdiff_t) i * stride;
    UNROLL
    for (size_t p = 0; p < width; p++) {
        const double *other = out - (ptrdiff_t) (width - p) * stride;
        UNROLL
        for (size_t q = 0; q < p; q++)
            row[p] -= row[q] * other[p - q - 1];
    }
    UNROLL
    for (size_t p = 0; p < width; p++) {
        bool last = p == width - 1;
        double l = row[p] * (last ? newest->inverse : inverse[p]);
        pivot -= l * row[p];
        forward -= l * (last ? newest->forward : done[p]);
        out[width - 1 - p] = l;
    }
    memset(out + width, 0, (WIDE - width) * sizeof *out);
    finish_row(system, i, pivot, diagonal, forward, newest);
}

// The same for any width. The solution, not yet known, lends its memory.
static struct newest factor_wide_row(const struct segment_tables *tables,
                                     const struct segment_system *system, size_t i,
                                     struct newest newest)
{
    size_t width = system->width[i], first = i - width;
    double *row = system->value, *out = system->band + i * system->stride;
    double diagonal = matrix_row(tables, system->knot + i, width, row, &newest);
    diagonal += pull_of_segment(system, i);
    double pivot = diagonal, forward = right_hand_side(system, i, &newest);
    for (size_t p = 0; p < width; p++) {
        const double *other = system->band + (first + p) * system->stride;
        for (size_t q = 0; q < p; q++)
            row[p] -= row[q] * other[p - q - 1];
        double l = row[p] * system->inverse[first + p];
        pivot -= l * row[p];
        forward -= l * system->forward[first + p];
        out[width - 1 - p] = l;
    }
    finish_row(system, i, pivot, diagonal, forward, &newest);
    return newest;
}

// Whether row i has no more than `width` entries left of the diagonal: a column does not overlap
// where the segment after it begins a reach before row i does.
INLINE bool row_is_within(const struct segment_tables *tables, const struct segment_system *system,
                          size_t i, size_t width)
{
    return (system->knot + i)[0] - (system->knot + i - width)[0] >= tables->reach - 1;
}

static size_t row_width(const struct segment_tables *tables, const struct segment_system *system,
                        size_t i)
{
    size_t width = WIDE;
    while (width < i && !row_is_within(tables, system, i, width))
        width++;
    return width;
}

// The rows from i on that have more than BAND entries, in a function of their own, so that they
// cost the others no registers. They are common where lambda is small. Returns the first row after
// them.
__attribute__((noinline)) static size_t factor_far_rows(const struct segment_tables *tables,
                                                        const struct segment_system *system,
                                                        size_t i, struct newest *newest)
{
    struct newest before = *newest;
    for (; i < system->n && !row_is_within(tables, system, i, BAND); i++) {
        if (row_is_within(tables, system, i, 12)) {
            system->width[i] = i < 12 ? i : 12;
            factor_row(tables, system, i, 12, &before);
        } else if (row_is_within(tables, system, i, WIDE)) {
            system->width[i] = i < WIDE ? i : WIDE;
            factor_row(tables, system, i, WIDE, &before);
        } else {
            system->width[i] = row_width(tables, system, i);
            before = factor_wide_row(tables, system, i, before);
        }
    }
    *newest = before;
    return i;
}

static struct newest before_row(const struct segment_tables *tables,
                                const struct segment_system *system, size_t i)
{
    const ptrdiff_t *knot = system->knot + i;
    struct newest newest = {.transient = transient_row(tables, knot[0]),
                            .plateau = tables->plateau[knot[0]],
                            .b = system->b[knot[0]],
                            .inverse = (system->inverse + i)[-1],
                            .forward = (system->forward + i)[-1],
                            .gain = system->gain[i],
                            .sound = true};
    for (size_t p = 0; p < BAND; p++)
        newest.products[p] = product(tables, newest.transient, knot[0] - (knot - BAND)[p]);
    return newest;
}

static bool factor(const struct segment_tables *tables, const struct segment_system *system,
                   size_t first_row)
{
    struct newest newest = before_row(tables, system, first_row);
    for (size_t i = first_row; i < system->n;) {
        if (row_is_within(tables, system, i, 4)) {
            factor_row(tables, system, i, 4, &newest);
        } else if (row_is_within(tables, system, i, 6)) {
            factor_row(tables, system, i, 6, &newest);
        } else if (row_is_within(tables, system, i, BAND)) {
            factor_row(tables, system, i, BAND, &newest);
        } else {
            struct newest before = newest;
            i = factor_far_rows(tables, system, i, &before);
            newest = before;
            continue;
        }
        system->width[i++] = BAND;
    }
    return newest.sound;
}

// v moved down by one lane, the first of next after it.
INLINE vec lanes_after(vec v, vec next)
{
#if KERNELS_LANES == 2
    return __builtin_shufflevector(v, next, 1, 2);
#elif KERNELS_LANES == 4
    return __builtin_shufflevector(v, next, 1, 2, 3, 4);
#else
    return __builtin_shufflevector(v, next, 1, 2, 3, 4, 5, 6, 7, 8);
#endif
}

// From the last value to the first. What a value takes from the BAND before it is kept in
// registers, the nearest of them in the first lane.
static size_t solve(const struct segment_system *system)
{
    vec taken[BAND_VECS + 1] = {{0.0}};
    double after = 0.0;
    size_t n = system->n, n_right = n;
    for (size_t i = n; i-- > 0;) {
        const double *row = system->band + i * system->stride;
        double value = system->forward[i] * system->inverse[i] - system->far[i] - taken[0][0];
        system->value[i] = value;
        system->far[i] = 0.0;
        UNROLL
        for (size_t d = 0; d < BAND_VECS; d++)
            taken[d] = lanes_after(taken[d], taken[d + 1]) + load(row + d * LANES) * value;
        for (size_t d = BAND; d < system->width[i]; d++)
            system->far[i - d - 1] += row[d] * value;
        if (i + 1 < n) {
            double jump = after - value;
            system->jump[i + 1] = jump;
            system->wrong[n_right - 1] = i + 1;
            n_right -= !(jump * system->sign[i + 1] > 0.0);
        }
        after = value;
    }
    system->jump[0] = after;
    return n - n_right;
}

#define JOIN(a, b)  a##b
#define SYMBOL(set) JOIN(segment_kernels_, set)

extern const struct segment_kernels SYMBOL(KERNELS_SET);
const struct segment_kernels SYMBOL(KERNELS_SET) = {.dual_string = dual_string,
                                                    .mark = mark,
                                                    .first_crossing = first_crossing,
                                                    .peak = peak,
                                                    .factor = factor,
                                                    .solve = solve};
