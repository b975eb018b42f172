// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/bench/bench.h"
#include "app/host/host.h"

#include <json-glib/json-glib.h>

/** The rows, and what they are compared with, as a table; reference may be NULL. Owned. */
char *bench_table(const struct bench *bench, const struct bench_row *reference);

/** The same as a member "solvers" of an object. */
void bench_set_json(JsonObject *object, const struct bench *bench,
                    const struct bench_row *reference);

/**
 * Writes NAME.tsv and NAME.gp into a folder (made where it is absent) and draws NAME.svg and
 * NAME.png, the gap against time, where gnuplot is installed.
 */
bool bench_draw(const struct host *host, const struct bench *bench, const char *folder,
                const char *name, GError **error);
