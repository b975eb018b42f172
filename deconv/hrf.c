// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/hrf.h"

#include "deconv/hrf_spec.h"
#include "deconv/nearest.h"

#include <float.h>
#include <math.h>
#include <string.h>

// Formulas and the table of models; times in seconds. hrf_spec.c reads "name:key=value,...",
// hrf_shape.c measures.

static const char *const block_powers[] = {"4", "5", NULL};
static const char *const delta_derivatives[] = {"none", "delta", "dispersion", NULL};
static const char *const no_yes[] = {"no", "yes", NULL};
static const char *const derivatives[] = {"none", "time", "dispersion", NULL};

static const char derivative_caution[] = "a derivative is a regressor, not an impulse response";

// The density of the gamma distribution of the given shape at t; 0 for t <= 0.
static double gamma_density(double t, double shape)
{
    if (!(t > 0.0))
        return 0.0;
    return exp((shape - 1.0) * log(t) - t - lgamma(shape));
}

static double gamma_density_scaled(double t, double shape, double scale)
{
    return gamma_density(t / scale, shape) / scale;
}

static double grid_time(const struct hrf_grid *grid, size_t k)
{
    return (double) k * grid->step_s - grid->shift_s;
}

static void sample_response(const struct hrf_model *model, const double *p,
                            const struct hrf_grid *grid, double *h)
{
    for (size_t k = 0; k < grid->n; k++)
        h[k] = model->response(p, grid_time(grid, k));
}

static double sum_of(const double *h, size_t n)
{
    double sum = 0.0;
    for (size_t k = 0; k < n; k++)
        sum += h[k];
    return sum;
}

static void divide(double *h, size_t n, double by)
{
    for (size_t k = 0; k < n; k++)
        h[k] /= by;
}

// Makes the last of `count` columns of n samples orthogonal to those before it, which are so
// already. Twice is enough (Giraud et al. 2005).
static void orthogonalise(double *columns, size_t n, size_t count)
{
    double *last = columns + (count - 1) * n;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t j = 0; j + 1 < count; j++) {
            const double *column = columns + j * n;
            double both = 0.0, own = 0.0;
            for (size_t k = 0; k < n; k++) {
                both += column[k] * last[k];
                own += column[k] * column[k];
            }
            for (size_t k = 0; own > 0.0 && k < n; k++)
                last[k] -= both / own * column[k];
        }
    }
}

/* Double gammas with a derivative by differences: spm, glover, nilearn-spm. */

enum {
    DELAY,
    UNDERSHOOT,
    DISPERSION,
    UNDERSHOOT_DISPERSION,
    RATIO,
    ONSET,
    DERIVATIVE,
    ORTHOGONAL,                    // spm
    OVERSAMPLING = DERIVATIVE + 1, // nilearn
    N_NILEARN,
    N_SPM = N_NILEARN
};

static double spm_response(const double *p, double t)
{
    t -= p[ONSET];
    return gamma_density_scaled(t, p[DELAY] / p[DISPERSION], p[DISPERSION]) -
           gamma_density_scaled(t, p[UNDERSHOOT] / p[UNDERSHOOT_DISPERSION],
                                p[UNDERSHOOT_DISPERSION]) /
               p[RATIO];
}

static double nilearn_response(const double *p, double t)
{
    t -= p[ONSET];
    return gamma_density_scaled(t, p[DELAY] / p[DISPERSION], p[DISPERSION]) -
           p[RATIO] * gamma_density_scaled(t, p[UNDERSHOOT] / p[UNDERSHOOT_DISPERSION],
                                           p[UNDERSHOOT_DISPERSION]);
}

static void sample_unit_sum(const struct hrf_model *model, const double *p,
                            const struct hrf_grid *grid, double *h)
{
    sample_response(model, p, grid, h);
    divide(h, grid->n, sum_of(h, grid->n));
}

// (h(p) - h(p + step in one parameter)) / step, each h of sum 1.
static void sample_difference(const struct hrf_model *model, const double *p, size_t parameter,
                              double step, const struct hrf_grid *grid, double *h)
{
    double moved_p[HRF_MAX_PARAMETERS];
    memcpy(moved_p, p, sizeof moved_p);
    moved_p[parameter] += step;
    g_autofree double *moved = g_new(double, grid->n);
    sample_unit_sum(model, p, grid, h);
    sample_unit_sum(model, moved_p, grid, moved);
    for (size_t k = 0; k < grid->n; k++)
        h[k] = (h[k] - moved[k]) / step;
}

