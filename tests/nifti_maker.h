// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "tests/check_io.h"

#include <zlib.h>

// NIfTI files made byte by byte, by the offsets of the standard and not by any library, so that
// every field of either version can be set to anything in either byte order.

enum field {
    F_SIZEOF_HDR,
    F_DIM_INFO,
    F_DIM, // 0 to 7
    F_DATATYPE,
    F_BITPIX,
    F_SLICE_START,
    F_PIXDIM, // 0 to 7
    F_VOX_OFFSET,
    F_SCL_SLOPE,
    F_SCL_INTER,
    F_SLICE_END,
    F_SLICE_CODE,
    F_XYZT_UNITS,
    F_SLICE_DURATION,
    F_TOFFSET,
    F_QFORM_CODE,
    F_SFORM_CODE,
    F_QUATERN, // b, c, d
    F_QOFFSET, // x, y, z
    F_SROW,    // 0 to 11
};

struct field_place {
    size_t at;
    size_t size;
    char kind; // i, f
};

/** nifti1.h and nifti2.h: of version 1, of version 2. */
static const struct field_place field_places[][2] = {
    [F_SIZEOF_HDR] = {{0, 4, 'i'}, {0, 4, 'i'}},
    [F_DIM_INFO] = {{39, 1, 'i'}, {524, 1, 'i'}},
    [F_DIM] = {{40, 2, 'i'}, {16, 8, 'i'}},
    [F_DATATYPE] = {{70, 2, 'i'}, {12, 2, 'i'}},
    [F_BITPIX] = {{72, 2, 'i'}, {14, 2, 'i'}},
    [F_SLICE_START] = {{74, 2, 'i'}, {224, 8, 'i'}},
    [F_PIXDIM] = {{76, 4, 'f'}, {104, 8, 'f'}},
    [F_VOX_OFFSET] = {{108, 4, 'f'}, {168, 8, 'i'}},
    [F_SCL_SLOPE] = {{112, 4, 'f'}, {176, 8, 'f'}},
    [F_SCL_INTER] = {{116, 4, 'f'}, {184, 8, 'f'}},
    [F_SLICE_END] = {{120, 2, 'i'}, {232, 8, 'i'}},
    [F_SLICE_CODE] = {{122, 1, 'i'}, {496, 4, 'i'}},
    [F_XYZT_UNITS] = {{123, 1, 'i'}, {500, 4, 'i'}},
    [F_SLICE_DURATION] = {{132, 4, 'f'}, {208, 8, 'f'}},
    [F_TOFFSET] = {{136, 4, 'f'}, {216, 8, 'f'}},
    [F_QFORM_CODE] = {{252, 2, 'i'}, {344, 4, 'i'}},
    [F_SFORM_CODE] = {{254, 2, 'i'}, {348, 4, 'i'}},
    [F_QUATERN] = {{256, 4, 'f'}, {352, 8, 'f'}},
    [F_QOFFSET] = {{268, 4, 'f'}, {376, 8, 'f'}},
    [F_SROW] = {{280, 4, 'f'}, {400, 8, 'f'}},
};

/** A file under way: its header, and what follows. */
struct maker {
    int version;
    bool big_endian;
    GByteArray *bytes; // owned
};

static inline void put(const struct maker *maker, uint8_t *at, const void *value, size_t size)
{
    const uint8_t *bytes = value;
    bool swap = maker->big_endian != (G_BYTE_ORDER == G_BIG_ENDIAN);
    for (size_t i = 0; i < size; i++)
        at[i] = bytes[swap ? size - 1 - i : i];
}

/** Writes a number as a stored integer (i, u) or float (f) of some bytes. */
static inline void put_number(const struct maker *maker, uint8_t *at, char kind, size_t size,
                              double value)
{
    float f = (float) value;
    int64_t i = kind == 'i' ? (int64_t) value : 0;
    uint64_t u = kind == 'u' ? (uint64_t) value : (uint64_t) i;
    if (kind == 'f' && size == sizeof f) {
        put(maker, at, &f, size);
    } else if (kind == 'f') {
        put(maker, at, &value, size);
    } else {
        const uint8_t *low = (const uint8_t *) &u;
        put(maker, at, G_BYTE_ORDER == G_BIG_ENDIAN ? low + sizeof u - size : low, size);
    }
}

static inline void set_field(const struct maker *maker, enum field field, size_t index,
                             double value)
{
    const struct field_place *place = &field_places[field][maker->version - 1];
    put_number(maker, maker->bytes->data + place->at + index * place->size, place->kind,
               place->size, value);
}

static inline void set_integer(const struct maker *maker, enum field field, size_t index,
                               int64_t value)
{
    const struct field_place *place = &field_places[field][maker->version - 1];
    const uint8_t *low = (const uint8_t *) &value;
    put(maker, maker->bytes->data + place->at + index * place->size,
        G_BYTE_ORDER == G_BIG_ENDIAN ? low + sizeof value - place->size : low, place->size);
}

