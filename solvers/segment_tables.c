// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/segment_tables.h"

#include <string.h>

// The response to a unit step, c_t = h_0 + .. + h_t, for t < n_h; it stays at c_inf after that.
static double *step_response(const struct segment_filter *filter)
{
    double *c = g_new(double, filter->n_h);
    double sum = 0.0;
    for (size_t t = 0; t < filter->n_h; t++)
        c[t] = sum += filter->h[t];
    return c;
}

static double step_at(const struct segment_filter *filter, const double *c, size_t t)
{
    return c[MIN(t, filter->n_h - 1)];
}

static void make_level(struct segment_filter *filter, const double *c)
{
    filter->level = g_new(double, filter->n_out);
    for (size_t t = 0; t < filter->n_out; t++) {
        filter->level[t] = step_at(filter, c, t);
        if (t >= filter->n_in)
            filter->level[t] -= step_at(filter, c, t - filter->n_in);
        filter->level_norm2 += filter->level[t] * filter->level[t];
    }
}

static void make_plateau(struct segment_filter *filter, const double *c)
{
    double *plateau = g_new0(double, segment_padded(filter->n_in) + SEGMENT_PAD);
    double c_inf = c[filter->n_h - 1];
    for (size_t a = filter->n_in; a-- > 0;)
        plateau[a] = plateau[a + 1] + c_inf * step_at(filter, c, filter->n_out - a - 1);
    filter->tables.plateau = plateau;
}

// Row i has room for reach - i samples of overlap (a full convolution has row 0 alone).
static void make_transient(struct segment_filter *filter, const double *c)
{
    size_t reach = filter->n_h, stride = reach + 1;
    size_t n_rows = (size_t) (filter->tables.end - filter->tables.saturated) + 1;
    double c_inf = c[reach - 1];
    double *transient = g_new0(double, n_rows *stride);
    for (size_t d = 0; d < reach; d++) {
        double sum = 0.0;
        for (size_t n = 0; n <= reach; n++) {
            if (reach - n < n_rows)
                transient[(reach - n) * stride + d] = sum;
            if (n + d < reach)
                sum += c[n] * (c[n + d] - c_inf);
        }
    }
    filter->tables.transient = transient;
}

// E_|a-b|: the last of the two steps says how much is left of the series.
static double transient(const struct segment_tables *tables, ptrdiff_t a, ptrdiff_t b)
{
    ptrdiff_t row = MAX(MAX(a, b) - tables->saturated, 0);
    return tables->transient[row * (tables->reach + 1) + MIN(ABS(a - b), tables->reach)];
}

static void make_coupling(struct segment_filter *filter, double c_inf)
{
    struct segment_tables *tables = &filter->tables;
    ptrdiff_t stride = segment_coupling_stride(tables), middle = tables->reach + SEGMENT_TILE;
    ptrdiff_t n_rows = tables->end - tables->saturated + 1;
    tables->coupling = g_new0(double, (size_t) (n_rows * stride));
    for (ptrdiff_t j = 0; j < stride; j++) {
        ptrdiff_t left = MAX(middle - j, 0), distance = ABS(middle - j);
        tables->coupling[j] =
            tables->transient[MIN(distance, tables->reach)] - c_inf * c_inf * (double) left;
    }
    for (ptrdiff_t row = 1; row < n_rows; row++) {
        ptrdiff_t knot = tables->saturated + row;
        ptrdiff_t begin = MAX(knot - middle, 0), end = MIN(knot + middle, tables->end);
        for (ptrdiff_t a = begin; a < end; a++)
            tables->coupling[row * stride + a - knot + middle] =
                transient(tables, a, knot) + tables->plateau[MAX(a, knot)] - tables->plateau[a];
    }
}

// <step_a - step_end, step_b - step_end>.
static double product(const struct segment_tables *tables, ptrdiff_t a, ptrdiff_t b)
{
    ptrdiff_t end = tables->end;
    return tables->plateau[MAX(a, b)] + transient(tables, a, b) - transient(tables, a, end) -
           transient(tables, end, b) + transient(tables, end, end);
}

// A jump at a step that is no more than rounding once its part along S is taken out cannot be
// determined: the last step of a response that starts with 0 is one. The first is the level.
static void make_candidates(struct segment_filter *filter)
{
    filter->candidates = g_new0(uint64_t, segment_padded(filter->n_in) / 64);
    for (size_t a = 1; a < filter->n_in; a++) {
        double along = product(&filter->tables, (ptrdiff_t) a, 0);
        double rest = product(&filter->tables, (ptrdiff_t) a, (ptrdiff_t) a) -
                      along * along / filter->level_norm2;
        if (rest > 1e-12 * filter->level_norm2)
            filter->candidates[a / 64] |= (uint64_t) 1 << a % 64;
    }
}

struct segment_filter *segment_filter_new(const struct filter *filter, size_t n_in)
{
    g_assert(n_in > 0 && filter->n > 0);
    struct segment_filter *made = g_new0(struct segment_filter, 1);
    made->n_in = n_in;
    made->n_out = filter->full ? n_in + filter->n - 1 : n_in;
    made->n_h = MIN(filter->n, made->n_out);
    made->h = g_memdup2(filter->h, made->n_h * sizeof(double));
    made->tables.end = (ptrdiff_t) n_in;
    made->tables.reach = (ptrdiff_t) made->n_h;
    made->tables.saturated = (ptrdiff_t) (filter->full ? n_in : n_in - made->n_h);

    g_autofree double *c = step_response(made);
    make_level(made, c);
    make_plateau(made, c);
    make_transient(made, c);
    make_coupling(made, c[made->n_h - 1]);
    make_candidates(made);
    return made;
}

void segment_filter_free(struct segment_filter *filter)
{
    if (filter == NULL)
        return;
    g_free(filter->tables.plateau);
    g_free(filter->tables.transient);
    g_free(filter->tables.coupling);
    g_free(filter->h);
    g_free(filter->level);
    g_free(filter->candidates);
    g_free(filter);
}