// spm_get_bf: the response, its derivatives by onset (1 s) and dispersion (.01), spm_orth.
static void sample_spm(const struct hrf_model *model, const double *p, const struct hrf_grid *grid,
                       double *h)
{
    size_t order = (size_t) p[DERIVATIVE], n = grid->n;
    if (order == 0) {
        sample_response(model, p, grid, h);
        return;
    }
    g_autofree double *columns = g_new(double, 3 * n);
    sample_unit_sum(model, p, grid, columns);
    sample_difference(model, p, ONSET, 1.0, grid, columns + n);
    sample_difference(model, p, DISPERSION, 0.01, grid, columns + 2 * n);
    for (size_t count = 2; p[ORTHOGONAL] != 0.0 && count <= order + 1; count++)
        orthogonalise(columns, n, count);
    memcpy(h, columns + order * n, n * sizeof(double));
}

static void sample_nilearn(const struct hrf_model *model, const double *p,
                           const struct hrf_grid *grid, double *h)
{
    switch ((size_t) p[DERIVATIVE]) {
    case 1:
        sample_difference(model, p, ONSET, 0.1, grid, h);
        break;
    case 2:
        sample_difference(model, p, DISPERSION, 0.01, grid, h);
        break;
    default:
        sample_response(model, p, grid, h);
        break;
    }
}

// nilearn's dispersion derivative of the Glover response has an undershoot of dispersion 1.
static void sample_glover(const struct hrf_model *model, const double *p,
                          const struct hrf_grid *grid, double *h)
{
    double own[HRF_MAX_PARAMETERS];
    memcpy(own, p, sizeof own);
    if (p[DERIVATIVE] == 2.0)
        own[UNDERSHOOT_DISPERSION] = 1.0;
    sample_nilearn(model, own, grid, h);
}

// os > 0: nilearn's grid of rint(length / dt) points from 0 to length, dt = tr / os, with the
// response moved dt later; every os-th point is a sample.
static bool nilearn_grid(const double *p, double tr_s, double length_s, struct hrf_grid *grid)
{
    double os = p[OVERSAMPLING];
    if (os == 0.0)
        return hrf_grid_of_frames(tr_s, length_s, grid);
    double dt_s = tr_s / os, n_fine = rint(length_s / dt_s);
    if (!(n_fine >= 2.0 && n_fine <= 1e8))
        return false;
    *grid = (struct hrf_grid){(size_t) ceil(n_fine / os), os * (length_s / (n_fine - 1.0)), dt_s};
    return grid->n >= 2 && grid->n <= HRF_MAX_SAMPLES;
}

static const char *caution_derivative(const double *p)
{
    return p[DERIVATIVE] == 0.0 ? NULL : derivative_caution;
}

static const char *caution_nilearn(const double *p)
{
    if (p[OVERSAMPLING] != 0.0 && p[OVERSAMPLING] < 8.0)
        return "os is for comparison with nilearn: its samples come 1/os frame late";
    return caution_derivative(p);
}

#define DOUBLE_GAMMA_PARAMETERS(delay, undershoot, dispersion, ratio, ratio_meaning)                 \
    {"delay", delay, 0.1, 100.0, "delay of the response, s", NULL},                                  \
        {"undershoot", undershoot, 0.1, 100.0, "delay of the undershoot, s", NULL},                  \
        {"dispersion", dispersion, 0.01, 100.0, "dispersion of the response, s", NULL},              \
        {"undershoot_dispersion", dispersion, 0.01, 100.0, "dispersion of the undershoot, s", NULL}, \
        {"ratio", ratio, 0.0, 1e6, ratio_meaning, NULL},                                             \
        {"onset", 0.0, -100.0, 100.0, "onset, s", NULL},                                             \
    {                                                                                                \
        "derivative", 0.0, 0.0, 2.0, "by onset or dispersion, by differences", derivatives           \
    }
#define OVERSAMPLING_PARAMETER                                                                     \
    {                                                                                              \
        "os", 0.0, 0.0, 1000.0, "nilearn's oversampling, 1/os frame late; 0: none, exact", NULL    \
    }

