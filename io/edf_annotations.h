// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/sensors.h"

#include <stdint.h>

/** What became of the bytes of an annotation signal in one record. */
struct edf_annotations {
    bool has_time;  // the first list begins with an empty text: it tells when the record begins
    double time_s;  // then
    bool malformed; // something is no list; the rest of it was passed over
    bool latin1;    // a text is not UTF-8
};

/**
 * Adds the texts of an annotation signal, n bytes, to the events: lists
 * `onset [0x15 duration] 0x14 text 0x14 [text 0x14 ...] 0x00`, in seconds. Empty texts are none.
 */
struct edf_annotations edf_annotations_parse(struct sensors *sensors, const uint8_t *bytes,
                                             size_t n);
