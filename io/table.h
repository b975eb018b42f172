// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/array.h"
#include "io/gz.h"

/** "1D", "csv", "par", "tsv" or "txt" by the name of a file, .gz set aside; NULL: none of them. */
const char *table_format(const char *path);

/** Reads a table, as array_read does; the stream stands at its beginning. */
struct array *table_read(const char *path, struct gz *stream, const struct io_context *io,
                         GError **error);
