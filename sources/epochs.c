// SPDX-License-Identifier: BSD-3-Clause
#include "sources/epochs.h"

#include "sources/eigen.h"

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

// One over the standard deviation of a kind; 0 where it is flat.
static double unit_of(const struct epochs *epochs, const double *variance, size_t i)
{
    double v = variance[epochs->kind[i]];
    return v > 0.0 ? 1.0 / sqrt(v) : 0.0;
}

// C in units of equal variance, or, back, with `direction` -1.
static void rescale(const struct epochs *epochs, const double *variance, int direction, double *c)
{
    size_t n = epochs->n_channels;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double scale = unit_of(epochs, variance, i) * unit_of(epochs, variance, j);
            c[i * n + j] = scale == 0.0    ? 0.0
                           : direction > 0 ? c[i * n + j] * scale
                                           : c[i * n + j] / scale;
        }
}

// Adds B (B'B)^-1 B' of a group's basis in these units, or where there is none the identity.
static void add_group(const struct epochs *epochs, const double *variance, enum sensor_group group,
                      double *projector)
{
    size_t n = epochs->n_channels;
    const struct data_space *space = epochs->space;
    size_t rank = space == NULL || !space->has_basis[group] ? 0 : space->rank[group];
    if (rank == 0) {
        for (size_t i = 0; i < n; i++)
            projector[i * (n + 1)] += sensor_group_of(epochs->kind[i]) == group;
        return;
    }
    g_autofree double *b = g_new(double, n *rank);
    g_autofree double *gram = g_new(double, rank *rank);
    g_autofree double *values = g_new(double, rank);
    g_autofree double *turned = g_new(double, n *rank);
    for (size_t r = 0; r < rank; r++)
        for (size_t i = 0; i < n; i++)
            b[r * n + i] = space->basis[group][r * n + i] * unit_of(epochs, variance, i) /
                           sensor_comparable_unit(epochs->kind[i]);
    int rows = (int) n, columns = (int) rank;
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, columns, columns, rows, 1.0, b, rows, b,
                rows, 0.0, gram, columns);
    eigen_symmetric(gram, rank, values);
    for (size_t r = 0; r < rank; r++)
        for (size_t i = 0; i < rank; i++)
            gram[r * rank + i] *= values[r] > 0.0 ? 1.0 / sqrt(values[r]) : 0.0;
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, rows, columns, columns, 1.0, b, rows,
                gram, columns, 0.0, turned, rows);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, rows, rows, columns, 1.0, turned, rows,
                turned, rows, 1.0, projector, rows);
}

// C <- Q C Q; Q: n x n, symmetric.
static void confine(const double *q, size_t n, double *c)
{
    g_autofree double *qc = g_new(double, n *n);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) n, (int) n, (int) n, 1.0, q,
                (int) n, c, (int) n, 0.0, qc, (int) n);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) n, (int) n, (int) n, 1.0, qc,
                (int) n, q, (int) n, 0.0, c, (int) n);
}

// What C is shrunk towards, in its place the projector Q: of each group Q tr(C) / tr(Q).
static void set_target(const struct epochs *epochs, const double *c, double *q)
{
    size_t n = epochs->n_channels;
    double power[SENSOR_GROUPS] = {0.0}, rank[SENSOR_GROUPS] = {0.0};
    for (size_t i = 0; i < n; i++) {
        power[sensor_group_of(epochs->kind[i])] += c[i * (n + 1)];
        rank[sensor_group_of(epochs->kind[i])] += q[i * (n + 1)];
    }
    for (size_t i = 0; i < n; i++) {
        enum sensor_group group = sensor_group_of(epochs->kind[i]);
        double level = rank[group] > 0.0 ? power[group] / rank[group] : 0.0;
        for (size_t j = 0; j < n; j++)
            q[i * n + j] *= level; // 0 between groups
    }
}

// The expected squared error of C over its squared distance from T, in units of equal variance:
// b^2 = (sum_t ||x_t||^4 / n - ||C||^2) / n, d^2 = ||C - T||^2.
static double ledoit_wolf(const struct epochs *epochs, const double *rows, size_t n_samples,
                          const double *c, const double *target, const double *variance)
{
    size_t n = epochs->n_channels;
    double fourth = 0.0, c2 = 0.0, distance2 = 0.0;
    for (size_t t = 0; t < n_samples; t++) {
        double norm2 = 0.0;
        for (size_t i = 0; i < n; i++)
            norm2 += pow(rows[i * n_samples + t] * unit_of(epochs, variance, i), 2.0);
        fourth += norm2 * norm2;
    }
    for (size_t i = 0; i < n * n; i++) {
        c2 += c[i] * c[i];
        distance2 += (c[i] - target[i]) * (c[i] - target[i]);
    }
    double error2 = (fourth / (double) n_samples - c2) / (double) n_samples;
    return distance2 > 0.0 ? fmin(fmax(error2 / distance2, 0.0), 1.0) : 0.0;
}

static double *projected_samples(const struct epochs *epochs, const bool *is_used, size_t begin,
                                 size_t end, size_t n_samples)
{
    double *rows = gather(epochs, is_used, begin, end, n_samples);
    if (epochs->projector != NULL)
        projector_matrix_apply(epochs->projector, rows, n_samples);
    return rows;
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
    double *c = covariance->matrix = g_new(double, n *n);
    g_autofree double *rows = projected_samples(epochs, is_used, begin, end, n_samples);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int) n, (int) n, (int) n_samples,
                1.0 / (double) n_free, rows, (int) n_samples, rows, (int) n_samples, 0.0, c,
                (int) n);
    double variance[SENSOR_KINDS];
    set_mean_variances(epochs, c, variance);
    rescale(epochs, variance, 1, c);
    g_autofree double *target = g_new0(double, n *n);
    for (size_t group = 0; group < SENSOR_GROUPS; group++)
        add_group(epochs, variance, (enum sensor_group) group, target);
    if (epochs->space != NULL)
        confine(target, n, c);
    set_target(epochs, c, target);
    double rho =
        isnan(shrinkage) ? ledoit_wolf(epochs, rows, n_samples, c, target, variance) : shrinkage;
    for (size_t i = 0; i < n * n; i++)
        c[i] = (1.0 - rho) * c[i] + rho * target[i];
    rescale(epochs, variance, -1, c);
    covariance->shrinkage = rho;
    return covariance;
}

void epochs_covariance_free(struct epochs_covariance *covariance)
{
    if (covariance == NULL)
        return;
    g_free(covariance->matrix);
    g_free(covariance);
}
