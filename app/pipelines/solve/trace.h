// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/solver.h"

#include <glib.h>
#include <stdbool.h>

/**
 * How objective and gap fall, iteration by iteration, over many series: of iterations 0 to 1000
 * every one, past it 20 a decade. A series that is done keeps its last values.
 *
 * Each block of series is in the hands of one thread, and is summed in its order: the numbers do
 * not depend on how many threads there are.
 */
struct trace;

/** x: all series, their samples borrowed; lambda as in struct solve_input, borrowed. */
struct trace *trace_new(const struct problem *problem, struct block x, const double *lambda,
                        bool lambda_is_ratio);
void trace_free(struct trace *trace);
typedef struct trace owned_trace; // for g_autoptr(owned_trace)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_trace, trace_free)

/** For solver_options. */
const struct solver_observer *trace_observer(const struct trace *trace);

/** Tells that this thread is about to solve the block that begins with series `first`. */
void trace_begin_block(struct trace *trace, size_t first, struct workspace *ws);

/**
 * The table: iteration, objective_mean, gap_mean, gap_max (relative gaps), seconds (CPU time that
 * all series took to come there, the looking left out), a row an iteration. Methods that do not
 * iterate have one row, of their results. Owned.
 */
char *trace_table(const struct trace *trace, const struct series_result *results,
                  double cpu_seconds);
