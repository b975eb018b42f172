// SPDX-License-Identifier: BSD-3-Clause
#include "io/gz.h"

#include "io/gz_stream.h"

#include <errno.h>
#include <string.h>

enum {
    IN_BYTES = 256 * 1024, // compressed bytes read at a time
    SMALL_STEP = 256,      // given to a decompressor at a time, at first
    IN_HISTORY = 8,        // kept before them: an inflater may give that many back
    EXCESS_BYTES = 1024 * 1024,
};

static const uint8_t member_magic[] = {GZ_MAGIC_0, GZ_MAGIC_1};

const char *gz_describe(const struct gz *gz, enum gz_status status)
{
    static const char *const texts[] = {
        [GZ_OK] = "read in full",
        [GZ_END] = "the data end early",
        [GZ_TRUNCATED] = "the gzip stream is truncated",
        [GZ_HEADER] = "the gzip stream has an invalid member header",
        [GZ_DEFLATE] = "the gzip stream is corrupt",
        [GZ_CRC] = "the gzip stream is corrupt: its CRC-32 does not match",
        [GZ_LENGTH] = "the gzip stream is corrupt: its length does not match",
        [GZ_IO] = "",
        [GZ_CANCELLED] = "stopped",
        [GZ_STOPPED] = "stopped",
    };
    return status == GZ_IO ? g_strerror(gz->io_errno) : texts[status];
}

/** Takes the input over, whose first two bytes (or fewer) are `magic`. */
static struct gz *gz_of_input(const struct input *input, const uint8_t *magic, size_t n)
{
    struct gz *gz = g_new0(struct gz, 1);
    gz->input = *input;
    gz->compressed = n == sizeof member_magic && memcmp(magic, member_magic, n) == 0;
    if (gz->compressed) {
        gz->buffer = g_malloc(IN_HISTORY + IN_BYTES);
        gz->inflater = inflater_new();
    }
    gz_rewind(gz);
    return gz;
}

struct gz *gz_open(const char *path, GError **error)
{
    struct input input;
    if (!input_open(&input, path, error))
        return NULL;
    uint8_t magic[2];
    size_t n = 0;
    if (input_read(&input, 0, magic, sizeof magic, &n))
        return gz_of_input(&input, magic, n);
    io_error_set(error, IO_ERROR_INPUT, path, "cannot read: %s", g_strerror(errno));
    input_close(&input);
    return NULL;
}

struct gz *gz_open_bytes(const void *bytes, size_t n)
{
    struct input input = input_of_bytes(bytes, n);
    return gz_of_input(&input, bytes, MIN(n, sizeof member_magic));
}

void gz_free(struct gz *gz)
{
    if (gz == NULL)
        return;
    input_close(&gz->input);
    inflater_free(gz->inflater);
    g_free(gz->buffer);
    g_free(gz);
}

bool gz_is_in_memory(const struct gz *gz)
{
    return gz->input.fd < 0;
}

bool gz_is_compressed(const struct gz *gz)
{
    return gz->compressed;
}

uint64_t gz_file_size(const struct gz *gz)
{
    return gz->input.size;
}

uint64_t gz_size_limit(const struct gz *gz)
{
    if (!gz->compressed)
        return gz->input.size;
    uint64_t limit = 0;
    bool overflow = __builtin_mul_overflow(gz->input.size, DEFLATE_MAX_RATIO, &limit);
    return overflow ? UINT64_MAX : limit;
}

uint64_t gz_position(const struct gz *gz)
{
    return gz->position;
}

void gz_rewind(struct gz *gz)
{
    gz->position = 0;
    gz->status = GZ_OK;
    gz->in = gz->in_end = gz->buffer;
    gz->in_offset = 0;
    // Of invalid data a decompressor tells nothing that came in one call: small ones first, so that
    // headers are read whatever comes later.
    gz->in_step = SMALL_STEP;
    gz->in_step_growth = 2;
    gz->in_member = false;
    gz->n_padding = 0;
    gz->has_garbage = false;
    gz->n_members = 0;
}

void gz_begin_in_memory(struct gz *gz, const uint8_t *bytes, size_t n)
{
    gz_rewind(gz);
    gz->input.fd = -1;
    gz->compressed = true;
    gz->in = bytes;
    gz->in_end = bytes + n;
    if (gz->inflater == NULL)
        gz->inflater = inflater_new();
}

uint64_t gz_file_offset(const struct gz *gz)
{
    return gz->in_offset - (uint64_t) (gz->in_end - gz->in);
}

