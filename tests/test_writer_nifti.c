// SPDX-License-Identifier: BSD-3-Clause
#include "tests/nifti_maker.h"

#include "io/recording.h"
#include "io/writer_nifti.h"

/** A grid whose every field is set, all to numbers that a float holds. */
static struct image_grid full_grid(size_t nx, size_t ny, size_t nz)
{
    return (struct image_grid){.dim = {nx, ny, nz},
                               .voxel_mm = {2, 2.5, 3.25},
                               .qform_code = 1,
                               .sform_code = 4,
                               .quatern = {0.5, -0.5, 0.25},
                               .qoffset = {-90, 126.5, -72},
                               .qfac = -1,
                               .srow = {{2, 0.5, 0, -90}, {-0.5, 2.5, 0, 126.5}, {0, 0, 3.25, -72}},
                               .slice_code = 3,
                               .slice_start = 1,
                               .slice_end = 5,
                               .slice_duration_s = 0.0625,
                               .dim_info = 57,
                               .toffset_s = 1.5};
}

static float sample(size_t t, size_t v)
{
    return (float) ((double) v + 1000.0 * (double) t + 0.25);
}

static void fill(void *data, size_t t, size_t first, size_t count, float *values)
{
    (void) data;
    for (size_t i = 0; i < count; i++)
        values[i] = sample(t, first + i);
}

static struct recording *read_back(const char *path)
{
    struct io_context io = io_context_default();
    GError *error = NULL;
    struct recording *recording = recording_open(path, &io, &error);
    if (recording == NULL || !recording_read(recording, NULL, 0, recording->n_time, &io, &error)) {
        print_error("%s\n", error->message);
        fail();
    }
    return recording;
}

static void write_good(const char *path, const struct image *image, const struct io_context *io)
{
    GError *error = NULL;
    if (!writer_nifti_write(path, image, true, io, &error)) {
        print_error("%s\n", error->message);
        fail();
    }
}

static void what_is_written_is_read_back(void **state)
{
    (void) state;
    static const char *const names[] = {"a.nii", "a.nii.gz"};
    char *folder = temporary_folder();
    struct image_grid grid = full_grid(40, 30, 20);
    for (size_t n_frames = 1; n_frames <= 150; n_frames += 149)
        for (int k = 0; k < 5; k++) {
            struct image image = {
                .grid = &grid, .n_frames = n_frames, .interval_s = 0.72, .fill = fill};
            struct io_context io = io_context_default();
            io.compression = MAX(k - 1, 0);
            g_autofree char *path = g_build_filename(folder, names[k > 0], NULL);
            write_good(path, &image, &io);
            g_autoptr(owned_recording) recording = read_back(path);
            assert_string_equal(recording->format, "NIfTI-1");
            assert_int_equal(recording->compressed, k > 0);
            assert_int_equal(recording->warnings->len, 0);
            assert_int_equal(recording->n_time, n_frames);
            assert_close(recording->interval_s, n_frames == 1 ? 0.0 : 0.72, 0);
            for (size_t t = 0; t < n_frames; t++)
                for (size_t v = 0; v < 24000; v++)
                    assert_true(recording->samples.f[t * 24000 + v] == sample(t, v));
        }
    remove_folder(folder);
}

static void assert_same_grid(const struct image_grid *a, const struct image_grid *b)
{
    assert_memory_equal(a->dim, b->dim, sizeof a->dim);
    assert_memory_equal(a->voxel_mm, b->voxel_mm, sizeof a->voxel_mm);
    assert_memory_equal(a->quatern, b->quatern, sizeof a->quatern);
    assert_memory_equal(a->qoffset, b->qoffset, sizeof a->qoffset);
    assert_memory_equal(a->srow, b->srow, sizeof a->srow);
    assert_int_equal(a->qform_code, b->qform_code);
    assert_int_equal(a->sform_code, b->sform_code);
    assert_int_equal(a->slice_code, b->slice_code);
    assert_int_equal(a->slice_start, b->slice_start);
    assert_int_equal(a->slice_end, b->slice_end);
    assert_int_equal(a->dim_info, b->dim_info);
    assert_close(a->qfac, b->qfac, 0);
    assert_close(a->slice_duration_s, b->slice_duration_s, 0);
    assert_close(a->toffset_s, b->toffset_s, 0);
}

static void the_geometry_goes_through_unchanged(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    // 32767 is the last dimension that fits NIfTI-1
    static const size_t lengths[] = {7, 32767, 32768, 40000};
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++)
        for (size_t axis = 0; axis < 4; axis++) {
            struct image_grid grid = full_grid(6, 2, 1);
            struct image image = {.grid = &grid, .n_frames = 3, .interval_s = 2, .fill = fill};
            if (axis < 3)
                grid.dim[axis] = lengths[i];
            else
                image.n_frames = lengths[i];
            g_autofree char *path = g_build_filename(folder, "a.nii.gz", NULL);
            struct io_context io = io_context_default();
            write_good(path, &image, &io);
            g_autoptr(owned_recording) recording = read_back(path);
            assert_string_equal(recording->format, i < 2 ? "NIfTI-1" : "NIfTI-2");
            assert_same_grid(recording->grid, &grid);
            assert_memory_equal(recording->grid->affine, grid.srow, sizeof grid.srow);
            assert_close(recording->interval_s, 2, 0);
            assert_close(recording->samples.f[recording->n_series], sample(1, 0), 0);
        }
    remove_folder(folder);
}

