// SPDX-License-Identifier: BSD-3-Clause
#include "io/writer_edf.h"

#include "io/publish.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    FIELD_BYTES = 8, // of a number in a header
    LABEL_BYTES = 16,
    MOST_SIGNALS = 9998, // beside the annotations
    MOST_RECORDS = 99999999,
    MOST_TRIED = 1 << 17, // ends of the range
    TRIGGER_BITS = 0xffff,
};
static const double EXACT_DURATION = 1e-12; // relative error of what is as good as exact

/** How a channel is written: digital = round((value - physical at 0) / gain). */
struct signal {
    const struct channel *channel;
    char label[LABEL_BYTES + 1];
    const char *unit;
    double unit_si;      // one unit, in SI
    double digital_min;  //
    double digital_max;  //
    double physical_min; // in the unit, as eight characters hold it
    double physical_max; //
    bool is_exact;       // stored integers go through
    bool is_masked;      // only their low bits do
};

struct edf_output {
    struct recording *recording;
    bool is_bdf;
    double lowest; // -2^15 or -2^23
    struct signal *signal;
    size_t n_samples;        // a record
    size_t n_records;        //
    double record_s;         //
    size_t annotation_bytes; // a record
    GString **annotation;    // owned; of each record
};
typedef struct edf_output owned_edf_output;

static void edf_output_clear(struct edf_output *output)
{
    for (size_t r = 0; output->annotation != NULL && r < output->n_records; r++)
        g_string_free(output->annotation[r], TRUE);
    g_free(output->annotation);
    g_free(output->signal);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_edf_output, edf_output_clear)

// Numbers of eight characters: plain, or with an exponent where that has more digits.

enum { NO_POINT = -1, TOO_LONG = -2 };

/** Decimals with which "%.*f" takes eight characters at most; NO_POINT: as a whole number. */
static int decimals_of(double value)
{
    int room = FIELD_BYTES - 1 - (value < 0.0); // beside the first digit
    value = fabs(value);
    while (value >= 10.0 && room >= 0) {
        value /= 10.0;
        room--;
    }
    if (room < 0)
        return TOO_LONG;
    return MIN(room - 1, 6); // less the point
}

/** The text of a number, at most eight characters. */
static void print_field(double value, char text[32])
{
    bool is_tiny = value != 0.0 && fabs(value) < 1e-3;
    int decimals = decimals_of(value);
    bool is_plain = !is_tiny && decimals != TOO_LONG;
    g_autofree char *format = is_plain ? g_strdup_printf("%%.%df", MAX(decimals, 0))
                                       : g_strdup_printf("%%.%de", value < 0.0 ? 1 : 2);
    g_ascii_formatd(text, 32, format, value + 0.0);
    if (!is_plain || strchr(text, '.') == NULL)
        return;
    size_t n = strlen(text);
    while (text[n - 1] == '0')
        text[--n] = '\0';
    if (text[n - 1] == '.')
        text[n - 1] = '\0';
}

/** What is read of such a text. */
static double to_field(double value)
{
    static const double scales[] = {1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    int decimals = decimals_of(value);
    bool is_tiny = value != 0.0 && fabs(value) < 1e-3;
    if (!is_tiny && decimals >= 0)
        return round(value * scales[decimals]) / scales[decimals];
    char text[32];
    print_field(value, text);
    return g_ascii_strtod(text, NULL);
}

/** Such a number on that side of the value, or the value itself. */
static double to_field_beyond(double value, double direction)
{
    double field = to_field(value);
    if ((field - value) * direction >= 0.0)
        return field;
    bool is_plain = fabs(value) >= 1e-3 && decimals_of(value) >= 0;
    double digit = is_plain ? pow(10.0, -decimals_of(value)) : 0.1 * fabs(value);
    return to_field(value + direction * digit);
}

/** The unit in which values of up to `largest` (SI) have the most digits in eight characters. */
static void choose_unit(struct signal *signal, double largest)
{
    static const struct {
        const char *si;
        const char *unit;
        double factor;
    } units[] = {
        {"V", "uV", 1e-6},  {"V", "mV", 1e-3},       {"V", "V", 1.0},     {"T", "fT", 1e-15},
        {"T", "pT", 1e-12}, {"T", "T", 1.0},         {"S", "nS", 1e-9},   {"S", "uS", 1e-6},
        {"S", "S", 1.0},    {"T/m", "fT/cm", 1e-13}, {"T/m", "T/m", 1.0},
    };
    signal->unit = signal->channel->unit;
    signal->unit_si = 1.0;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (strcmp(units[i].si, signal->channel->unit) != 0)
            continue;
        signal->unit = units[i].unit;
        signal->unit_si = units[i].factor;
        if (largest < 1e6 * units[i].factor)
            return;
    }
}

