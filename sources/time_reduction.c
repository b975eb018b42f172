// SPDX-License-Identifier: BSD-3-Clause
#include "sources/time_reduction.h"

#include "solvers/lapack.h"

#include <cblas.h>
#include <string.h>

#define NEGLIGIBLE 1e-12 // of the largest singular value

// What dgesdd makes of a matrix with m rows and n columns, column-major.
struct decomposition {
    double *u;  // m x k, k = min(m, n)
    double *s;  // k
    double *vt; // k x n
};

static void decompose(double *matrix, size_t m, size_t n, struct decomposition *out)
{
    size_t k = MIN(m, n);
    int rows = (int) m, columns = (int) n, order = (int) k, info = 0, lwork = -1;
    double wanted = 0.0;
    g_autofree int *iwork = g_new(int, 8 * k);
    dgesdd_("S", &rows, &columns, matrix, &rows, out->s, out->u, &rows, out->vt, &order, &wanted,
            &lwork, iwork, &info);
    lwork = (int) wanted;
    g_autofree double *work = g_new(double, (size_t) lwork);
    dgesdd_("S", &rows, &columns, matrix, &rows, out->s, out->u, &rows, out->vt, &order, work,
            &lwork, iwork, &info);
    g_assert(info == 0); // it fails on NaN only
}

static struct time_reduction *keep_all(const double *data, size_t n_sensors, size_t n_time)
{
    struct time_reduction *reduction = g_new0(struct time_reduction, 1);
    *reduction = (struct time_reduction){.n_sensors = n_sensors,
                                         .n_time = n_time,
                                         .rank = n_time,
                                         .data = g_new(double, n_sensors *n_time)};
    memcpy(reduction->data, data, n_sensors * n_time * sizeof(double));
    return reduction;
}

struct time_reduction *time_reduction_new(const double *data, size_t n_sensors, size_t n_time)
{
    // Row-major M is M' = V S U' by columns: its left vectors are the time courses.
    size_t k = MIN(n_sensors, n_time);
    g_autofree double *copy = g_new(double, n_sensors *n_time);
    memcpy(copy, data, n_sensors * n_time * sizeof(double));
    g_autofree double *v = g_new(double, n_time *k);
    g_autofree double *s = g_new(double, k);
    g_autofree double *ut = g_new(double, k *n_sensors);
    struct decomposition found = {v, s, ut};
    decompose(copy, n_time, n_sensors, &found);
    size_t rank = 1;
    while (rank < k && s[rank] > NEGLIGIBLE * s[0])
        rank++;
    if (rank == n_time)
        return keep_all(data, n_sensors, n_time);

    struct time_reduction *reduction = g_new0(struct time_reduction, 1);
    *reduction = (struct time_reduction){.n_sensors = n_sensors,
                                         .n_time = n_time,
                                         .rank = rank,
                                         .data = g_new(double, n_sensors *rank),
                                         .courses = g_new(double, rank *n_time)};
    for (size_t i = 0; i < n_sensors; i++)
        for (size_t j = 0; j < rank; j++)
            reduction->data[i * rank + j] = s[j] * ut[i * k + j];
    memcpy(reduction->courses, v, rank * n_time * sizeof(double));
    return reduction;
}

void time_reduction_free(struct time_reduction *reduction)
{
    if (reduction == NULL)
        return;
    g_free(reduction->data);
    g_free(reduction->courses);
    g_free(reduction);
}

void time_reduction_expand(const struct time_reduction *reduction,
                           const struct source_estimate *reduced, struct source_estimate *expanded)
{
    if (reduction->courses == NULL) {
        source_estimate_copy(reduced, expanded);
        return;
    }
    expanded->n_orient = reduced->n_orient;
    expanded->n_time = reduction->n_time;
    source_estimate_resize(expanded, reduced->n_active);
    if (reduced->n_active == 0)
        return;
    memcpy(expanded->position, reduced->position, reduced->n_active * sizeof(size_t));
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans,
                (int) (reduced->n_active * reduced->n_orient), (int) reduction->n_time,
                (int) reduction->rank, 1.0, reduced->x, (int) reduction->rank, reduction->courses,
                (int) reduction->n_time, 0.0, expanded->x, (int) reduction->n_time);
}
