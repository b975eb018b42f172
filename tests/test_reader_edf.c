// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"
#include "tests/meeg_truth.h"

#include "io/recording.h"

#include <zlib.h>

// Files are made here, field by field: a good one, and one for each thing that can be wrong.

enum { RATE = 64, RECORDS = 4, MOST_SIGNALS = 24, ANNOTATION_SAMPLES = 30 };

/** What a test changes of a good file. */
struct edf_file {
    bool bdf;
    const char *name;         // of the file; NULL: x.edf, x.bdf
    const char *version;      // NULL: right
    const char *kind;         // reserved: "EDF+C", ...
    const char *n_records;    //
    const char *duration;     //
    const char *n_signals;    // as said; NULL: as many as there are
    const char *header_bytes; // as said; NULL: right
    size_t signals;           //
    const char *label[MOST_SIGNALS];
    const char *unit[MOST_SIGNALS];
    const char *physical_min;
    const char *physical_max;
    const char *digital_min;
    const char *digital_max;
    const char *samples[MOST_SIGNALS]; // a record
    /** The text of an annotation signal in a record, with its length; NULL: no such signal. */
    GString *(*annotations)(size_t record);
    size_t records; // that are written
    size_t most_bytes;
};

static struct edf_file good_file(void)
{
    return (struct edf_file){.kind = "",
                             .n_records = "4",
                             .duration = "1",
                             .signals = 2,
                             .label = {"EEG C0", "EEG C1"},
                             .unit = {"uV", "uV"},
                             .physical_min = "-3200",
                             .physical_max = "3200",
                             .samples = {"64", "64"},
                             .records = RECORDS,
                             .most_bytes = SIZE_MAX};
}

static void add_field(GByteArray *file, const char *text, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        const guint8 letter = *text == '\0' ? ' ' : (guint8) *text++;
        g_byte_array_append(file, &letter, 1);
    }
}

/** Sample i of signal s: no two alike nearby, of both signs. */
static int sample_of(size_t s, size_t i)
{
    return (int) (s * 100 + i) - 50;
}

static void add_sample(GByteArray *file, bool bdf, int value)
{
    guint8 bytes[] = {(guint8) value, (guint8) ((unsigned) value >> 8),
                      (guint8) ((unsigned) value >> 16)};
    g_byte_array_append(file, bytes, bdf ? 3 : 2);
}

static void add_annotations(GByteArray *file, const struct edf_file *f, size_t record)
{
    GString *text = f->annotations(record);
    g_string_set_size(text, MIN(text->len, 2 * ANNOTATION_SAMPLES));
    while (text->len < (f->bdf ? 3 : 2) * ANNOTATION_SAMPLES)
        g_string_append_c(text, '\0');
    g_byte_array_append(file, (const guint8 *) text->str, (guint) text->len);
    g_string_free(text, TRUE);
}

static void add_header(GByteArray *file, const struct edf_file *f, size_t n)
{
    g_autofree char *header_bytes = g_strdup_printf("%zu", 256 * (n + 1));
    g_autofree char *n_signals = g_strdup_printf("%zu", n);
    if (f->version != NULL)
        g_byte_array_append(file, (const guint8 *) f->version, 8);
    else
        add_field(file,
                  f->bdf ? "\xff"
                           "BIOSEMI"
                         : "0",
                  8);
    add_field(file, "12345 F 01-JAN-1970 Jane_Doe", 80);
    add_field(file, "Startdate 01-JAN-2020 X X X", 80);
    add_field(file, "01.01.2000.00.00", 16);
    add_field(file, f->header_bytes != NULL ? f->header_bytes : header_bytes, 8);
    add_field(file, f->kind, 44);
    add_field(file, f->n_records, 8);
    add_field(file, f->duration, 8);
    add_field(file, f->n_signals != NULL ? f->n_signals : n_signals, 4);
}

