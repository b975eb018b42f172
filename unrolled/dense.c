// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/dense.h"

#include <cblas.h>

// A row-major matrix read column-major is its transpose, of n_columns rows.

void dense_apply(const struct dense *w, double alpha, const struct block *in, double beta,
                 struct block *out)
{
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int) w->n_rows, (int) in->n_series,
                (int) w->n_columns, alpha, w->weights, (int) w->n_columns, in->data,
                (int) in->stride, beta, out->data, (int) out->stride);
}

void dense_adjoint(const struct dense *w, double alpha, const struct block *in, double beta,
                   struct block *out)
{
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, (int) w->n_columns, (int) in->n_series,
                (int) w->n_rows, alpha, w->weights, (int) w->n_columns, in->data, (int) in->stride,
                beta, out->data, (int) out->stride);
}

void dense_gradient(const struct dense *w, double alpha, const struct block *in,
                    const struct block *out_adjoint, double *gradient)
{
    if (gradient == NULL)
        return;
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, (int) w->n_columns, (int) w->n_rows,
                (int) in->n_series, alpha, in->data, (int) in->stride, out_adjoint->data,
                (int) out_adjoint->stride, 1.0, gradient, (int) w->n_columns);
}
