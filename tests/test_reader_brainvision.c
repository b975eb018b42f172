// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"
#include "tests/meeg_truth.h"

#include "io/recording.h"

enum { CHANNELS = 2, FRAMES = 64 };

/** What a test changes of a good triple of files x.vhdr, x.vmrk, x.eeg. */
struct triple {
    const char *first_line;
    const char *codepage; // a line, or ""
    const char *data_file;
    const char *marker_file;
    const char *orientation;
    const char *n_channels;
    const char *interval_us;
    const char *format;
    const char *channel[CHANNELS];
    const char *markers; // lines of the marker file; NULL: no file
    const char *data_name;
    size_t most_bytes; // of the data
};

static struct triple good_triple(void)
{
    return (struct triple){.first_line = "Brain Vision Data Exchange Header File Version 1.0",
                           .codepage = "",
                           .data_file = "x.eeg",
                           .marker_file = "x.vmrk",
                           .orientation = "MULTIPLEXED",
                           .n_channels = "2",
                           .interval_us = "3906.25",
                           .format = "INT_16",
                           .channel = {"Fz,,0.5,uV", "Cz,,0.25,mV"},
                           .markers = "Mk1=New Segment,,1,1,0,20200101000000000000\n"
                                      "Mk2=Stimulus,S  1,33,2,0\n",
                           .data_name = "x.eeg",
                           .most_bytes = SIZE_MAX};
}

static double sample_of(size_t c, size_t t)
{
    return (double) (1000 * c + t);
}

static void add_sample(GByteArray *data, const char *format, double value)
{
    float number = (float) value;
    uint32_t bits = (uint32_t) (int32_t) value;
    guint n = g_str_has_suffix(format, "16") ? 2 : 4;
    if (g_str_has_prefix(format, "IEEE"))
        memcpy(&bits, &number, sizeof bits);
    bits = GUINT32_TO_LE(bits);
    g_byte_array_append(data, (const guint8 *) &bits, n);
}

static GByteArray *make_data(const struct triple *t)
{
    GByteArray *data = g_byte_array_new();
    bool vectorized = strcmp(t->orientation, "VECTORIZED") == 0;
    for (size_t i = 0; i < CHANNELS * FRAMES; i++)
        add_sample(data, t->format,
                   vectorized ? sample_of(i / FRAMES, i % FRAMES)
                              : sample_of(i % CHANNELS, i / CHANNELS));
    g_byte_array_set_size(data, (guint) MIN(data->len, t->most_bytes));
    return data;
}

static char *make_header(const struct triple *t)
{
    return g_strdup_printf("%s\n; a comment = none\n[Common Infos]\n%sDataFile=%s\nMarkerFile=%s\n"
                           "DataFormat=BINARY\nDataOrientation=%s\nNumberOfChannels=%s\n"
                           "SamplingInterval=%s\n[Binary Infos]\r\nBinaryFormat=%s\r\n"
                           "[Channel Infos]\nCh1=%s\nCh2=%s\n[Comment]\nCh1=free text\n",
                           t->first_line, t->codepage, t->data_file, t->marker_file, t->orientation,
                           t->n_channels, t->interval_us, t->format, t->channel[0], t->channel[1]);
}

struct opened {
    char *folder;
    struct recording *recording;
    GError *error;
};

static struct opened open_triple(const struct triple *t)
{
    struct opened opened = {.folder = temporary_folder()};
    g_autofree char *header = make_header(t);
    g_autofree char *path = write_file(opened.folder, "x.vhdr", header, strlen(header));
    g_autoptr(GByteArray) data = make_data(t);
    g_free(write_file(opened.folder, t->data_name, data->data, data->len));
    if (t->markers != NULL) {
        g_autofree char *text = g_strconcat("Brain Vision Data Exchange Marker File, Version 1.0\n"
                                            "[Marker Infos]\n; none\n",
                                            t->markers, NULL);
        g_free(write_file(opened.folder, "x.vmrk", text, strlen(text)));
    }
    struct io_context io = io_context_default();
    opened.recording = recording_open(path, &io, &opened.error);
    return opened;
}

static void close_triple(struct opened *opened)
{
    recording_free(opened->recording);
    g_clear_error(&opened->error);
    remove_folder(opened->folder);
}

static void assert_refused(const struct triple *t, const char *reason)
{
    struct opened opened = open_triple(t);
    assert_null(opened.recording);
    assert_io_error(&opened.error, IO_ERROR_INPUT, reason);
    close_triple(&opened);
}