/** By how much the physical value at a digital end is off in eight characters, in the unit. */
static double end_error(const struct signal *signal, double digital)
{
    const struct channel *channel = signal->channel;
    double value = (channel->gain * digital + channel->offset) / signal->unit_si;
    return fabs(to_field(value) - value);
}

/**
 * A digital end whose physical value is off the least: the outermost, or one of those that lie
 * next to the data, up to it.
 */
static double best_end(const struct signal *signal, double data, double outermost)
{
    double step = outermost < data ? -1.0 : 1.0;
    double best = outermost;
    double least = end_error(signal, outermost);
    for (size_t i = 0; i < MOST_TRIED && data != outermost && least > 0.0; i++, data += step) {
        double error = end_error(signal, data);
        if (error < 0.5 * least) {
            least = error;
            best = data;
        }
    }
    return best;
}

struct range {
    double low; // of the stored samples
    double high;
    bool is_whole;
};

/** What the ranges of all channels are found from, in one pass over the frames. */
struct extremes {
    size_t n;
    double *low;  // one a channel, as the others
    double *high; //
    double *zero; // NaN where a sample is not finite
    double *part; // not 0 where a sample is not whole
};

enum { RANGE_FRAMES = 256 };
static const double WHOLE = 0x1.8p52; // x + WHOLE - WHOLE is the whole number next to x,
static const double LARGE = 0x1p51;   // where |x| is no larger than this

static bool take_extremes(void *data, size_t first, size_t n_frames, const double *frames,
                          GError **error)
{
    (void) first;
    (void) error;
    const struct extremes *e = data;
    for (size_t t = 0; t < n_frames; t++) {
        const double *x = frames + t * e->n;
        for (size_t v = 0; v < e->n; v++) {
            e->low[v] = x[v] < e->low[v] ? x[v] : e->low[v];
            e->high[v] = x[v] > e->high[v] ? x[v] : e->high[v];
            e->zero[v] += x[v] * 0.0;
            e->part[v] += fabs(x[v] - ((x[v] + WHOLE) - WHOLE));
        }
    }
    // Rare numbers, which WHOLE does not tell.
    for (size_t v = 0; v < e->n; v++)
        for (size_t t = 0; fmax(-e->low[v], e->high[v]) > LARGE && t < n_frames; t++) {
            double x = frames[t * e->n + v];
            if (fabs(x) > LARGE)
                e->part[v] += x == floor(x) ? 0.0 : 1.0;
        }
    return true;
}

/** The ranges of the channels; one that is not finite has a NaN for its lowest. */
static bool find_ranges(struct recording *recording, struct range *ranges,
                        const struct io_context *io, GError **error)
{
    size_t n = recording->n_series;
    g_autofree double *rows = g_new0(double, 4 * n);
    struct extremes extremes = {n, rows, rows + n, rows + 2 * n, rows + 3 * n};
    for (size_t v = 0; v < n; v++) {
        extremes.low[v] = INFINITY;
        extremes.high[v] = -INFINITY;
    }
    struct block_sink sink = {take_extremes, &extremes};
    if (!recording_pass(recording, RANGE_FRAMES, &sink, io, error))
        return false;
    for (size_t v = 0; v < n; v++)
        ranges[v] = (struct range){extremes.zero[v] + extremes.low[v], extremes.high[v],
                                   extremes.part[v] == 0.0};
    return true;
}

