// SPDX-License-Identifier: BSD-3-Clause
#include "io/bytes.h"
#include "io/edf_annotations.h"
#include "io/frame_feed.h"
#include "io/header_edf.h"
#include "io/text.h"
#include "io/units.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    MOST_SEGMENTS = 65535,
    TRIGGER_BITS = 0xffff, // of a BDF Status word; those above tell of the amplifier
    MOST_TRIGGERS = 1 << 20,
    SKIP_BYTES = 1 << 20,
};

/** A stretch of records without a gap. */
struct segment {
    uint64_t first;  // record
    uint64_t count;  //
    double start_s;  // of the first record
    double last_s;   // of the last one
    double record_s; // from one to the next
};

struct edf_source {
    struct edf_header header;
    struct gz *stream;       // owned
    size_t *signal;          // owned; of each channel
    struct segment *segment; // owned; of each part
};

static bool edf_recognise(const char *path, const uint8_t *head, size_t n_head)
{
    static const char *const suffixes[] = {".edf", ".bdf", ".edf.gz", ".bdf.gz"};
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (text_has_suffix(path, suffixes[i]))
            return true;
    return header_edf_recognise(head, n_head);
}

static void edf_close(struct recording *recording)
{
    struct edf_source *source = recording->source;
    if (source == NULL)
        return;
    header_edf_clear(&source->header);
    gz_free(source->stream);
    g_free(source->signal);
    g_free(source->segment);
    g_free(source);
    recording->source = NULL;
}

static bool stream_error(const struct recording *recording, const char *where,
                         enum gz_status status, GError **error)
{
    const struct edf_source *source = recording->source;
    io_error_set(error, IO_ERROR_INPUT, recording->path, "%s: %s", where,
                 gz_describe(source->stream, status));
    return false;
}

/** Bytes of the whole stream, which a compressed one only tells at its end. */
static bool find_size(struct recording *recording, uint64_t *size, GError **error)
{
    const struct edf_source *source = recording->source;
    *size = gz_file_size(source->stream);
    if (!recording->compressed)
        return true;
    g_autofree uint8_t *scratch = g_malloc(SKIP_BYTES);
    gz_rewind(source->stream);
    enum gz_status status = GZ_OK;
    size_t n = 0;
    while (status == GZ_OK)
        status = gz_read(source->stream, scratch, SKIP_BYTES, &n);
    *size = gz_position(source->stream);
    return status == GZ_END || stream_error(recording, "data", status, error);
}

static bool read_header(struct recording *recording, GError **error)
{
    struct edf_source *source = recording->source;
    struct edf_header *header = &source->header;
    uint8_t head[EDF_HEAD_BYTES];
    size_t n = 0;
    enum gz_status status = gz_read(source->stream, head, sizeof head, &n);
    if (status != GZ_OK && status != GZ_END)
        return stream_error(recording, "header", status, error);
    if (!header_edf_parse_head(header, recording, head, n, error))
        return false;
    g_autofree uint8_t *bytes = g_malloc(header->n_bytes);
    gz_rewind(source->stream);
    status = gz_read(source->stream, bytes, header->n_bytes, &n);
    if (status != GZ_OK && status != GZ_END)
        return stream_error(recording, "header", status, error);
    uint64_t size = 0;
    return header_edf_parse_signals(header, recording, bytes, n, error) &&
           find_size(recording, &size, error) &&
           header_edf_count_records(header, recording, size - header->n_bytes, error);
}

static bool is_trigger_signal(const struct edf_signal *signal)
{
    return g_ascii_strcasecmp(signal->label, "Status") == 0 ||
           g_ascii_strcasecmp(signal->label, "Trigger") == 0;
}

/** The line through (digital min, physical min) and (digital max, physical max), in SI. */
static void set_scale(struct channel *channel, const struct edf_signal *signal, double factor)
{
    // The offset is small beside the terms that it is the difference of: hence the extra digits.
    long double gain = ((long double) signal->physical_max - signal->physical_min) /
                       ((long double) signal->digital_max - signal->digital_min);
    channel->gain = (double) (gain * factor);
    channel->offset = (double) ((signal->physical_min - gain * signal->digital_min) * factor);
}

static void warn_of_unit(struct recording *recording, const char *unit)
{
    g_autofree char *printable = text_escape(unit);
    recording_warn(recording, "unit", "unit \"%s\" is not known: values are left in it", printable);
}

