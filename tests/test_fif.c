// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fif_maker.h"

#include "io/fif_covariance.h"
#include "io/fif_forward.h"
#include "io/fif_sensors.h"

static struct fif *walk(const GByteArray *file, GError **error)
{
    struct io_context io = io_context_default();
    return fif_of_bytes("x.fif", file->data, file->len, &io, error);
}

static struct fif *walk_good(const GByteArray *file)
{
    GError *error = NULL;
    struct fif *fif = walk(file, &error);
    if (fif == NULL)
        fail_msg("%s", error->message);
    return fif;
}

static void assert_refused(const GByteArray *file, const char *part)
{
    GError *error = NULL;
    assert_null(walk(file, &error));
    assert_io_error(&error, IO_ERROR_INPUT, part);
}

static void assert_warned(const struct fif *fif, const char *part)
{
    assert_int_equal(fif->warnings->len, 1);
    assert_non_null(strstr(fif->warnings->pdata[0], part));
}

static void tags_are_found_in_their_own_block_alone(void **state)
{
    (void) state;
    g_autoptr(GByteArray) file = maker_new();
    maker_start(file, FIF_BLOCK_MEAS);
    maker_start(file, FIF_BLOCK_MEAS_INFO);
    maker_start(file, 108); // another measurement inside, with a rate of its own
    maker_float(file, FIF_SFREQ, 201.0f);
    maker_end(file, 108);
    maker_float(file, FIF_SFREQ, 600.0f);
    maker_start(file, FIF_BLOCK_PROJ);
    maker_int(file, FIF_NCHAN, 3);
    maker_end(file, FIF_BLOCK_PROJ);
    maker_end(file, FIF_BLOCK_MEAS_INFO);
    maker_end(file, FIF_BLOCK_MEAS);
    maker_start(file, FIF_BLOCK_PROJ);
    maker_end(file, FIF_BLOCK_PROJ);
    maker_finish(file);
    g_autoptr(owned_fif) fif = walk_good(file);
    assert_int_equal(fif->warnings->len, 0);
    size_t info = fif_find_block(fif, 0, FIF_BLOCK_MEAS_INFO);
    double rate_hz = 0.0;
    assert_true(fif_get_real(fif, info, FIF_SFREQ, &rate_hz, NULL));
    assert_true(rate_hz == 600.0);
    assert_null(fif_find(fif, info, FIF_NCHAN));
    assert_int_equal(fif->block[info].n_depth, 2);
    size_t first = fif_find_block(fif, info, FIF_BLOCK_PROJ);
    assert_int_not_equal(first, 0);
    assert_int_equal(fif_next_block(fif, info, FIF_BLOCK_PROJ, first), 0);
    assert_int_not_equal(fif_next_block(fif, 0, FIF_BLOCK_PROJ, first), 0);
}

static void links_lead_on(void **state)
{
    (void) state;
    static const struct {
        int32_t size;
        int32_t next;
        const char *refusal; // NULL: none
    } rows[] = {
        {4, 0, NULL},
        {4, 80, NULL},                                   // past some bytes of no tag
        {4, 76, NULL},                                   // right behind itself
        {4, 75, "expected the next tag from 76 to 100"}, // into itself
        {4, 36, "found it at 36"},                       // back
        {4, 56, "found it at 56"},                       // to itself
        {4, 101, "found it at 101"},                     // past the end
        {4, INT32_MAX, "found it at 2147483647"},        //
        {4, -2, "found it at -2"},                       //
        {-16, 0, "expected a size of 0 or more, found -16"},
        {INT32_MAX, 0, "expected 2147483647 bytes, found 28 to the end of the file"},
        {29, 0, "expected 29 bytes"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) file = maker_new();
        assert_int_equal(file->len, 56);
        maker_header(file, 200, FIF_TYPE_INT32, rows[i].size, rows[i].next);
        maker_word(file, 7);
        if (rows[i].next == 80)
            maker_word(file, 0xffffffff);
        maker_finish(file);
        while (file->len < 100)
            maker_word(file, 0);
        if (rows[i].refusal != NULL) {
            assert_refused(file, rows[i].refusal);
            continue;
        }
        g_autoptr(owned_fif) fif = walk_good(file);
        int32_t value = 0;
        assert_true(fif_get_int(fif, 0, 200, &value, NULL));
        assert_int_equal(value, 7);
        assert_int_equal(fif->warnings->len, 0);
    }
}

