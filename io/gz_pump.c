// SPDX-License-Identifier: BSD-3-Clause
#include "io/gz.h"

#include "io/gz_stream.h"

#include <string.h>

// While the sink works on one chunk of the contents, the next is made. Mostly one thread makes
// it: a gzip member has to be decompressed from its beginning. Where members are short enough,
// several are decompressed side by side. Where they begin is guessed: by the bytes that a header
// begins with, and by the length that the trailer before it would hold. A guess is believed once
// the members before it are decompressed and end, checked, exactly there; otherwise the stream
// goes on one byte after the other, as if nothing had been guessed.

enum {
    CHUNK_BYTES = 1 << 20,      // made by one thread: stays in cache
    MEMBER_CONTENTS = 16 << 20, // of members that are decompressed side by side
    GROUP_CONTENTS = 1 << 20,   // short members are decompressed in groups of that
    THREAD_CONTENTS = 8 << 20,  // of a batch, for each thread
    THREAD_COMPRESSED = 6 << 20,
    MOST_THREADS = 8, // that a batch is made for: memory
    MOST_GROUPS = 4 * MOST_THREADS,
    TRAILER_BYTES = 8,
};

/** A piece of the contents on its way to the sink. */
struct chunk {
    uint8_t *memory; // owned; GZ_MAX_UNIT bytes of room, then `capacity` for the contents
    size_t capacity;
    uint8_t *bytes; // what goes to the sink: whole units, from the room on
    size_t n;
};

/** Members that one thread decompresses, one after the other. */
struct group {
    size_t begin; // in the window
    size_t end;
    size_t n; // of their contents, if the guess is right
    uint8_t *out;
    bool right;
    struct gz stream;
};

struct pump {
    struct gz *gz;
    const struct gz_sink *sink;
    const struct io_context *io;
    uint64_t n_left; // to be read
    size_t n_carried;
    uint8_t carried[GZ_MAX_UNIT]; // the beginning of a unit that the next chunk ends
    struct chunk chunks[2];
    struct chunk *ahead;   // being made
    struct chunk *behind;  // with the sink; n = 0: none
    enum gz_status status; // of what is made
    bool stopped;          // by the sink
    // members side by side; NULL until there are some
    uint64_t serial_until; // in the file: after a wrong guess, one window without guesses
    uint8_t *window;       // owned: compressed bytes
    size_t n_window;       //
    uint64_t window_at;    // in the file
    struct group *groups;  // owned; MOST_GROUPS
    size_t n_groups;       //
};

/** Makes room for n bytes of contents; false: there is not the memory, and the room is as before.
 */
static bool reserve(struct chunk *chunk, size_t n)
{
    if (chunk->capacity >= n)
        return true;
    uint8_t *memory = g_try_malloc(GZ_MAX_UNIT + n);
    if (memory == NULL)
        return false;
    g_free(chunk->memory);
    chunk->memory = memory;
    chunk->capacity = n;
    return true;
}

static uint8_t *contents(const struct chunk *chunk)
{
    return chunk->memory + GZ_MAX_UNIT;
}

/** The chunk ahead has n bytes of contents: makes whole units of them and what was carried. */
static void cut_units(struct pump *pump, size_t n)
{
    struct chunk *chunk = pump->ahead;
    pump->n_left -= n;
    chunk->bytes = contents(chunk) - pump->n_carried;
    memcpy(chunk->bytes, pump->carried, pump->n_carried);
    n += pump->n_carried;
    pump->n_carried = n % pump->sink->unit;
    chunk->n = n - pump->n_carried;
    memcpy(pump->carried, chunk->bytes + chunk->n, pump->n_carried);
}

static size_t n_batch_threads(const struct pump *pump)
{
    return MIN(pump->io->n_threads, MOST_THREADS);
}

static uint32_t le32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t) bytes[1] << 8 | (uint32_t) bytes[2] << 16 |
           (uint32_t) bytes[3] << 24;
}

/** Where the next member may begin, after `at` in the window; n_window: nowhere. */
static size_t find_member(const struct pump *pump, size_t at)
{
    enum { LOOKED_AT = 4 };
    const uint8_t *window = pump->window;
    for (at++; at + LOOKED_AT <= pump->n_window; at++) {
        const uint8_t *p = memchr(window + at, GZ_MAGIC_0, pump->n_window - at - LOOKED_AT + 1);
        if (p == NULL)
            break;
        at = (size_t) (p - window);
        if (p[1] == GZ_MAGIC_1 && p[2] == GZ_METHOD && (p[3] & GZ_RESERVED_FLAGS) == 0)
            return at;
    }
    return pump->n_window;
}

static bool read_window(struct pump *pump)
{
    size_t size = n_batch_threads(pump) * THREAD_COMPRESSED;
    if (pump->window == NULL)
        pump->window = g_try_malloc(size);
    if (pump->groups == NULL)
        pump->groups = g_new0(struct group, MOST_GROUPS);
    pump->window_at = gz_file_offset(pump->gz);
    pump->n_window = 0;
    return pump->window != NULL &&
           input_read(&pump->gz->input, pump->window_at, pump->window, size, &pump->n_window);
}

/** Cuts what the window holds into groups of members, as guessed; the size of their contents. */
static size_t guess_groups(struct pump *pump)
{
    size_t most = (size_t) MIN(n_batch_threads(pump) * THREAD_CONTENTS, pump->n_left);
    size_t total = 0;
    size_t begin = 0;
    struct group *group = NULL;
    pump->n_groups = 0;
    for (size_t at = find_member(pump, 0); at < pump->n_window; at = find_member(pump, at)) {
        size_t n = at < begin + TRAILER_BYTES ? G_MAXSIZE : le32(pump->window + at - 4);
        if (n > MEMBER_CONTENTS || n / DEFLATE_MAX_RATIO > at - begin)
            continue; // not where a member ends
        if (n > most - total)
            break;
        if (group == NULL || group->n >= GROUP_CONTENTS) {
            if (pump->n_groups == MOST_GROUPS)
                break;
            group = &pump->groups[pump->n_groups++];
            group->begin = begin;
            group->n = 0;
        }
        group->end = at;
        group->n += n;
        total += n;
        begin = at;
    }
    return total;
}

