// SPDX-License-Identifier: BSD-3-Clause
#include "io/bytes.h"
#include "io/fif.h"

#include <math.h>
#include <string.h>

// What payloads hold.

enum {
    CHANNEL_BYTES = 96,
    NAME_BYTES = 16,
    TRANSFORM_BYTES = 104,
    MATRIX_MASK = 0x7fff0000, // of a type: what kind of matrix
    ENTRY_MASK = 0xffff,      // of a type: the type of an entry
    MAX_DIMENSIONS = 8,
    PACK_BYTES = 8, // of offset and scale, before the integers of an old pack
};

uint8_t *fif_payload(const struct fif *fif, const struct fif_tag *tag, const struct io_context *io,
                     GError **error)
{
    g_autofree uint8_t *bytes = io_context_alloc(io, fif->path, tag->size, 1, error);
    if (bytes == NULL || !fif_read(fif, tag->offset, bytes, tag->size, error))
        return NULL;
    return g_steal_pointer(&bytes);
}

/** A payload of exactly n bytes of this type. */
static bool read_exactly(const struct fif *fif, const struct fif_tag *tag, int32_t type,
                         uint8_t *bytes, size_t n, GError **error)
{
    if (tag->type != type || tag->size != n)
        return fif_refuse(fif, tag, error, "expected type %d, %zu bytes, found type %d, %u bytes",
                          type, n, tag->type, tag->size);
    return fif_read(fif, tag->offset, bytes, n, error);
}

/** n bytes of Latin-1, up to a NUL, as UTF-8. */
static char *from_latin1(const uint8_t *bytes, size_t n)
{
    GString *text = g_string_sized_new(n);
    for (size_t i = 0; i < n && bytes[i] != 0; i++)
        g_string_append_unichar(text, bytes[i]);
    return g_string_free(text, FALSE);
}

bool fif_get_string(const struct fif *fif, size_t block, int32_t kind, char **value,
                    const struct io_context *io, GError **error)
{
    const struct fif_tag *tag = fif_find(fif, block, kind);
    if (tag == NULL)
        return true;
    if (tag->type != FIF_TYPE_STRING)
        return fif_refuse(fif, tag, error, "expected a string, found type %d", tag->type);
    g_autofree uint8_t *bytes = fif_payload(fif, tag, io, error);
    if (bytes == NULL)
        return false;
    g_free(*value);
    *value = from_latin1(bytes, tag->size);
    return true;
}

/** A colon inside a name stands as {COLON}. */
static void restore_colons(char **texts)
{
    for (; *texts != NULL; texts++) {
        g_auto(GStrv) pieces = g_strsplit(*texts, "{COLON}", -1);
        g_free(*texts);
        *texts = g_strjoinv(":", pieces);
    }
}

bool fif_get_names(const struct fif *fif, size_t block, int32_t kind, char ***value,
                   const struct io_context *io, GError **error)
{
    g_autofree char *list = NULL;
    if (!fif_get_string(fif, block, kind, &list, io, error))
        return false;
    if (list != NULL) {
        g_strfreev(*value);
        *value = g_strsplit(list, ":", -1);
        restore_colons(*value);
    }
    return true;
}

/** The 12 numbers of a 3 x 3 row-major matrix and a shift behind it. */
static void load_transform(const uint8_t *bytes, float transform[3][4])
{
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++)
            transform[i][j] = bytes_float(bytes_load_be32(bytes + 4 * (3 * i + j)));
        transform[i][3] = bytes_float(bytes_load_be32(bytes + 4 * (9 + i)));
    }
}