static void what_is_no_fif_file_is_refused(void **state)
{
    (void) state;
    g_autoptr(GByteArray) file = maker_new();
    file->data[11] = 8; // the size of the identification
    assert_refused(file, "expected the identification");
    g_byte_array_set_size(file, 15);
    assert_refused(file, "expected tags");
    g_byte_array_set_size(file, 0);
    assert_refused(file, "expected tags");
    g_autoptr(GByteArray) other = g_byte_array_new();
    maker_int(other, FIF_NCHAN, 5);
    assert_refused(other, "expected the identification");
}

static void blocks_nest_up_to_a_limit(void **state)
{
    (void) state;
    for (int depth = FIF_MAX_DEPTH; depth <= FIF_MAX_DEPTH + 1; depth++) {
        g_autoptr(GByteArray) file = maker_new();
        for (int i = 0; i < depth; i++)
            maker_start(file, 999);
        for (int i = 0; i < depth; i++)
            maker_end(file, 999);
        maker_finish(file);
        if (depth <= FIF_MAX_DEPTH) {
            g_autoptr(owned_fif) fif = walk_good(file);
            assert_int_equal(fif->n_blocks, depth + 1);
            assert_int_equal(fif->block[depth].n_depth, depth);
        } else {
            assert_refused(file, "expected at most 64 blocks in one another");
        }
    }
}

static void ends_of_blocks_that_do_not_match_are_told(void **state)
{
    (void) state;
    g_autoptr(GByteArray) file = maker_new();
    maker_start(file, FIF_BLOCK_MEAS);
    maker_start(file, FIF_BLOCK_MEAS_INFO);
    maker_end(file, FIF_BLOCK_MEAS); // closes both
    maker_int(file, FIF_NCHAN, 5);
    maker_finish(file);
    g_autoptr(owned_fif) fif = walk_good(file);
    assert_warned(fif, "ends a block that is not the innermost");
    assert_non_null(fif_find(fif, 0, FIF_NCHAN));

    g_autoptr(GByteArray) stray = maker_new();
    maker_end(stray, FIF_BLOCK_MEAS); // closes nothing
    maker_start(stray, FIF_BLOCK_MEAS);
    maker_int(stray, FIF_NCHAN, 5);
    maker_finish(stray); // and this one stays open
    g_autoptr(owned_fif) open = walk_good(stray);
    assert_warned(open, "ends a block");
    size_t block = fif_find_block(open, 0, FIF_BLOCK_MEAS);
    assert_non_null(fif_find(open, block, FIF_NCHAN));
}

static void a_missing_end_is_told(void **state)
{
    (void) state;
    g_autoptr(GByteArray) file = maker_new();
    maker_int(file, FIF_NCHAN, 5);
    g_autoptr(owned_fif) fif = walk_good(file);
    assert_warned(fif, "no end tag");
    maker_word(file, 0); // less than a tag more
    g_autoptr(owned_fif) longer = walk_good(file);
    assert_warned(longer, "no end tag");
}

static void the_directory_is_looked_at_and_not_needed(void **state)
{
    (void) state;
    for (int good = 0; good < 2; good++) {
        g_autoptr(GByteArray) file = maker_new();
        size_t directory = file->len;
        maker_tag(file, FIF_DIR, 32, NULL, 0);
        maker_finish(file);
        bytes_store_be32(file->data + 52, good ? (uint32_t) directory : 1000000000);
        g_autoptr(owned_fif) fif = walk_good(file);
        if (good)
            assert_int_equal(fif->warnings->len, 0);
        else
            assert_warned(fif, "the directory is not where it is said to be");
    }
}

static void add_entry(GByteArray *file, int32_t kind, size_t offset)
{
    maker_header(file, kind, FIF_TYPE_INT32, 4, (int32_t) offset);
}

