// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/segment_system.h"

#include <math.h>
#include <string.h>

ptrdiff_t *segment_alloc_positions(const struct segment_filter *filter, struct workspace *ws)
{
    ptrdiff_t *position = WORKSPACE_ALLOC(ws, ptrdiff_t, filter->n_in + 1 + SEGMENT_BAND);
    for (size_t i = 0; i < SEGMENT_BAND; i++)
        position[i] = -2 * filter->tables.reach - filter->tables.end;
    return position + SEGMENT_BAND;
}

void segment_system_alloc(struct segment_system *system, const struct segment_filter *filter,
                          struct workspace *ws)
{
    size_t n = filter->n_in + 1, band = SEGMENT_BAND;
    size_t widest = MAX(MIN(filter->n_h, filter->n_in), band);
    size_t stride = (widest + band - 1) / band * band;
    *system = (struct segment_system){
        .stride = stride,
        .band = WORKSPACE_ALLOC(ws, double, (n + band) * stride) + band * stride,
        .inverse = WORKSPACE_ALLOC(ws, double, n + band) + band,
        .forward = WORKSPACE_ALLOC(ws, double, n + band) + band,
        .width = WORKSPACE_ALLOC(ws, size_t, n),
        .gain = WORKSPACE_ALLOC(ws, double, n + 1),
        .far = WORKSPACE_ALLOC(ws, double, n),
        .value = WORKSPACE_ALLOC(ws, double, n + 1),
        .jump = WORKSPACE_ALLOC(ws, double, n),
        .wrong = WORKSPACE_ALLOC(ws, size_t, n),
    };
    memset(system->band - band * stride, 0, band * stride * sizeof(double));
    memset(system->inverse - band, 0, band * sizeof(double));
    memset(system->forward - band, 0, band * sizeof(double));
    system->gain[0] = 0.0;
}

static double sum_of(const double *z, size_t n)
{
    double sum = 0.0;
    for (size_t t = 0; t < n; t++)
        sum += z[t];
    return sum;
}

// The best constant, <S, x> + sum c over ||S||^2 + w n.
static double best_level(const struct segment_filter *filter, const struct kernels *kernels,
                         const double *x, const struct segment_pull *pull)
{
    double norm2 = filter->level_norm2, inner = 0.0;
    if (norm2 > 0.0)
        inner = kernels->dot(filter->level, x, filter->n_out);
    if (pull != NULL) {
        norm2 += pull->weight * (double) filter->n_in;
        inner += sum_of(pull->linear, filter->n_in);
    }
    return norm2 > 0.0 ? inner / norm2 : 0.0;
}

// From the series less its best constant, so that b is small where x is large.
double segment_correlate(const struct segment_filter *filter, const struct kernels *kernels,
                         const double *x, const struct segment_pull *pull, double *b, double *level,
                         struct workspace *ws)
{
    size_t n_out = filter->n_out, n_in = filter->n_in;
    *level = best_level(filter, kernels, x, pull);
    size_t n_padded = MAX(n_out, n_in + filter->n_h - 1), mark = workspace_mark(ws);
    double *r = WORKSPACE_ALLOC(ws, double, n_padded);
    kernels->subtract(x, *level, filter->level, r, n_out);
    memset(r + n_out, 0, (n_padded - n_out) * sizeof *r);
    kernels->fir(filter->h, filter->n_h, r, b, n_in);
    for (size_t t = 0; pull != NULL && t < n_in; t++)
        b[t] += pull->linear[t] - pull->weight * *level;
    double lambda_max = kernels->suffix_sums(b, b, n_in);
    workspace_release(ws, mark);
    b[0] = 0.0; // as the level is the best
    // Where no more than this is left of the series, it is rounding.
    return lambda_max > 1e-12 * fabs(*level) * filter->level_norm2 ? lambda_max : 0.0;
}