static const struct hrf_parameter spm_parameters[N_SPM] = {
    DOUBLE_GAMMA_PARAMETERS(6.0, 16.0, 1.0, 6.0, "response / undershoot"),
    {"orthogonal", 0.0, 0.0, 1.0, "derivatives made orthogonal as by spm_orth", no_yes},
};
static const struct hrf_parameter nilearn_spm_parameters[N_NILEARN] = {
    DOUBLE_GAMMA_PARAMETERS(6.0, 16.0, 1.0, 0.167, "undershoot / response"),
    OVERSAMPLING_PARAMETER,
};
static const struct hrf_parameter glover_parameters[N_NILEARN] = {
    DOUBLE_GAMMA_PARAMETERS(6.0, 12.0, 0.9, 0.48, "undershoot / response"),
    OVERSAMPLING_PARAMETER,
};

/* Double gammas in units of a time scale: double-gamma, scaled, pyta, hemolearn, pybold. */

enum { RESPONSE_SHAPE, UNDERSHOOT_SHAPE, SHAPES_RATIO, N_SHAPES };
enum { DELTA, SCALED_RATIO, N_SCALED };
enum { PYTA_N, HEMOLEARN_DELTA, HEMOLEARN_DERIVATIVE, N_HEMOLEARN };
enum { PYBOLD_DELTA, PYBOLD_NORMALISED, N_PYBOLD };

// The authors of these responses sample on a grid of 1 ms and move the curve by one step of it.
static const double millisecond = 0.001;

static double shapes_response(const double *p, double t)
{
    t -= millisecond;
    return gamma_density(t, p[RESPONSE_SHAPE]) -
           p[SHAPES_RATIO] * gamma_density(t, p[UNDERSHOOT_SHAPE]);
}

// Cherkaoui et al. 2019; delta > 1 is faster.
static double scaled_gammas(double delta, double ratio, double t)
{
    double x = delta * t - millisecond;
    return gamma_density(x, 6.0) - ratio * gamma_density(x, 16.0);
}

static double scaled_response(const double *p, double t)
{
    return scaled_gammas(p[DELTA], p[SCALED_RATIO], t);
}

static double scaled_extent(const double *p)
{
    return 32.0 / p[DELTA];
}

static double pyta_response(const double *p G_GNUC_UNUSED, double t)
{
    return scaled_gammas(1.0, 0.167, t);
}

// The derivative by delta leaves the millisecond out of its factors, as hemolearn does.
static double hemolearn_by_delta(double delta, double t)
{
    double x = delta * t - millisecond;
    return (5.0 / delta - t) * gamma_density(x, 6.0) -
           0.167 * (15.0 / delta - t) * gamma_density(x, 16.0);
}

// The third function of hemolearn's basis: a difference over .001 in the shape of the response.
static double hemolearn_by_dispersion(double t)
{
    double moved = gamma_density(t - millisecond / 1.001, 6.0 / 1.001);
    return (gamma_density(t - millisecond, 6.0) - moved) / 0.001;
}

static double hemolearn_response(const double *p, double t)
{
    switch ((size_t) p[HEMOLEARN_DERIVATIVE]) {
    case 1:
        return hemolearn_by_delta(p[HEMOLEARN_DELTA], t);
    case 2:
        return hemolearn_by_dispersion(t);
    default:
        return scaled_gammas(p[HEMOLEARN_DELTA], 0.167, t);
    }
}

static double pybold_response(const double *p, double t)
{
    return scaled_gammas(p[PYBOLD_DELTA], 0.167, t);
}

static void sample_pybold(const struct hrf_model *model, const double *p,
                          const struct hrf_grid *grid, double *h)
{
    sample_response(model, p, grid, h);
    if (p[PYBOLD_NORMALISED] == 0.0)
        return;
    size_t stride = MAX((size_t) rint(grid->step_s / millisecond), 1);
    double peak = 0.0;
    for (size_t i = 0; i < grid->n * stride; i++)
        peak = fmax(peak, model->response(p, (double) i * (grid->step_s / (double) stride)));
    divide(h, grid->n, peak);
}

