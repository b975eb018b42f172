// SPDX-License-Identifier: BSD-3-Clause
#include "io/frame_feed.h"
#include "io/header_nifti.h"
#include "io/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct nifti_source {
    struct nifti_header header;
    struct gz *head; // owned
    struct gz *data; // owned, or the same as head
};

static bool is_pair(const char *path)
{
    return text_has_suffix(path, ".hdr") || text_has_suffix(path, ".hdr.gz");
}

static bool nifti_recognise(const char *path, const uint8_t *head, size_t n_head)
{
    if (text_has_suffix(path, ".nii") || text_has_suffix(path, ".nii.gz") || is_pair(path))
        return true;
    struct nifti_header header;
    header_nifti_parse(&header, head, n_head);
    return header.version != 0 && header.fields.magic[0] == 'n';
}

static void nifti_close(struct recording *recording)
{
    struct nifti_source *source = recording->source;
    if (source == NULL)
        return;
    if (source->data != source->head)
        gz_free(source->data);
    gz_free(source->head);
    g_free(source);
    recording->source = NULL;
}

/** Opens the .img of a .hdr, the .IMG of a .HDR, under no other name. */
static struct gz *open_image(const char *path, GError **error)
{
    const char *gz = text_has_suffix(path, ".gz") ? path + strlen(path) - strlen(".gz") : "";
    size_t n_stem = strlen(path) - strlen(gz) - strlen(".hdr");
    const char *image = path[n_stem + 1] == 'H' ? ".IMG" : ".img";
    g_autofree char *name = g_strdup_printf("%.*s%s%s", (int) n_stem, path, image, gz);
    return gz_open(name, error);
}

static bool apply_guards(struct recording *recording, const struct nifti_subject *subject,
                         GError **error)
{
    size_t n_guards = 0;
    const struct nifti_guard *guards = header_nifti_guards(&n_guards);
    for (size_t i = 0; i < n_guards; i++) {
        char found[NIFTI_FOUND_BYTES] = "";
        if (guards[i].holds(subject, found))
            continue;
        if (guards[i].level == GUARD_REFUSE) {
            io_error_set(error, IO_ERROR_INPUT, recording->path, "%s, found %s", guards[i].text,
                         found);
            return false;
        }
        recording_warn(recording, guards[i].id, "%s, found %s", guards[i].text, found);
    }
    return true;
}

static void describe(struct recording *recording, const struct nifti_header *header)
{
    bool has_interval = !recording_has_flag(recording, "tr");
    recording->format = header->version == 1 ? "NIfTI-1" : "NIfTI-2";
    recording->datatype = header->type->name;
    recording->type = header->type->held_as;
    recording->grid = header_nifti_grid(header);
    const size_t *dim = recording->grid->dim;
    recording->n_series = dim[0] * dim[1] * dim[2];
    recording->n_time = header_nifti_n_frames(header);
    recording->interval_s =
        has_interval && recording->n_time > 1 ? header_nifti_interval_s(header) : 0.0;
    recording->stored_interval = header_nifti_stored_interval(header, &recording->stored_unit);
    // 0 and NaN mean that values are as stored.
    if (header->fields.scl_slope != 0.0 && !isnan(header->fields.scl_slope)) {
        recording->scale = header->fields.scl_slope;
        recording->offset = header->fields.scl_inter;
    }
}

static bool nifti_open(struct recording *recording, struct gz *stream, const struct io_context *io,
                       GError **error)
{
    (void) io;
    struct nifti_source *source = g_new0(struct nifti_source, 1);
    recording->source = source;
    source->head = source->data = stream;
    const char *path = recording->path;

    uint8_t bytes[NIFTI_HEADER_BYTES];
    size_t n = 0;
    enum gz_status status = gz_read(stream, bytes, sizeof bytes, &n);
    // A stream that breaks off later is refused with the volume where it does.
    bool is_short = n < sizeof(nifti_1_header);
    if (status == GZ_IO || (is_short && status != GZ_OK && status != GZ_END)) {
        io_error_set(error, IO_ERROR_INPUT, path, "header: %s", gz_describe(stream, status));
        return false;
    }
    header_nifti_parse(&source->header, bytes, n);
    if (is_pair(path)) {
        source->data = open_image(path, error);
        if (source->data == NULL)
            return false;
    }
    struct nifti_subject subject = {path, is_pair(path), &source->header, stream, source->data};
    if (!apply_guards(recording, &subject, error))
        return false;
    recording->compressed = gz_is_compressed(source->data);
    describe(recording, &source->header);
    return true;
}

// Samples on their way from the stream to the sink. They are converted a tile at a time, so that
// what is not selected costs nothing but its decompression.

struct gather {
    const struct nifti_type *type;
    bool swapped;
    size_t n_series;
    const struct selection *selection;
    struct frame_feed feed;
    const uint8_t *bytes; // of the series from v on
    size_t t;             // frame of the next byte
    size_t v;             // series of the next byte
    size_t n_inexact;     //
    size_t n_samples;     // seen so far
};

