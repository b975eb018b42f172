// SPDX-License-Identifier: BSD-3-Clause
#include "io/fif_epochs.h"

#include "io/event_file.h"

#include <math.h>

/** The matrix of all epochs, its rows those of channels, epoch after epoch. */
static const struct fif_tag *find_matrix(const struct fif *fif, size_t block, size_t n_channels,
                                         size_t n_time, struct fif_numbers *shape,
                                         const struct bytes_format **format, GError **error)
{
    const struct fif_tag *tag = fif_find(fif, block, FIF_EPOCH);
    if (tag == NULL) {
        io_error_set(error, IO_ERROR_INPUT, fif->path, "epochs: expected samples, found none");
        return NULL;
    }
    if (!fif_shape(fif, tag, shape, format, error))
        return NULL;
    if (shape->n_columns == n_time && shape->n_rows % n_channels == 0 && !shape->is_packed)
        return tag;
    fif_refuse(fif, tag, error, "expected epochs of %zu channels x %zu samples, found %zu x %zu",
               n_channels, n_time, shape->n_rows, shape->n_columns);
    return NULL;
}

/** The samples of each epoch, from the first on, counted from its event. */
static bool read_times(const struct fif *fif, size_t block, int32_t *first, size_t *n_time,
                       GError **error)
{
    int32_t last = -1;
    *first = 0;
    if (!fif_get_int(fif, block, FIF_FIRST_SAMPLE, first, error) ||
        !fif_get_int(fif, block, FIF_LAST_SAMPLE, &last, error))
        return false;
    *n_time = (size_t) MAX((int64_t) last - *first + 1, 0);
    if (*n_time == 0)
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "epochs: expected samples in order, found %d to %d", *first, last);
    return *n_time > 0;
}

bool fif_epochs_add(const struct fif *fif, uint32_t file, double rate_hz, struct sensors *sensors,
                    GArray *epochs, const struct io_context *io, GError **error)
{
    size_t block = fif_find_block(fif, 0, FIF_BLOCK_EPOCHS), n_channels = sensors->n_channels;
    const struct bytes_format *format = NULL;
    struct fif_numbers shape;
    int32_t first = 0;
    size_t n_time = 0;
    if (!read_times(fif, block, &first, &n_time, error))
        return false;
    const struct fif_tag *tag = find_matrix(fif, block, n_channels, n_time, &shape, &format, error);
    g_autoptr(GArray) events = tag == NULL ? NULL : event_list_of_fif(fif, io, error);
    if (events == NULL)
        return false;
    size_t n = shape.n_rows / n_channels;
    if (events->len != n) {
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "epochs: expected an event of each of %zu, found %u", n, events->len);
        return false;
    }
    // what the parts will hold, asked for at once
    g_autofree void *room = io_context_alloc(
        io, fif->path, n, sizeof(struct part) + n_channels * sizeof(size_t), error);
    if (room == NULL)
        return false;
    sensors->part = g_renew(struct part, sensors->part, sensors->n_parts + n);
    for (size_t e = 0; e < n; e++) {
        struct fif_epoch epoch = {file, tag->offset + e * n_channels * n_time * format->n_bytes,
                                  format};
        struct part *part = &sensors->part[sensors->n_parts++];
        g_array_append_val(epochs, epoch);
        const struct sample_event *event = &g_array_index(events, struct sample_event, e);
        g_autofree char *code = g_strdup_printf("%d", event->value);
        *part = part_of_all(event->text != NULL ? event->text : code, n_channels, rate_hz, n_time);
        part->start_s = first / rate_hz;
        part->n_averaged = 1;
        part->code = event->value;
    }
    return true;
}

bool fif_epochs_read(const struct fif *fif, const struct fif_epoch *epoch, size_t n, double *rows,
                     const struct io_context *io, GError **error)
{
    size_t n_bytes = epoch->format->n_bytes;
    g_autofree uint8_t *bytes = io_context_alloc(io, fif->path, n, n_bytes, error);
    if (bytes == NULL || !fif_read(fif, epoch->offset, bytes, n * n_bytes, error))
        return false;
    epoch->format->convert(bytes, n, rows);
    return true;
}