// linspace(0, duration, (int) (duration / .001))[:: (int) (tr / .001)], truncations included.
static bool millisecond_grid(double duration_s, double tr_s, struct hrf_grid *grid)
{
    double n_fine = floor(duration_s / millisecond), stride = floor(tr_s / millisecond);
    if (!(n_fine >= 2.0 && n_fine <= 1e8 && stride >= 1.0))
        return false;
    double n = ceil(n_fine / stride);
    *grid = (struct hrf_grid){(size_t) n, stride * (duration_s / (n_fine - 1.0)), 0.0};
    return n >= 2.0 && n <= HRF_MAX_SAMPLES;
}

static bool pyta_grid(const double *p, double tr_s, double length_s, struct hrf_grid *grid)
{
    double n = length_s > 0.0 ? hrf_count(tr_s, length_s) : p[PYTA_N];
    if (!(n >= 2.0) || !millisecond_grid(n * tr_s, tr_s, grid))
        return false;
    grid->n = MIN(grid->n, (size_t) n);
    return true;
}

static bool pybold_grid(const double *p G_GNUC_UNUSED, double tr_s, double length_s,
                        struct hrf_grid *grid)
{
    return millisecond_grid(length_s, tr_s, grid);
}

static const char *caution_hemolearn(const double *p)
{
    return p[HEMOLEARN_DERIVATIVE] == 0.0 ? NULL : derivative_caution;
}

static const struct hrf_parameter shapes_parameters[N_SHAPES] = {
    {"response", 6.0, 1.0, 100.0, "shape of the response", NULL},
    {"undershoot", 16.0, 1.0, 100.0, "shape of the undershoot", NULL},
    {"ratio", 0.167, 0.0, 1e6, "undershoot / response", NULL},
};
static const struct hrf_parameter scaled_parameters[N_SCALED] = {
    {"delta", 1.0, 0.05, 20.0, "speed; useful from 0.5 to 2", NULL},
    {"ratio", 0.167, 0.0, 1e6, "undershoot / response", NULL},
};
// pyta has the first of them only.
static const struct hrf_parameter hemolearn_parameters[N_HEMOLEARN] = {
    {"n", 30.0, 2.0, 1e5, "samples", NULL},
    {"delta", 1.0, 0.05, 20.0, "speed; useful from 0.5 to 2", NULL},
    {"derivative", 0.0, 0.0, 2.0, "by delta, or by dispersion at delta 1", delta_derivatives},
};
static const struct hrf_parameter pybold_parameters[N_PYBOLD] = {
    {"delta", 1.0, 0.05, 20.0, "speed; useful from 0.5 to 2", NULL},
    {"normalised", 0.0, 0.0, 1.0, "divided by the peak of the 1 ms grid", no_yes},
};

/* AFNI's basis functions, 3dDeconvolve. */

enum { GAM_P, GAM_Q, N_GAM };
enum { TWOGAM_P1, TWOGAM_Q1, TWOGAM_RATIO, TWOGAM_P2, TWOGAM_Q2, N_TWOGAM };
enum { BLOCK_POWER, BLOCK_DURATION, N_BLOCK };
enum { WAV_DELAY, WAV_RISE, WAV_FALL, WAV_UNDERSHOOT, WAV_RESTORE, N_WAV };

// (t / pq)^p e^(p - t/q), of peak 1 at pq; Cohen 1997.
static double gam_extent(const double *p)
{
    return p[GAM_P] * p[GAM_Q] + 5.0 * sqrt(p[GAM_P]) * p[GAM_Q];
}

static double gam_response(const double *p, double t)
{
    if (!(t > 0.0 && t <= gam_extent(p)))
        return 0.0;
    return exp(p[GAM_P] * log(t / (p[GAM_P] * p[GAM_Q])) + p[GAM_P] - t / p[GAM_Q]);
}

static double twogam_extent(const double *p)
{
    return fmax(gam_extent(p + TWOGAM_P1), gam_extent(p + TWOGAM_P2));
}

static double twogam_response(const double *p, double t)
{
    return gam_response(p + TWOGAM_P1, t) - p[TWOGAM_RATIO] * gam_response(p + TWOGAM_P2, t);
}

static const double spmg_undershoot = 1.274527e-13;
static const double spmg_response = 0.0083333333;
static const double spmg_end_s = 25.0;

static double spmg1_response(const double *p G_GNUC_UNUSED, double t)
{
    if (!(t > 0.0 && t < spmg_end_s))
        return 0.0;
    return exp(-t) * (spmg_response * pow(t, 5.0) - spmg_undershoot * pow(t, 15.0));
}