static void add_signal_fields(GByteArray *file, const struct edf_file *f, size_t n)
{
    const char *low = f->bdf ? "-8388608" : "-32768";
    const char *high = f->bdf ? "8388607" : "32767";
    for (size_t s = 0; s < n; s++)
        add_field(file,
                  s < f->signals ? f->label[s]
                  : f->bdf       ? "BDF Annotations"
                                 : "EDF Annotations",
                  16);
    for (size_t s = 0; s < n; s++)
        add_field(file, "", 80);
    for (size_t s = 0; s < n; s++)
        add_field(file, s < f->signals ? f->unit[s] : "", 8);
    for (size_t s = 0; s < n; s++)
        add_field(file, s < f->signals ? f->physical_min : "-1", 8);
    for (size_t s = 0; s < n; s++)
        add_field(file, s < f->signals ? f->physical_max : "1", 8);
    for (size_t s = 0; s < n; s++)
        add_field(file, f->digital_min != NULL ? f->digital_min : low, 8);
    for (size_t s = 0; s < n; s++)
        add_field(file, f->digital_max != NULL ? f->digital_max : high, 8);
    for (size_t s = 0; s < n; s++)
        add_field(file, "", 80);
    for (size_t s = 0; s < n; s++)
        add_field(file, s < f->signals ? f->samples[s] : "30", 8);
    for (size_t s = 0; s < n; s++)
        add_field(file, "", 32);
}

static GByteArray *make_file(const struct edf_file *f)
{
    GByteArray *file = g_byte_array_new();
    size_t n = f->signals + (f->annotations != NULL);
    add_header(file, f, n);
    add_signal_fields(file, f, n);
    for (size_t r = 0; r < f->records; r++) {
        for (size_t s = 0; s < f->signals; s++) {
            size_t count = strtoul(f->samples[s], NULL, 10);
            for (size_t i = 0; i < count && count <= RATE; i++)
                add_sample(file, f->bdf, sample_of(s, r * count + i));
        }
        if (f->annotations != NULL)
            add_annotations(file, f, r);
    }
    g_byte_array_set_size(file, (guint) MIN(file->len, f->most_bytes));
    return file;
}

/** What a test works on. */
struct opened {
    char *folder;
    char *path;
    struct recording *recording;
    GError *error;
};

static struct opened open_file(const struct edf_file *f)
{
    struct opened opened = {.folder = temporary_folder()};
    g_autoptr(GByteArray) bytes = make_file(f);
    struct io_context io = io_context_default();
    const char *name = f->name != NULL ? f->name : f->bdf ? "x.bdf" : "x.edf";
    opened.path = write_file(opened.folder, name, bytes->data, bytes->len);
    opened.recording = recording_open(opened.path, &io, &opened.error);
    return opened;
}

static void close_file(struct opened *opened)
{
    recording_free(opened->recording);
    g_clear_error(&opened->error);
    g_free(opened->path);
    remove_folder(opened->folder);
}

static void assert_refused(const struct edf_file *f, const char *reason)
{
    struct opened opened = open_file(f);
    assert_null(opened.recording);
    assert_io_error(&opened.error, IO_ERROR_INPUT, reason);
    close_file(&opened);
}

/** The file is read in full, to the samples that were written, and has this flag (NULL: none). */
static void assert_accepted(const struct edf_file *f, const char *flag, size_t n_time)
{
    struct opened opened = open_file(f);
    struct recording *recording = opened.recording;
    assert_null(opened.error);
    if (flag != NULL)
        assert_true(recording_has_flag(recording, flag));
    else
        assert_int_equal(recording->warnings->len, 0);
    assert_int_equal(recording->n_series, f->signals);
    assert_int_equal(recording->n_time, n_time);
    struct io_context io = io_context_default();
    assert_true(recording_read(recording, NULL, 0, n_time, &io, NULL));
    for (size_t t = 0; t < n_time; t++)
        for (size_t s = 0; s < f->signals; s++)
            assert_true(recording->samples.d[t * f->signals + s] == sample_of(s, t));
    close_file(&opened);
}

