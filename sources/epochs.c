// SPDX-License-Identifier: BSD-3-Clause
#include "sources/epochs.h"

#include <cblas.h>
#include <math.h>

static const double *samples_of(const struct epochs *epochs, size_t e, size_t channel)
{
    return epochs->data + channel * epochs->n_data + epochs->first[e];
}

static double mean_of(const double *x, size_t begin, size_t end)
{
    double sum = 0.0;
    for (size_t t = begin; t < end; t++)
        sum += x[t];
    return end > begin ? sum / (double) (end - begin) : 0.0;
}

// Whether a channel lets an epoch pass; NaN where it is not finite.
static double peak_to_peak(const double *x, size_t n)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t t = 0; t < n; t++) {
        if (!isfinite(x[t]))
            return NAN;
        low = fmin(low, x[t]);
        high = fmax(high, x[t]);
    }
    return high - low;
}

static bool is_accepted(const struct epochs *epochs, size_t e, struct epochs_average *average)
{
    for (size_t c = 0; c < epochs->n_channels; c++) {
        double height = peak_to_peak(samples_of(epochs, e, c), epochs->n_time);
        if (isnan(height)) {
            average->n_nonfinite++;
            return false;
        }
        if (height > epochs->peak_to_peak[epochs->kind[c]]) {
            average->n_rejected[epochs->kind[c]]++;
            return false;
        }
    }
    return true;
}

static void add_epoch(const struct epochs *epochs, size_t e, double *sum)
{
    for (size_t c = 0; c < epochs->n_channels; c++) {
        const double *x = samples_of(epochs, e, c);
        double level = mean_of(x, epochs->baseline[0], epochs->baseline[1]);
        for (size_t t = 0; t < epochs->n_time; t++)
            sum[c * epochs->n_time + t] += x[t] - level;
    }
}

struct epochs_average *epochs_average_new(const struct epochs *epochs)
{
    size_t n = epochs->n_channels * epochs->n_time;
    struct epochs_average *average = g_new0(struct epochs_average, 1);
    average->is_used = g_new0(bool, epochs->n_epochs);
    average->mean = g_new0(double, n);
    for (size_t e = 0; e < epochs->n_epochs; e++) {
        average->is_used[e] = is_accepted(epochs, e, average);
        if (!average->is_used[e])
            continue;
        average->n_used++;
        add_epoch(epochs, e, average->mean);
    }
    if (average->n_used > 0)
        cblas_dscal((int) n, 1.0 / (double) average->n_used, average->mean, 1);
    return average;
}

void epochs_average_free(struct epochs_average *average)
{
    if (average == NULL)
        return;
    g_free(average->is_used);
    g_free(average->mean);
    g_free(average);
}

// Centred samples of the epochs in use, one after the other: n_channels rows of n_samples.
static double *gather(const struct epochs *epochs, const bool *is_used, size_t begin, size_t end,
                      size_t n_samples)
{
    double *rows = g_new0(double, epochs->n_channels *n_samples);
    for (size_t c = 0; c < epochs->n_channels; c++) {
        double *row = rows + c * n_samples;
        for (size_t e = 0; e < epochs->n_epochs; e++) {
            if (!is_used[e])
                continue;
            const double *x = samples_of(epochs, e, c);
            double level = mean_of(x, begin, end);
            for (size_t t = begin; t < end; t++)
                *row++ = x[t] - level;
        }
    }
    return rows;
}

static void set_mean_variances(const struct epochs *epochs, const double *c, double *variance)
{
    size_t count[SENSOR_KINDS] = {0};
    for (size_t k = 0; k < SENSOR_KINDS; k++)
        variance[k] = 0.0;
    for (size_t i = 0; i < epochs->n_channels; i++) {
        variance[epochs->kind[i]] += c[i * (epochs->n_channels + 1)];
        count[epochs->kind[i]]++;
    }
    for (size_t k = 0; k < SENSOR_KINDS; k++)
        variance[k] = count[k] > 0 ? variance[k] / (double) count[k] : 0.0;
}

// The expected squared error of C over its squared distance from T, in units of equal variance:
// b^2 = (sum_t ||x_t||^4 / n - ||C||^2) / n, d^2 = ||C - I||^2.
static double ledoit_wolf(const struct epochs *epochs, const double *rows, size_t n_samples,
                          const double *c, const double *variance)
{
    size_t n = epochs->n_channels;
    double fourth = 0.0, c2 = 0.0, distance2 = 0.0;
    for (size_t t = 0; t < n_samples; t++) {
        double norm2 = 0.0;
        for (size_t i = 0; i < n; i++)
            if (variance[epochs->kind[i]] > 0.0)
                norm2 += pow(rows[i * n_samples + t], 2.0) / variance[epochs->kind[i]];
        fourth += norm2 * norm2;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double scale = variance[epochs->kind[i]] * variance[epochs->kind[j]];
            double value = scale > 0.0 ? c[i * n + j] / sqrt(scale) : 0.0;
            c2 += value * value;
            distance2 += pow(value - (i == j ? 1.0 : 0.0), 2.0);
        }
    double error2 = (fourth / (double) n_samples - c2) / (double) n_samples;
    return distance2 > 0.0 ? fmin(fmax(error2 / distance2, 0.0), 1.0) : 0.0;
}

static void shrink(const struct epochs *epochs, double rho, const double *variance, double *c)
{
    size_t n = epochs->n_channels;
    cblas_dscal((int) (n * n), 1.0 - rho, c, 1);
    for (size_t i = 0; i < n; i++)
        c[i * (n + 1)] += rho * variance[epochs->kind[i]];
}

struct epochs_covariance *epochs_covariance_new(const struct epochs *epochs, const bool *is_used,
                                                size_t begin, size_t end, double shrinkage)
{
    size_t n_used = 0, n = epochs->n_channels;
    for (size_t e = 0; e < epochs->n_epochs; e++)
        n_used += is_used[e];
    size_t n_samples = n_used * (end - begin), n_free = n_samples - n_used;
    if (n_free == 0)
        return NULL;
    struct epochs_covariance *covariance = g_new0(struct epochs_covariance, 1);
    covariance->n_free = n_free;
    covariance->matrix = g_new(double, n *n);
    g_autofree double *rows = gather(epochs, is_used, begin, end, n_samples);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int) n, (int) n, (int) n_samples,
                1.0 / (double) n_free, rows, (int) n_samples, rows, (int) n_samples, 0.0,
                covariance->matrix, (int) n);
    double variance[SENSOR_KINDS];
    set_mean_variances(epochs, covariance->matrix, variance);
    covariance->shrinkage = isnan(shrinkage)
                                ? ledoit_wolf(epochs, rows, n_samples, covariance->matrix, variance)
                                : shrinkage;
    shrink(epochs, covariance->shrinkage, variance, covariance->matrix);
    return covariance;
}

void epochs_covariance_free(struct epochs_covariance *covariance)
{
    if (covariance == NULL)
        return;
    g_free(covariance->matrix);
    g_free(covariance);
}
