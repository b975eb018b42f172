// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"

#include "io/writer_stc.h"

#include <string.h>

static void check_bytes(const char *path, const void *expected, size_t n)
{
    g_autofree char *bytes = NULL;
    gsize n_bytes = 0;
    assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
    assert_int_equal(n_bytes, n);
    assert_memory_equal(bytes, expected, n);
}

static void bytes_are_big_endian_and_time_major(void **state)
{
    (void) state;
    static const uint8_t expected[] = {
        0x42, 0x20, 0, 0, 0x40, 0, 0, 0,                               // 40 ms, every 2 ms
        0,    0,    0, 2, 0,    0, 0, 7, 0, 0, 1, 0, 0,    0,    0, 2, //
        0x3f, 0x80, 0, 0, 0xbf, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x40, 0, 0};
    const uint32_t vertex[] = {7, 256};
    const double values[] = {1.0, 0.0, -0.5, 3.0};
    struct source_courses courses = {0.04, 0.002, 2, vertex, 2, values};
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x-lh.stc", NULL);
    g_autoptr(GError) error = NULL;
    assert_true(writer_stc_write(path, &courses, false, &error));
    check_bytes(path, expected, sizeof expected);
    assert_false(writer_stc_write(path, &courses, false, &error));
    assert_true(g_error_matches(error, IO_ERROR, IO_ERROR_EXISTS));
    remove_folder(folder);
}

static uint32_t read_u32(const char *at)
{
    uint32_t value = 0;
    memcpy(&value, at, sizeof value);
    return GUINT32_FROM_BE(value);
}

static double read_f32(const char *at)
{
    uint32_t bits = read_u32(at);
    float value = 0.0F;
    memcpy(&value, &bits, sizeof value);
    return (double) value;
}

// What MNE 1.3.0 wrote is written again, byte by byte, from what it says.
static void files_of_mne_are_reproduced(void **state)
{
    (void) state;
    static const char *const names[] = {"lh", "rh"};
    for (size_t h = 0; h < 2; h++) {
        g_autofree char *name =
            g_strdup_printf("golden_meeg/small_fixed/l21_50_debiased-%s.stc", names[h]);
        g_autofree char *golden = shared_data(name);
        if (golden == NULL)
            skip();
        g_autofree char *bytes = NULL;
        gsize n_bytes = 0;
        assert_true(g_file_get_contents(golden, &bytes, &n_bytes, NULL));
        size_t n = read_u32(bytes + 8), n_time = read_u32(bytes + 12 + 4 * n);
        assert_int_equal(n_bytes, 16 + 4 * n + 4 * n * n_time);
        g_autofree uint32_t *vertex = g_new(uint32_t, n);
        g_autofree double *values = g_new(double, n *n_time);
        for (size_t i = 0; i < n; i++)
            vertex[i] = read_u32(bytes + 12 + 4 * i);
        for (size_t i = 0; i < n; i++)
            for (size_t t = 0; t < n_time; t++)
                values[i * n_time + t] = read_f32(bytes + 16 + 4 * (n + t * n + i));
        struct source_courses courses = {
            1e-3 * read_f32(bytes), 1e-3 * read_f32(bytes + 4), n, vertex, n_time, values};
        char *folder = temporary_folder();
        g_autofree char *path = g_build_filename(folder, "x-lh.stc", NULL);
        assert_true(writer_stc_write(path, &courses, false, NULL));
        check_bytes(path, bytes, n_bytes);
        remove_folder(folder);
    }
}

static void a_hemisphere_without_sources_is_a_file_too(void **state)
{
    (void) state;
    struct source_courses courses = {0.0, 0.001, 0, NULL, 5, NULL};
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x-lh.stc", NULL);
    assert_true(writer_stc_write(path, &courses, false, NULL));
    static const uint8_t expected[] = {0, 0, 0, 0, 0x3f, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5};
    check_bytes(path, expected, sizeof expected);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_big_endian_and_time_major),
        cmocka_unit_test(files_of_mne_are_reproduced),
        cmocka_unit_test(a_hemisphere_without_sources_is_a_file_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
