// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/reader.h"

/**
 * Warns of what is odd in the chunks of a WAV file, which libsndfile passes over in silence: a
 * block size that is not that of the samples, data whose length is not known or that are cut,
 * chunks that reach past the end. A file that is no RIFF is left alone.
 */
void riff_judge(struct recording *recording, struct gz *stream);
