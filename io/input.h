// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/io_context.h"

#include <stdint.h>

/**
 * A regular file, open for reading, or bytes in memory. A file may change under us: reads are
 * bounded by what comes.
 */
struct input {
    int fd;
    uint64_t size;        // when it was opened
    const uint8_t *bytes; // borrowed; instead of a file, else NULL
};

/**
 * Opens exactly this file, once. Never blocks on a pipe and never takes a terminal; anything but a
 * regular file is refused. Error: IO_ERROR_INPUT; a dangling link is told from an absent file, and
 * one into a git-annex from others.
 */
bool input_open(struct input *input, const char *path, GError **error);

/** Bytes as an input; they have to stay until it is closed. */
struct input input_of_bytes(const void *bytes, size_t n);

/**
 * Reads n bytes from offset on, or fewer at the end of the file only. False: errno tells why.
 */
bool input_read(const struct input *input, uint64_t offset, void *bytes, size_t n, size_t *n_read);

void input_close(struct input *input);

/**
 * The whole of a regular file of at most `most` bytes, a NUL behind it; *n: its bytes. Owned.
 * Error: IO_ERROR_INPUT.
 */
char *input_text(const char *path, size_t most, size_t *n, GError **error);