static double spmg2_response(const double *p G_GNUC_UNUSED, double t)
{
    if (!(t > 0.0 && t < spmg_end_s))
        return 0.0;
    return exp(-t) *
           (spmg_response * pow(t, 4.0) * (5.0 - t) - spmg_undershoot * pow(t, 14.0) * (15.0 - t));
}

static double spmg3_response(const double *p, double t)
{
    if (!(t > 0.0 && t < spmg_end_s))
        return 0.0;
    double wider =
        0.00869011 * pow(t, 4.94057) * exp(-t / 1.01) - spmg_undershoot * pow(t, 15.0) * exp(-t);
    return 100.0 * (spmg1_response(p, t) - wider);
}

// e^-s sum_{j<=q} q!/j! s^j, the integral of s^q e^-s from s on; q = 4 or 5.
static double block_tail(size_t q, double s)
{
    double term = 1.0, sum = 1.0;
    for (size_t j = q; j >= 1; j--) {
        // Horner from the highest power: sum = s^q + q s^(q-1) + ... + q!.
        term *= (double) j;
        sum = sum * s + term;
    }
    return exp(-s) * sum;
}

static size_t block_power(const double *p)
{
    return 4 + (size_t) p[BLOCK_POWER];
}

static double block_integral(const double *p, double t)
{
    size_t q = block_power(p);
    return block_tail(q, fmax(t - p[BLOCK_DURATION], 0.0)) - block_tail(q, t);
}

static double block_extent(const double *p)
{
    return p[BLOCK_DURATION] + 15.0;
}

static double block_response(const double *p, double t)
{
    if (!(t > 0.0 && t < block_extent(p)))
        return 0.0;
    double peak_s = p[BLOCK_DURATION] / (1.0 - exp(-p[BLOCK_DURATION] / (double) block_power(p)));
    return block_integral(p, t) / block_integral(p, peak_s);
}

static const char *caution_block(const double *p G_GNUC_UNUSED)
{
    return "it is the response to seconds of stimulation, not an impulse response";
}

// Leite et al. 2002: cerebral blood volume after an iron oxide contrast agent.
static double mion_response(const double *p G_GNUC_UNUSED, double t)
{
    if (!(t > 0.0 && t <= 60.0))
        return 0.0;
    return 16.4486 * (-0.184 / 1.5 * exp(-t / 1.5) + 0.330 / 4.5 * exp(-t / 4.5) +
                      0.670 / 13.5 * exp(-t / 13.5));
}

static double mionn_response(const double *p, double t)
{
    return -mion_response(p, t);
}

// A smooth step from 0 at x = 0 to 1 at x = 1; Cox's waveform.
static double wav_step(double x)
{
    if (!(x > 0.0))
        return 0.0;
    if (x >= 1.0)
        return 1.0;
    return 0.50212657 * (tanh(tan(0.4 * G_PI * (2.0 * x - 1.0))) + 0.99576486);
}

static double wav_extent(const double *p)
{
    return p[WAV_DELAY] + p[WAV_RISE] + p[WAV_FALL] + p[WAV_RESTORE];
}

static double wav_response(const double *p, double t)
{
    double top = p[WAV_DELAY] + p[WAV_RISE], bottom = top + p[WAV_FALL], under = p[WAV_UNDERSHOOT];
    if (t < p[WAV_DELAY])
        return 0.0;
    if (t < top)
        return wav_step((t - p[WAV_DELAY]) / p[WAV_RISE]);
    if (t < bottom)
        return (1.0 + under) * wav_step((bottom - t) / p[WAV_FALL]) - under;
    return -under * wav_step((bottom + p[WAV_RESTORE] - t) / p[WAV_RESTORE]);
}