void gz_move_to_member(struct gz *gz, uint64_t file_offset, size_t n_members, uint64_t n)
{
    g_assert(!gz->in_member);
    gz->n_members += n_members;
    gz->position += n;
    gz->in_offset = file_offset;
    gz->in = gz->in_end = gz->buffer + IN_HISTORY;
}

static bool fail(struct gz *gz, enum gz_status status)
{
    gz->status = status;
    return false;
}

/** Makes at least one byte of input; false at the end of the file (status GZ_OK) or with GZ_IO. */
static bool refill(struct gz *gz)
{
    bool has_input = gz->input.fd >= 0 || gz->input.bytes != NULL;
    if (gz->in < gz->in_end || !has_input)
        return gz->in < gz->in_end;
    // The first time there is no history, and none is asked for.
    if (gz->in_offset > 0)
        memmove(gz->buffer, gz->in_end - IN_HISTORY, IN_HISTORY);
    uint8_t *begin = gz->buffer + IN_HISTORY;
    size_t n = 0;
    if (!input_read(&gz->input, gz->in_offset, begin, IN_BYTES, &n)) {
        gz->io_errno = errno;
        return fail(gz, GZ_IO);
    }
    gz->in = begin;
    gz->in_end = begin + n;
    gz->in_offset += n;
    return n > 0;
}

/** The next byte of a member's header or trailer, where the file must not end. */
static bool next_byte(struct gz *gz, uint8_t *byte)
{
    if (!refill(gz))
        return gz->status != GZ_OK ? false : fail(gz, GZ_TRUNCATED);
    *byte = *gz->in++;
    gz->header_crc = codec_crc32(gz->header_crc, byte, 1);
    return true;
}

static bool next_le(struct gz *gz, size_t n_bytes, uint32_t *value)
{
    *value = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        uint8_t byte = 0;
        if (!next_byte(gz, &byte))
            return false;
        *value |= (uint32_t) byte << (8 * i);
    }
    return true;
}

static bool skip_string(struct gz *gz)
{
    uint8_t byte = 1;
    while (byte != 0)
        if (!next_byte(gz, &byte))
            return false;
    return true;
}

static bool skip_extra(struct gz *gz)
{
    uint32_t length = 0;
    if (!next_le(gz, 2, &length))
        return false;
    uint8_t byte = 0;
    while (length-- > 0)
        if (!next_byte(gz, &byte))
            return false;
    return true;
}

/** What a member's header has after its two magic bytes (RFC 1952, section 2.3). */
static bool read_member_header(struct gz *gz)
{
    enum { HAS_CRC = 2, HAS_EXTRA = 4, HAS_NAME = 8, HAS_COMMENT = 16 };
    gz->header_crc = codec_crc32(0, member_magic, sizeof member_magic);
    uint8_t method = 0;
    uint8_t flags = 0;
    uint32_t ignored = 0; // time; extra flags and system
    if (!next_byte(gz, &method) || !next_byte(gz, &flags) || !next_le(gz, 4, &ignored) ||
        !next_le(gz, 2, &ignored))
        return false;
    if (method != GZ_METHOD || (flags & GZ_RESERVED_FLAGS) != 0)
        return fail(gz, GZ_HEADER);
    if ((flags & HAS_EXTRA) != 0 && !skip_extra(gz))
        return false;
    if ((flags & HAS_NAME) != 0 && !skip_string(gz))
        return false;
    if ((flags & HAS_COMMENT) != 0 && !skip_string(gz))
        return false;
    if ((flags & HAS_CRC) == 0)
        return true;
    uint32_t expected = gz->header_crc & 0xffff;
    uint32_t found = 0;
    if (!next_le(gz, 2, &found))
        return false;
    return found == expected || fail(gz, GZ_HEADER);
}

/** The end of the last member, or what pads it: zeros are nothing, other bytes are noted. */
static bool pass_padding(struct gz *gz)
{
    while (!gz->has_garbage && refill(gz)) {
        gz->n_padding++;
        gz->has_garbage = *gz->in++ != 0 || gz->n_padding > EXCESS_BYTES;
    }
    return gz->status == GZ_IO ? false : fail(gz, GZ_END);
}

static bool begin_member(struct gz *gz)
{
    for (size_t i = 0; i < sizeof member_magic; i++) {
        bool there = refill(gz);
        if (!there && gz->status == GZ_IO)
            return false;
        if (!there || *gz->in != member_magic[i]) {
            gz->n_padding = i;
            gz->has_garbage = i > 0;
            return pass_padding(gz);
        }
        gz->in++;
    }
    if (!read_member_header(gz))
        return false;
    inflater_reset(gz->inflater);
    gz->in_member = true;
    gz->crc = 0;
    gz->length = 0;
    return true;
}

