// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"

/**
 * Writes the samples of a sensor recording, streamed unless read before, as WAV of float64 in SI
 * units, by the publish protocol; RF64 where they take 4 GiB or more, or is_rf64. Names, units and
 * the rate, of which the header has room for a whole number of hertz only, belong into a side-car.
 * Error: IO_ERROR_INPUT (more channels than fit: 8191), _OUTPUT, _EXISTS, _CANCELLED.
 *
 * Not by libsndfile, which puts the time of day into files of floats and wants to go back in them.
 */
bool writer_wav_write(const char *path, struct recording *recording, bool is_rf64, bool overwrite,
                      const struct io_context *io, GError **error);