static const struct hrf_parameter gam_parameters[N_GAM] = {
    {"p", 8.6, 0.01, 1000.0, "power; the peak is at p q", NULL},
    {"q", 0.547, 0.01, 100.0, "time scale, s", NULL},
};
static const struct hrf_parameter twogam_parameters[N_TWOGAM] = {
    {"p1", 8.6, 0.01, 1000.0, "power of the response", NULL},
    {"q1", 0.547, 0.01, 100.0, "time scale of the response, s", NULL},
    {"r", 0.2, 0.0, 1e6, "undershoot / response", NULL},
    {"p2", 8.6, 0.01, 1000.0, "power of the undershoot", NULL},
    {"q2", 1.4, 0.01, 100.0, "time scale of the undershoot, s", NULL},
};
static const struct hrf_parameter block_parameters[N_BLOCK] = {
    {"q", 0.0, 0.0, 1.0, "power of the response to an impulse", block_powers},
    {"d", 1.0, 0.001, 1000.0, "stimulation, s", NULL},
};
static const struct hrf_parameter wav_parameters[N_WAV] = {
    {"delay", 2.0, 0.0, 100.0, "delay, s", NULL},
    {"rise", 4.0, 0.01, 100.0, "time of rise, s", NULL},
    {"fall", 6.0, 0.01, 100.0, "time of fall, s", NULL},
    {"under", 0.2, 0.0, 100.0, "undershoot / peak", NULL},
    {"restore", 2.0, 0.01, 100.0, "time of return to 0, s", NULL},
};

/* Sets of basis functions of SPM, a column at a time; finite impulse responses. */

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
            columns[j * n + k] = gamma_density(grid_time(grid, k), ldexp(1.0, (int) j + 2));
        orthogonalise(columns, n, j + 1);
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
        orthogonalise(columns, n, j + 1);
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

/* nipy: amplitude per second, divided by an integral over 0 .. 50 s in steps of .02 s. */

typedef double response(const double *p, double t_s);

static double integral(response *f)
{
    double sum = 0.0;
    for (size_t i = 0; i <= 2500; i++)
        sum += f(NULL, 0.02 * (double) i);
    return 0.02 * sum;
}

static double integral_of_absolute(response *f)
{
    double sum = 0.0;
    for (size_t i = 0; i <= 2500; i++)
        sum += fabs(f(NULL, 0.02 * (double) i));
    return 0.02 * sum;
}

static double spmt(double t, double dispersion)
{
    return gamma_density_scaled(t, 6.0 / dispersion, dispersion) - gamma_density(t, 16.0) / 6.0;
}

static double spmt_response(const double *p G_GNUC_UNUSED, double t)
{
    return spmt(t, 1.0);
}

static double dspmt_response(const double *p G_GNUC_UNUSED, double t)
{
    return spmt(t, 1.0) - spmt(t - 1.0, 1.0);
}

static double ddspmt_response(const double *p G_GNUC_UNUSED, double t)
{
    return (spmt(t, 1.0) - spmt(t, 1.01)) / 0.01;
}

// (t / peak)^a e^(-(t - peak) / b) with a full width at half maximum of about `width`, and its
// derivative; Glover 1999.
static double glover_bump(double t, double peak, double width, bool derivative)
{
    if (!(t > 0.0))
        return 0.0;
    double a = peak * peak / (width * width) * 8.0 * G_LN2;
    double b = width * width / (peak * 8.0 * G_LN2);
    double value = exp(a * log(t / peak) - (t - peak) / b);
    return derivative ? value * (a / t - 1.0 / b) : value;
}

static double glovert_response(const double *p G_GNUC_UNUSED, double t)
{
    return glover_bump(t, 5.4, 5.2, false) - 0.35 * glover_bump(t, 10.8, 7.35, false);
}

static double dglovert_response(const double *p G_GNUC_UNUSED, double t)
{
    return glover_bump(t, 5.4, 5.2, true) - 0.35 * glover_bump(t, 10.8, 7.35, true);
}

static double afnit_response(const double *p G_GNUC_UNUSED, double t)
{
    return t > 0.0 ? exp(8.6 * log(t) - t / 0.547) : 0.0;
}

static void sample_unit_integral(const struct hrf_model *model, const double *p,
                                 const struct hrf_grid *grid, double *h)
{
    sample_response(model, p, grid, h);
    divide(h, grid->n, integral(model->response));
}

static void sample_unit_absolute(const struct hrf_model *model, const double *p,
                                 const struct hrf_grid *grid, double *h)
{
    sample_response(model, p, grid, h);
    divide(h, grid->n, integral_of_absolute(model->response));
}

static void sample_spmt_derivative(const struct hrf_model *model, const double *p,
                                   const struct hrf_grid *grid, double *h)
{
    sample_response(model, p, grid, h);
    divide(h, grid->n, integral(spmt_response));
}

