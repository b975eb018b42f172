// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/problem.h"

/** How lambda is chosen; below, T samples, sigma by noise_sigma, RSS = ||y - A u_lambda||^2. */
enum lambda_kind {
    LAMBDA_AIC,   // least T ln(RSS / T) + 2 k on the path, k = jumps + 1
    LAMBDA_BIC,   // least T ln(RSS / T) + k ln T
    LAMBDA_FIXED, // the value given
    LAMBDA_LUT,   // sigma sqrt(2 ln T - ln(1 + 4 ln T))
    LAMBDA_MAD,   // the lambda with RSS / T = sigma^2
    LAMBDA_MAP,   // a value given for each series
    LAMBDA_RATIO, // a fraction of lambda_max
    LAMBDA_UT,    // sigma sqrt(2 ln T)
    LAMBDA_N_KINDS
};

/** "aic", "bic", ... in the order of the enum; NULL-terminated. */
extern const char *const lambda_kind_names[];

/** What was chosen for a series, and why. */
struct lambda_choice {
    double lambda;
    double lambda_max; // of this series; 0: it does not vary, or is not finite
    double ratio;      // lambda / lambda_max; 0 where lambda_max is
    double sigma;      // NaN where the rule does not look at it
};

/**
 * A rule for a TV problem; immutable, shared by threads.
 *
 * aic and bic follow the exact path of solutions from lambda_max down to 0.01 lambda_max, where the
 * first of equal values from the top is taken; mad looks for the solution whose residual is the
 * noise, but not below 1e-6 lambda_max. For an operator that is no convolution, or a causal one
 * with a response of more than 2048 samples, they need a Gram matrix: 16 n_in^2 bytes. None of the
 * rules is sure to stay below lambda_max: there the solution is the constant, and nothing is wrong.
 */
struct lambda_rule;

/**
 * value: the lambda (fixed) or the fraction (ratio); the others do not look at it.
 * Rules that follow the path (aic, bic, mad) are for TV.
 * Error: DECONV_ERROR_VALUE (not above 0, too few samples for sigma, too many for a Gram matrix).
 */
struct lambda_rule *lambda_rule_new(const struct problem *problem, enum lambda_kind kind,
                                    double value, GError **error);
void lambda_rule_free(struct lambda_rule *rule);
typedef struct lambda_rule owned_lambda_rule; // for g_autoptr(owned_lambda_rule)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_lambda_rule, lambda_rule_free)

/**
 * Chooses for every series of a block, choices[v]; given: the lambdas of rule map, else NULL.
 * A series that is not finite gets zeros.
 */
void lambda_rule_apply(const struct lambda_rule *rule, const struct block *x, const double *given,
                       struct lambda_choice *choices, struct workspace *ws);

/**
 * One lambda for a run, from the choices of all its series, which it replaces: the fraction of the
 * largest lambda_max (ratio), or the median of the lambdas of the series that vary (the others).
 */
double lambda_rule_share(const struct lambda_rule *rule, struct lambda_choice *choices, size_t n);

/** Whether the rule looks at the noise level (and noise_warning is to be heeded). */
bool lambda_kind_uses_noise(enum lambda_kind kind);
