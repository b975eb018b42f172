// SPDX-License-Identifier: BSD-3-Clause
#include "io/gz.h"
#include "io/gz_codec.h"

#include <string.h>

// RFC 1952: a header of 10 bytes, a trailer of 8. RFC 1951: a stored block has 5 bytes of its own.
enum { HEADER = 10, TRAILER = 8, STORED_MAX = 65535, STORED_HEADER = 5 };

static size_t stored_size(size_t n)
{
    size_t n_blocks = MAX((n + STORED_MAX - 1) / STORED_MAX, 1);
    return n + n_blocks * STORED_HEADER;
}

size_t gz_member_bound(size_t n)
{
    return HEADER + stored_size(n) + TRAILER;
}

static void put_le16(uint8_t *out, uint32_t value)
{
    out[0] = (uint8_t) value;
    out[1] = (uint8_t) (value >> 8);
}

static void put_le32(uint8_t *out, uint32_t value)
{
    put_le16(out, value);
    put_le16(out + 2, value >> 16);
}

static size_t store(const uint8_t *bytes, size_t n, uint8_t *out)
{
    uint8_t *at = out;
    size_t done = 0;
    do {
        size_t count = MIN(n - done, STORED_MAX);
        at[0] = done + count == n; // the last block, type 0
        put_le16(at + 1, (uint32_t) count);
        put_le16(at + 3, ~(uint32_t) count);
        memcpy(at + STORED_HEADER, bytes + done, count);
        at += STORED_HEADER + count;
        done += count;
    } while (done < n);
    return (size_t) (at - out);
}

size_t gz_member(const uint8_t *bytes, size_t n, int level, uint8_t *out)
{
    static const uint8_t header[HEADER] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    memcpy(out, header, HEADER);
    size_t size = 0;
    if (level > 0) // what does not shrink is stored
        size = codec_deflate(bytes, n, level, out + HEADER, stored_size(n));
    if (size == 0)
        size = store(bytes, n, out + HEADER);
    put_le32(out + HEADER + size, codec_crc32(0, bytes, n));
    put_le32(out + HEADER + size + 4, (uint32_t) n);
    return HEADER + size + TRAILER;
}

const char *gz_library(void)
{
    return codec_name();
}
