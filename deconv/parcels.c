// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/parcels.h"

#include "solvers/lapack.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

// The distinct labels, rising. Owned.
static double *list_labels(const double *labels, size_t n_members, size_t *n)
{
    double *list = g_memdup2(labels, MAX(n_members, 1) * sizeof *labels);
    qsort(list, n_members, sizeof *list, compare);
    *n = 0;
    for (size_t i = 0; i < n_members; i++)
        if (*n == 0 || list[i] != list[*n - 1])
            list[(*n)++] = list[i];
    return list;
}

struct parcels *parcels_new(const double *labels, size_t n_members)
{
    struct parcels *parcels = g_new0(struct parcels, 1);
    parcels->n_members = n_members;
    parcels->label = list_labels(labels, n_members, &parcels->n);
    parcels->of = g_new0(size_t, n_members);
    parcels->first = g_new0(size_t, parcels->n + 1);
    parcels->member = g_new0(size_t, n_members);
    for (size_t v = 0; v < n_members; v++) {
        const double *found =
            bsearch(&labels[v], parcels->label, parcels->n, sizeof *labels, compare);
        g_assert(found != NULL);
        parcels->of[v] = (size_t) (found - parcels->label);
        parcels->first[parcels->of[v] + 1]++;
    }
    for (size_t p = 0; p < parcels->n; p++)
        parcels->first[p + 1] += parcels->first[p];
    g_autofree size_t *next = g_memdup2(parcels->first, (parcels->n + 1) * sizeof *next);
    for (size_t v = 0; v < n_members; v++)
        parcels->member[next[parcels->of[v]]++] = v;
    return parcels;
}

void parcels_free(struct parcels *parcels)
{
    if (parcels == NULL)
        return;
    g_free(parcels->label);
    g_free(parcels->of);
    g_free(parcels->first);
    g_free(parcels->member);
    g_free(parcels);
}

void parcels_mean_weights(const struct parcels *parcels, const bool *used, double *weights)
{
    for (size_t p = 0; p < parcels->n; p++) {
        size_t count = 0;
        for (size_t i = parcels->first[p]; i < parcels->first[p + 1]; i++)
            count += used[parcels->member[i]];
        for (size_t i = parcels->first[p]; i < parcels->first[p + 1]; i++) {
            size_t v = parcels->member[i];
            weights[v] = used[v] ? 1.0 / (double) count : 0.0;
        }
    }
}

void parcels_sum(const struct parcels *parcels, const double *weights, const double *values,
                 double *sums)
{
    memset(sums, 0, parcels->n * sizeof *sums);
    for (size_t v = 0; v < parcels->n_members; v++)
        if (weights[v] != 0.0)
            sums[parcels->of[v]] += weights[v] * values[v];
}

// The eigenvector of the largest eigenvalue of a symmetric n x n matrix, into its first column.
static bool leading_eigenvector(double *matrix, int n, struct workspace *ws)
{
    double *values = WORKSPACE_ALLOC(ws, double, n), size;
    int query = -1, int_size, info;
    dsyevd_("V", "L", &n, matrix, &n, values, &size, &query, &int_size, &query, &info);
    if (info != 0)
        return false;
    int n_work = (int) size;
    double *work = WORKSPACE_ALLOC(ws, double, n_work);
    int *int_work = WORKSPACE_ALLOC(ws, int, int_size);
    dsyevd_("V", "L", &n, matrix, &n, values, work, &n_work, int_work, &int_size, &info);
    if (info != 0)
        return false;
    memmove(matrix, matrix + (size_t) (n - 1) * (size_t) n, (size_t) n * sizeof *matrix);
    return true;
}

// Norm 1 / sqrt(n), and the sign of the sum of the series.
static void settle(const struct block *x, double *weights, struct workspace *ws)
{
    size_t n = x->n_series, n_time = x->n_time;
    double *component = WORKSPACE_ALLOC(ws, double, n_time);
    double *sum = WORKSPACE_ALLOC(ws, double, n_time);
    memset(component, 0, n_time * sizeof *component);
    memset(sum, 0, n_time * sizeof *sum);
    double norm2 = 0.0;
    for (size_t v = 0; v < n; v++) {
        cblas_daxpy((int) n_time, weights[v], block_series(x, v), 1, component, 1);
        cblas_daxpy((int) n_time, 1.0, block_series(x, v), 1, sum, 1);
        norm2 += weights[v] * weights[v];
    }
    double scale = norm2 > 0.0 ? 1.0 / sqrt(norm2 * (double) n) : 0.0;
    if (cblas_ddot((int) n_time, component, 1, sum, 1) < 0.0)
        scale = -scale;
    for (size_t v = 0; v < n; v++)
        weights[v] *= scale;
}

// Of the smaller of X'X and X X'.
bool parcels_principal_weights(const struct block *x, double *weights, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    bool wide = x->n_series > x->n_time;
    int n_series = (int) x->n_series, n_time = (int) x->n_time, stride = (int) x->stride;
    int n = wide ? n_time : n_series;
    double *gram = WORKSPACE_ALLOC(ws, double, (size_t) n *(size_t) n);
    cblas_dsyrk(CblasColMajor, CblasLower, wide ? CblasNoTrans : CblasTrans, n,
                wide ? n_series : n_time, 1.0, x->data, stride, 0.0, gram, n);
    double trace = 0.0;
    for (int i = 0; i < n; i++)
        trace += gram[(size_t) i * (size_t) n + (size_t) i];
    memset(weights, 0, x->n_series * sizeof *weights);
    bool found = !(trace > 0.0) || leading_eigenvector(gram, n, ws);
    if (found && trace > 0.0) {
        if (wide)
            cblas_dgemv(CblasColMajor, CblasTrans, n_time, n_series, 1.0, x->data, stride, gram, 1,
                        0.0, weights, 1);
        else
            memcpy(weights, gram, x->n_series * sizeof *weights);
        settle(x, weights, ws);
    }
    workspace_release(ws, mark);
    return found;
}
