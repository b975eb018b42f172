// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/montage.h"
#include "tests/check.h"

#include <string.h>

enum { N_X = 4, N_Y = 5, N_Z = 3, N = N_X * N_Y * N_Z };

static struct image_grid straight_grid(void)
{
    struct image_grid grid = {.dim = {N_X, N_Y, N_Z}, .voxel_mm = {2, 3, 4}, .affine_ok = true};
    for (size_t d = 0; d < 3; d++)
        grid.affine[d][d] = grid.voxel_mm[d];
    return grid;
}

static uint8_t pixel(const struct picture *picture, size_t x, size_t y)
{
    return picture->pixels[y * picture->width + x];
}

static void right_is_right_and_top_is_anterior(void **state)
{
    (void) state;
    struct image_grid grid = straight_grid();
    uint8_t inside[N];
    uint8_t indices[N] = {0};
    memset(inside, 1, sizeof inside);
    indices[N_X - 1] = 1;               // right, posterior, inferior
    indices[(N_Y - 1) * N_X] = 2;       // left, anterior, inferior
    indices[(N_Z - 1) * N_X * N_Y] = 3; // left, posterior, superior
    g_autoptr(owned_montage) montage = montage_new(&grid, inside, MONTAGE_AXIAL, 10);
    g_autoptr(owned_picture) bottom = montage_draw(montage, 0, indices);
    g_autoptr(owned_picture) top = montage_draw(montage, N_Z - 1, indices);
    size_t size[2];
    double voxel_mm[2];
    montage_tile(montage, size, voxel_mm);
    assert_int_equal(montage->n_slices, N_Z);
    assert_int_equal(pixel(bottom, N_X - 1, N_Y - 1), 1);
    assert_int_equal(pixel(bottom, 0, 0), 2);
    assert_int_equal(pixel(top, 0, N_Y - 1), 3);
    assert_close(voxel_mm[0], 2.0, 0.0);
    assert_close(voxel_mm[1], 3.0, 0.0);
    assert_close(montage_slice_mm(montage, 2), 8.0, 1e-12);
}

// Coronal: left at the left, superior on top. Sagittal: posterior at the left.
static void other_planes_have_superior_on_top(void **state)
{
    (void) state;
    struct image_grid grid = straight_grid();
    uint8_t inside[N], indices[N] = {0};
    memset(inside, 1, sizeof inside);
    indices[N_X - 1 + N_X * N_Y * (N_Z - 1)] = 1; // right, posterior, superior
    indices[N_X * (N_Y - 1)] = 2;                 // left, anterior, inferior
    g_autoptr(owned_montage) coronal = montage_new(&grid, inside, MONTAGE_CORONAL, 10);
    g_autoptr(owned_montage) sagittal = montage_new(&grid, inside, MONTAGE_SAGITTAL, 10);
    g_autoptr(owned_picture) posterior = montage_draw(coronal, 0, indices);
    g_autoptr(owned_picture) left = montage_draw(sagittal, 0, indices);
    g_autoptr(owned_picture) right = montage_draw(sagittal, N_X - 1, indices);
    assert_int_equal(posterior->width, N_X);
    assert_int_equal(posterior->height, N_Z);
    assert_int_equal(pixel(posterior, N_X - 1, 0), 1);
    assert_int_equal(left->width, N_Y);
    assert_int_equal(pixel(left, N_Y - 1, N_Z - 1), 2);
    assert_int_equal(pixel(right, 0, 0), 1);
    assert_close(montage_slice_mm(coronal, 2), 6.0, 1e-12);
    assert_close(montage_slice_mm(sagittal, 3), 6.0, 1e-12);
}

