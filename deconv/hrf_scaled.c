// SPDX-License-Identifier: BSD-3-Clause
// Double gammas in units of a time scale: double-gamma, scaled, pyta, hemolearn, pybold. Times in
// seconds.
#include "deconv/hrf_models.h"

#include "deconv/hrf_spec.h"

#include <math.h>

static const char *const delta_derivatives[] = {"none", "delta", "dispersion", NULL};

enum { RESPONSE_SHAPE, UNDERSHOOT_SHAPE, SHAPES_RATIO, N_SHAPES };
enum { DELTA, SCALED_RATIO, N_SCALED };
enum { PYTA_N, HEMOLEARN_DELTA, HEMOLEARN_DERIVATIVE, N_HEMOLEARN };
enum { PYBOLD_DELTA, PYBOLD_NORMALISED, N_PYBOLD };

// The authors of these responses sample on a grid of 1 ms and move the curve by one step of it.
static const double millisecond = 0.001;

static double shapes_response(const double *p, double t)
{
    t -= millisecond;
    return hrf_gamma_density(t, p[RESPONSE_SHAPE]) -
           p[SHAPES_RATIO] * hrf_gamma_density(t, p[UNDERSHOOT_SHAPE]);
}

// Cherkaoui et al. 2019; delta > 1 is faster.
static double scaled_gammas(double delta, double ratio, double t)
{
    double x = delta * t - millisecond;
    return hrf_gamma_density(x, 6.0) - ratio * hrf_gamma_density(x, 16.0);
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
    return (5.0 / delta - t) * hrf_gamma_density(x, 6.0) -
           0.167 * (15.0 / delta - t) * hrf_gamma_density(x, 16.0);
}

// The third function of hemolearn's basis: a difference over .001 in the shape of the response.
static double hemolearn_by_dispersion(double t)
{
    double moved = hrf_gamma_density(t - millisecond / 1.001, 6.0 / 1.001);
    return (hrf_gamma_density(t - millisecond, 6.0) - moved) / 0.001;
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
    hrf_sample_response(model, p, grid, h);
    if (p[PYBOLD_NORMALISED] == 0.0)
        return;
    size_t stride = MAX((size_t) rint(grid->step_s / millisecond), 1);
    double peak = 0.0;
    for (size_t i = 0; i < grid->n * stride; i++)
        peak = fmax(peak, model->response(p, (double) i * (grid->step_s / (double) stride)));
    hrf_divide(h, grid->n, peak);
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
    return p[HEMOLEARN_DERIVATIVE] == 0.0 ? NULL : hrf_derivative_caution;
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
    {"normalised", 0.0, 0.0, 1.0, "divided by the peak of the 1 ms grid", hrf_no_yes},
};

const struct hrf_model hrf_double_gamma = {
    .name = "double-gamma",
    .summary = "two gamma densities on a unit time scale, not normalised",
    .source = "Friston et al. 1998",
    HRF_PARAMETERS(shapes_parameters),
    .length_s = 32.0,
    .sample = hrf_sample_response,
    .response = shapes_response,
};

const struct hrf_model hrf_hemolearn = {
    .name = "hemolearn",
    .summary = "time-scaled double gamma on the grid of hemolearn, n samples",
    .source = "hemolearn; Cherkaoui et al. 2021",
    HRF_PARAMETERS(hemolearn_parameters),
    .grid = pyta_grid,
    .sample = hrf_sample_response,
    .response = hemolearn_response,
    .caution = caution_hemolearn,
};

const struct hrf_model hrf_pybold = {
    .name = "pybold",
    .summary = "time-scaled double gamma on the grid of pybold",
    .source = "pybold; Cherkaoui et al. 2019",
    HRF_PARAMETERS(pybold_parameters),
    .length_s = 60.0,
    .grid = pybold_grid,
    .sample = sample_pybold,
    .response = pybold_response,
};

const struct hrf_model hrf_pyta = {
    .name = "pyta",
    .summary = "double gamma on the grid of pyta, n samples",
    .source = "pyta; Cherkaoui, Sulam, Moreau 2020 (UK Biobank experiment)",
    .parameters = hemolearn_parameters,
    .n_parameters = 1,
    .grid = pyta_grid,
    .sample = hrf_sample_response,
    .response = pyta_response,
};

const struct hrf_model hrf_scaled = {
    .name = "scaled",
    .summary = "double gamma with its time axis divided by delta, not normalised",
    .source = "Cherkaoui et al. 2019",
    HRF_PARAMETERS(scaled_parameters),
    .extent_s = scaled_extent,
    .sample = hrf_sample_response,
    .response = scaled_response,
};
