// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"
#include "io/recording.h"
#include "io/writer_edf.h"

#include <json-glib/json-glib.h>

/** The options of `taut convert`. */
struct convert_options {
    const char *input;
    const char *output;
    size_t part; // from 1; SIZE_MAX: the one that is chosen by itself
};

/**
 * Whether a recording can be written to this path: its extension is known (.bdf, .edf, .fif, .npy,
 * .rf64, .wav), its folder is there, it is not the input, and it is not there yet or --force was
 * given. Errors: APP_ERROR_USAGE, APP_ERROR_OUTPUT, IO_ERROR_EXISTS.
 */
bool convert_check_output(const struct host *host, const char *input, const char *output,
                          GError **error);

/**
 * Opens a recording that is to be written to `output`, chooses a part of it (from 1;
 * SIZE_MAX: the one that recording_open chose) and tells its warnings. The samples of images and
 * arrays are read, those of sensors where `whole`: else convert_write streams them.
 */
struct recording *convert_open(const struct host *host, const char *input, const char *output,
                               size_t part, bool whole, GError **error);

/** What was written. */
struct conversion {
    GPtrArray *outputs;           // owned, of owned names
    struct edf_rounding rounding; // EDF and BDF
    bool is_rounded;              // whether there is one
};
typedef struct conversion owned_conversion; // for g_auto(owned_conversion)
void conversion_clear(struct conversion *conversion);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_conversion, conversion_clear)

/**
 * Writes a recording that was opened, with its side-cars, all or none: OUT.json (what it is, its
 * channels and events) and, for sound, EDF and BDF, OUT_channels.tsv and OUT_events.tsv. Side-cars
 * that are there with the same contents stay. notes: further members of OUT.json, or NULL.
 */
bool convert_write(const struct host *host, struct recording *recording, const char *output,
                   JsonObject *notes, struct conversion *conversion, GError **error);

/** Members of the summary: version, input, outputs, what was written. */
void convert_describe(const struct recording *recording, const struct conversion *conversion,
                      JsonObject *object);

/** The lines of a summary for people. Owned. */
char *convert_summary(const struct recording *recording, const char *output,
                      const struct conversion *conversion);
