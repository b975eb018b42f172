// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"
#include "io/array.h"

#include <stdint.h>

/** Nanoseconds a sample, medians over the rounds. */
struct bench_prox_row {
    const char *signal;
    size_t n; // samples of a signal
    double mu;
    double ns;       // segments that fall back on hulls: the method in use
    double ns_hulls; // hulls alone
};

/** Takes the rows as they come. */
struct bench_prox_rows {
    void (*add)(void *data, const struct bench_prox_row *row);
    void *data;
};

/**
 * Times the prox of TV per sample, by the segment construction that falls back on hulls (the one
 * in use) and by hulls alone, in turn: on drawn signals of several shapes and lengths, or on the
 * rows of an array (NULL: drawn). False where stopped.
 */
bool bench_prox(const struct host *host, const struct array *data, uint64_t seed, size_t n_rounds,
                const struct bench_prox_rows *rows, GError **error);
