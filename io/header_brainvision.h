// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/bytes.h"
#include "io/recording.h"

enum { BRAINVISION_HEADER_BYTES = 1 << 20 }; // of the largest header that is read

/** What a line of [Channel Infos] says. */
struct brainvision_channel {
    char *name;        // owned, UTF-8
    char *unit;        // owned, UTF-8
    double resolution; // in the unit
};

/** A header of BrainVision Core Data Format (.vhdr). */
struct brainvision_header {
    char *data_file;                     // owned; a plain name, or NULL
    char *marker_file;                   // owned; a plain name, or NULL
    bool is_vectorized;                  // channel after channel, else frame after frame
    const struct bytes_format *format;   // static
    bool is_big_endian;                  //
    double interval_us;                  //
    size_t n_channels;                   //
    struct brainvision_channel *channel; // owned
};

void header_brainvision_clear(struct brainvision_header *header);

/**
 * Parses the n bytes of a header. Files that it names may only lie beside it, and are not the
 * header itself. Oddities become warnings of the recording. Error: IO_ERROR_INPUT.
 */
bool header_brainvision_parse(struct brainvision_header *header, struct recording *recording,
                              const uint8_t *bytes, size_t n, GError **error);

/** The number in "S 12", "R255" or "254"; 0 where there is none. */
int brainvision_code(const char *description);

/**
 * Adds the markers in the n bytes of a marker file (.vmrk) to the events: text "type/description",
 * value the number in the description ("S 12"). Those that cannot be read are left out with a
 * warning. Error: IO_ERROR_INPUT for what is no text.
 */
bool header_brainvision_parse_markers(struct recording *recording, const char *path,
                                      const uint8_t *bytes, size_t n, double rate_hz,
                                      GError **error);
