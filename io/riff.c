// SPDX-License-Identifier: BSD-3-Clause
#include "io/riff.h"

#include "io/bytes.h"

#include <inttypes.h>

enum {
    CHUNK_HEAD = 8, // its name and its size
    FORMAT_BYTES = 16,
    MOST_CHUNKS = 1024,
};

static bool is_named(const uint8_t *bytes, const char *name)
{
    return memcmp(bytes, name, 4) == 0;
}

static void judge_format(struct recording *recording, const uint8_t *format)
{
    unsigned n_channels = bytes_load_le16(format + 2);
    unsigned block_bytes = bytes_load_le16(format + 12);
    unsigned bits = bytes_load_le16(format + 14);
    if (block_bytes != n_channels * ((bits + 7) / 8))
        recording_warn(recording, "align", "header: a block of %u bytes for %u channels of %u bits",
                       block_bytes, n_channels, bits);
}

static void judge_chunk(struct recording *recording, const uint8_t *name, uint32_t size,
                        uint64_t left)
{
    if (is_named(name, "data") && size == UINT32_MAX)
        recording_warn(recording, "streamed",
                       "data: the header does not tell their length: taken from the file's size");
    else if (is_named(name, "data") && size > left)
        recording_warn(recording, "cut", "data: expected %" PRIu32 " bytes, found %" PRIu64, size,
                       left);
    else if (size > left)
        recording_warn(recording, "chunk",
                       "a chunk after the samples claims %" PRIu32 " bytes, the file has %" PRIu64,
                       size, left);
}

/** Bytes at a place of the file; how many of them there are. */
static size_t read_at(struct gz *stream, uint64_t at, uint8_t *bytes, size_t n)
{
    size_t n_read = 0;
    gz_rewind(stream);
    gz_skip(stream, at);
    gz_read(stream, bytes, n, &n_read);
    return n_read;
}

void riff_judge(struct recording *recording, struct gz *stream)
{
    enum { FIRST_CHUNK = 12 };
    uint8_t head[CHUNK_HEAD + FORMAT_BYTES];
    if (read_at(stream, 0, head, FIRST_CHUNK) < FIRST_CHUNK || !is_named(head, "RIFF") ||
        !is_named(head + 8, "WAVE"))
        return;
    uint64_t at = FIRST_CHUNK;
    for (size_t chunk = 0; chunk < MOST_CHUNKS; chunk++) {
        size_t n = read_at(stream, at, head, sizeof head);
        if (n < CHUNK_HEAD)
            return;
        uint32_t size = bytes_load_le32(head + 4);
        uint64_t left = gz_file_size(stream) - MIN(at + CHUNK_HEAD, gz_file_size(stream));
        judge_chunk(recording, head, size, left);
        if (is_named(head, "fmt ") && n == sizeof head)
            judge_format(recording, head + CHUNK_HEAD);
        if (size > left)
            return;
        at += CHUNK_HEAD + size + (size & 1); // chunks begin at even places
    }
}