// The same head stored with axes permuted and flipped gives the same picture.
static void orientation_comes_from_the_affine(void **state)
{
    (void) state;
    struct image_grid straight = straight_grid();
    // Stored as (superior to inferior, left to right, anterior to posterior)
    struct image_grid turned = {.dim = {N_Z, N_X, N_Y}, .voxel_mm = {4, 2, 3}, .affine_ok = true};
    turned.affine[2][0] = -4.0;
    turned.affine[2][3] = 4.0 * (N_Z - 1);
    turned.affine[0][1] = 2.0;
    turned.affine[1][2] = -3.0;
    turned.affine[1][3] = 3.0 * (N_Y - 1);
    uint8_t indices[N];
    uint8_t same[N];
    for (size_t z = 0; z < N_Z; z++)
        for (size_t y = 0; y < N_Y; y++)
            for (size_t x = 0; x < N_X; x++) {
                uint8_t value = (uint8_t) (1 + x + N_X * (y + N_Y * z));
                indices[x + N_X * (y + N_Y * z)] = value;
                same[(N_Z - 1 - z) + N_Z * (x + N_X * (N_Y - 1 - y))] = value;
            }
    g_autoptr(owned_montage) first = montage_new(&straight, indices, MONTAGE_AXIAL, 10);
    g_autoptr(owned_montage) second = montage_new(&turned, same, MONTAGE_AXIAL, 10);
    for (size_t s = 0; s < N_Z; s++) {
        g_autoptr(owned_picture) a = montage_draw(first, s, indices);
        g_autoptr(owned_picture) b = montage_draw(second, s, same);
        assert_int_equal(a->width, b->width);
        assert_int_equal(a->height, b->height);
        assert_memory_equal(a->pixels, b->pixels, a->width * a->height);
        assert_close(montage_slice_mm(first, s), montage_slice_mm(second, s), 1e-12);
    }
}

static void picture_is_cut_to_what_is_inside(void **state)
{
    (void) state;
    struct image_grid grid = straight_grid();
    uint8_t inside[N] = {0};
    inside[1 + N_X * (2 + N_Y * 1)] = 7;
    g_autoptr(owned_montage) montage = montage_new(&grid, inside, MONTAGE_AXIAL, 10);
    g_autoptr(owned_picture) picture = montage_draw(montage, 0, inside);
    assert_int_equal(montage->n_slices, 1);
    assert_int_equal(pixel(picture, 0, 0), 7);
    assert_int_equal(picture->width * picture->height, 1);
}

// Of a mask in two parts, no slice is of the gap between them.
static void slices_hold_something(void **state)
{
    (void) state;
    struct image_grid grid = straight_grid();
    uint8_t inside[N] = {0};
    inside[N_X * 0] = 1;         // y = 0
    inside[N_X * (N_Y - 1)] = 1; // y = 12 mm
    g_autoptr(owned_montage) montage = montage_new(&grid, inside, MONTAGE_CORONAL, 10);
    assert_int_equal(montage->n_slices, 2);
    assert_close(montage_slice_mm(montage, 0), 0.0, 0.0);
    assert_close(montage_slice_mm(montage, 1), 12.0, 1e-12);
}

static void empty_mask_and_bad_affine_show_the_grid_as_stored(void **state)
{
    (void) state;
    struct image_grid grid = straight_grid();
    grid.affine_ok = false;
    memset(grid.affine, 0, sizeof grid.affine);
    memset(grid.voxel_mm, 0, sizeof grid.voxel_mm);
    const uint8_t inside[N] = {0};
    g_autoptr(owned_montage) montage = montage_new(&grid, inside, MONTAGE_AXIAL, 2);
    assert_false(montage->oriented);
    assert_int_equal(montage->n_slices, 2);
    g_autoptr(owned_picture) picture = montage_draw(montage, 0, inside);
    assert_int_equal(picture->width, N_X);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_mask_and_bad_affine_show_the_grid_as_stored),
        cmocka_unit_test(orientation_comes_from_the_affine),
        cmocka_unit_test(other_planes_have_superior_on_top),
        cmocka_unit_test(picture_is_cut_to_what_is_inside),
        cmocka_unit_test(slices_hold_something),
        cmocka_unit_test(right_is_right_and_top_is_anterior),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
