// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "deconv/hrf.h"

#include <math.h>

/** More samples than this are refused. */
#define HRF_MAX_SAMPLES 1e6

/** Frames from 0 to length_s, both ends included; a whole number of frames up to rounding is one.
 */
static inline double hrf_count(double tr_s, double length_s)
{
    return floor(length_s / tr_s + 1e-9) + 1.0;
}

/** The times k tr_s up to length_s; false where that is fewer than 2 samples, or too many. */
static inline bool hrf_grid_of_frames(double tr_s, double length_s, struct hrf_grid *grid)
{
    double n = hrf_count(tr_s, length_s);
    if (!(n >= 2.0 && n <= HRF_MAX_SAMPLES))
        return false;
    *grid = (struct hrf_grid){(size_t) n, tr_s, 0.0};
    return true;
}

/** What "name:key=value,..." asks for. */
struct hrf_request {
    const struct hrf_model *model; // borrowed from the table
    double p[HRF_MAX_PARAMETERS];
    double length_s; // 0: the model's own
    enum hrf_norm norm;
};

/** Error: DECONV_ERROR_NAME, DECONV_ERROR_VALUE. */
bool hrf_spec_parse(const char *spec, struct hrf_request *request, GError **error);

/** The parameters of a request, for hrf_spec_parse: "key=value,..."; owned. */
char *hrf_spec_print(const struct hrf_request *request);
