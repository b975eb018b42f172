// SPDX-License-Identifier: BSD-3-Clause
// The loops of segment_kernels.h. The build compiles this file once for each instruction set, with
// KERNELS_SET its name and KERNELS_LANES the doubles in one of its registers.
#include "solvers/segment_kernels.h"

#include <float.h>
#include <math.h>

#define INLINE static inline __attribute__((always_inline))

// An unaligned register, and the integers as wide.
typedef double vec __attribute__((vector_size(8 * KERNELS_LANES), aligned(8), may_alias));
typedef int64_t mask __attribute__((vector_size(8 * KERNELS_LANES)));

enum { LANES = KERNELS_LANES, TILE = SEGMENT_TILE, BAND = SEGMENT_BAND, VECS = TILE / LANES };

INLINE vec load(const double *x)
{
    return *(const vec *) x;
}

INLINE void store(double *x, vec value)
{
    *(vec *) x = value;
}

INLINE ptrdiff_t lesser(ptrdiff_t a, ptrdiff_t b)
{
    return a < b ? a : b;
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
                        const double *b, double *v)
{
    ptrdiff_t reach = tables->reach, stride = segment_coupling_stride(tables);
    double constant = -closing_term(tables, u);
    size_t right = u->n;
    for (ptrdiff_t tile = (tables->end + SEGMENT_PAD - 1) / SEGMENT_PAD * SEGMENT_PAD; tile > 0;) {
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
    for (size_t i = 1; i < n; i++)
        best = fabs(v[i]) > fabs(v[best]) ? i : best;
    return best;
}

// Entries of the normal equations in row i: matrix[p] for column i - width + p, and the diagonal,
// which is returned. The plateaus have cancelled from all but the diagonal.
INLINE double matrix_row(const struct segment_tables *tables, const ptrdiff_t *knot, size_t i,
                         size_t width, double *matrix)
{
    const double *from = transient_row(tables, knot[i]), *to = transient_row(tables, knot[i + 1]);
    ptrdiff_t reach = tables->reach, begin = knot[i], end = knot[i + 1];
    const ptrdiff_t *left = knot + i - width;
    double previous = from[lesser(begin - left[0], reach)] - to[lesser(end - left[0], reach)];
    for (size_t p = 0; p < width; p++) {
        double next =
            from[lesser(begin - left[p + 1], reach)] - to[lesser(end - left[p + 1], reach)];
        matrix[p] = previous - next;
        previous = next;
    }
    return tables->plateau[begin] - tables->plateau[end] + previous -
           (to[lesser(end - begin, reach)] - to[0]);
}

// The pivot of row i, at least a tiny part of the diagonal that it is left from.
INLINE bool set_pivot(const struct segment_system *system, size_t i, double pivot, double diagonal)
{
    double smallest = 1e-13 * diagonal;
    bool good = pivot > smallest;
    system->inverse[i] = 1.0 / (good ? pivot : fabs(smallest) + DBL_MIN);
    return good;
}

// Row i, which has at most `width` entries left of the diagonal; width is a constant of at most
// BAND. Rows are filled with zeros to BAND entries, so that no loop depends on the knots.
INLINE bool factor_row(const struct segment_tables *tables, const struct segment_system *system,
                       size_t i, size_t width)
{
    double row[BAND];
    double diagonal = matrix_row(tables, system->knot, i, width, row);
    double pivot = diagonal, forward = system->rhs[i];
    const double *inverse = system->inverse + i - width, *done = system->forward + i - width;
    double *out = system->band + i * system->stride;
    for (size_t p = 0; p < width; p++) {
        const double *other = system->band + (i - width + p) * system->stride;
        for (size_t q = 0; q < p; q++)
            row[p] -= row[q] * other[p - q - 1];
    }
    for (size_t p = 0; p < width; p++) {
        double l = row[p] * inverse[p];
        pivot -= l * row[p];
        forward -= l * done[p];
        out[width - 1 - p] = l;
    }
    for (size_t d = width; d < BAND; d++)
        out[d] = 0.0;
    system->forward[i] = forward;
    return set_pivot(system, i, pivot, diagonal);
}

// The same for any width. The solution, not yet known, lends its memory.
static bool factor_wide_row(const struct segment_tables *tables,
                            const struct segment_system *system, size_t i)
{
    size_t width = system->width[i], first = i - width;
    double *row = system->value, *out = system->band + i * system->stride;
    double diagonal = matrix_row(tables, system->knot, i, width, row);
    double pivot = diagonal, forward = system->rhs[i];
    for (size_t p = 0; p < width; p++) {
        const double *other = system->band + (first + p) * system->stride;
        for (size_t q = 0; q < p; q++)
            row[p] -= row[q] * other[p - q - 1];
        double l = row[p] * system->inverse[first + p];
        pivot -= l * row[p];
        forward -= l * system->forward[first + p];
        out[width - 1 - p] = l;
    }
    system->forward[i] = forward;
    return set_pivot(system, i, pivot, diagonal);
}

// The entries of row i left of the diagonal: a column j overlaps unless the segment after it
// begins a reach before row i does.
static size_t row_width(const struct segment_tables *tables, const ptrdiff_t *knot, size_t i)
{
    size_t width = BAND;
    while (width < i && knot[i] - knot[i - width] < tables->reach - 1)
        width++;
    return width;
}

static bool factor(const struct segment_tables *tables, const struct segment_system *system,
                   size_t first_row)
{
    const ptrdiff_t *knot = system->knot, far = tables->reach - 1;
    bool good = true;
    for (size_t i = first_row; i < system->n; i++) {
        const ptrdiff_t *left = knot + i;
        system->width[i] = BAND;
        if (left[0] - left[-BAND / 2] >= far) {
            good &= factor_row(tables, system, i, BAND / 2);
        } else if (left[0] - left[-BAND] >= far) {
            good &= factor_row(tables, system, i, BAND);
        } else {
            system->width[i] = row_width(tables, knot, i);
            good &= factor_wide_row(tables, system, i);
        }
    }
    return good;
}

// What a value found takes from the BAND values before it is kept in registers.
static void back_substitute(const struct segment_system *system)
{
    double *value = system->value;
    double taken[BAND + 1] = {0.0};
    for (size_t i = 0; i < system->n; i++)
        value[i] = system->forward[i] * system->inverse[i];
    for (size_t i = system->n; i-- > 0;) {
        const double *row = system->band + i * system->stride;
        double found = value[i] - taken[0];
        value[i] = found;
        for (size_t d = 0; d < BAND; d++)
            taken[d] = taken[d + 1] + row[d] * found;
        for (size_t d = BAND; d < system->width[i]; d++)
            value[i - d - 1] -= row[d] * found;
    }
}

#define JOIN(a, b)  a##b
#define SYMBOL(set) JOIN(segment_kernels_, set)

extern const struct segment_kernels SYMBOL(KERNELS_SET);
const struct segment_kernels SYMBOL(KERNELS_SET) = {.dual_string = dual_string,
                                                    .mark = mark,
                                                    .peak = peak,
                                                    .factor = factor,
                                                    .back_substitute = back_substitute};
