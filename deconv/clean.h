// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/block.h"
#include "solvers/workspace.h"

#include <glib.h>
#include <stdbool.h>

enum detrend {
    DETREND_NONE,
    DETREND_CONSTANT,      // the mean
    DETREND_LINEAR,        // the mean and a ramp
    DETREND_COSINE,        // the mean and slow cosines
    DETREND_LINEAR_COSINE, // the mean, a ramp and slow cosines
};
enum standardize { STANDARDIZE_NONE, STANDARDIZE_ZSCORE, STANDARDIZE_PSC };

/** What is taken out of a series before it is deconvolved, in this order. */
struct clean_options {
    enum detrend detrend;
    double cosine_s;         // cosines: longest period kept, s
    double low_hz;           // band-pass edges; low only is a high-pass, high only a low-pass
    double high_hz;          //
    const double *confounds; // n_time x n_confounds, column-major, borrowed; NULL for none
    size_t n_confounds;
    bool confounds_have_cosines; // they bring cosines: add none of ours
    const bool *censored; // n_time, borrowed: true for frames that do not count; NULL: all count
    enum standardize standardize;
};

/** Cosines of 128 s and longer taken out, z-score. */
struct clean_options clean_options_default(void);

/**
 * The plan for series of n_time frames every tr_s seconds; immutable, shared by threads.
 *
 * Its steps are those of nilearn.signal.clean: y -= Q1 Q1' y, Q1 an orthonormal basis of the trends
 * (for cosines, sqrt(2/n) cos(pi/n (t + 1/2) k), k = 1 .. floor(2 n tr_s / cosine_s)); a
 * Butterworth band-pass of order 5, forward and backward; y -= Q2 Q2' y, Q2 a basis of the
 * confounds after they went through the same two steps; standardisation.
 */
struct clean;

/**
 * Error: DECONV_ERROR_VALUE (band edges, a period), DECONV_ERROR_DATA (too few frames, a rank of
 * all frames but 2, NaN in a confound).
 */
struct clean *clean_new(size_t n_time, double tr_s, const struct clean_options *options,
                        GError **error);
void clean_free(struct clean *clean);
typedef struct clean owned_clean; // for g_autoptr(owned_clean)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_clean, clean_free)

/** Regressors that are taken out, and confound columns dropped as dependent. */
size_t clean_rank(const struct clean *clean);
size_t clean_n_dropped(const struct clean *clean);

/** What the user should be told, NULL-terminated, borrowed: an edge lowered to Nyquist's, a rank
 * above half of the frames. */
const char *const *clean_warnings(const struct clean *clean);

/** Whether the mean is taken out, as deconvolution needs: a mean left in is an edge artefact. */
bool clean_centres(const struct clean *clean);

/**
 * Cleans finite series in place. z-score: mean 0, standard deviation 1 with n - 1 in the
 * denominator; psc: 100 (y - m) / |m|, m the mean, of the series as it was where cleaning took
 * its mean out. A series that does not vary, or that nothing is left of, becomes 0. Every series
 * has the same bytes whatever its place in the block. Censored frames become 0.
 */
void clean_apply(const struct clean *clean, struct block *y, struct workspace *ws);
