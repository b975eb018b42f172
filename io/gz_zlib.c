// SPDX-License-Identifier: BSD-3-Clause
#include "io/gz_codec.h"

#include <glib.h>
#define ZLIB_CONST
#include <zlib.h>

struct inflater {
    z_stream stream;
};

// inflateInit2 and deflateInit2 fail only without memory, which ends the program as g_malloc does.

struct inflater *inflater_new(void)
{
    struct inflater *inflater = g_new0(struct inflater, 1);
    int result = inflateInit2(&inflater->stream, -MAX_WBITS);
    g_assert(result == Z_OK);
    return inflater;
}

void inflater_free(struct inflater *inflater)
{
    if (inflater == NULL)
        return;
    inflateEnd(&inflater->stream);
    g_free(inflater);
}

void inflater_reset(struct inflater *inflater)
{
    inflateReset(&inflater->stream);
}

enum inflate_status inflater_run(struct inflater *inflater, struct inflate_span *span)
{
    z_stream *stream = &inflater->stream;
    stream->next_in = span->in;
    stream->avail_in = (uInt) MIN(span->in_end - span->in, 1 << 30);
    stream->next_out = span->out;
    stream->avail_out = (uInt) MIN(span->out_end - span->out, 1 << 30);
    int result = inflate(stream, Z_NO_FLUSH);
    // Z_BUF_ERROR: no input or no room; the caller sees which.
    if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
        return INFLATE_CORRUPT;
    span->in = stream->next_in;
    span->out = stream->next_out;
    return result == Z_STREAM_END ? INFLATE_END : INFLATE_MORE;
}

uint32_t codec_crc32(uint32_t crc, const uint8_t *bytes, size_t n)
{
    return (uint32_t) crc32_z(crc, bytes, n);
}

size_t codec_deflate(const uint8_t *bytes, size_t n, int level, uint8_t *out, size_t capacity)
{
    z_stream stream = {.next_in = bytes, .avail_in = (uInt) n};
    stream.next_out = out;
    stream.avail_out = (uInt) MIN(capacity, 1u << 31);
    enum { MEMORY_LEVEL = 8 };
    int result =
        deflateInit2(&stream, level, Z_DEFLATED, -MAX_WBITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    g_assert(result == Z_OK);
    result = deflate(&stream, Z_FINISH);
    size_t size = result == Z_STREAM_END ? (size_t) (stream.next_out - out) : 0;
    deflateEnd(&stream);
    return size;
}

const char *codec_name(void)
{
    return "zlib";
}
