// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/bench/bench.h"
#include "app/pipelines/sources/sources.h"
#include "io/array.h"

#include <json-glib/json-glib.h>

/**
 * A leadfield of fixed orientation and whitened samples on it, one a row: those of
 * options->recording, or without a forward solution those of the simulated average of that seed,
 * 30 .. 200 ms. n_most > 0: so many samples at most, evenly spaced. Fills sources, the network
 * included where options->network asks for one. Errors: any.
 */
struct array *bench_sources_data(struct sources *sources, struct sources_options *options,
                                 size_t n_most, uint64_t seed, GError **error);

/** The network of `sources` as a method, and how it is to be counted. Owned by the caller. */
struct solver *bench_sources_network(const struct sources *sources);
extern const struct method bench_network_method;

/** The mixed norm of all samples as one window, by block descent on working sets. */
struct bench_mixed_norm {
    double lambda_ratio;
    size_t n_active; // at the last target
    double ms[3];    // median CPU time to each of bench_mixed_norm_targets
    double gap[3];   // certified
};
extern const double bench_mixed_norm_targets[3];

struct bench_mixed_norm bench_sources_mixed_norm(const struct leadfield *leadfield,
                                                 const struct array *samples, double lambda_ratio,
                                                 size_t n_rounds);

/** What bench has not, network and window: members of an object. */
void bench_sources_set_json(const struct sources *sources, const struct bench *bench,
                            const struct bench_row *reference,
                            const struct bench_mixed_norm *window, JsonObject *object);

/** The same in lines. Owned. */
char *bench_sources_lines(const struct sources *sources, const struct bench *bench,
                          const struct bench_row *reference, const struct bench_mixed_norm *window);