static void describe_channel(struct recording *recording, struct channel *channel,
                             const struct edf_signal *signal)
{
    double factor = 1.0;
    const char *unit = "";
    channel->name = g_strdup(signal->label);
    channel->stored_unit = g_strdup(signal->unit);
    channel->kind = CHANNEL_STIM;
    if (!is_trigger_signal(signal)) {
        bool known = units_to_si(signal->unit, &factor, &unit);
        channel->kind = strcmp(unit, "V") == 0 ? CHANNEL_EEG : CHANNEL_MISC;
        set_scale(channel, signal, factor);
        if (!known && *signal->unit != '\0')
            warn_of_unit(recording, signal->unit);
    }
    channel->unit = g_strdup(unit);
    channel->bad |= signal->is_dummy;
}

/** The signals that are not annotations, as channels. */
static void describe_channels(struct recording *recording)
{
    struct edf_source *source = recording->source;
    const struct edf_header *header = &source->header;
    source->signal = g_new(size_t, header->n_signals);
    size_t n = 0;
    for (size_t s = 0; s < header->n_signals; s++)
        if (header->signal[s].has_time)
            source->signal[n++] = s;
    recording->sensors = sensors_new(n);
    for (size_t c = 0; c < n; c++)
        describe_channel(recording, &recording->sensors->channel[c],
                         &header->signal[source->signal[c]]);
    if (sensors_make_names_unique(recording->sensors))
        recording_warn(recording, "labels",
                       "labels that stand twice are told apart by -0, -1, ...");
}

/** A sample, of three or two bytes. */
static int32_t load_sample(bool is_bdf, const uint8_t *bytes)
{
    if (!is_bdf)
        return (int16_t) bytes_load_le16(bytes);
    uint32_t bits = bytes_load_le16(bytes) | (uint32_t) bytes[2] << 16;
    return (int32_t) (bits ^ UINT32_C(0x800000)) - INT32_C(0x800000);
}

/** The pass over all records that finds what happened when. */
struct events_pass {
    struct recording *recording;
    struct edf_source *source;
    GArray *segments;                 // of struct segment
    double next_s;                    // when the next record begins, if there is no gap
    double origin_s;                  // of the first record: a fraction of a second
    double tolerance_s;               // half a sample of the fastest signal
    uint8_t *bytes;                   // of an annotation signal in one record
    const struct edf_signal *trigger; // the Status of a BDF; NULL: none
    uint8_t *trigger_bytes;           // of it, in one record
    int value;                        // of the trigger at the sample before; -1: there is none
    size_t n_triggers;                // seen so far
};

/** Where the record goes: on the segment under way, or into a new one. */
static bool place_record(struct events_pass *pass, uint64_t record, double time_s, GError **error)
{
    const struct edf_header *header = &pass->source->header;
    guint n = pass->segments->len;
    bool is_late = n > 0 && fabs(time_s - pass->next_s) > pass->tolerance_s;
    bool has_gap = is_late && header->is_interrupted && header->record_s > 0.0;
    if (is_late && !has_gap)
        recording_warn(pass->recording, "times",
                       "records do not follow each other, though the header says so: joined");
    pass->next_s = time_s + header->record_s;
    if (n > 0 && !has_gap) {
        struct segment *last = &g_array_index(pass->segments, struct segment, n - 1);
        last->count++;
        last->last_s = time_s;
        return true;
    }
    if (n == 0)
        pass->origin_s = time_s;
    struct segment segment = {record, 1, time_s, time_s, header->record_s};
    g_array_append_val(pass->segments, segment);
    if (n < MOST_SEGMENTS)
        return true;
    io_error_set(error, IO_ERROR_INPUT, pass->recording->path,
                 "data: expected at most %d stretches between gaps, found more", MOST_SEGMENTS);
    return false;
}

static void warn_of_annotations(struct recording *recording, const struct edf_annotations *found)
{
    if (found->malformed)
        recording_warn(recording, "annotations", "annotations: some are malformed: left out");
    if (found->latin1)
        recording_warn(recording, "text", "annotations: text that is not UTF-8, read as latin-1");
}

/** The rises of the trigger bits of a Status channel; its first sample is none. */
static void find_triggers(struct events_pass *pass, double time_s)
{
    const struct edf_signal *signal = pass->trigger;
    double interval_s = pass->source->header.record_s / (double) signal->n_samples;
    for (size_t i = 0; i < signal->n_samples; i++) {
        int value = load_sample(true, pass->trigger_bytes + 3 * i) & TRIGGER_BITS;
        bool is_event = pass->value >= 0 && value > pass->value;
        if (is_event && pass->n_triggers++ < MOST_TRIGGERS)
            sensors_add_event(pass->recording->sensors, time_s + (double) i * interval_s, 0.0,
                              signal->label, value);
        pass->value = value;
    }
}

