// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"

#include "io/recording.h"

#include <sndfile.h>

enum { FRAMES = 500 };

/** A sample that every type holds: small integers. */
static double sample_of(size_t c, size_t t)
{
    return (double) ((int) (t % 100) - 50 + (int) c);
}

/** Writes a sound of libsndfile's making; its path is to be freed. */
static char *write_sound(const char *folder, const char *name, int format, int n_channels, int rate)
{
    char *path = g_build_filename(folder, name, NULL);
    SF_INFO info = {.samplerate = rate, .channels = n_channels, .format = format};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    sf_command(file, SFC_SET_NORM_DOUBLE, NULL, SF_FALSE);
    g_autofree double *frame = g_new(double, (size_t) n_channels);
    for (size_t t = 0; t < FRAMES; t++) {
        for (size_t c = 0; c < (size_t) n_channels; c++)
            frame[c] = sample_of(c, t);
        assert_int_equal(sf_writef_double(file, frame, 1), 1);
    }
    assert_int_equal(sf_close(file), 0);
    return path;
}

static struct recording *open_sound(const char *path)
{
    struct io_context io = io_context_default();
    GError *error = NULL;
    struct recording *recording = recording_open(path, &io, &error);
    if (recording == NULL)
        print_error("%s\n", error->message);
    assert_non_null(recording);
    return recording;
}

static void check_samples(struct recording *recording, size_t n_channels)
{
    struct io_context io = io_context_default();
    assert_int_equal(recording->n_series, n_channels);
    assert_int_equal(recording->n_time, FRAMES);
    assert_true(recording_read(recording, NULL, 0, FRAMES, &io, NULL));
    for (size_t t = 0; t < FRAMES; t++)
        for (size_t c = 0; c < n_channels; c++)
            assert_true(recording->samples.d[t * n_channels + c] == sample_of(c, t));
}

