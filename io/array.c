// SPDX-License-Identifier: BSD-3-Clause
#include "io/array.h"

#include "io/gz.h"
#include "io/input.h"
#include "io/npy.h"
#include "io/publish.h"
#include "io/table.h"
#include "io/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void array_free(struct array *array)
{
    if (array == NULL)
        return;
    g_free(array->values);
    g_strfreev(array->names);
    g_free(array);
}

static bool stream_error(GError **error, const char *path, const struct gz *stream,
                         enum gz_status status)
{
    io_error_set(error, IO_ERROR_INPUT, path, "%s", gz_describe(stream, status));
    return false;
}

/** The header of a .npy: its version, its length, its dictionary. */
static bool read_npy_header(const char *path, struct gz *stream, struct npy_header *header,
                            GError **error)
{
    uint8_t head[NPY_MAGIC_BYTES + 2];
    uint8_t length_bytes[4] = {0};
    size_t n = 0;
    gz_read(stream, head, sizeof head, &n);
    unsigned major = n == sizeof head && npy_recognise(head, n) ? head[NPY_MAGIC_BYTES] : 0;
    if (major < 1 || major > 3) {
        io_error_set(error, IO_ERROR_INPUT, path,
                     "header: expected that of a .npy, version 1 to 3");
        return false;
    }
    enum gz_status status = gz_read(stream, length_bytes, major == 1 ? 2 : 4, &n);
    uint32_t length = length_bytes[0] | (uint32_t) length_bytes[1] << 8 |
                      (uint32_t) length_bytes[2] << 16 | (uint32_t) length_bytes[3] << 24;
    if (status == GZ_OK && length > G_MAXUINT16) {
        io_error_set(error, IO_ERROR_INPUT, path, "header: expected at most 65535 bytes, found %u",
                     length);
        return false;
    }
    g_autofree char *text = g_malloc(length + 1);
    if (status == GZ_OK)
        status = gz_read(stream, text, length, &n);
    if (status != GZ_OK)
        return stream_error(error, path, stream, status);
    const char *reason = NULL;
    bool parsed = npy_parse(header, text, length, &reason);
    if (!parsed)
        io_error_set(error, IO_ERROR_INPUT, path, "header: %s", reason);
    return parsed;
}

/** 1-D is one row, 2-D is itself. */
static bool find_shape(const char *path, const struct npy_header *header, struct array *array,
                       GError **error)
{
    if (header->n_dims != 1 && header->n_dims != 2) {
        io_error_set(error, IO_ERROR_INPUT, path, "shape: expected 1 or 2 dimensions, found %zu",
                     header->n_dims);
        return false;
    }
    array->n_rows = header->n_dims == 1 ? 1 : header->shape[0];
    array->n_columns = header->shape[header->n_dims - 1];
    if (array->n_rows > 0 && array->n_columns > 0)
        return true;
    io_error_set(error, IO_ERROR_INPUT, path,
                 "shape: expected at least one number, found %zu x %zu", array->n_rows,
                 array->n_columns);
    return false;
}

/** What the stream still has to hold, against what the file can hold. */
static bool check_size(const char *path, const struct gz *stream, const struct npy_header *header,
                       const struct array *array, GError **error)
{
    uint64_t end = 0;
    bool overflow = __builtin_mul_overflow((uint64_t) array->n_rows, array->n_columns, &end) ||
                    __builtin_mul_overflow(end, header->type->n_bytes, &end) ||
                    __builtin_add_overflow(end, gz_position(stream), &end);
    if (!overflow && end <= gz_size_limit(stream))
        return true;
    io_error_set(
        error, IO_ERROR_INPUT, path,
        "data: expected %zu x %zu numbers of %zu bytes, found a file of %" G_GUINT64_FORMAT,
        array->n_rows, array->n_columns, header->type->n_bytes, gz_file_size(stream));
    return false;
}

/** Integers that a double cannot hold are refused: there is no way to say so beside an array. */
static bool is_exact(const struct npy_type *type, const uint8_t *stored, double value)
{
    if (type->kind == 'f' || type->n_bytes < sizeof(int64_t))
        return true;
    uint64_t bits;
    memcpy(&bits, stored, sizeof bits);
    if (type->kind == 'u')
        return value < 0x1p64 && (uint64_t) value == bits;
    return value < 0x1p63 && (int64_t) value == (int64_t) bits;
}

