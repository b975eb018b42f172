// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/sources/sources_map.h"

#include "sources/minimum_norm.h"

#include <cblas.h>
#include <math.h>

#define ASSUMED_SNR 3.0 // of amplitudes, as MNE-Python has it for averages

double *sources_map(const struct sources *sources)
{
    if (sources->options->map == SOURCE_MAP_NONE)
        return NULL;
    const struct leadfield *leadfield = sources->leadfield;
    const struct sources_window *window = &sources->window;
    struct minimum_norm_input input = {.gain = leadfield->gain,
                                       .weight = leadfield->weight,
                                       .data = sources->whitened,
                                       .n_sensors = leadfield->n_sensors,
                                       .n_positions = leadfield->n_positions,
                                       .n_orient = leadfield->n_orient,
                                       .n_time = window->n_time,
                                       .snr = ASSUMED_SNR,
                                       .is_normalised = sources->options->map == SOURCE_MAP_DSPM};
    size_t n = input.n_positions * input.n_time;
    double *map = g_new(double, n);
    minimum_norm(&input, map);
    if (input.is_normalised && window->n_averaged > 1)
        cblas_dscal((int) n, sqrt((double) window->n_averaged), map, 1);
    return map;
}