static bool read_signal(struct events_pass *pass, uint64_t record, const struct edf_signal *signal,
                        uint8_t *bytes, GError **error)
{
    const struct edf_header *header = &pass->source->header;
    struct gz *stream = pass->source->stream;
    size_t n = signal->n_samples * header_edf_sample_bytes(header);
    uint64_t at = header->n_bytes + record * header->record_bytes + signal->offset;
    enum gz_status status = gz_skip(stream, at - gz_position(stream));
    if (status == GZ_OK)
        status = gz_read(stream, bytes, n, &n);
    return status == GZ_OK || stream_error(pass->recording, "data", status, error);
}

static bool pass_over_record(struct events_pass *pass, uint64_t record, GError **error)
{
    const struct edf_header *header = &pass->source->header;
    double time_s = pass->next_s;
    bool seen = false;
    for (size_t s = 0; s < header->n_signals; s++) {
        const struct edf_signal *signal = &header->signal[s];
        bool is_trigger = signal == pass->trigger;
        if (!is_trigger && !signal->is_annotations)
            continue;
        uint8_t *bytes = is_trigger ? pass->trigger_bytes : pass->bytes;
        if (!read_signal(pass, record, signal, bytes, error))
            return false;
        if (is_trigger)
            continue;
        struct edf_annotations found = edf_annotations_parse(
            pass->recording->sensors, bytes, signal->n_samples * header_edf_sample_bytes(header));
        warn_of_annotations(pass->recording, &found);
        if (!seen && found.has_time) // the first annotation signal tells the record's time
            time_s = found.time_s;
        seen = true;
    }
    if (pass->trigger != NULL)
        find_triggers(pass, time_s);
    return place_record(pass, record, time_s, error);
}

/** Room for the signals that the pass reads; whether there are any. */
static bool prepare_pass(struct events_pass *pass, const struct io_context *io, GError **error)
{
    const struct edf_header *header = &pass->source->header;
    size_t width = header_edf_sample_bytes(header);
    size_t most = 0;
    double fastest = 1.0;
    for (size_t s = 0; s < header->n_signals; s++) {
        const struct edf_signal *signal = &header->signal[s];
        if (signal->is_annotations)
            most = MAX(most, signal->n_samples);
        else
            fastest = MAX(fastest, (double) signal->n_samples);
        if (pass->trigger == NULL && header->is_bdf && is_trigger_signal(signal))
            pass->trigger = signal;
    }
    pass->tolerance_s = 0.5 * header->record_s / fastest;
    const char *path = pass->recording->path;
    size_t n_triggers = pass->trigger == NULL ? 0 : pass->trigger->n_samples;
    pass->bytes = io_context_alloc(io, path, most, width, error);
    if (pass->bytes == NULL)
        return false;
    pass->trigger_bytes = io_context_alloc(io, path, n_triggers, width, error);
    return pass->trigger_bytes != NULL;
}

static bool pass_over_records(struct events_pass *pass, const struct io_context *io, GError **error)
{
    enum { RECORDS_A_TURN = 1024 };
    uint64_t n_records = pass->source->header.n_records;
    gz_rewind(pass->source->stream);
    for (uint64_t r = 0; r < n_records; r++) {
        if (r % RECORDS_A_TURN == 0 && !io_context_go_on(io, (double) r / (double) n_records))
            return io_error_stopped(error, pass->recording->path);
        if (!pass_over_record(pass, r, error))
            return false;
    }
    return true;
}

/**
 * Records that begin a little less or more apart than the header says: no gap anywhere, but samples
 * and annotations part. The rate that is true follows from the records' own times.
 */
static void follow_drift(struct events_pass *pass)
{
    const struct edf_header *header = &pass->source->header;
    for (guint i = 0; i < pass->segments->len && header->is_interrupted; i++) {
        struct segment *segment = &g_array_index(pass->segments, struct segment, i);
        double n = (double) segment->count - 1.0, seconds = segment->last_s - segment->start_s;
        if (!(fabs(seconds - n * header->record_s) > pass->tolerance_s))
            continue;
        segment->record_s = seconds / n;
        recording_warn(pass->recording, "drift",
                       "records begin every %.9g s by their times, every %.9g s by the header: "
                       "their times are believed",
                       segment->record_s, header->record_s);
    }
}

