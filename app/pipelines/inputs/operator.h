// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/array.h"
#include "solvers/linop.h"

/** What the operator of a problem on arrays is to be. */
struct operator_choice {
    const char *data;     // the array that it has to fit, for messages
    const char *matrix;   // of a file, observed x unknown; or NULL
    const char *response; // a model or a file, to be convolved with; or NULL
    double tr_s;          // 0: not known; a file may be sampled at any interval
    bool full;            // the convolution's kind
};

/**
 * A matrix, a convolution or, with neither, the identity on n_observed samples. Errors: IO_ERROR,
 * APP_ERROR_INPUT where sizes do not fit or a number is not finite, DECONV_ERROR.
 */
linop *operator_new(const struct operator_choice *choice, size_t n_observed,
                    const struct io_context *io, GError **error);

/** The series of an array as a block: a row is a series. */
struct block operator_rows(const struct array *array);
