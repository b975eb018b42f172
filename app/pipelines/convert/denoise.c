// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/convert/denoise.h"

#include "deconv/noise.h"
#include "solvers/linop.h"
#include "solvers/prox_tv.h"
#include "solvers/solver.h"

#include <math.h>

static const double TOLERANCE = 1e-9; // of the relative gap: the prox is exact up to rounding
enum { MOST_STEPS = 60 };

const char *const denoise_rule_names[] = {"fixed", "lut", "mad", "ratio", "ut", NULL};

/** What all threads share. */
struct denoising {
    struct recording *recording;
    enum denoise_rule rule;
    double value;
    const struct problem *problem;
    struct series_result *results;
};

static double residual_variance(const double *y, const double *u, size_t n)
{
    double sum = 0.0;
    for (size_t t = 0; t < n; t++)
        sum += (y[t] - u[t]) * (y[t] - u[t]);
    return sum / (double) n;
}

/**
 * What the sum of squares of the residual grows by with lambda^2 while the segments stay: a segment
 * of n samples is its mean, moved by lambda / n times the difference of the signs of the jumps at
 * its ends.
 */
static double residual_slope(const double *u, size_t n)
{
    double slope = 0.0, sign_before = 0.0;
    for (size_t begin = 0, end = 1; begin < n; begin = end++) {
        while (end < n && u[end] == u[begin])
            end++;
        double sign_after = 0.0;
        if (end < n)
            sign_after = u[end] > u[begin] ? 1.0 : -1.0;
        double pull = sign_after - sign_before;
        slope += pull * pull / (double) (end - begin);
        sign_before = sign_after;
    }
    return slope;
}

/**
 * The residual grows with lambda: the one where it is the noise lies between 0 and lambda_max. It
 * is straight in lambda^2 between two bends of the path: Newton's steps, kept within what is known.
 */
static double match_noise(const double *y, size_t n, double sigma, double lambda_max,
                          struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *u = WORKSPACE_ALLOC(ws, double, n);
    double low = 0.0, high = lambda_max, lambda = fmin(2.0 * sigma, 0.5 * lambda_max);
    for (size_t i = 0; i < MOST_STEPS && high - low > 1e-12 * lambda_max; i++) {
        prox_tv(y, n, lambda, u, NULL, ws);
        double missing = (sigma * sigma - residual_variance(y, u, n)) * (double) n;
        if (missing > 0.0)
            low = lambda;
        else
            high = lambda;
        double square = lambda * lambda + missing / residual_slope(u, n);
        double next = square > 0.0 ? sqrt(square) : 0.0;
        if (next > 0.0 && fabs(next - lambda) <= 1e-12 * lambda_max) {
            high = next;
            break;
        }
        lambda = next > low && next < high ? next : 0.5 * (low + high);
    }
    workspace_release(ws, mark);
    return high;
}

static double choose_lambda(const struct denoising *d, const double *y, size_t n, double lambda_max,
                            struct workspace *ws)
{
    double log_n = log((double) n);
    switch (d->rule) {
    case DENOISE_FIXED:
        return d->value;
    case DENOISE_LUT:
        return noise_sigma(y, n, ws) * sqrt(2.0 * log_n - log(1.0 + 4.0 * log_n));
    case DENOISE_MAD:
        return match_noise(y, n, noise_sigma(y, n, ws), lambda_max, ws);
    case DENOISE_UT:
        return noise_sigma(y, n, ws) * sqrt(2.0 * log_n);
    default:
        return d->value * lambda_max;
    }
}

/**
 * y to u, in place; result->status says whether it was to be. The mean is set aside meanwhile: it
 * may be far larger than what is left.
 */
static void denoise_series(const struct denoising *d, double *y, struct series_result *result,
                           struct workspace *ws)
{
    size_t n = d->recording->n_time;
    result->status = series_classify(y, n);
    if (result->status != SERIES_SOLVED)
        return;
    size_t mark = workspace_mark(ws);
    double *u = WORKSPACE_ALLOC(ws, double, n);
    double mean = 0.0;
    for (size_t t = 0; t < n; t++)
        mean += y[t] / (double) n;
    for (size_t t = 0; t < n; t++)
        y[t] -= mean;
    result->lambda_max = problem_lambda_max(d->problem, y, ws);
    result->lambda = choose_lambda(d, y, n, result->lambda_max, ws);
    prox_tv(y, n, result->lambda, u, NULL, ws);
    series_certify(d->problem, y, u, TOLERANCE, result, ws);
    for (size_t t = 0; t < n; t++)
        y[t] = u[t] + mean;
    workspace_release(ws, mark);
}

static void denoise_channel(void *data, size_t v, struct workspace *ws)
{
    const struct denoising *d = data;
    const struct recording *recording = d->recording;
    const struct sensors *sensors = recording->sensors;
    size_t n = recording->n_time;
    size_t mark = workspace_mark(ws);
    double *y = WORKSPACE_ALLOC(ws, double, n);
    for (size_t t = 0; t < n; t++)
        recording_values(recording, t, v, 1, y + t);
    struct series_result *result = &d->results[v];
    *result = (struct series_result){.status = SERIES_OUTSIDE};
    if (sensors->channel[sensors->part[sensors->chosen].channel[v]].kind != CHANNEL_STIM)
        denoise_series(d, y, result, ws);
    for (size_t t = 0; t < n; t++)
        recording->samples.d[t * recording->n_series + v] = y[t];
    workspace_release(ws, mark);
}

bool denoise_recording(struct recording *recording, enum denoise_rule rule, double value,
                       struct series_result *results, struct parallel *team)
{
    g_autoptr(linop) identity = linop_new_identity(recording->n_time);
    g_autoptr(owned_problem) problem = problem_new_tv(identity);
    struct denoising denoising = {recording, rule, value, problem, results};
    if (!parallel_for(team, recording->n_series, denoise_channel, &denoising))
        return false;
    recording->datatype = "float64"; // whatever the file has
    struct sensors *sensors = recording->sensors;
    for (size_t v = 0; v < recording->n_series; v++) {
        struct channel *channel = &sensors->channel[sensors->part[sensors->chosen].channel[v]];
        channel->gain = 1.0;
        channel->offset = 0.0;
    }
    return true;
}