/** A number of a header as it stands in the file, by the standard's offsets. */
static double header_number(const char *bytes, int version, enum field field, size_t index)
{
    const struct field_place *place = &field_places[field][version - 1];
    const uint8_t *at = (const uint8_t *) bytes + place->at + index * place->size;
    uint64_t bits = 0;
    for (size_t i = place->size; i > 0; i--)
        bits = bits << 8 | at[i - 1]; // little-endian
    uint32_t low = (uint32_t) bits;
    float f;
    double d;
    memcpy(&f, &low, sizeof f);
    memcpy(&d, &bits, sizeof d);
    if (place->kind == 'f')
        return place->size == sizeof f ? (double) f : d;
    return (double) (int64_t) bits;
}

static void the_header_is_little_endian_and_says_all(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    for (int version = 1; version <= 2; version++) {
        struct image_grid grid = full_grid(version == 1 ? 4 : 40000, 3, 2);
        struct image image = {.grid = &grid, .n_frames = 5, .interval_s = 0.5, .fill = fill};
        g_autofree char *path = g_build_filename(folder, "a.nii", NULL);
        struct io_context io = io_context_default();
        write_good(path, &image, &io);
        g_autofree char *bytes = NULL;
        gsize n = 0;
        assert_true(g_file_get_contents(path, &bytes, &n, NULL));
        size_t n_header = version == 1 ? 352 : 544;
        assert_int_equal(n, n_header + grid.dim[0] * 3 * 2 * 5 * 4);
        const double expected[][3] = {
            {F_SIZEOF_HDR, 0, version == 1 ? 348 : 540},
            {F_DIM, 0, 4},
            {F_DIM, 1, (double) grid.dim[0]},
            {F_DIM, 4, 5},
            {F_DIM, 7, 1},
            {F_DATATYPE, 0, 16},
            {F_BITPIX, 0, 32},
            {F_VOX_OFFSET, 0, (double) n_header},
            {F_SCL_SLOPE, 0, 1},
            {F_SCL_INTER, 0, 0},
            {F_XYZT_UNITS, 0, 10},
            {F_PIXDIM, 0, -1},
            {F_PIXDIM, 2, 2.5},
            {F_PIXDIM, 4, 0.5},
            {F_SROW, 3, -90},
            {F_SROW, 4, -0.5},
            {F_QFORM_CODE, 0, 1},
            {F_SFORM_CODE, 0, 4},
        };
        for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
            assert_close(
                header_number(bytes, version, (enum field) expected[i][0], (size_t) expected[i][1]),
                expected[i][2], 0);
        assert_memory_equal(bytes + (version == 1 ? 344 : 4), version == 1 ? "n+1" : "n+2", 4);
        assert_memory_equal(bytes + n_header - 4, "\0\0\0\0", 4);
        float first;
        memcpy(&first, bytes + n_header, sizeof first);
        assert_true(G_BYTE_ORDER == G_BIG_ENDIAN || first == sample(0, 0));
    }
    remove_folder(folder);
}

