// SPDX-License-Identifier: BSD-3-Clause
#include "sources/source_estimate.h"

#include <cblas.h>
#include <string.h>

struct source_estimate *source_estimate_new(size_t n_orient, size_t n_time)
{
    struct source_estimate *estimate = g_new0(struct source_estimate, 1);
    *estimate = (struct source_estimate){.n_orient = n_orient, .n_time = n_time};
    return estimate;
}

void source_estimate_resize(struct source_estimate *estimate, size_t n_active)
{
    g_free(estimate->position);
    g_free(estimate->x);
    estimate->n_active = n_active;
    estimate->position = g_new0(size_t, n_active);
    estimate->x = g_new0(double, n_active * estimate->n_orient * estimate->n_time);
}

void source_estimate_copy(const struct source_estimate *from, struct source_estimate *to)
{
    to->n_orient = from->n_orient;
    to->n_time = from->n_time;
    source_estimate_resize(to, from->n_active);
    if (from->n_active == 0)
        return;
    memcpy(to->position, from->position, from->n_active * sizeof(size_t));
    memcpy(to->x, from->x, from->n_active * from->n_orient * from->n_time * sizeof(double));
}

void source_estimate_free(struct source_estimate *estimate)
{
    if (estimate == NULL)
        return;
    g_free(estimate->position);
    g_free(estimate->x);
    g_free(estimate);
}

double source_estimate_norm(const struct source_estimate *estimate, size_t i)
{
    return cblas_dnrm2((int) (estimate->n_orient * estimate->n_time),
                       source_estimate_rows(estimate, i), 1);
}

void source_estimate_residual(const struct source_estimate *estimate, const double *gain,
                              const double *data, size_t n_sensors, double *out)
{
    size_t n_orient = estimate->n_orient, n_time = estimate->n_time;
    memcpy(out, data, n_sensors * n_time * sizeof(double));
    for (size_t i = 0; i < estimate->n_active; i++)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int) n_sensors, (int) n_time,
                    (int) n_orient, -1.0, gain + estimate->position[i] * n_orient * n_sensors,
                    (int) n_sensors, source_estimate_rows(estimate, i), (int) n_time, 1.0, out,
                    (int) n_time);
}
