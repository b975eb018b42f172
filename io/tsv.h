// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/io_context.h"

/** A table of text with named columns, as BIDS has them: tabs between, a line a row. */
struct tsv {
    char **names;    // owned, NULL-terminated
    GPtrArray *rows; // owned; of char **, each with as many fields as there are names
};

/**
 * Reads a table; text that is not UTF-8 is taken for latin-1. gzip by content. Error:
 * IO_ERROR_INPUT naming the line, or IO_ERROR_MEMORY.
 */
struct tsv *tsv_read(const char *path, const struct io_context *io, GError **error);
void tsv_free(struct tsv *tsv);
typedef struct tsv owned_tsv; // for g_autoptr(owned_tsv)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_tsv, tsv_free)

/** A whole file as UTF-8 text, to be freed; as tsv_read takes it. */
char *tsv_read_text(const char *path, const struct io_context *io, GError **error);

/** A field by the name of its column; NULL where there is no such column, or it is "n/a". */
const char *tsv_field(const struct tsv *tsv, size_t row, const char *name);

/**
 * A number that takes the whole field, finite. *value is untouched where the field is missing;
 * false: the field is there and is no number.
 */
bool tsv_number(const struct tsv *tsv, size_t row, const char *name, double *value);
