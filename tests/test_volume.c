// SPDX-License-Identifier: BSD-3-Clause
#include "tests/nifti_maker.h"

#include "io/volume.h"

// A volume of 5 x 4 x 3 voxels of 3 x 3.5 x 4 mm whose value is its index, moved by dx mm along x.
static char *write_volume(const char *folder, const char *name, double dx, double n_frames)
{
    struct maker maker = maker_new(1, false);
    set_field(&maker, F_DIM, 0, n_frames == 1 ? 3 : 4);
    set_field(&maker, F_DIM, 4, n_frames);
    set_field(&maker, F_SROW, 3, -10 + dx);
    for (size_t i = 0; i < MADE_V * (size_t) n_frames; i++)
        append_number(&maker, 'i', 2, (double) (i + 1));
    return maker_write(&maker, folder, name);
}

static double *read_over(const char *path, const struct image_grid *grid, bool nearest,
                         GPtrArray *warnings, GError **error)
{
    struct io_context io = io_context_default();
    return volume_read(path, "run.nii", grid, nearest, warnings, &io, error);
}

static void volumes_elsewhere_are_refused_or_led_over(G_GNUC_UNUSED void **state)
{
    char *folder = temporary_folder();
    struct io_context io = io_context_default();
    g_autofree char *same = write_volume(folder, "same.nii", 0, 1);
    g_autofree char *near = write_volume(folder, "near.nii", 0.6, 1);
    g_autofree char *next = write_volume(folder, "next.nii", 3, 1);
    g_autofree char *four = write_volume(folder, "four.nii", 0, 2);
    g_autoptr(owned_recording) run = recording_open(same, &io, NULL);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    GError *error = NULL;

    g_autofree double *values = read_over(same, run->grid, false, warnings, &error);
    assert_null(error);
    assert_int_equal(warnings->len, 0);
    assert_null(read_over(near, run->grid, false, warnings, &error));
    assert_io_error(&error, IO_ERROR_INPUT,
                    "affine: expected that of run.nii to 0.001 mm, found voxels up to 0.6 mm "
                    "(0.15 voxels) away");
    assert_null(read_over(four, run->grid, true, warnings, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "expected a 3-D image, found 2 frames");

    g_autofree double *moved = read_over(near, run->grid, true, warnings, &error);
    assert_int_equal(warnings->len, 1);
    g_autofree double *shifted = read_over(next, run->grid, true, warnings, &error);
    for (size_t i = 0; i < MADE_V; i++) {
        assert_close(values[i], (double) (i + 1), 0);
        assert_close(moved[i], (double) (i + 1), 0);
        if (i % MADE_X == 0)
            assert_true(isnan(shifted[i]));
        else
            assert_close(shifted[i], (double) i, 0);
    }
    remove_folder(folder);
}

// Another axis order and direction: x of the one is -y of the other.
static void axes_are_led_over_by_their_affines(G_GNUC_UNUSED void **state)
{
    char *folder = temporary_folder();
    struct io_context io = io_context_default();
    struct maker maker = maker_new(1, false);
    set_field(&maker, F_DIM, 0, 3);
    set_field(&maker, F_DIM, 1, MADE_Y);
    set_field(&maker, F_DIM, 2, MADE_X);
    const double srow[] = {0, 3, 0, -10, -3.5, 0, 0, -20 + 3.5 * (MADE_Y - 1), 0, 0, 4, 5};
    for (size_t i = 0; i < 12; i++)
        set_field(&maker, F_SROW, i, srow[i]);
    for (size_t i = 0; i < MADE_V; i++)
        append_number(&maker, 'i', 2, (double) i);
    g_autofree char *turned = maker_write(&maker, folder, "turned.nii");
    g_autofree char *same = write_volume(folder, "same.nii", 0, 1);
    g_autoptr(owned_recording) run = recording_open(same, &io, NULL);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    GError *error = NULL;
    assert_null(read_over(turned, run->grid, false, warnings, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "grid: expected 5 x 4 x 3 as run.nii has, found 4 x 5");
    g_autofree double *values = read_over(turned, run->grid, true, warnings, &error);
    assert_null(error);
    for (size_t z = 0; z < MADE_Z; z++)
        for (size_t y = 0; y < MADE_Y; y++)
            for (size_t x = 0; x < MADE_X; x++)
                assert_close(values[x + MADE_X * (y + MADE_Y * z)],
                             (double) (MADE_Y - 1 - y + MADE_Y * (x + MADE_X * z)), 0);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volumes_elsewhere_are_refused_or_led_over),
        cmocka_unit_test(axes_are_led_over_by_their_affines),
    };
    return cmocka_run_group_tests_name("volume", tests, NULL, NULL);
}
