// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/fif.h"
#include "io/publish.h"
#include "io/sensors.h"

/**
 * A FIF file under way. The first failure is kept and everything after it does nothing, so that
 * it is looked at once, by fif_output_commit.
 */
struct fif_output {
    char *path;              // owned
    struct publish *publish; // owned
    GByteArray *bytes;       // owned; not yet handed on
    uint64_t n_bytes;        // of the file so far
    GError *error;           // owned; the first failure
};

/** Begins a file with its identification, which holds no time and no machine. */
struct fif_output *fif_output_new(const char *path, bool overwrite, GError **error);
void fif_output_free(struct fif_output *output);
typedef struct fif_output owned_fif_output; // for g_autoptr(owned_fif_output)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_fif_output, fif_output_free)

/** The end tag, and everything handed on; the file has not yet its name. */
bool fif_output_finish(struct fif_output *output, GError **error);

/** Gives a finished file its name. */
bool fif_output_commit(struct fif_output *output, GError **error);

void fif_output_start(struct fif_output *output, int32_t block);
void fif_output_end(struct fif_output *output, int32_t block);
void fif_output_tag(struct fif_output *output, int32_t kind, int32_t type, const void *bytes,
                    size_t n);
void fif_output_int(struct fif_output *output, int32_t kind, int32_t value);
void fif_output_float(struct fif_output *output, int32_t kind, double value);

/** UTF-8 becomes Latin-1; what that does not have is a question mark. */
void fif_output_string(struct fif_output *output, int32_t kind, const char *text);

/** n names joined by colons; those inside a name become {COLON}. */
void fif_output_names(struct fif_output *output, int32_t kind, char *const *names, size_t n);

/** A transform and its inverse, of a rotation and a shift. */
void fif_output_transform(struct fif_output *output, int32_t from, int32_t to,
                          const float transform[3][4]);

/**
 * n numbers as floats (type FIF_TYPE_FLOAT), doubles or 32 bit integers; where n_columns > 0, as a
 * matrix of that many columns, row-major.
 */
void fif_output_numbers(struct fif_output *output, int32_t kind, int32_t type, const double *values,
                        size_t n, size_t n_columns);

/** A channel of a kind, its record number `number` from 1 on, with this cal and a range of 1. */
void fif_output_channel(struct fif_output *output, const struct channel *channel, size_t number,
                        double cal, int compensation_grade);

/** The blocks of projectors (none where there are none) and of bad channels. */
void fif_output_projectors(struct fif_output *output, const GPtrArray *projectors);
void fif_output_bads(struct fif_output *output, char *const *names, size_t n);
