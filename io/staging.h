// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * The outputs of one unit of work, published together: they are written into a hidden folder,
 * `.tmp-HOST-PID-...`, inside the one they belong to, and take their names at the very end, all or
 * none. Names are hard links until then, so that what a dead process had published of an
 * unfinished set is known and taken back, older outputs included. Where a file system has no hard
 * links, files are renamed one by one, and a kill between two of them leaves those before.
 */
struct staging;

/**
 * Whether a folder, there or to be made, can be written into; makes nothing. Error:
 * IO_ERROR_OUTPUT.
 */
bool staging_possible(const char *folder, GError **error);

/**
 * Takes back and removes what dead processes of this host left in a folder, single temporaries
 * (publish_sweep) included: a command that was killed can be given again. To be called before one
 * looks for outputs; it reads the whole folder, so once is enough for a batch.
 */
void staging_sweep(const char *folder);

/** Whether some process is writing outputs into a folder, or died at it. */
bool staging_is_busy(const char *folder);

/** Makes the folder, with its parents, and the hidden one in it. Error: IO_ERROR_OUTPUT. */
struct staging *staging_new(const char *folder, GError **error);

/**
 * Where an output of that name is to be written now. overwrite: what has the name now may be
 * replaced. Owned by the staging.
 */
const char *staging_add(struct staging *staging, const char *name, bool overwrite);

/** The names added so far, in order; borrowed. */
const GPtrArray *staging_names(const struct staging *staging);

/**
 * Gives all outputs their names, in the order in which they were added. What appeared or changed
 * there since staging_add is somebody else's, unless it is the same byte for byte: then none of
 * the names is given, and the error is IO_ERROR_EXISTS. Else IO_ERROR_OUTPUT.
 */
bool staging_commit(struct staging *staging, GError **error);

/** Passes an error on; a file in the hidden folder is told by the name it was to have. */
void staging_propagate(const struct staging *staging, GError **error, GError *problem);

/** Removes what was not published. */
void staging_free(struct staging *staging);
typedef struct staging owned_staging; // for g_autoptr(owned_staging)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_staging, staging_free)
