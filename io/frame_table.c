// SPDX-License-Identifier: BSD-3-Clause
#include "io/frame_table.h"

#include "io/text.h"
#include "io/tsv.h"

#include <math.h>
#include <string.h>

enum { QUOTE_BYTES = 40 }; // of a field, in a message

void frame_table_free(struct frame_table *table)
{
    if (table == NULL)
        return;
    for (size_t j = 0; table->text != NULL && j < table->n_columns; j++)
        g_free(table->text[j]);
    g_free(table->text);
    g_free(table->text_row);
    g_strfreev(table->names);
    g_free(table->values);
    g_free(table);
}

/** What stands between fields; '\0': blanks. */
static char separator_of(const char *path, const char *first_line)
{
    g_autofree char *name = g_ascii_strdown(path, -1);
    if (g_str_has_suffix(name, ".gz"))
        name[strlen(name) - strlen(".gz")] = '\0';
    if (g_str_has_suffix(name, ".tsv"))
        return '\t';
    if (!g_str_has_suffix(name, ".csv"))
        return '\0';
    if (strchr(first_line, ',') != NULL)
        return ',';
    return strchr(first_line, '\t') != NULL ? '\t' : strchr(first_line, ';') != NULL ? ';' : ',';
}

/** The fields of a line, without blanks and quotes around them. Owned. */
static char **split_line(char *line, char separator)
{
    const char text[] = {separator == '\0' ? ' ' : separator, '\0'};
    if (separator == '\0')
        g_strstrip(g_strdelimit(line, "\t\r", ' '));
    else if (separator != '\t')
        g_strstrip(line);
    char **fields = g_strsplit(line, text, -1);
    size_t n = 0;
    for (char **field = fields; *field != NULL; field++) {
        char *content = g_strstrip(*field);
        size_t length = strlen(content);
        if (length >= 2 && content[0] == '"' && content[length - 1] == '"') {
            content[length - 1] = '\0';
            memmove(content, content + 1, length - 1);
        }
        if (separator == '\0' && *content == '\0')
            g_free(*field);
        else
            fields[n++] = *field;
    }
    fields[n] = NULL;
    return fields;
}

static bool is_missing(const char *field)
{
    static const char *const words[] = {"", "n/a", "na", "none", "null", "nan"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(field, words[i]) == 0)
            return true;
    return false;
}

static bool is_number(const char *field, double *value)
{
    char *end = NULL;
    *value = is_missing(field) ? (double) NAN : g_ascii_strtod(field, &end);
    return end == NULL || (end != field && *end == '\0');
}

static bool has_names(char **fields)
{
    double value = 0.0;
    for (; *fields != NULL; fields++)
        if (!is_number(*fields, &value))
            return true;
    return false;
}

/** A table under way. */
struct reading {
    const char *path;
    struct frame_table *table;
    GArray *values; // owned elsewhere; of double
    size_t line;
};

static bool add_row(struct reading *reading, char **fields, GError **error)
{
    struct frame_table *table = reading->table;
    size_t n = g_strv_length(fields);
    if (n != table->n_columns) {
        io_error_set(error, IO_ERROR_INPUT, reading->path,
                     "line %zu: expected %zu columns, found %zu", reading->line, table->n_columns,
                     n);
        return false;
    }
    for (size_t j = 0; j < n; j++) {
        double value = 0.0;
        if (!is_number(fields[j], &value)) {
            value = (double) NAN;
            if (table->text[j] == NULL) {
                table->text[j] = text_excerpt(fields[j], QUOTE_BYTES);
                table->text_row[j] = table->n_rows;
            }
        }
        g_array_append_val(reading->values, value);
    }
    table->n_rows++;
    return true;
}

/** The first row: how many columns there are, and maybe their names. */
static bool begin(struct reading *reading, char **fields, GError **error)
{
    struct frame_table *table = reading->table;
    table->n_columns = g_strv_length(fields);
    table->text = g_new0(char *, table->n_columns + 1);
    table->text_row = g_new0(size_t, table->n_columns + 1);
    if (!has_names(fields))
        return add_row(reading, fields, error);
    table->names = g_strdupv(fields);
    return true;
}

static bool read_lines(struct reading *reading, char *text, GError **error)
{
    char separator = '\t';
    bool begun = false;
    for (char *line = text, *rest = NULL; line != NULL; line = rest) {
        rest = strchr(line, '\n');
        if (rest != NULL)
            *rest++ = '\0';
        reading->line++;
        const char *content = line + strspn(line, " \t\r");
        if (*content == '\0' || *content == '#')
            continue;
        if (!begun)
            separator = separator_of(reading->path, line);
        size_t n = strlen(line);
        if (n > 0 && line[n - 1] == '\r')
            line[n - 1] = '\0';
        g_auto(GStrv) fields = split_line(line, separator);
        if (!(begun ? add_row : begin)(reading, fields, error))
            return false;
        begun = true;
    }
    return true;
}

struct frame_table *frame_table_read(const char *path, const struct io_context *io, GError **error)
{
    g_autofree char *text = tsv_read_text(path, io, error);
    if (text == NULL)
        return NULL;
    g_autoptr(owned_frame_table) table = g_new0(struct frame_table, 1);
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
    struct reading reading = {path, table, values, 0};
    char *first = g_str_has_prefix(text, "\xef\xbb\xbf") ? text + 3 : text;
    if (!read_lines(&reading, first, error))
        return NULL;
    if (table->n_rows == 0) {
        io_error_set(error, IO_ERROR_INPUT, path, "expected rows of numbers, found none");
        return NULL;
    }
    table->values = (double *) (void *) g_array_free(g_steal_pointer(&values), FALSE);
    return g_steal_pointer(&table);
}