#define DEFINE_SWAP(bits)                                                                          \
    static void swap_##bits(uint8_t *bytes, size_t n_bytes)                                        \
    {                                                                                              \
        for (size_t i = 0; i < n_bytes; i += sizeof(uint##bits##_t)) {                             \
            uint##bits##_t word;                                                                   \
            memcpy(&word, bytes + i, sizeof word);                                                 \
            word = __builtin_bswap##bits(word);                                                    \
            memcpy(bytes + i, &word, sizeof word);                                                 \
        }                                                                                          \
    }

DEFINE_SWAP(16)
DEFINE_SWAP(32)
DEFINE_SWAP(64)

/** To the other byte order, in place. */
static void swap_samples(uint8_t *bytes, size_t n_bytes, size_t size)
{
    if (size == sizeof(uint16_t))
        swap_16(bytes, n_bytes);
    else if (size == sizeof(uint32_t))
        swap_32(bytes, n_bytes);
    else if (size == sizeof(uint64_t))
        swap_64(bytes, n_bytes);
}

static const void *nifti_samples(void *data, size_t first, size_t count, void *tile)
{
    struct gather *g = data;
    g->n_inexact += g->type->convert(g->bytes + (first - g->v) * g->type->n_bytes, count, tile);
    return tile;
}

static bool gather_take(void *data, uint8_t *bytes, size_t n_bytes)
{
    struct gather *g = data;
    size_t size = g->type->n_bytes;
    if (g->swapped)
        swap_samples(bytes, n_bytes, size);
    for (size_t left = n_bytes / size; left > 0;) {
        size_t count = MIN(left, g->n_series - g->v);
        bool wanted = g->t >= g->selection->first_frame &&
                      g->t - g->selection->first_frame < g->selection->n_frames;
        g->bytes = bytes;
        if (wanted && !frame_feed_take(&g->feed, g->t - g->selection->first_frame, g->v, count))
            return false;
        bytes += count * size;
        left -= count;
        g->n_samples += count;
        g->v += count;
        if (g->v == g->n_series) {
            g->t++;
            g->v = 0;
        }
    }
    return true;
}

static bool set_stream_error(const struct recording *recording, enum gz_status status,
                             size_t n_samples, GError **error)
{
    const struct nifti_source *source = recording->source;
    const struct nifti_header *header = &source->header;
    if (status == GZ_DEFLATE) {
        uint64_t offset = header_nifti_data_offset(header);
        uint64_t end = MAX(gz_locate_damage(source->data), offset);
        n_samples = (size_t) ((end - offset) / header->type->n_bytes);
    }
    size_t volume = MIN(n_samples / recording->n_series + 1, recording->n_time);
    if (status == GZ_CANCELLED || status == GZ_STOPPED)
        io_error_set(error, IO_ERROR_CANCELLED, recording->path, "stopped");
    else if (status == GZ_END || status == GZ_TRUNCATED)
        io_error_set(error, IO_ERROR_INPUT, recording->path, "ends in volume %zu of %zu: %s",
                     volume, recording->n_time, gz_describe(source->data, status));
    else
        io_error_set(error, IO_ERROR_INPUT, recording->path, "%svolume %zu of %zu: %s",
                     status == GZ_CRC || status == GZ_LENGTH ? "up to " : "", volume,
                     recording->n_time, gz_describe(source->data, status));
    return false;
}

/** Reads to the end of the stream and says what is there that should not be. */
static bool finish(struct recording *recording, size_t n_samples, GError **error)
{
    const struct nifti_source *source = recording->source;
    struct gz_rest rest;
    enum gz_status status = gz_finish(source->data, &rest);
    if (status != GZ_OK)
        return set_stream_error(recording, status, n_samples, error);
    recording->n_members = rest.n_members;
    if (rest.excess_is_cut)
        recording_warn(recording, "excess",
                       "data: more than 1 MiB after the last volume: not read, not checked");
    else if (rest.n_excess > 0)
        recording_warn(recording, "excess", "data: %" PRIu64 " bytes after the last volume",
                       rest.n_excess);
    if (rest.has_garbage)
        recording_warn(recording, "garbage", "gzip: bytes after the last member");
    return true;
}

static bool nifti_frames(struct recording *recording, const struct selection *selection,
                         const struct frame_sink *sink, const struct io_context *io, GError **error)
{
    const struct nifti_source *source = recording->source;
    const struct nifti_header *header = &source->header;
    g_autofree void *tile = g_malloc(FRAME_FEED_SAMPLES * sizeof(double));
    size_t n_series = recording->grid->dim[0] * recording->grid->dim[1] * recording->grid->dim[2];
    struct gather gather = {.type = header->type,
                            .swapped = header->swapped,
                            .n_series = n_series,
                            .selection = selection};
    gather.feed = (struct frame_feed){.selection = selection,
                                      .sink = sink,
                                      .samples = nifti_samples,
                                      .data = &gather,
                                      .tile = tile};
    struct gz_sink bytes = {gather_take, &gather, header->type->n_bytes};
    gz_rewind(source->data);
    enum gz_status status = gz_skip(source->data, header_nifti_data_offset(header));
    if (status == GZ_OK)
        status = gz_pump(source->data, header->data_bytes, &bytes, io);
    if (status != GZ_OK)
        return set_stream_error(recording, status, gather.n_samples, error);
    if (gather.n_inexact > 0)
        recording_warn(recording, "inexact", "data: %zu integers above 2^53 are rounded to 53 bits",
                       gather.n_inexact);
    return finish(recording, gather.n_samples, error);
}

const struct reader reader_nifti = {
    .name = "NIfTI",
    .recognise = nifti_recognise,
    .open = nifti_open,
    .frames = nifti_frames,
    .close = nifti_close,
};
