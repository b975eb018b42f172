// SPDX-License-Identifier: BSD-3-Clause
#include "tests/nifti_maker.h"

#include "io/recording.h"

#include <sys/stat.h>
#include <unistd.h>

struct stored_type {
    int code;
    enum sample_type held_as;
    char kind;
    const char *name;
    size_t size;
};

static const struct stored_type stored_types[] = {
    {2, SAMPLE_FLOAT, 'u', "uint8", 1},     {4, SAMPLE_FLOAT, 'i', "int16", 2},
    {8, SAMPLE_DOUBLE, 'i', "int32", 4},    {16, SAMPLE_FLOAT, 'f', "float32", 4},
    {64, SAMPLE_DOUBLE, 'f', "float64", 8}, {256, SAMPLE_FLOAT, 'i', "int8", 1},
    {512, SAMPLE_FLOAT, 'u', "uint16", 2},  {768, SAMPLE_DOUBLE, 'u', "uint32", 4},
    {1024, SAMPLE_DOUBLE, 'i', "int64", 8}, {1280, SAMPLE_DOUBLE, 'u', "uint64", 8},
};

static struct recording *open_good(const char *path)
{
    struct io_context io = io_context_default();
    GError *error = NULL;
    struct recording *recording = recording_open(path, &io, &error);
    if (recording == NULL)
        print_error("%s\n", error->message);
    assert_non_null(recording);
    assert_null(error);
    return recording;
}

static void read_good(struct recording *recording)
{
    struct io_context io = io_context_default();
    GError *error = NULL;
    if (!recording_read(recording, NULL, 0, recording->n_time, &io, &error)) {
        print_error("%s\n", error->message);
        fail();
    }
}

/** Opens and scans a file that is to be refused, at whatever point. */
static void check_refused(const char *path, int code, const char *part, const char *file, int line)
{
    struct io_context io = io_context_default();
    GError *error = NULL;
    struct recording_summary summary;
    g_autoptr(owned_recording) recording = recording_open(path, &io, &error);
    if (recording != NULL && recording_scan(recording, &summary, NULL, &io, &error))
        print_error("%s is accepted\n", path);
    if (error != NULL && strchr(error->message, '\n') != NULL)
        print_error("more than one line: %s\n", error->message);
    check_error(&error, code, part, file, line);
}

#define assert_refused(path, part) check_refused((path), IO_ERROR_INPUT, (part), __FILE__, __LINE__)

/** Opens and scans a file that is to be accepted with this flag, or with none. */
static void check_flag(const char *path, const char *flag, const char *file, int line)
{
    struct io_context io = io_context_default();
    struct recording_summary summary;
    GError *error = NULL;
    g_autoptr(owned_recording) recording = recording_open(path, &io, &error);
    bool scanned = recording != NULL && recording_scan(recording, &summary, NULL, &io, &error);
    if (!scanned) {
        print_error("%s\n", error->message);
        _fail(file, line);
        return;
    }
    guint n_expected = flag == NULL ? 0 : 1;
    bool as_expected = recording->flags->len == n_expected &&
                       recording->warnings->len == n_expected &&
                       (flag == NULL || recording_has_flag(recording, flag));
    for (guint i = 0; !as_expected && i < recording->flags->len; i++)
        print_error("flag %s\n", (const char *) g_ptr_array_index(recording->flags, i));
    if (!as_expected)
        _fail(file, line);
}

#define assert_flag(path, flag) check_flag((path), (flag), __FILE__, __LINE__)

static void assert_made_samples(const struct recording *recording)
{
    double values[MADE_V];
    assert_int_equal(recording->n_series, MADE_V);
    assert_int_equal(recording->n_time, MADE_T);
    for (size_t t = 0; t < MADE_T; t++) {
        recording_values(recording, t, 0, MADE_V, values);
        for (size_t v = 0; v < MADE_V; v++)
            assert_true(values[v] == made_sample(t, v));
    }
}

/** A good image of one type. */
static struct maker make_good(const struct stored_type *type, int version, bool big_endian)
{
    struct maker maker = maker_new(version, big_endian);
    set_field(&maker, F_DATATYPE, 0, type->code);
    set_field(&maker, F_BITPIX, 0, 8.0 * (double) type->size);
    append_samples(&maker, type->kind, type->size);
    return maker;
}

static struct maker make_int16(int version, bool big_endian)
{
    return make_good(&stored_types[1], version, big_endian);
}

/** Writes maker's file as a .hdr and its .img; the path of the .hdr. */
static char *write_pair(struct maker *maker, const char *folder, const char *suffix)
{
    g_autoptr(GByteArray) bytes = g_steal_pointer(&maker->bytes);
    size_t n = header_bytes(maker);
    struct maker head = {maker->version, maker->big_endian, g_byte_array_new()};
    struct maker image = {maker->version, maker->big_endian, g_byte_array_new()};
    g_byte_array_append(head.bytes, bytes->data, (guint) n);
    g_byte_array_append(image.bytes, bytes->data + n, (guint) (bytes->len - n));
    set_magic(&head, maker->version == 1 ? "ni1" : "ni2");
    set_field(&head, F_VOX_OFFSET, 0, 0);
    g_autofree char *head_name = g_strconcat("pair.hdr", suffix, NULL);
    g_autofree char *image_name = g_strconcat("pair.img", suffix, NULL);
    g_free(maker_write(&image, folder, image_name));
    return maker_write(&head, folder, head_name);
}

static void every_type_order_version_and_kind_of_file_is_read(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    for (size_t k = 0; k < G_N_ELEMENTS(stored_types); k++)
        for (int variant = 0; variant < 16; variant++) {
            const struct stored_type *type = &stored_types[k];
            struct maker maker = make_good(type, 1 + variant % 2, variant / 2 % 2);
            g_autofree char *path = NULL;
            if (variant / 4 < 2)
                path = maker_write(&maker, folder, variant / 4 == 0 ? "a.nii" : "a.nii.gz");
            else
                path = write_pair(&maker, folder, variant / 4 == 2 ? "" : ".gz");
            g_autoptr(owned_recording) recording = open_good(path);
            assert_string_equal(recording->format, variant % 2 == 0 ? "NIfTI-1" : "NIfTI-2");
            assert_string_equal(recording->datatype, type->name);
            assert_int_equal(recording->type, type->held_as);
            assert_int_equal(recording->compressed, variant / 4 % 2);
            assert_int_equal(recording->warnings->len, 0);
            assert_int_equal(recording->flags->len, 0);
            assert_close(recording->interval_s, 2.0, 0.0);
            assert_int_equal(recording_bytes(recording, 10),
                             10 * MADE_T * (type->held_as == SAMPLE_FLOAT ? 4 : 8));
            read_good(recording);
            assert_made_samples(recording);
        }
    remove_folder(folder);
}

