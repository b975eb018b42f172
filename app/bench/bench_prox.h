// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/command.h"
#include "io/array.h"

#include <stdint.h>

/**
 * Times the prox of TV per sample, by the segment construction that falls back on hulls (the one
 * in use) and by hulls alone, in turn: on drawn signals of several shapes and lengths, or on the
 * rows of an array (NULL: drawn). Prints a table, or JSON with --json. False where stopped.
 */
bool bench_prox(struct app *app, const struct array *data, uint64_t seed, size_t n_rounds,
                GError **error);