struct npy_sink {
    const struct npy_header *header;
    struct array *array;
    size_t n; // numbers so far, in the order of the file
    bool inexact;
};

static void reverse(uint8_t *bytes, size_t n)
{
    for (size_t a = 0, b = n - 1; a < b; a++, b--) {
        uint8_t byte = bytes[a];
        bytes[a] = bytes[b];
        bytes[b] = byte;
    }
}

static bool take_numbers(void *data, uint8_t *bytes, size_t n_bytes)
{
    struct npy_sink *sink = data;
    struct array *array = sink->array;
    const struct npy_type *type = sink->header->type;
    size_t size = type->n_bytes;
    for (size_t i = 0; i < n_bytes; i += size, sink->n++) {
        uint8_t *stored = bytes + i;
        if (sink->header->swapped)
            reverse(stored, size);
        double value = type->value(stored);
        if (!is_exact(type, stored, value)) {
            sink->inexact = true;
            return false;
        }
        size_t at = sink->n;
        if (sink->header->fortran_order)
            at = sink->n % array->n_rows * array->n_columns + sink->n / array->n_rows;
        array->values[at] = value;
    }
    return true;
}

static bool read_npy_values(const char *path, struct gz *stream, const struct npy_header *header,
                            struct array *array, const struct io_context *io, GError **error)
{
    size_t n = array->n_rows * array->n_columns;
    array->values = io_context_alloc(io, path, n, sizeof(double), error);
    if (array->values == NULL)
        return false;
    struct npy_sink numbers = {header, array, 0, false};
    struct gz_sink sink = {take_numbers, &numbers, header->type->n_bytes};
    enum gz_status status = gz_pump(stream, (uint64_t) n * header->type->n_bytes, &sink, io);
    if (numbers.inexact) {
        io_error_set(error, IO_ERROR_INPUT, path,
                     "number %zu: expected an integer that a float64 can hold, found a larger one",
                     numbers.n + 1);
        return false;
    }
    if (status == GZ_CANCELLED)
        return io_error_stopped(error, path);
    return status == GZ_OK || stream_error(error, path, stream, status);
}

static struct array *read_npy(const char *path, struct gz *stream, const struct io_context *io,
                              GError **error)
{
    struct npy_header header;
    g_autoptr(owned_array) array = g_new0(struct array, 1);
    if (!read_npy_header(path, stream, &header, error) ||
        !find_shape(path, &header, array, error) ||
        !check_size(path, stream, &header, array, error) ||
        !read_npy_values(path, stream, &header, array, io, error))
        return NULL;
    struct gz_rest rest;
    enum gz_status status = gz_finish(stream, &rest);
    if (status != GZ_OK) {
        stream_error(error, path, stream, status);
        return NULL;
    }
    if (rest.n_excess > 0) {
        io_error_set(error, IO_ERROR_INPUT, path, "data: expected %zu x %zu numbers, found more",
                     array->n_rows, array->n_columns);
        return NULL;
    }
    array->format = "npy";
    array->type = header.type->name;
    return g_steal_pointer(&array);
}

bool array_recognise(const char *path, const void *head, size_t n_head)
{
    const size_t n = strlen(PHILIPS_HEADER);
    if (n_head >= n && memcmp(head, PHILIPS_HEADER, n) == 0)
        return false;
    return npy_recognise(head, n_head) || text_has_suffix(path, ".npy") ||
           table_format(path) != NULL;
}

bool array_recognise_file(const char *path)
{
    char head[16] = {0};
    struct input input;
    size_t n = 0;
    if (!input_open(&input, path, NULL))
        return array_recognise(path, head, 0);
    input_read(&input, 0, head, sizeof head, &n);
    input_close(&input);
    return array_recognise(path, head, n);
}

