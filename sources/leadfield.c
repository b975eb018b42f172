// SPDX-License-Identifier: BSD-3-Clause
#include "sources/leadfield.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_int32(const void *a, const void *b)
{
    int32_t x = *(const int32_t *) a, y = *(const int32_t *) b;
    return (x > y) - (x < y);
}

// The index of the first value that is not below v, or of the last one.
static size_t lower_bound(const int32_t *values, size_t n, int64_t v)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (values[middle] < v)
            low = middle + 1;
        else
            high = middle;
    }
    return MIN(low, n - 1);
}

static void normalise(double v[3])
{
    double norm = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    for (size_t i = 0; i < 3 && norm > 0.0; i++)
        v[i] /= norm;
}

void leadfield_normals(const struct source_points *points, double *normals)
{
    if (points->nearest == NULL) {
        for (size_t k = 0; k < points->n_sources; k++)
            memcpy(normals + 3 * k, points->normals + 3 * points->vertex[k], 3 * sizeof(double));
        return;
    }
    g_autofree int32_t *distinct =
        g_memdup2(points->nearest, points->n_points * sizeof *points->nearest);
    qsort(distinct, points->n_points, sizeof *distinct, compare_int32);
    size_t n = 0;
    for (size_t i = 0; i < points->n_points; i++)
        if (n == 0 || distinct[i] != distinct[n - 1])
            distinct[n++] = distinct[i];
    g_autofree double *sum = g_new0(double, 3 * n);
    for (size_t i = 0; i < points->n_points; i++) {
        size_t patch = lower_bound(distinct, n, points->nearest[i]);
        for (size_t c = 0; c < 3; c++)
            sum[3 * patch + c] += points->normals[3 * i + c];
    }
    for (size_t k = 0; k < points->n_sources; k++) {
        size_t patch = lower_bound(distinct, n, (int64_t) points->vertex[k]);
        memcpy(normals + 3 * k, sum + 3 * patch, 3 * sizeof(double));
        normalise(normals + 3 * k);
    }
}

static void move(const float transform[3][4], double *points, size_t n, double shift)
{
    for (size_t k = 0; k < n; k++) {
        double *x = points + 3 * k, moved[3];
        for (size_t i = 0; i < 3; i++)
            moved[i] = (double) transform[i][0] * x[0] + (double) transform[i][1] * x[1] +
                       (double) transform[i][2] * x[2] + shift * (double) transform[i][3];
        memcpy(x, moved, sizeof moved);
    }
}

void leadfield_move_points(const float transform[3][4], double *points, size_t n)
{
    move(transform, points, n, 1.0);
}

void leadfield_turn_vectors(const float transform[3][4], double *vectors, size_t n)
{
    move(transform, vectors, n, 0.0);
}

// Frisvad 2012, with the branch of Duff et al. 2017.
void leadfield_axes(const double normal[3], double axes[9])
{
    double x = normal[0], y = normal[1], z = normal[2];
    double sign = z < 0.0 ? -1.0 : 1.0;
    double a = -1.0 / (sign + z), b = x * y * a;
    const double rows[9] = {1.0 + sign * x * x * a,
                            sign * b,
                            -sign * x, //
                            b,
                            sign + y * y * a,
                            -y, //
                            x,
                            y,
                            z};
    memcpy(axes, rows, sizeof rows);
}

static void set_axes(const struct leadfield_input *input, struct leadfield *leadfield)
{
    static const double unit[9] = {1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0};
    for (size_t k = 0; k < input->n_positions; k++) {
        double *axes = leadfield->axes + 3 * k * leadfield->n_orient;
        if (input->orientation == ORIENTATION_FREE)
            memcpy(axes, unit, sizeof unit);
        else if (input->orientation == ORIENTATION_LOOSE)
            leadfield_axes(input->normals + 3 * k, axes);
        else
            memcpy(axes, input->normals + 3 * k, 3 * sizeof(double));
    }
}

