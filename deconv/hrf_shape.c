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

// <a, b> / (||a|| ||b||) over n samples.
static double cosine(const double *a, const double *b, size_t n)
{
    double ab = 0.0, aa = 0.0, bb = 0.0;
    for (size_t k = 0; k < n; k++) {
        ab += a[k] * b[k];
        aa += a[k] * a[k];
        bb += b[k] * b[k];
    }
    return aa > 0.0 && bb > 0.0 ? ab / sqrt(aa * bb) : 0.0;
}

// A kernel that was made one frame late begins with two zeros where the model has one, and one
// frame earlier it is the model.
static char *warn_late(const struct hrf *hrf)
{
    static const char *const known[] = {"glover", "nilearn-spm", "spm"};
    double peak = 0.0;
    for (size_t k = 0; k < hrf->n; k++)
        peak = fmax(peak, fabs(hrf->h[k]));
    if (hrf->n < 4 || fabs(hrf->h[0]) > 1e-4 * peak || fabs(hrf->h[1]) > 1e-4 * peak)
        return NULL;
    double as_given = -1.0, earlier = -1.0;
    const char *model = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        g_autoptr(owned_hrf) other = hrf_new(known[i], hrf->tr_s, NULL);
        size_t n = other == NULL ? 0 : MIN(other->n, hrf->n - 1);
        if (n < 3)
            continue;
        as_given = fmax(as_given, cosine(hrf->h, other->h, n));
        double fit = cosine(hrf->h + 1, other->h, n);
        if (fit > earlier) {
            earlier = fit;
            model = known[i];
        }
    }
    if (!(earlier > 0.9 && earlier > as_given))
        return NULL;
    return g_strdup_printf("hrf: the first two samples are 0 and one frame earlier it would be "
                           "closer to \"%s\": it may be one frame (%g s) late",
                           model, hrf->tr_s);
}

char **hrf_warnings(const struct hrf *hrf)
{
    GStrvBuilder *list = g_strv_builder_new();
    const char *caution = NULL;
    if (hrf->model != NULL && hrf->model->caution != NULL)
        caution = hrf->model->caution(hrf->p);
    g_autofree char *about_model =
        caution == NULL ? NULL : g_strdup_printf("hrf: %s: %s", hrf->name, caution);
    g_autofree char *about_file = hrf->model != NULL ? NULL : warn_late(hrf);
    if (about_model != NULL)
        g_strv_builder_add(list, about_model);
    if (about_file != NULL)
        g_strv_builder_add(list, about_file);
    char **warnings = g_strv_builder_end(list);
    g_strv_builder_unref(list);
    return warnings;
}