static void the_ends_of_every_type_are_exact(void **state)
{
    (void) state;
    static const struct {
        size_t type;
        double low;
        double high;
    } ends[] = {{0, 0, 255},
                {1, -32768, 32767},
                {2, -2147483648.0, 2147483647},
                {3, -3.4028234663852886e38, 1e-45},
                {4, -1.7976931348623157e308, 5e-324},
                {5, -128, 127},
                {6, 0, 65535},
                {7, 0, 4294967295.0},
                {8, -9223372036854775808.0, 9007199254740992.0},
                {9, 0, 9007199254740992.0}};
    char *folder = temporary_folder();
    for (size_t k = 0; k < G_N_ELEMENTS(ends); k++)
        for (int big_endian = 0; big_endian < 2; big_endian++) {
            const struct stored_type *type = &stored_types[ends[k].type];
            struct maker maker = make_good(type, 1, big_endian);
            size_t at = header_bytes(&maker);
            put_number(&maker, maker.bytes->data + at, type->kind, type->size, ends[k].low);
            put_number(&maker, maker.bytes->data + at + type->size, type->kind, type->size,
                       ends[k].high);
            g_autofree char *path = maker_write(&maker, folder, "a.nii");
            g_autoptr(owned_recording) recording = open_good(path);
            read_good(recording);
            double values[2];
            recording_values(recording, 0, 0, 2, values);
            double high =
                type->size == 4 && type->kind == 'f' ? (double) (float) 1e-45 : ends[k].high;
            assert_true(values[0] == ends[k].low && values[1] == high);
            assert_int_equal(recording->flags->len, 0);
        }
    remove_folder(folder);
}

static void integers_that_a_double_cannot_hold_are_told(void **state)
{
    (void) state;
    static const int64_t integers[] = {(INT64_C(1) << 53) + 1, INT64_MAX, -(INT64_C(1) << 53) - 1,
                                       INT64_C(1) << 53, INT64_C(1) << 60};
    char *folder = temporary_folder();
    for (size_t type = 8; type <= 9; type++)
        for (size_t i = 0; i < G_N_ELEMENTS(integers); i++) {
            struct maker maker = make_good(&stored_types[type], 2, i % 2);
            put(&maker, maker.bytes->data + header_bytes(&maker), &integers[i], 8);
            g_autofree char *path = maker_write(&maker, folder, "a.nii");
            assert_flag(path, i < 3 ? "inexact" : NULL);
        }
    remove_folder(folder);
}

static void values_are_scaled_in_double(void **state)
{
    (void) state;
    static const double cases[][4] = {
        // slope and intercept in the header, and those that hold
        {0.1, 5, 0.1, 5},    {-75.5, 0, -75.5, 0}, {0, 7, 1, 0},
        {1, 0, 1, 0},        {NAN, 3, 1, 0},       {0, NAN, 1, 0},
        {0, INFINITY, 1, 0}, {1e-30, 0, 1e-30, 0}, {1e30, -1, 1e30, -1}};
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (int version = 1; version <= 2; version++) {
            struct maker maker = make_int16(version, i % 2);
            set_field(&maker, F_SCL_SLOPE, 0, cases[i][0]);
            set_field(&maker, F_SCL_INTER, 0, cases[i][1]);
            g_autofree char *path = maker_write(&maker, folder, "a.nii");
            assert_flag(path, isnan(cases[i][0]) ? "scl_nan" : NULL);
            g_autoptr(owned_recording) recording = open_good(path);
            double scale = version == 1 ? (double) (float) cases[i][2] : cases[i][2];
            assert_true(recording->scale == scale && recording->offset == cases[i][3]);
            read_good(recording);
            double value;
            recording_values(recording, 5, 17, 1, &value);
            assert_true(value == scale * made_sample(5, 17) + cases[i][3]);
        }
    remove_folder(folder);
}

/** One thing wrong with a header. */
struct wrong_field {
    enum field field;
    size_t index;
    double value;
    const char *part; // of the message
};

static const struct wrong_field wrong_fields[] = {
    {F_SIZEOF_HDR, 0, 0, "sizeof_hdr: expected 348 or 540, found 0"},
    {F_SIZEOF_HDR, 0, 347, "sizeof_hdr: expected 348 or 540"},
    {F_DIM, 0, 0, "dim[0]: expected 1 to 7, found 0"},
    {F_DIM, 0, 8, "dim[0]: expected 1 to 7, found 8"},
    {F_DIM, 0, -1, "dim[0]: expected 1 to 7, found -1"},
    {F_DIM, 0, 400, "dim[0]: expected 1 to 7, found 400"},
    {F_DIM, 1, 0, "found dim[1] = 0"},
    {F_DIM, 2, -5, "found dim[2] = -5"},
    {F_DIM, 4, 0, "found dim[4] = 0"},
    {F_DIM, 3, 30000, "data: expected as many bytes"},
    {F_DATATYPE, 0, 0, "datatype: expected real numbers"},
    {F_DATATYPE, 0, 1, "datatype: expected real numbers"},
    {F_DATATYPE, 0, 32, "COMPLEX64 (32)"},
    {F_DATATYPE, 0, 128, "RGB24 (128)"},
    {F_DATATYPE, 0, 1536, "FLOAT128 (1536)"},
    {F_DATATYPE, 0, 12345, "(12345)"},
    {F_VOX_OFFSET, 0, 0, "vox_offset: expected a whole number after the header, found 0"},
    {F_VOX_OFFSET, 0, -600, "vox_offset: expected a whole number after the header, found -600"},
    {F_VOX_OFFSET, 0, 348, "vox_offset: expected a whole number after the header"},
    {F_SCL_SLOPE, 0, INFINITY, "scl_slope, scl_inter: expected finite numbers"},
    {F_SCL_INTER, 0, -INFINITY, "scl_slope, scl_inter: expected finite numbers"},
    {F_SCL_INTER, 0, NAN, "scl_slope, scl_inter: expected finite numbers"},
};

static void a_header_that_lies_is_refused(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(wrong_fields); i++)
        for (int variant = 0; variant < 8; variant++) {
            const struct wrong_field *wrong = &wrong_fields[i];
            struct maker maker = make_int16(1 + variant % 2, variant / 2 % 2);
            set_field(&maker, wrong->field, wrong->index, wrong->value);
            g_autofree char *path =
                maker_write(&maker, folder, variant / 4 == 0 ? "a.nii" : "a.nii.gz");
            assert_refused(path, wrong->part);
        }
    remove_folder(folder);
}

