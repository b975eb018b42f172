// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/workspace.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * A team of threads with one workspace each.
 *
 * The items of a loop are cut by the caller, by the shape of the data alone, never by the number
 * of threads: results then do not depend on it, bit for bit.
 */
struct parallel;

/** Does item `index`; runs on any thread of the team, `ws` is that thread's own. */
typedef void parallel_body(void *data, size_t index, struct workspace *ws);

/**
 * A team of n_threads >= 1. Once *stop is true (set by a signal handler, say; borrowed, may be
 * NULL), loops begin no further item.
 */
struct parallel *parallel_new(size_t n_threads, const atomic_bool *stop);
void parallel_free(struct parallel *team);
typedef struct parallel owned_parallel; // for g_autoptr(owned_parallel)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_parallel, parallel_free)

/**
 * Calls body(data, i, ws) once for each i < n_items, on all threads of the team, and waits.
 * False if it was stopped before all items were done. Not to be called from inside a body.
 */
bool parallel_for(struct parallel *team, size_t n_items, parallel_body *body, void *data);

size_t parallel_n_threads(const struct parallel *team);

/** CPU seconds that all threads of the team have used inside bodies so far. */
double parallel_cpu_seconds(const struct parallel *team);

/** CPUs that this process may run on (sched_getaffinity), at least 1. */
size_t parallel_cpu_count(void);
