// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Series drawn with what made them; matrices are row-major, series as rows. */
struct simulation {
    size_t n_series;
    size_t n_observed;
    size_t n_unknown;
    double *x;     // owned; n_series x n_observed
    double *truth; // owned; n_series x n_unknown: activity, or coefficients
    double *op;    // owned; n_observed x n_unknown, or NULL for a convolution
    double *h;     // owned; n_h samples of the response, or NULL
    size_t n_h;    //
};
void simulation_free(struct simulation *simulation);
typedef struct simulation owned_simulation; // for g_autoptr(owned_simulation)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_simulation, simulation_free)

enum simulate_tv_law {
    /**
     * Signed blocks of 5 to 25 s, 8 to 30 s apart, convolved (causal) with a response, plus AR(1)
     * noise; every series standardised. snr_db NaN: uniform in 0 .. 10 dB, drawn for each series.
     */
    SIMULATE_TV_BLOCKS,
    /** Jumps of N(0, 1) at drawn places through the full convolution with a response, plus white
     * noise; every series divided by its lambda_max. */
    SIMULATE_TV_JUMPS,
    /** The same through a matrix of N(0, 1) with columns of norm 1. */
    SIMULATE_TV_DENSE,
    SIMULATE_TV_N_LAWS
};
extern const char *const simulate_tv_laws[SIMULATE_TV_N_LAWS + 1]; // names, NULL-terminated

struct simulate_tv {
    enum simulate_tv_law law;
    size_t n_series;
    size_t n_observed;
    size_t n_unknown; // dense only; the others follow from n_observed and the response
    const char *hrf;  // as hrf_new takes it, borrowed
    double tr_s;
    double snr_db;   // 10 log10(||A u||^2 / ||noise||^2) of every series
    double ar1;      // blocks only
    double sparsity; // jumps, dense: floor(sparsity n_unknown) places, at least 1, drawn with
                     // replacement
    uint64_t seed;
};
struct simulate_tv simulate_tv_default(void);

/** Error: DECONV_ERROR (the response, or one longer than the series). */
struct simulation *simulate_tv(const struct simulate_tv *law, GError **error);

enum simulate_lasso_law {
    /** D of N(0, 1) with columns of norm 1; z ~ N(0, I); x = D z / ||D' D z||_inf. */
    SIMULATE_LASSO_CODING,
    /** The same D; x ~ N(0, I), divided by ||D' x||_inf. */
    SIMULATE_LASSO_NOISE,
    /**
     * D of the radial magnetic-like field of n_unknown tilted dipoles on a folded sphere seen by
     * n_observed sensors around it: columns of norm 1, neighbours correlate; x of 1 to 5 active
     * sources and white noise of snr_db, divided by ||D' x||_inf.
     */
    SIMULATE_LASSO_LEADFIELD,
    SIMULATE_LASSO_N_LAWS
};
extern const char *const simulate_lasso_laws[SIMULATE_LASSO_N_LAWS + 1];

struct simulate_lasso {
    enum simulate_lasso_law law;
    size_t n_series;
    size_t n_observed;
    size_t n_unknown;
    double snr_db; // leadfield
    uint64_t seed;
};
struct simulate_lasso simulate_lasso_default(void);
struct simulation *simulate_lasso(const struct simulate_lasso *law);
