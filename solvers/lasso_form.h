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
    size_t n;                      // columns of M: n_in for the Lasso, n_in - 1 for TV
    const double *matrix;          // M: n_out x n, column-major; NULL if n = 0
    double *owned_matrix;          // owned; NULL where M is the matrix of a dense operator
    double *norm2;                 // owned; ||M_j||^2
    double *level;                 // owned; TV: <S, A step_j> / <S, S>; Lasso: NULL
    struct gram *gram;             // owned; NULL if not asked for, or n = 0
    const struct gram_kernels *kernels;
};

/**
 * What a Gram matrix of all columns may cost: the 2048 columns to which methods that can do
 * without one confine it (32 MiB), and the 16384 (2 GiB) beyond which those that cannot give up.
 */
enum { LASSO_FORM_GRAM_COLUMNS = 2048, LASSO_FORM_MOST_GRAM_COLUMNS = 16384 };

/** Any operator; without `with_gram`, or for a TV problem on one sample, gram is NULL. */
struct lasso_form *lasso_form_new(const struct problem *problem, bool with_gram);
void lasso_form_free(struct lasso_form *form);
typedef struct lasso_form owned_lasso_form; // for g_autoptr(owned_lasso_form)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_lasso_form, lasso_form_free)

/** The n that a form of this problem has. */
size_t lasso_form_size(const struct problem *problem);

/**
 * b = M' x of each series of a block. b: n, padded as in struct gram, by n_series; zero in the
 * padding.
 */
void lasso_form_correlations(const struct lasso_form *form, const struct block *x, struct block *b,
                             struct workspace *ws);

/** Pi x of each series of a block: the observation of the Lasso form. */
void lasso_form_project(const struct lasso_form *form, const struct block *x, struct block *out);

/** w of a point u: u itself, or its jumps. */
void lasso_form_coefficients(const struct lasso_form *form, const double *u, double *w);

/** The point u that belongs to w: w itself, or, for TV, with the level that fits x best. */
void lasso_form_expand(const struct lasso_form *form, const double *x, const double *w, double *u);

/** max_j |b_j|: lambda_max of a series. */
double lasso_form_lambda_max(const double *b, size_t n);
