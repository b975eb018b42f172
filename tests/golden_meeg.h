// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The golden problems of sparse sources: what MNE-Python 1.3.0 found in
// real recordings, golden_meeg/ below TAUT_DATA.
#include "tests/check.h"

#include "io/array.h"

#include <stdbool.h>

/** An array of the golden folder, row-major; NULL where the folder is absent. */
static inline struct array *golden_array(const char *name)
{
    g_autofree char *relative = g_build_filename("golden_meeg", name, NULL);
    g_autofree char *path = shared_data(relative);
    if (path == NULL)
        return NULL;
    struct io_context io = io_context_default();
    g_autoptr(GError) error = NULL;
    struct array *array = array_read(path, &io, &error);
    assert_non_null(array);
    return array;
}

/** golden_array of "FOLDER/NAME". */
static inline struct array *golden_of(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return golden_array(path);
}

/** The n float64 numbers of a .npy file of any shape; to be freed. */
static inline double *golden_numbers(const char *name, size_t n)
{
    g_autofree char *relative = g_build_filename("golden_meeg", name, NULL);
    g_autofree char *path = shared_data(relative);
    g_autofree char *bytes = NULL;
    gsize size = 0;
    assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    assert_true(size > n * sizeof(double));
    return g_memdup2(bytes + size - n * sizeof(double), n * sizeof(double));
}

/** The columns of an array, one after the other. */
static inline double *columns_of(const struct array *array)
{
    double *columns = g_new(double, array->n_rows * array->n_columns);
    for (size_t i = 0; i < array->n_rows; i++)
        for (size_t j = 0; j < array->n_columns; j++)
            columns[j * array->n_rows + i] = array->values[i * array->n_columns + j];
    return columns;
}

/** G and M of a golden case. */
struct golden_case {
    size_t n_sensors, n_columns, n_orient, n_time;
    double *gain; // owned; column-major
    double *data; // owned; row-major
};

static inline void golden_case_free(struct golden_case *golden)
{
    if (golden == NULL)
        return;
    g_free(golden->gain);
    g_free(golden->data);
    g_free(golden);
}
typedef struct golden_case owned_golden_case;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_golden_case, golden_case_free)

/** "small_fixed", "small_loose" or "small_free"; NULL where the folder is absent. */
static inline struct golden_case *golden_case_read(const char *name)
{
    g_autoptr(owned_array) gain = golden_of(name, "gain_whitened.npy");
    g_autoptr(owned_array) data = golden_array("data_whitened.npy");
    if (gain == NULL || data == NULL)
        return NULL;
    struct golden_case *golden = g_new0(struct golden_case, 1);
    *golden = (struct golden_case){.n_sensors = gain->n_rows,
                                   .n_columns = gain->n_columns,
                                   .n_orient = gain->n_columns == 498 ? 1 : 3,
                                   .n_time = data->n_columns,
                                   .gain = columns_of(gain),
                                   .data = g_steal_pointer(&data->values)};
    return golden;
}
