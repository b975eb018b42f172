// SPDX-License-Identifier: BSD-3-Clause
// Arrays as sets of series: rows of a .npy, columns of a table of text.
#include "io/array.h"
#include "io/gz.h"
#include "io/publish.h"
#include "io/table.h"
#include "io/text.h"

#include <string.h>

/** Turns columns into rows; names go with them. */
static bool transpose(struct array *array, const char *path, const struct io_context *io,
                      GError **error)
{
    size_t n_rows = array->n_rows, n_columns = array->n_columns;
    double *turned = io_context_alloc(io, path, n_rows * n_columns, sizeof *turned, error);
    if (turned == NULL)
        return false;
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < n_columns; j++)
            turned[j * n_rows + i] = array->values[i * n_columns + j];
    g_free(array->values);
    array->values = turned;
    array->n_rows = n_columns;
    array->n_columns = n_rows;
    return true;
}

struct array *array_read_series_stream(const char *path, struct gz *stream,
                                       const struct io_context *io, GError **error)
{
    g_autoptr(owned_array) array = array_read_stream(path, stream, io, error);
    if (array == NULL)
        return NULL;
    bool is_text = g_str_equal(array->type, "text");
    bool is_one_row = array->n_rows == 1 && array->names == NULL;
    if (is_text && !is_one_row && !transpose(array, path, io, error))
        return NULL;
    return g_steal_pointer(&array);
}

struct array *array_read_series(const char *path, const struct io_context *io, GError **error)
{
    g_autoptr(owned_gz) stream = gz_open(path, error);
    return stream == NULL ? NULL : array_read_series_stream(path, stream, io, error);
}

/** A name as a field of a table; quoted in a .csv where it has to be. */
static void append_name(GString *text, const char *name, char separator)
{
    g_autofree char *field = g_strdelimit(g_strdup(name), "\t\r\n#\"", ' ');
    bool is_split = separator == ' ' && strchr(field, ' ') != NULL;
    bool is_quoted = separator == ',' && strchr(field, ',') != NULL;
    if (is_split)
        g_strdelimit(field, " ", '_');
    if (*field == '\0')
        g_string_append(text, "n/a");
    else
        g_string_append_printf(text, is_quoted ? "\"%s\"" : "%s", field);
}

/** The shortest of %.15g, %.16g, %.17g that reads back as the same number; "n/a" of NaN. */
static void append_value(GString *text, double value)
{
    static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    if (value != value) {
        g_string_append(text, "n/a");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(digits, sizeof digits, formats[i], value);
        if (g_ascii_strtod(digits, NULL) == value)
            break;
    }
    g_string_append(text, digits);
}

static bool write_line(struct publish *output, GString *line, GError **error)
{
    g_string_append_c(line, '\n');
    bool done = publish_write(output, line->str, line->len, error);
    g_string_truncate(line, 0);
    return done;
}

bool array_is_table(const char *path)
{
    return table_format(path) != NULL && !text_has_suffix(path, ".gz");
}

bool array_write_table(const char *path, const struct array_table *table, bool overwrite,
                       GError **error)
{
    const char *format = table_format(path);
    char separator = g_str_equal(format, "csv") ? ',' : g_str_equal(format, "tsv") ? '\t' : ' ';
    g_autoptr(owned_publish) output = publish_new(path, overwrite, error);
    g_autoptr(GString) line = g_string_new(NULL);
    if (output == NULL)
        return false;
    for (size_t v = 0; table->names != NULL && v < table->n_series; v++) {
        if (v > 0)
            g_string_append_c(line, separator);
        append_name(line, table->names[v], separator);
    }
    if (table->names != NULL && !write_line(output, line, error))
        return false;
    for (size_t t = 0; t < table->n_time; t++) {
        for (size_t v = 0; v < table->n_series; v++) {
            if (v > 0)
                g_string_append_c(line, separator);
            append_value(line, table->value(table->data, v, t));
        }
        if (!write_line(output, line, error))
            return false;
    }
    return publish_commit(output, error);
}

static double value_of_rows(const void *data, size_t v, size_t t)
{
    const struct array *array = data;
    return array->values[v * array->n_columns + t];
}

bool array_write_series(const char *path, const struct array *array, bool overwrite, GError **error)
{
    const size_t shape[] = {array->n_rows, array->n_columns};
    const struct array_table table = {array->n_rows, array->n_columns,
                                      (const char *const *) array->names, value_of_rows, array};
    return array_is_table(path)
               ? array_write_table(path, &table, overwrite, error)
               : array_write_npy(path, array->values, shape, G_N_ELEMENTS(shape), overwrite, error);
}