struct array *array_read_stream(const char *path, struct gz *stream, const struct io_context *io,
                                GError **error)
{
    uint8_t head[NPY_MAGIC_BYTES];
    size_t n_head = 0;
    gz_read(stream, head, sizeof head, &n_head); // a bad stream is told below
    gz_rewind(stream);
    if (npy_recognise(head, n_head) || text_has_suffix(path, ".npy"))
        return read_npy(path, stream, io, error);
    if (table_format(path) != NULL)
        return table_read(path, stream, io, error);
    io_error_set(error, IO_ERROR_INPUT, path, "expected .npy, .csv, .tsv or .txt, found another");
    return NULL;
}

struct array *array_read(const char *path, const struct io_context *io, GError **error)
{
    g_autoptr(owned_gz) stream = gz_open(path, error);
    return stream == NULL ? NULL : array_read_stream(path, stream, io, error);
}

static GByteArray *npy_head(const size_t *shape, size_t n_dims)
{
    enum { ALIGNMENT = 64, BEFORE = NPY_MAGIC_BYTES + 4 };
    g_autoptr(GString) text = g_string_new("{'descr': '<f8', 'fortran_order': False, 'shape': (");
    for (size_t i = 0; i < n_dims; i++)
        g_string_append_printf(text, "%zu%s", shape[i],
                               i + 1 < n_dims ? ", " : (n_dims == 1 ? "," : ""));
    g_string_append(text, "), }");
    while ((BEFORE + text->len + 1) % ALIGNMENT != 0)
        g_string_append_c(text, ' ');
    g_string_append_c(text, '\n');
    const uint8_t before[BEFORE] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (uint8_t) text->len, (uint8_t) (text->len >> 8)};
    GByteArray *head = g_byte_array_new();
    g_byte_array_append(head, before, sizeof before);
    g_byte_array_append(head, (const guint8 *) text->str, (guint) text->len);
    return head;
}

static bool write_values(struct publish *output, const double *values, size_t n, GError **error)
{
    uint64_t bits[1024];
    for (size_t done = 0; done < n;) {
        size_t count = MIN(n - done, G_N_ELEMENTS(bits));
        memcpy(bits, values + done, count * sizeof *bits);
        for (size_t i = 0; i < count; i++)
            bits[i] = GUINT64_TO_LE(bits[i]);
        if (!publish_write(output, bits, count * sizeof *bits, error))
            return false;
        done += count;
    }
    return true;
}

bool array_write_npy(const char *path, const double *values, const size_t *shape, size_t n_dims,
                     bool overwrite, GError **error)
{
    g_assert(n_dims >= 1 && n_dims <= NPY_MOST_DIMS);
    size_t n = 1;
    for (size_t i = 0; i < n_dims; i++)
        n *= shape[i];
    g_autoptr(GByteArray) head = npy_head(shape, n_dims);
    g_autoptr(owned_publish) output = publish_new(path, overwrite, error);
    return output != NULL && publish_write(output, head->data, head->len, error) &&
           write_values(output, values, n, error) && publish_commit(output, error);
}

struct npy_output {
    struct publish *file; // owned
    size_t n_columns;
    size_t head_bytes;
};

struct npy_output *npy_output_new(const char *path, const size_t shape[2], bool overwrite,
                                  GError **error)
{
    g_autoptr(owned_npy_output) output = g_new0(struct npy_output, 1);
    g_autoptr(GByteArray) head = npy_head(shape, 2);
    output->n_columns = shape[1];
    output->head_bytes = head->len;
    output->file = publish_new(path, overwrite, error);
    if (output->file == NULL || !publish_write(output->file, head->data, head->len, error))
        return NULL;
    return g_steal_pointer(&output);
}

bool npy_output_put(struct npy_output *output, size_t row, size_t column, const double *values,
                    size_t n, GError **error)
{
    uint64_t at =
        output->head_bytes + ((uint64_t) row * output->n_columns + column) * sizeof(double);
    if (G_BYTE_ORDER == G_LITTLE_ENDIAN)
        return publish_write_at(output->file, values, n * sizeof(double), at, error);
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits = GUINT64_TO_LE(bits);
        if (!publish_write_at(output->file, &bits, sizeof bits, at + i * sizeof bits, error))
            return false;
    }
    return true;
}

bool npy_output_commit(struct npy_output *output, GError **error)
{
    return publish_commit(output->file, error);
}

void npy_output_free(struct npy_output *output)
{
    if (output == NULL)
        return;
    publish_free(output->file);
    g_free(output);
}
