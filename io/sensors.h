// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** What a channel measures. */
enum channel_kind {
    CHANNEL_MAG,     // magnetometer, T
    CHANNEL_GRAD,    // gradiometer, T/m (axial ones of CTF count as magnetometers: T)
    CHANNEL_REF_MEG, // of the compensation
    CHANNEL_EEG,     //
    CHANNEL_SEEG,    //
    CHANNEL_ECOG,    //
    CHANNEL_DBS,     //
    CHANNEL_EOG,     //
    CHANNEL_ECG,     //
    CHANNEL_EMG,     //
    CHANNEL_BIO,     //
    CHANNEL_RESP,    //
    CHANNEL_STIM,    // triggers and status words: integers, never scaled
    CHANNEL_SYST,    // of the acquisition system
    CHANNEL_MISC,
    CHANNEL_KINDS
};

/** "mag", "grad", "eeg", ... as printed and as in the type column of BIDS, in lower case. */
const char *channel_kind_name(enum channel_kind kind);

/** One channel; its physical value = gain * stored + offset, in SI. */
struct channel {
    char *name;             // owned; unique in its recording, UTF-8
    enum channel_kind kind; //
    char *unit;             // owned; of the physical value: "V", "T", "T/m", "" for none
    char *stored_unit;      // owned; as the file has it, UTF-8
    double gain;            //
    double offset;          //
    bool bad;               //
    int coil_type;          // as in FIF; 0 where not known
    float loc[12];          // position and axes of the sensor, m; zeros where not known
};

/** Something that happened; onsets in seconds from the first sample of the recording. */
struct event {
    double onset_s;
    double duration_s; // 0: not known or none
    char *text;        // owned, UTF-8
    int value;         // of a trigger channel or marker; 0 where it has none
};

/** Directions taken out of the data, one a row (signal-space projection). */
struct projector {
    char *name;       // owned
    bool reference;   // the average reference of EEG
    bool active;      // the data have it already
    size_t n_vectors; //
    char **channels;  // owned, NULL-terminated
    double *vectors;  // owned, n_vectors x number of channels, row-major
};

/**
 * Samples of a part that are no data, zeros between what was recorded before and after; with n = 0
 * a break alone: `first` was recorded some time after the sample before it.
 */
struct hole {
    size_t first;
    size_t n;
};

/**
 * Some channels over one stretch of time at one rate: the whole of most recordings; else a
 * condition of averages, the channels of one rate, or what lies between two gaps. Samples are never
 * resampled and never joined over a gap.
 */
struct part {
    char *name;        // owned; the condition, else a description
    size_t *channel;   // owned; indices into sensors->channel
    size_t n_channels; //
    double rate_hz;    //
    double start_s;    // of its first sample; averages: relative to the event
    size_t n_time;     //
    int n_averaged;    // trials behind an average; 0: not an average
    bool is_error;     // the standard error of an average, no signal
    int code;          // of the event of an epoch
    struct hole *hole; // owned; ascending, disjoint
    size_t n_holes;    //
};

/** Whether somebody changed the reference of EEG, so that no projector can tell which it is. */
enum custom_reference {
    REFERENCE_AS_RECORDED,
    REFERENCE_CUSTOM,          // another potential was subtracted from channels
    REFERENCE_CURRENT_DENSITY, // values are no potentials any more
};

/** What a sensor recording holds besides its samples. */
struct sensors {
    struct channel *channel; // owned
    size_t n_channels;       //
    struct part *part;       // owned, at least one
    size_t n_parts;          //
    bool is_epochs;          // each part is one, n_averaged 1
    size_t chosen;           // the part that the recording's series and samples are of
    GArray *events;          // owned, of struct event, by onset
    GPtrArray *projectors;   // owned, of owned struct projector
    double highpass_hz;      // of the acquisition; NaN: not known
    double lowpass_hz;       //
    double line_hz;          //
    size_t first_sample;     // of the acquisition's clock (FIF)
    int compensation_grade;  // CTF; 0: none
    int custom_reference;    // of EEG, as in FIF: enum custom_reference
    size_t sss_rank;         // directions that signal-space separation left of MEG; 0: not done
    float device_to_head[3][4];
    bool has_device_to_head;
};

/** No channels, no events, nothing known. */
struct sensors *sensors_new(size_t n_channels);
void sensors_free(struct sensors *sensors);
typedef struct sensors owned_sensors; // for g_autoptr(owned_sensors)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_sensors, sensors_free)

void projector_free(struct projector *projector);

/** A part that has every channel, of samples that begin at 0; the name is copied. */
struct part part_of_all(const char *name, size_t n_channels, double rate_hz, size_t n_time);

/** An array of events, which owns their texts. */
GArray *sensors_events_new(void);

/** Adds an event after those that are there; text is copied. */
void sensors_add_event(struct sensors *sensors, double onset_s, double duration_s, const char *text,
                       int value);

/** Whether the text of an event marks bad data, or an edge: it begins with bad or edge, in any
 * case.
 */
bool event_is_bad_span(const struct event *event);

/** "TEXT/VALUE" of a code of a channel, else the text. Owned. */
char *sensors_event_label(const struct sensors *sensors, const struct event *event);

/** Whether an event is a code of a trigger channel that a part has. */
bool sensors_is_code(const struct sensors *sensors, const struct part *part,
                     const struct event *event);

/** Adds a hole after those that are there; the same one again changes nothing. */
void part_add_hole(struct part *part, size_t first, size_t n);

/** Puts events in the order of their onsets; equal ones stay in theirs. recording_open does so. */
void sensors_sort_events(struct sensors *sensors);

/** Names that stand twice get -0, -1, ... in the order of channels; whether any did. */
bool sensors_make_names_unique(struct sensors *sensors);

/**
 * Index of a channel by its name, or n_channels. Where no name is equal, names are compared
 * without spaces ("MEG 0113", "MEG0113").
 */
size_t sensors_find(const struct sensors *sensors, const char *name);

/** The names of all channels, for many of sensors_find: each takes the same time. */
struct sensor_names;
struct sensor_names *sensor_names_new(const struct sensors *sensors);
size_t sensor_names_find(const struct sensor_names *names, const char *name);
void sensor_names_free(struct sensor_names *names);
typedef struct sensor_names owned_sensor_names; // for g_autoptr(owned_sensor_names)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_sensor_names, sensor_names_free)
