// SPDX-License-Identifier: BSD-3-Clause
#include "io/gz_codec.h"

#include <glib.h>
#include <isa-l.h>
#include <string.h>

enum { DEFLATE_HEAD = 16 };

struct inflater {
    struct inflate_state state;
};

struct inflater *inflater_new(void)
{
    struct inflater *inflater = g_new0(struct inflater, 1);
    inflater_reset(inflater);
    return inflater;
}

void inflater_free(struct inflater *inflater)
{
    g_free(inflater);
}

void inflater_reset(struct inflater *inflater)
{
    isal_inflate_init(&inflater->state);
}

enum inflate_status inflater_run(struct inflater *inflater, struct inflate_span *span)
{
    struct inflate_state *state = &inflater->state;
    // ISA-L does not write through next_in, but its type does not say so.
    memcpy(&state->next_in, &span->in, sizeof state->next_in);
    state->avail_in = (uint32_t) MIN(span->in_end - span->in, 1 << 30);
    state->next_out = span->out;
    state->avail_out = (uint32_t) MIN(span->out_end - span->out, 1 << 30);
    int result = isal_inflate(state);
    if (result != ISAL_DECOMP_OK)
        return INFLATE_CORRUPT;
    span->in = state->next_in;
    span->out = state->next_out;
    if (state->block_state != ISAL_BLOCK_FINISH)
        return INFLATE_MORE;
    // Whole bytes in the bit buffer are not of this stream.
    span->in -= state->read_in_length / 8;
    state->read_in_length = 0;
    return INFLATE_END;
}

uint32_t codec_crc32(uint32_t crc, const uint8_t *bytes, size_t n)
{
    return crc32_gzip_refl(crc, bytes, n);
}

// One call of ISA-L over `n` bytes; false if they did not fit into what is left of the output.
static bool deflate_part(struct isal_zstream *stream, const uint8_t *bytes, size_t n, bool last)
{
    memcpy(&stream->next_in, &bytes, sizeof stream->next_in);
    stream->avail_in = (uint32_t) n;
    stream->end_of_stream = last;
    stream->flush = last ? NO_FLUSH : SYNC_FLUSH;
    return isal_deflate(stream) == COMP_OK && stream->avail_in == 0 && stream->avail_out > 0;
}

size_t codec_deflate(const uint8_t *bytes, size_t n, int level, uint8_t *out, size_t capacity)
{
    static const uint32_t scratch_bytes[] = {0, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                             ISAL_DEF_LVL3_DEFAULT};
    g_assert(level >= 1 && level <= 3);
    g_autofree struct isal_zstream *stream = g_new(struct isal_zstream, 1);
    g_autofree uint8_t *scratch = g_malloc(scratch_bytes[level]);
    isal_deflate_init(stream);
    stream->level = (uint32_t) level;
    stream->level_buf = scratch;
    stream->level_buf_size = scratch_bytes[level];
    stream->gzip_flag = IGZIP_DEFLATE;
    stream->next_out = out;
    stream->avail_out = (uint32_t) MIN(capacity, 1u << 31);
    // The fast loop of levels 1 and 2 (2.30), where it meets the first bytes of a stream, hashes
    // the address of the stream in place of the third byte, so that the output depends on where
    // memory happens to lie. So few bytes as these go through the slow loop, which does not.
    size_t head = n > DEFLATE_HEAD ? DEFLATE_HEAD : 0;
    bool whole = (head == 0 || deflate_part(stream, bytes, head, false)) &&
                 deflate_part(stream, bytes + head, n - head, true) &&
                 stream->internal_state.state == ZSTATE_END;
    return whole ? (size_t) (stream->next_out - out) : 0;
}

const char *codec_name(void)
{
    return "ISA-L";
}
