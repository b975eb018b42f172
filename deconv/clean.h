// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/block.h"
#include "solvers/workspace.h"

#include <glib.h>
#include <stdbool.h>

enum detrend { DETREND_NONE, DETREND_CONSTANT, DETREND_LINEAR, DETREND_COSINE };
enum standardize { STANDARDIZE_NONE, STANDARDIZE_ZSCORE, STANDARDIZE_PSC };

/** What is taken out of a series before it is deconvolved, in this order. */
struct clean_options {
    enum detrend detrend;
    double cosine_s;         // DETREND_COSINE: longest period kept, s
    double low_hz;           // band-pass: 0 and 0 for none; high-pass only: high_hz = 0
    double high_hz;          //
    const double *confounds; // n_time x n_confounds, column-major, borrowed; NULL for none
    size_t n_confounds;
    bool confounds_have_cosines; // they bring cosines: add none of ours
    enum standardize standardize;
};

struct clean_options clean_options_default(void);

/** The plan for series of n_time frames every tr_s seconds; immutable, shared by threads. */
struct clean;

/** Error: DECONV_ERROR_VALUE (band edges, too few frames, rank too high). */
struct clean *clean_new(size_t n_time, double tr_s, const struct clean_options *options,
                        GError **error);
void clean_free(struct clean *clean);
typedef struct clean owned_clean; // for g_autoptr(owned_clean)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_clean, clean_free)

/** Regressors that are taken out, and confound columns dropped as dependent. */
size_t clean_rank(const struct clean *clean);
size_t clean_n_dropped(const struct clean *clean);

/**
 * Cleans finite series in place. A series that does not vary, or that nothing is left of, becomes
 * 0.
 */
void clean_apply(const struct clean *clean, struct block *y, struct workspace *ws);
