// SPDX-License-Identifier: BSD-3-Clause
// Double gammas with a derivative by differences: spm, glover, nilearn-spm. Times in seconds.
#include "deconv/hrf_models.h"

#include "deconv/hrf_spec.h"

#include <math.h>
#include <string.h>

static const char *const derivatives[] = {"none", "time", "dispersion", NULL};

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
    return hrf_gamma_density_scaled(t, p[DELAY] / p[DISPERSION], p[DISPERSION]) -
           hrf_gamma_density_scaled(t, p[UNDERSHOOT] / p[UNDERSHOOT_DISPERSION],
                                    p[UNDERSHOOT_DISPERSION]) /
               p[RATIO];
}

static double nilearn_response(const double *p, double t)
{
    t -= p[ONSET];
    return hrf_gamma_density_scaled(t, p[DELAY] / p[DISPERSION], p[DISPERSION]) -
           p[RATIO] * hrf_gamma_density_scaled(t, p[UNDERSHOOT] / p[UNDERSHOOT_DISPERSION],
                                               p[UNDERSHOOT_DISPERSION]);
}

static double sum_of(const double *h, size_t n)
{
    double sum = 0.0;
    for (size_t k = 0; k < n; k++)
        sum += h[k];
    return sum;
}

static void sample_unit_sum(const struct hrf_model *model, const double *p,
                            const struct hrf_grid *grid, double *h)
{
    hrf_sample_response(model, p, grid, h);
    hrf_divide(h, grid->n, sum_of(h, grid->n));
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
        hrf_sample_response(model, p, grid, h);
        return;
    }
    g_autofree double *columns = g_new(double, 3 * n);
    sample_unit_sum(model, p, grid, columns);
    sample_difference(model, p, ONSET, 1.0, grid, columns + n);
    sample_difference(model, p, DISPERSION, 0.01, grid, columns + 2 * n);
    for (size_t count = 2; p[ORTHOGONAL] != 0.0 && count <= order + 1; count++)
        hrf_orthogonalise(columns, n, count);
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
        hrf_sample_response(model, p, grid, h);
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
    return p[DERIVATIVE] == 0.0 ? NULL : hrf_derivative_caution;
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
    {"orthogonal", 0.0, 0.0, 1.0, "derivatives made orthogonal as by spm_orth", hrf_no_yes},
};
static const struct hrf_parameter nilearn_spm_parameters[N_NILEARN] = {
    DOUBLE_GAMMA_PARAMETERS(6.0, 16.0, 1.0, 0.167, "undershoot / response"),
    OVERSAMPLING_PARAMETER,
};
static const struct hrf_parameter glover_parameters[N_NILEARN] = {
    DOUBLE_GAMMA_PARAMETERS(6.0, 12.0, 0.9, 0.48, "undershoot / response"),
    OVERSAMPLING_PARAMETER,
};

const struct hrf_model hrf_glover = {
    .name = "glover",
    .summary = "faster, deeper undershoot; sum 1",
    .source = "Glover 1999, as nilearn, without its delay",
    HRF_PARAMETERS(glover_parameters),
    .length_s = 32.0,
    .norm = HRF_NORM_SUM,
    .grid = nilearn_grid,
    .sample = sample_glover,
    .response = nilearn_response,
    .caution = caution_nilearn,
};

const struct hrf_model hrf_nilearn_spm = {
    .name = "nilearn-spm",
    .summary = "the response that nilearn calls spm; sum 1",
    .source = "nilearn, without its delay; os=N: with it",
    HRF_PARAMETERS(nilearn_spm_parameters),
    .length_s = 32.0,
    .norm = HRF_NORM_SUM,
    .grid = nilearn_grid,
    .sample = sample_nilearn,
    .response = nilearn_response,
    .caution = caution_nilearn,
};

const struct hrf_model hrf_spm = {
    .name = "spm",
    .summary = "the canonical response of SPM; sum 1",
    .source = "SPM12 spm_hrf; Friston et al. 1998",
    HRF_PARAMETERS(spm_parameters),
    .length_s = 32.0,
    .norm = HRF_NORM_SUM,
    .sample = sample_spm,
    .response = spm_response,
    .caution = caution_derivative,
};
