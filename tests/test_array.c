// SPDX-License-Identifier: BSD-3-Clause
#include "tests/nifti_maker.h"

#include "io/array.h"
#include "io/recording.h"

#include <unistd.h>

static struct array *read_good(const char *path)
{
    struct io_context io = io_context_default();
    GError *error = NULL;
    struct array *array = array_read(path, &io, &error);
    if (array == NULL) {
        print_error("%s\n", error->message);
        fail();
    }
    return array;
}

static void check_refused(const char *path, const char *part, const char *file, int line)
{
    struct io_context io = io_context_default();
    GError *error = NULL;
    g_autoptr(owned_array) array = array_read(path, &io, &error);
    if (array != NULL)
        print_error("%s is accepted\n", path);
    check_error(&error, IO_ERROR_INPUT, part, file, line);
}

#define assert_refused(path, part) check_refused((path), (part), __FILE__, __LINE__)

/** A .npy: its header from the text of a dictionary, and `n` bytes of data. */
static char *write_npy(const char *folder, int version, const char *dictionary, const void *data,
                       size_t n)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    size_t length = strlen(dictionary);
    const uint8_t head[] = {0x93,
                            'N',
                            'U',
                            'M',
                            'P',
                            'Y',
                            (uint8_t) version,
                            0,
                            (uint8_t) length,
                            (uint8_t) (length >> 8),
                            0,
                            0};
    g_byte_array_append(bytes, head, version == 1 ? 10 : 12);
    g_byte_array_append(bytes, (const guint8 *) dictionary, (guint) length);
    g_byte_array_append(bytes, data, (guint) n);
    return write_file(folder, "a.npy", bytes->data, bytes->len);
}

static void every_type_and_order_of_npy_is_read(void **state)
{
    (void) state;
    static const struct {
        const char *descr;
        char kind;
        size_t size;
        const char *name;
    } types[] = {{"f8", 'f', 8, "float64"}, {"f4", 'f', 4, "float32"}, {"i1", 'i', 1, "int8"},
                 {"i2", 'i', 2, "int16"},   {"i4", 'i', 4, "int32"},   {"i8", 'i', 8, "int64"},
                 {"u1", 'u', 1, "uint8"},   {"u2", 'u', 2, "uint16"},  {"u4", 'u', 4, "uint32"},
                 {"u8", 'u', 8, "uint64"},  {"b1", 'u', 1, "bool"}};
    char *folder = temporary_folder();
    for (size_t k = 0; k < G_N_ELEMENTS(types); k++)
        for (int variant = 0; variant < 12; variant++) {
            bool big_endian = variant % 2;
            bool fortran = variant / 2 % 2;
            g_autofree char *dictionary =
                g_strdup_printf("{'descr': '%c%s', 'fortran_order': %s, 'shape': (3, 4), }   \n",
                                types[k].size == 1 ? '|' : (big_endian ? '>' : '<'), types[k].descr,
                                fortran ? "True" : "False");
            struct maker maker = {1, big_endian, g_byte_array_new()};
            for (size_t i = 0; i < 12; i++)
                append_number(&maker, types[k].kind, types[k].size, (double) i + 100);
            g_autofree char *path =
                write_npy(folder, 1 + variant / 4, dictionary, maker.bytes->data, maker.bytes->len);
            g_byte_array_unref(maker.bytes);
            g_autoptr(owned_array) array = read_good(path);
            assert_int_equal(array->n_rows, 3);
            assert_int_equal(array->n_columns, 4);
            assert_string_equal(array->format, "npy");
            assert_string_equal(array->type, types[k].name);
            assert_null(array->names);
            for (size_t r = 0; r < 3; r++)
                for (size_t c = 0; c < 4; c++)
                    assert_close(array->values[r * 4 + c],
                                 100 + (double) (fortran ? c * 3 + r : r * 4 + c), 0);
        }
    remove_folder(folder);
}

static void dictionaries_may_be_spelt_otherwise(void **state)
{
    (void) state;
    static const char *const good[] = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }",
        "{'shape':(2,),'fortran_order':True,'descr':'=f8'}",
        "{\"descr\":\"<f8\" , \"fortran_order\":False\n,\t\"shape\" : ( 1 , 2 , ) }  \n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)}",
    };
    static const double values[] = {1, 2};
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *path = write_npy(folder, 1, good[i], values, sizeof values);
        g_autoptr(owned_array) array = read_good(path);
        assert_int_equal(array->n_rows, 1);
        assert_int_equal(array->n_columns, 2);
        assert_memory_equal(array->values, values, sizeof values);
    }
    remove_folder(folder);
}

