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

// Whether anything is inside in slice `at` of the plane.
static bool holds_any(const struct montage *montage, size_t at, const uint8_t *inside)
{
    size_t place[3];
    place[montage->plane] = at;
    for (size_t y = montage->low[montage->up]; y < montage->high[montage->up]; y++)
        for (size_t x = montage->low[montage->across]; x < montage->high[montage->across]; x++) {
            place[montage->up] = y;
            place[montage->across] = x;
            if (inside[index_of(montage, place)] != 0)
                return true;
        }
    return false;
}

// Evenly, of those that hold anything; of all between low and high where nothing does.
static void choose_slices(struct montage *montage, const uint8_t *inside, size_t max_slices)
{
    size_t plane = montage->plane, available = 0;
    size_t *slices = g_new(size_t, montage->high[plane] - montage->low[plane] + 1);
    for (int pass = 0; pass < 2 && available == 0; pass++)
        for (size_t at = montage->low[plane]; at < montage->high[plane]; at++)
            if (pass == 1 || holds_any(montage, at, inside))
                slices[available++] = at;
    montage->n_slices = MIN(available, max_slices);
    for (size_t s = 0; s < montage->n_slices; s++)
        slices[s] = slices[(2 * s + 1) * available / (2 * montage->n_slices)];
    montage->slices = slices;
}

struct montage *montage_new(const struct image_grid *grid, const uint8_t *inside,
                            enum montage_plane plane, size_t max_slices)
{
    struct montage *montage = g_new0(struct montage, 1);
    montage->grid = grid;
    montage->plane = plane;
    montage->across = plane == MONTAGE_SAGITTAL ? 1 : 0;
    montage->up = plane == MONTAGE_AXIAL ? 1 : 2;
    montage->oriented = grid->affine_ok;
    montage_axes(grid, montage->axis, montage->flipped);
    cut_to(montage, inside);
    choose_slices(montage, inside, max_slices);
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
    const size_t axes[2] = {montage->across, montage->up};
    for (size_t d = 0; d < 2; d++) {
        size[d] = montage->high[axes[d]] - montage->low[axes[d]];
        voxel_mm[d] = montage->grid->voxel_mm[montage->axis[axes[d]]];
    }
}

struct picture *montage_draw(const struct montage *montage, size_t s, const uint8_t *indices)
{
    size_t size[2], place[3];
    double voxel_mm[2];
    montage_tile(montage, size, voxel_mm);
    struct picture *picture = picture_new(size[0], size[1]);
    place[montage->plane] = montage->slices[s];
    for (size_t y = 0; y < size[1]; y++)
        for (size_t x = 0; x < size[0]; x++) {
            place[montage->across] = montage->low[montage->across] + x;
            place[montage->up] = montage->high[montage->up] - 1 - y;
            picture->pixels[y * size[0] + x] = indices[index_of(montage, place)];
        }
    return picture;
}

double montage_slice_mm(const struct montage *montage, size_t s)
{
    const struct image_grid *grid = montage->grid;
    size_t plane = montage->plane;
    double mm = grid->affine[plane][3];
    for (size_t w = 0; w < 3; w++) {
        size_t axis = montage->axis[w];
        double at = w == plane ? (double) turned(montage, w, montage->slices[s])
                               : 0.5 * (double) (grid->dim[axis] - 1);
        mm += grid->affine[plane][axis] * at;
    }
    return mm;
}
