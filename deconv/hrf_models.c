// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/hrf_models.h"

#include <math.h>

const char hrf_derivative_caution[] = "a derivative is a regressor, not an impulse response";
const char *const hrf_no_yes[] = {"no", "yes", NULL};

double hrf_gamma_density(double t, double shape)
{
    if (!(t > 0.0))
        return 0.0;
    return exp((shape - 1.0) * log(t) - t - lgamma(shape));
}

double hrf_gamma_density_scaled(double t, double shape, double scale)
{
    return hrf_gamma_density(t / scale, shape) / scale;
}

double hrf_grid_time(const struct hrf_grid *grid, size_t k)
{
    return (double) k * grid->step_s - grid->shift_s;
}

void hrf_sample_response(const struct hrf_model *model, const double *p,
                         const struct hrf_grid *grid, double *h)
{
    for (size_t k = 0; k < grid->n; k++)
        h[k] = model->response(p, hrf_grid_time(grid, k));
}

void hrf_divide(double *h, size_t n, double by)
{
    for (size_t k = 0; k < n; k++)
        h[k] /= by;
}

void hrf_orthogonalise(double *columns, size_t n, size_t count)
{
    double *last = columns + (count - 1) * n;
    for (size_t pass = 0; pass < 2; pass++) { // twice is enough (Giraud et al. 2005)
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

const char *hrf_caution_derivative(const double *p G_GNUC_UNUSED)
{
    return hrf_derivative_caution;
}
