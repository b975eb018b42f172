// SPDX-License-Identifier: BSD-3-Clause
#include "sources/mixed_norm.h"

#include <cblas.h>
#include <math.h>

// Blocks this near to the largest by double are compared again in long double.
#define NEARLY 1e-9

enum { POSITIONS_AT_A_TIME = 256 };

static long double square_sum(const long double *values, size_t n)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < n; i++)
        sum += values[i] * values[i];
    return sum;
}

// R = M - G X, row-major.
static void set_residual(const struct mixed_norm_input *input,
                         const struct source_estimate *estimate, long double *residual)
{
    size_t n_time = input->n_time, n_orient = input->n_orient;
    for (size_t i = 0; i < input->n_sensors * n_time; i++)
        residual[i] = input->data[i];
    for (size_t k = 0; k < estimate->n_active * n_orient; k++) {
        size_t column = estimate->position[k / n_orient] * n_orient + k % n_orient;
        const double *gain = input->gain + column * input->n_sensors;
        const double *x = estimate->x + k * n_time;
        for (size_t i = 0; i < input->n_sensors; i++)
            for (size_t t = 0; t < n_time; t++)
                residual[i * n_time + t] -= (long double) gain[i] * x[t];
    }
}

// ||G_k' R||_F of one position; row: n_time long doubles of scratch.
static double exact_block(const struct mixed_norm_input *input, const long double *residual,
                          size_t k, long double *row)
{
    long double sum = 0.0L;
    for (size_t o = 0; o < input->n_orient; o++) {
        const double *gain = input->gain + (k * input->n_orient + o) * input->n_sensors;
        for (size_t t = 0; t < input->n_time; t++)
            row[t] = 0.0L;
        for (size_t i = 0; i < input->n_sensors; i++)
            for (size_t t = 0; t < input->n_time; t++)
                row[t] += gain[i] * residual[i * input->n_time + t];
        sum += square_sum(row, input->n_time);
    }
    return (double) sqrtl(sum);
}

// ||G_k' R||_F of all positions, in double.
static void set_block_norms(const struct mixed_norm_input *input, const long double *residual,
                            double *norm)
{
    size_t n_time = input->n_time, size = input->n_orient * n_time;
    g_autofree double *rounded = g_new(double, input->n_sensors *n_time);
    g_autofree double *c = g_new(double, POSITIONS_AT_A_TIME *size);
    for (size_t i = 0; i < input->n_sensors * n_time; i++)
        rounded[i] = (double) residual[i];
    for (size_t first = 0; first < input->n_positions; first += POSITIONS_AT_A_TIME) {
        size_t count = MIN((size_t) POSITIONS_AT_A_TIME, input->n_positions - first);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) (count * input->n_orient),
                    (int) n_time, (int) input->n_sensors, 1.0,
                    input->gain + first * input->n_orient * input->n_sensors,
                    (int) input->n_sensors, rounded, (int) n_time, 0.0, c, (int) n_time);
        for (size_t k = 0; k < count; k++)
            norm[first + k] = cblas_dnrm2((int) size, c + k * size, 1);
    }
}

static double largest_block(const struct mixed_norm_input *input, const long double *residual)
{
    g_autofree double *norm = g_new(double, input->n_positions);
    g_autofree long double *row = g_new0(long double, input->n_time);
    set_block_norms(input, residual, norm);
    double rough = 0.0, largest = 0.0;
    for (size_t k = 0; k < input->n_positions; k++)
        rough = fmax(rough, norm[k]);
    for (size_t k = 0; k < input->n_positions; k++)
        if (norm[k] >= (1.0 - NEARLY) * rough)
            largest = fmax(largest, exact_block(input, residual, k, row));
    return largest;
}

static long double penalty_of(const struct source_estimate *estimate)
{
    size_t size = estimate->n_orient * estimate->n_time;
    long double sum = 0.0L;
    for (size_t k = 0; k < estimate->n_active; k++) {
        long double norm2 = 0.0L;
        for (size_t t = 0; t < size; t++)
            norm2 += (long double) estimate->x[k * size + t] * estimate->x[k * size + t];
        sum += sqrtl(norm2);
    }
    return sum;
}

struct mixed_norm_certificate mixed_norm_certify(const struct mixed_norm_input *input,
                                                 const struct source_estimate *estimate,
                                                 double alpha)
{
    size_t n = input->n_sensors * input->n_time;
    g_autofree long double *residual = g_new0(long double, n);
    set_residual(input, estimate, residual);
    long double data2 = 0.0L, inner = 0.0L, residual2 = square_sum(residual, n);
    for (size_t i = 0; i < n; i++) {
        data2 += (long double) input->data[i] * input->data[i];
        inner += input->data[i] * residual[i];
    }
    double largest = largest_block(input, residual);
    long double scale = residual2 > 0.0L ? inner / residual2 : 0.0L;
    if (largest > 0.0)
        scale = fmaxl(fminl(scale, alpha / (long double) largest), -alpha / (long double) largest);
    long double objective = 0.5L * residual2 + alpha * penalty_of(estimate);
    long double gap = objective - scale * inner + 0.5L * scale * scale * residual2;
    // weak duality: what is below zero is rounding; NaN stays NaN
    gap = gap < 0.0L ? 0.0L : gap;
    bool is_zero = !(data2 > 0.0L);
    return (struct mixed_norm_certificate){
        .objective = (double) objective,
        .duality_gap = (double) gap,
        .relative_gap = is_zero ? (double) gap : (double) (gap / (0.5L * data2)),
        .explained = is_zero ? 0.0 : (double) (1.0L - residual2 / data2),
        .largest_block = largest};
}
