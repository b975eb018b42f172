// SPDX-License-Identifier: BSD-3-Clause
// The loops of gram_kernels.h. The build compiles this file once for each instruction set, with
// KERNELS_SET its name and KERNELS_LANES the doubles in one of its registers.
#include "solvers/gram_kernels.h"

#include <stdint.h>

// A register; the compiler splits it where the processor has narrower ones.
typedef double vec __attribute__((vector_size(8 * KERNELS_LANES), may_alias));
typedef int64_t mask __attribute__((vector_size(8 * KERNELS_LANES)));

enum {
    PAD = TRIANGLE_PAD,
    LANES = KERNELS_LANES,
    LINE = PAD / LANES, // registers in a cache line
    LINES = LANES / 2,  // lines of a row taken together: as many sums as there are registers
};

static inline vec load(const double *x)
{
    return *(const vec *) (const void *) x; // x is aligned, which its type does not say
}

static inline void store(double *x, vec value)
{
    *(vec *) (void *) x = value;
}

// The sums of the lanes of LANES registers, one a lane: pairs of registers are interleaved and
// added until one is left.
static inline vec sums_of_lanes(const vec v[LANES])
{
#if KERNELS_LANES == 2
    return __builtin_shufflevector(v[0], v[1], 0, 2) + __builtin_shufflevector(v[0], v[1], 1, 3);
#elif KERNELS_LANES == 4
    vec half[2];
    for (size_t i = 0; i < 2; i++)
        half[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 0, 4, 2, 6) +
                  __builtin_shufflevector(v[2 * i], v[2 * i + 1], 1, 5, 3, 7);
    return __builtin_shufflevector(half[0], half[1], 0, 1, 4, 5) +
           __builtin_shufflevector(half[0], half[1], 2, 3, 6, 7);
#else
    vec half[4], quarter[2];
    for (size_t i = 0; i < 4; i++)
        half[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14) +
                  __builtin_shufflevector(v[2 * i], v[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    for (size_t i = 0; i < 2; i++)
        quarter[i] =
            __builtin_shufflevector(half[2 * i], half[2 * i + 1], 0, 1, 8, 9, 4, 5, 12, 13) +
            __builtin_shufflevector(half[2 * i], half[2 * i + 1], 2, 3, 10, 11, 6, 7, 14, 15);
    return __builtin_shufflevector(quarter[0], quarter[1], 0, 1, 2, 3, 8, 9, 10, 11) +
           __builtin_shufflevector(quarter[0], quarter[1], 4, 5, 6, 7, 12, 13, 14, 15);
#endif
}

// LANES rows of `length` entries by x.
static inline void multiply_rows(const double *rows, size_t length, const double *x, double *y)
{
    vec sum[LANES] = {0};
    for (size_t k = 0; k < length; k += LANES)
        for (size_t i = 0; i < LANES; i++)
            sum[i] += load(rows + i * length + k) * load(x + k);
    store(y, sums_of_lanes(sum));
}

// Reads the rows of the last group that are beyond n too, and multiplies them in vain.
static void multiply(const double *restrict rows, size_t n, const double *restrict x,
                     double *restrict y)
{
    for (size_t i = 0; i < n; i += LANES)
        multiply_rows(rows + triangle_row(i), triangle_padded(i + LANES), x, y + i);
}

// Adds y_i times `lines` lines of each of n rows; even and odd rows have sums of their own.
static inline void add_rows(const double *rows, size_t length, size_t n, const double *y,
                            size_t lines, vec even[LINES * LINE], vec odd[LINES * LINE])
{
    size_t i = 0;
    for (; i + 2 <= n; i += 2)
        for (size_t k = 0; k < lines * LINE; k++) {
            even[k] += y[i] * load(rows + i * length + k * LANES);
            odd[k] += y[i + 1] * load(rows + (i + 1) * length + k * LANES);
        }
    if (i < n)
        for (size_t k = 0; k < lines * LINE; k++)
            even[k] += y[i] * load(rows + i * length + k * LANES);
}

// A row in group q has q + 1 lines; those of the first groups below a diagonal line have fewer than
// LINES left. A constant number of lines keeps the sums in registers.
static inline void add_group(const double *rows, size_t length, size_t n, const double *y,
                             size_t lines, vec even[LINES * LINE], vec odd[LINES * LINE])
{
    switch (lines) {
    case 1:
        add_rows(rows, length, n, y, 1, even, odd);
        return;
#if KERNELS_LANES == 8
    case 2:
        add_rows(rows, length, n, y, 2, even, odd);
        return;
    case 3:
        add_rows(rows, length, n, y, 3, even, odd);
        return;
#endif
    default:
        add_rows(rows, length, n, y, LINES, even, odd);
    }
}

static void multiply_transposed(const double *restrict rows, size_t n, const double *restrict y,
                                double *restrict x)
{
    size_t n_groups = triangle_padded(n) / PAD;
    for (size_t first = 0; first < n_groups; first += LINES) {
        vec even[LINES * LINE] = {0}, odd[LINES * LINE] = {0};
        for (size_t q = first; q < n_groups; q++) {
            size_t left = n - q * PAD < PAD ? n - q * PAD : PAD;
            add_group(rows + triangle_row(q * PAD) + first * PAD, (q + 1) * PAD, left, y + q * PAD,
                      q - first + 1, even, odd);
        }
        size_t lines = n_groups - first < LINES ? n_groups - first : LINES;
        for (size_t k = 0; k < lines * LINE; k++)
            store(x + first * PAD + k * LANES, even[k] + odd[k]);
    }
}

static void rotate(double c, double s, double *restrict a, double *restrict b, size_t n)
{
    for (size_t k = 0; k < n; k += LANES) {
        vec old = load(a + k);
        vec other = load(b + k);
        store(a + k, s * old + c * other);
        store(b + k, c * old - s * other);
    }
}

static inline vec absolute(vec v)
{
    return (vec) ((mask) v & INT64_MAX);
}

static inline vec choose(mask condition, vec yes, vec no)
{
    return (vec) (((mask) yes & condition) | ((mask) no & ~condition));
}

static inline vec larger(vec a, vec b)
{
    return choose(a > b, a, b);
}

// n_sums registers of r; a constant keeps them in registers.
static inline vec subtract_tile(const double *gram, size_t n, const size_t *index, const double *w,
                                size_t n_active, const double *b, double *r, size_t n_sums)
{
    vec sum[2 * PAD] = {0};
    for (size_t i = 0; i < n_active; i++)
        for (size_t k = 0; k < n_sums; k++)
            sum[k] += w[i] * load(gram + index[i] * n + k * LANES);
    vec largest = {0};
    for (size_t k = 0; k < n_sums; k++) {
        vec value = load(b + k * LANES) - sum[k];
        store(r + k * LANES, value);
        largest = larger(absolute(value), largest);
    }
    return largest;
}

static double subtract_columns(const double *restrict gram, size_t n, const size_t *restrict index,
                               const double *restrict w, size_t n_active, const double *restrict b,
                               double *restrict r)
{
    enum { N_SUMS = LANES == 8 ? 16 : 8, TILE = N_SUMS * LANES };
    vec largest = {0};
    size_t t = 0;
    for (; t + TILE <= n; t += TILE)
        largest =
            larger(subtract_tile(gram + t, n, index, w, n_active, b + t, r + t, N_SUMS), largest);
    for (; t < n; t += PAD)
        largest =
            larger(subtract_tile(gram + t, n, index, w, n_active, b + t, r + t, LINE), largest);
    double result = 0.0;
    for (size_t i = 0; i < LANES; i++)
        result = largest[i] > result ? largest[i] : result;
    return result;
}

// c + g slope = lambda - g. A line as steep as the bound never meets it, one above it by rounding
// meets it at once.
static inline vec crossing(vec c, vec slope, double lambda)
{
    vec zero = {0};
    vec room = lambda - c;
    vec speed = 1.0 + slope;
    return choose(speed > 1e-14, choose(room > 0.0, room, zero) / speed, zero + __builtin_inf());
}

static double first_crossing(const double *restrict c, const double *restrict slope, size_t n,
                             double lambda, size_t *where)
{
    vec zero = {0};
    vec first = zero + __builtin_inf();
    mask first_at = {0}, at;
    for (size_t i = 0; i < LANES; i++)
        at[i] = (int64_t) i;
    for (size_t t = 0; t < n; t += LANES, at += LANES) {
        vec c_t = load(c + t);
        vec slope_t = load(slope + t);
        vec above = crossing(c_t, slope_t, lambda);
        vec below = crossing(-c_t, -slope_t, lambda);
        vec sooner = choose(above < below, above, below);
        mask is_first = sooner < first;
        first = choose(is_first, sooner, first);
        first_at = (at & is_first) | (first_at & ~is_first);
    }
    size_t best = 0;
    for (size_t i = 1; i < LANES; i++)
        if (first[i] < first[best] || (first[i] == first[best] && first_at[i] < first_at[best]))
            best = i;
    *where = (size_t) first_at[best];
    return first[best];
}

#define JOIN(a, b)  a##b
#define SYMBOL(set) JOIN(gram_kernels_, set)

extern const struct gram_kernels SYMBOL(KERNELS_SET);
const struct gram_kernels SYMBOL(KERNELS_SET) = {.multiply = multiply,
                                                 .multiply_transposed = multiply_transposed,
                                                 .rotate = rotate,
                                                 .subtract_columns = subtract_columns,
                                                 .first_crossing = first_crossing};
