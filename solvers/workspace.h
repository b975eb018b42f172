// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stddef.h>

/**
 * Scratch memory of one thread: a stack of 64-byte aligned arrays.
 *
 * Take arrays with WORKSPACE_ALLOC between workspace_mark and workspace_release; their contents
 * are undefined. The stack grows while it meets larger needs and then never again, so that a
 * solver in its steady state allocates nothing. Arrays stay where they are while it grows.
 */
struct workspace;

struct workspace *workspace_new(void);
void workspace_free(struct workspace *ws);
typedef struct workspace owned_workspace; // for g_autoptr(owned_workspace)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_workspace, workspace_free)

/** Where the stack stands now, for workspace_release. */
size_t workspace_mark(const struct workspace *ws);

/** Gives back every array taken since the mark. */
void workspace_release(struct workspace *ws, size_t mark);

/** An array of n_bytes, 64-byte aligned; owned by the workspace. */
void *workspace_alloc(struct workspace *ws, size_t n_bytes);

/** Bytes that the workspace holds, in use or not. */
size_t workspace_capacity(const struct workspace *ws);

#define WORKSPACE_ALLOC(ws, type, n) ((type *) workspace_alloc((ws), sizeof(type) * (n)))