static void samples_are_the_integers_of_the_file(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    assert_accepted(&f, NULL, RECORDS * RATE);
    f.bdf = true;
    assert_accepted(&f, NULL, RECORDS * RATE);
}

static void values_lie_on_the_line_through_both_ends_of_the_range(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.digital_min = "-100";
    f.digital_max = "300";
    f.physical_min = "50"; // swapped: the polarity is inverted
    f.physical_max = "-150";
    f.unit[1] = "mV";
    struct opened opened = open_file(&f);
    struct io_context io = io_context_default();
    assert_true(recording_read(opened.recording, NULL, 0, 3, &io, NULL));
    double x[2];
    recording_values(opened.recording, 2, 0, 2, x);
    assert_close(x[0], (50.0 - 0.5 * (sample_of(0, 2) + 100)) * 1e-6, 1e-20);
    assert_close(x[1], (50.0 - 0.5 * (sample_of(1, 2) + 100)) * 1e-3, 1e-17);
    assert_string_equal(opened.recording->sensors->channel[0].unit, "V");
    close_file(&opened);
}

static void every_spelling_of_the_microvolt_is_known(void **state)
{
    (void) state;
    const char *const spellings[] = {"uV", "\xb5V", "\u00b5V", "\u03bcV", "\x83\xcaV"};
    for (size_t i = 0; i < G_N_ELEMENTS(spellings); i++) {
        struct edf_file f = good_file();
        f.unit[0] = spellings[i];
        struct opened opened = open_file(&f);
        const struct channel *channel = opened.recording->sensors->channel;
        assert_string_equal(channel[0].unit, "V");
        assert_true(channel[0].gain == channel[1].gain);
        assert_int_equal(channel[0].kind, CHANNEL_EEG);
        close_file(&opened);
    }
}

static void an_unknown_unit_is_kept_with_a_warning(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.unit[1] = "Ohm";
    struct opened opened = open_file(&f);
    assert_true(recording_has_flag(opened.recording, "unit"));
    assert_string_equal(opened.recording->sensors->channel[1].unit, "Ohm");
    assert_int_equal(opened.recording->sensors->channel[1].kind, CHANNEL_MISC);
    close_file(&opened);
}

static void status_is_never_scaled_and_its_low_bits_are_events(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.bdf = true;
    f.label[1] = "Status";
    f.unit[1] = "Boolean";
    struct opened opened = open_file(&f);
    const struct sensors *sensors = opened.recording->sensors;
    assert_int_equal(sensors->channel[1].kind, CHANNEL_STIM);
    assert_true(sensors->channel[1].gain == 1.0 && sensors->channel[1].offset == 0.0);
    assert_int_equal(opened.recording->warnings->len, 0);
    // 50, 51, ...: every sample rises, and the first has none before it
    assert_int_equal(sensors->events->len, RECORDS * RATE - 1);
    const struct event *event = &g_array_index(sensors->events, struct event, 69);
    assert_int_equal(event->value, sample_of(1, 70) & 0xffff);
    assert_close(event->onset_s, 70.0 / RATE, 1e-12);
    close_file(&opened);
}

static void a_part_of_the_samples_is_what_was_asked_for(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.signals = 3;
    f.label[2] = "EEG C2";
    f.unit[2] = "uV";
    f.samples[2] = "64";
    struct opened opened = open_file(&f);
    struct io_context io = io_context_default();
    const uint8_t mask[] = {1, 0, 1};
    assert_true(recording_read(opened.recording, mask, 60, 10, &io, NULL)); // over two records
    assert_int_equal(opened.recording->n_series, 2);
    for (size_t t = 0; t < 10; t++) {
        assert_true(opened.recording->samples.d[2 * t] == sample_of(0, 60 + t));
        assert_true(opened.recording->samples.d[2 * t + 1] == sample_of(2, 60 + t));
    }
    close_file(&opened);
}