// A block that a C program inserted: a link leads to the end of the file, and one from there back.
// Without a directory that is a loop waiting to happen, and refused.
static void a_block_inserted_by_links_is_found_by_the_directory(void **state)
{
    (void) state;
    for (int good = 0; good < 2; good++) {
        g_autoptr(GByteArray) file = maker_new();
        size_t start = file->len;
        maker_start(file, FIF_BLOCK_MEAS);
        size_t inside = file->len;
        maker_int(file, 901, 7);
        maker_end(file, FIF_BLOCK_MEAS);
        size_t directory = file->len;
        maker_header(file, FIF_DIR, 32, 6 * 16, -1);
        size_t inserted = directory + 16 + 6 * 16;
        add_entry(file, FIF_BLOCK_START, inserted); // in whatever order
        add_entry(file, FIF_BLOCK_END, inserted + 20);
        add_entry(file, FIF_FILE_ID, 0);
        add_entry(file, FIF_BLOCK_START, start);
        add_entry(file, 901, inside);
        add_entry(file, FIF_BLOCK_END, inside + 20);
        maker_start(file, 358);
        maker_end(file, 358);
        bytes_store_be32(file->data + start + 12, (uint32_t) inserted);
        bytes_store_be32(file->data + inserted + 20 + 12, (uint32_t) inside);
        bytes_store_be32(file->data + 52, good ? (uint32_t) directory : 4);
        if (!good) {
            assert_refused(file, "expected the next tag from");
            continue;
        }
        g_autoptr(owned_fif) fif = walk_good(file);
        assert_warned(fif, "the directory is followed");
        size_t block = fif_find_block(fif, 0, FIF_BLOCK_MEAS);
        int32_t value = 0;
        assert_true(fif_get_int(fif, block, 901, &value, NULL));
        assert_int_equal(value, 7);
        assert_int_not_equal(fif_find_block(fif, 0, 358), 0);
    }
}

static void old_packs_are_integers_on_a_line(void **state)
{
    (void) state;
    for (guint cut = 0; cut < 2; cut++) {
        g_autoptr(GByteArray) file = maker_new();
        maker_header(file, 901, FIF_TYPE_OLD_PACK, cut ? 7 : 12, 0);
        maker_word(file, bytes_of_float(1.5F)); // offset
        maker_word(file, bytes_of_float(0.25F));
        maker_word(file, 0xfffc0008); // -4, 8
        if (cut)
            g_byte_array_set_size(file, file->len - 5);
        maker_finish(file);
        g_autoptr(owned_fif) fif = walk_good(file);
        g_auto(owned_fif_numbers) numbers = {0};
        struct io_context io = io_context_default();
        g_autoptr(GError) error = NULL;
        bool ok = fif_numbers(fif, fif_find(fif, 0, 901), &numbers, &io, &error);
        assert_true(ok == !cut);
        if (cut)
            continue;
        assert_int_equal(numbers.n, 2);
        assert_true(numbers.values[0] == 0.5 && numbers.values[1] == 3.5);
    }
}

static void a_last_buffer_that_is_cut_is_left_out(void **state)
{
    (void) state;
    static const uint8_t zeros[64] = {0};
    g_autoptr(GByteArray) file = maker_new();
    maker_tag(file, FIF_DATA_BUFFER, FIF_TYPE_INT16, zeros, 64);
    size_t n = file->len;
    maker_tag(file, FIF_DATA_BUFFER, FIF_TYPE_INT16, zeros, 64);
    g_byte_array_set_size(file, (guint) n + 40);
    g_autoptr(owned_fif) fif = walk_good(file);
    assert_warned(fif, "ends inside a data buffer");
    assert_int_equal(fif->n_tags, 2);

    // Longer than any before it: a lie. And no other tag may be cut.
    bytes_store_be32(file->data + n + 8, 65);
    assert_refused(file, "expected 65 bytes, found 24");
    bytes_store_be32(file->data + n + 8, 64);
    bytes_store_be32(file->data + n, FIF_EPOCH);
    assert_refused(file, "expected 64 bytes, found 24");
}