static bool end_member(struct gz *gz)
{
    uint32_t crc = 0;
    uint32_t length = 0;
    if (!next_le(gz, 4, &crc) || !next_le(gz, 4, &length))
        return false;
    gz->in_member = false;
    gz->n_members++;
    if (crc != gz->crc)
        return fail(gz, GZ_CRC);
    return length == gz->length || fail(gz, GZ_LENGTH);
}

/** One step of decompression into out[0..n); *n_out bytes came. */
static bool inflate_some(struct gz *gz, uint8_t *out, size_t n, size_t *n_out)
{
    bool more_input = refill(gz);
    if (gz->status != GZ_OK)
        return false;
    size_t n_in = MIN((size_t) (gz->in_end - gz->in), gz->in_step);
    struct inflate_span span = {gz->in, gz->in + n_in, out, out + n};
    gz->in_step = MIN(gz->in_step * gz->in_step_growth, IN_BYTES);
    enum inflate_status result = inflater_run(gz->inflater, &span);
    *n_out = (size_t) (span.out - out);
    bool progress = *n_out > 0 || span.in != gz->in;
    gz->in = span.in;
    gz->crc = codec_crc32(gz->crc, out, *n_out);
    gz->length += (uint32_t) *n_out;
    if (result == INFLATE_CORRUPT)
        return fail(gz, GZ_DEFLATE);
    if (result == INFLATE_END)
        return end_member(gz);
    return progress || more_input || fail(gz, GZ_TRUNCATED);
}

static size_t fill_compressed(struct gz *gz, uint8_t *out, size_t n, bool to_member_end)
{
    size_t n_out = 0;
    while (n_out < n && gz->status == GZ_OK) {
        size_t more = 0;
        if (gz->in_member || begin_member(gz))
            inflate_some(gz, out + n_out, n - n_out, &more);
        n_out += more;
        if (to_member_end && !gz->in_member)
            break;
    }
    return n_out;
}

static size_t fill_plain(struct gz *gz, uint8_t *out, size_t n)
{
    size_t n_out = 0;
    if (!input_read(&gz->input, gz->position, out, n, &n_out)) {
        gz->io_errno = errno;
        fail(gz, GZ_IO);
    } else if (n_out < n) {
        fail(gz, GZ_END);
    }
    return n_out;
}

size_t gz_fill(struct gz *gz, uint8_t *out, size_t n, bool to_member_end)
{
    size_t n_out =
        gz->compressed ? fill_compressed(gz, out, n, to_member_end) : fill_plain(gz, out, n);
    gz->position += n_out;
    return n_out;
}

enum gz_status gz_read(struct gz *gz, void *bytes, size_t n, size_t *n_read)
{
    *n_read = gz_fill(gz, bytes, n, false);
    return *n_read == n ? GZ_OK : gz->status;
}

enum gz_status gz_skip(struct gz *gz, uint64_t n)
{
    if (!gz->compressed) {
        gz->position += n;
        return GZ_OK;
    }
    g_autofree uint8_t *scratch = g_malloc(EXCESS_BYTES);
    enum gz_status status = GZ_OK;
    while (n > 0 && status == GZ_OK) {
        size_t n_read = 0;
        status = gz_read(gz, scratch, (size_t) MIN(n, EXCESS_BYTES), &n_read);
        n -= n_read;
    }
    return status;
}

uint64_t gz_locate_damage(struct gz *gz)
{
    g_autofree uint8_t *scratch = g_malloc(EXCESS_BYTES);
    gz_rewind(gz);
    gz->in_step_growth = 1;
    while (gz->status == GZ_OK)
        gz_fill(gz, scratch, EXCESS_BYTES, false);
    return gz->position;
}

enum gz_status gz_finish(struct gz *gz, struct gz_rest *rest)
{
    *rest = (struct gz_rest){0};
    if (!gz->compressed) {
        rest->n_excess = gz->input.size - MIN(gz->position, gz->input.size);
        return GZ_OK;
    }
    g_autofree uint8_t *scratch = g_malloc(EXCESS_BYTES + 1);
    size_t n = 0;
    enum gz_status status = gz_read(gz, scratch, EXCESS_BYTES + 1, &n);
    rest->n_excess = n;
    rest->excess_is_cut = status == GZ_OK;
    rest->has_garbage = gz->has_garbage;
    rest->n_members = gz->n_members;
    return status == GZ_END ? GZ_OK : status;
}