static void unequal_rates_are_parts_at_their_own_rates(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.signals = 3;
    f.label[2] = "EEG C2";
    f.unit[2] = "uV";
    f.samples[0] = "16";
    f.samples[2] = "64";
    struct opened opened = open_file(&f);
    struct recording *recording = opened.recording;
    assert_true(recording_has_flag(recording, "rates"));
    assert_int_equal(recording->sensors->n_parts, 2);
    assert_int_equal(recording->sensors->chosen, 1); // the larger one
    assert_int_equal(recording->n_series, 2);
    assert_close(recording->interval_s, 1.0 / RATE, 1e-15);
    recording_choose(recording, 0);
    assert_int_equal(recording->n_time, 16 * RECORDS);
    struct io_context io = io_context_default();
    assert_true(recording_read(recording, NULL, 0, recording->n_time, &io, NULL));
    for (size_t t = 0; t < recording->n_time; t++)
        assert_true(recording->samples.d[t] == sample_of(0, t));
    close_file(&opened);
}

static GString *list(double onset_s, const char *text)
{
    GString *list = g_string_new(NULL);
    g_string_append_printf(list, "%+g", onset_s);
    g_string_append(list, text);
    g_string_append_c(list, '\0');
    return list;
}

static GString *annotations_with_fraction(size_t record)
{
    GString *text = list((double) record + 0.25, "\x14\x14");
    static const char lists[] = "+2.5\x15"
                                "0.5\x14"
                                "caf\xe9\x14"
                                "second\x14\0"
                                "+oops\x14"
                                "lost\x14";
    if (record == 1)
        g_string_append_len(text, lists, sizeof lists);
    return text;
}

static void annotations_count_from_the_first_sample(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.kind = "EDF+C";
    f.annotations = annotations_with_fraction;
    struct opened opened = open_file(&f);
    const struct truth_event expected[] = {{2.25, 0.5, "caf\u00e9"}, {2.25, 0.5, "second"}};
    truth_check_events(opened.recording, expected, 2);
    assert_true(recording_has_flag(opened.recording, "annotations")); // "+oops"
    assert_true(recording_has_flag(opened.recording, "text"));        // latin-1
    assert_int_equal(opened.recording->n_series, 2);
    close_file(&opened);
}

static GString *annotations_backwards(size_t record)
{
    GString *text = list((double) record, "\x14\x14");
    static const char lists[] = "+3\x14late\x14\0+1\x14"
                                "first\x14second\x14\0+1\x14third\x14";
    if (record == 0)
        g_string_append_len(text, lists, sizeof lists);
    return text;
}

static void events_are_in_the_order_of_onsets(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.kind = "EDF+C";
    f.annotations = annotations_backwards;
    struct opened opened = open_file(&f);
    const struct truth_event expected[] = {
        {1.0, 0.0, "first"}, {1.0, 0.0, "second"}, {1.0, 0.0, "third"}, {3.0, 0.0, "late"}};
    truth_check_events(opened.recording, expected, 4);
    close_file(&opened);
}

static GString *annotations_contiguous(size_t record)
{
    return list((double) record, "\x14\x14");
}

static GString *annotations_with_gap(size_t record)
{
    return list((double) record + (record >= 3 ? 10.0 : 0.0), "\x14\x14");
}

static void records_that_follow_each_other_are_one_part(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.kind = "EDF+D";
    f.annotations = annotations_contiguous;
    assert_accepted(&f, NULL, RECORDS * RATE);
}

