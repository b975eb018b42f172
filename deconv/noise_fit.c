// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/noise_fit.h"

#include "deconv/hrf.h"

#include <cblas.h>
#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <string.h>

enum {
    N_AR = 21,     // autocorrelations: -0.2, -0.15, .. 0.8
    N_SINGLE = 16, // frequencies, from the lowest, that stand alone; the others are put together
    MOST_BANDS = 40,
    N_CORNERS = 4,
    N_POWERS = 14,
    N_ACTIVE = 1 + N_CORNERS * N_POWERS, // no activity, or one of these
    N_MODELS = N_AR * N_ACTIVE,
    N_PRIOR_STEPS = 500,
};

// Corners of the spectrum of activity, Hz: slow blocks to events that are white.
static const double corner_hz[N_CORNERS] = {0.005, 0.015, 0.04, 1.0};

// Power of activity where the response passes most, relative to white noise of the same variance.
static double active_power(size_t i)
{
    return pow(10.0, -1.0 + 0.33 * (double) i);
}

// Noise explains at least this part of the variance of a series.
static const double LEAST_SHARE = 0.01;

// A model whose likelihood is exp of less than this away from the best one's adds nothing.
static const double LEAST_LIKELY = 25.0;

struct noise_fit {
    size_t n_time;
    size_t first;                 // bin of the first frequency
    size_t n_bins;                //
    size_t n_bands;               //
    size_t begin[MOST_BANDS + 1]; // first bin of a band, counted from `first`
    double *score;     // owned; n_bands x N_MODELS: counts w / M, so that score' P is s^2 w
    double *weight;    // owned; N_MODELS: w, the geometric mean of M over frequencies
    fftw_plan forward; // owned
};

static double model_ar(size_t model)
{
    size_t index = model / N_ACTIVE;
    return -0.2 + 0.05 * (double) index;
}

double noise_estimate_scale(const struct noise_estimate *noise)
{
    return noise->sigma * sqrt((1.0 + noise->ar) / (1.0 - noise->ar));
}

void noise_fit_free(struct noise_fit *fit)
{
    if (fit == NULL)
        return;
    if (fit->forward != NULL)
        fftw_destroy_plan(fit->forward);
    g_free(fit->score);
    g_free(fit->weight);
    g_free(fit);
}

// |H(f)|^2 over its largest value, at the bins that are used.
static void response_power(const struct noise_fit_options *options, const struct noise_fit *fit,
                           double *power)
{
    double largest = 0.0;
    for (size_t k = 0; k <= options->n_time / 2; k++) {
        double w = 2.0 * G_PI * (double) k / (double) options->n_time, re = 0.0, im = 0.0;
        for (size_t i = 0; i < options->n_h; i++) {
            re += options->h[i] * cos(w * (double) i);
            im += options->h[i] * sin(w * (double) i);
        }
        double value = re * re + im * im;
        largest = fmax(largest, value);
        if (k >= fit->first && k < fit->first + fit->n_bins)
            power[k - fit->first] = value;
    }
    for (size_t k = 0; k < fit->n_bins; k++)
        power[k] /= largest;
}

// What the periodogram of n samples of noise of variance 1 is on average: the spectrum, and what
// leaks from its neighbours (the debiased likelihood of Sykulski et al. 2019),
// sum_{|k| < n} (1 - |k| / n) ar^|k| exp(-i w k).
static double noise_power(double ar, double w, size_t n)
{
    double sum = 1.0, autocovariance = ar;
    for (size_t k = 1; k < n && fabs(autocovariance) > 1e-9; k++) {
        sum += 2.0 * (1.0 - (double) k / (double) n) * autocovariance * cos(w * (double) k);
        autocovariance *= ar;
    }
    return sum;
}

// Activity of model `active`, at one bin.
static double activity_power(size_t active, double f_hz, double response)
{
    if (active == 0)
        return 0.0;
    double ratio = f_hz / corner_hz[(active - 1) / N_POWERS];
    return active_power((active - 1) % N_POWERS) * response / (1.0 + ratio * ratio);
}