static inline size_t header_bytes(const struct maker *maker)
{
    return maker->version == 1 ? 352 : 544; // with the extender
}

static inline void set_magic(const struct maker *maker, const char *magic)
{
    static const uint8_t tail[] = {0x0d, 0x0a, 0x1a, 0x0a};
    uint8_t *at = maker->bytes->data + (maker->version == 1 ? 344 : 4);
    memset(at, 0, 4);
    for (size_t i = 0; magic[i] != '\0'; i++)
        at[i] = (uint8_t) magic[i];
    if (maker->version == 2)
        memcpy(at + 4, tail, sizeof tail);
}

enum { MADE_X = 5, MADE_Y = 4, MADE_Z = 3, MADE_T = 6, MADE_V = MADE_X * MADE_Y * MADE_Z };

/** A valid header of a 5 x 4 x 3 x 6 image of int16, one frame every 2 s, without data. */
static inline struct maker maker_new(int version, bool big_endian)
{
    struct maker maker = {version, big_endian, g_byte_array_new()};
    static const double dim[] = {4, MADE_X, MADE_Y, MADE_Z, MADE_T, 1, 1, 1};
    static const double pixdim[] = {1, 3, 3.5, 4, 2, 1, 1, 1};
    static const double srow[] = {3, 0, 0, -10, 0, 3.5, 0, -20, 0, 0, 4, 5};
    g_byte_array_set_size(maker.bytes, (guint) header_bytes(&maker));
    memset(maker.bytes->data, 0, maker.bytes->len);
    set_field(&maker, F_SIZEOF_HDR, 0, version == 1 ? 348 : 540);
    for (size_t i = 0; i < 8; i++) {
        set_field(&maker, F_DIM, i, dim[i]);
        set_field(&maker, F_PIXDIM, i, pixdim[i]);
    }
    for (size_t i = 0; i < 12; i++)
        set_field(&maker, F_SROW, i, srow[i]);
    set_field(&maker, F_DATATYPE, 0, 4);
    set_field(&maker, F_BITPIX, 0, 16);
    set_field(&maker, F_VOX_OFFSET, 0, (double) header_bytes(&maker));
    set_field(&maker, F_SCL_SLOPE, 0, 1);
    set_field(&maker, F_XYZT_UNITS, 0, 10);
    set_field(&maker, F_SFORM_CODE, 0, 1);
    set_magic(&maker, version == 1 ? "n+1" : "n+2");
    return maker;
}

static inline void append_number(const struct maker *maker, char kind, size_t size, double value)
{
    guint at = maker->bytes->len;
    g_byte_array_set_size(maker->bytes, at + (guint) size);
    put_number(maker, maker->bytes->data + at, kind, size, value);
}

/** What sample (t, v) of a made image is: fits every type. */
static inline double made_sample(size_t t, size_t v)
{
    return (double) ((7 * t + 3 * v) % 101);
}

static inline void append_samples(const struct maker *maker, char kind, size_t size)
{
    for (size_t t = 0; t < MADE_T; t++)
        for (size_t v = 0; v < MADE_V; v++)
            append_number(maker, kind, size, made_sample(t, v));
}

/** Some bytes as one gzip member, by zlib; freed by the caller. */
static inline GByteArray *gzip_bytes(const uint8_t *bytes, size_t n, int level)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    GByteArray *out = g_byte_array_new();
    g_byte_array_set_size(out, (guint) deflateBound(&stream, n));
    stream.next_in = (Bytef *) bytes;
    stream.avail_in = (uInt) n;
    stream.next_out = out->data;
    stream.avail_out = out->len;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    g_byte_array_set_size(out, (guint) stream.total_out);
    deflateEnd(&stream);
    return out;
}

/** The same, but after n_good bytes comes a deflate block of no known kind. */
static inline GByteArray *gzip_damaged(const uint8_t *bytes, size_t n, size_t n_good)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    GByteArray *out = g_byte_array_new();
    g_byte_array_set_size(out, (guint) deflateBound(&stream, n) + 100);
    stream.next_in = (Bytef *) bytes;
    stream.avail_in = (uInt) n_good;
    stream.next_out = out->data;
    stream.avail_out = out->len;
    assert_int_equal(deflate(&stream, Z_FULL_FLUSH), Z_OK); // ends on a byte
    uint8_t *begin = stream.next_out;
    stream.avail_in = (uInt) (n - n_good);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *begin = 6; // type 3
    g_byte_array_set_size(out, (guint) stream.total_out);
    deflateEnd(&stream);
    return out;
}

/** Writes the file, gzip where its name says so; the path is to be freed. The maker is freed. */
static inline char *maker_write(struct maker *maker, const char *folder, const char *name)
{
    g_autoptr(GByteArray) bytes = g_steal_pointer(&maker->bytes);
    if (!g_str_has_suffix(name, ".gz"))
        return write_file(folder, name, bytes->data, bytes->len);
    g_autoptr(GByteArray) compressed = gzip_bytes(bytes->data, bytes->len, 6);
    return write_file(folder, name, compressed->data, compressed->len);
}
