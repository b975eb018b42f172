// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"

/** All bits of a code. */
#define TRIGGER_ALL_BITS UINT32_C(0x7fffffff)

/**
 * The channel that codes are taken from where none is named: STI101, else STI 014, else Status or
 * Trigger, else the first of its kind; n_channels where there is none.
 */
size_t triggers_channel(const struct sensors *sensors);

/**
 * Adds an event wherever the masked value of a channel rises, in all parts that have it; its text
 * is the name of the channel, its value the code. The first sample of a recording is no event.
 * Of channels that tell of an amplifier, too (Status, Trigger), the low 16 bits are the code; a
 * negative value is one of 16 bits that were stored with a sign. The chosen part stays chosen,
 * samples that were read are dropped. Errors: those of recording_read.
 */
bool triggers_read(struct recording *recording, size_t channel, uint32_t mask, GArray *events,
                   const struct io_context *io, GError **error);