static void set_ends(const struct edf_output *output, struct signal *signal,
                     const struct range *range)
{
    const struct channel *channel = signal->channel;
    double highest = -output->lowest - 1.0;
    double low = range->low;
    double high = range->high;
    signal->digital_min = output->lowest;
    signal->digital_max = highest;
    if (signal->is_exact) {
        low = signal->digital_min = best_end(signal, fmin(low, highest - 1.0), output->lowest);
        high = signal->digital_max =
            best_end(signal, fmax(high, signal->digital_min + 1.0), highest);
    }
    double a = (channel->gain * low + channel->offset) / signal->unit_si;
    double b = (channel->gain * high + channel->offset) / signal->unit_si;
    signal->physical_min = to_field(a);
    signal->physical_max = to_field(b);
    if (signal->is_exact)
        return;
    signal->physical_min = to_field_beyond(fmin(a, b), -1.0);
    signal->physical_max = to_field_beyond(fmax(a, b), 1.0);
    if (signal->physical_max == signal->physical_min)
        signal->physical_max += fmax(fabs(signal->physical_max), 1.0);
}

static double gain_of(const struct signal *signal)
{
    return (signal->physical_max - signal->physical_min) /
           (signal->digital_max - signal->digital_min) * signal->unit_si;
}

static void set_label(struct signal *signal, struct edf_rounding *rounding)
{
    g_autofree char *ascii = g_str_to_ascii(signal->channel->name, "C");
    for (char *c = ascii; *c != '\0'; c++)
        if (!g_ascii_isprint(*c))
            *c = '_';
    rounding->n_short_names += strlen(ascii) > LABEL_BYTES;
    g_strlcpy(signal->label, ascii, sizeof signal->label);
}

static bool plan_signal(struct edf_output *output, size_t v, struct range range,
                        struct edf_rounding *rounding, GError **error)
{
    const struct recording *recording = output->recording;
    const struct sensors *sensors = recording->sensors;
    struct signal *signal = &output->signal[v];
    signal->channel = &sensors->channel[sensors->part[sensors->chosen].channel[v]];
    if (isnan(range.low)) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "channel %zu: expected finite samples for EDF, found NaN or infinity", v + 1);
        return false;
    }
    const struct channel *channel = signal->channel;
    signal->is_masked = channel->kind == CHANNEL_STIM && range.is_whole && !output->is_bdf &&
                        (range.low < output->lowest || range.high >= -output->lowest);
    if (signal->is_masked)
        range = (struct range){output->lowest, -output->lowest - 1.0, true};
    signal->is_exact = signal->is_masked || (range.is_whole && range.low >= output->lowest &&
                                             range.high < -output->lowest);
    double largest = fmax(fabs(channel->gain * range.low + channel->offset),
                          fabs(channel->gain * range.high + channel->offset));
    choose_unit(signal, largest);
    set_ends(output, signal, &range);
    set_label(signal, rounding);
    rounding->n_short_triggers += signal->is_masked;
    rounding->n_exact += signal->is_exact && !signal->is_masked;
    rounding->n_rounded += !signal->is_exact;
    if (!signal->is_exact && largest > 0.0)
        rounding->largest_error = fmax(rounding->largest_error, 0.5 * gain_of(signal) / largest);
    return true;
}

// Records.

/** How far a record of n samples is from telling the rate: relative error of the duration. */
static double duration_error(double seconds)
{
    double written = to_field(seconds);
    return written > 0.0 ? fabs(written - seconds) / seconds : INFINITY;
}

/** The samples of a record: a divisor of n_time whose duration is told best, then nearest to 1 s.
 */
static void plan_records(struct edf_output *output)
{
    size_t n = output->recording->n_time;
    double interval_s = output->recording->interval_s;
    double least = INFINITY;
    output->n_samples = MAX(n, 1);
    for (size_t d = 1; d <= n / d; d++) {
        if (n % d != 0)
            continue;
        const size_t divisors[] = {d, n / d};
        for (size_t i = 0; i < 2; i++) {
            double seconds = (double) divisors[i] * interval_s;
            double error = fmax(duration_error(seconds), EXACT_DURATION);
            double cost = 3.0 * log10(error / EXACT_DURATION) + fabs(log(seconds));
            if (n / divisors[i] > MOST_RECORDS || divisors[i] > MOST_RECORDS || !(cost < least))
                continue;
            least = cost;
            output->n_samples = divisors[i];
        }
    }
    output->n_records = n / output->n_samples;
    output->record_s = (double) output->n_samples * interval_s;
}

