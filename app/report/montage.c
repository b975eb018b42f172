// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/montage.h"

#include <math.h>
#include <string.h>

// The assignment of voxel axes to world axes with the largest product of direction cosines.
void montage_axes(const struct image_grid *grid, size_t axis[3], bool flipped[3])
{
    static const size_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                        {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    double best = -1.0;
    for (size_t o = 0; o < G_N_ELEMENTS(orders); o++) {
        double product = 1.0;
        for (size_t w = 0; w < 3; w++)
            product *= fabs(grid->affine[w][orders[o][w]]) / grid->voxel_mm[orders[o][w]];
        if (o == 0 || (grid->affine_ok && product > best)) {
            best = product;
            memcpy(axis, orders[o], sizeof orders[o]);
        }
    }
    for (size_t w = 0; w < 3; w++)
        flipped[w] = grid->affine_ok && grid->affine[w][axis[w]] < 0.0;
}

// Position along turned axis w of a voxel, and back.
static size_t turned(const struct montage *montage, size_t w, size_t at)
{
    return montage->flipped[w] ? montage->grid->dim[montage->axis[w]] - 1 - at : at;
}

static size_t index_of(const struct montage *montage, const size_t place[3])
{
    const size_t *dim = montage->grid->dim;
    size_t at[3];
    for (size_t w = 0; w < 3; w++)
        at[montage->axis[w]] = turned(montage, w, place[w]);
    return at[0] + dim[0] * (at[1] + dim[1] * at[2]);
}

static void cut_to(struct montage *montage, const uint8_t *inside)
{
    const size_t *dim = montage->grid->dim;
    size_t n = dim[0] * dim[1] * dim[2];
    for (size_t w = 0; w < 3; w++) {
        montage->low[w] = dim[montage->axis[w]];
        montage->high[w] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (!inside[i])
            continue;
        size_t at[3] = {i % dim[0], i / dim[0] % dim[1], i / dim[0] / dim[1]};
        for (size_t w = 0; w < 3; w++) {
            size_t place = turned(montage, w, at[montage->axis[w]]);
            montage->low[w] = MIN(montage->low[w], place);
            montage->high[w] = MAX(montage->high[w], place + 1);
        }
    }
    for (size_t w = 0; w < 3; w++) {
        if (montage->low[w] < montage->high[w])
            continue;
        montage->low[w] = 0;
        montage->high[w] = dim[montage->axis[w]];
    }
}

struct montage *montage_new(const struct image_grid *grid, const uint8_t *inside, size_t max_slices)
{
    struct montage *montage = g_new0(struct montage, 1);
    montage->grid = grid;
    montage->oriented = grid->affine_ok;
    montage_axes(grid, montage->axis, montage->flipped);
    cut_to(montage, inside);
    size_t available = montage->high[2] - montage->low[2];
    montage->n_slices = MIN(available, max_slices);
    montage->slices = g_new(size_t, montage->n_slices);
    for (size_t s = 0; s < montage->n_slices; s++)
        montage->slices[s] = montage->low[2] + (2 * s + 1) * available / (2 * montage->n_slices);
    // As few rows as can be, and those as even as can be.
    montage->n_rows = (montage->n_slices + MONTAGE_MAX_COLUMNS - 1) / MONTAGE_MAX_COLUMNS;
    montage->n_columns = (montage->n_slices + montage->n_rows - 1) / montage->n_rows;
    return montage;
}

void montage_free(struct montage *montage)
{
    if (montage == NULL)
        return;
    g_free(montage->slices);
    g_free(montage);
}

void montage_tile(const struct montage *montage, size_t size[2], double voxel_mm[2])
{
    for (size_t w = 0; w < 2; w++) {
        size[w] = montage->high[w] - montage->low[w];
        voxel_mm[w] = montage->grid->voxel_mm[montage->axis[w]];
    }
    // A margin: a voxel to the right, and room for a line of text below.
    size[0] += 1;
    size[1] += MAX(1, size[1] / 8);
}

struct picture *montage_draw(const struct montage *montage, const uint8_t *indices)
{
    size_t size[2];
    double voxel_mm[2];
    montage_tile(montage, size, voxel_mm);
    struct picture *picture = picture_new(montage->n_columns * size[0], montage->n_rows * size[1]);
    for (size_t s = 0; s < montage->n_slices; s++) {
        size_t left = s % montage->n_columns * size[0];
        size_t top = s / montage->n_columns * size[1];
        for (size_t y = 0; y < montage->high[1] - montage->low[1]; y++) {
            uint8_t *row = picture->pixels + (top + y) * picture->width + left;
            for (size_t x = 0; x < montage->high[0] - montage->low[0]; x++) {
                size_t place[3] = {montage->low[0] + x, montage->high[1] - 1 - y,
                                   montage->slices[s]};
                row[x] = indices[index_of(montage, place)];
            }
        }
    }
    return picture;
}

double montage_slice_mm(const struct montage *montage, size_t s)
{
    const struct image_grid *grid = montage->grid;
    size_t place[3] = {0, 0, montage->slices[s]};
    double mm = grid->affine[2][3];
    for (size_t w = 0; w < 3; w++) {
        size_t axis = montage->axis[w];
        double at =
            w == 2 ? (double) turned(montage, w, place[w]) : 0.5 * (double) (grid->dim[axis] - 1);
        mm += grid->affine[2][axis] * at;
    }
    return mm;
}