static void dimensions_past_the_fourth_are_ones_or_not_used(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    for (int version = 1; version <= 2; version++)
        for (size_t n_dims = 1; n_dims <= 7; n_dims++)
            for (size_t at = 4; at <= 7; at++) {
                struct maker maker = make_int16(version, false);
                set_field(&maker, F_DIM, 0, (double) n_dims);
                set_field(&maker, F_DIM, at, at == 4 ? 0 : 2);
                g_autofree char *path = maker_write(&maker, folder, "a.nii");
                if (n_dims >= at) {
                    assert_refused(path, at == 4 ? "dim[4] = 0" : "expected 3 or 4 dimensions");
                    continue;
                }
                g_autoptr(owned_recording) recording = open_good(path);
                assert_int_equal(recording->n_time, n_dims < 4 ? 1 : MADE_T);
                static const size_t n_series[] = {MADE_X, MADE_X * MADE_Y, MADE_V};
                assert_int_equal(recording->n_series, n_series[MIN(n_dims, 3) - 1]);
            }
    remove_folder(folder);
}

static void sizes_that_wrap_are_refused(void **state)
{
    (void) state;
    // 2^64 + k voxels, 2^63 voxels of 2 bytes, dimensions of more than 31 bits
    static const int64_t dims[][4] = {{INT64_C(2305843009213694027), 8, 1, 1},
                                      {INT64_C(1) << 32, 1, 1, 1},
                                      {(INT64_C(1) << 32) + 5, 4, 3, 6},
                                      {INT64_C(1) << 31, 1, 1, 1},
                                      {INT32_MAX, INT32_MAX, 2, 1},
                                      {INT32_MAX, INT32_MAX, 4, 1},
                                      {INT32_MAX, INT32_MAX, INT32_MAX, 6},
                                      {1 << 22, 1 << 21, 1 << 20, 1},
                                      {1 << 21, 1 << 21, 1 << 21, 1}};
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(dims); i++)
        for (int big_endian = 0; big_endian < 2; big_endian++)
            for (size_t gz = 0; gz < 2; gz++) {
                struct maker maker = make_int16(2, big_endian);
                for (size_t d = 0; d < 4; d++)
                    set_integer(&maker, F_DIM, d + 1, dims[i][d]);
                g_autofree char *path = maker_write(&maker, folder, gz ? "a.nii.gz" : "a.nii");
                assert_refused(path, i < 4 ? "dim: expected 1 to 2147483647" : "expected");
            }
    for (size_t gz = 0; gz < 2; gz++) {
        struct maker maker = make_int16(2, false);
        set_integer(&maker, F_VOX_OFFSET, 0, gz ? INT64_C(1) << 62 : INT64_MAX);
        g_autofree char *path = maker_write(&maker, folder, gz ? "a.nii.gz" : "a.nii");
        assert_refused(path, "vox_offset");
    }
    remove_folder(folder);
}

static void the_offset_is_whole_and_finite(void **state)
{
    (void) state;
    static const double offsets[] = {352.5, NAN, INFINITY, -INFINITY, 1e30};
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(offsets); i++) {
        struct maker maker = make_int16(1, i % 2);
        set_field(&maker, F_VOX_OFFSET, 0, offsets[i]);
        g_autofree char *path = maker_write(&maker, folder, "a.nii");
        assert_refused(path, "vox_offset: expected a whole number after the header");
    }
    remove_folder(folder);
}

static void the_magic_agrees_with_the_header_and_the_name(void **state)
{
    (void) state;
    static const char *const magics[] = {"", "n+1", "ni1", "n+2", "ni2", "n+3", "N+1"};
    char *folder = temporary_folder();
    for (int version = 1; version <= 2; version++)
        for (size_t i = 0; i < G_N_ELEMENTS(magics); i++) {
            struct maker maker = make_int16(version, i % 2);
            set_magic(&maker, magics[i]);
            g_autofree char *path = maker_write(&maker, folder, "a.nii");
            if (i != (version == 1 ? 1 : 3))
                assert_refused(path, "magic: expected that of NIfTI");
            g_autofree char *pair = g_build_filename(folder, "pair.hdr", NULL);
            struct maker twin = make_int16(version, i % 2);
            g_free(write_pair(&twin, folder, ""));
            struct maker head = maker_new(version, i % 2);
            set_field(&head, F_VOX_OFFSET, 0, 0);
            set_magic(&head, magics[i]);
            g_free(maker_write(&head, folder, "pair.hdr"));
            if (i != (version == 1 ? 2 : 4))
                assert_refused(pair, "magic: expected that of NIfTI");
        }
    for (size_t i = 4; i < 8; i++) {
        struct maker maker = make_int16(2, false);
        maker.bytes->data[4 + i] ^= 0x10;
        g_autofree char *path = maker_write(&maker, folder, "a.nii");
        assert_refused(path, "magic: expected 0d 0a 1a 0a at its end");
    }
    remove_folder(folder);
}

static void a_header_cut_anywhere_is_refused(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    for (int version = 1; version <= 2; version++)
        for (size_t n = 0; n < 552; n += 7) {
            struct maker maker = make_int16(version, version == 2);
            g_byte_array_set_size(maker.bytes, (guint) n);
            g_autofree char *path = maker_write(&maker, folder, "a.nii");
            assert_refused(path, "expected");
        }
    remove_folder(folder);
}

static void plain_data_cut_short_are_refused_before_they_are_read(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct io_context io = io_context_default();
    for (size_t n_missing = 1; n_missing < 720; n_missing += 13) {
        struct maker maker = make_int16(1, false);
        g_byte_array_set_size(maker.bytes, maker.bytes->len - (guint) n_missing);
        g_autofree char *path = maker_write(&maker, folder, "a.nii");
        GError *error = NULL;
        assert_null(recording_open(path, &io, &error));
        assert_io_error(&error, IO_ERROR_INPUT, "data: expected as many bytes");
    }
    remove_folder(folder);
}

static void gzip_data_cut_short_are_refused_with_the_volume(void **state)
{
    (void) state;
    enum { MEMBER_HEADER = 10, BLOCK_HEADER = 5, FRAME = MADE_V * 2 };
    char *folder = temporary_folder();
    struct maker maker = make_int16(1, true);
    g_autoptr(GByteArray) bytes = g_steal_pointer(&maker.bytes);
    g_autoptr(GByteArray) stored = gzip_bytes(bytes->data, bytes->len, 0);
    assert_int_equal(stored->len, bytes->len + MEMBER_HEADER + BLOCK_HEADER + 8);
    for (size_t n = 0; n < bytes->len; n += 5) {
        g_autofree char *path =
            write_file(folder, "a.nii.gz", stored->data, MEMBER_HEADER + BLOCK_HEADER + n);
        size_t frame = n < 352 ? 0 : (n - 352) / FRAME + 1;
        g_autofree char *part =
            n < 352 ? g_strdup("truncated") : g_strdup_printf("ends in volume %zu of 6", frame);
        assert_refused(path, part);
    }
    remove_folder(folder);
}