static void fill_model(struct noise_fit *fit, size_t model, double tr_s, const double *response)
{
    double ar = model_ar(model), log_sum = 0.0;
    double *score = fit->score + model * fit->n_bands;
    double duration_s = tr_s * (double) fit->n_time;
    for (size_t b = 0; b < fit->n_bands; b++) {
        double sum = 0.0, count = (double) (fit->begin[b + 1] - fit->begin[b]);
        for (size_t k = fit->begin[b]; k < fit->begin[b + 1]; k++) {
            double f_hz = (double) (fit->first + k) / duration_s;
            sum += noise_power(ar, 2.0 * G_PI * f_hz * tr_s, fit->n_time) +
                   activity_power(model % N_ACTIVE, f_hz, response[k]);
        }
        double mean = sum / count;
        score[b] = count / mean;
        log_sum += count * log(mean);
    }
    fit->weight[model] = exp(log_sum / (double) fit->n_bins);
    for (size_t b = 0; b < fit->n_bands; b++)
        score[b] *= fit->weight[model] / (double) fit->n_bins;
}

static void cut_bands(struct noise_fit *fit)
{
    size_t n_single = MIN((size_t) N_SINGLE, fit->n_bins), rest = fit->n_bins - n_single;
    size_t n_joint = MIN(rest, (size_t) (MOST_BANDS - N_SINGLE));
    fit->n_bands = n_single + n_joint;
    for (size_t b = 0; b < n_single; b++)
        fit->begin[b] = b;
    for (size_t b = 0; b <= n_joint; b++)
        fit->begin[n_single + b] = n_single + (n_joint == 0 ? 0 : b * rest / n_joint);
}

// The bins that cleaning has left: cosines of k half periods leak into those just above them.
static bool find_bins(struct noise_fit *fit, const struct noise_fit_options *options,
                      GError **error)
{
    double duration_s = options->tr_s * (double) options->n_time;
    size_t end = (options->n_time + 1) / 2; // without Nyquist's
    if (options->high_hz > 0.0)
        end = MIN(end, (size_t) (options->high_hz * duration_s));
    fit->first = options->low_hz > 0.0 ? (size_t) (options->low_hz * duration_s) + 2 : 1;
    fit->n_bins = end > fit->first ? end - fit->first : 0;
    if (fit->n_bins >= NOISE_FIT_LEAST_BANDS)
        return true;
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                "noise: expected at least %d frequencies that cleaning leaves, found %zu",
                NOISE_FIT_LEAST_BANDS, fit->n_bins);
    return false;
}

static void make_plan(struct noise_fit *fit)
{
    int n = (int) fit->n_time;
    double *in = fftw_alloc_real(fit->n_time);
    fftw_complex *out = fftw_alloc_complex(fit->n_time / 2 + 1);
    fit->forward = fftw_plan_dft_r2c_1d(n, in, out, FFTW_ESTIMATE);
    fftw_free(in);
    fftw_free(out);
}

struct noise_fit *noise_fit_new(const struct noise_fit_options *options, GError **error)
{
    g_autoptr(owned_noise_fit) fit = g_new0(struct noise_fit, 1);
    fit->n_time = options->n_time;
    if (!find_bins(fit, options, error))
        return NULL;
    cut_bands(fit);
    fit->score = g_new(double, N_MODELS * fit->n_bands);
    fit->weight = g_new(double, N_MODELS);
    g_autofree double *response = g_new0(double, fit->n_bins);
    response_power(options, fit, response);
    for (size_t model = 0; model < N_MODELS; model++)
        fill_model(fit, model, options->tr_s, response);
    make_plan(fit);
    return g_steal_pointer(&fit);
}

// The mean of the periodogram over each band, one column a series.
static void measure_bands(const struct noise_fit *fit, const struct block *x, double *bands,
                          struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *series = WORKSPACE_ALLOC(ws, double, fit->n_time);
    double complex *spectrum = WORKSPACE_ALLOC(ws, double complex, fit->n_time / 2 + 1);
    for (size_t v = 0; v < x->n_series; v++) {
        memcpy(series, block_series(x, v), fit->n_time * sizeof *series);
        fftw_execute_dft_r2c(fit->forward, series, spectrum);
        const double *part = (const double *) (spectrum + fit->first);
        for (size_t b = 0; b < fit->n_bands; b++) {
            double sum = 0.0;
            for (size_t k = fit->begin[b]; k < fit->begin[b + 1]; k++)
                sum += part[2 * k] * part[2 * k] + part[2 * k + 1] * part[2 * k + 1];
            double count = (double) (fit->begin[b + 1] - fit->begin[b]);
            bands[v * fit->n_bands + b] = sum / (count * (double) fit->n_time);
        }
    }
    workspace_release(ws, mark);
}

size_t noise_fit_n_models(void)
{
    return N_MODELS;
}

