// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "deconv/spline.h"
#include "solvers/linop.h"

/** Which frames of a run count; immutable once made. */
struct censor {
    size_t n_time;
    size_t n_kept;
    size_t *kept;          // owned; the frames that count, rising
    struct spline *spline; // owned; through those frames
};

/**
 * censored: true for the n_time frames that do not count. Error: DECONV_ERROR_DATA where fewer
 * than 4 frames remain.
 */
struct censor *censor_new(const bool *censored, size_t n_time, GError **error);
void censor_free(struct censor *censor);
typedef struct censor owned_censor; // for g_autoptr(owned_censor)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_censor, censor_free)

/** Frames from the first to the last that counts. */
size_t censor_span(const struct censor *censor);

/** out: the n_kept samples of y that count; out may be y. */
void censor_gather(const struct censor *censor, const double *y, double *out);

/** y: its first n_kept samples put where they belong, zero elsewhere. */
void censor_scatter(const struct censor *censor, double *y);

/**
 * out: the censor_span samples from the first that counts to the last, with those of a not-a-knot
 * cubic spline through the ones that count where a frame does not.
 */
void censor_bridge(const struct censor *censor, const double *y, double *out, struct workspace *ws);

/**
 * W A, where W is 0 in the censored frames and 1 elsewhere: with data that are 0 there, what A
 * explains in those frames costs nothing. Deleting frames instead would break a convolution.
 * op, censored (n_out): borrowed and copied; op must live as long as the result.
 */
linop *censor_operator(const linop *op, const bool *censored);
