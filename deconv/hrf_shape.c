// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/hrf.h"

#include <math.h>

// A curve of n samples every step_s.
struct curve {
    const double *h; // borrowed
    size_t n;
    double step_s;
};

static size_t find_peak(const struct curve *curve)
{
    size_t peak = 0;
    for (size_t k = 1; k < curve->n; k++)
        if (fabs(curve->h[k]) > fabs(curve->h[peak]))
            peak = k;
    return peak;
}

// Where the curve / peak crosses one half between samples k (above) and k + direction (below).
static double half_crossing(const struct curve *curve, size_t peak, int direction)
{
    double half = 0.5 * curve->h[peak];
    for (size_t k = peak;; k = direction < 0 ? k - 1 : k + 1) {
        if (direction < 0 ? k == 0 : k + 1 == curve->n)
            return NAN;
        double here = curve->h[k], next = direction < 0 ? curve->h[k - 1] : curve->h[k + 1];
        if (next / half <= 1.0)
            return ((double) k + direction * (here - half) / (here - next)) * curve->step_s;
    }
}

static struct hrf_shape measure(const struct curve *curve)
{
    size_t peak = find_peak(curve), trough = peak;
    double top = curve->h[peak];
    for (size_t k = peak + 1; k < curve->n; k++)
        if (curve->h[k] / top < curve->h[trough] / top)
            trough = k;
    bool dips = curve->h[trough] / top < 0.0;
    return (struct hrf_shape){
        .time_to_peak_s = (double) peak * curve->step_s,
        .fwhm_s = half_crossing(curve, peak, 1) - half_crossing(curve, peak, -1),
        .undershoot_s = dips ? (double) trough * curve->step_s : NAN,
        .undershoot_ratio = dips ? curve->h[trough] / top : NAN,
    };
}

// About 1 ms, or what makes at most 200,000 samples.
static size_t refinement(const struct hrf *hrf)
{
    double wanted = ceil(hrf->tr_s / 0.001), allowed = 2e5 / (double) hrf->n;
    return (size_t) fmax(fmin(wanted, allowed), 1.0);
}

struct hrf_shape hrf_measure(const struct hrf *hrf)
{
    struct curve curve = {hrf->h, hrf->n, hrf->tr_s};
    g_autofree double *fine = NULL;
    if (hrf->model != NULL) {
        size_t finer = refinement(hrf);
        struct hrf_grid grid = hrf->grid;
        grid.n = (hrf->n - 1) * finer + 1;
        grid.step_s /= (double) finer;
        fine = g_new(double, grid.n);
        hrf->model->sample(hrf->model, hrf->p, &grid, fine);
        curve = (struct curve){fine, grid.n, hrf->tr_s / (double) finer};
    }
    struct hrf_shape shape = measure(&curve);
    for (size_t k = 0; k < hrf->n; k++)
        shape.sum += hrf->h[k];
    return shape;
}
