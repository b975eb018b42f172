// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/hrf_spec.h"

#include <string.h>

G_DEFINE_QUARK(deconv_error, deconv_error)

static bool check_samples(const char *name, const double *h, size_t n, GError **error)
{
    double largest = 0.0;
    for (size_t k = 0; k < n; k++) {
        if (!isfinite(h[k])) {
            g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                        "hrf: %s: sample %zu is not finite", name, k);
            return false;
        }
        largest = fmax(largest, fabs(h[k]));
    }
    if (n >= 2 && largest > 0.0)
        return true;
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                n < 2 ? "hrf: %s: expected at least 2 samples, got %zu"
                      : "hrf: %s: all %zu samples are 0",
                name, n);
    return false;
}

static bool check_tr(double tr_s, GError **error)
{
    if (tr_s > 0.0 && isfinite(tr_s))
        return true;
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                "hrf: expected a repetition time above 0 s, got %g", tr_s);
    return false;
}

static struct hrf *hrf_new_empty(const char *name, size_t n, double tr_s)
{
    struct hrf *hrf = g_new0(struct hrf, 1);
    hrf->name = g_strdup(name);
    hrf->tr_s = tr_s;
    hrf->n = n;
    hrf->h = g_new0(double, n);
    hrf->grid = (struct hrf_grid){n, tr_s, 0.0};
    return hrf;
}

void hrf_free(struct hrf *hrf)
{
    if (hrf == NULL)
        return;
    g_free(hrf->name);
    g_free(hrf->parameters);
    g_free(hrf->h);
    g_free(hrf);
}

bool hrf_normalise(struct hrf *hrf, enum hrf_norm norm, GError **error)
{
    double sum = 0.0, absolute = 0.0, peak = 0.0;
    for (size_t k = 0; k < hrf->n; k++) {
        sum += hrf->h[k];
        absolute += fabs(hrf->h[k]);
        peak = fmax(peak, fabs(hrf->h[k]));
    }
    double by = norm == HRF_NORM_SUM ? sum : norm == HRF_NORM_PEAK ? peak : 1.0;
    if (!(fabs(by) > 1e-9 * absolute)) {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "hrf: %s: the samples sum to 0 up to rounding; norm=sum cannot divide by that",
                    hrf->name);
        return false;
    }
    for (size_t k = 0; k < hrf->n; k++)
        hrf->h[k] /= by;
    return true;
}

// The times of the samples, and the length where the model does not count samples itself.
static bool lay_out(struct hrf_request *request, double tr_s, struct hrf_grid *grid, GError **error)
{
    const struct hrf_model *model = request->model;
    if (request->length_s == 0.0)
        request->length_s = model->extent_s != NULL ? model->extent_s(request->p) : model->length_s;
    bool fits = model->grid != NULL ? model->grid(request->p, tr_s, request->length_s, grid)
                                    : hrf_grid_of_frames(tr_s, request->length_s, grid);
    if (!fits)
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "hrf: %s: a length of %g s makes fewer than 2 or more than %.0f samples at a "
                    "repetition time of %g s",
                    model->name, request->length_s, HRF_MAX_SAMPLES, tr_s);
    return fits;
}

struct hrf *hrf_new(const char *spec, double tr_s, GError **error)
{
    struct hrf_request request;
    struct hrf_grid grid;
    if (!check_tr(tr_s, error) || !hrf_spec_parse(spec, &request, error) ||
        !lay_out(&request, tr_s, &grid, error))
        return NULL;

    g_autoptr(owned_hrf) hrf = hrf_new_empty(request.model->name, grid.n, tr_s);
    hrf->parameters = hrf_spec_print(&request);
    hrf->model = request.model;
    hrf->grid = grid;
    memcpy(hrf->p, request.p, sizeof hrf->p);
    hrf->model->sample(hrf->model, hrf->p, &hrf->grid, hrf->h);
    if (!check_samples(hrf->name, hrf->h, hrf->n, error) ||
        !hrf_normalise(hrf, request.norm, error))
        return NULL;
    return g_steal_pointer(&hrf);
}

struct hrf *hrf_new_from_samples(const double *h, size_t n, double tr_s, GError **error)
{
    if (!check_tr(tr_s, error) || !check_samples("file", h, n, error))
        return NULL;
    struct hrf *hrf = hrf_new_empty("file", n, tr_s);
    hrf->parameters = g_strdup("");
    memcpy(hrf->h, h, n * sizeof(double));
    return hrf;
}

static bool check_times(const double *times_s, size_t n, GError **error)
{
    for (size_t i = 0; i < n; i++) {
        bool rises = i == 0 || times_s[i] > times_s[i - 1];
        if (!(rises && isfinite(times_s[i]))) {
            g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                        "hrf: file: time %zu: expected seconds that rise, got %g", i, times_s[i]);
            return false;
        }
    }
    return true;
}

// Piecewise linear through the n samples; 0 before the first.
static double interpolate(const double *times_s, const double *h, size_t n, double t)
{
    if (t < times_s[0])
        return 0.0;
    size_t i = 0;
    while (i + 2 < n && times_s[i + 1] < t)
        i++;
    double fraction = fmin((t - times_s[i]) / (times_s[i + 1] - times_s[i]), 1.0);
    return h[i] + fraction * (h[i + 1] - h[i]);
}

struct hrf *hrf_new_from_times(const double *times_s, const double *h, size_t n, double tr_s,
                               GError **error)
{
    struct hrf_grid grid;
    if (!check_tr(tr_s, error) || !check_samples("file", h, n, error) ||
        !check_times(times_s, n, error))
        return NULL;
    if (!hrf_grid_of_frames(tr_s, times_s[n - 1], &grid)) {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "hrf: file: ends at %g s, within the first frame of %g s", times_s[n - 1],
                    tr_s);
        return NULL;
    }
    g_autofree double *samples = g_new(double, grid.n);
    for (size_t k = 0; k < grid.n; k++)
        samples[k] = interpolate(times_s, h, n, (double) k * tr_s);
    struct hrf *hrf = hrf_new_from_samples(samples, grid.n, tr_s, error);
    for (size_t i = 0; hrf != NULL && i < n && times_s[i] < 0.0; i++)
        hrf->before = fmax(hrf->before, fabs(h[i]));
    return hrf;
}