// W G0, columns along the axes.
static void set_whitened_gain(const struct leadfield_input *input, struct leadfield *leadfield)
{
    const struct whitener *whitener = input->whitener;
    size_t n = whitener->n, n_orient = leadfield->n_orient;
    size_t n_columns = input->n_positions * n_orient;
    const double *turned = input->gain;
    g_autofree double *owned = NULL;
    if (input->orientation != ORIENTATION_FREE) {
        owned = g_new(double, n *n_columns);
        for (size_t k = 0; k < input->n_positions; k++)
            cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, (int) n, (int) n_orient, 3, 1.0,
                        input->gain + 3 * k * n, (int) n, leadfield->axes + 3 * k * n_orient, 3,
                        0.0, owned + k * n_orient * n, (int) n);
        turned = owned;
    }
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int) whitener->rank, (int) n_columns,
                (int) n, 1.0, whitener->matrix, (int) n, turned, (int) n, 0.0, leadfield->gain,
                (int) whitener->rank);
}

// d_k of all positions, the least one that is not zero where it is; 0 if there is none.
static double set_sensitivity(const struct leadfield *leadfield, double *d)
{
    size_t size = leadfield->n_sensors * leadfield->n_orient;
    double least = INFINITY;
    for (size_t k = 0; k < leadfield->n_positions; k++) {
        const double *columns = leadfield->gain + k * size;
        d[k] = cblas_ddot((int) size, columns, 1, columns, 1);
        if (d[k] > 0.0)
            least = fmin(least, d[k]);
    }
    for (size_t k = 0; k < leadfield->n_positions; k++)
        d[k] = d[k] > 0.0 ? d[k] : least;
    return isfinite(least) ? least : 0.0;
}

static void scale_columns(struct leadfield *leadfield)
{
    size_t n_columns = leadfield->n_positions * leadfield->n_orient;
    double norm2 = 0.0;
    for (size_t j = 0; j < n_columns; j++) {
        double *column = leadfield->gain + j * leadfield->n_sensors;
        cblas_dscal((int) leadfield->n_sensors, leadfield->weight[j], column, 1);
        norm2 += cblas_ddot((int) leadfield->n_sensors, column, 1, column, 1);
    }
    double scale = sqrt((double) leadfield->n_sensors / norm2);
    for (size_t j = 0; j < n_columns; j++) {
        cblas_dscal((int) leadfield->n_sensors, scale, leadfield->gain + j * leadfield->n_sensors,
                    1);
        leadfield->weight[j] *= scale;
    }
}

static bool weigh(const struct leadfield_input *input, struct leadfield *leadfield)
{
    g_autofree double *d = g_new0(double, leadfield->n_positions);
    if (!(set_sensitivity(leadfield, d) > 0.0))
        return false;
    for (size_t j = 0; j < leadfield->n_positions * leadfield->n_orient; j++) {
        bool is_tangent = input->orientation == ORIENTATION_LOOSE && j % 3 < 2 &&
                          (input->is_surface == NULL || input->is_surface[j / 3]);
        double prior = is_tangent ? input->loose : 1.0;
        leadfield->weight[j] = sqrt(prior * pow(d[j / leadfield->n_orient], -input->depth));
    }
    scale_columns(leadfield);
    return true;
}

struct leadfield *leadfield_new(const struct leadfield_input *input, GError **error)
{
    if (input->normals == NULL && input->orientation != ORIENTATION_FREE) {
        g_set_error(error, SOURCES_ERROR, SOURCES_ERROR_GEOMETRY,
                    "the source space has no normals: only free orientation applies");
        return NULL;
    }
    g_autoptr(owned_leadfield) leadfield = g_new0(struct leadfield, 1);
    size_t n_orient = input->orientation == ORIENTATION_FIXED ? 1 : 3;
    size_t n_columns = input->n_positions * n_orient;
    *leadfield = (struct leadfield){.n_sensors = input->whitener->rank,
                                    .n_positions = input->n_positions,
                                    .n_orient = n_orient,
                                    .gain = g_new(double, input->whitener->rank *n_columns),
                                    .weight = g_new(double, n_columns),
                                    .axes = g_new(double, 3 * n_columns)};
    set_axes(input, leadfield);
    set_whitened_gain(input, leadfield);
    if (!weigh(input, leadfield)) {
        g_set_error(error, SOURCES_ERROR, SOURCES_ERROR_GEOMETRY,
                    "no sensor sees any of %zu positions", input->n_positions);
        return NULL;
    }
    return g_steal_pointer(&leadfield);
}

void leadfield_free(struct leadfield *leadfield)
{
    if (leadfield == NULL)
        return;
    g_free(leadfield->gain);
    g_free(leadfield->weight);
    g_free(leadfield->axes);
    g_free(leadfield);
}
