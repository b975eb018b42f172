// SPDX-License-Identifier: BSD-3-Clause
#include "io/table.h"

#include "io/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES = 16 << 20,  // longest line
    CHUNK_BYTES = 64 << 10, // read at a time
    QUOTE_BYTES = 40,       // of a field, in a message
};

const char *table_format(const char *path)
{
    static const char *const formats[] = {"1D", "csv", "par", "tsv", "txt"};
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_autofree char *plain = g_strconcat(".", formats[i], NULL);
        g_autofree char *compressed = g_strconcat(plain, ".gz", NULL);
        if (text_has_suffix(path, plain) || text_has_suffix(path, compressed))
            return formats[i];
    }
    return NULL;
}

/** A table that is being read. */
struct table {
    const char *path;
    struct gz *stream;
    const struct io_context *io;
    char separator; // '\0': blanks
    size_t line;    // number of the line under way
    GString *text;  // owned: that line
    char *buffer;   // owned: CHUNK_BYTES read ahead
    size_t at;      //
    size_t n;       //
    struct array *array;
    size_t n_values;
    size_t capacity;
};

static bool fail(const struct table *table, size_t column, GError **error, const char *expected,
                 const char *found)
{
    if (column > 0)
        io_error_set(error, IO_ERROR_INPUT, table->path,
                     "line %zu, column %zu: expected %s, found %s", table->line, column, expected,
                     found);
    else
        io_error_set(error, IO_ERROR_INPUT, table->path, "line %zu: expected %s, found %s",
                     table->line, expected, found);
    return false;
}

enum line_status { LINE_THERE, LINE_NONE, LINE_ERROR };

static bool read_ahead(struct table *table, GError **error)
{
    table->at = 0;
    enum gz_status status = gz_read(table->stream, table->buffer, CHUNK_BYTES, &table->n);
    if (status == GZ_OK || status == GZ_END)
        return true;
    io_error_set(error, IO_ERROR_INPUT, table->path, "after line %zu: %s", table->line,
                 gz_describe(table->stream, status));
    return false;
}

/** The next line, without its end (LF or CR LF). */
static enum line_status next_line(struct table *table, GError **error)
{
    table->line++;
    g_string_truncate(table->text, 0);
    bool ended = false;
    while (!ended) {
        if (table->at == table->n && !read_ahead(table, error))
            return LINE_ERROR;
        if (table->n == 0)
            break;
        const char *begin = table->buffer + table->at;
        const char *end = memchr(begin, '\n', table->n - table->at);
        ended = end != NULL;
        size_t count = ended ? (size_t) (end - begin) : table->n - table->at;
        table->at += count + ended;
        if (table->text->len + count > LINE_BYTES) {
            fail(table, 0, error, "at most 16 MiB", "more");
            return LINE_ERROR;
        }
        g_string_append_len(table->text, begin, (gssize) count);
    }
    if (!ended && table->text->len == 0)
        return LINE_NONE;
    if (memchr(table->text->str, '\0', table->text->len) != NULL) {
        fail(table, 0, error, "text", "a NUL byte");
        return LINE_ERROR;
    }
    return LINE_THERE;
}

/** Cuts off a comment and the blanks at both ends (not tabs that separate). */
static char *trim_line(struct table *table)
{
    char *text = table->text->str;
    if (table->line == 1 && g_str_has_prefix(text, "\xef\xbb\xbf"))
        text += 3; // byte order mark
    char *comment = strchr(text, '#');
    if (comment != NULL)
        *comment = '\0';
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\r' ||
                     (text[n - 1] == '\t' && table->separator != '\t')))
        text[--n] = '\0';
    while (*text == ' ' || (*text == '\t' && table->separator != '\t'))
        text++;
    return text;
}

/** Ends the field at *text and moves on to the next; NULL after the last. */
static char *next_field(char **text, char separator)
{
    char *field = *text;
    if (field == NULL)
        return NULL;
    if (separator == '\0') {
        size_t n = strcspn(field, " \t");
        *text = field[n] == '\0' ? NULL : field + n + 1 + strspn(field + n + 1, " \t");
        field[n] = '\0';
    } else {
        char *end = strchr(field, separator);
        *text = end == NULL ? NULL : end + 1;
        if (end != NULL)
            *end = '\0';
    }
    return g_strstrip(field);
}

