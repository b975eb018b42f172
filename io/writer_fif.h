// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/fif_covariance.h"
#include "io/fif_forward.h"
#include "io/recording.h"

/** How raw samples are stored. */
enum fif_samples { FIF_SAMPLES_INT16, FIF_SAMPLES_INT32, FIF_SAMPLES_FLOAT, FIF_SAMPLES_DOUBLE };

/**
 * The smallest kind that holds the samples of a recording: what they are stored as, or floats where
 * integers have an offset, which FIF does not know.
 */
enum fif_samples writer_fif_samples(const struct recording *recording);

/**
 * A raw recording under way: channels, bads, projectors, filters and events (as annotations) of
 * `sensors`, then the samples of one of its parts. Samples are stored as they are given, with the
 * gain of their channel; those of a channel with an offset as physical values. A file that would
 * grow past max_bytes (0: 2^31 - 1) is continued by NAME-1.fif, NAME-2.fif, ...
 */
struct writer_fif;

/** sensors is borrowed until the writer is freed. Errors: IO_ERROR_EXISTS, _OUTPUT. */
struct writer_fif *writer_fif_new(const char *path, const struct sensors *sensors, size_t part,
                                  enum fif_samples samples, uint64_t max_bytes, bool overwrite,
                                  GError **error);

/**
 * The next n_frames frames of the part's channels, time-major, stored values. An integer kind has
 * to hold them (checked). Error: IO_ERROR_OUTPUT.
 */
bool writer_fif_append(struct writer_fif *writer, const double *stored, size_t n_frames,
                       GError **error);

/** Ends the recording and gives the files their names, the first one last. */
bool writer_fif_commit(struct writer_fif *writer, GError **error);

void writer_fif_free(struct writer_fif *writer);
typedef struct writer_fif owned_writer_fif; // for g_autoptr(owned_writer_fif)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_writer_fif, writer_fif_free)

/** The chosen part of a recording, streamed unless read before. Errors: also those of reading. */
bool writer_fif_recording(const char *path, struct recording *recording, enum fif_samples samples,
                          bool overwrite, const struct io_context *io, GError **error);

/**
 * Averages: every part of `sensors` is one, of all channels, and values[part] has its physical
 * values, time-major. Stored as floats.
 */
bool writer_fif_evoked(const char *path, const struct sensors *sensors, double *const *values,
                       bool overwrite, GError **error);

/** A forward solution of free orientation, gains as floats. Sensors have the standard coils. */
bool writer_fif_forward(const char *path, const struct forward *forward, bool overwrite,
                        GError **error);

/** A noise covariance, as doubles. */
bool writer_fif_covariance(const char *path, const struct covariance *covariance, bool overwrite,
                           GError **error);
