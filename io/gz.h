// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/input.h"

/** How a read of a stream ended. */
enum gz_status {
    GZ_OK,        // all bytes asked for
    GZ_END,       // the stream ended before
    GZ_TRUNCATED, // the file ended inside a gzip member
    GZ_HEADER,    // a member's header is invalid
    GZ_DEFLATE,   // invalid compressed data
    GZ_CRC,       // a member's CRC-32 does not match its contents
    GZ_LENGTH,    // a member's length does not
    GZ_IO,        // the file cannot be read
    GZ_CANCELLED, // io->go_on or io->run said stop
    GZ_STOPPED,   // the sink said stop
};

/**
 * The bytes of a regular file, plain, or the contents of its gzip members (any number, also empty
 * ones) one after the other, each checked against its CRC-32 and length as it ends. gzip is known
 * by content. The file is read by offset, never mapped, so a stream can begin again.
 */
struct gz;

/** Opens a file as input_open does. */
struct gz *gz_open(const char *path, GError **error);

/** A stream over bytes in memory, which have to stay until it is freed. */
struct gz *gz_open_bytes(const void *bytes, size_t n);

void gz_free(struct gz *gz);
typedef struct gz owned_gz; // for g_autoptr(owned_gz)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_gz, gz_free)

bool gz_is_compressed(const struct gz *gz);

/** Whether the stream is of bytes, and of no file. */
bool gz_is_in_memory(const struct gz *gz);

/** "the gzip stream is truncated", ..., or why the file cannot be read; for messages. */
const char *gz_describe(const struct gz *gz, enum gz_status status);

/** Bytes of the file. */
uint64_t gz_file_size(const struct gz *gz);

/** Most bytes that the stream can have: deflate expands at most 1032 times. */
uint64_t gz_size_limit(const struct gz *gz);

/** Bytes handed out so far. */
uint64_t gz_position(const struct gz *gz);

/** Back to the first byte. */
void gz_rewind(struct gz *gz);

/** Reads the next n bytes; *n_read of them were there (n with GZ_OK). */
enum gz_status gz_read(struct gz *gz, void *bytes, size_t n, size_t *n_read);

/** Passes over the next n bytes. */
enum gz_status gz_skip(struct gz *gz, uint64_t n);

/** Where the bytes of gz_pump go. */
struct gz_sink {
    /** A number of whole units, which may be written over; false: stop. On any thread. */
    bool (*take)(void *data, uint8_t *bytes, size_t n);
    void *data;
    size_t unit; // bytes, at most GZ_MAX_UNIT
};
enum { GZ_MAX_UNIT = 16 };

/**
 * Hands the next n bytes, a multiple of sink->unit, to the sink, in order. With a team of threads
 * it decompresses what comes next while the sink works on what came before, and members side by
 * side. What the sink gets and how it ends do not depend on that; after a failure the sink has had
 * every whole unit before it; of invalid data, what went before only roughly (gz_locate_damage).
 * Tells io->go_on the fraction done.
 */
enum gz_status gz_pump(struct gz *gz, uint64_t n, const struct gz_sink *sink,
                       const struct io_context *io);

/**
 * After GZ_DEFLATE: how many bytes of contents the stream has before its invalid data, to what 256
 * compressed bytes hold. Decompresses it again in small steps; the stream stands there afterwards.
 */
uint64_t gz_locate_damage(struct gz *gz);

/** What comes after the bytes that were wanted. */
struct gz_rest {
    uint64_t n_excess;  // further bytes of contents
    bool excess_is_cut; // there are more than the limit; the rest was not read or checked
    bool has_garbage;   // after the last member: bytes that are neither gzip nor zeros
    size_t n_members;   // of gzip; 0 for a plain file
};

/** Reads on to the end, so that every member is checked, but over at most 1 MiB of contents. */
enum gz_status gz_finish(struct gz *gz, struct gz_rest *rest);

/** Most bytes that gz_member can write for n bytes. */
size_t gz_member_bound(size_t n);

/**
 * Writes a gzip member of n < 2^31 bytes (level 0: stored, 1..3; no name, time 0) to `out`, of
 * gz_member_bound(n) bytes, and returns its size. Pure: the same bytes on any thread.
 */
size_t gz_member(const uint8_t *bytes, size_t n, int level, uint8_t *out);

/** The library that deflates: "ISA-L" or "zlib". */
const char *gz_library(void);