static void damaged_gzip_data_are_refused(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct maker maker = make_int16(2, false);
    g_autoptr(GByteArray) bytes = g_steal_pointer(&maker.bytes);
    for (int level = 0; level <= 6; level += 6) {
        g_autoptr(GByteArray) gz = gzip_bytes(bytes->data, bytes->len, level);
        for (size_t at = 10; at < gz->len; at += 3) {
            gz->data[at] ^= 0x40;
            g_autofree char *path = write_file(folder, "a.nii.gz", gz->data, gz->len);
            // The first byte of a stored block has bits without a meaning.
            if (level > 0 || at > 10)
                assert_refused(path, ": ");
            gz->data[at] ^= 0x40;
        }
    }
    remove_folder(folder);
}

static void damage_is_told_with_its_volume_on_any_number_of_threads(void **state)
{
    (void) state;
    enum { N_T = 200, N_V = 32 * 32 * 16 };
    char *folder = temporary_folder();
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    struct maker maker = maker_new(1, false);
    static const double dim[] = {4, 32, 32, 16, N_T};
    for (size_t i = 0; i < G_N_ELEMENTS(dim); i++)
        set_field(&maker, F_DIM, i, dim[i]);
    for (size_t i = 0; i < N_T * N_V; i++)
        append_number(&maker, 'i', 2, g_rand_int_range(rand, -100, 100));
    g_autoptr(GByteArray) bytes = g_steal_pointer(&maker.bytes);
    for (size_t volume = 1; volume <= N_T; volume += 33) {
        size_t n_good = 352 + 2 * (volume * N_V - N_V / 10);
        g_autoptr(GByteArray) gz = gzip_damaged(bytes->data, bytes->len, n_good);
        g_autofree char *path = write_file(folder, "bad.nii.gz", gz->data, gz->len);
        for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
            struct io_context io = team_context(n_threads);
            g_autoptr(owned_recording) recording = open_good(path);
            GError *error = NULL;
            assert_false(recording_read(recording, NULL, 0, N_T, &io, &error));
            g_autofree char *part =
                g_strdup_printf("volume %zu of 200: the gzip stream is corrupt", volume);
            assert_io_error(&error, IO_ERROR_INPUT, part);
            parallel_free(io.team);
        }
    }
    remove_folder(folder);
}

