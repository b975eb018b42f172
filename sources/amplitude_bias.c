// SPDX-License-Identifier: BSD-3-Clause
#include "sources/amplitude_bias.h"

#include "sources/eigen.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { MOST_ITERATIONS = 1000 };

#define STILL  1e-6
#define MARGIN 1.1 // of the step below its bound

// 1/2 ||M - G diag(d) X||^2 = constant - c' (d - 1) + 1/2 (d - 1)' H (d - 1).
struct quadratic {
    size_t n;
    double *h;    // owned; H_kl = <G_k X_k, G_l X_l>, n x n
    double *c;    // owned; c_k = <G_k X_k, M - G X>
    double bound; // n_orient ||G_S||_2^2 ||X||_2^2, above ||H||_2
};

// ||A A'||_2 of a row-major matrix.
static double spectral_norm2(const double *rows, size_t n_rows, size_t n_columns)
{
    g_autofree double *gram = g_new0(double, n_rows *n_rows);
    g_autofree double *eigenvalue = g_new(double, n_rows);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int) n_rows, (int) n_columns, 1.0, rows,
                (int) n_columns, 0.0, gram, (int) n_rows);
    eigen_symmetric(gram, n_rows, eigenvalue);
    return eigenvalue[n_rows - 1];
}

// The columns of G in use, one after the other.
static double *gather_gain(const struct mixed_norm_input *input, const struct source_estimate *x)
{
    size_t size = input->n_orient * input->n_sensors;
    double *gain = g_new(double, x->n_active *size);
    for (size_t k = 0; k < x->n_active; k++)
        memcpy(gain + k * size, input->gain + x->position[k] * size, size * sizeof(double));
    return gain;
}

static struct quadratic quadratic_of(const struct mixed_norm_input *input,
                                     const struct source_estimate *x)
{
    int n = (int) x->n_active, n_orient = (int) input->n_orient, n_time = (int) input->n_time;
    int n_sensors = (int) input->n_sensors, n_samples = n_sensors * n_time;
    struct quadratic q = {.n = x->n_active,
                          .h = g_new(double, x->n_active * x->n_active),
                          .c = g_new(double, x->n_active)};
    g_autofree double *gain = gather_gain(input, x);
    g_autofree double *fields = g_new(double, q.n *(size_t) n_samples);
    g_autofree double *residual = g_new(double, (size_t) n_samples);
    source_estimate_residual(x, input->gain, input->data, input->n_sensors, residual);
    for (size_t k = 0; k < q.n; k++)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n_sensors, n_time, n_orient, 1.0,
                    gain + k * input->n_orient * input->n_sensors, n_sensors,
                    source_estimate_rows(x, k), n_time, 0.0, fields + k * (size_t) n_samples,
                    n_time);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, n, n, n_samples, 1.0, fields, n_samples,
                fields, n_samples, 0.0, q.h, n);
    cblas_dgemv(CblasColMajor, CblasTrans, n_samples, n, 1.0, fields, n_samples, residual, 1, 0.0,
                q.c, 1);
    size_t n_columns = q.n * input->n_orient;
    q.bound = (double) n_orient * spectral_norm2(gain, n_columns, input->n_sensors) *
              spectral_norm2(x->x, n_columns, input->n_time);
    return q;
}

// One iteration from the extrapolated point d + momentum (d - before). Returns how far d moves.
static double iterate(const struct quadratic *q, double step, double momentum, double *d,
                      double *before, double *scratch)
{
    double *shift = scratch, *gradient = scratch + q->n, moved = 0.0;
    for (size_t k = 0; k < q->n; k++) {
        shift[k] = d[k] + momentum * (d[k] - before[k]) - 1.0;
        gradient[k] = q->c[k];
    }
    cblas_dgemv(CblasColMajor, CblasNoTrans, (int) q->n, (int) q->n, -1.0, q->h, (int) q->n, shift,
                1, 1.0, gradient, 1);
    for (size_t k = 0; k < q->n; k++) {
        before[k] = d[k];
        d[k] = fmax(1.0 + shift[k] + step * gradient[k], 1.0);
        moved = fmax(moved, fabs(d[k] - before[k]));
    }
    return moved;
}

struct amplitude_bias_result amplitude_bias(const struct mixed_norm_input *input,
                                            const struct source_estimate *estimate, double *factors)
{
    struct amplitude_bias_result result = {.converged = estimate->n_active == 0};
    if (result.converged)
        return result;
    struct quadratic q = quadratic_of(input, estimate);
    g_autofree double *before = g_new(double, q.n);
    g_autofree double *scratch = g_new(double, 2 * q.n);
    for (size_t k = 0; k < q.n; k++)
        factors[k] = before[k] = 1.0;
    double t = 1.0, momentum = 0.0;
    while (!result.converged && result.n_iterations < MOST_ITERATIONS) {
        double moved = iterate(&q, 1.0 / (MARGIN * q.bound), momentum, factors, before, scratch);
        double next = 0.5 * (1.0 + sqrt(1.0 + 4.0 * t * t));
        momentum = (t - 1.0) / next;
        t = next;
        result.n_iterations++;
        result.converged = moved < STILL;
    }
    g_free(q.h);
    g_free(q.c);
    return result;
}

void amplitude_bias_apply(struct source_estimate *estimate, const double *factors)
{
    for (size_t k = 0; k < estimate->n_active; k++)
        cblas_dscal((int) (estimate->n_orient * estimate->n_time), factors[k],
                    source_estimate_rows(estimate, k), 1);
}