static void the_bytes_do_not_depend_on_threads(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct image_grid grid = full_grid(100, 90, 80); // 2.9 MB a frame: 9 members
    static const enum image_type types[] = {IMAGE_FLOAT32, IMAGE_INT16};
    for (size_t k = 0; k < 2; k++) {
        g_autofree char *first = NULL;
        gsize n_first = 0;
        for (size_t n_threads = 0; n_threads <= 3; n_threads++) {
            struct io_context io = n_threads == 0 ? io_context_default() : team_context(n_threads);
            struct image image = {.grid = &grid, .n_frames = 25, .fill = fill, .scale = 24};
            image.type = types[k];
            g_autofree char *path = g_build_filename(folder, "a.nii.gz", NULL);
            write_good(path, &image, &io);
            parallel_free(io.team);
            g_autofree char *bytes = NULL;
            gsize n = 0;
            assert_true(g_file_get_contents(path, &bytes, &n, NULL));
            // no time, no name, no system: 1f 8b 08 00 00000000 00 03
            assert_memory_equal(bytes, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
            if (n_threads > 0) {
                assert_int_equal(n, n_first);
                assert_memory_equal(bytes, first, n);
                continue;
            }
            first = g_steal_pointer(&bytes);
            n_first = n;
        }
    }
    remove_folder(folder);
}

static void fill_extremes(void *data, size_t t, size_t first, size_t count, float *values)
{
    const float *all = data;
    (void) t;
    for (size_t i = 0; i < count; i++)
        values[i] = all[first + i];
}

static void int16_is_rounded_and_scaled(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    float values[] = {0, 0.24f, 0.26f, -0.24f, -0.26f, 16383.5f, -16384, 0.75f, 1.25f};
    static const double stored[] = {0, 0, 1, 0, -1, 32767, -32768, 2, 2}; // ties to even
    struct image_grid grid = full_grid(9, 1, 1);
    struct image image = {.grid = &grid,
                          .n_frames = 1,
                          .type = IMAGE_INT16,
                          .scale = 0.5,
                          .fill = fill_extremes,
                          .data = values};
    g_autofree char *path = g_build_filename(folder, "a.nii", NULL);
    struct io_context io = io_context_default();
    write_good(path, &image, &io);
    g_autoptr(owned_recording) recording = read_back(path);
    assert_string_equal(recording->datatype, "int16");
    for (size_t v = 0; v < 9; v++) {
        double value;
        recording_values(recording, 0, v, 1, &value);
        assert_close(value, 0.5 * stored[v], 0);
    }

    static const float misfits[] = {16384, -16384.5f, NAN, INFINITY, 3e38f};
    for (size_t i = 0; i < G_N_ELEMENTS(misfits); i++) {
        values[i] = misfits[i];
        g_autofree char *other = g_build_filename(folder, "b.nii", NULL);
        GError *error = NULL;
        assert_false(writer_nifti_write(other, &image, false, &io, &error));
        assert_io_error(&error, IO_ERROR_OUTPUT, "a value does not fit int16 with scale 0.5");
        values[i] = 0;
    }
    assert_int_equal(count_files(folder), 1);
    remove_folder(folder);
}

static void float32_keeps_every_value(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    float values[] = {NAN, INFINITY, -INFINITY, 1e-45f, -0.0f, 3.4e38f};
    struct image_grid grid = full_grid(6, 1, 1);
    struct image image = {
        .grid = &grid, .n_frames = 2, .interval_s = 1, .fill = fill_extremes, .data = values};
    g_autofree char *path = g_build_filename(folder, "a.nii.gz", NULL);
    struct io_context io = io_context_default();
    write_good(path, &image, &io);
    g_autoptr(owned_recording) recording = read_back(path);
    assert_memory_equal(recording->samples.f, values, sizeof values);
    assert_memory_equal(recording->samples.f + 6, values, sizeof values);
    remove_folder(folder);
}

static void what_cannot_be_written_leaves_nothing(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct image_grid grid = full_grid(6, 5, 4);
    struct image image = {.grid = &grid, .n_frames = 2, .fill = fill};
    struct io_context io = io_context_default();
    GError *error = NULL;
    g_autofree char *unnamed = g_build_filename(folder, "a.img", NULL);
    assert_false(writer_nifti_write(unnamed, &image, true, &io, &error));
    assert_io_error(&error, IO_ERROR_OUTPUT, "expected a name in .nii or .nii.gz");
    g_autofree char *there = write_file(folder, "a.nii", "older", 5);
    assert_false(writer_nifti_write(there, &image, false, &io, &error));
    assert_io_error(&error, IO_ERROR_EXISTS, "exists already");
    g_autofree char *nowhere = g_build_filename(folder, "absent", "a.nii", NULL);
    assert_false(writer_nifti_write(nowhere, &image, false, &io, &error));
    assert_io_error(&error, IO_ERROR_OUTPUT, "cannot write: No such file or directory");
    io.mem_limit = 1000;
    assert_false(writer_nifti_write(there, &image, true, &io, &error));
    assert_io_error(&error, IO_ERROR_MEMORY, "needs");
    assert_int_equal(count_files(folder), 1);
    remove_folder(folder);
}

static bool half_way(void *progress, double fraction)
{
    (void) progress;
    return fraction < 0.5;
}

static void a_stopped_write_leaves_nothing(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct image_grid grid = full_grid(100, 90, 80);
    struct image image = {.grid = &grid, .n_frames = 12, .fill = fill};
    struct io_context io = io_context_default();
    io.go_on = half_way;
    g_autofree char *path = g_build_filename(folder, "a.nii.gz", NULL);
    GError *error = NULL;
    assert_false(writer_nifti_write(path, &image, false, &io, &error));
    assert_io_error(&error, IO_ERROR_CANCELLED, "/a.nii.gz: stopped");
    assert_int_equal(count_files(folder), 0);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(the_geometry_goes_through_unchanged),
        cmocka_unit_test(the_header_is_little_endian_and_says_all),
        cmocka_unit_test(the_bytes_do_not_depend_on_threads),
        cmocka_unit_test(int16_is_rounded_and_scaled),
        cmocka_unit_test(float32_keeps_every_value),
        cmocka_unit_test(what_cannot_be_written_leaves_nothing),
        cmocka_unit_test(a_stopped_write_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