static void hostile_npy_headers_are_refused(void **state)
{
    (void) state;
    static const char *const bad[][2] = {
        {"", "dictionary"},
        {"{}", "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False}", "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'x': 1}", "dictionary"},
        {"{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "dictionary"},
        {"{'descr': '<f8', 'fortran_order': 0, 'shape': (2,)}", "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': 2}", "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (-2,)}", "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2L,)}", "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)} x", "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)", "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False 'shape': (2,)}", "dictionary"},
        {"{'descr': '<f8", "structure"},
        {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,)}", "structure"},
        {"{'descr': '<c16', 'fortran_order': False, 'shape': (2,)}", "another type"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", "another type"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2,)}", "another type"},
        {"{'descr': '', 'fortran_order': False, 'shape': (2,)}", "another type"},
        {"{'descr': 'f8', 'fortran_order': False, 'shape': (2,)}", "another type"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': ()}", "1 or 2 dimensions, found 0"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 2)}",
         "1 or 2 dimensions, found 3"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 2)}", "at least one number"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}", "found a file of"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", "found more"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967297)}",
         "found a file of"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}",
         "dictionary"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
         "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)}",
         "dictionary"},
        {"SECRET", "dictionary"},
    };
    static const double values[] = {1, 2};
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *path = write_npy(folder, 1, bad[i][0], values, sizeof values);
        assert_refused(path, bad[i][1]);
    }
    g_autofree char *version = write_npy(folder, 4, "{}", values, sizeof values);
    assert_refused(version, "version 1 to 3");
    static const uint8_t endless[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 0xff, 0xff, 0xff, 0xff};
    g_autofree char *length = write_file(folder, "a.npy", endless, sizeof endless);
    assert_refused(length, "at most 65535 bytes");
    for (size_t n = 0; n < 60; n++) {
        g_autofree char *path = write_npy(
            folder, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", values, 16);
        assert_int_equal(truncate(path, (off_t) n), 0);
        assert_refused(path, ": ");
    }
    remove_folder(folder);
}

static void npy_integers_that_a_double_cannot_hold_are_refused(void **state)
{
    (void) state;
    static const int64_t values[] = {INT64_C(1) << 60, (INT64_C(1) << 53) + 1};
    char *folder = temporary_folder();
    g_autofree char *fits =
        write_npy(folder, 1, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}", values, 8);
    g_autoptr(owned_array) array = read_good(fits);
    assert_close(array->values[0], 0x1p60, 0);
    g_autofree char *path =
        write_npy(folder, 1, "{'descr': '<u8', 'fortran_order': False, 'shape': (2,)}", values, 16);
    assert_refused(path, "number 2: expected an integer that a float64 can hold");
    remove_folder(folder);
}

static void assert_table(const char *folder, const char *name, const char *text, size_t n_rows,
                         size_t n_columns, const double *values)
{
    g_autofree char *path = write_file(folder, name, text, strlen(text));
    g_autoptr(owned_array) array = read_good(path);
    assert_int_equal(array->n_rows, n_rows);
    assert_int_equal(array->n_columns, n_columns);
    assert_string_equal(array->type, "text");
    for (size_t i = 0; i < n_rows * n_columns; i++)
        assert_true(array->values[i] == values[i] || (isnan(array->values[i]) && isnan(values[i])));
}

static void tables_of_all_kinds_are_read(void **state)
{
    (void) state;
    static const double v[] = {1, -2.5, 3e-4, 4, NAN, 6};
    char *folder = temporary_folder();
    assert_table(folder, "a.csv", "1,-2.5,3e-4\n4,n/a,6\n", 2, 3, v);
    assert_table(folder, "a.csv", " 1 ,\t-2.5, 3e-4\r\n\r\n4,n/a,6", 2, 3, v);
    assert_table(folder, "a.csv", "\xef\xbb\xbf# comment\n1,-2.5,3e-4 # more\n#4,5\n4,nan,6\n", 2,
                 3, v);
    assert_table(folder, "a.tsv", "1\t-2.5\t3e-4\n4\tn/a\t6\n", 2, 3, v);
    assert_table(folder, "a.txt", "  1 -2.5   3e-4\t\n\t4\tn/a 6\n\n", 2, 3, v);
    assert_table(folder, "b.csv", "1;-2.5;3e-4\n4;n/a;6\n", 2, 3, v);
    assert_table(folder, "c.csv", "1\t-2.5\t3e-4\n4\tn/a\t6\n", 2, 3, v);
    assert_table(folder, "a.1D", "# afni\n 1 -2.5 3e-4\n 4 n/a 6\n", 2, 3, v);
    assert_table(folder, "a.par", "1  -2.5  3e-4  \n4  n/a  6  \n", 2, 3, v);
    assert_table(folder, "A.CSV", "1,-2.5,3e-4\n4,n/a,6\n", 2, 3, v);
    assert_table(folder, "a.txt", "1\n-2.5\n3e-4\n4\nn/a\n6", 6, 1, v);
    remove_folder(folder);
}