static void a_gzip_that_cannot_hold_the_data_is_refused_before_it_is_read(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct io_context io = io_context_default();
    struct maker maker = make_int16(1, false);
    for (size_t d = 1; d <= 3; d++)
        set_field(&maker, F_DIM, d, 32767);
    g_autofree char *path = maker_write(&maker, folder, "a.nii.gz");
    GError *error = NULL;
    assert_null(recording_open(path, &io, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "declared in");
    remove_folder(folder);
}

static void what_is_odd_is_read_and_told(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct maker maker = make_int16(1, false);
    set_field(&maker, F_BITPIX, 0, 64);
    g_autofree char *bitpix = maker_write(&maker, folder, "bitpix.nii");
    assert_flag(bitpix, "bitpix");

    maker = make_int16(1, true);
    g_byte_array_append(maker.bytes, (const guint8 *) "behind", 6);
    g_autofree char *excess = maker_write(&maker, folder, "excess.nii");
    assert_flag(excess, "excess");
    maker = make_int16(1, true);
    g_byte_array_append(maker.bytes, (const guint8 *) "behind", 6);
    g_autofree char *excess_gz = maker_write(&maker, folder, "excess.nii.gz");
    assert_flag(excess_gz, "excess");

    maker = make_int16(2, false);
    g_autoptr(GByteArray) bytes = g_steal_pointer(&maker.bytes);
    g_autofree char *not_gz = write_file(folder, "plain.nii.gz", bytes->data, bytes->len);
    assert_flag(not_gz, "gzip_name");
    g_autoptr(GByteArray) gz = gzip_bytes(bytes->data, bytes->len, 6);
    g_autofree char *is_gz = write_file(folder, "gzip.nii", gz->data, gz->len);
    assert_flag(is_gz, "gzip_name");
    g_byte_array_append(gz, (const guint8 *) "\0\0\0\0", 4);
    g_autofree char *padded = write_file(folder, "padded.nii.gz", gz->data, gz->len);
    assert_flag(padded, NULL);
    g_byte_array_append(gz, (const guint8 *) "garbage", 7);
    g_autofree char *garbage = write_file(folder, "garbage.nii.gz", gz->data, gz->len);
    assert_flag(garbage, "garbage");
    remove_folder(folder);
}

static void a_bomb_after_the_data_is_not_inflated(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct maker maker = make_int16(1, false);
    guint n = maker.bytes->len;
    g_byte_array_set_size(maker.bytes, n + (3 << 20));
    memset(maker.bytes->data + n, 0, 3 << 20);
    g_autoptr(GByteArray) bytes = g_steal_pointer(&maker.bytes);
    g_autoptr(GByteArray) gz = gzip_bytes(bytes->data, bytes->len, 9);
    gz->data[gz->len - 1] ^= 1; // in the part that is not looked at
    g_autofree char *path = write_file(folder, "bomb.nii.gz", gz->data, gz->len);
    assert_flag(path, "excess");
    remove_folder(folder);
}

/** An image with a chain of extensions of these sizes before its data. */
static char *write_extended(const char *folder, int version, bool big_endian, const double *sizes,
                            size_t n_sizes, size_t n_room)
{
    struct maker maker = maker_new(version, big_endian);
    size_t begin = header_bytes(&maker);
    maker.bytes->data[begin - 4] = 1;
    g_byte_array_set_size(maker.bytes, (guint) (begin + n_room));
    memset(maker.bytes->data + begin, 0, n_room);
    size_t at = begin;
    for (size_t i = 0; i < n_sizes && at + 8 <= begin + n_room; i++) {
        put_number(&maker, maker.bytes->data + at, 'i', 4, sizes[i]);
        put_number(&maker, maker.bytes->data + at + 4, 'i', 4, 6);
        at += (size_t) MAX(sizes[i], 0);
    }
    set_field(&maker, F_VOX_OFFSET, 0, (double) (begin + n_room));
    append_samples(&maker, 'i', 2);
    return maker_write(&maker, folder, version == 1 ? "ext.nii" : "ext.nii.gz");
}

static void extensions_lie_between_header_and_data(void **state)
{
    (void) state;
    static const struct {
        double sizes[2];
        size_t n_sizes;
        size_t n_room;
        const char *part; // of the error; NULL: accepted
        const char *flag;
    } cases[] = {
        {{32}, 1, 32, NULL, NULL},
        {{16, 48}, 2, 64, NULL, NULL},
        {{17}, 1, 32, NULL, "extension_size"},
        {{0}, 1, 32, "fewer than 16 bytes", NULL},
        {{8}, 1, 32, "fewer than 16 bytes", NULL},
        {{-16}, 1, 32, "fewer than 16 bytes", NULL},
        {{1024}, 1, 32, "runs into the data", NULL},
        {{32, 48}, 2, 64, "runs into the data", NULL},
        {{2147483647}, 1, 64, "runs into the data", NULL},
    };
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (int variant = 0; variant < 4; variant++) {
            g_autofree char *path =
                write_extended(folder, 1 + variant % 2, variant / 2, cases[i].sizes,
                               cases[i].n_sizes, cases[i].n_room);
            if (cases[i].part != NULL) {
                assert_refused(path, cases[i].part);
                continue;
            }
            assert_flag(path, cases[i].flag);
            g_autoptr(owned_recording) recording = open_good(path);
            read_good(recording);
            assert_made_samples(recording);
        }
    static const double huge[] = {2e9};
    g_autofree char *path = write_extended(folder, 1, false, huge, 1, 65 << 20);
    assert_refused(path, "more than 64 MiB");
    remove_folder(folder);
}

static void data_may_begin_later(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    for (int variant = 0; variant < 4; variant++) {
        struct maker maker = maker_new(1 + variant % 2, variant / 2);
        g_byte_array_set_size(maker.bytes, 100000);
        memset(maker.bytes->data + header_bytes(&maker), 0, 100000 - header_bytes(&maker));
        set_field(&maker, F_VOX_OFFSET, 0, 100000);
        append_samples(&maker, 'i', 2);
        g_autofree char *path =
            maker_write(&maker, folder, variant % 2 == 0 ? "a.nii" : "a.nii.gz");
        g_autoptr(owned_recording) recording = open_good(path);
        read_good(recording);
        assert_made_samples(recording);
    }
    remove_folder(folder);
}

static void the_interval_is_in_seconds_or_not_known(void **state)
{
    (void) state;
    static const struct {
        double tr;
        int units;
        double expected; // 0: not known
    } cases[] = {{2, 8, 2},           {0.72, 8, 0.72}, {2000, 16, 2}, {720, 16, 0.72},
                 {735000, 24, 0.735}, {2, 0, 0},       {2000, 0, 0},  {2, 32, 0},
                 {0, 8, 0},           {-2, 8, 0},      {NAN, 8, 0},   {INFINITY, 8, 0},
                 {20, 8, 20},         {20.5, 8, 0},    {2000, 8, 0},  {1e-30, 8, 1e-30}};
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (int variant = 0; variant < 4; variant++) {
            struct maker maker = make_int16(1 + variant % 2, variant / 2);
            set_field(&maker, F_PIXDIM, 4, cases[i].tr);
            set_field(&maker, F_XYZT_UNITS, 0, cases[i].units + 2);
            g_autofree char *path = maker_write(&maker, folder, "a.nii");
            assert_flag(path, cases[i].expected == 0.0 ? "tr" : NULL);
            g_autoptr(owned_recording) recording = open_good(path);
            // The very number: 0.72 is stored as 0.72000002861.
            assert_true(recording->interval_s == cases[i].expected);
        }
    // A volume needs none.
    struct maker maker = make_int16(1, false);
    set_field(&maker, F_DIM, 0, 3);
    set_field(&maker, F_PIXDIM, 4, 0);
    g_byte_array_set_size(maker.bytes, 352 + MADE_V * 2);
    g_autofree char *path = maker_write(&maker, folder, "a.nii");
    assert_flag(path, NULL);
    remove_folder(folder);
}

static void the_affine_is_the_sform_then_the_qform_then_the_voxel_sizes(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    for (int variant = 0; variant < 12; variant++) {
        struct maker maker = make_int16(1 + variant % 2, variant / 2 % 2);
        int which = variant / 4;
        set_field(&maker, F_SFORM_CODE, 0, which == 0 ? 2 : 0);
        set_field(&maker, F_QFORM_CODE, 0, which <= 1 ? 3 : 0);
        // half a turn about z: b = c = 0, d = 1; z mirrored
        set_field(&maker, F_QUATERN, 2, 1);
        set_field(&maker, F_PIXDIM, 0, -1);
        for (size_t i = 0; i < 3; i++)
            set_field(&maker, F_QOFFSET, i, 7.0 + (double) i);
        g_autofree char *path = maker_write(&maker, folder, "a.nii");
        g_autoptr(owned_recording) recording = open_good(path);
        static const double expected[3][3][4] = {
            {{3, 0, 0, -10}, {0, 3.5, 0, -20}, {0, 0, 4, 5}},
            {{-3, 0, 0, 7}, {0, -3.5, 0, 8}, {0, 0, -4, 9}},
            {{3, 0, 0, 0}, {0, 3.5, 0, 0}, {0, 0, 4, 0}},
        };
        const struct image_grid *grid = recording->grid;
        assert_true(grid->affine_ok);
        assert_int_equal(grid->sform_code, which == 0 ? 2 : 0);
        assert_int_equal(grid->qform_code, which <= 1 ? 3 : 0);
        assert_close(grid->qfac, -1, 0);
        for (size_t i = 0; i < 12; i++)
            assert_close(grid->affine[i / 4][i % 4], expected[which][i / 4][i % 4], 1e-6);
    }
    remove_folder(folder);
}

static void lengths_are_in_mm_whatever_the_unit(void **state)
{
    (void) state;
    static const double mm[] = {1, 1e3, 1, 1e-3}; // unknown, m, mm, um
    char *folder = temporary_folder();
    for (int unit = 0; unit < 4; unit++) {
        struct maker maker = make_int16(2, false);
        set_field(&maker, F_XYZT_UNITS, 0, 8 + unit);
        g_autofree char *path = maker_write(&maker, folder, "a.nii");
        g_autoptr(owned_recording) recording = open_good(path);
        assert_close(recording->grid->voxel_mm[1], 3.5 * mm[unit], 1e-12);
        assert_close(recording->grid->affine[0][0], 3 * mm[unit], 1e-12);
        assert_close(recording->grid->srow[1][3], -20 * mm[unit], 1e-12);
    }
    remove_folder(folder);
}

static void a_grid_that_is_nowhere_is_flagged(void **state)
{
    (void) state;
    static const struct wrong_field cases[] = {
        // the sform rules
        {F_SROW, 0, 0, "affine"},
        {F_SROW, 5, NAN, "affine"},
        {F_SROW, 3, INFINITY, "affine"},
        {F_SROW, 0, 1e-30, NULL},
        // the qform rules
        {F_QUATERN, 0, 1.1, "affine"},
        {F_QUATERN, 1, NAN, "affine"},
        {F_QOFFSET, 2, INFINITY, "affine"},
        {F_PIXDIM, 3, 0, "affine"},
        {F_PIXDIM, 3, NAN, "affine"},
        {F_QUATERN, 1, 1, NULL},
        // neither is there
        {F_PIXDIM, 2, 0, "affine"},
        {F_PIXDIM, 2, NAN, "affine"},
    };
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct maker maker = make_int16(1 + (int) i % 2, i / 2 % 2);
        set_field(&maker, F_SFORM_CODE, 0, i < 4 ? 1 : 0);
        set_field(&maker, F_QFORM_CODE, 0, i >= 4 && i < 10 ? 1 : 0);
        set_field(&maker, cases[i].field, cases[i].index, cases[i].value);
        g_autofree char *path = maker_write(&maker, folder, "a.nii");
        assert_flag(path, cases[i].part);
        g_autoptr(owned_recording) recording = open_good(path);
        assert_int_equal(recording->grid->affine_ok, cases[i].part == NULL);
        if (cases[i].part != NULL && i < 10)
            assert_int_equal(recording->grid->sform_code + recording->grid->qform_code, 0);
    }
    // An invalid qform beside a good sform matters to nobody but is not passed on.
    struct maker maker = make_int16(1, false);
    set_field(&maker, F_QFORM_CODE, 0, 1);
    set_field(&maker, F_QUATERN, 0, 2);
    g_autofree char *path = maker_write(&maker, folder, "a.nii");
    assert_flag(path, "qform");
    g_autoptr(owned_recording) recording = open_good(path);
    assert_true(recording->grid->affine_ok && recording->grid->qform_code == 0);
    remove_folder(folder);
}

