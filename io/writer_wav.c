// SPDX-License-Identifier: BSD-3-Clause
#include "io/writer_wav.h"

#include "io/bytes.h"
#include "io/publish.h"

#include <math.h>

enum {
    SAMPLE_BYTES = 8,
    MOST_CHANNELS = 8191, // whose frame has a size of 16 bits
    FLOAT_FORMAT = 3,     // WAVE_FORMAT_IEEE_FLOAT
    FORMAT_BYTES = 18,
    SIZES_BYTES = 28, // of the chunk ds64
    FRAMES_A_TURN = 256,
};

static void put_name(GByteArray *head, const char *name)
{
    g_byte_array_append(head, (const guint8 *) name, 4);
}

static void put_16(GByteArray *head, unsigned value)
{
    const uint8_t bytes[] = {(uint8_t) value, (uint8_t) (value >> 8)};
    g_byte_array_append(head, bytes, sizeof bytes);
}

static void put_32(GByteArray *head, uint64_t value)
{
    uint8_t bytes[4];
    bytes_store_le32(bytes, (uint32_t) MIN(value, UINT32_MAX));
    g_byte_array_append(head, bytes, sizeof bytes);
}

static void put_64(GByteArray *head, uint64_t value)
{
    put_32(head, value & UINT32_MAX);
    put_32(head, value >> 32);
}

/** The chunk that tells the format of samples. */
static void put_format(GByteArray *head, const struct recording *recording)
{
    unsigned frame_bytes = SAMPLE_BYTES * (unsigned) recording->n_series;
    double rate_hz = recording->interval_s > 0.0 ? round(1.0 / recording->interval_s) : 1.0;
    uint64_t rate = (uint64_t) fmin(fmax(rate_hz, 1.0), 1e7);
    put_name(head, "fmt ");
    put_32(head, FORMAT_BYTES);
    put_16(head, FLOAT_FORMAT);
    put_16(head, (unsigned) recording->n_series);
    put_32(head, rate);
    put_32(head, rate * frame_bytes);
    put_16(head, frame_bytes);
    put_16(head, 8 * SAMPLE_BYTES);
    put_16(head, 0); // nothing further
    put_name(head, "fact");
    put_32(head, 4);
    put_32(head, recording->n_time);
}

/** What stands before the samples: everything is known, so nothing is filled in later. */
static GByteArray *make_head(const struct recording *recording, bool is_rf64)
{
    uint64_t data_bytes = (uint64_t) recording->n_time * recording->n_series * SAMPLE_BYTES;
    uint64_t chunks = 4 + 8 + FORMAT_BYTES + 8 + 4 + 8; // up to the samples
    uint64_t riff_bytes = chunks + data_bytes + (is_rf64 ? 8 + SIZES_BYTES : 0);
    is_rf64 = is_rf64 || riff_bytes > UINT32_MAX;
    if (is_rf64)
        riff_bytes = chunks + 8 + SIZES_BYTES + data_bytes;
    GByteArray *head = g_byte_array_new();
    put_name(head, is_rf64 ? "RF64" : "RIFF");
    put_32(head, is_rf64 ? UINT32_MAX : riff_bytes);
    put_name(head, "WAVE");
    if (is_rf64) {
        put_name(head, "ds64");
        put_32(head, SIZES_BYTES);
        put_64(head, riff_bytes);
        put_64(head, data_bytes);
        put_64(head, recording->n_time);
        put_32(head, 0);
    }
    put_format(head, recording);
    put_name(head, "data");
    put_32(head, is_rf64 ? UINT32_MAX : data_bytes);
    return head;
}

struct wav_output {
    struct publish *file; // borrowed
    const struct recording *recording;
    double *values; // owned; of a frame
    uint8_t *bytes; // owned; of a block
};

static bool take_block(void *data, size_t first, size_t n_frames, const double *frames,
                       GError **error)
{
    (void) first;
    const struct wav_output *output = data;
    size_t n = output->recording->n_series;
    uint8_t *at = output->bytes;
    for (size_t t = 0; t < n_frames; t++) {
        recording_frame_values(output->recording, frames + t * n, output->values);
        for (size_t c = 0; c < n; c++, at += SAMPLE_BYTES) {
            uint64_t bits = GUINT64_TO_LE(bytes_of_double(output->values[c]));
            memcpy(at, &bits, sizeof bits);
        }
    }
    return publish_write(output->file, output->bytes, n_frames * n * SAMPLE_BYTES, error);
}

static bool write_samples(struct publish *file, struct recording *recording,
                          const struct io_context *io, GError **error)
{
    size_t n = recording->n_series;
    g_autofree double *values = g_new(double, n);
    g_autofree uint8_t *bytes = g_malloc(FRAMES_A_TURN * n * SAMPLE_BYTES);
    struct wav_output output = {file, recording, values, bytes};
    struct block_sink sink = {take_block, &output};
    return recording_pass(recording, FRAMES_A_TURN, &sink, io, error);
}

bool writer_wav_write(const char *path, struct recording *recording, bool is_rf64, bool overwrite,
                      const struct io_context *io, GError **error)
{
    if (recording->n_series > MOST_CHANNELS) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "expected at most %d channels for WAV, found %zu", MOST_CHANNELS,
                     recording->n_series);
        return false;
    }
    g_autoptr(GByteArray) head = make_head(recording, is_rf64);
    g_autoptr(owned_publish) output = publish_new(path, overwrite, error);
    return output != NULL && publish_write(output, head->data, head->len, error) &&
           write_samples(output, recording, io, error) && publish_commit(output, error);
}
