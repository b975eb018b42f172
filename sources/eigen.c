// SPDX-License-Identifier: BSD-3-Clause
#include "sources/eigen.h"

#include "solvers/lapack.h"

#include <glib.h>

void eigen_symmetric(double *matrix, size_t n, double *values)
{
    int order = (int) n, info = 0, lwork = -1, liwork = -1, int_wanted = 0;
    double wanted = 0.0;
    if (n == 0)
        return;
    dsyevd_("V", "U", &order, matrix, &order, values, &wanted, &lwork, &int_wanted, &liwork, &info);
    lwork = (int) wanted;
    liwork = int_wanted;
    g_autofree double *work = g_new(double, (size_t) lwork);
    g_autofree int *iwork = g_new(int, (size_t) liwork);
    dsyevd_("V", "U", &order, matrix, &order, values, work, &lwork, iwork, &liwork, &info);
    g_assert(info == 0); // it fails on NaN only
}