/** The file is read to the samples that were written, and has this flag (NULL: no warning). */
static void assert_accepted(const struct triple *t, const char *flag, size_t n_time)
{
    struct opened opened = open_triple(t);
    struct recording *recording = opened.recording;
    assert_null(opened.error);
    if (flag != NULL)
        assert_true(recording_has_flag(recording, flag));
    else
        assert_int_equal(recording->warnings->len, 0);
    assert_int_equal(recording->n_time, n_time);
    struct io_context io = io_context_default();
    assert_true(recording_read(recording, NULL, 0, n_time, &io, NULL));
    for (size_t i = 0; i < n_time * CHANNELS; i++)
        assert_true(recording->samples.d[i] == sample_of(i % CHANNELS, i / CHANNELS));
    close_triple(&opened);
}

static void every_format_and_orientation_reads_to_the_same_samples(void **state)
{
    (void) state;
    const char *const formats[] = {"INT_16", "UINT_16", "INT_32", "IEEE_FLOAT_32"};
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        struct triple t = good_triple();
        t.format = formats[i];
        assert_accepted(&t, NULL, FRAMES);
        t.orientation = "VECTORIZED";
        assert_accepted(&t, NULL, FRAMES);
    }
}

static void some_channels_and_frames_are_those_asked_for(void **state)
{
    (void) state;
    const char *const orientations[] = {"MULTIPLEXED", "VECTORIZED"};
    for (size_t i = 0; i < G_N_ELEMENTS(orientations); i++) {
        struct triple t = good_triple();
        t.orientation = orientations[i];
        struct opened opened = open_triple(&t);
        struct io_context io = io_context_default();
        const uint8_t mask[] = {0, 1};
        assert_true(recording_read(opened.recording, mask, 10, 5, &io, NULL));
        assert_int_equal(opened.recording->n_series, 1);
        for (size_t f = 0; f < 5; f++)
            assert_true(opened.recording->samples.d[f] == sample_of(1, 10 + f));
        close_triple(&opened);
    }
}

static void channels_have_their_names_units_and_resolutions(void **state)
{
    (void) state;
    struct triple t = good_triple();
    t.channel[0] = "F\\1z,ref,,";
    t.channel[1] = "temp,,0.5,\u00b0C";
    struct opened opened = open_triple(&t);
    const struct channel *channel = opened.recording->sensors->channel;
    assert_string_equal(channel[0].name, "F,z");
    assert_string_equal(channel[0].unit, "V"); // blank: uV
    assert_close(channel[0].gain, 1e-6, 0.0);
    assert_int_equal(channel[0].kind, CHANNEL_EEG);
    assert_string_equal(channel[1].unit, "\u00b0C");
    assert_close(channel[1].gain, 0.5, 0.0);
    assert_int_equal(channel[1].kind, CHANNEL_MISC);
    assert_close(opened.recording->sensors->part[0].rate_hz, 256.0, 0.0);
    close_triple(&opened);
}

static void text_is_latin_1_where_it_is_not_utf_8(void **state)
{
    (void) state;
    const char *const units[] = {"Fz,,1,\xb5V", "Fz,,1,\u00b5V", "Fz,,1,\u03bcV"};
    const char *const pages[] = {"", "Codepage=UTF-8\n", "Codepage=UTF-8\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        struct triple t = good_triple();
        t.channel[0] = units[i];
        t.codepage = pages[i];
        struct opened opened = open_triple(&t);
        assert_string_equal(opened.recording->sensors->channel[0].unit, "V");
        assert_close(opened.recording->sensors->channel[0].gain, 1e-6, 0.0);
        close_triple(&opened);
    }
    struct triple t = good_triple();
    t.codepage = "Codepage=ANSI\n";
    t.channel[0] = "\xc3\xa9z"; // two letters there
    struct opened opened = open_triple(&t);
    assert_string_equal(opened.recording->sensors->channel[0].name, "\u00c3\u00a9z");
    close_triple(&opened);
}

