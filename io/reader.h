// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/gz.h"
#include "io/recording.h"

/** The series [first, first + count) of a file. */
struct series_run {
    size_t first;
    size_t count;
};

/** What is wanted of a file: some frames of some series, numbered anew in their order. */
struct selection {
    const struct series_run *runs; // disjoint, ascending
    size_t n_runs;
    size_t first_frame;
    size_t n_frames;
};

/** Where the samples of reader->frames go. */
struct frame_sink {
    /**
     * Samples of frame t (of the selection), series [first, first + count) of the selection, float
     * or double by recording->type; in order, by one thread at a time. False: stop.
     */
    bool (*take)(void *data, size_t t, size_t first, size_t count, const void *samples);
    void *data;
};

/** What a format implements. */
struct reader {
    const char *name;
    /** Whether a file of this name that begins with these bytes is of the format. */
    bool (*recognise)(const char *path, const uint8_t *head, size_t n_head);
    /** Fills a recording (its path is set) from the header; takes `stream` over. */
    bool (*open)(struct recording *recording, struct gz *stream, const struct io_context *io,
                 GError **error);
    /**
     * Streams the file from its beginning to its end (gzip trailer included) in bounded memory,
     * and hands on what is selected. May be called again.
     */
    bool (*frames)(struct recording *recording, const struct selection *selection,
                   const struct frame_sink *sink, const struct io_context *io, GError **error);
    void (*close)(struct recording *recording);
};

/** All that are below, in alphabetical order of their names, whatever the case. */
const struct reader *const *readers(size_t *n);

extern const struct reader reader_array;
extern const struct reader reader_brainvision;
extern const struct reader reader_edf;
extern const struct reader reader_eeglab;
extern const struct reader reader_fif;
extern const struct reader reader_nifti;
extern const struct reader reader_sndfile;

/** Adds a warning (the path is not part of it) and its flag, a static word; each once. */
void recording_warn(struct recording *recording, const char *flag, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
