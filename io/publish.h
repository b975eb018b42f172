// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/io_context.h"

#include <stdint.h>

/**
 * An output under way: bytes go to a temporary beside the final name, `.tmp-HOST-PID-...`; commit
 * syncs and renames it, free without commit removes it. So an output is whole or absent.
 */
struct publish;

/** Begins an output. Error: IO_ERROR_EXISTS if path is there and !overwrite, else IO_ERROR_OUTPUT.
 */
struct publish *publish_new(const char *path, bool overwrite, GError **error);

/** Appends; retries short writes and EINTR. Error: IO_ERROR_OUTPUT `PATH: cannot write: REASON`. */
bool publish_write(struct publish *output, const void *bytes, size_t n, GError **error);

/** The same at an offset from the beginning; where publish_write goes on does not change. */
bool publish_write_at(struct publish *output, const void *bytes, size_t n, uint64_t offset,
                      GError **error);

/** fsync, close, rename, fsync of the folder. The mode is 0666 less the umask. */
bool publish_commit(struct publish *output, GError **error);

/** Removes the temporary unless committed. */
void publish_free(struct publish *output);
typedef struct publish owned_publish; // for g_autoptr(owned_publish)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_publish, publish_free)

/** A whole output from memory. */
bool publish_bytes(const char *path, const void *bytes, size_t n, bool overwrite, GError **error);

/**
 * What the names of this process's temporaries begin with, `.tmp-HOST-PID-...-`, for those that
 * are not files. To be freed.
 */
char *publish_temporary_prefix(void);

/** Whether a name is that of a temporary whose process, of this host, is no more. */
bool publish_is_left_over(const char *name);

/**
 * Removes the files in a folder that dead processes of this host left; other hosts' never.
 */
void publish_sweep(const char *folder);
