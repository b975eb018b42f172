// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/gz.h"
#include "io/gz_codec.h"

// What gz.c and gz_pump.c share.

struct gz {
    struct input input; // fd < 0: the stream is in memory
    bool compressed;
    uint64_t position;         // in the contents
    enum gz_status status;     // of the stream: GZ_OK until it ends or fails
    int io_errno;              // of GZ_IO
    uint8_t *buffer;           // owned
    const uint8_t *in;         // what is unread of the buffer, or of the memory
    const uint8_t *in_end;     //
    uint64_t in_offset;        // in the file, of in_end
    struct inflater *inflater; // owned
    size_t in_step;            // most bytes that it is given at a time
    size_t in_step_growth;     // by which that is multiplied each time
    bool in_member;            // its header is read, its trailer is not
    uint32_t crc;              // of the contents of the member under way
    uint32_t length;           // of them, modulo 2^32
    uint32_t header_crc;       //
    size_t n_members;          // read to their end
    size_t n_padding;          // bytes after the last member
    bool has_garbage;          // not all of them are zeros
};

/** The first bytes of a member. */
enum { GZ_MAGIC_0 = 0x1f, GZ_MAGIC_1 = 0x8b, GZ_METHOD = 8, GZ_RESERVED_FLAGS = 0xe0 };
enum { DEFLATE_MAX_RATIO = 1032 };

/**
 * The next bytes of the contents, n of them unless the stream ends or fails (gz->status), or,
 * where to_member_end, a member of a gzip stream ends.
 */
size_t gz_fill(struct gz *gz, uint8_t *out, size_t n, bool to_member_end);

/** Makes gz a stream of members in memory, from their beginning; bytes are borrowed. */
void gz_begin_in_memory(struct gz *gz, const uint8_t *bytes, size_t n);

/** Where the next unread byte of the file is. */
uint64_t gz_file_offset(const struct gz *gz);

/** Moves over n_members members of n bytes of contents to where another begins. */
void gz_move_to_member(struct gz *gz, uint64_t file_offset, size_t n_members, uint64_t n);
