// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/gram.h"
#include "solvers/problem.h"

/**
 * A problem written as a Lasso, min_w 1/2 ||Pi x - M w||^2 + lambda ||w||_1, for methods that work
 * on G = M' M and b = M' x. Immutable and shared by threads.
 *
 * Lasso: M = A, w = u, Pi = I. TV: w_j is the jump at sample j + 1 and column j of M is Pi A
 * applied to the step that begins there; Pi, the projection on the complement of S = A 1,
 * eliminates the level.
 */
struct lasso_form {
    const struct problem *problem; // borrowed
    struct gram *gram;             // owned; NULL for TV on one sample, which has no jumps
    double *level;                 // owned; TV: <S, A step_j> / <S, S>; Lasso: NULL
};

/** Any operator of n_in samples; takes 8 n_in^2 bytes. */
struct lasso_form *lasso_form_new(const struct problem *problem);
void lasso_form_free(struct lasso_form *form);
typedef struct lasso_form owned_lasso_form; // for g_autoptr(owned_lasso_form)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_lasso_form, lasso_form_free)

/** Entries of w: n_in for the Lasso, n_in - 1 for TV. */
size_t lasso_form_size(const struct problem *problem);

/**
 * b = M' x of each series of a block. b: lasso_form_size, padded as in struct gram, by n_series;
 * zero in the padding.
 */
void lasso_form_correlations(const struct problem *problem, const struct block *x, struct block *b,
                             struct workspace *ws);

/** The minimiser u of one series that belongs to w (TV: with the level that fits x best). */
void lasso_form_expand(const struct lasso_form *form, const double *x, const double *w, double *u);

/** max_j |b_j|: lambda_max of a series. */
double lasso_form_lambda_max(const double *b, size_t n);