static void the_first_row_may_have_names(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    static const char *const texts[][2] = {{"a.csv", "bold, \"two words\",1\n1,2,3\n4,5,6\n"},
                                           {"a.tsv", "# about\nbold\ttwo words\t1\n1\t2\t3\n"}};
    for (size_t i = 0; i < 2; i++) {
        g_autofree char *path = write_file(folder, texts[i][0], texts[i][1], strlen(texts[i][1]));
        g_autoptr(owned_array) array = read_good(path);
        assert_int_equal(array->n_rows, 2 - i);
        assert_int_equal(g_strv_length(array->names), 3);
        assert_string_equal(array->names[0], "bold");
        assert_string_equal(array->names[1], "two words");
        assert_string_equal(array->names[2], "1");
        assert_close(array->values[1], 2, 0);
    }
    remove_folder(folder);
}

static void what_is_wrong_in_a_table_is_told_by_line_and_column(void **state)
{
    (void) state;
    static const char *const bad[][3] = {
        {"a.csv", "1,2\n3,x\n", "line 2, column 2: expected a number, found \"x\""},
        {"a.csv", "1,2\n\n# c\n3,4,5\n", "line 4: expected 2 columns, found 3"},
        {"a.csv", "1,2\n3\n", "line 2: expected 2 columns, found 1"},
        {"a.csv", "1,2\n3,\n", "line 2, column 2: expected a number, found \"\""},
        {"a.csv", "1;2\n3,5;4\n", "line 2, column 1: expected a number, found \"3,5\""},
        {"a.csv", "1,2\n3,0,1\n", "line 2: expected 2 columns, found 3"},
        {"a.tsv", "1\t2\n3\t1 2\n", "line 2, column 2: expected a number, found \"1 2\""},
        {"a.txt", "1 2\n3 1,5\n", "line 2, column 2: expected a number, found \"1,5\""},
        {"a.csv", "1,2\n3,1e999\n", "line 2, column 2: expected a number"},
        {"a.csv", "1,2\n3,\x1b[31m\xff\n", "found \"\\x1b[31m\\xff\""},
        {"a.csv", "a,b\nc,d\n", "line 2, column 1: expected a number, found \"c\""},
        {"a.csv", "a,b\n1\n", "line 2: expected 2 columns, found 1"},
        {"a.csv", "", "expected rows of numbers, found none"},
        {"a.csv", "# nothing\n\n", "expected rows of numbers, found none"},
        {"a.csv", "a,b\n", "expected rows of numbers, found none"},
        {"a.csv", "1,2\n3,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "aaa...\""},
        {"a.dat", "1,2\n", "expected .npy, .csv, .tsv or .txt"},
    };
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *path = write_file(folder, bad[i][0], bad[i][1], strlen(bad[i][1]));
        assert_refused(path, bad[i][2]);
    }
    g_autofree char *nul = write_file(folder, "a.csv", "1,2\n3,4\0,5\n", 11);
    assert_refused(nul, "line 2: expected text, found a NUL byte");
    remove_folder(folder);
}

static void a_line_without_end_is_refused(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    size_t n = 17 << 20;
    g_autofree char *text = g_malloc(n);
    memset(text, '1', n);
    g_autofree char *path = write_file(folder, "a.csv", text, n);
    assert_refused(path, "line 1: expected at most 16 MiB, found more");
    remove_folder(folder);
}

static void a_large_table_keeps_every_digit(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    enum { N_ROWS = 3000, N_COLUMNS = 41 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autofree double *values = g_new(double, (size_t) N_ROWS *N_COLUMNS);
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < N_ROWS * N_COLUMNS; i++) {
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        values[i] = g_rand_double_range(rand, -1, 1) * pow(10, g_rand_int_range(rand, -300, 300));
        g_ascii_dtostr(number, sizeof number, values[i]);
        g_string_append(text, number);
        g_string_append_c(text, (i + 1) % N_COLUMNS == 0 ? '\n' : ',');
    }
    assert_table(folder, "a.csv", text->str, N_ROWS, N_COLUMNS, values);
    g_autoptr(GByteArray) gz = gzip_bytes((const uint8_t *) text->str, text->len, 6);
    g_autofree char *path = write_file(folder, "a.csv.gz", gz->data, gz->len);
    g_autoptr(owned_array) array = read_good(path);
    assert_memory_equal(array->values, values, N_ROWS * N_COLUMNS * sizeof *values);
    gz->data[gz->len / 2] ^= 1;
    g_autofree char *bad = write_file(folder, "bad.csv.gz", gz->data, gz->len);
    assert_refused(bad, ": ");
    struct io_context io = io_context_default();
    io.mem_limit = 100000;
    GError *error = NULL;
    assert_null(array_read(path, &io, &error));
    assert_io_error(&error, IO_ERROR_MEMORY, "a.csv.gz: needs");
    remove_folder(folder);
}

