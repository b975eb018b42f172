// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/io_context.h"

/** What a .par begins with that is no table. */
#define PHILIPS_HEADER "# === DATA DESCRIPTION FILE"

/** A matrix in double, row-major: row r at values + r * n_columns. */
struct array {
    size_t n_rows;
    size_t n_columns;
    double *values;     // owned
    char **names;       // owned, NULL-terminated: the header of a table, or NULL
    const char *format; // "npy", "csv", "tsv", "txt"; static
    const char *type;   // "float64", ... as stored, or "text"; static
};

/**
 * Reads .npy (float32, float64, integers; C or Fortran order; 1-D becomes one row), or a table
 * .csv (comma), .tsv (tab), .txt (blanks) with `#` comments and an optional header row; "n/a" is
 * NaN. gzip by content. Error: IO_ERROR_INPUT naming line and column, or IO_ERROR_MEMORY.
 */
struct array *array_read(const char *path, const struct io_context *io, GError **error);

/** array_read of a file that is open already; the stream stays the caller's. */
struct gz;
struct array *array_read_stream(const char *path, struct gz *stream, const struct io_context *io,
                                GError **error);

/**
 * array_read of series: afterwards a row is a series, whatever the file. A table of text has its
 * frames in rows and its series in columns, whose names become those of the rows; but a table that
 * is one row of numbers is one series. A .npy has its series in rows.
 */
struct array *array_read_series(const char *path, const struct io_context *io, GError **error);
struct array *array_read_series_stream(const char *path, struct gz *stream,
                                       const struct io_context *io, GError **error);

/** Whether a file of this name that begins with these bytes is read by array_read. */
bool array_recognise(const char *path, const void *head, size_t n_head);

/** The same of the file that is there; by its name alone where it cannot be opened. */
bool array_recognise_file(const char *path);

void array_free(struct array *array);
typedef struct array owned_array; // for g_autoptr(owned_array)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_array, array_free)

/** Series for a table of text. */
struct array_table {
    size_t n_series;
    size_t n_time;
    const char *const *names; // borrowed, n_series of them; or NULL
    double (*value)(const void *data, size_t v, size_t t);
    const void *data; // borrowed
};

/** Whether a file of this name is written as a table. */
bool array_is_table(const char *path);

/**
 * Writes a table, by its name .csv, .tsv, or with blanks, by publish: a header where there are
 * names, then a row a frame, a column a series, each number as short as it reads back the same.
 */
bool array_write_table(const char *path, const struct array_table *table, bool overwrite,
                       GError **error);

/** Writes series, which are rows: as a table with their names, or as a .npy, by the file's name. */
bool array_write_series(const char *path, const struct array *array, bool overwrite,
                        GError **error);

/** Writes little-endian float64 .npy of any number of dimensions, row-major, by publish. */
bool array_write_npy(const char *path, const double *values, const size_t *shape, size_t n_dims,
                     bool overwrite, GError **error);

/** A float64 .npy of shape[0] rows of shape[1] numbers that is written piece by piece, by publish.
 */
struct npy_output;
struct npy_output *npy_output_new(const char *path, const size_t shape[2], bool overwrite,
                                  GError **error);

/** n numbers of a row, from a column on; pieces in any order, all of them once. */
bool npy_output_put(struct npy_output *output, size_t row, size_t column, const double *values,
                    size_t n, GError **error);
bool npy_output_commit(struct npy_output *output, GError **error);
void npy_output_free(struct npy_output *output);
typedef struct npy_output owned_npy_output; // for g_autoptr(owned_npy_output)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_npy_output, npy_output_free)