static void add_list(GString *text, double onset_s, double duration_s, const char *label)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf(text, "%s%s", onset_s < 0.0 ? "" : "+",
                           g_ascii_formatd(number, sizeof number, "%.9g", onset_s + 0.0));
    if (duration_s > 0.0)
        g_string_append_printf(text, "\x15%s",
                               g_ascii_formatd(number, sizeof number, "%.9g", duration_s));
    g_string_append_c(text, '\x14');
    for (const char *c = label; *c != '\0'; c++) // no letter of a text ends it
        g_string_append_c(text, (*c >= 0 && *c < ' ') ? ' ' : *c);
    g_string_append_c(text, '\x14');
    g_string_append_c(text, '\0');
}

/** Events spread over the records, in their order, and the time of each record. */
static void plan_annotations(struct edf_output *output)
{
    const struct sensors *sensors = output->recording->sensors;
    const GArray *events = sensors->events;
    output->annotation = g_new(GString *, output->n_records);
    size_t most = 0;
    size_t k = 0;
    for (size_t r = 0; r < output->n_records; r++) {
        GString *text = output->annotation[r] = g_string_new(NULL);
        add_list(text, (double) r * output->record_s, 0.0, "");
        double end = (double) events->len * (double) (r + 1) / (double) output->n_records;
        for (; k < events->len && (double) k < end; k++) {
            const struct event *event = &g_array_index(events, struct event, k);
            if (sensors_is_code(sensors, &sensors->part[sensors->chosen], event))
                continue; // the channel is written itself
            g_autofree char *label = sensors_event_label(sensors, event);
            add_list(text, event->onset_s, event->duration_s, *label == '\0' ? "event" : label);
        }
        most = MAX(most, text->len);
    }
    size_t width = output->is_bdf ? 3 : 2;
    output->annotation_bytes = (most + width - 1) / width * width;
}

static void put(GByteArray *head, const char *text, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        const guint8 letter = *text == '\0' ? ' ' : (guint8) *text++;
        g_byte_array_append(head, &letter, 1);
    }
}

static void put_number(GByteArray *head, double value, size_t width)
{
    char text[32];
    print_field(value, text);
    put(head, text, width);
}

static void put_head(GByteArray *head, const struct edf_output *output)
{
    size_t n = output->recording->n_series + 1;
    put(head,
        output->is_bdf ? "\xff"
                         "BIOSEMI"
                       : "0",
        8);
    put(head, "X X X X", 80);
    put(head, "Startdate X X X X", 80);
    put(head,
        "01.01.85"
        "00.00.00",
        16);
    put_number(head, (double) (256 * (n + 1)), 8);
    put(head, output->is_bdf ? "BDF+C" : "EDF+C", 44);
    put_number(head, (double) output->n_records, 8);
    put_number(head, output->record_s, 8);
    put_number(head, (double) n, 4);
}

/** The fields of the signals, each for all of them; the last signal holds the annotations. */
static void put_signals(GByteArray *head, const struct edf_output *output)
{
    size_t n = output->recording->n_series;
    const struct signal *signal = output->signal;
    for (size_t s = 0; s < n; s++)
        put(head, signal[s].label, LABEL_BYTES);
    put(head, output->is_bdf ? "BDF Annotations" : "EDF Annotations", LABEL_BYTES);
    put(head, "", 80 * (n + 1));
    for (size_t s = 0; s < n; s++)
        put(head, signal[s].unit, 8);
    put(head, "", 8);
    for (size_t s = 0; s < n; s++)
        put_number(head, signal[s].physical_min, 8);
    put_number(head, -1.0, 8);
    for (size_t s = 0; s < n; s++)
        put_number(head, signal[s].physical_max, 8);
    put_number(head, 1.0, 8);
    for (size_t s = 0; s < n; s++)
        put_number(head, signal[s].digital_min, 8);
    put_number(head, output->lowest, 8);
    for (size_t s = 0; s < n; s++)
        put_number(head, signal[s].digital_max, 8);
    put_number(head, -output->lowest - 1.0, 8);
    put(head, "", 80 * (n + 1));
    for (size_t s = 0; s < n; s++)
        put_number(head, (double) output->n_samples, 8);
    size_t n_letters = output->annotation_bytes / (output->is_bdf ? 3 : 2);
    put_number(head, (double) n_letters, 8);
    put(head, "", 32 * (n + 1));
}

