// SPDX-License-Identifier: BSD-3-Clause
#include "io/bytes.h"

struct cursor cursor_over(const void *bytes, size_t n)
{
    return (struct cursor){.bytes = bytes, .n = n};
}

const uint8_t *cursor_take(struct cursor *cursor, size_t n)
{
    if (cursor->failed || n > cursor->n - cursor->at) {
        cursor->failed = true;
        return NULL;
    }
    const uint8_t *taken = cursor->bytes + cursor->at;
    cursor->at += n;
    return taken;
}

uint8_t cursor_u8(struct cursor *cursor)
{
    const uint8_t *p = cursor_take(cursor, 1);
    return p == NULL ? 0 : *p;
}

#define DEFINE_READ(order, bits)                                                                   \
    uint##bits##_t cursor_##order##bits(struct cursor *cursor)                                     \
    {                                                                                              \
        const uint8_t *p = cursor_take(cursor, (bits) / 8);                                        \
        return p == NULL ? 0 : bytes_load_##order##bits(p);                                        \
    }

DEFINE_READ(le, 16)
DEFINE_READ(le, 32)
DEFINE_READ(le, 64)
DEFINE_READ(be, 16)
DEFINE_READ(be, 32)
DEFINE_READ(be, 64)

/** The low 24 bits, sign extended. */
static int32_t int24_le(const uint8_t *p)
{
    uint32_t bits = (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16;
    return (int32_t) (bits ^ 0x800000) - 0x800000;
}

#define DEFINE_FORMAT(type, order, size, value)                                                    \
    static void convert_##type##_##order(const uint8_t *bytes, size_t n, double *out)              \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            const uint8_t *p = bytes + i * (size);                                                 \
            out[i] = (double) (value);                                                             \
        }                                                                                          \
    }                                                                                              \
    const struct bytes_format bytes_##type##_##order = {#type, size, convert_##type##_##order};

DEFINE_FORMAT(int16, le, 2, (int16_t) bytes_load_le16(p))
DEFINE_FORMAT(uint16, le, 2, bytes_load_le16(p))
DEFINE_FORMAT(int24, le, 3, int24_le(p))
DEFINE_FORMAT(int32, le, 4, (int32_t) bytes_load_le32(p))
DEFINE_FORMAT(float32, le, 4, bytes_float(bytes_load_le32(p)))
DEFINE_FORMAT(float64, le, 8, bytes_double(bytes_load_le64(p)))
DEFINE_FORMAT(int16, be, 2, (int16_t) bytes_load_be16(p))
DEFINE_FORMAT(uint16, be, 2, bytes_load_be16(p))
DEFINE_FORMAT(int32, be, 4, (int32_t) bytes_load_be32(p))
DEFINE_FORMAT(float32, be, 4, bytes_float(bytes_load_be32(p)))
DEFINE_FORMAT(float64, be, 8, bytes_double(bytes_load_be64(p)))