/** Finds members to decompress side by side where the stream stands; false: there are none. */
static bool plan_batch(struct pump *pump)
{
    pump->n_groups = 0;
    if (pump->io->n_threads < 2 || !pump->gz->compressed || pump->gz->in_member ||
        gz_file_offset(pump->gz) < pump->serial_until || pump->n_left == 0)
        return false;
    size_t total = read_window(pump) ? guess_groups(pump) : 0;
    if (pump->n_groups == 0 || !reserve(pump->ahead, total)) {
        pump->n_groups = 0;
        pump->serial_until = pump->window_at + MAX(pump->n_window, 1);
        return false;
    }
    uint8_t *out = contents(pump->ahead);
    for (size_t i = 0; i < pump->n_groups; i++) {
        pump->groups[i].out = out;
        out += pump->groups[i].n;
    }
    return true;
}

static void decompress_group(struct pump *pump, struct group *group)
{
    struct gz *stream = &group->stream;
    uint8_t beyond;
    gz_begin_in_memory(stream, pump->window + group->begin, group->end - group->begin);
    group->right = gz_fill(stream, group->out, group->n, false) == group->n &&
                   gz_fill(stream, &beyond, 1, false) == 0 && stream->status == GZ_END &&
                   stream->n_padding == 0;
}

/** Believes the groups up to the first that was wrong. */
static void end_batch(struct pump *pump)
{
    size_t n = 0;
    size_t n_members = 0;
    size_t end = 0;
    size_t i = 0;
    for (; i < pump->n_groups && pump->groups[i].right; i++) {
        n += pump->groups[i].n;
        n_members += pump->groups[i].stream.n_members;
        end = pump->groups[i].end;
    }
    if (i < pump->n_groups)
        pump->serial_until = pump->window_at + pump->n_window;
    if (i > 0)
        gz_move_to_member(pump->gz, pump->window_at + end, n_members, n);
    cut_units(pump, n);
}

/**
 * The next chunk by one thread, at most to the end of a member: there may be others to decompress
 * side by side.
 */
static void make_chunk(struct pump *pump)
{
    struct gz *gz = pump->gz;
    size_t n = (size_t) MIN(pump->n_left, CHUNK_BYTES);
    size_t n_made = gz_fill(gz, contents(pump->ahead), n, true);
    pump->status = n_made == n ? GZ_OK : gz->status;
    cut_units(pump, n_made);
}

static void hand_on(struct pump *pump)
{
    struct chunk *chunk = pump->behind;
    if (chunk->n > 0)
        pump->stopped = !pump->sink->take(pump->sink->data, chunk->bytes, chunk->n);
}

/** Item 0: the chunk behind. Others: what becomes the chunk ahead. */
static void do_item(void *data, size_t i)
{
    struct pump *pump = data;
    if (i == 0)
        hand_on(pump);
    else if (pump->n_groups > 0)
        decompress_group(pump, &pump->groups[i - 1]);
    else
        make_chunk(pump);
}

/** Makes a chunk and hands the one before it on; false: stopped by the team. */
static bool pump_step(struct pump *pump)
{
    bool more = pump->n_left > 0 && pump->status == GZ_OK;
    bool side_by_side = more && plan_batch(pump);
    pump->ahead->n = 0;
    bool ran = true;
    if (pump->io->n_threads < 2 || !more || (pump->behind->n == 0 && !side_by_side)) {
        hand_on(pump);
        if (more && !pump->stopped)
            make_chunk(pump);
    } else {
        ran = io_context_run(pump->io, 1 + MAX(pump->n_groups, 1), do_item, pump);
        if (ran && side_by_side)
            end_batch(pump);
    }
    struct chunk *behind = pump->behind;
    pump->behind = pump->ahead;
    pump->ahead = behind;
    return ran;
}

static enum gz_status run_pump(struct pump *pump)
{
    uint64_t n = MAX(pump->n_left, 1);
    do {
        double fraction = 1.0 - (double) pump->n_left / (double) n;
        if (!io_context_go_on(pump->io, fraction) || !pump_step(pump))
            return GZ_CANCELLED;
        if (pump->stopped)
            return GZ_STOPPED;
    } while (pump->behind->n > 0 || (pump->n_left > 0 && pump->status == GZ_OK));
    return pump->status;
}

enum gz_status gz_pump(struct gz *gz, uint64_t n, const struct gz_sink *sink,
                       const struct io_context *io)
{
    g_assert(sink->unit >= 1 && sink->unit <= GZ_MAX_UNIT);
    struct pump pump = {.gz = gz, .sink = sink, .io = io, .n_left = n};
    for (size_t i = 0; i < 2; i++)
        pump.chunks[i] = (struct chunk){g_malloc(GZ_MAX_UNIT + CHUNK_BYTES), CHUNK_BYTES, NULL, 0};
    pump.ahead = &pump.chunks[0];
    pump.behind = &pump.chunks[1];
    enum gz_status status = run_pump(&pump);
    for (size_t i = 0; pump.groups != NULL && i < MOST_GROUPS; i++)
        inflater_free(pump.groups[i].stream.inflater);
    g_free(pump.groups);
    g_free(pump.window);
    g_free(pump.chunks[0].memory);
    g_free(pump.chunks[1].memory);
    return status;
}