static void the_index_keeps_within_the_memory_limit(void **state)
{
    (void) state;
    g_autoptr(GByteArray) file = maker_new();
    for (int i = 0; i < 1000; i++)
        maker_int(file, FIF_NCHAN, i);
    maker_finish(file);
    struct io_context io = io_context_default();
    io.mem_limit = 8192;
    GError *error = NULL;
    assert_null(fif_of_bytes("x.fif", file->data, file->len, &io, &error));
    assert_io_error(&error, IO_ERROR_MEMORY, "too many for the memory");
}

// What payloads hold.

static void values_that_are_not_there_stay(void **state)
{
    (void) state;
    g_autoptr(GByteArray) file = maker_new();
    maker_finish(file);
    g_autoptr(owned_fif) fif = walk_good(file);
    struct io_context io = io_context_default();
    int32_t integer = 17;
    double real = 0.5;
    g_autofree char *text = g_strdup("here");
    assert_true(fif_get_int(fif, 0, 900, &integer, NULL));
    assert_true(fif_get_real(fif, 0, 900, &real, NULL));
    assert_true(fif_get_string(fif, 0, 900, &text, &io, NULL));
    assert_true(integer == 17 && real == 0.5);
    assert_string_equal(text, "here");
}

static void numbers_are_one_and_of_their_kind(void **state)
{
    (void) state;
    static const float floats[] = {1.5f, 2.0f};
    static const uint8_t three[] = {1, 2, 3};
    g_autoptr(GByteArray) file = maker_new();
    maker_float(file, 901, 1.5f);
    maker_floats(file, 902, floats, 2);
    maker_tag(file, 903, FIF_TYPE_FLOAT, three, 2);
    maker_string(file, 904, "12");
    maker_float(file, 905, 3e9f);
    maker_finish(file);
    g_autoptr(owned_fif) fif = walk_good(file);
    GError *error = NULL;
    int32_t integer = 0;
    double real = 0.0;
    assert_true(fif_get_real(fif, 0, 901, &real, NULL));
    assert_true(real == 1.5);
    assert_false(fif_get_int(fif, 0, 901, &integer, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "expected an integer, found 1.5");
    assert_false(fif_get_real(fif, 0, 902, &real, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "expected one number, found 2");
    assert_false(fif_get_real(fif, 0, 903, &real, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "found 2 bytes");
    assert_false(fif_get_real(fif, 0, 904, &real, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "found type 0xa");
    assert_false(fif_get_int(fif, 0, 905, &integer, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "expected an integer, found 3e+09");
}

static void texts_are_latin_1(void **state)
{
    (void) state;
    g_autoptr(GByteArray) file = maker_new();
    maker_tag(file, 901, FIF_TYPE_STRING, "2 \xd7 \xb5V\0junk", 10);
    maker_string(file, 902, "MEG 0113:a{COLON}b:");
    maker_int(file, 903, 5);
    maker_finish(file);
    g_autoptr(owned_fif) fif = walk_good(file);
    struct io_context io = io_context_default();
    g_autofree char *text = NULL;
    assert_true(fif_get_string(fif, 0, 901, &text, &io, NULL));
    assert_string_equal(text, "2 \u00d7 \u00b5V");
    g_auto(GStrv) names = NULL;
    assert_true(fif_get_names(fif, 0, 902, &names, &io, NULL));
    assert_int_equal(g_strv_length(names), 3);
    assert_string_equal(names[0], "MEG 0113");
    assert_string_equal(names[1], "a:b");
    assert_string_equal(names[2], "");
    GError *error = NULL;
    assert_false(fif_get_string(fif, 0, 903, &text, &io, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "expected a string, found type 3");
}

static void matrices_have_the_size_they_say(void **state)
{
    (void) state;
    static const float values[] = {1, 2, 3, 4, 5, 6};
    static const struct {
        uint32_t columns, rows, n_dimensions;
        int32_t type;
        const char *refusal;
    } rows[] = {
        {3, 2, 2, 0x40000004, NULL},
        {2, 2, 2, 0x40000004, "expected 2 x 2 float32, found 24 bytes"},
        {3, 3, 2, 0x40000004, "expected 3 x 3"},
        {0x80000003, 0x80000000, 2, 0x40000004, "found 24 bytes"},
        {3, 2, 0, 0x40000004, "found 0"},
        {3, 2, 9, 0x40000004, "found 9"},
        {3, 2, 7, 0x40000004, "expected"}, // more than the payload has room for
        {3, 2, 0xffffffff, 0x40000004, "found 4294967295"},
        {3, 2, 2, 0x40100004, "found type 0x40100004"}, // sparse
        {3, 2, 2, 0x4000000a, "found type 0x4000000a"}, // of strings
    };
    struct io_context io = io_context_default();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) file = maker_new();
        size_t at = file->len;
        maker_matrix(file, 901, values, 2, 3);
        size_t end = file->len;
        bytes_store_be32(file->data + at + 4, (uint32_t) rows[i].type);
        bytes_store_be32(file->data + end - 12, rows[i].columns);
        bytes_store_be32(file->data + end - 8, rows[i].rows);
        bytes_store_be32(file->data + end - 4, rows[i].n_dimensions);
        maker_finish(file);
        g_autoptr(owned_fif) fif = walk_good(file);
        g_auto(owned_fif_numbers) numbers = {0};
        GError *error = NULL;
        bool ok = fif_numbers(fif, fif_find(fif, 0, 901), &numbers, &io, &error);
        if (rows[i].refusal != NULL) {
            assert_false(ok);
            assert_io_error(&error, IO_ERROR_INPUT, rows[i].refusal);
            continue;
        }
        assert_true(ok);
        assert_int_equal(numbers.n_rows, 2);
        assert_int_equal(numbers.n_columns, 3);
        assert_true(numbers.values[0] == 1.0 && numbers.values[5] == 6.0);
    }
}

static void maker_transform(GByteArray *file, uint32_t from, uint32_t to, float shift)
{
    static const float forth[] = {0, -1, 0, 1, 0, 0, 0, 0, 1};
    static const float back[] = {0, 1, 0, -1, 0, 0, 0, 0, 1};
    maker_header(file, FIF_COORD_TRANS, FIF_TYPE_TRANSFORM, 104, 0);
    maker_word(file, from);
    maker_word(file, to);
    for (int i = 0; i < 9; i++)
        maker_word(file, bytes_of_float(forth[i]));
    for (int i = 0; i < 3; i++)
        maker_word(file, bytes_of_float(i == 0 ? shift : 0.0f));
    for (int i = 0; i < 9; i++)
        maker_word(file, bytes_of_float(back[i]));
    for (int i = 0; i < 3; i++)
        maker_word(file, bytes_of_float(i == 1 ? shift : 0.0f));
}

static void transforms_are_found_in_either_direction(void **state)
{
    (void) state;
    g_autoptr(GByteArray) file = maker_new();
    maker_transform(file, 1004, 4, 0.0f);
    maker_transform(file, FIF_FRAME_MRI, FIF_FRAME_HEAD, 0.5f);
    maker_finish(file);
    g_autoptr(owned_fif) fif = walk_good(file);
    float transform[3][4];
    bool found = false;
    assert_true(fif_get_transform(fif, 0, FIF_FRAME_MRI, FIF_FRAME_HEAD, transform, &found, NULL));
    assert_true(found && transform[0][1] == -1.0f && transform[0][3] == 0.5f);
    assert_true(fif_get_transform(fif, 0, FIF_FRAME_HEAD, FIF_FRAME_MRI, transform, &found, NULL));
    assert_true(found && transform[0][1] == 1.0f && transform[1][3] == 0.5f);
    assert_true(
        fif_get_transform(fif, 0, FIF_FRAME_DEVICE, FIF_FRAME_HEAD, transform, &found, NULL));
    assert_false(found);

    g_autoptr(GByteArray) bad = maker_new();
    maker_transform(bad, FIF_FRAME_MRI, FIF_FRAME_HEAD, INFINITY);
    maker_finish(bad);
    g_autoptr(owned_fif) infinite = walk_good(bad);
    GError *error = NULL;
    assert_false(
        fif_get_transform(infinite, 0, FIF_FRAME_MRI, FIF_FRAME_HEAD, transform, &found, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "expected finite numbers");
}

static void channels_are_as_many_as_are_said(void **state)
{
    (void) state;
    static const int32_t counts[] = {0, 1, 3, -2, 1000000000};
    struct io_context io = io_context_default();
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autoptr(GByteArray) file = maker_new();
        maker_int(file, FIF_NCHAN, counts[i]);
        maker_channel(file, "A", 2, 107, 1.0f, 1.0f);
        maker_channel(file, "B", 2, 107, 1.0f, 1.0f);
        maker_finish(file);
        g_autoptr(owned_fif) fif = walk_good(file);
        GError *error = NULL;
        assert_null(fif_channels(fif, 0, &io, &error));
        assert_io_error(&error, IO_ERROR_INPUT, "as many as records");
    }
}

static void records_of_channels_are_whole_and_finite(void **state)
{
    (void) state;
    struct io_context io = io_context_default();
    static const float gains[][2] = {{NAN, 1.0f}, {1.0f, INFINITY}};
    for (size_t i = 0; i < G_N_ELEMENTS(gains); i++) {
        g_autoptr(GByteArray) file = maker_new();
        maker_int(file, FIF_NCHAN, 1);
        maker_channel(file, "A", 2, 107, gains[i][0], gains[i][1]);
        maker_finish(file);
        g_autoptr(owned_fif) fif = walk_good(file);
        GError *error = NULL;
        assert_null(fif_channels(fif, 0, &io, &error));
        assert_io_error(&error, IO_ERROR_INPUT, "expected a finite range and cal");
    }
    g_autoptr(GByteArray) file = maker_new();
    static const uint8_t zeros[40] = {0};
    maker_int(file, FIF_NCHAN, 1);
    maker_tag(file, FIF_CH_INFO, FIF_TYPE_CH_INFO, zeros, sizeof zeros);
    maker_finish(file);
    g_autoptr(owned_fif) fif = walk_good(file);
    GError *error = NULL;
    assert_null(fif_channels(fif, 0, &io, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "expected type 30, 96 bytes, found type 30, 40 bytes");
}

static void long_names_take_the_place_of_short_ones(void **state)
{
    (void) state;
    struct io_context io = io_context_default();
    g_autoptr(GByteArray) file = maker_new();
    maker_int(file, FIF_NCHAN, 2);
    maker_channel(file, "a rather long n0", 2, 107, 1.0f, 1.0f); // 16 bytes, no NUL
    maker_channel(file, "B", 2, 107, 1.0f, 1.0f);
    maker_start(file, FIF_BLOCK_CH_INFO);
    maker_string(file, FIF_CH_DACQ_NAME, "a rather long name");
    maker_end(file, FIF_BLOCK_CH_INFO);
    maker_start(file, FIF_BLOCK_CH_INFO); // without a name: the short one stays
    maker_end(file, FIF_BLOCK_CH_INFO);
    maker_finish(file);
    g_autoptr(owned_fif) fif = walk_good(file);
    g_autoptr(owned_fif_channels) channels = fif_channels(fif, 0, &io, NULL);
    assert_non_null(channels);
    assert_string_equal(channels->channel[0].short_name, "a rather long n0");
    assert_string_equal(channels->channel[0].name, "a rather long name");
    assert_string_equal(channels->channel[1].name, "B");
    g_auto(GStrv) names = g_strsplit("B:a rather long n0:C", ":", -1);
    fif_lengthen_names(channels, names);
    assert_string_equal(names[0], "B");
    assert_string_equal(names[1], "a rather long name");
    assert_string_equal(names[2], "C");
}

// Bytes changed at random: every answer is a value or an error, soon, whatever they say.

static void ask_everything(const uint8_t *bytes, size_t n)
{
    struct io_context io = io_context_default();
    io.mem_limit = 1 << 20;
    g_autoptr(GError) error = NULL;
    g_autoptr(owned_fif) fif = fif_of_bytes("x.fif", bytes, n, &io, &error);
    assert_true((fif == NULL) == (error != NULL));
    if (fif == NULL)
        return;
    g_autoptr(GError) of_forward = NULL;
    g_autoptr(owned_forward) forward = fif_forward_of(fif, &io, &of_forward);
    assert_true((forward == NULL) == (of_forward != NULL));
    g_autoptr(GError) of_covariance = NULL;
    g_autoptr(owned_covariance) covariance = fif_covariance_of(fif, &io, &of_covariance);
    assert_true((covariance == NULL) == (of_covariance != NULL));
    g_autoptr(GError) of_sensors = NULL;
    size_t info = fif_find_block(fif, 0, FIF_BLOCK_MEAS_INFO);
    g_autoptr(owned_sensors) sensors = fif_sensors(fif, info, false, &io, &of_sensors);
    assert_true((sensors == NULL) == (of_sensors != NULL));
    if (sensors != NULL)
        fif_annotations(fif, info, 0.0, sensors, &io, NULL);
}

/** A small file that has something of everything. */
static GByteArray *everything(void)
{
    static const float numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const uint8_t in_use[] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1};
    GByteArray *file = maker_new();
    maker_info(file, 2, 250.0f);
    maker_start(file, FIF_BLOCK_ANNOTATIONS);
    maker_floats(file, FIF_ANNOTATION_ONSET, numbers, 2);
    maker_floats(file, FIF_ANNOTATION_END, numbers + 1, 2);
    maker_string(file, FIF_COMMENT, "a:b");
    maker_end(file, FIF_BLOCK_ANNOTATIONS);
    maker_end(file, FIF_BLOCK_MEAS);
    maker_start(file, FIF_BLOCK_MNE);
    maker_start(file, FIF_BLOCK_PARENT_MRI);
    maker_transform(file, FIF_FRAME_MRI, FIF_FRAME_HEAD, 0.5f);
    maker_end(file, FIF_BLOCK_PARENT_MRI);
    maker_start(file, FIF_BLOCK_PARENT_MEAS);
    maker_int(file, FIF_NCHAN, 2);
    maker_channel(file, "EEG 001", 2, 107, 1.0f, 1.0f);
    maker_channel(file, "EEG 002", 2, 107, 1.0f, 1.0f);
    maker_end(file, FIF_BLOCK_PARENT_MEAS);
    maker_start(file, FIF_BLOCK_SOURCE_SPACE);
    maker_int(file, FIF_N_POINTS, 3);
    maker_matrix(file, FIF_SOURCE_POINTS, numbers, 3, 3);
    maker_matrix(file, FIF_SOURCE_NORMALS, numbers, 3, 3);
    maker_tag(file, FIF_SOURCE_IN_USE, FIF_TYPE_INT32, in_use, sizeof in_use);
    maker_int(file, FIF_N_IN_USE, 2);
    maker_tag(file, FIF_SOURCE_NEAREST, FIF_TYPE_INT32, in_use, sizeof in_use);
    maker_end(file, FIF_BLOCK_SOURCE_SPACE);
    maker_start(file, FIF_BLOCK_FORWARD);
    maker_int(file, FIF_INCLUDED_METHODS, 2);
    maker_int(file, FIF_N_POINTS, 2);
    maker_int(file, FIF_NCHAN, 2);
    maker_start(file, FIF_BLOCK_NAMED_MATRIX);
    maker_string(file, FIF_COL_NAMES, "EEG 001:EEG 002");
    maker_matrix(file, FIF_FORWARD_GAIN, numbers, 6, 2);
    maker_end(file, FIF_BLOCK_NAMED_MATRIX);
    maker_end(file, FIF_BLOCK_FORWARD);
    maker_start(file, FIF_BLOCK_COV);
    maker_int(file, FIF_COV_DIM, 2);
    maker_string(file, FIF_ROW_NAMES, "EEG 001:EEG 002");
    maker_floats(file, FIF_COV, numbers, 3);
    maker_start(file, FIF_BLOCK_PROJ_ITEM);
    maker_string(file, FIF_NAME, "P");
    maker_string(file, FIF_PROJ_ITEM_CH_NAMES, "EEG 001:EEG 002");
    maker_int(file, FIF_PROJ_ITEM_NVEC, 1);
    maker_matrix(file, FIF_PROJ_ITEM_VECTORS, numbers, 1, 2);
    maker_end(file, FIF_BLOCK_PROJ_ITEM);
    maker_end(file, FIF_BLOCK_COV);
    maker_end(file, FIF_BLOCK_MNE);
    maker_finish(file);
    return file;
}

static void a_file_has_something_of_everything(void **state)
{
    (void) state;
    struct io_context io = io_context_default();
    g_autoptr(GByteArray) file = everything();
    g_autoptr(owned_fif) fif = walk_good(file);
    assert_int_equal(fif->warnings->len, 0);
    g_autoptr(owned_forward) forward = fif_forward_of(fif, &io, NULL);
    assert_non_null(forward);
    assert_true(forward->gain[2] == 3.0 && forward->gain[11] == 12.0);
    // Points are in the frame of the solution: (x, y, z) -> (-y + 0.5, x, z).
    assert_true(forward->space[0].points[3] == -4.5 && forward->space[0].points[4] == 4.0);
    assert_true(forward->space[0].normals[3] == -5.0 && forward->space[0].normals[4] == 4.0);
    g_autoptr(owned_covariance) covariance = fif_covariance_of(fif, &io, NULL);
    assert_non_null(covariance);
    assert_true(covariance->matrix[1] == 2.0 && covariance->matrix[2] == 2.0);
    assert_int_equal(covariance->projectors->len, 1);
    size_t info = fif_find_block(fif, 0, FIF_BLOCK_MEAS_INFO);
    g_autoptr(owned_sensors) sensors = fif_sensors(fif, info, false, &io, NULL);
    assert_non_null(sensors);
    assert_true(fif_annotations(fif, info, 0.5, sensors, &io, NULL));
    assert_int_equal(sensors->events->len, 2);
    assert_true(g_array_index(sensors->events, struct event, 0).onset_s == 0.5);
    assert_true(g_array_index(sensors->events, struct event, 0).duration_s == 1.0);
}

static void no_bytes_crash_it(void **state)
{
    (void) state;
    g_autoptr(GByteArray) file = everything();
    for (guint n = 0; n < file->len; n += 3)
        ask_everything(file->data, n);
    static const uint32_t words[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fc00000, 100};
    g_autoptr(GRand) rand = g_rand_new_with_seed(6);
    g_autofree uint8_t *bytes = g_malloc(file->len);
    for (int trial = 0; trial < 20000; trial++) {
        memcpy(bytes, file->data, file->len);
        for (gint32 change = g_rand_int_range(rand, 1, 4); change > 0; change--) {
            gint32 at = g_rand_int_range(rand, 20, (gint32) file->len - 4) & ~3;
            guint32 word =
                g_rand_boolean(rand)
                    ? words[g_rand_int_range(rand, 0, G_N_ELEMENTS(words))]
                    : bytes_load_be32(bytes + at) ^ (1u << g_rand_int_range(rand, 0, 32));
            bytes_store_be32(bytes + at, word);
        }
        ask_everything(bytes, file->len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_found_in_their_own_block_alone),
        cmocka_unit_test(links_lead_on),
        cmocka_unit_test(what_is_no_fif_file_is_refused),
        cmocka_unit_test(blocks_nest_up_to_a_limit),
        cmocka_unit_test(ends_of_blocks_that_do_not_match_are_told),
        cmocka_unit_test(a_missing_end_is_told),
        cmocka_unit_test(the_directory_is_looked_at_and_not_needed),
        cmocka_unit_test(a_block_inserted_by_links_is_found_by_the_directory),
        cmocka_unit_test(old_packs_are_integers_on_a_line),
        cmocka_unit_test(a_last_buffer_that_is_cut_is_left_out),
        cmocka_unit_test(the_index_keeps_within_the_memory_limit),
        cmocka_unit_test(values_that_are_not_there_stay),
        cmocka_unit_test(numbers_are_one_and_of_their_kind),
        cmocka_unit_test(texts_are_latin_1),
        cmocka_unit_test(matrices_have_the_size_they_say),
        cmocka_unit_test(transforms_are_found_in_either_direction),
        cmocka_unit_test(channels_are_as_many_as_are_said),
        cmocka_unit_test(records_of_channels_are_whole_and_finite),
        cmocka_unit_test(long_names_take_the_place_of_short_ones),
        cmocka_unit_test(a_file_has_something_of_everything),
        cmocka_unit_test(no_bytes_crash_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