static const char *caution_always(const double *p G_GNUC_UNUSED)
{
    return derivative_caution;
}

#define PARAMETERS(table) .parameters = (table), .n_parameters = G_N_ELEMENTS(table)

static const struct hrf_model models[] = {
    {.name = "block",
     .summary = "response to d seconds of stimulation, peak 1",
     .source = "AFNI 3dDeconvolve BLOCK",
     PARAMETERS(block_parameters),
     .extent_s = block_extent,
     .sample = sample_response,
     .response = block_response,
     .caution = caution_block},
    {.name = "double-gamma",
     .summary = "two gamma densities on a unit time scale, not normalised",
     .source = "Friston et al. 1998",
     PARAMETERS(shapes_parameters),
     .length_s = 32.0,
     .sample = sample_response,
     .response = shapes_response},
    {.name = "fir",
     .summary = "one box of a finite impulse response",
     .source = "nilearn, SPM",
     PARAMETERS(fir_parameters),
     .norm = HRF_NORM_SUM,
     .extent_s = fir_extent,
     .sample = sample_response,
     .response = fir_response},
    {.name = "gam",
     .summary = "(t / pq)^p exp(p - t / q), peak 1 at pq",
     .source = "AFNI 3dDeconvolve GAM; Cohen 1997",
     PARAMETERS(gam_parameters),
     .extent_s = gam_extent,
     .sample = sample_response,
     .response = gam_response},
    {.name = "glover",
     .summary = "faster, deeper undershoot; sum 1",
     .source = "Glover 1999, as nilearn, without its delay",
     PARAMETERS(glover_parameters),
     .length_s = 32.0,
     .norm = HRF_NORM_SUM,
     .grid = nilearn_grid,
     .sample = sample_glover,
     .response = nilearn_response,
     .caution = caution_nilearn},
    {.name = "hemolearn",
     .summary = "time-scaled double gamma on the grid of hemolearn, n samples",
     .source = "hemolearn; Cherkaoui et al. 2021",
     PARAMETERS(hemolearn_parameters),
     .grid = pyta_grid,
     .sample = sample_response,
     .response = hemolearn_response,
     .caution = caution_hemolearn},
    {.name = "mion",
     .summary = "cerebral blood volume after an iron oxide agent",
     .source = "AFNI 3dDeconvolve MION; Leite et al. 2002",
     .length_s = 60.0,
     .sample = sample_response,
     .response = mion_response},
    {.name = "mionn",
     .summary = "mion upside down, as the signal falls",
     .source = "AFNI 3dDeconvolve MIONN; Leite et al. 2002",
     .length_s = 60.0,
     .sample = sample_response,
     .response = mionn_response},
    {.name = "nilearn-spm",
     .summary = "the response that nilearn calls spm; sum 1",
     .source = "nilearn, without its delay; os=N: with it",
     PARAMETERS(nilearn_spm_parameters),
     .length_s = 32.0,
     .norm = HRF_NORM_SUM,
     .grid = nilearn_grid,
     .sample = sample_nilearn,
     .response = nilearn_response,
     .caution = caution_nilearn},
    {.name = "nipy-afnit",
     .summary = "t^8.6 exp(-t / 0.547), integral 1",
     .source = "nipy afnit",
     .length_s = 32.0,
     .sample = sample_unit_integral,
     .response = afnit_response},
    {.name = "nipy-ddspmt",
     .summary = "derivative of nipy-spmt by dispersion",
     .source = "nipy ddspmt",
     .length_s = 32.0,
     .sample = sample_spmt_derivative,
     .response = ddspmt_response,
     .caution = caution_always},
    {.name = "nipy-dglovert",
     .summary = "derivative of nipy-glovert by time",
     .source = "nipy dglovert",
     .length_s = 32.0,
     .sample = sample_unit_absolute,
     .response = dglovert_response,
     .caution = caution_always},
    {.name = "nipy-dspmt",
     .summary = "difference of nipy-spmt over 1 s",
     .source = "nipy dspmt",
     .length_s = 32.0,
     .sample = sample_spmt_derivative,
     .response = dspmt_response,
     .caution = caution_always},
    {.name = "nipy-glovert",
     .summary = "difference of two bumps, integral 1",
     .source = "nipy glovert; Glover 1999, auditory",
     .length_s = 32.0,
     .sample = sample_unit_integral,
     .response = glovert_response},
    {.name = "nipy-spmt",
     .summary = "SPM's double gamma, integral 1",
     .source = "nipy spmt",
     .length_s = 32.0,
     .sample = sample_unit_integral,
     .response = spmt_response},
    {.name = "pybold",
     .summary = "time-scaled double gamma on the grid of pybold",
     .source = "pybold; Cherkaoui et al. 2019",
     PARAMETERS(pybold_parameters),
     .length_s = 60.0,
     .grid = pybold_grid,
     .sample = sample_pybold,
     .response = pybold_response},
    {.name = "pyta",
     .summary = "double gamma on the grid of pyta, n samples",
     .source = "pyta; Cherkaoui, Sulam, Moreau 2020 (UK Biobank experiment)",
     .parameters = hemolearn_parameters,
     .n_parameters = 1,
     .grid = pyta_grid,
     .sample = sample_response,
     .response = pyta_response},
    {.name = "scaled",
     .summary = "double gamma with its time axis divided by delta, not normalised",
     .source = "Cherkaoui et al. 2019",
     PARAMETERS(scaled_parameters),
     .extent_s = scaled_extent,
     .sample = sample_response,
     .response = scaled_response},
    {.name = "spm",
     .summary = "the canonical response of SPM; sum 1",
     .source = "SPM12 spm_hrf; Friston et al. 1998",
     PARAMETERS(spm_parameters),
     .length_s = 32.0,
     .norm = HRF_NORM_SUM,
     .sample = sample_spm,
     .response = spm_response,
     .caution = caution_derivative},
    {.name = "spm-fourier",
     .summary = "a column of SPM's Fourier set, Hanning window",
     .source = "SPM12 spm_get_bf",
     PARAMETERS(spm_fourier_parameters),
     .length_s = 32.0,
     .sample = sample_spm_fourier,
     .caution = caution_fourier},
    {.name = "spm-gamma",
     .summary = "a column of SPM's set of gamma functions",
     .source = "SPM12 spm_get_bf",
     PARAMETERS(spm_gamma_parameters),
     .length_s = 32.0,
     .sample = sample_spm_gamma,
     .caution = caution_set},
    {.name = "spmg1",
     .summary = "SPM's response as AFNI has it, not normalised",
     .source = "AFNI 3dDeconvolve SPMG1",
     .length_s = 25.0,
     .sample = sample_response,
     .response = spmg1_response},
    {.name = "spmg2",
     .summary = "derivative of spmg1 by time",
     .source = "AFNI 3dDeconvolve SPMG2",
     .length_s = 25.0,
     .sample = sample_response,
     .response = spmg2_response,
     .caution = caution_always},
    {.name = "spmg3",
     .summary = "derivative of spmg1 by dispersion",
     .source = "AFNI 3dDeconvolve SPMG3",
     .length_s = 25.0,
     .sample = sample_response,
     .response = spmg3_response,
     .caution = caution_always},
    {.name = "twogam",
     .summary = "gam(p1, q1) - r gam(p2, q2)",
     .source = "AFNI 3dDeconvolve TWOGAM",
     PARAMETERS(twogam_parameters),
     .extent_s = twogam_extent,
     .sample = sample_response,
     .response = twogam_response},
    {.name = "wav",
     .summary = "smooth rise, fall and undershoot, peak 1",
     .source = "AFNI waver -WAV; Cox 1996",
     PARAMETERS(wav_parameters),
     .extent_s = wav_extent,
     .sample = sample_response,
     .response = wav_response},
};

const struct hrf_model *hrf_models(size_t *n)
{
    *n = G_N_ELEMENTS(models);
    return models;
}

const struct hrf_model *hrf_model_find(const char *name, GError **error)
{
    const char *names[G_N_ELEMENTS(models)];
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        names[i] = models[i].name;
        if (strcmp(name, names[i]) == 0)
            return &models[i];
    }
    size_t i = nearest_name(name, names, G_N_ELEMENTS(models));
    if (i < G_N_ELEMENTS(models))
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_NAME,
                    "hrf: \"%s\" is no model (did you mean \"%s\"?)", name, names[i]);
    else
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_NAME,
                    "hrf: \"%s\" is no model; `taut hrf` lists them", name);
    return NULL;
}
