// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Numbers of either byte order in memory that is not aligned.

static inline uint16_t bytes_load_le16(const uint8_t *p)
{
    return (uint16_t) (p[0] | p[1] << 8);
}

static inline uint32_t bytes_load_le32(const uint8_t *p)
{
    return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

static inline uint64_t bytes_load_le64(const uint8_t *p)
{
    return (uint64_t) bytes_load_le32(p) | (uint64_t) bytes_load_le32(p + 4) << 32;
}

static inline uint16_t bytes_load_be16(const uint8_t *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}

static inline uint32_t bytes_load_be32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | (uint32_t) p[3];
}

static inline uint64_t bytes_load_be64(const uint8_t *p)
{
    return (uint64_t) bytes_load_be32(p) << 32 | (uint64_t) bytes_load_be32(p + 4);
}

static inline void bytes_store_le32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t) (value >> (8 * i));
}

static inline void bytes_store_be32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t) (value >> (8 * (3 - i)));
}

static inline void bytes_store_be64(uint8_t *p, uint64_t value)
{
    bytes_store_be32(p, (uint32_t) (value >> 32));
    bytes_store_be32(p + 4, (uint32_t) value);
}

static inline float bytes_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double bytes_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bytes_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline uint64_t bytes_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/** How samples stand in a file. */
struct bytes_format {
    const char *name; // "int16", "float32", ...
    size_t n_bytes;   // of one sample
    /** n samples to double. */
    void (*convert)(const uint8_t *bytes, size_t n, double *out);
};

extern const struct bytes_format bytes_int16_le, bytes_uint16_le, bytes_int24_le, bytes_int32_le,
    bytes_float32_le, bytes_float64_le;
extern const struct bytes_format bytes_int16_be, bytes_uint16_be, bytes_int32_be, bytes_float32_be,
    bytes_float64_be;

/**
 * A place in some bytes that never leaves them. What would be read past the end is 0, and from
 * then on the cursor has failed: one look at `failed` after many reads is enough.
 */
struct cursor {
    const uint8_t *bytes; // borrowed
    size_t n;             //
    size_t at;            // <= n
    bool failed;
};

struct cursor cursor_over(const void *bytes, size_t n);

/** The next n bytes, or NULL where there are not as many. */
const uint8_t *cursor_take(struct cursor *cursor, size_t n);

uint8_t cursor_u8(struct cursor *cursor);
uint16_t cursor_le16(struct cursor *cursor);
uint32_t cursor_le32(struct cursor *cursor);
uint64_t cursor_le64(struct cursor *cursor);
uint16_t cursor_be16(struct cursor *cursor);
uint32_t cursor_be32(struct cursor *cursor);
uint64_t cursor_be64(struct cursor *cursor);
