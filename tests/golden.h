// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "tests/check.h"

#include <string.h>

/** An array of reference numbers, row-major. */
struct golden {
    size_t rows;
    size_t cols;
    double *data; // owned
};

static inline void golden_free(struct golden *golden)
{
    if (golden == NULL)
        return;
    g_free(golden->data);
    g_free(golden);
}
typedef struct golden owned_golden; // for g_autoptr(owned_golden)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_golden, golden_free)

/** Row i of the array: a series, where samples are rows. */
static inline double *golden_row(const struct golden *golden, size_t i)
{
    return golden->data + i * golden->cols;
}

/** The bytes of a file below tests/data, where TAUT_GOLDEN points to. */
static inline char *golden_file(const char *name, size_t *n_bytes)
{
    g_autofree char *path = g_build_filename(g_getenv("TAUT_GOLDEN"), name, NULL);
    g_autoptr(GError) error = NULL;
    char *bytes = NULL;
    if (!g_file_get_contents(path, &bytes, n_bytes, &error))
        fail_msg("%s", error->message);
    return bytes;
}

/** The array in the bytes of a little-endian float64 .npy file of one or two dimensions. */
static inline struct golden *golden_of_npy(const char *bytes, size_t n_bytes)
{
    assert_true(n_bytes > 10 && memcmp(bytes, "\x93NUMPY\x01", 7) == 0);
    size_t begin = 10 + (size_t) (unsigned char) bytes[8] + 256 * (size_t) (unsigned char) bytes[9];
    assert_true(begin <= n_bytes);
    g_autofree char *header = g_strndup(bytes + 10, begin - 10);
    const char *shape = strstr(header, "'shape': (");
    assert_non_null(shape);
    assert_non_null(strstr(header, "'<f8'"));
    assert_non_null(strstr(header, "'fortran_order': False"));

    struct golden *golden = g_new0(struct golden, 1);
    char *end = NULL;
    golden->rows = 1;
    golden->cols = g_ascii_strtoull(shape + strlen("'shape': ("), &end, 10);
    if (end[0] == ',' && end[1] == ' ') {
        golden->rows = golden->cols;
        golden->cols = g_ascii_strtoull(end + 2, NULL, 10);
    }
    assert_int_equal(n_bytes - begin, golden->rows * golden->cols * sizeof(double));
    golden->data = g_memdup2(bytes + begin, n_bytes - begin);
    return golden;
}

/** A .npy file below tests/data; one row where it has one dimension. */
static inline struct golden *golden_npy(const char *name)
{
    size_t n_bytes = 0;
    g_autofree char *bytes = golden_file(name, &n_bytes);
    return golden_of_npy(bytes, n_bytes);
}

/** The array `array` of golden/KIND.npy, found in its index golden/KIND.tsv. */
static inline struct golden *golden_array(const char *kind, const char *array)
{
    g_autofree char *index_name = g_strdup_printf("golden/%s.tsv", kind);
    g_autofree char *data_name = g_strdup_printf("golden/%s.npy", kind);
    size_t n_bytes = 0;
    g_autofree char *index = golden_file(index_name, &n_bytes);
    g_auto(GStrv) lines = g_strsplit(index, "\n", -1);
    for (size_t i = 1; lines[i] != NULL; i++) {
        g_auto(GStrv) fields = g_strsplit(lines[i], "\t", -1);
        if (g_strv_length(fields) != 4 || strcmp(fields[0], array) != 0)
            continue;
        struct golden *golden = golden_npy(data_name);
        double *all = golden->data;
        size_t n_all = golden->cols, offset = g_ascii_strtoull(fields[3], NULL, 10);
        golden->rows = g_ascii_strtoull(fields[1], NULL, 10);
        golden->cols = g_ascii_strtoull(fields[2], NULL, 10);
        assert_true(offset + golden->rows * golden->cols <= n_all);
        golden->data = g_memdup2(all + offset, golden->rows * golden->cols * sizeof(double));
        g_free(all);
        return golden;
    }
    fail_msg("%s has no array %s", index_name, array);
    return NULL;
}

/** A .csv file of numbers: lines of # are skipped, then one row of names. */
static inline struct golden *golden_csv(const char *name)
{
    size_t n_bytes = 0;
    g_autofree char *text = golden_file(name, &n_bytes);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    size_t line = 0;
    while (lines[line] != NULL && lines[line][0] == '#')
        line++;
    assert_non_null(lines[line]);

    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(double));
    struct golden *golden = g_new0(struct golden, 1);
    for (line++; lines[line] != NULL && lines[line][0] != '\0'; line++) {
        g_auto(GStrv) fields = g_strsplit(lines[line], ",", -1);
        golden->cols = g_strv_length(fields);
        golden->rows++;
        for (size_t i = 0; i < golden->cols; i++) {
            double number = g_ascii_strtod(fields[i], NULL);
            g_array_append_val(numbers, number);
        }
    }
    assert_int_equal(numbers->len, golden->rows * golden->cols);
    golden->data = g_memdup2(numbers->data, numbers->len * sizeof(double));
    return golden;
}

/** The number beside `quantity` in a table of scalars (quantity,value,note). */
static inline double golden_scalar(const char *name, const char *quantity)
{
    size_t n_bytes = 0;
    g_autofree char *text = golden_file(name, &n_bytes);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) fields = g_strsplit(lines[i], ",", 3);
        if (g_strcmp0(fields[0], quantity) == 0 && fields[1] != NULL)
            return g_ascii_strtod(fields[1], NULL);
    }
    fail_msg("%s has no %s", name, quantity);
    return NAN;
}

/** Column j of a table, as a new array of `rows` numbers. */
static inline double *golden_column(const struct golden *golden, size_t j)
{
    double *column = g_new0(double, golden->rows);
    for (size_t i = 0; i < golden->rows; i++)
        column[i] = golden->data[i * golden->cols + j];
    return column;
}