static void nothing_is_joined_over_a_gap(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.kind = "EDF+D";
    f.annotations = annotations_with_gap;
    struct opened opened = open_file(&f);
    struct recording *recording = opened.recording;
    assert_true(recording_has_flag(recording, "gaps"));
    assert_int_equal(recording->sensors->n_parts, 2);
    assert_int_equal(recording->sensors->part[0].n_time, 3 * RATE);
    assert_close(recording->sensors->part[1].start_s, 13.0, 1e-12);
    recording_choose(recording, 1);
    struct io_context io = io_context_default();
    assert_true(recording_read(recording, NULL, 0, recording->n_time, &io, NULL));
    assert_int_equal(recording->n_time, RATE);
    assert_true(recording->samples.d[1] == sample_of(1, 3 * RATE));
    close_file(&opened);
}

static void a_gap_that_the_header_denies_is_warned_of(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.kind = "EDF+C";
    f.annotations = annotations_with_gap;
    assert_accepted(&f, "times", RECORDS * RATE);
}

static void what_was_not_closed_or_cut_keeps_its_whole_records(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.n_records = "-1";
    assert_accepted(&f, "records", RECORDS * RATE);
    f.most_bytes = 3 * 256 + 3 * 2 * 2 * RATE + 100;
    assert_accepted(&f, "cut", 3 * RATE);
    f.n_records = "4";
    assert_accepted(&f, "cut", 3 * RATE);
    f.most_bytes = SIZE_MAX;
    f.n_records = "3";
    assert_accepted(&f, "excess", 3 * RATE);
}

static void oddities_are_warned_of(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.physical_min = f.physical_max = "0";
    assert_accepted(&f, "gain", RECORDS * RATE);
    f = good_file();
    f.physical_min = "-3200,5";
    assert_accepted(&f, "comma", RECORDS * RATE);
    f = good_file();
    f.label[1] = f.label[0];
    assert_accepted(&f, "labels", RECORDS * RATE);
}

static void labels_that_stand_twice_are_numbered(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.signals = 5;
    const char *const labels[] = {"A", "B", "A", "A-0", "A"};
    const char *const names[] = {"A-1", "B", "A-2", "A-0", "A-3"};
    for (size_t s = 0; s < f.signals; s++) {
        f.label[s] = labels[s];
        f.unit[s] = "uV";
        f.samples[s] = "64";
    }
    struct opened opened = open_file(&f);
    for (size_t s = 0; s < f.signals; s++)
        assert_string_equal(opened.recording->sensors->channel[s].name, names[s]);
    close_file(&opened);
}

static void wrong_headers_are_refused(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.most_bytes = 300;
    assert_refused(&f, "header: expected 768 bytes, found 300");
    f.most_bytes = 100;
    assert_refused(&f, "header: expected at least 256 bytes, found 100");
    f = good_file();
    f.n_signals = "0";
    assert_refused(&f, "signals");
    f.n_signals = "two";
    assert_refused(&f, "header: signals: expected a number, found \"two\"");
    f = good_file();
    f.header_bytes = "512";
    assert_refused(&f, "header: expected 768 bytes for 2 signals, found 512");
    f = good_file();
    f.samples[0] = f.samples[1] = "0";
    assert_refused(&f, "samples a record");
    f = good_file();
    f.digital_min = f.digital_max = "0";
    assert_refused(&f, "digital maximum");
    f = good_file();
    f.n_records = "0x4";
    assert_refused(&f, "records");
    f = good_file();
    f.physical_min = "inf";
    assert_refused(&f, "physical minimum");
}

static void files_of_careless_recorders_are_read(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.version = "0\0\0\0\0\0\0\0";
    assert_accepted(&f, "version", RECORDS * RATE);
    f.version = "0\xa0      ";
    assert_accepted(&f, "version", RECORDS * RATE);
    f.version = "01      ";
    assert_refused(&f, "header: expected the version of EDF or BDF");
    f = good_file();
    f.n_records = "0"; // ended before it wrote the count
    assert_accepted(&f, "records", RECORDS * RATE);
    static const char *const names[] = {"x.EDF", "x.Edf", "x.rec", "x"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        f = good_file();
        f.name = names[i];
        assert_accepted(&f, NULL, RECORDS * RATE);
    }
}