static bool parse_number(const char *field, double *value)
{
    if (strcmp(field, "n/a") == 0) {
        *value = NAN;
        return true;
    }
    char *end = NULL;
    errno = 0;
    *value = g_ascii_strtod(field, &end);
    bool overflow = errno == ERANGE && isinf(*value);
    return end != field && *end == '\0' && !overflow;
}

static bool append(struct table *table, double value, GError **error)
{
    if (table->n_values == table->capacity) {
        size_t capacity = MAX(2 * table->capacity, 1024);
        double *values = io_context_alloc(table->io, table->path, capacity, sizeof value, error);
        if (values == NULL)
            return false;
        if (table->n_values > 0)
            memcpy(values, table->array->values, table->n_values * sizeof value);
        g_free(table->array->values);
        table->array->values = values;
        table->capacity = capacity;
    }
    table->array->values[table->n_values++] = value;
    return true;
}

static bool check_columns(const struct table *table, size_t n, GError **error)
{
    if (n == table->array->n_columns)
        return true;
    g_autofree char *expected = g_strdup_printf("%zu columns", table->array->n_columns);
    g_autofree char *found = g_strdup_printf("%zu", n);
    return fail(table, 0, error, expected, found);
}

static bool add_row(struct table *table, char *text, GError **error)
{
    size_t column = 0;
    for (char *field = next_field(&text, table->separator); field != NULL;
         field = next_field(&text, table->separator)) {
        double value = 0.0;
        column++;
        if (!parse_number(field, &value)) {
            g_autofree char *printable = text_excerpt(field, QUOTE_BYTES);
            g_autofree char *found = g_strdup_printf("\"%s\"", printable);
            return fail(table, column, error, "a number", found);
        }
        if (!append(table, value, error))
            return false;
    }
    if (table->array->n_rows == 0 && table->array->names == NULL)
        table->array->n_columns = column;
    table->array->n_rows++;
    return check_columns(table, column, error);
}

/** The names of the columns, where the first row has a field that is not a number. */
static bool take_names(struct table *table, const char *text)
{
    g_autofree char *copy = g_strdup(text);
    char *rest = copy;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    bool has_name = false;
    for (char *field = next_field(&rest, table->separator); field != NULL;
         field = next_field(&rest, table->separator)) {
        double value = 0.0;
        size_t n = strlen(field);
        has_name = has_name || !parse_number(field, &value);
        bool quoted = n >= 2 && field[0] == '"' && field[n - 1] == '"';
        g_ptr_array_add(names, quoted ? g_strndup(field + 1, n - 2) : g_strdup(field));
    }
    if (!has_name)
        return false;
    table->array->n_columns = names->len;
    g_ptr_array_add(names, NULL);
    table->array->names = (char **) g_ptr_array_free(g_steal_pointer(&names), FALSE);
    return true;
}

/** What separates the fields of a .csv by its first row: commas, else semicolons, else tabs. */
static char separator_of_csv(const char *text)
{
    static const char separators[] = ",;\t";
    for (const char *separator = separators; *separator != '\0'; separator++)
        if (strchr(text, *separator) != NULL)
            return *separator;
    return ',';
}

static bool read_rows(struct table *table, GError **error)
{
    bool at_first = true;
    for (;;) {
        enum line_status status = next_line(table, error);
        if (status != LINE_THERE)
            return status == LINE_NONE;
        char *text = trim_line(table);
        if (*text == '\0')
            continue;
        if (at_first && g_str_equal(table->array->format, "csv"))
            table->separator = separator_of_csv(text);
        bool is_header = at_first && take_names(table, text);
        at_first = false;
        if (!is_header && !add_row(table, text, error))
            return false;
        if (table->line % 4096 == 0 && !io_context_go_on(table->io, 0.0))
            return io_error_stopped(error, table->path);
    }
}

struct array *table_read(const char *path, struct gz *stream, const struct io_context *io,
                         GError **error)
{
    g_autoptr(owned_array) array = g_new0(struct array, 1);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *buffer = g_malloc(CHUNK_BYTES);
    array->format = table_format(path);
    array->type = "text";
    struct table table = {.path = path,
                          .stream = stream,
                          .io = io,
                          .separator = g_str_equal(array->format, "tsv") ? '\t' : '\0',
                          .text = text,
                          .buffer = buffer,
                          .array = array};
    if (!read_rows(&table, error))
        return NULL;
    if (array->n_rows == 0) {
        io_error_set(error, IO_ERROR_INPUT, path, "expected rows of numbers, found none");
        return NULL;
    }
    return g_steal_pointer(&array);
}
