// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/block.h"
#include "solvers/workspace.h"

#include <glib.h>

/** Frequencies of noise that a fit needs. */
enum { NOISE_FIT_LEAST_BANDS = 12 };

/** The noise of a series; both are 0 where the series is 0. */
struct noise_estimate {
    double sigma; // its standard deviation, in the unit of the series
    double ar;    // its autocorrelation at one sample
};

/**
 * sigma sqrt((1 + ar) / (1 - ar)): the standard deviation of white noise with the same power at low
 * frequencies, where a response looks. What noise does to lambda_max is nearly a multiple of it.
 */
double noise_estimate_scale(const struct noise_estimate *noise);

/**
 * First-order autoregressive noise in the presence of activity, by Whittle's likelihood (1953).
 *
 * The spectrum of a series is taken as s^2 (a |H(f)|^2 / (1 + (f / f0)^2) + AR1(f)), the first term
 * being activity seen through the response H, on a grid of a, f0 and the autocorrelation; s is
 * profiled out. One series says little of its autocorrelation, all of them say much: the
 * distribution of the models over the series of a run is itself fitted (the non-parametric maximum
 * likelihood of mixtures, Kiefer and Wolfowitz 1956), and the estimate of a series is the posterior
 * mean under it. Series of one noise so share one autocorrelation, those of a brain keep what
 * distinguishes them, and a series' own activity, which the best model of each would take for
 * noise or noise for it, is averaged over.
 *
 * A plan is immutable and shared by threads; to be made and freed on one thread (FFTW plans).
 */
struct noise_fit;

/** What a plan is made for. */
struct noise_fit_options {
    const double *h; // response, n_h samples, borrowed
    size_t n_h;
    size_t n_time;
    double tr_s;
    double low_hz;  // frequencies that cleaning has left: above this
    double high_hz; // and below this; 0: to the end
};

/** Error: DECONV_ERROR_VALUE (fewer than NOISE_FIT_LEAST_BANDS frequencies are left). */
struct noise_fit *noise_fit_new(const struct noise_fit_options *options, GError **error);
void noise_fit_free(struct noise_fit *fit);
typedef struct noise_fit owned_noise_fit; // for g_autoptr(owned_noise_fit)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_noise_fit, noise_fit_free)

/** The models of a plan: likelihoods of a series are that many. */
size_t noise_fit_n_models(void);

/** For each series noise_fit_n_models() likelihoods over the largest of them; all 0: no noise. */
void noise_fit_likelihoods(const struct noise_fit *fit, const struct block *x, float *likelihoods,
                           struct workspace *ws);

/**
 * The models that the series of a run have, and how often; immutable, shared by threads.
 * likelihoods: of n series. The plan outlives it.
 */
struct noise_prior;
struct noise_prior *noise_prior_new(const struct noise_fit *fit, const float *likelihoods,
                                    size_t n);
void noise_prior_free(struct noise_prior *prior);
typedef struct noise_prior owned_noise_prior; // for g_autoptr(owned_noise_prior)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_noise_prior, noise_prior_free)

/** Autocorrelations between which all but a hundredth of the series are. */
void noise_prior_range(const struct noise_prior *prior, double *low, double *high);

/** The noise of every series of a block; sigma is at least a tenth of its standard deviation. */
void noise_prior_estimate(const struct noise_prior *prior, const struct block *x,
                          struct noise_estimate *estimates, struct workspace *ws);