static void a_signal_without_ranges_is_a_bad_channel_of_zeros(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.digital_min = f.digital_max = "0";
    f.physical_min = f.physical_max = "0";
    assert_accepted(&f, "dummy", RECORDS * RATE);
    struct opened opened = open_file(&f);
    const struct channel *channel = &opened.recording->sensors->channel[0];
    assert_true(channel->bad && channel->gain == 0.0 && channel->offset == 0.0);
    close_file(&opened);
    f = good_file();
    f.label[0] = "-"; // as between the electrodes of CHB-MIT
    f.digital_min = f.digital_max = "0";
    assert_refused(&f, "header: signal 2: expected a digital maximum");
}

static GString *late_records(size_t record)
{
    g_autofree char *text = g_strdup_printf("+%.3f\x14\x14", 1.005 * (double) record);
    GString *bytes = g_string_new(text);
    g_string_append_c(bytes, '\0');
    return bytes;
}

// 1.005 s apart, none of them by half a sample (1/128 s), all of them by two thirds of one.
static void records_that_drift_have_the_rate_of_their_times(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.kind = "EDF+D";
    f.annotations = late_records;
    struct opened opened = open_file(&f);
    assert_true(recording_has_flag(opened.recording, "drift"));
    assert_int_equal(opened.recording->sensors->n_parts, 1);
    assert_close(opened.recording->sensors->part[0].rate_hz, RATE / 1.005, 1e-9);
    close_file(&opened);
}

static GString *an_event_a_record(size_t record)
{
    GString *bytes = g_string_new(NULL);
    g_string_printf(bytes, "+0\x14\x14");
    g_string_append_c(bytes, '\0');
    g_string_append_printf(bytes,
                           "+%zu\x15"
                           "10\x14"
                           "Apnea\x14",
                           100 * (record + 1));
    g_string_append_c(bytes, '\0');
    return bytes;
}

static void annotations_of_records_without_duration_need_no_other_signal(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.kind = "EDF+D";
    f.duration = "0";
    f.samples[0] = f.samples[1] = "1"; // a checksum
    f.annotations = an_event_a_record;
    struct opened opened = open_file(&f);
    assert_null(opened.error);
    assert_true(recording_has_flag(opened.recording, "timeless"));
    const struct sensors *sensors = opened.recording->sensors;
    assert_int_equal(sensors->n_channels, 0);
    assert_int_equal(sensors->n_parts, 1);
    assert_int_equal(sensors->events->len, RECORDS);
    assert_close(g_array_index(sensors->events, struct event, 3).onset_s, 400.0, 1e-9);
    close_file(&opened);
}

static void wrong_durations_are_refused(void **state)
{
    (void) state;
    const char *const durations[] = {"0", "-1", "nan", "1e-300", "1e300", "abc", ""};
    for (size_t i = 0; i < G_N_ELEMENTS(durations); i++) {
        struct edf_file f = good_file();
        f.duration = durations[i];
        assert_refused(&f, "header: ");
    }
}

static void a_record_that_no_file_can_hold_is_refused(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.signals = 22;
    f.duration = "100"; // at a rate that might be
    for (size_t s = 0; s < f.signals; s++) {
        f.label[s] = "EEG";
        f.unit[s] = "uV";
        f.samples[s] = s < 21 ? "99999999" : "47484181"; // 2^32 + 1024 bytes
    }
    assert_refused(&f, "data: expected records of 4294968320 bytes");
}

static void data_of_the_other_width_are_refused(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.bdf = true;
    f.most_bytes = 3 * 256 + 2 * 2 * RATE * RECORDS;
    assert_refused(&f, "data: expected samples of 3 bytes, found a size of samples of 2");
    f = good_file();
    f.records = 6;
    assert_refused(&f, "data: expected samples of 2 bytes, found a size of samples of 3");
}

