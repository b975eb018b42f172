// SPDX-License-Identifier: BSD-3-Clause
// nipy: amplitude per second, divided by an integral over 0 .. 50 s in steps of .02 s.
#include "deconv/hrf_models.h"

#include <math.h>

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
    return hrf_gamma_density_scaled(t, 6.0 / dispersion, dispersion) -
           hrf_gamma_density(t, 16.0) / 6.0;
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
    hrf_sample_response(model, p, grid, h);
    hrf_divide(h, grid->n, integral(model->response));
}

static void sample_unit_absolute(const struct hrf_model *model, const double *p,
                                 const struct hrf_grid *grid, double *h)
{
    hrf_sample_response(model, p, grid, h);
    hrf_divide(h, grid->n, integral_of_absolute(model->response));
}

static void sample_spmt_derivative(const struct hrf_model *model, const double *p,
                                   const struct hrf_grid *grid, double *h)
{
    hrf_sample_response(model, p, grid, h);
    hrf_divide(h, grid->n, integral(spmt_response));
}

const struct hrf_model hrf_nipy_afnit = {
    .name = "nipy-afnit",
    .summary = "t^8.6 exp(-t / 0.547), integral 1",
    .source = "nipy afnit",
    .length_s = 32.0,
    .sample = sample_unit_integral,
    .response = afnit_response,
};

const struct hrf_model hrf_nipy_ddspmt = {
    .name = "nipy-ddspmt",
    .summary = "derivative of nipy-spmt by dispersion",
    .source = "nipy ddspmt",
    .length_s = 32.0,
    .sample = sample_spmt_derivative,
    .response = ddspmt_response,
    .caution = hrf_caution_derivative,
};

const struct hrf_model hrf_nipy_dglovert = {
    .name = "nipy-dglovert",
    .summary = "derivative of nipy-glovert by time",
    .source = "nipy dglovert",
    .length_s = 32.0,
    .sample = sample_unit_absolute,
    .response = dglovert_response,
    .caution = hrf_caution_derivative,
};

const struct hrf_model hrf_nipy_dspmt = {
    .name = "nipy-dspmt",
    .summary = "difference of nipy-spmt over 1 s",
    .source = "nipy dspmt",
    .length_s = 32.0,
    .sample = sample_spmt_derivative,
    .response = dspmt_response,
    .caution = hrf_caution_derivative,
};

const struct hrf_model hrf_nipy_glovert = {
    .name = "nipy-glovert",
    .summary = "difference of two bumps, integral 1",
    .source = "nipy glovert; Glover 1999, auditory",
    .length_s = 32.0,
    .sample = sample_unit_integral,
    .response = glovert_response,
};

const struct hrf_model hrf_nipy_spmt = {
    .name = "nipy-spmt",
    .summary = "SPM's double gamma, integral 1",
    .source = "nipy spmt",
    .length_s = 32.0,
    .sample = sample_unit_integral,
    .response = spmt_response,
};
