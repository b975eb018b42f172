// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/weights.h"

#include <string.h>

// Column i of D is the operator on the i-th unit vector, and row i of D'.
static void column(const linop *op, double *unit, size_t i, double *out, struct workspace *ws)
{
    unit[i] = 1.0;
    linop_apply_series(op, unit, out, ws);
    unit[i] = 0.0;
}

static double *zeros(struct workspace *ws, size_t n)
{
    double *out = WORKSPACE_ALLOC(ws, double, n);
    memset(out, 0, n * sizeof(double));
    return out;
}

void weights_adjoint(const linop *op, double scale, double *w)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    double *unit = zeros(ws, op->n_in);
    for (size_t i = 0; i < op->n_in; i++, w += op->n_out) {
        column(op, unit, i, w, ws);
        for (size_t t = 0; t < op->n_out; t++)
            w[t] *= scale;
    }
}

void weights_gradient_step(const linop *op, double norm2, double *w)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    double *unit = zeros(ws, op->n_in);
    double *image = WORKSPACE_ALLOC(ws, double, op->n_out);
    // D'D is symmetric: its columns are its rows.
    for (size_t i = 0; i < op->n_in; i++, w += op->n_in) {
        column(op, unit, i, image, ws);
        linop_adjoint_series(op, image, w, ws);
        for (size_t j = 0; j < op->n_in; j++)
            w[j] = (i == j ? 1.0 : 0.0) - w[j] / norm2;
    }
}

void weights_identity(size_t n, double *w)
{
    memset(w, 0, n * n * sizeof(double));
    for (size_t i = 0; i < n; i++)
        w[i * (n + 1)] = 1.0;
}
