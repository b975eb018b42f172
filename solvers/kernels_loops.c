// SPDX-License-Identifier: BSD-3-Clause
// The loops of kernels.h. The build compiles this file once for each instruction set, with
// KERNELS_SET its name and KERNELS_LANES the doubles in one of its registers.
#include "solvers/kernels.h"

#include <math.h>
#include <stdint.h>

// An unaligned register, and the integers as wide. The compiler splits them where the processor
// has narrower ones.
typedef double vec __attribute__((vector_size(8 * KERNELS_LANES), aligned(8), may_alias));
typedef int64_t mask __attribute__((vector_size(8 * KERNELS_LANES)));

// Sums that run side by side: enough to hide the latency of a fused multiply-add. Wide registers
// nearly always straddle two lines of the cache: taps that read the same ones share them.
enum {
    LANES = KERNELS_LANES,
    N_SUMS = 8,
    N_TAPS = LANES == 8 ? 3 : 1,
    TILE = N_SUMS * LANES,
};

#define INLINE static inline __attribute__((always_inline))

// Loops of constant length over registers have to be unrolled to stay in registers.
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

static inline vec load(const double *x)
{
    return *(const vec *) x;
}

static inline void store(double *x, vec value)
{
    *(vec *) x = value;
}

// What n_taps taps, LANES apart, add to the sums. n_taps is a constant.
INLINE void fir_taps(size_t n_taps, const double *h, const double *x, vec sum[N_SUMS])
{
    UNROLL
    for (size_t j = 0; j < n_taps; j++)
        for (size_t i = 0; i < N_SUMS; i++)
            sum[i] += h[j * LANES] * load(x + (i + j) * LANES);
}

static inline void fir_tile(const double *h, size_t n_h, const double *x, double *y)
{
    vec sum[N_SUMS] = {0};
    for (size_t first = 0; first < LANES; first++) {
        size_t k = first;
        for (; k + (N_TAPS - 1) * LANES < n_h; k += N_TAPS * LANES)
            fir_taps(N_TAPS, h + k, x + k, sum);
        for (; k < n_h; k += LANES)
            fir_taps(1, h + k, x + k, sum);
    }
    for (size_t i = 0; i < N_SUMS; i++)
        store(y + i * LANES, sum[i]);
}

static inline void fir_vec(const double *h, size_t n_h, const double *x, double *y)
{
    vec sum = {0};
    for (size_t k = 0; k < n_h; k++)
        sum += h[k] * load(x + k);
    store(y, sum);
}

// The last tile, or vector, ends at n and may compute again what the one before it has computed.
static void fir(const double *restrict h, size_t n_h, const double *restrict x, double *restrict y,
                size_t n)
{
    if (n >= TILE) {
        for (size_t t = 0; t + TILE < n; t += TILE)
            fir_tile(h, n_h, x + t, y + t);
        fir_tile(h, n_h, x + (n - TILE), y + (n - TILE));
    } else if (n >= LANES) {
        for (size_t t = 0; t + LANES < n; t += LANES)
            fir_vec(h, n_h, x + t, y + t);
        fir_vec(h, n_h, x + (n - LANES), y + (n - LANES));
    } else {
        for (size_t t = 0; t < n; t++) {
            y[t] = 0.0;
            for (size_t k = 0; k < n_h; k++)
                y[t] += h[k] * x[t + k];
        }
    }
}

static inline double sum_of_lanes(vec v)
{
    double sum = 0.0;
    for (size_t i = 0; i < LANES; i++)
        sum += v[i];
    return sum;
}

static inline vec absolute(vec v)
{
    return (vec) ((mask) v & INT64_MAX);
}

static inline vec greater(vec a, vec b)
{
    mask first = (mask) (a > b);
    return (vec) (((mask) a & first) | ((mask) b & ~first));
}

static double dot(const double *a, const double *b, size_t n)
{
    vec sum[4] = {0};
    size_t t = 0;
    for (; t + 4 * LANES <= n; t += 4 * LANES)
        for (size_t i = 0; i < 4; i++)
            sum[i] += load(a + t + i * LANES) * load(b + t + i * LANES);
    for (; t + LANES <= n; t += LANES)
        sum[0] += load(a + t) * load(b + t);
    double total = sum_of_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
    for (; t < n; t++)
        total += a[t] * b[t];
    return total;
}