static void markers_are_events(void **state)
{
    (void) state;
    struct triple t = good_triple();
    t.markers = "Mk1=New Segment,,1,1,0,20200101000000000000\nMk2=Stimulus,S  1,33,2,0\n"
                "Mk3=Comment,%s%n$(touch y);\\1x,,,0\n";
    struct opened opened = open_triple(&t);
    const struct truth_event expected[] = {{0.0, 1 / 256.0, "New Segment/"},
                                           {0.0, 0.0, "Comment/%s%n$(touch y);,x"},
                                           {32 / 256.0, 2 / 256.0, "Stimulus/S  1"}};
    truth_check_events(opened.recording, expected, 3);
    assert_int_equal(g_array_index(opened.recording->sensors->events, struct event, 2).value, 1);
    close_triple(&opened);
}

static void what_can_be_read_nonetheless_is_warned_of(void **state)
{
    (void) state;
    struct triple t = good_triple();
    t.most_bytes = 2 * CHANNELS * 50 + 1;
    assert_accepted(&t, "cut", 50);
    t = good_triple();
    t.markers = "Mk1=Stimulus,S 1,99999999999,1,0\n";
    assert_accepted(&t, "events", FRAMES);
    t.markers = "Mk1=Stimulus,S 1,here,1,0\n";
    assert_accepted(&t, "markers", FRAMES);
    t.markers = NULL;
    assert_accepted(&t, "markers", FRAMES);
    t = good_triple();
    t.channel[1] = t.channel[0];
    assert_accepted(&t, "labels", FRAMES);
}

static void a_renamed_recording_is_found_by_its_own_name(void **state)
{
    (void) state;
    struct triple t = good_triple();
    t.data_file = "before.eeg";
    t.marker_file = "before.vmrk";
    assert_accepted(&t, "renamed", FRAMES);
    t = good_triple();
    t.data_name = "other.eeg";
    t.data_file = "other.eeg"; // what the header says wins
    assert_accepted(&t, NULL, FRAMES);
    t = good_triple();
    t.data_file = "$b.eeg";
    t.marker_file = "$b.vmrk";
    assert_accepted(&t, NULL, FRAMES);
    t.data_name = "other.eeg";
    assert_refused(&t, "found no such file");
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    (void) state;
    const char *const names[] = {"../x.eeg", "/etc/passwd", "..", "", "x.vhdr", "a\\x.eeg"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        struct triple t = good_triple();
        t.data_file = names[i];
        assert_refused(&t, "DataFile: expected the name of another file in the same folder");
    }
    struct triple t = good_triple();
    t.marker_file = "../x.vmrk";
    assert_refused(&t, "MarkerFile: expected the name");
}

static void wrong_headers_are_refused(void **state)
{
    (void) state;
    struct triple t = good_triple();
    t.first_line = "Data";
    assert_refused(&t, "line 1: expected \"Brain Vision\"");
    t = good_triple();
    t.n_channels = "3";
    assert_refused(&t, "expected 3 channels, found none for number 3");
    t.n_channels = "1";
    assert_refused(&t, "Ch2");
    t.n_channels = "0";
    assert_refused(&t, "NumberOfChannels");
    t.n_channels = "1000000000";
    assert_refused(&t, "NumberOfChannels");
    t = good_triple();
    t.interval_us = "0";
    assert_refused(&t, "SamplingInterval: expected 0.1 to 1e9 us, found \"0\"");
    t.interval_us = "nan";
    assert_refused(&t, "SamplingInterval");
    t = good_triple();
    t.format = "INT_128";
    assert_refused(&t, "BinaryFormat");
    t = good_triple();
    t.channel[1] = "Cz,,abc,uV";
    assert_refused(&t, "expected a resolution");
    t.channel[1] = "Cz,,inf,uV";
    assert_refused(&t, "expected a resolution");
    t = good_triple();
    t.orientation = "SIDEWAYS";
    assert_refused(&t, "DataOrientation");
}

static void long_headers_are_refused(void **state)
{
    (void) state;
    g_autofree char *name = g_strnfill(70000, 'F');
    struct triple t = good_triple();
    t.channel[0] = name;
    assert_refused(&t, "lines of at most 64 KiB");
    g_autofree char *huge = g_strnfill(2 << 20, 'F');
    t.channel[0] = huge;
    assert_refused(&t, "header: expected at most 1 MiB");
}

static void data_that_cannot_be_cut_into_channels_are_refused(void **state)
{
    (void) state;
    struct triple t = good_triple();
    t.orientation = "VECTORIZED";
    t.most_bytes = 2 * CHANNELS * 50 + 2; // where a channel begins is not known
    assert_refused(&t, "data: expected whole frames of 4 bytes");
    t = good_triple();
    t.most_bytes = 3;
    assert_refused(&t, "data: expected frames of 4 bytes, found 3 bytes");
}

