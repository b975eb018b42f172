// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/io_context.h"

/**
 * A table of text with a row a frame, as programs write confounds and movement: .tsv; .csv with
 * commas, semicolons or tabs; and columns between blanks (.par, .1D, .txt and any other name), with
 * lines that begin with # left out. The first row has the names of the columns where one of its
 * fields is no number.
 *
 * "", n/a, NA, None, null and NaN are missing, in any case.
 */
struct frame_table {
    size_t n_rows;
    size_t n_columns;
    double *values;   // owned; row-major; NaN: missing, or text
    char **names;     // owned, NULL-terminated; NULL: the file has none
    char **text;      // owned, n_columns: of each column the first field that is text, printable;
                      // NULL: all are numbers or missing
    size_t *text_row; // owned, n_columns: the row of that field
};

/** Reads it, gzip by content. Error: IO_ERROR_INPUT naming the line, or IO_ERROR_MEMORY. */
struct frame_table *frame_table_read(const char *path, const struct io_context *io, GError **error);
void frame_table_free(struct frame_table *table);
typedef struct frame_table owned_frame_table; // for g_autoptr(owned_frame_table)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_frame_table, frame_table_free)
