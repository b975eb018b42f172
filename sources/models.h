// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sources/mixed_norm.h"

/** What a model found of a window. */
struct source_model_result {
    double objective;
    double relative_gap; // of mixed_norm.h; where the model is another one, of its first step
    bool converged;
    size_t n_passes; // of coordinate descent
};

/** A model of sources: what is minimised over a window of time. */
struct source_model {
    const char *name;    // of `taut sources --model`
    const char *summary; // of a line, for reports
    /**
     * At alpha = ratio alpha_max, 0 < ratio <= 1, to a relative tolerance; the estimate is empty on
     * entry. NULL: every sample alone, with sources of fixed orientation (lasso_window.h).
     */
    struct source_model_result (*solve)(const struct mixed_norm *problem, double ratio, double tol,
                                        struct source_estimate *estimate, struct workspace *ws);
    bool is_mixed_norm; // its minimum is that of mixed_norm.h, and mixed_norm_certify judges it
};

extern const struct source_model source_model_irl21;
extern const struct source_model source_model_l21;
extern const struct source_model source_model_lasso;

/** All of them, as `--help` lists them. */
const struct source_model *const *source_models(size_t *n);

/** "lasso|l21|...", in that order. Owned. */
char *source_models_names(void);
