// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * The outputs of one unit of work, published together: they are written into a hidden folder,
 * `.tmp-HOST-PID-...`, inside the one they belong to, and take their names at the very end. What
 * stops before leaves nothing behind, and older outputs as they were.
 */
struct staging;

/**
 * Whether a folder, there or to be made, can be written into; makes nothing. Error:
 * APP_ERROR_OUTPUT.
 */
bool staging_possible(const char *folder, GError **error);

/**
 * Makes the folder, with its parents, and the hidden one in it, after removing those that dead
 * processes of this host left there. Error: APP_ERROR_OUTPUT.
 */
struct staging *staging_new(const char *folder, GError **error);

/** Where an output of that name is to be written now. Owned by the staging. */
const char *staging_add(struct staging *staging, const char *name);

/** The names added so far, in order; borrowed. */
const GPtrArray *staging_names(const struct staging *staging);

/**
 * Gives all outputs their names. Error: APP_ERROR_OUTPUT; those that had theirs by then keep
 * them.
 */
bool staging_commit(struct staging *staging, GError **error);

/** Passes an error on; a file in the hidden folder is told by the name it was to have. */
void staging_propagate(const struct staging *staging, GError **error, GError *problem);

/** Removes what was not published. */
void staging_free(struct staging *staging);
typedef struct staging owned_staging; // for g_autoptr(owned_staging)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_staging, staging_free)