static void messages_are_safe_to_print(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.unit[0] = "\x1b[31m";
    struct opened opened = open_file(&f);
    for (guint i = 0; i < opened.recording->warnings->len; i++)
        assert_null(strchr(opened.recording->warnings->pdata[i], '\x1b'));
    close_file(&opened);
}

static void a_compressed_file_is_the_same(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    g_autoptr(GByteArray) bytes = make_file(&f);
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x.edf.gz", NULL);
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, bytes->data, bytes->len), bytes->len);
    gzclose(file);
    struct io_context io = io_context_default();
    g_autoptr(owned_recording) recording = recording_open(path, &io, NULL);
    assert_non_null(recording);
    assert_int_equal(recording->n_time, RECORDS * RATE);
    assert_true(recording_read(recording, NULL, 0, RECORDS * RATE, &io, NULL));
    assert_true(recording->samples.d[2 * 200 + 1] == sample_of(1, 200));
    remove_folder(folder);
}

/** Opens and reads it; whatever it holds, there is a recording or a reason. */
static void try_bytes(const GByteArray *bytes)
{
    struct io_context io = io_context_default();
    io.mem_limit = 1 << 24;
    GError *error = NULL;
    g_autoptr(owned_recording) recording =
        recording_open_bytes("memory.edf", bytes->data, bytes->len, &io, &error);
    assert_true((recording == NULL) == (error != NULL));
    if (recording != NULL && recording->n_series > 0)
        assert_true(recording_read(recording, NULL, 0, recording->n_time, &io, &error) ==
                    (error == NULL));
    g_clear_error(&error);
}

static void no_change_of_bytes_breaks_the_reader(void **state)
{
    (void) state;
    struct edf_file f = good_file();
    f.kind = "EDF+D";
    f.annotations = annotations_with_fraction;
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (size_t i = 0; i < 2000; i++) {
        g_autoptr(GByteArray) bytes = make_file(&f);
        // mostly in the header, where bytes have a meaning
        guint end = i % 4 == 0 ? bytes->len : 256 * 4;
        for (gint32 n = g_rand_int_range(rand, 1, 8); n > 0; n--)
            bytes->data[g_rand_int_range(rand, 168, (gint32) end)] =
                i % 2 == 0 ? (guint8) g_rand_int_range(rand, '+', '9' + 1)
                           : (guint8) g_rand_int_range(rand, 0, 256);
        if (i % 8 == 0)
            g_byte_array_set_size(bytes, (guint) g_rand_int_range(rand, 0, (gint32) bytes->len));
        try_bytes(bytes);
    }
}

// Real recordings.

static struct recording *open_real(const char *file)
{
    g_autofree char *name = g_build_filename("meeg", file, NULL);
    g_autofree char *path = shared_data(name);
    if (path == NULL)
        skip();
    struct io_context io = io_context_default();
    struct recording *recording = recording_open(path, &io, NULL);
    assert_non_null(recording);
    return recording;
}

static void real_recordings_read_as_other_programs_read_them(void **state)
{
    (void) state;
    const char *const files[] = {"edf/test.edf",
                                 "edf/test_uneven_samp.edf",
                                 "edf/duplicate_channel_labels.edf",
                                 "edf/chtypes_edf.edf",
                                 "edf/test_utf8_annotations.edf",
                                 "edf/subsecond_starttime.edf",
                                 "edf/nihonkohden_edfplus_D.edf",
                                 "bdf/test.bdf",
                                 "bdf/test_bdf_stim_channel.bdf"};
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(owned_recording) recording = open_real(files[i]);
        truth_check(recording, files[i]);
    }
}

