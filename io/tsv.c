// SPDX-License-Identifier: BSD-3-Clause
#include "io/tsv.h"

#include "io/gz.h"
#include "io/text.h"

#include <math.h>
#include <string.h>

void tsv_free(struct tsv *tsv)
{
    if (tsv == NULL)
        return;
    g_strfreev(tsv->names);
    g_ptr_array_unref(tsv->rows);
    g_free(tsv);
}

static void free_fields(void *fields)
{
    g_strfreev(fields);
}

char *tsv_read_text(const char *path, const struct io_context *io, GError **error)
{
    g_autoptr(owned_gz) stream = gz_open(path, error);
    if (stream == NULL)
        return NULL;
    size_t most = (size_t) MIN(gz_size_limit(stream), io->mem_limit);
    size_t n = (size_t) gz_file_size(stream);
    g_autofree char *bytes = NULL;
    for (;; n *= 2) { // doubled where the stream is compressed
        g_free(bytes);
        n = MIN(MAX(n, 1), most);
        bytes = io_context_alloc(io, path, n + 1, 1, error);
        if (bytes == NULL)
            return NULL;
        size_t n_read = 0;
        gz_rewind(stream);
        enum gz_status status = gz_read(stream, bytes, n + 1, &n_read);
        if (status == GZ_END)
            return text_decode(bytes, n_read, NULL);
        if (status != GZ_OK || n >= most) {
            io_error_set(error, IO_ERROR_INPUT, path, "%s",
                         status != GZ_OK ? gz_describe(stream, status) : "more than fits");
            return NULL;
        }
    }
}

struct tsv *tsv_read(const char *path, const struct io_context *io, GError **error)
{
    g_autofree char *text = tsv_read_text(path, io, error);
    if (text == NULL)
        return NULL;
    g_autoptr(owned_tsv) tsv = g_new0(struct tsv, 1);
    tsv->rows = g_ptr_array_new_with_free_func(free_fields);
    size_t number = 0;
    char *begin = g_str_has_prefix(text, "\xef\xbb\xbf") ? text + 3 : text;
    for (char *line = begin, *rest = NULL; line != NULL; line = rest) {
        rest = strchr(line, '\n');
        if (rest != NULL)
            *rest++ = '\0';
        number++;
        if (*g_strchomp(line) == '\0')
            continue;
        char **fields = g_strsplit(line, "\t", -1);
        for (char **field = fields; *field != NULL; field++)
            g_strstrip(*field);
        if (tsv->names == NULL) {
            tsv->names = fields;
            continue;
        }
        g_ptr_array_add(tsv->rows, fields);
        if (g_strv_length(fields) != g_strv_length(tsv->names)) {
            io_error_set(error, IO_ERROR_INPUT, path, "line %zu: expected %u columns, found %u",
                         number, g_strv_length(tsv->names), g_strv_length(fields));
            return NULL;
        }
    }
    if (tsv->names != NULL)
        return g_steal_pointer(&tsv);
    io_error_set(error, IO_ERROR_INPUT, path, "expected the names of columns, found nothing");
    return NULL;
}

const char *tsv_field(const struct tsv *tsv, size_t row, const char *name)
{
    for (size_t i = 0; tsv->names[i] != NULL; i++) {
        const char *field = ((char **) tsv->rows->pdata[row])[i];
        if (strcmp(tsv->names[i], name) == 0)
            return *field == '\0' || strcmp(field, "n/a") == 0 ? NULL : field;
    }
    return NULL;
}

bool tsv_number(const struct tsv *tsv, size_t row, const char *name, double *value)
{
    const char *field = tsv_field(tsv, row, name);
    if (field == NULL)
        return true;
    char *end = NULL;
    double number = g_ascii_strtod(field, &end);
    if (end == field || *end != '\0' || !isfinite(number))
        return false;
    *value = number;
    return true;
}