// With s^2 profiled out, the likelihood of a model is (s^2 w)^-n but for a constant: power n of
// the least s^2 w over its own.
static void likelihoods_of(const struct noise_fit *fit, const double *scores, float *likelihoods)
{
    double least = INFINITY, n = (double) fit->n_bins;
    for (size_t m = 0; m < N_MODELS; m++)
        least = fmin(least, scores[m]);
    for (size_t m = 0; m < N_MODELS; m++)
        likelihoods[m] = least > 0.0 ? (float) exp(n * log(least / scores[m])) : 0.0F;
}

void noise_fit_likelihoods(const struct noise_fit *fit, const struct block *x, float *likelihoods,
                           struct workspace *ws)
{
    g_assert(x->n_time == fit->n_time);
    size_t mark = workspace_mark(ws);
    double *bands = WORKSPACE_ALLOC(ws, double, fit->n_bands);
    double *scores = WORKSPACE_ALLOC(ws, double, N_MODELS);
    for (size_t v = 0; v < x->n_series; v++) {
        struct block one = block_slice(x, v, 1);
        measure_bands(fit, &one, bands, ws);
        cblas_dgemv(CblasColMajor, CblasTrans, (int) fit->n_bands, N_MODELS, 1.0, fit->score,
                    (int) fit->n_bands, bands, 1, 0.0, scores, 1);
        likelihoods_of(fit, scores, likelihoods + v * N_MODELS);
    }
    workspace_release(ws, mark);
}

/* What the series of a run have */

struct noise_prior {
    const struct noise_fit *fit; // borrowed
    size_t n_models;             // that any series may have
    size_t *model;               // owned
    double *share;               // owned
    double *score;               // owned; n_bands x n_models, of the plan
};

void noise_prior_free(struct noise_prior *prior)
{
    if (prior == NULL)
        return;
    g_free(prior->model);
    g_free(prior->share);
    g_free(prior->score);
    g_free(prior);
}

// A step of expectation and maximisation; it raises the likelihood. by_model: N_MODELS x n.
static void improve_shares(const float *by_model, size_t n, double *share, double *mixture)
{
    memset(mixture, 0, n * sizeof *mixture);
    for (size_t m = 0; m < N_MODELS; m++)
        for (size_t v = 0; v < n && share[m] > 0.0; v++)
            mixture[v] += share[m] * (double) by_model[m * n + v];
    for (size_t v = 0; v < n; v++)
        mixture[v] = 1.0 / (mixture[v] * (double) n);
    for (size_t m = 0; m < N_MODELS; m++) {
        double sum = 0.0;
        for (size_t v = 0; v < n && share[m] > 0.0; v++)
            sum += (double) by_model[m * n + v] * mixture[v];
        share[m] *= sum;
        if (share[m] < 1e-7) // it would fall for ever
            share[m] = 0.0;
    }
}

// Half of the series of an autocorrelation have no activity, the others any.
static double start_share(size_t model)
{
    return model % N_ACTIVE == 0 ? 0.5 : 0.5 / (N_ACTIVE - 1);
}

// What is rare in a run, a voxel that responds, may be in none of the series that the shares were
// learned from: a part of each autocorrelation's share goes to all activities alike.
static void leave_room(double *share)
{
    const double room = 0.1, least_share = 0.005;
    for (size_t r = 0; r < N_AR; r++) {
        double *own = share + r * N_ACTIVE, sum = 0.0;
        for (size_t i = 0; i < N_ACTIVE; i++)
            sum += own[i];
        for (size_t i = 0; i < N_ACTIVE; i++)
            own[i] = sum < least_share ? 0.0 : (1.0 - room) * own[i] + room * sum * start_share(i);
    }
}

static void fit_shares(const float *likelihoods, size_t n, double *share)
{
    g_autofree float *by_model = g_new(float, N_MODELS *MAX(n, 1));
    g_autofree double *mixture = g_new(double, MAX(n, 1));
    g_autofree size_t *used = g_new(size_t, MAX(n, 1));
    size_t n_used = 0;
    for (size_t v = 0; v < n; v++) {
        double sum = 0.0;
        for (size_t m = 0; m < N_MODELS; m++)
            sum += (double) likelihoods[v * N_MODELS + m];
        if (sum > 0.0)
            used[n_used++] = v;
    }
    for (size_t m = 0; m < N_MODELS; m++) {
        share[m] = start_share(m) / N_AR;
        for (size_t i = 0; i < n_used; i++)
            by_model[m * n_used + i] = likelihoods[used[i] * N_MODELS + m];
    }
    for (size_t step = 0; step < N_PRIOR_STEPS && n_used > 0; step++)
        improve_shares(by_model, n_used, share, mixture);
}

