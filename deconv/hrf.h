// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum deconv_error {
    DECONV_ERROR_NAME,  // unknown model, parameter or preset
    DECONV_ERROR_VALUE, // a value outside its range, or one that does not fit the data
};
#define DECONV_ERROR (deconv_error_quark())
GQuark deconv_error_quark(void);

/** A haemodynamic response, sampled at k tr_s seconds, k = 0 .. n-1. */
struct hrf {
    char *name;       // owned; of the model, or "file"
    char *parameters; // owned; every parameter with its value, "delay=6,undershoot=16,...", or ""
    double tr_s;
    size_t n;
    double *h; // owned
};

/** A model of the response: how to sample it at any time. */
struct hrf_model {
    const char *name;
    const char *summary; // one line for `taut hrf`
    const char *source;  // paper or program
};

/** The table of models, in alphabetical order. */
const struct hrf_model *hrf_models(size_t *n);

/**
 * Samples a model: "spm", "glover:ratio=0.35", "scaled:delta=1.2", "double-gamma:norm=peak".
 * Any model takes norm=sum|peak|none and length=SECONDS. Error: DECONV_ERROR_NAME with the nearest
 * known name, DECONV_ERROR_VALUE.
 */
struct hrf *hrf_new(const char *spec, double tr_s, GError **error);

/** A response from its samples (a file's column). Refuses n < 2, all zero, non-finite. */
struct hrf *hrf_new_from_samples(const double *h, size_t n, double tr_s, GError **error);

void hrf_free(struct hrf *hrf);
typedef struct hrf owned_hrf; // for g_autoptr(owned_hrf)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_hrf, hrf_free)

/** The shape of a response, measured on a fine grid (models) or on its samples (files). */
struct hrf_shape {
    double time_to_peak_s;
    double fwhm_s;           // linear interpolation at half the peak
    double undershoot_s;     // time of the minimum after the peak; NaN where there is none
    double undershoot_ratio; // minimum / peak
    double sum;              // of the samples
};

struct hrf_shape hrf_measure(const struct hrf *hrf);