// As nibabel repairs them: sizes are taken without their sign, which flips nothing.
static void negative_voxel_sizes_lose_their_sign(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct maker maker = make_int16(1, false);
    set_field(&maker, F_SFORM_CODE, 0, 0);
    set_field(&maker, F_QFORM_CODE, 0, 1);
    set_field(&maker, F_QOFFSET, 0, 90);
    set_field(&maker, F_PIXDIM, 1, -3);
    g_autofree char *path = maker_write(&maker, folder, "a.nii");
    assert_flag(path, "pixdim");
    g_autoptr(owned_recording) recording = open_good(path);
    assert_true(recording->grid->affine_ok && recording->grid->qform_code == 1);
    assert_close(recording->grid->affine[0][0], 3, 1e-12);
    assert_close(recording->grid->affine[0][3], 90, 0);
    remove_folder(folder);
}

static void a_mask_selects_series_and_frames(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (int round = 0; round < 200; round++) {
        struct maker maker = make_good(&stored_types[round % 10], 1, round / 2 % 2);
        g_autofree char *path = maker_write(&maker, folder, round % 3 ? "a.nii" : "a.nii.gz");
        g_autoptr(owned_recording) recording = open_good(path);
        uint8_t mask[MADE_V];
        double density = g_rand_double(rand);
        size_t n_inside = 0;
        for (size_t v = 0; v < MADE_V; v++)
            n_inside += mask[v] = g_rand_double(rand) < density;
        size_t first = (size_t) g_rand_int_range(rand, 0, MADE_T + 1);
        size_t count = (size_t) g_rand_int_range(rand, 0, (int) (MADE_T - first) + 1);
        struct io_context io = io_context_default();
        GError *error = NULL;
        assert_true(recording_read(recording, mask, first, count, &io, &error));
        assert_int_equal(recording->n_series, n_inside);
        assert_int_equal(recording->n_time, count);
        for (size_t v = 0, at = 0; v < MADE_V; v++) {
            if (!mask[v])
                continue;
            assert_int_equal(recording->voxel[at], v);
            for (size_t t = 0; t < count; t++) {
                double value;
                recording_values(recording, t, at, 1, &value);
                assert_true(value == made_sample(first + t, v));
            }
            at++;
        }
    }
    remove_folder(folder);
}

/** A larger image of float64, with all kinds of series. */
enum { SCAN_V = 33 * 31 * 17, SCAN_T = 29 };

static char *write_for_scan(const char *folder, const char *name, double *samples)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(2);
    struct maker maker = maker_new(2, true);
    static const double dim[] = {4, 33, 31, 17, SCAN_T};
    for (size_t i = 0; i < G_N_ELEMENTS(dim); i++)
        set_field(&maker, F_DIM, i, dim[i]);
    set_field(&maker, F_DATATYPE, 0, 64);
    set_field(&maker, F_BITPIX, 0, 64);
    set_field(&maker, F_SCL_SLOPE, 0, -2);
    set_field(&maker, F_SCL_INTER, 0, 10);
    for (size_t t = 0; t < SCAN_T; t++)
        for (size_t v = 0; v < SCAN_V; v++) {
            double x = v % 3 == 0 ? (double) v : g_rand_double_range(rand, -50, 9);
            if (v % 1000 == 1 && t == v % SCAN_T)
                x = v % 2 == 0 ? NAN : INFINITY;
            samples[t * SCAN_V + v] = x;
            append_number(&maker, 'f', 8, x);
        }
    return maker_write(&maker, folder, name);
}

