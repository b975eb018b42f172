// SPDX-License-Identifier: BSD-3-Clause
#include "sources/minimum_norm.h"

#include "solvers/lapack.h"

#include <cblas.h>
#include <glib.h>
#include <math.h>
#include <string.h>

enum { POSITIONS_AT_A_TIME = 128 };

// The factor of G G' + lambda^2 I, lower triangle by columns.
static double *factor_new(const struct minimum_norm_input *input)
{
    int n = (int) input->n_sensors, info = 0;
    size_t n_columns = input->n_positions * input->n_orient;
    double *factor = g_new0(double, input->n_sensors * input->n_sensors);
    cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, n, (int) n_columns, 1.0, input->gain, n,
                0.0, factor, n);
    for (size_t i = 0; i < input->n_sensors; i++)
        factor[i * (input->n_sensors + 1)] += 1.0 / (input->snr * input->snr);
    dpotrf_("L", &n, factor, &n, &info);
    g_assert(info == 0); // it is positive
    return factor;
}

// columns <- (G G' + lambda^2 I)^-1 columns; each column is n_sensors contiguous numbers.
static void solve(const double *factor, size_t n_sensors, double *columns, size_t n_columns)
{
    int n = (int) n_sensors;
    cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, n,
                (int) n_columns, 1.0, factor, n, columns, n);
    cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, n, (int) n_columns,
                1.0, factor, n, columns, n);
}

// The standard deviation that white noise gives position k, from the rows of its inverse operator.
static double noise_of(const struct minimum_norm_input *input, const double *operator_rows,
                       size_t k)
{
    double sum = 0.0;
    for (size_t o = 0; o < input->n_orient; o++) {
        double norm = cblas_dnrm2((int) input->n_sensors, operator_rows + o * input->n_sensors, 1);
        sum += pow(input->weight[k * input->n_orient + o] * norm, 2.0);
    }
    return sqrt(sum);
}

// Moments of a position (n_orient x n_time, by unit weights) become its row of the map.
static void set_row(const struct minimum_norm_input *input, size_t k, const double *moments,
                    double scale, double *row)
{
    const double *weight = input->weight + k * input->n_orient;
    for (size_t t = 0; t < input->n_time; t++) {
        if (input->n_orient == 1) {
            row[t] = scale * weight[0] * moments[t];
            continue;
        }
        double sum = 0.0;
        for (size_t o = 0; o < input->n_orient; o++)
            sum += pow(weight[o] * moments[o * input->n_time + t], 2.0);
        row[t] = scale * sqrt(sum);
    }
}

void minimum_norm(const struct minimum_norm_input *input, double *map)
{
    size_t n = input->n_sensors, n_orient = input->n_orient, n_time = input->n_time;
    g_autofree double *factor = factor_new(input);
    g_autofree double *rows = g_new(double, POSITIONS_AT_A_TIME *n_orient *n);
    g_autofree double *moments = g_new(double, POSITIONS_AT_A_TIME *n_orient *n_time);
    for (size_t first = 0; first < input->n_positions; first += POSITIONS_AT_A_TIME) {
        size_t count = MIN((size_t) POSITIONS_AT_A_TIME, input->n_positions - first);
        size_t n_rows = count * n_orient;
        memcpy(rows, input->gain + first * n_orient * n, n_rows * n * sizeof(double));
        solve(factor, n, rows, n_rows);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) n_rows, (int) n_time, (int) n,
                    1.0, rows, (int) n, input->data, (int) n_time, 0.0, moments, (int) n_time);
        for (size_t k = 0; k < count; k++) {
            double noise = noise_of(input, rows + k * n_orient * n, first + k);
            double scale = !input->is_normalised ? 1.0 : noise > 0.0 ? 1.0 / noise : 0.0;
            set_row(input, first + k, moments + k * n_orient * n_time, scale,
                    map + (first + k) * n_time);
        }
    }
}
