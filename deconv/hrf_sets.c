// SPDX-License-Identifier: BSD-3-Clause
// Sets of basis functions of SPM, a column at a time; finite impulse responses. Times in seconds.
#include "deconv/hrf_models.h"

#include <math.h>
#include <string.h>

enum { SET_COLUMN, N_SET };
enum { FIR_DELAY, FIR_WIDTH, N_FIR };

// spm_get_bf, columns g(t; 2^(i+1)), i = 1 .. order, orthogonal to those before.
static void sample_spm_gamma(const struct hrf_model *model G_GNUC_UNUSED, const double *p,
                             const struct hrf_grid *grid, double *h)
{
    size_t n = grid->n, count = (size_t) p[SET_COLUMN];
    g_autofree double *columns = g_new(double, count *n);
    for (size_t j = 0; j < count; j++) {
        for (size_t k = 0; k < n; k++)
            columns[j * n + k] = hrf_gamma_density(hrf_grid_time(grid, k), ldexp(1.0, (int) j + 2));
        hrf_orthogonalise(columns, n, j + 1);
    }
    memcpy(h, columns + (count - 1) * n, n * sizeof(double));
}

// spm_get_bf: a Hanning window times 1, sin 2 pi x, cos 2 pi x, sin 4 pi x, ..., orthogonal to
// those before.
static void sample_spm_fourier(const struct hrf_model *model G_GNUC_UNUSED, const double *p,
                               const struct hrf_grid *grid, double *h)
{
    size_t n = grid->n, count = (size_t) p[SET_COLUMN];
    g_autofree double *columns = g_new(double, count *n);
    for (size_t j = 0; j < count; j++) {
        size_t order = (j + 1) / 2;
        for (size_t k = 0; k < n; k++) {
            double angle = 2.0 * G_PI * (double) k / (double) (n - 1);
            double phase = (double) order * angle;
            double wave = j % 2 == 1 ? sin(phase) : cos(phase);
            columns[j * n + k] = 0.5 * (1.0 - cos(angle)) * wave;
        }
        hrf_orthogonalise(columns, n, j + 1);
    }
    memcpy(h, columns + (count - 1) * n, n * sizeof(double));
}

static double fir_response(const double *p, double t)
{
    // A box ends where the next begins, whatever the rounding of k tr.
    double x = (t - p[FIR_DELAY]) / p[FIR_WIDTH];
    return x > -1e-9 && x < 1.0 - 1e-9 ? 1.0 : 0.0;
}

static double fir_extent(const double *p)
{
    return p[FIR_DELAY] + p[FIR_WIDTH];
}

static const char *caution_set(const double *p)
{
    return p[SET_COLUMN] == 1.0 ? NULL : "a later column of a basis is no impulse response";
}

static const char *caution_fourier(const double *p G_GNUC_UNUSED)
{
    return "a column of a Fourier basis is no impulse response";
}

static const struct hrf_parameter spm_gamma_parameters[N_SET] = {
    {"column", 1.0, 1.0, 8.0, "column of the set, from 1", NULL},
};
static const struct hrf_parameter spm_fourier_parameters[N_SET] = {
    {"column", 1.0, 1.0, 65.0, "column of the set, from 1", NULL},
};
static const struct hrf_parameter fir_parameters[N_FIR] = {
    {"delay", 4.0, 0.0, 1000.0, "begin of the box, s", NULL},
    {"width", 2.0, 0.001, 1000.0, "width of the box, s", NULL},
};

const struct hrf_model hrf_fir = {
    .name = "fir",
    .summary = "one box of a finite impulse response",
    .source = "nilearn, SPM",
    HRF_PARAMETERS(fir_parameters),
    .norm = HRF_NORM_SUM,
    .extent_s = fir_extent,
    .sample = hrf_sample_response,
    .response = fir_response,
};

const struct hrf_model hrf_spm_fourier = {
    .name = "spm-fourier",
    .summary = "a column of SPM's Fourier set, Hanning window",
    .source = "SPM12 spm_get_bf",
    HRF_PARAMETERS(spm_fourier_parameters),
    .length_s = 32.0,
    .sample = sample_spm_fourier,
    .caution = caution_fourier,
};

const struct hrf_model hrf_spm_gamma = {
    .name = "spm-gamma",
    .summary = "a column of SPM's set of gamma functions",
    .source = "SPM12 spm_get_bf",
    HRF_PARAMETERS(spm_gamma_parameters),
    .length_s = 32.0,
    .sample = sample_spm_gamma,
    .caution = caution_set,
};