static void a_scan_counts_what_is_there(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree double *x = g_new(double, (size_t) SCAN_T *SCAN_V);
    g_autofree double *mean = g_new(double, SCAN_V);
    g_autofree double *sd = g_new(double, SCAN_V);
    g_autofree uint8_t *varies = g_new(uint8_t, SCAN_V);
    const struct recording_moments moments = {mean, sd, varies};
    static const char *const names[] = {"a.nii", "a.nii.gz"};
    for (size_t k = 0; k < 6; k++) {
        g_autofree char *path = write_for_scan(folder, names[k % 2], x);
        struct io_context io = team_context(1 + k / 2);
        g_autoptr(owned_recording) recording = open_good(path);
        struct recording_summary summary;
        GError *error = NULL;
        assert_true(recording_scan(recording, &summary, &moments, &io, &error));
        double low = INFINITY;
        double high = -INFINITY;
        size_t n_nonfinite = 0;
        for (size_t v = 0; v < SCAN_V; v++) {
            double sum = 0.0;
            bool finite = true;
            for (size_t t = 0; t < SCAN_T; t++) {
                double value = x[t * SCAN_V + v];
                finite = finite && isfinite(value);
                low = isfinite(value) ? MIN(low, -2 * value + 10) : low;
                high = isfinite(value) ? MAX(high, -2 * value + 10) : high;
                sum += value;
            }
            double squares = 0.0;
            for (size_t t = 0; t < SCAN_T; t++) {
                double difference = x[t * SCAN_V + v] - sum / SCAN_T;
                squares += difference * difference;
            }
            n_nonfinite += !finite;
            assert_int_equal(varies[v], !finite || v % 3 != 0);
            if (finite)
                assert_close(sd[v], 2 * sqrt(squares / (SCAN_T - 1)), 1e-10);
            else
                assert_false(isfinite(sd[v]));
            if (finite)
                assert_close(mean[v], -2 * sum / SCAN_T + 10, 0);
            else
                assert_false(isfinite(mean[v]));
        }
        assert_true(summary.series_counted);
        assert_int_equal(summary.n_series, SCAN_V);
        assert_int_equal(summary.n_nonfinite, n_nonfinite);
        assert_int_equal(summary.n_nonfinite_samples, n_nonfinite);
        size_t n_constant_nonfinite = 0;
        for (size_t v = 1; v < SCAN_V; v += 1000)
            n_constant_nonfinite += v % 3 == 0;
        assert_int_equal(summary.n_constant, (SCAN_V + 2) / 3 - n_constant_nonfinite);
        assert_close(summary.minimum, low, 0);
        assert_close(summary.maximum, high, 0);
        parallel_free(io.team);
    }
    remove_folder(folder);
}

static void a_recording_that_was_scanned_can_be_read(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    for (int gz = 0; gz < 2; gz++) {
        struct maker maker = make_int16(1, false);
        g_autofree char *path = maker_write(&maker, folder, gz ? "a.nii.gz" : "a.nii");
        g_autoptr(owned_recording) recording = open_good(path);
        struct io_context io = io_context_default();
        struct recording_summary summary;
        for (int i = 0; i < 3; i++)
            assert_true(recording_scan(recording, &summary, NULL, &io, NULL));
        read_good(recording);
        assert_made_samples(recording);
    }
    remove_folder(folder);
}

static void what_does_not_fit_is_refused_before_it_is_allocated(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct maker maker = make_int16(1, false);
    g_autofree char *path = maker_write(&maker, folder, "a.nii");
    struct io_context io = io_context_default();
    io.mem_limit = MADE_V * MADE_T * sizeof(float);
    g_autoptr(owned_recording) fits = open_good(path);
    GError *error = NULL;
    assert_true(recording_read(fits, NULL, 0, MADE_T, &io, &error));
    io.mem_limit--;
    g_autoptr(owned_recording) does_not = open_good(path);
    assert_false(recording_read(does_not, NULL, 0, MADE_T, &io, &error));
    assert_io_error(&error, IO_ERROR_MEMORY, "/a.nii: needs");

    // A sparse file of 3 TB, and no limit but the machine's
    maker = maker_new(1, true);
    static const double dim[] = {4, 1024, 1024, 1024, 1500};
    for (size_t i = 0; i < G_N_ELEMENTS(dim); i++)
        set_field(&maker, F_DIM, i, dim[i]);
    g_autofree char *sparse = maker_write(&maker, folder, "sparse.nii");
    assert_int_equal(truncate(sparse, 352 + INT64_C(3) * 500 * 1024 * 1024 * 1024 * 2), 0);
    g_autoptr(owned_recording) large = open_good(sparse);
    io.mem_limit = (size_t) 1 << 40;
    assert_false(recording_read(large, NULL, 0, 1500, &io, &error));
    assert_io_error(&error, IO_ERROR_MEMORY, "/sparse.nii: needs");
    remove_folder(folder);
}

static void a_file_that_shrinks_while_it_is_read_is_refused(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    for (int gz = 0; gz < 2; gz++) {
        struct maker maker = make_int16(1, false);
        g_autofree char *path = maker_write(&maker, folder, gz ? "a.nii.gz" : "a.nii");
        g_autoptr(owned_recording) recording = open_good(path);
        struct stat status;
        stat(path, &status);
        assert_int_equal(truncate(path, status.st_size - 9), 0);
        struct io_context io = io_context_default();
        GError *error = NULL;
        assert_false(recording_read(recording, NULL, 0, MADE_T, &io, &error));
        assert_io_error(&error, IO_ERROR_INPUT, "ends in volume 6 of 6");
        assert_null(recording->samples.any);
    }
    remove_folder(folder);
}

static bool never(void *progress, double fraction)
{
    (void) progress;
    (void) fraction;
    return false;
}

static void reading_can_be_stopped(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct maker maker = make_int16(1, false);
    g_autofree char *path = maker_write(&maker, folder, "a.nii.gz");
    g_autoptr(owned_recording) recording = open_good(path);
    struct io_context io = io_context_default();
    io.go_on = never;
    GError *error = NULL;
    assert_false(recording_read(recording, NULL, 0, MADE_T, &io, &error));
    assert_io_error(&error, IO_ERROR_CANCELLED, "/a.nii.gz: stopped");
    remove_folder(folder);
}

static void only_the_file_that_was_named_is_opened(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct maker maker = make_int16(1, false);
    g_autofree char *compressed = maker_write(&maker, folder, "a.nii.gz");
    g_autofree char *plain = g_build_filename(folder, "a.nii", NULL);
    assert_refused(plain, "/a.nii: cannot open: No such file or directory");
    g_free(write_file(folder, "a.nii", "something else", 14)); // a twin with other contents
    g_autoptr(owned_recording) recording = open_good(compressed);
    read_good(recording);
    assert_made_samples(recording);

    // A .hdr goes with its .img alone.
    maker = make_int16(1, false);
    g_autofree char *head = write_pair(&maker, folder, "");
    g_autofree char *image = g_build_filename(folder, "pair.img", NULL);
    g_autofree char *image_gz = g_build_filename(folder, "pair.img.gz", NULL);
    assert_refused(image, "expected a NIfTI image");
    assert_int_equal(g_rename(image, image_gz), 0);
    assert_refused(head, "/pair.img: cannot open: No such file or directory");
    remove_folder(folder);
}

