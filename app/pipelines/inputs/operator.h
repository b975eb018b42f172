// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/array.h"
#include "solvers/linop.h"

/** The options of the operator of a problem on arrays; texts are borrowed. */
struct operator_options {
    const char *response; // a model or a file, to be convolved with; or NULL
    double tr_s;          // NaN: not known; a file may be sampled at any interval
    int conv;             // of enum hrf_conv_kind
    const char *matrix;   // of a file, observed x unknown; or NULL
};

/**
 * A matrix, a convolution or, with neither, the identity on n_observed samples, the columns of
 * `data` (for messages). Errors: IO_ERROR, APP_ERROR_INPUT where sizes do not fit or a number is
 * not finite, DECONV_ERROR.
 */
linop *operator_new(const struct operator_options *options, const char *data, size_t n_observed,
                    const struct io_context *io, GError **error);

/** The series of an array as a block: a row is a series. */
struct block operator_rows(const struct array *array);
