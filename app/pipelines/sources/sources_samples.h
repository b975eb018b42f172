// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/sources/sources.h"
#include "io/array.h"

/**
 * The whitened samples of a recording, one a row, rank columns: of the conditions named (averages,
 * or events of a continuous recording), one after the other; NULL: of all averages, or of the whole
 * recording. Window and baseline are those of sources->options, `options`, whose condition is
 * another while this runs. sources_read, then sources_form come first; the recording is read here.
 */
struct array *sources_samples(struct sources *sources, struct sources_options *options,
                              char *const *conditions, GError **error);