static void every_format_reads_to_the_samples_as_they_stand(void **state)
{
    (void) state;
    static const struct {
        const char *name;
        int format;
        const char *said;
        const char *datatype;
    } sounds[] = {
        {"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, "WAV", "int16"},
        {"b.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, "WAV", "int24"},
        {"c.wav", SF_FORMAT_WAVEX | SF_FORMAT_PCM_32, "WAV", "int32"},
        {"d.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, "WAV", "float32"},
        {"e.wav", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, "WAV", "float64"},
        {"f.rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, "RF64", "int16"},
        {"g.w64", SF_FORMAT_W64 | SF_FORMAT_FLOAT, "W64", "float32"},
        {"h.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_24, "CAF", "int24"},
        {"i.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, "FLAC", "int16"},
        {"j.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, "FLAC", "int24"},
        {"k.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, "AIFF", "int16"},
        {"without-extension", SF_FORMAT_WAV | SF_FORMAT_PCM_16, "WAV", "int16"},
    };
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(sounds); i++) {
        g_autofree char *path = write_sound(folder, sounds[i].name, sounds[i].format, 3, 1000);
        g_autoptr(owned_recording) recording = open_sound(path);
        assert_string_equal(recording->format, sounds[i].said);
        assert_string_equal(recording->datatype, sounds[i].datatype);
        assert_close(recording->interval_s, 1e-3, 0.0);
        check_samples(recording, 3);
    }
    remove_folder(folder);
}

static void hundreds_of_channels_are_read(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path =
        write_sound(folder, "x.wav", SF_FORMAT_RF64 | SF_FORMAT_DOUBLE, 306, 600);
    g_autoptr(owned_recording) recording = open_sound(path);
    check_samples(recording, 306);
    remove_folder(folder);
}

static void some_channels_and_frames_are_those_asked_for(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = write_sound(folder, "x.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 3, 9);
    g_autoptr(owned_recording) recording = open_sound(path);
    struct io_context io = io_context_default();
    const uint8_t mask[] = {1, 0, 1};
    assert_true(recording_read(recording, mask, 123, 4, &io, NULL));
    for (size_t t = 0; t < 4; t++) {
        assert_true(recording->samples.d[2 * t] == sample_of(0, 123 + t));
        assert_true(recording->samples.d[2 * t + 1] == sample_of(2, 123 + t));
    }
    remove_folder(folder);
}

static void without_a_sidecar_units_are_arbitrary(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = write_sound(folder, "x.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 256);
    g_autoptr(owned_recording) recording = open_sound(path);
    const struct channel *channel = recording->sensors->channel;
    assert_string_equal(channel[1].unit, "a.u.");
    assert_int_equal(channel[1].kind, CHANNEL_MISC);
    assert_close(channel[1].gain, 1.0, 0.0);
    assert_int_equal(recording->warnings->len, 0);
    remove_folder(folder);
}

/** Opens a sound of two channels with this table and this JSON beside it. */
static struct recording *open_with(char *folder, const char *table, const char *json,
                                   GError **error)
{
    g_autofree char *path =
        write_sound(folder, "sub-1_eeg.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 601);
    g_free(write_file(folder, "sub-1_channels.tsv", table, strlen(table)));
    g_free(write_file(folder, "sub-1_eeg.json", json, strlen(json)));
    struct io_context io = io_context_default();
    return recording_open(path, &io, error);
}

static void the_sidecar_gives_rate_names_units_and_scales(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autoptr(owned_recording) recording =
        open_with(folder,
                  "name\ttype\tunits\tscale\toffset\tstatus\n"
                  "Fz\tEEG\tuV\t0.5\t10\tgood\nT1\tTRIG\tn/a\tn/a\tn/a\tbad\n",
                  "{\"SamplingFrequency\": 600.614990, \"PowerLineFrequency\": 60}", NULL);
    assert_non_null(recording);
    const struct channel *channel = recording->sensors->channel;
    assert_close(1.0 / recording->interval_s, 600.614990, 1e-9);
    assert_close(recording->sensors->line_hz, 60.0, 0.0);
    assert_string_equal(channel[0].name, "Fz");
    assert_string_equal(channel[0].unit, "V");
    assert_int_equal(channel[0].kind, CHANNEL_EEG);
    assert_close(channel[0].gain, 0.5e-6, 1e-22);
    assert_close(channel[0].offset, 10e-6, 1e-20);
    assert_int_equal(channel[1].kind, CHANNEL_STIM);
    assert_close(channel[1].gain, 1.0, 0.0);
    assert_true(channel[1].bad && !channel[0].bad);
    remove_folder(folder);
}

static void a_wrong_sidecar_is_refused(void **state)
{
    (void) state;
    static const struct {
        const char *table;
        const char *json;
        const char *reason;
    } cases[] = {
        {"name\nFz\n", "{}", "channels.tsv: expected 2 rows, found 1"},
        {"name\tscale\nFz\tnan\nCz\t1\n", "{}", "channels.tsv, row 1: expected a finite scale"},
        {"name\tscale\nFz\t1\nCz\t1e400\n", "{}", "channels.tsv, row 2"},
        {"name\toffset\nFz\t1\nCz\tabc\n", "{}", "channels.tsv, row 2"},
        {"name\nFz\nCz\n", "{\"SamplingFrequency\": 0}", "sidecar: expected a rate"},
        {"name\nFz\nCz\n", "{\"SamplingFrequency\": \"fast\"}", "sidecar: expected a rate"},
        {"name\nFz\nCz\n", "{\"SamplingFrequency\": 1e9}", "sidecar: expected a rate"},
        {"name\nFz\nCz\n", "{", "expected JSON"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *folder = temporary_folder();
        GError *error = NULL;
        assert_null(open_with(folder, cases[i].table, cases[i].json, &error));
        assert_io_error(&error, IO_ERROR_INPUT, cases[i].reason);
        remove_folder(folder);
    }
}

static void a_rate_that_disagrees_is_warned_of(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autoptr(owned_recording) recording =
        open_with(folder, "name\nFz\nCz\n", "{\"SamplingFrequency\": 500}", NULL);
    assert_true(recording_has_flag(recording, "rate"));
    assert_close(recording->interval_s, 1.0 / 500.0, 1e-12);
    remove_folder(folder);
}

/** A WAV of two channels of int16, 100 samples; some of its header fields as given. */
static GByteArray *make_wav(uint16_t align, uint32_t data_bytes)
{
    // PCM of 2 channels at 256 Hz, 16 bits; the machine is little-endian
    uint8_t head[] = "RIFF....WAVEfmt \x10\0\0\0\x01\0\x02\0\0\x01\0\0\0\x04\0\0..\x10\0data...";
    memcpy(head + 32, &align, sizeof align);
    memcpy(head + 40, &data_bytes, sizeof data_bytes);
    GByteArray *wav = g_byte_array_new();
    g_byte_array_append(wav, head, sizeof head);
    for (size_t i = 0; i < 200; i++) {
        int16_t sample = (int16_t) sample_of(i % 2, i / 2);
        g_byte_array_append(wav, (const guint8 *) &sample, 2);
    }
    uint32_t size = wav->len - 8;
    memcpy(wav->data + 4, &size, 4);
    return wav;
}

static void what_libsndfile_passes_over_is_warned_of(void **state)
{
    (void) state;
    static const struct {
        uint16_t align;
        uint32_t data_bytes;
        size_t cut;
        const char *flag;
        size_t n_time;
    } cases[] = {
        {4, 400, 0, NULL, 100},
        {3, 400, 0, "align", 100},
        {4, UINT32_MAX, 0, "streamed", 100},
        {4, 400, 200, "cut", 50},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *folder = temporary_folder();
        g_autoptr(GByteArray) wav = make_wav(cases[i].align, cases[i].data_bytes);
        g_autofree char *path = write_file(folder, "x.wav", wav->data, wav->len - cases[i].cut);
        g_autoptr(owned_recording) recording = open_sound(path);
        if (cases[i].flag != NULL)
            assert_true(recording_has_flag(recording, cases[i].flag));
        else
            assert_int_equal(recording->warnings->len, 0);
        assert_int_equal(recording->n_time, cases[i].n_time);
        struct io_context io = io_context_default();
        assert_true(recording_read(recording, NULL, 0, recording->n_time, &io, NULL));
        for (size_t s = 0; s < 2 * recording->n_time; s++)
            assert_true(recording->samples.d[s] == sample_of(s % 2, s / 2));
        remove_folder(folder);
    }
}

static void assert_refused(const uint8_t *bytes, size_t n, const char *reason)
{
    char *folder = temporary_folder();
    g_autofree char *path = write_file(folder, "x.wav", bytes, n);
    struct io_context io = io_context_default();
    GError *error = NULL;
    assert_null(recording_open(path, &io, &error));
    assert_io_error(&error, IO_ERROR_INPUT, reason);
    remove_folder(folder);
}

static void what_is_no_sound_is_refused(void **state)
{
    (void) state;
    g_autoptr(GByteArray) wav = make_wav(4, 0);
    assert_refused(wav->data, 44, "expected at least one sample");
    assert_refused(wav->data, 20, "header");
    wav->data[22] = 0; // no channels
    assert_refused(wav->data, wav->len, "header");
    wav->data[22] = 2;
    wav->data[20] = 2; // ADPCM
    assert_refused(wav->data, wav->len, "header");
}

static void no_change_of_bytes_breaks_the_reader(void **state)
{
    (void) state;
    g_autoptr(GByteArray) good = make_wav(4, 400);
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    struct io_context io = io_context_default();
    io.mem_limit = 1 << 24;
    for (size_t i = 0; i < 2000; i++) {
        g_autofree uint8_t *bytes = g_memdup2(good->data, good->len);
        for (gint32 k = g_rand_int_range(rand, 1, 5); k > 0; k--)
            bytes[g_rand_int_range(rand, 4, 48)] = (uint8_t) g_rand_int_range(rand, 0, 256);
        size_t n = i % 4 == 0 ? (size_t) g_rand_int_range(rand, 12, (gint32) good->len) : good->len;
        GError *error = NULL;
        g_autoptr(owned_recording) recording =
            recording_open_bytes("memory.wav", bytes, n, &io, &error);
        assert_true((recording == NULL) == (error != NULL));
        if (recording != NULL)
            assert_true(recording_read(recording, NULL, 0, recording->n_time, &io, &error) ==
                        (error == NULL));
        g_clear_error(&error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_reads_to_the_samples_as_they_stand),
        cmocka_unit_test(hundreds_of_channels_are_read),
        cmocka_unit_test(some_channels_and_frames_are_those_asked_for),
        cmocka_unit_test(without_a_sidecar_units_are_arbitrary),
        cmocka_unit_test(the_sidecar_gives_rate_names_units_and_scales),
        cmocka_unit_test(a_wrong_sidecar_is_refused),
        cmocka_unit_test(a_rate_that_disagrees_is_warned_of),
        cmocka_unit_test(what_libsndfile_passes_over_is_warned_of),
        cmocka_unit_test(what_is_no_sound_is_refused),
        cmocka_unit_test(no_change_of_bytes_breaks_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