// Samples: turned from frame after frame into channel after channel, a tile of frames at a time,
// which the cache holds.

enum {
    TILE_FRAMES = 256,
    BLOCK_FRAMES = 1024,   // whole records of about as many are written together
    LARGEST_RECORD = 8192, // frames; of a longer record each channel's stretches are put in place
};

/** How values are rounded: digital_min + (gain stored + offset - lowest) / step. */
struct rounding {
    double lowest;
    double step;
};

/** To the nearest whole number, halves away from zero; |x| < 2^31. */
static double to_nearest(double x)
{
    double whole = (double) (int32_t) x;
    double rest = x - whole;
    return whole + (double) (rest >= 0.5) - (double) (rest <= -0.5);
}

static int32_t digital_value(const struct signal *signal, const struct rounding *rounding,
                             double stored)
{
    double value = signal->channel->gain * stored + signal->channel->offset;
    double steps = (value - rounding->lowest) / rounding->step;
    double digital =
        fmin(fmax(signal->digital_min + steps, signal->digital_min), signal->digital_max);
    return (int32_t) to_nearest(digital);
}

static uint8_t *put_sample(uint8_t *at, bool is_bdf, int32_t value)
{
    uint32_t bits = (uint32_t) value;
    *at++ = (uint8_t) bits;
    *at++ = (uint8_t) (bits >> 8);
    if (is_bdf)
        *at++ = (uint8_t) (bits >> 16);
    return at;
}

/** n samples of a signal, of which `stored` is the first and has the others n_series apart. */
static void put_samples(const struct edf_output *output, const struct signal *signal,
                        const double *stored, size_t n, uint8_t *bytes)
{
    size_t stride = output->recording->n_series;
    const struct rounding rounding = {signal->physical_min * signal->unit_si, gain_of(signal)};
    if (signal->is_masked) {
        for (size_t i = 0; i < n; i++)
            bytes = put_sample(bytes, false,
                               (int16_t) (uint16_t) ((int64_t) stored[i * stride] & TRIGGER_BITS));
    } else if (signal->is_exact && !output->is_bdf) {
        for (size_t i = 0; i < n; i++, bytes += sizeof(uint16_t)) {
            uint16_t bits = GUINT16_TO_LE((uint16_t) (int32_t) stored[i * stride]);
            memcpy(bytes, &bits, sizeof bits);
        }
    } else if (signal->is_exact) {
        for (size_t i = 0; i < n; i++)
            bytes = put_sample(bytes, true, (int32_t) stored[i * stride]);
    } else {
        for (size_t i = 0; i < n; i++)
            bytes = put_sample(bytes, output->is_bdf,
                               digital_value(signal, &rounding, stored[i * stride]));
    }
}

/** Records under way. */
struct records {
    const struct edf_output *output;
    struct publish *file; // borrowed
    uint8_t *bytes;       // owned: of the records of a block, or a channel's stretch
    size_t head_bytes;
    size_t record_bytes;
    size_t sample_bytes;
};

static void put_annotation(const struct edf_output *output, size_t r, uint8_t *bytes)
{
    const GString *text = output->annotation[r];
    memset(bytes, 0, output->annotation_bytes);
    memcpy(bytes, text->str, text->len);
}

static void fill_record(const struct records *records, const double *frames, size_t r,
                        uint8_t *bytes)
{
    const struct edf_output *output = records->output;
    size_t n = output->recording->n_series, size = records->sample_bytes;
    for (size_t t = 0; t < output->n_samples; t += TILE_FRAMES)
        for (size_t s = 0; s < n; s++)
            put_samples(output, &output->signal[s], frames + t * n + s,
                        MIN(TILE_FRAMES, output->n_samples - t),
                        bytes + (s * output->n_samples + t) * size);
    put_annotation(output, r, bytes + n * output->n_samples * size);
}

static bool take_records(void *data, size_t first, size_t n_frames, const double *frames,
                         GError **error)
{
    const struct records *records = data;
    const struct edf_output *output = records->output;
    size_t n_records = n_frames / output->n_samples, begin = first / output->n_samples;
    for (size_t r = 0; r < n_records; r++)
        fill_record(records, frames + r * output->n_samples * output->recording->n_series,
                    begin + r, records->bytes + r * records->record_bytes);
    return publish_write(records->file, records->bytes, n_records * records->record_bytes, error);
}