static void what_is_written_is_read_back(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    static const double values[] = {1, -2.5, 5e-324, 1.7976931348623157e308, -0.0, 1.0 / 3};
    g_autofree char *path = g_build_filename(folder, "a.npy", NULL);
    GError *error = NULL;
    static const size_t shape[] = {2, 3};
    assert_true(array_write_npy(path, values, shape, 2, false, &error));
    g_autoptr(owned_array) array = read_good(path);
    assert_true(array->n_rows == 2 && array->n_columns == 3);
    assert_memory_equal(array->values, values, sizeof values);
    assert_false(array_write_npy(path, values, shape, 2, false, &error));
    assert_io_error(&error, IO_ERROR_EXISTS, "exists already");
    assert_true(array_write_npy(path, values, (const size_t[]){6}, 1, true, &error));
    g_autoptr(owned_array) row = read_good(path);
    assert_true(row->n_rows == 1 && row->n_columns == 6);
    remove_folder(folder);
}

static void a_written_npy_is_aligned_and_says_its_shape(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    double values[24] = {0};
    g_autofree char *path = g_build_filename(folder, "a.npy", NULL);
    assert_true(array_write_npy(path, values, (const size_t[]){2, 3, 4}, 3, false, NULL));
    g_autofree char *bytes = NULL;
    gsize n = 0;
    assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    assert_int_equal(n % 64, 0);
    assert_int_equal(n, 128 + sizeof values);
    g_autofree char *dictionary = g_strndup(bytes + 10, 118);
    assert_true(g_str_has_prefix(
        dictionary, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3, 4), } "));
    assert_true(g_str_has_suffix(dictionary, " \n"));
    remove_folder(folder);
}

static void an_array_is_a_recording(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    static const double values[] = {1, 2, 3, 4, 5, 6};
    g_autofree char *npy = g_build_filename(folder, "a.npy", NULL);
    assert_true(array_write_npy(npy, values, (const size_t[]){2, 3}, 2, false, NULL));
    // Series are rows, or the columns of a table that names them.
    g_autofree char *csv = write_file(folder, "a.csv", "x,y\n1,4\n2,5\n3,6\n", 16);
    const char *const paths[] = {npy, csv};
    for (size_t k = 0; k < 2; k++) {
        struct io_context io = io_context_default();
        GError *error = NULL;
        g_autoptr(owned_recording) recording = recording_open(paths[k], &io, &error);
        assert_non_null(recording);
        assert_int_equal(recording->n_series, 2);
        assert_int_equal(recording->n_time, 3);
        assert_null(recording->grid);
        struct recording_summary summary;
        double mean[2];
        const struct recording_moments moments = {.mean = mean};
        assert_true(recording_scan(recording, &summary, &moments, &io, &error));
        assert_true(mean[0] == 2 && mean[1] == 5);
        assert_true(summary.minimum == 1 && summary.maximum == 6);
        assert_true(recording_read(recording, (const uint8_t[]){0, 1}, 1, 2, &io, &error));
        double value[2];
        recording_values(recording, 0, 0, 1, &value[0]);
        recording_values(recording, 1, 0, 1, &value[1]);
        assert_true(value[0] == 5 && value[1] == 6);
    }
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_and_order_of_npy_is_read),
        cmocka_unit_test(dictionaries_may_be_spelt_otherwise),
        cmocka_unit_test(hostile_npy_headers_are_refused),
        cmocka_unit_test(npy_integers_that_a_double_cannot_hold_are_refused),
        cmocka_unit_test(tables_of_all_kinds_are_read),
        cmocka_unit_test(the_first_row_may_have_names),
        cmocka_unit_test(what_is_wrong_in_a_table_is_told_by_line_and_column),
        cmocka_unit_test(a_line_without_end_is_refused),
        cmocka_unit_test(a_large_table_keeps_every_digit),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_written_npy_is_aligned_and_says_its_shape),
        cmocka_unit_test(an_array_is_a_recording),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