/** Times count from the first sample: what the first record's time adds to a second is taken off.
 */
static void shift_times(struct events_pass *pass)
{
    GArray *events = pass->recording->sensors->events;
    for (guint i = 0; i < events->len; i++)
        g_array_index(events, struct event, i).onset_s -= pass->origin_s;
    for (guint i = 0; i < pass->segments->len; i++)
        g_array_index(pass->segments, struct segment, i).start_s -= pass->origin_s;
}

static bool read_events(struct recording *recording, GArray *segments, const struct io_context *io,
                        GError **error)
{
    struct events_pass pass = {
        .recording = recording, .source = recording->source, .segments = segments, .value = -1};
    bool done = prepare_pass(&pass, io, error) && pass_over_records(&pass, io, error);
    g_free(pass.bytes);
    g_free(pass.trigger_bytes);
    if (!done)
        return false;
    follow_drift(&pass);
    shift_times(&pass);
    if (pass.n_triggers > MOST_TRIGGERS)
        recording_warn(recording, "triggers", "%s: of %zu changes only the first %d are events",
                       pass.trigger->label, pass.n_triggers, MOST_TRIGGERS);
    if (segments->len > 1)
        recording_warn(recording, "gaps", "%u stretches with gaps between them: kept apart",
                       segments->len);
    return true;
}

// Parts: the channels of one rate, over one stretch.

static size_t samples_of(const struct edf_source *source, size_t channel)
{
    return source->header.signal[source->signal[channel]].n_samples;
}

/** The rates, as samples a record, in the order of their first channels; to be freed. */
static GArray *find_rates(const struct recording *recording)
{
    GArray *rates = g_array_new(FALSE, FALSE, sizeof(size_t));
    for (size_t c = 0; c < recording->sensors->n_channels; c++) {
        size_t n = samples_of(recording->source, c);
        guint i = 0;
        while (i < rates->len && g_array_index(rates, size_t, i) != n)
            i++;
        if (i == rates->len)
            g_array_append_val(rates, n);
    }
    return rates;
}

static void fill_part(const struct recording *recording, size_t n_samples,
                      const struct segment *segment, struct part *part)
{
    const struct edf_source *source = recording->source;
    const struct sensors *sensors = recording->sensors;
    part->channel = g_new(size_t, sensors->n_channels);
    for (size_t c = 0; c < sensors->n_channels; c++)
        if (samples_of(source, c) == n_samples)
            part->channel[part->n_channels++] = c;
    if (part->n_channels > 0)
        part->rate_hz = (double) n_samples / segment->record_s;
    part->n_time = (size_t) segment->count * n_samples;
    part->start_s = segment->start_s;
    part->name = g_strdup_printf("%g Hz from %g s", part->rate_hz, part->start_s);
}

/** The part with the most samples, the first of such: what is read unless another is asked for. */
static size_t largest_part(const struct sensors *sensors)
{
    size_t best = 0;
    double most = 0.0;
    for (size_t i = 0; i < sensors->n_parts; i++) {
        double n = (double) sensors->part[i].n_channels * (double) sensors->part[i].n_time;
        if (n > most)
            best = i;
        most = MAX(most, n);
    }
    return best;
}

static bool make_parts(struct recording *recording, const GArray *segments,
                       const struct io_context *io, GError **error)
{
    struct edf_source *source = recording->source;
    struct sensors *sensors = recording->sensors;
    g_autoptr(GArray) rates = find_rates(recording);
    size_t none = 0; // annotations alone: a part without channels
    if (rates->len == 0)
        g_array_append_val(rates, none);
    size_t n = (size_t) rates->len * segments->len;
    // what the parts will hold, asked for at once
    void *room = io_context_alloc(
        io, recording->path, n, sizeof(struct part) + sensors->n_channels * sizeof(size_t), error);
    if (room == NULL)
        return false;
    g_free(room);
    sensors->part = g_new0(struct part, n);
    source->segment = g_new(struct segment, n);
    for (guint i = 0; i < rates->len; i++)
        for (guint j = 0; j < segments->len; j++, sensors->n_parts++) {
            source->segment[sensors->n_parts] = g_array_index(segments, struct segment, j);
            fill_part(recording, g_array_index(rates, size_t, i),
                      &source->segment[sensors->n_parts], &sensors->part[sensors->n_parts]);
        }
    if (rates->len > 1)
        recording_warn(recording, "rates", "%u sampling rates: channels of each are a part",
                       rates->len);
    recording_choose(recording, largest_part(sensors));
    return true;
}