/** A stretch of a long record: frames [first, first + n) of the recording, all of that record. */
static bool put_stretch(const struct records *records, size_t first, size_t n, const double *frames,
                        GError **error)
{
    const struct edf_output *output = records->output;
    size_t r = first / output->n_samples, t = first % output->n_samples;
    size_t n_series = output->recording->n_series, size = records->sample_bytes;
    uint64_t begin = records->head_bytes + (uint64_t) r * records->record_bytes;
    for (size_t s = 0; s < n_series; s++) {
        put_samples(output, &output->signal[s], frames + s, n, records->bytes);
        uint64_t at = begin + ((uint64_t) s * output->n_samples + t) * size;
        if (!publish_write_at(records->file, records->bytes, n * size, at, error))
            return false;
    }
    if (t + n < output->n_samples)
        return true;
    put_annotation(output, r, records->bytes);
    return publish_write_at(records->file, records->bytes, output->annotation_bytes,
                            begin + records->record_bytes - output->annotation_bytes, error);
}

static bool take_stretches(void *data, size_t first, size_t n_frames, const double *frames,
                           GError **error)
{
    const struct records *records = data;
    const struct edf_output *output = records->output;
    for (size_t done = 0; done < n_frames;) {
        size_t left = output->n_samples - (first + done) % output->n_samples;
        size_t n = MIN(n_frames - done, left);
        if (!put_stretch(records, first + done, n, frames + done * output->recording->n_series,
                         error))
            return false;
        done += n;
    }
    return true;
}

static bool write_records(struct publish *file, const char *path, const struct edf_output *output,
                          size_t head_bytes, const struct io_context *io, GError **error)
{
    size_t n_series = output->recording->n_series, size = output->is_bdf ? 3 : 2;
    bool is_long = output->n_samples > LARGEST_RECORD;
    size_t n_together = is_long ? 1 : MAX(BLOCK_FRAMES / output->n_samples, 1);
    size_t n_block = is_long ? LARGEST_RECORD : n_together * output->n_samples;
    size_t record_bytes = n_series * output->n_samples * size + output->annotation_bytes;
    size_t n_bytes =
        is_long ? LARGEST_RECORD * size + output->annotation_bytes : n_together * record_bytes;
    g_autofree uint8_t *bytes = io_context_alloc(io, path, n_bytes, 1, error);
    if (bytes == NULL)
        return false;
    struct records records = {output, file, bytes, head_bytes, record_bytes, size};
    struct block_sink sink = {is_long ? take_stretches : take_records, &records};
    return recording_pass(output->recording, n_block, &sink, io, error);
}

bool writer_edf_write(const char *path, struct recording *recording, bool is_bdf, bool overwrite,
                      const struct io_context *io, struct edf_rounding *rounding, GError **error)
{
    g_assert(recording->sensors != NULL);
    *rounding = (struct edf_rounding){0};
    if (recording->n_series < 1 || recording->n_series > MOST_SIGNALS) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "expected 1 to %d channels for EDF, found %zu", MOST_SIGNALS,
                     recording->n_series);
        return false;
    }
    g_auto(owned_edf_output) output = {.recording = recording,
                                       .is_bdf = is_bdf,
                                       .lowest = is_bdf ? -0x1p23 : -0x1p15,
                                       .signal = g_new0(struct signal, recording->n_series)};
    g_autofree struct range *ranges = g_new(struct range, recording->n_series);
    if (!find_ranges(recording, ranges, io, error))
        return false;
    for (size_t v = 0; v < recording->n_series; v++)
        if (!plan_signal(&output, v, ranges[v], rounding, error))
            return false;
    plan_records(&output);
    plan_annotations(&output);
    g_autoptr(GByteArray) head = g_byte_array_new();
    put_head(head, &output);
    put_signals(head, &output);
    g_autoptr(owned_publish) file = publish_new(path, overwrite, error);
    return file != NULL && publish_write(file, head->data, head->len, error) &&
           write_records(file, path, &output, head->len, io, error) && publish_commit(file, error);
}
