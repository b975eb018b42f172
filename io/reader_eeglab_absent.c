// SPDX-License-Identifier: BSD-3-Clause
// What stands for EEGLAB data sets in a program that was built without the library that reads them.
#include "io/reader.h"
#include "io/text.h"

static bool absent_recognise(const char *path, const uint8_t *head, size_t n_head)
{
    (void) head;
    (void) n_head;
    return text_has_suffix(path, ".set");
}

static bool absent_open(struct recording *recording, struct gz *stream, const struct io_context *io,
                        GError **error)
{
    (void) io;
    gz_free(stream);
    io_error_set(error, IO_ERROR_INPUT, recording->path,
                 "expected a program built with matio, which reads EEGLAB data sets, found one "
                 "without");
    return false;
}

static bool absent_frames(struct recording *recording, const struct selection *selection,
                          const struct frame_sink *sink, const struct io_context *io,
                          GError **error)
{
    (void) recording;
    (void) selection;
    (void) sink;
    (void) io;
    (void) error;
    g_assert_not_reached(); // nothing is opened
    return false;
}

static void absent_close(struct recording *recording)
{
    (void) recording;
}

const struct reader reader_eeglab = {
    .name = "EEGLAB",
    .recognise = absent_recognise,
    .open = absent_open,
    .frames = absent_frames,
    .close = absent_close,
};