static double distance(const double *a, const double *b, size_t n)
{
    vec sum[4] = {0};
    size_t t = 0;
    for (; t + 4 * LANES <= n; t += 4 * LANES)
        for (size_t i = 0; i < 4; i++)
            sum[i] += absolute(load(a + t + i * LANES) - load(b + t + i * LANES));
    for (; t + LANES <= n; t += LANES)
        sum[0] += absolute(load(a + t) - load(b + t));
    double total = sum_of_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
    for (; t < n; t++)
        total += fabs(a[t] - b[t]);
    return total;
}

static inline double largest_of_lanes(vec v, double largest)
{
    for (size_t i = 0; i < LANES; i++)
        largest = v[i] > largest ? v[i] : largest;
    return largest;
}

static double largest(const double *x, size_t n)
{
    vec most[4] = {0};
    size_t t = 0;
    for (; t + 4 * LANES <= n; t += 4 * LANES)
        for (size_t i = 0; i < 4; i++)
            most[i] = greater(absolute(load(x + t + i * LANES)), most[i]);
    double result = 0.0;
    for (; t < n; t++)
        result = fabs(x[t]) > result ? fabs(x[t]) : result;
    return largest_of_lanes(greater(greater(most[0], most[1]), greater(most[2], most[3])), result);
}

static void subtract(const double *x, double c, const double *s, double *y, size_t n)
{
    size_t t = 0;
    for (; t + LANES <= n; t += LANES)
        store(y + t, load(x + t) - c * load(s + t));
    for (; t < n; t++)
        y[t] = x[t] - c * s[t];
}

// The sums within a register, from its last lane on.
static inline vec suffix_sums_of_lanes(vec v)
{
    const vec zero = {0.0};
#if KERNELS_LANES == 2
    return v + __builtin_shufflevector(v, zero, 1, 2);
#elif KERNELS_LANES == 4
    v += __builtin_shufflevector(v, zero, 1, 2, 3, 4);
    return v + __builtin_shufflevector(v, zero, 2, 3, 4, 4);
#else
    v += __builtin_shufflevector(v, zero, 1, 2, 3, 4, 5, 6, 7, 8);
    v += __builtin_shufflevector(v, zero, 2, 3, 4, 5, 6, 7, 8, 8);
    return v + __builtin_shufflevector(v, zero, 4, 5, 6, 7, 8, 8, 8, 8);
#endif
}

// What comes after a register is one number, which waits for one addition a register only.
static double suffix_sums(const double *x, double *y, size_t n)
{
    double after = 0.0, found = 0.0;
    size_t t = n;
    for (; t % LANES > 0; t--) {
        after += x[t - 1];
        y[t - 1] = after;
        if (t > 1 && fabs(after) > found)
            found = fabs(after);
    }
    vec most = {0.0};
    for (; t > 0; t -= LANES) {
        vec sums = suffix_sums_of_lanes(load(x + t - LANES));
        vec result = sums + after;
        store(y + t - LANES, result);
        if (t == LANES)
            result[0] = 0.0;
        most = greater(absolute(result), most);
        after += sums[0];
    }
    return largest_of_lanes(most, found);
}

#define JOIN(a, b)          a##b
#define SYMBOL(set)         JOIN(kernels_, set)
#define GRAM_SYMBOL(set)    JOIN(gram_kernels_, set)
#define PANEL_SYMBOL(set)   JOIN(panel_kernels_, set)
#define SEGMENT_SYMBOL(set) JOIN(segment_kernels_, set)
#define QUOTE(set)          #set
#define NAME(set)           QUOTE(set)

extern const struct gram_kernels GRAM_SYMBOL(KERNELS_SET);
extern const struct panel_kernels PANEL_SYMBOL(KERNELS_SET);
extern const struct segment_kernels SEGMENT_SYMBOL(KERNELS_SET);
extern const struct kernels SYMBOL(KERNELS_SET);
const struct kernels SYMBOL(KERNELS_SET) = {.name = NAME(KERNELS_SET),
                                            .fir = fir,
                                            .dot = dot,
                                            .distance = distance,
                                            .largest = largest,
                                            .subtract = subtract,
                                            .suffix_sums = suffix_sums,
                                            .gram = &GRAM_SYMBOL(KERNELS_SET),
                                            .panel = &PANEL_SYMBOL(KERNELS_SET),
                                            .segment = &SEGMENT_SYMBOL(KERNELS_SET)};
