// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/fif.h"
#include "io/sensors.h"

/** The covariance of the noise of channels, in the squares of their units (T, T/m, V). */
struct covariance {
    char *path;            // owned
    bool compressed;       // gzip
    size_t n;              // channels
    char **names;          // owned, n and NULL
    double *matrix;        // owned, n x n, symmetric; NULL where it is diagonal
    double *diagonal;      // owned, n: the variances
    int32_t n_free;        // samples behind it, less what was estimated from them; 0: not told
    char **bads;           // owned, NULL-terminated
    GPtrArray *projectors; // owned, of owned struct projector
    GPtrArray *warnings;   // owned, of owned strings
};

/**
 * Reads the noise covariance of a file, full or diagonal; entries are finite, variances not
 * negative. Errors: IO_ERROR_INPUT, _MEMORY, _CANCELLED.
 */
struct covariance *fif_covariance_read(const char *path, const struct io_context *io,
                                       GError **error);

/** The same of a file that is open. */
struct covariance *fif_covariance_of(const struct fif *fif, const struct io_context *io,
                                     GError **error);

void fif_covariance_free(struct covariance *covariance);
typedef struct covariance owned_covariance; // for g_autoptr(owned_covariance)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_covariance, fif_covariance_free)
