// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/orthobasis.h"

#include "solvers/lapack.h"

#include <math.h>
#include <string.h>

// Overwrites the columns with Q of A P = Q R, and returns how many |R_ii| are large enough.
static size_t orthonormalise(double *columns, size_t n_rows, size_t n_columns)
{
    int n = (int) n_rows, m = (int) n_columns, k = MIN(n, m), info = 0;
    int n_work = 64 * (m + 1);
    g_autofree int *pivots = g_new0(int, n_columns);
    g_autofree double *tau = g_new(double, n_columns);
    g_autofree double *work = g_new(double, (size_t) n_work + 2 * n_columns);
    n_work += 2 * m;
    dgeqp3_(&n, &m, columns, &n, pivots, tau, work, &n_work, &info);
    g_assert(info == 0);

    size_t rank = 0;
    double least = ORTHOBASIS_INDEPENDENT * fabs(columns[0]);
    while (rank < (size_t) k && fabs(columns[rank * n_rows + rank]) > least)
        rank++;
    int n_kept = (int) rank;
    if (rank > 0)
        dorgqr_(&n, &n_kept, &n_kept, columns, &n, tau, work, &n_work, &info);
    g_assert(info == 0);
    return rank;
}

void orthobasis_init(struct orthobasis *basis, size_t n)
{
    *basis = (struct orthobasis){.n = n, .kernels = kernels_best()};
}

size_t orthobasis_add(struct orthobasis *basis, const double *columns, size_t n_columns)
{
    g_assert(basis->n <= G_MAXINT && n_columns <= 1000000);
    if (n_columns == 0)
        return 0;
    size_t n = basis->n;
    g_autofree double *own = g_memdup2(columns, n * n_columns * sizeof(double));
    size_t rank = orthonormalise(own, n, n_columns);
    basis->q = g_renew(double, basis->q, MAX(n * (basis->rank + rank), 1));
    memcpy(basis->q + n * basis->rank, own, n * rank * sizeof(double));
    basis->rank += rank;
    return n_columns - rank;
}

void orthobasis_add_orthogonal(struct orthobasis *basis, const double *columns, size_t n_columns)
{
    size_t n = basis->n;
    basis->q = g_renew(double, basis->q, MAX(n * (basis->rank + n_columns), 1));
    for (size_t j = 0; j < n_columns; j++) {
        const double *column = columns + j * n;
        double *q = basis->q + n * basis->rank++;
        double scale = 1.0 / sqrt(basis->kernels->dot(column, column, n));
        for (size_t t = 0; t < n; t++)
            q[t] = scale * column[t];
    }
}

void orthobasis_remove(const struct orthobasis *basis, double *y, double *coefficients)
{
    size_t n = basis->n, rank = basis->rank;
    for (size_t j = 0; j < rank; j++)
        coefficients[j] = basis->kernels->dot(basis->q + j * n, y, n);
    size_t j = 0;
    for (; j + 4 <= rank; j += 4) {
        const double *restrict q = basis->q + j * n;
        const double *c = coefficients + j;
        for (size_t t = 0; t < n; t++)
            y[t] -= (c[0] * q[t] + c[1] * q[n + t]) + (c[2] * q[2 * n + t] + c[3] * q[3 * n + t]);
    }
    for (; j < rank; j++) {
        const double *restrict q = basis->q + j * n;
        for (size_t t = 0; t < n; t++)
            y[t] -= coefficients[j] * q[t];
    }
}

void orthobasis_clear(struct orthobasis *basis)
{
    g_free(basis->q);
    *basis = (struct orthobasis){0};
}