static bool edf_open(struct recording *recording, struct gz *stream, const struct io_context *io,
                     GError **error)
{
    struct edf_source *source = g_new0(struct edf_source, 1);
    recording->source = source;
    source->stream = stream;
    recording->compressed = gz_is_compressed(stream);
    recording->type = SAMPLE_DOUBLE;
    if (!read_header(recording, error))
        return false;
    const struct edf_header *header = &source->header;
    recording->datatype = header->is_bdf ? "int24" : "int16";
    recording->format = header->is_bdf ? "BDF" : "EDF";
    if (header->is_plus)
        recording->format = header->is_bdf ? "BDF+" : "EDF+";
    describe_channels(recording);
    g_autoptr(GArray) segments = g_array_new(FALSE, FALSE, sizeof(struct segment));
    return read_events(recording, segments, io, error) &&
           make_parts(recording, segments, io, error);
}

// Samples: a record at a time, turned from channel after channel into frame after frame.

struct turn {
    struct recording *recording;
    const struct part *part;
    const struct selection *selection;
    struct frame_feed feed;
    uint8_t *bytes; // of a record
    size_t i;       // the frame at hand, in the record
};

static const void *record_samples(void *data, size_t first, size_t count, void *tile)
{
    const struct turn *turn = data;
    const struct edf_source *source = turn->recording->source;
    const struct edf_header *header = &source->header;
    size_t width = header_edf_sample_bytes(header);
    const size_t *channel = turn->part->channel + first;
    double *samples = tile;
    for (size_t c = 0; c < count; c++) {
        const struct edf_signal *signal = &header->signal[source->signal[channel[c]]];
        samples[c] = load_sample(header->is_bdf, turn->bytes + signal->offset + width * turn->i);
    }
    return samples;
}

/** The frames of a record, whose first is frame `at` of the part. */
static bool hand_on_record(struct turn *turn, size_t at, size_t n_samples)
{
    const struct selection *selection = turn->selection;
    size_t end = MIN(at + n_samples, selection->first_frame + selection->n_frames);
    for (size_t t = MAX(at, selection->first_frame); t < end; t++) {
        turn->i = t - at;
        if (!frame_feed_take(&turn->feed, t - selection->first_frame, 0, turn->part->n_channels))
            return false;
    }
    return true;
}

static bool turn_records(struct turn *turn, const struct segment *segment, size_t n_samples,
                         const struct io_context *io, GError **error)
{
    const struct edf_source *source = turn->recording->source;
    size_t n_bytes = source->header.record_bytes;
    gz_rewind(source->stream);
    enum gz_status status =
        gz_skip(source->stream, source->header.n_bytes + segment->first * n_bytes);
    for (uint64_t r = 0; status == GZ_OK && r < segment->count; r++) {
        size_t n = 0;
        status = gz_read(source->stream, turn->bytes, n_bytes, &n);
        if (status == GZ_OK && (!io_context_go_on(io, (double) r / (double) segment->count) ||
                                !hand_on_record(turn, (size_t) r * n_samples, n_samples)))
            return io_error_stopped(error, turn->recording->path);
    }
    return status == GZ_OK || stream_error(turn->recording, "data", status, error);
}

static bool edf_frames(struct recording *recording, const struct selection *selection,
                       const struct frame_sink *sink, const struct io_context *io, GError **error)
{
    const struct edf_source *source = recording->source;
    const struct sensors *sensors = recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    if (part->n_channels == 0)
        return true;
    g_autofree uint8_t *bytes =
        io_context_alloc(io, recording->path, 1, source->header.record_bytes, error);
    if (bytes == NULL)
        return false;
    g_autofree double *tile = g_new(double, FRAME_FEED_SAMPLES);
    struct turn turn = {
        .recording = recording, .part = part, .selection = selection, .bytes = bytes};
    turn.feed = (struct frame_feed){.selection = selection,
                                    .sink = sink,
                                    .samples = record_samples,
                                    .data = &turn,
                                    .tile = tile};
    return turn_records(&turn, &source->segment[sensors->chosen],
                        samples_of(source, part->channel[0]), io, error);
}

const struct reader reader_edf = {
    .name = "EDF",
    .recognise = edf_recognise,
    .open = edf_open,
    .frames = edf_frames,
    .close = edf_close,
};
