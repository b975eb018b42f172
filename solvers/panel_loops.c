// SPDX-License-Identifier: BSD-3-Clause
// The loops of panel_kernels.h. The build compiles this file once for each instruction set, with
// KERNELS_SET its name and KERNELS_LANES the doubles in one of its registers.
#include "solvers/panel_kernels.h"

// An unaligned register; the compiler splits it where the processor has narrower ones.
typedef double vec __attribute__((vector_size(8 * KERNELS_LANES), aligned(8), may_alias));

enum {
    LANES = KERNELS_LANES,
    MOST_ORIENT = 3,
    WIDE = LANES == 8 ? 8 : 4, // registers of samples of which MOST_ORIENT rows are held at once
};

#define INLINE static inline __attribute__((always_inline))

static inline vec load(const double *x)
{
    return *(const vec *) x;
}

static inline void store(double *x, vec value)
{
    *(vec *) x = value;
}

// A panel and rows of `stride` samples.
struct shape {
    size_t ld;
    size_t n_rows;
    size_t stride;
};

// `width` registers of samples of all rows. n_orient and width are constants.
INLINE void subtract_strip(const double *panel, struct shape shape, size_t n_orient, size_t width,
                           const double *delta, double *rows)
{
    vec step[MOST_ORIENT][WIDE];
    for (size_t o = 0; o < n_orient; o++)
        for (size_t k = 0; k < width; k++)
            step[o][k] = load(delta + o * shape.stride + k * LANES);
    for (size_t i = 0; i < shape.n_rows; i++) {
        double *row = rows + i * shape.stride;
        for (size_t k = 0; k < width; k++) {
            vec value = load(row + k * LANES);
            for (size_t o = 0; o < n_orient; o++)
                value -= panel[o * shape.ld + i] * step[o][k];
            store(row + k * LANES, value);
        }
    }
}

INLINE void correlate_strip(const double *panel, struct shape shape, size_t n_orient, size_t width,
                            const double *rows, double *out)
{
    vec sum[MOST_ORIENT][WIDE] = {0};
    for (size_t i = 0; i < shape.n_rows; i++)
        for (size_t k = 0; k < width; k++) {
            vec value = load(rows + i * shape.stride + k * LANES);
            for (size_t o = 0; o < n_orient; o++)
                sum[o][k] += panel[o * shape.ld + i] * value;
        }
    for (size_t o = 0; o < n_orient; o++)
        for (size_t k = 0; k < width; k++)
            store(out + o * shape.stride + k * LANES, sum[o][k]);
}

// Wide strips as long as there are samples for them, then narrow ones.
INLINE void subtract_all(const double *panel, struct shape shape, size_t n_orient,
                         const double *delta, double *rows)
{
    size_t t = 0;
    for (; t + WIDE * LANES <= shape.stride; t += WIDE * LANES)
        subtract_strip(panel, shape, n_orient, WIDE, delta + t, rows + t);
    for (; t + 2 * LANES <= shape.stride; t += 2 * LANES)
        subtract_strip(panel, shape, n_orient, 2, delta + t, rows + t);
    for (; t < shape.stride; t += LANES)
        subtract_strip(panel, shape, n_orient, 1, delta + t, rows + t);
}

INLINE void correlate_all(const double *panel, struct shape shape, size_t n_orient,
                          const double *rows, double *out)
{
    size_t t = 0;
    for (; t + WIDE * LANES <= shape.stride; t += WIDE * LANES)
        correlate_strip(panel, shape, n_orient, WIDE, rows + t, out + t);
    for (; t + 2 * LANES <= shape.stride; t += 2 * LANES)
        correlate_strip(panel, shape, n_orient, 2, rows + t, out + t);
    for (; t < shape.stride; t += LANES)
        correlate_strip(panel, shape, n_orient, 1, rows + t, out + t);
}

static void subtract_product(const double *restrict panel, size_t ld, size_t n_rows,
                             size_t n_orient, const double *restrict delta, size_t n_time,
                             double *restrict rows)
{
    struct shape shape = {ld, n_rows, n_time};
    if (n_orient == 1)
        subtract_all(panel, shape, 1, delta, rows);
    else
        subtract_all(panel, shape, MOST_ORIENT, delta, rows);
}

static void correlate(const double *restrict panel, size_t ld, size_t n_rows, size_t n_orient,
                      const double *restrict rows, size_t n_time, double *restrict out)
{
    struct shape shape = {ld, n_rows, n_time};
    if (n_orient == 1)
        correlate_all(panel, shape, 1, rows, out);
    else
        correlate_all(panel, shape, MOST_ORIENT, rows, out);
}

#define JOIN(a, b)        a##b
#define PANEL_SYMBOL(set) JOIN(panel_kernels_, set)

extern const struct panel_kernels PANEL_SYMBOL(KERNELS_SET);
const struct panel_kernels PANEL_SYMBOL(KERNELS_SET) = {.subtract_product = subtract_product,
                                                        .correlate = correlate};
