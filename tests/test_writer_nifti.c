// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "io/recording.h"
#include "io/writer_nifti.h"

#include <glib/gstdio.h>

static float sample(size_t t, size_t i)
{
    return (float) ((double) i + 1000.0 * (double) t + 0.25);
}

static void fill(void *data, size_t t, size_t first, size_t count, float *values)
{
    (void) data;
    for (size_t i = 0; i < count; i++)
        values[i] = sample(t, first + i);
}

static void what_is_written_is_read_back(void **state)
{
    (void) state;
    static const char *const names[] = {"a.nii", "a.nii.gz"};
    g_autofree char *folder = g_dir_make_tmp("taut-XXXXXX", NULL);
    struct io_context io = io_context_default();
    struct image_grid grid = {.dim = {40, 30, 20}, .voxel_mm = {2, 2, 3}, .qfac = 1};
    struct image image = {.grid = &grid, .n_frames = 100, .interval_s = 0.72, .fill = fill};
    for (size_t k = 0; k < G_N_ELEMENTS(names); k++) {
        g_autofree char *path = g_build_filename(folder, names[k], NULL);
        GError *error = NULL;
        assert_true(writer_nifti_write(path, &image, false, &io, &error));
        g_autoptr(owned_recording) recording = recording_open(path, &io, &error);
        assert_non_null(recording);
        assert_close(recording->interval_s, 0.72, 0);
        assert_true(recording_read(recording, NULL, 1, 98, &io, &error));
        assert_int_equal(recording->n_series, 24000);
        for (size_t t = 0; t < 98; t++)
            for (size_t v = 0; v < 24000; v++)
                assert_true(recording->samples.f[t * 24000 + v] == sample(t + 1, v));
        g_unlink(path);
    }
    g_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