static void real_annotations_are_as_other_programs_read_them(void **state)
{
    (void) state;
    g_autoptr(owned_recording) test = open_real("edf/test.edf");
    truth_check_events(test,
                       (const struct truth_event[]){{0.0, 0.0, "start"},
                                                    {0.1344, 0.256, "type A"},
                                                    {0.3904, 1.0, "type A"},
                                                    {2.0, 0.0, "type B"},
                                                    {2.5, 2.5, "type A"}},
                       5);
    g_autoptr(owned_recording) utf8 = open_real("edf/test_utf8_annotations.edf");
    truth_check_events(
        utf8, (const struct truth_event[]){{0.0, 0.0, "RECORD START"}, {2.0, 0.5, "仰卧"}}, 2);
    g_autoptr(owned_recording) fraction = open_real("edf/subsecond_starttime.edf");
    truth_check_events(
        fraction,
        (const struct truth_event[]){{1.9511719, 0.0, "XLSpike"}, {3.4921875, 0.0, "Clip Note"}},
        2);
    g_autoptr(owned_recording) declared = open_real("edf/nihonkohden_edfplus_D.edf");
    assert_int_equal(declared->sensors->n_parts, 1);
    truth_check_events(declared,
                       (const struct truth_event[]){{0.0, 0.0, "+0.000000"},
                                                    {0.0, 0.0, "Segment: REC START ALLE EEG"},
                                                    {1.0, 0.0, "+1.140000"},
                                                    {1.0, 0.0, "A1+A2 OFF"}},
                       4);
}

static void a_file_of_annotations_alone_has_events_and_no_samples(void **state)
{
    (void) state;
    g_autoptr(owned_recording) recording = open_real("edf/SC4001EC-Hypnogram.edf");
    assert_int_equal(recording->n_series, 0);
    assert_int_equal(recording->sensors->n_parts, 1);
    assert_int_equal(recording->sensors->events->len, 154);
    const struct event *event = &g_array_index(recording->sensors->events, struct event, 1);
    assert_close(event->onset_s, 30630.0, 0.0);
    assert_close(event->duration_s, 120.0, 0.0);
    assert_string_equal(event->text, "Sleep stage 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_the_integers_of_the_file),
        cmocka_unit_test(values_lie_on_the_line_through_both_ends_of_the_range),
        cmocka_unit_test(every_spelling_of_the_microvolt_is_known),
        cmocka_unit_test(an_unknown_unit_is_kept_with_a_warning),
        cmocka_unit_test(status_is_never_scaled_and_its_low_bits_are_events),
        cmocka_unit_test(a_part_of_the_samples_is_what_was_asked_for),
        cmocka_unit_test(unequal_rates_are_parts_at_their_own_rates),
        cmocka_unit_test(annotations_count_from_the_first_sample),
        cmocka_unit_test(events_are_in_the_order_of_onsets),
        cmocka_unit_test(records_that_follow_each_other_are_one_part),
        cmocka_unit_test(nothing_is_joined_over_a_gap),
        cmocka_unit_test(a_gap_that_the_header_denies_is_warned_of),
        cmocka_unit_test(what_was_not_closed_or_cut_keeps_its_whole_records),
        cmocka_unit_test(oddities_are_warned_of),
        cmocka_unit_test(labels_that_stand_twice_are_numbered),
        cmocka_unit_test(wrong_headers_are_refused),
        cmocka_unit_test(files_of_careless_recorders_are_read),
        cmocka_unit_test(a_signal_without_ranges_is_a_bad_channel_of_zeros),
        cmocka_unit_test(records_that_drift_have_the_rate_of_their_times),
        cmocka_unit_test(annotations_of_records_without_duration_need_no_other_signal),
        cmocka_unit_test(wrong_durations_are_refused),
        cmocka_unit_test(a_record_that_no_file_can_hold_is_refused),
        cmocka_unit_test(data_of_the_other_width_are_refused),
        cmocka_unit_test(messages_are_safe_to_print),
        cmocka_unit_test(a_compressed_file_is_the_same),
        cmocka_unit_test(no_change_of_bytes_breaks_the_reader),
        cmocka_unit_test(real_recordings_read_as_other_programs_read_them),
        cmocka_unit_test(real_annotations_are_as_other_programs_read_them),
        cmocka_unit_test(a_file_of_annotations_alone_has_events_and_no_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