static void no_change_of_bytes_breaks_the_reader(void **state)
{
    (void) state;
    struct triple t = good_triple();
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autofree char *header = make_header(&t);
    size_t n = strlen(header);
    g_autoptr(GByteArray) data = make_data(&t);
    char *folder = temporary_folder();
    g_free(write_file(folder, "x.eeg", data->data, data->len));
    struct io_context io = io_context_default();
    for (size_t i = 0; i < 400; i++) {
        g_autofree char *text = g_strdup(header);
        for (gint32 k = g_rand_int_range(rand, 1, 8); k > 0; k--)
            text[g_rand_int_range(rand, 0, (gint32) n)] =
                i % 2 == 0 ? "0123456789,=[]\n\\"[g_rand_int_range(rand, 0, 16)]
                           : (char) g_rand_int_range(rand, -128, 128);
        g_autofree char *path = write_file(folder, "x.vhdr", text, n);
        GError *error = NULL;
        g_autoptr(owned_recording) recording = recording_open(path, &io, &error);
        assert_true((recording == NULL) == (error != NULL));
        if (recording != NULL)
            assert_true(recording_read(recording, NULL, 0, recording->n_time, &io, NULL));
        g_clear_error(&error);
    }
    remove_folder(folder);
}

// Real recordings.

static void real_recordings_read_as_other_programs_read_them(void **state)
{
    (void) state;
    const char *const files[] = {"brainvision/test.vhdr", "brainvision/test_units.vhdr",
                                 "brainvision/test_highpass.vhdr",
                                 "brainvision/test_old_layout_latin1_software_filter.vhdr",
                                 "brainvision/Analyzer_nV_Export.vhdr"};
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *name = g_build_filename("meeg", files[i], NULL);
        g_autofree char *path = shared_data(name);
        if (path == NULL)
            skip();
        struct io_context io = io_context_default();
        g_autoptr(owned_recording) recording = recording_open(path, &io, NULL);
        assert_non_null(recording);
        assert_int_equal(recording->warnings->len, 0);
        truth_check(recording, files[i]);
    }
}

static void real_markers_are_as_other_programs_read_them(void **state)
{
    (void) state;
    g_autofree char *path = shared_data("meeg/brainvision/test.vhdr");
    if (path == NULL)
        skip();
    struct io_context io = io_context_default();
    g_autoptr(owned_recording) recording = recording_open(path, &io, NULL);
    const struct truth_event expected[] = {
        {0.0, 0.001, "New Segment/"},         {0.486, 0.0, "Stimulus/S253"},
        {0.496, 0.001, "Stimulus/S255"},      {1.769, 0.001, "Event/254"},
        {1.779, 0.001, "Stimulus/S255"},      {3.252, 0.001, "Event/254"},
        {3.262, 0.001, "Stimulus/S255"},      {4.935, 0.001, "Stimulus/S253"},
        {4.945, 0.001, "Stimulus/S255"},      {5.999, 0.001, "Response/R255"},
        {6.619, 0.001, "Event/254"},          {6.629, 0.001, "Stimulus/S255"},
        {7.629, 0.001, "SyncStatus/Sync On"}, {7.699, 0.001, "Optic/O  1"}};
    truth_check_events(recording, expected, G_N_ELEMENTS(expected));
    assert_int_equal(g_array_index(recording->sensors->events, struct event, 9).value, 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_and_orientation_reads_to_the_same_samples),
        cmocka_unit_test(some_channels_and_frames_are_those_asked_for),
        cmocka_unit_test(channels_have_their_names_units_and_resolutions),
        cmocka_unit_test(text_is_latin_1_where_it_is_not_utf_8),
        cmocka_unit_test(markers_are_events),
        cmocka_unit_test(what_can_be_read_nonetheless_is_warned_of),
        cmocka_unit_test(a_renamed_recording_is_found_by_its_own_name),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
        cmocka_unit_test(wrong_headers_are_refused),
        cmocka_unit_test(long_headers_are_refused),
        cmocka_unit_test(data_that_cannot_be_cut_into_channels_are_refused),
        cmocka_unit_test(no_change_of_bytes_breaks_the_reader),
        cmocka_unit_test(real_recordings_read_as_other_programs_read_them),
        cmocka_unit_test(real_markers_are_as_other_programs_read_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
