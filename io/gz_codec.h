// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Deflate and CRC-32 as gz.c needs them, from one library or another: gz_isal.c or gz_zlib.c is
 * linked. Both give the same bytes when reading; when writing each has its own, always the same.
 */
struct inflater;

struct inflater *inflater_new(void);
void inflater_free(struct inflater *inflater);

/** Begins a new deflate stream. */
void inflater_reset(struct inflater *inflater);

enum inflate_status { INFLATE_MORE, INFLATE_END, INFLATE_CORRUPT };

/** What an inflater reads from and writes to; it moves the pointers on. */
struct inflate_span {
    const uint8_t *in;
    const uint8_t *in_end;
    uint8_t *out;
    uint8_t *out_end;
};

/**
 * Decompresses until the input is used up, the output is full, or the stream ends. At the end,
 * span->in is the first byte after the stream; that may be up to 8 bytes before where this call
 * began, so those must still be there. Of invalid data, nothing of this call is told.
 */
enum inflate_status inflater_run(struct inflater *inflater, struct inflate_span *span);

/** CRC-32 of gzip, continued from `crc` (0 at first). */
uint32_t codec_crc32(uint32_t crc, const uint8_t *bytes, size_t n);

/**
 * One whole deflate stream of n < 2^31 bytes, levels 1 to 3. Returns its size, or 0 where it does
 * not fit `capacity`.
 */
size_t codec_deflate(const uint8_t *bytes, size_t n, int level, uint8_t *out, size_t capacity);

/** "ISA-L" or "zlib". */
const char *codec_name(void);