static bool is_finite(const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

bool fif_get_transform(const struct fif *fif, size_t block, int32_t from, int32_t to,
                       float transform[3][4], bool *found, GError **error)
{
    *found = false;
    for (const struct fif_tag *tag = fif_find(fif, block, FIF_COORD_TRANS); tag != NULL && !*found;
         tag = fif_next(fif, block, FIF_COORD_TRANS, tag)) {
        uint8_t bytes[TRANSFORM_BYTES] = {0};
        if (!read_exactly(fif, tag, FIF_TYPE_TRANSFORM, bytes, sizeof bytes, error))
            return false;
        int32_t first = (int32_t) bytes_load_be32(bytes);
        int32_t second = (int32_t) bytes_load_be32(bytes + 4);
        *found = (first == from && second == to) || (first == to && second == from);
        if (!*found)
            continue;
        // The record has the inverse behind the transform.
        load_transform(bytes + (first == from ? 8 : 8 + 48), transform);
        if (!is_finite(&transform[0][0], 12))
            return fif_refuse(fif, tag, error, "expected finite numbers");
    }
    return true;
}

const struct bytes_format *fif_format(int32_t type)
{
    switch (type) {
    case FIF_TYPE_INT16:
    case FIF_TYPE_PACKED_INT16:
        return &bytes_int16_be;
    case FIF_TYPE_INT32:
        return &bytes_int32_be;
    case FIF_TYPE_FLOAT:
        return &bytes_float32_be;
    case FIF_TYPE_DOUBLE:
        return &bytes_float64_be;
    default:
        return NULL;
    }
}

/** The dimensions behind the entries of a matrix, the fastest first; their number stands last. */
static bool read_dimensions(const struct fif *fif, const struct fif_tag *tag,
                            struct fif_numbers *shape, size_t *n_trailer, GError **error)
{
    uint8_t bytes[4 * (1 + MAX_DIMENSIONS)] = {0};
    size_t n_bytes = MIN(tag->size, sizeof bytes);
    if (!fif_read(fif, tag->offset + tag->size - n_bytes, bytes, n_bytes, error))
        return false;
    uint32_t n_dimensions = n_bytes < 4 ? 0 : bytes_load_be32(bytes + n_bytes - 4);
    if (n_dimensions < 1 || n_dimensions > MAX_DIMENSIONS || 4 * (1 + n_dimensions) > n_bytes)
        return fif_refuse(fif, tag, error, "expected a matrix of 1 to %d dimensions, found %u",
                          MAX_DIMENSIONS, n_dimensions);
    *n_trailer = 4 * (1 + (size_t) n_dimensions);
    shape->n_rows = 1;
    for (uint32_t d = 0; d < n_dimensions; d++) {
        uint32_t dimension = bytes_load_be32(bytes + n_bytes - *n_trailer + 4 * (size_t) d);
        size_t *count = d == 0 ? &shape->n_columns : &shape->n_rows;
        size_t product = dimension;
        if (d > 1 && __builtin_mul_overflow(*count, dimension, &product))
            product = SIZE_MAX; // more than any file has: refused by its size
        *count = product;
    }
    return true;
}

bool fif_shape(const struct fif *fif, const struct fif_tag *tag, struct fif_numbers *shape,
               const struct bytes_format **format, GError **error)
{
    *shape = (struct fif_numbers){.n_rows = 1,
                                  .is_packed = (tag->type & ENTRY_MASK) == FIF_TYPE_OLD_PACK};
    int32_t matrix = tag->type & MATRIX_MASK;
    *format = shape->is_packed ? &bytes_int16_be : fif_format(tag->type & ENTRY_MASK);
    if (*format == NULL || (matrix != 0 && matrix != FIF_TYPE_MATRIX))
        return fif_refuse(fif, tag, error,
                          "expected 16 or 32 bit integers, floats or doubles, found type 0x%x",
                          (unsigned) tag->type);
    size_t n_trailer = 0;
    size_t size = (*format)->n_bytes;
    if (matrix != 0 && !read_dimensions(fif, tag, shape, &n_trailer, error))
        return false;
    size_t n_other = n_trailer + (shape->is_packed ? PACK_BYTES : 0);
    size_t n_bytes = tag->size > n_other ? tag->size - n_other : 0;
    shape->n = n_bytes / size;
    if (matrix == 0)
        shape->n_columns = shape->n;
    size_t product = 0;
    if (__builtin_mul_overflow(shape->n_rows, shape->n_columns, &product) || product != shape->n ||
        n_bytes % size != 0 || tag->size < n_other)
        return fif_refuse(fif, tag, error, "expected %zu x %zu %s, found %zu bytes", shape->n_rows,
                          shape->n_columns, (*format)->name, n_bytes);
    return true;
}

/** The one number of a tag; values that are not there leave *value as it was. */
static bool get_number(const struct fif *fif, size_t block, int32_t kind, double *value,
                       GError **error)
{
    const struct fif_tag *tag = fif_find(fif, block, kind);
    struct fif_numbers shape;
    const struct bytes_format *format = NULL;
    uint8_t bytes[sizeof(double)] = {0};
    if (tag == NULL)
        return true;
    if (!fif_shape(fif, tag, &shape, &format, error))
        return false;
    if (shape.n != 1 || shape.is_packed)
        return fif_refuse(fif, tag, error, "expected one number, found %zu", shape.n);
    if (!fif_read(fif, tag->offset, bytes, format->n_bytes, error))
        return false;
    format->convert(bytes, 1, value);
    return true;
}

bool fif_get_int(const struct fif *fif, size_t block, int32_t kind, int32_t *value, GError **error)
{
    double number = *value;
    if (!get_number(fif, block, kind, &number, error))
        return false;
    if (!(number >= INT32_MIN && number <= INT32_MAX && number == floor(number)))
        return fif_refuse(fif, fif_find(fif, block, kind), error, "expected an integer, found %g",
                          number);
    *value = (int32_t) number;
    return true;
}

bool fif_get_real(const struct fif *fif, size_t block, int32_t kind, double *value, GError **error)
{
    return get_number(fif, block, kind, value, error);
}

void fif_numbers_clear(struct fif_numbers *numbers)
{
    g_clear_pointer(&numbers->values, g_free);
}

/** Offset and scale of an old pack, which stand before its integers. */
static void unpack(const uint8_t *bytes, struct fif_numbers *numbers)
{
    double offset = (double) bytes_float(bytes_load_be32(bytes));
    double scale = (double) bytes_float(bytes_load_be32(bytes + 4));
    for (size_t i = 0; i < numbers->n; i++)
        numbers->values[i] = numbers->values[i] * scale + offset;
}

bool fif_numbers(const struct fif *fif, const struct fif_tag *tag, struct fif_numbers *numbers,
                 const struct io_context *io, GError **error)
{
    const struct bytes_format *format = NULL;
    if (!fif_shape(fif, tag, numbers, &format, error))
        return false;
    g_autofree uint8_t *bytes = fif_payload(fif, tag, io, error);
    if (bytes == NULL)
        return false;
    numbers->values = io_context_alloc(io, fif->path, numbers->n, sizeof(double), error);
    if (numbers->values == NULL)
        return false;
    const uint8_t *entries = numbers->is_packed ? bytes + PACK_BYTES : bytes;
    format->convert(entries, numbers->n, numbers->values);
    if (numbers->is_packed)
        unpack(bytes, numbers);
    return true;
}

// Channels.

void fif_channels_free(struct fif_channels *channels)
{
    if (channels == NULL)
        return;
    for (size_t i = 0; i < channels->n; i++) {
        g_free(channels->channel[i].short_name);
        g_free(channels->channel[i].name);
    }
    g_free(channels->channel);
    g_free(channels);
}

static bool read_channel(const struct fif *fif, const struct fif_tag *tag,
                         struct fif_channel *channel, GError **error)
{
    uint8_t bytes[CHANNEL_BYTES] = {0};
    if (!read_exactly(fif, tag, FIF_TYPE_CH_INFO, bytes, sizeof bytes, error))
        return false;
    struct cursor cursor = cursor_over(bytes, sizeof bytes);
    cursor_take(&cursor, 8); // numbers in the scan and in the log
    channel->kind = (int32_t) cursor_be32(&cursor);
    channel->range = (double) bytes_float(cursor_be32(&cursor));
    channel->cal = (double) bytes_float(cursor_be32(&cursor));
    channel->coil_type = (int32_t) cursor_be32(&cursor);
    for (size_t i = 0; i < G_N_ELEMENTS(channel->loc); i++)
        channel->loc[i] = bytes_float(cursor_be32(&cursor));
    channel->unit = (int32_t) cursor_be32(&cursor);
    cursor_take(&cursor, 4); // the power of ten of the unit, which nobody sets
    channel->short_name = from_latin1(cursor_take(&cursor, NAME_BYTES), NAME_BYTES);
    channel->name = g_strdup(channel->short_name);
    if (!isfinite(channel->range) || !isfinite(channel->cal))
        return fif_refuse(fif, tag, error, "expected a finite range and cal, found %g and %g",
                          channel->range, channel->cal);
    return true;
}

/** Full names stand in blocks of their own, one a channel, in the order of channels. */
static bool read_long_names(const struct fif *fif, size_t block, struct fif_channels *channels,
                            const struct io_context *io, GError **error)
{
    size_t i = 0;
    for (size_t info = fif_find_block(fif, block, FIF_BLOCK_CH_INFO); info != 0;
         info = fif_next_block(fif, block, FIF_BLOCK_CH_INFO, info)) {
        if (fif->block[info].parent != block || i == channels->n)
            continue;
        if (!fif_get_string(fif, info, FIF_CH_DACQ_NAME, &channels->channel[i].name, io, error))
            return false;
        i++;
    }
    return true;
}

struct fif_channels *fif_channels(const struct fif *fif, size_t block, const struct io_context *io,
                                  GError **error)
{
    int32_t declared = 0;
    size_t n = 0;
    if (!fif_get_int(fif, block, FIF_NCHAN, &declared, error))
        return NULL;
    for (const struct fif_tag *tag = fif_find(fif, block, FIF_CH_INFO); tag != NULL;
         tag = fif_next(fif, block, FIF_CH_INFO, tag))
        n++;
    if (declared < 1 || declared > FIF_MAX_CHANNELS || (size_t) declared != n) {
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "channels: expected 1 to %d, as many as records, found %d and %zu records",
                     FIF_MAX_CHANNELS, declared, n);
        return NULL;
    }
    g_autoptr(owned_fif_channels) channels = g_new0(struct fif_channels, 1);
    channels->channel = g_new0(struct fif_channel, n);
    for (const struct fif_tag *tag = fif_find(fif, block, FIF_CH_INFO); tag != NULL;
         tag = fif_next(fif, block, FIF_CH_INFO, tag))
        if (!read_channel(fif, tag, &channels->channel[channels->n++], error))
            return NULL;
    return read_long_names(fif, block, channels, io, error) ? g_steal_pointer(&channels) : NULL;
}

void fif_lengthen_names(const struct fif_channels *channels, char **names)
{
    if (channels == NULL || names == NULL)
        return;
    g_autoptr(GHashTable) full = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = channels->n; i-- > 0;)
        g_hash_table_insert(full, channels->channel[i].short_name, channels->channel[i].name);
    for (; *names != NULL; names++) {
        const char *name = g_hash_table_lookup(full, *names);
        if (name == NULL)
            continue;
        g_free(*names);
        *names = g_strdup(name);
    }
}
