// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum deconv_error {
    DECONV_ERROR_NAME,  // unknown model, parameter or preset
    DECONV_ERROR_VALUE, // a value outside its range, or one that does not fit the data
    DECONV_ERROR_DATA,  // the data: too short, nothing left of them, not finite
};
#define DECONV_ERROR (deconv_error_quark())
GQuark deconv_error_quark(void);

/** A number that a model takes, or one of a few words. */
struct hrf_parameter {
    const char *name;
    double value;               // default; for words: the index of the default
    double min, max;            // allowed, both ends included
    const char *meaning;        // with its unit
    const char *const *choices; // NULL-terminated words for 0, 1, ...; NULL for a number
};

enum { HRF_MAX_PARAMETERS = 10 };

/** Where a model is evaluated: sample k stands for the time k step_s - shift_s of its formula. */
struct hrf_grid {
    size_t n;
    double step_s;
    double shift_s;
};

/** What samples are divided by: nothing, their sum, or the largest of their absolute values. */
enum hrf_norm { HRF_NORM_NONE, HRF_NORM_PEAK, HRF_NORM_SUM };

/** A model of the response. Read it to list models; hrf_new uses the functions. */
struct hrf_model {
    const char *name;
    const char *summary;                    // one line for `taut hrf`
    const char *source;                     // paper or program
    const struct hrf_parameter *parameters; // n_parameters, besides length and norm
    size_t n_parameters;                    //
    double length_s;                        // default; 0: asked of `extent_s`
    enum hrf_norm norm;                     // default

    /** The end of the support, s; NULL where length_s says it. */
    double (*extent_s)(const double *p);
    /** The times of the samples by the rule of the original program; NULL: k tr_s, exactly. */
    bool (*grid)(const double *p, double tr_s, double length_s, struct hrf_grid *grid);
    /** Samples on a grid, before any normalisation that was asked for. */
    void (*sample)(const struct hrf_model *model, const double *p, const struct hrf_grid *grid,
                   double *h);
    /** The formula at t_s seconds, for those `sample` that evaluate one formula. */
    double (*response)(const double *p, double t_s);
    /** Why the response asked for is not to be deconvolved with; NULL where it is. */
    const char *(*caution)(const double *p);
};

/** The table of models, in alphabetical order. */
const struct hrf_model *const *hrf_models(size_t *n);

/** The model of that name, or NULL and DECONV_ERROR_NAME with the nearest known name. */
const struct hrf_model *hrf_model_find(const char *name, GError **error);

/** A haemodynamic response, sampled at k tr_s seconds, k = 0 .. n-1. */
struct hrf {
    char *name;       // owned; of the model, or "file"
    char *parameters; // owned; every parameter with its value, "delay=6,undershoot=16,...", or ""
    double tr_s;
    size_t n;
    double *h;                     // owned
    double before;                 // of a file: largest absolute value at times before 0
    const struct hrf_model *model; // borrowed from the table; NULL for a file's
    double p[HRF_MAX_PARAMETERS];  // values of the model's parameters
    struct hrf_grid grid;          // where the model was evaluated
};

/**
 * Samples a model: "spm", "glover:ratio=0.35", "scaled:delta=1.2", "double-gamma:norm=peak".
 *
 * Any model takes norm=sum|peak|none and length=SECONDS; floor(length / tr_s) + 1 samples are made
 * where the model has no rule of its own. Parameters are separated by commas or colons.
 * "NAME:PARAMETERS" of a response makes the same response. Error: DECONV_ERROR_NAME with the
 * nearest known name, DECONV_ERROR_VALUE.
 */
struct hrf *hrf_new(const char *spec, double tr_s, GError **error);

/** A response from its samples (a file's column). Refuses n < 2, all zero, non-finite. */
struct hrf *hrf_new_from_samples(const double *h, size_t n, double tr_s, GError **error);

/**
 * A response from samples at times_s (rising; n of both), interpolated linearly at k tr_s up to the
 * last time; 0 before the first; what is before time 0 is left out. Refuses as
 * hrf_new_from_samples.
 */
struct hrf *hrf_new_from_times(const double *times_s, const double *h, size_t n, double tr_s,
                               GError **error);

/** "sum", "peak" or "none". */
bool hrf_norm_parse(const char *word, enum hrf_norm *norm, GError **error);

/** Divides the samples. Error: DECONV_ERROR_VALUE where the sum is zero up to rounding. */
bool hrf_normalise(struct hrf *hrf, enum hrf_norm norm, GError **error);

void hrf_free(struct hrf *hrf);
typedef struct hrf owned_hrf; // for g_autoptr(owned_hrf)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_hrf, hrf_free)

/** The shape of a response, measured on a fine grid (models) or on its samples (files). */
struct hrf_shape {
    double time_to_peak_s;   // of the largest absolute value
    double fwhm_s;           // linear interpolation at half the peak; NaN where it is not reached
    double undershoot_s;     // time of the opposite extreme after the peak; NaN without one
    double undershoot_ratio; // that extreme / peak, negative
    double sum;              // of the samples
};

struct hrf_shape hrf_measure(const struct hrf *hrf);

/**
 * What the user of a deconvolution should be told about this response, a NULL-terminated list for
 * g_strfreev, empty where there is nothing to say: a block response or a derivative is no impulse
 * response; a peak or a width outside of 2 to 10 s; samples that begin or end far from 0, or fall
 * faster than they rise; leading zeros in a file whose shape fits a known model better earlier.
 */
char **hrf_warnings(const struct hrf *hrf);