static void what_is_not_a_regular_file_is_refused(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    assert_refused(folder, "expected a regular file, found a folder");
    g_autofree char *pipe = g_build_filename(folder, "pipe.nii", NULL);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_refused(pipe, "expected a regular file, found a named pipe"); // does not hang
    assert_refused("/dev/zero", "expected a regular file, found a device");
    g_autofree char *annexed = g_build_filename(folder, "annexed.nii", NULL);
    assert_int_equal(symlink("../.git/annex/objects/X/Y/KEY", annexed), 0);
    assert_refused(annexed, "annexed.nii: annexed file not present (datalad get ");
    g_autofree char *dangling = g_build_filename(folder, "dangling.nii", NULL);
    assert_int_equal(symlink("no\x1bwhere", dangling), 0);
    assert_refused(dangling, "dangling.nii: link to a missing file no\\x1bwhere");
    g_autofree char *text = write_file(folder, "notes.doc", "subject,age\n", 12);
    assert_refused(text, "expected a NIfTI image (.nii, .nii.gz, .hdr), an array");
    remove_folder(folder);
}

static void assert_does_not_tell(const char *message)
{
    assert_non_null(message);
    assert_null(strstr(message, "SECRET"));
    for (const char *p = message; *p != '\0'; p++)
        assert_true((unsigned char) *p >= 0x20);
}

static void texts_of_the_header_are_never_told(void **state)
{
    (void) state;
    static const size_t places[][3] = {{148, 228, 328}, {240, 320, 508}}; // descrip, aux, intent
    char *folder = temporary_folder();
    for (size_t i = 0; i <= G_N_ELEMENTS(wrong_fields); i++)
        for (int version = 1; version <= 2; version++) {
            struct maker maker = make_int16(version, false);
            for (size_t k = 0; k < 3; k++)
                memcpy(maker.bytes->data + places[version - 1][k], "SECRET\x1b%s%n", 12);
            set_field(&maker, F_BITPIX, 0, 3); // a warning at least
            if (i < G_N_ELEMENTS(wrong_fields))
                set_field(&maker, wrong_fields[i].field, wrong_fields[i].index,
                          wrong_fields[i].value);
            g_autofree char *path = maker_write(&maker, folder, "a.nii");
            struct io_context io = io_context_default();
            g_autoptr(GError) error = NULL;
            g_autoptr(owned_recording) recording = recording_open(path, &io, &error);
            if (recording == NULL)
                assert_does_not_tell(error->message);
            for (guint w = 0; recording != NULL && w < recording->warnings->len; w++)
                assert_does_not_tell(g_ptr_array_index(recording->warnings, w));
        }
    remove_folder(folder);
}

static void grids_are_compared_by_their_corners(void **state)
{
    (void) state;
    struct image_grid a = {.dim = {10, 20, 30}, .affine_ok = true};
    a.affine[0][0] = a.affine[1][1] = a.affine[2][2] = 2.0;
    struct image_grid b = a;
    assert_true(image_grid_equal(&a, &b, 0.0));
    b.affine[1][3] = 0.1;
    assert_false(image_grid_equal(&a, &b, 0.05));
    assert_true(image_grid_equal(&a, &b, 0.101));
    b = a;
    b.affine[0][2] = 0.01; // 0.29 mm at the far corner
    assert_false(image_grid_equal(&a, &b, 0.28));
    assert_true(image_grid_equal(&a, &b, 0.3));
    b.affine_ok = false; // not known: the dimensions decide
    assert_true(image_grid_equal(&a, &b, 0.0));
    b.dim[2]--;
    assert_false(image_grid_equal(&a, &b, 1e9));
    b = a;
    b.affine[0][0] = NAN;
    assert_false(image_grid_equal(&a, &b, 1e9));
}

static void a_real_run_is_read(void **state)
{
    (void) state;
    g_autofree char *path = shared_data("fmri/pyhrf_localizer/pyhrf_real_data_vol_4_regions_BOLD"
                                        ".nii.gz");
    if (path == NULL)
        skip();
    g_autoptr(owned_recording) recording = open_good(path);
    static const size_t dim[] = {79, 95, 46};
    assert_memory_equal(recording->grid->dim, dim, sizeof dim);
    assert_int_equal(recording->n_time, 128);
    struct io_context io = io_context_default();
    struct recording_summary summary;
    assert_true(recording_scan(recording, &summary, NULL, &io, NULL));
    assert_int_equal(summary.n_series - summary.n_constant, 6443); // by nibabel 5.0
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_order_version_and_kind_of_file_is_read),
        cmocka_unit_test(the_ends_of_every_type_are_exact),
        cmocka_unit_test(integers_that_a_double_cannot_hold_are_told),
        cmocka_unit_test(values_are_scaled_in_double),
        cmocka_unit_test(a_header_that_lies_is_refused),
        cmocka_unit_test(dimensions_past_the_fourth_are_ones_or_not_used),
        cmocka_unit_test(sizes_that_wrap_are_refused),
        cmocka_unit_test(the_offset_is_whole_and_finite),
        cmocka_unit_test(the_magic_agrees_with_the_header_and_the_name),
        cmocka_unit_test(a_header_cut_anywhere_is_refused),
        cmocka_unit_test(plain_data_cut_short_are_refused_before_they_are_read),
        cmocka_unit_test(gzip_data_cut_short_are_refused_with_the_volume),
        cmocka_unit_test(damaged_gzip_data_are_refused),
        cmocka_unit_test(damage_is_told_with_its_volume_on_any_number_of_threads),
        cmocka_unit_test(a_gzip_that_cannot_hold_the_data_is_refused_before_it_is_read),
        cmocka_unit_test(what_is_odd_is_read_and_told),
        cmocka_unit_test(a_bomb_after_the_data_is_not_inflated),
        cmocka_unit_test(extensions_lie_between_header_and_data),
        cmocka_unit_test(data_may_begin_later),
        cmocka_unit_test(the_interval_is_in_seconds_or_not_known),
        cmocka_unit_test(the_affine_is_the_sform_then_the_qform_then_the_voxel_sizes),
        cmocka_unit_test(lengths_are_in_mm_whatever_the_unit),
        cmocka_unit_test(a_grid_that_is_nowhere_is_flagged),
        cmocka_unit_test(negative_voxel_sizes_lose_their_sign),
        cmocka_unit_test(a_mask_selects_series_and_frames),
        cmocka_unit_test(a_scan_counts_what_is_there),
        cmocka_unit_test(a_recording_that_was_scanned_can_be_read),
        cmocka_unit_test(what_does_not_fit_is_refused_before_it_is_allocated),
        cmocka_unit_test(a_file_that_shrinks_while_it_is_read_is_refused),
        cmocka_unit_test(reading_can_be_stopped),
        cmocka_unit_test(only_the_file_that_was_named_is_opened),
        cmocka_unit_test(what_is_not_a_regular_file_is_refused),
        cmocka_unit_test(texts_of_the_header_are_never_told),
        cmocka_unit_test(grids_are_compared_by_their_corners),
        cmocka_unit_test(a_real_run_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
