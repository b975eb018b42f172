// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** What a sensor measures, for methods that treat them apart. */
enum sensor_kind { SENSOR_MAG, SENSOR_GRAD, SENSOR_EEG, SENSOR_OTHER, SENSOR_KINDS };

/** "mag", "grad", "eeg" or "other". */
const char *sensor_kind_name(enum sensor_kind kind);

/** Names of channels, borrowed. */
struct channel_names {
    size_t n;
    const char *const *name;
};

/** Index of a name, or names->n. Where no name is equal, names are compared without spaces. */
size_t channel_names_find(const struct channel_names *names, const char *name);

enum channel_fate {
    CHANNEL_USED,
    CHANNEL_OF_ANOTHER_KIND, // neither MEG nor EEG
    CHANNEL_BAD,
    CHANNEL_WITHOUT_NOISE,     // not in the covariance
    CHANNEL_WITHOUT_LEADFIELD, // not in the forward solution
    CHANNEL_FATES
};

/** "used", "another kind", "bad", "not in the noise covariance", "not in the forward solution". */
const char *channel_fate_name(enum channel_fate fate);

struct channel_choice_input {
    struct channel_names recording;
    const enum sensor_kind *kind; // of the recording's
    struct channel_names noise;
    struct channel_names forward;
    struct channel_names bads; // of the recording, the covariance and the user together
};

/** The channels that a problem is made of, in the order of the recording. */
struct channel_choice {
    size_t n;
    size_t *recording;       // owned; index into each
    size_t *noise;           // owned
    size_t *forward;         // owned
    enum sensor_kind *kind;  // owned; of the chosen
    enum channel_fate *fate; // owned; of each channel of the recording
};

/** MEG and EEG channels that are good and in all three. */
struct channel_choice *channel_choice_new(const struct channel_choice_input *input);
void channel_choice_free(struct channel_choice *choice);
typedef struct channel_choice owned_channel_choice; // for g_autoptr(owned_channel_choice)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_channel_choice, channel_choice_free)