struct noise_prior *noise_prior_new(const struct noise_fit *fit, const float *likelihoods, size_t n)
{
    g_autofree double *share = g_new(double, N_MODELS);
    fit_shares(likelihoods, n, share);
    leave_room(share);
    struct noise_prior *prior = g_new0(struct noise_prior, 1);
    prior->fit = fit;
    prior->model = g_new(size_t, N_MODELS);
    prior->share = g_new(double, N_MODELS);
    prior->score = g_new(double, N_MODELS * fit->n_bands);
    for (size_t m = 0; m < N_MODELS; m++) {
        if (share[m] == 0.0)
            continue;
        prior->model[prior->n_models] = m;
        prior->share[prior->n_models] = share[m];
        memcpy(prior->score + prior->n_models++ * fit->n_bands, fit->score + m * fit->n_bands,
               fit->n_bands * sizeof(double));
    }
    return prior;
}

// Models are sorted by their autocorrelation.
void noise_prior_range(const struct noise_prior *prior, double *low, double *high)
{
    const double tail = 0.005;
    size_t first = 0, last = prior->n_models - 1;
    for (double sum = prior->share[0]; sum < tail && first < last; sum += prior->share[first])
        first++;
    for (double sum = prior->share[last]; sum < tail && last > first; sum += prior->share[last])
        last--;
    *low = model_ar(prior->model[first]);
    *high = model_ar(prior->model[last]);
}

static struct noise_estimate posterior_mean(const struct noise_prior *prior, const double *scores)
{
    double least = INFINITY, n = (double) prior->fit->n_bins;
    for (size_t i = 0; i < prior->n_models; i++)
        least = fmin(least, scores[i]);
    double sum = 0.0, ar = 0.0, variance = 0.0, most = least * exp(LEAST_LIKELY / n);
    for (size_t i = 0; i < prior->n_models && least > 0.0; i++) {
        if (scores[i] > most)
            continue;
        double posterior = prior->share[i] * exp(n * log(least / scores[i]));
        sum += posterior;
        ar += posterior * model_ar(prior->model[i]);
        variance += posterior * scores[i] / prior->fit->weight[prior->model[i]];
    }
    if (!(sum > 0.0))
        return (struct noise_estimate){0.0, 0.0};
    return (struct noise_estimate){sqrt(variance / sum), ar / sum};
}

static double variance_of(const double *x, size_t n)
{
    double sum = 0.0, sum2 = 0.0;
    for (size_t t = 0; t < n; t++) {
        sum += x[t];
        sum2 += x[t] * x[t];
    }
    return fmax(sum2 / (double) n - (sum / (double) n) * (sum / (double) n), 0.0);
}

// The series of a block of at most BLOCK_SERIES.
static void estimate_block(const struct noise_prior *prior, const struct block *x,
                           struct noise_estimate *estimates, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    int n_bands = (int) prior->fit->n_bands, n_models = (int) prior->n_models;
    double *bands = WORKSPACE_ALLOC(ws, double, prior->fit->n_bands * x->n_series);
    double *scores = WORKSPACE_ALLOC(ws, double, prior->n_models * x->n_series);
    measure_bands(prior->fit, x, bands, ws);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, n_models, (int) x->n_series, n_bands, 1.0,
                prior->score, n_bands, bands, n_bands, 0.0, scores, n_models);
    for (size_t v = 0; v < x->n_series; v++) {
        struct noise_estimate noise = posterior_mean(prior, scores + v * prior->n_models);
        double floor = sqrt(LEAST_SHARE * variance_of(block_series(x, v), x->n_time));
        noise.sigma = fmax(noise.sigma, floor);
        estimates[v] = noise;
    }
    workspace_release(ws, mark);
}

void noise_prior_estimate(const struct noise_prior *prior, const struct block *x,
                          struct noise_estimate *estimates, struct workspace *ws)
{
    g_assert(x->n_time == prior->fit->n_time);
    for (size_t first = 0; first < x->n_series; first += BLOCK_SERIES) {
        struct block part = block_slice(x, first, MIN((size_t) BLOCK_SERIES, x->n_series - first));
        estimate_block(prior, &part, estimates + first, ws);
    }
}
