// SPDX-License-Identifier: BSD-3-Clause
#include "io/volume.h"

#include <math.h>
#include <string.h>

static size_t n_voxels(const struct image_grid *grid)
{
    return grid->dim[0] * grid->dim[1] * grid->dim[2];
}

static bool check_image(const struct recording *image, GError **error)
{
    if (image->grid == NULL)
        io_error_set(error, IO_ERROR_INPUT, image->path, "expected an image, found %s",
                     image->sensors != NULL ? "a recording of sensors" : "an array");
    else if (image->n_time != 1)
        io_error_set(error, IO_ERROR_INPUT, image->path, "expected a 3-D image, found %zu frames",
                     image->n_time);
    return image->grid != NULL && image->n_time == 1;
}

static bool check_grid(const struct recording *image, const char *grid_path,
                       const struct image_grid *grid, GError **error)
{
    const size_t *want = grid->dim, *have = image->grid->dim;
    if (memcmp(want, have, sizeof grid->dim) != 0) {
        io_error_set(error, IO_ERROR_INPUT, image->path,
                     "grid: expected %zu x %zu x %zu as %s has, found %zu x %zu x %zu", want[0],
                     want[1], want[2], grid_path, have[0], have[1], have[2]);
        return false;
    }
    if (image_grid_equal(grid, image->grid, VOLUME_TOLERANCE_MM))
        return true;
    double distance_mm = image_grid_distance(grid, image->grid);
    double edge_mm = fmax(grid->voxel_mm[0], fmax(grid->voxel_mm[1], grid->voxel_mm[2]));
    io_error_set(error, IO_ERROR_INPUT, image->path,
                 "affine: expected that of %s to %g mm, found voxels up to %.3g mm (%.2g voxels) "
                 "away",
                 grid_path, VOLUME_TOLERANCE_MM, distance_mm, distance_mm / edge_mm);
    return false;
}

/** The inverse of an affine, row by row; false where it has none. */
static bool invert(const double a[3][4], double inverse[3][4])
{
    double determinant = 0.0;
    for (size_t j = 0; j < 3; j++)
        determinant += a[0][j] * (a[1][(j + 1) % 3] * a[2][(j + 2) % 3] -
                                  a[1][(j + 2) % 3] * a[2][(j + 1) % 3]);
    if (!(fabs(determinant) > 0.0) || !isfinite(determinant))
        return false;
    for (size_t i = 0; i < 3; i++) {
        size_t r1 = (i + 1) % 3, r2 = (i + 2) % 3;
        for (size_t j = 0; j < 3; j++) {
            size_t c1 = (j + 1) % 3, c2 = (j + 2) % 3;
            inverse[i][j] = (a[c1][r1] * a[c2][r2] - a[c1][r2] * a[c2][r1]) / determinant;
        }
    }
    for (size_t i = 0; i < 3; i++) {
        inverse[i][3] = 0.0;
        for (size_t j = 0; j < 3; j++)
            inverse[i][3] -= inverse[i][j] * a[j][3];
    }
    return true;
}

static void apply(const double a[3][4], const double x[3], double y[3])
{
    for (size_t i = 0; i < 3; i++)
        y[i] = a[i][0] * x[0] + a[i][1] * x[1] + a[i][2] * x[2] + a[i][3];
}

/** The voxel of a grid that is nearest to a place in its indices; false: outside. */
static bool nearest_voxel(const struct image_grid *grid, const double index[3], size_t *voxel)
{
    size_t at[3];
    for (size_t i = 0; i < 3; i++) {
        double rounded = floor(index[i] + 0.5);
        if (!(rounded >= 0.0 && rounded < (double) grid->dim[i]))
            return false;
        at[i] = (size_t) rounded;
    }
    *voxel = at[0] + grid->dim[0] * (at[1] + grid->dim[1] * at[2]);
    return true;
}

/** The values of an image on another grid. */
static bool resample(const struct recording *image, const double *values,
                     const struct image_grid *grid, double *out, GError **error)
{
    double to_index[3][4];
    if (!grid->affine_ok || !image->grid->affine_ok ||
        !invert((const double(*)[4]) image->grid->affine, to_index)) {
        io_error_set(error, IO_ERROR_INPUT, image->path,
                     "affine: expected those of both images to be usable, found one that is not");
        return false;
    }
    const size_t *dim = grid->dim;
    for (size_t i = 0; i < n_voxels(grid); i++) {
        size_t x = i % dim[0], row = i / dim[0], y = row % dim[1], z = row / dim[1];
        double index[3] = {(double) x, (double) y, (double) z};
        double mm[3];
        size_t voxel = 0;
        apply((const double(*)[4]) grid->affine, index, mm);
        apply((const double(*)[4]) to_index, mm, index);
        out[i] = nearest_voxel(image->grid, index, &voxel) ? values[voxel] : (double) NAN;
    }
    return true;
}

static void keep_warnings(const struct recording *image, GPtrArray *warnings)
{
    for (guint i = 0; i < image->warnings->len; i++)
        g_ptr_array_add(warnings, g_strdup(g_ptr_array_index(image->warnings, i)));
}

double *volume_read(const char *path, const char *grid_path, const struct image_grid *grid,
                    bool nearest, GPtrArray *warnings, const struct io_context *io, GError **error)
{
    g_autoptr(owned_recording) image = recording_open(path, io, error);
    if (image == NULL || !check_image(image, error))
        return NULL;
    bool same = image_grid_equal(grid, image->grid, VOLUME_TOLERANCE_MM);
    if (!nearest && !check_grid(image, grid_path, grid, error))
        return NULL;
    if (!recording_read(image, NULL, 0, 1, io, error))
        return NULL;
    keep_warnings(image, warnings);
    g_autofree double *values = io_context_alloc(io, path, image->n_series, sizeof *values, error);
    if (values == NULL)
        return NULL;
    recording_values(image, 0, 0, image->n_series, values);
    if (same)
        return g_steal_pointer(&values);
    g_autofree double *out = io_context_alloc(io, path, n_voxels(grid), sizeof *out, error);
    if (out == NULL || !resample(image, values, grid, out, error))
        return NULL;
    g_ptr_array_add(warnings, g_strdup("led over to the grid of the run by nearest neighbours"));
    return g_steal_pointer(&out);
}
