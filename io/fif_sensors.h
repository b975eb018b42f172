// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/fif.h"
#include "io/sensors.h"

/** What a FIF file is mainly. */
enum fif_contents {
    FIF_CONTENTS_OTHER,
    FIF_CONTENTS_RAW,
    FIF_CONTENTS_EVOKED,
    FIF_CONTENTS_EPOCHS,
    FIF_CONTENTS_FORWARD,
    FIF_CONTENTS_COVARIANCE,
    FIF_CONTENTS_INVERSE,
    FIF_CONTENTS_ICA,
    FIF_CONTENTS_EVENTS,
    FIF_CONTENTS_BEM,
    FIF_CONTENTS_SOURCE_SPACES,
    FIF_CONTENTS_MORPH_MAPS,
    FIF_CONTENTS_PROJECTIONS,
    FIF_CONTENTS_ANNOTATIONS,
    FIF_CONTENTS_POINTS,
    FIF_CONTENTS_TRANSFORM,
};
enum fif_contents fif_contents(const struct fif *fif);

/** "raw data", "a forward solution", ... for messages. */
const char *fif_contents_name(enum fif_contents contents);

/** The block of continuous data, of either kind; 0 where there is none. */
size_t fif_raw_block(const struct fif *fif);

enum channel_kind fif_channel_kind(const struct fif_channel *channel);

/** The grade of compensation (CTF) of the first MEG channel; *mixed: others have another one. */
int fif_compensation_grade(const struct fif_channels *channels, bool *mixed);

/** The names of bad channels in a block, at any depth; NULL-terminated, *bads owned. */
bool fif_bads(const struct fif *fif, size_t block, const struct fif_channels *channels,
              char ***bads, const struct io_context *io, GError **error);

/** Appends the projectors in a block; channels (NULL where there are none) give long names. */
bool fif_projectors(const struct fif *fif, size_t block, const struct fif_channels *channels,
                    GPtrArray *projectors, const struct io_context *io, GError **error);

/**
 * Channels, bads, projectors, filters and the place of the head of a measurement, without parts,
 * and without events. gain = range * cal, or, of averages, cal alone. What is odd is told to fif.
 */
struct sensors *fif_sensors(struct fif *fif, size_t meas_info, bool averages,
                            const struct io_context *io, GError **error);

/** The sampling rate, Hz, of a measurement: finite, 1e-3 to 1e7. */
bool fif_rate(const struct fif *fif, size_t meas_info, double *rate_hz, GError **error);

/**
 * Adds the annotations of a file as events. Their times are of the clock of the acquisition, whose
 * first sample is at first_s.
 */
bool fif_annotations(struct fif *fif, size_t meas_info, double first_s, struct sensors *sensors,
                     const struct io_context *io, GError **error);
