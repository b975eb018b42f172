// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/io_context.h"

#include <stdint.h>

enum { DIGITS_N = 1797, DIGITS_PIXELS = 64 };

/**
 * DIGITS_N handwritten digits of 8 x 8 pixels, one a row, in an order drawn from the seed, each of
 * mean 0 and norm 1 (a blank one stays 0). Owned by the caller.
 *
 * They are read from the table given (64 pixels first in each row); else, with path NULL, from that
 * of scikit-learn where Debian's python3-sklearn has put it; else strokes are drawn in their place.
 * *what (static) says which. Errors: IO_ERROR, or APP_ERROR_INPUT for another size.
 */
double *digits_draw(const char *path, uint64_t seed, const struct io_context *io, const char **what,
                    GError **error);
