// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"

#include "io/recording.h"
#include "io/writer_edf.h"
#include "io/writer_wav.h"

enum { CHANNELS = 2 };

/** A recording in memory, without a file. */
static struct recording *make_recording(size_t n_time, double rate_hz)
{
    struct recording *recording = g_new0(struct recording, 1);
    struct sensors *sensors = recording->sensors = sensors_new(CHANNELS);
    recording->path = g_strdup("memory");
    recording->scale = 1.0;
    recording->datatype = "float64";
    recording->type = SAMPLE_DOUBLE;
    recording->warnings = g_ptr_array_new_with_free_func(g_free);
    recording->flags = g_ptr_array_new();
    for (size_t c = 0; c < CHANNELS; c++) {
        sensors->channel[c].name = g_strdup_printf("C%zu", c);
        sensors->channel[c].unit = g_strdup("V");
        sensors->channel[c].stored_unit = g_strdup("V");
        sensors->channel[c].kind = CHANNEL_EEG;
    }
    sensors->part = g_new0(struct part, 1);
    sensors->n_parts = 1;
    sensors->part[0] = (struct part){.name = g_strdup("all"),
                                     .channel = g_new0(size_t, CHANNELS),
                                     .n_channels = CHANNELS,
                                     .rate_hz = rate_hz,
                                     .n_time = n_time};
    sensors->part[0].channel[1] = 1;
    recording_choose(recording, 0);
    recording->samples.d = g_new0(double, n_time *CHANNELS);
    recording->voxel = g_new0(size_t, CHANNELS);
    recording->voxel[1] = 1;
    return recording;
}

static void free_made(struct recording *recording)
{
    g_free(recording->path);
    sensors_free(recording->sensors);
    g_free(recording->samples.any);
    g_free(recording->voxel);
    g_ptr_array_unref(recording->warnings);
    g_ptr_array_unref(recording->flags);
    g_free(recording);
}

/** Writes it, frees it, and reads what was written. */
static struct recording *write_and_read(struct recording *made, bool is_bdf,
                                        struct edf_rounding *rounding)
{
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, is_bdf ? "x.bdf" : "x.edf", NULL);
    struct io_context io = io_context_default();
    GError *error = NULL;
    if (!writer_edf_write(path, made, is_bdf, false, &io, rounding, &error))
        print_error("%s\n", error->message);
    assert_null(error);
    free_made(made);
    struct recording *recording = recording_open(path, &io, &error);
    assert_null(error);
    assert_true(recording_read(recording, NULL, 0, recording->n_time, &io, NULL));
    remove_folder(folder);
    return recording;
}

static double value_at(const struct recording *recording, size_t t, size_t v)
{
    double value = 0.0;
    recording_values(recording, t, v, 1, &value);
    return value;
}

static void integers_come_back_as_they_were(void **state)
{
    (void) state;
    // gains that eight characters hold at few ends of a range, or at none
    const double gains[] = {0.5e-6, 0.0976560042959e-6, 6400e-6 / 65535.0, 1e-6 / 3.0, -2.5e-9};
    for (size_t g = 0; g < G_N_ELEMENTS(gains); g++) {
        for (int is_bdf = 0; is_bdf < 2; is_bdf++) {
            struct recording *made = make_recording(500, 250.0);
            for (size_t i = 0; i < 500 * CHANNELS; i++)
                made->samples.d[i] = (double) ((int) (i * 7919 % 20000) - 8000);
            made->sensors->channel[0].gain = made->sensors->channel[1].gain = gains[g];
            made->sensors->channel[1].offset = 12.5e-6;
            struct edf_rounding rounding;
            g_autoptr(owned_recording) read = write_and_read(made, is_bdf, &rounding);
            assert_int_equal(rounding.n_exact, 2);
            assert_int_equal(rounding.n_rounded, 0);
            double largest = fabs(gains[g]) * 12000.0 + 12.5e-6;
            for (size_t i = 0; i < 500 * CHANNELS; i++) {
                double stored = (double) ((int) (i * 7919 % 20000) - 8000);
                double value = gains[g] * stored + (i % 2 == 1 ? 12.5e-6 : 0.0);
                assert_true(read->samples.d[i] == stored);
                assert_close(value_at(read, i / 2, i % 2), value, 1e-6 * largest);
            }
        }
    }
}

static void a_range_that_eight_characters_hold_is_exact(void **state)
{
    (void) state;
    struct recording *made = make_recording(100, 100.0);
    double gain = 6400e-6 / 65535.0; // -3200..3200 uV: what such files have
    made->sensors->channel[0].gain = gain;
    made->sensors->channel[0].offset = 3200e-6 / 65535.0;
    for (size_t i = 0; i < 200; i++)
        made->samples.d[i] = (double) i;
    struct edf_rounding rounding;
    g_autoptr(owned_recording) read = write_and_read(made, false, &rounding);
    assert_close(read->sensors->channel[0].gain, gain, 1e-14 * gain);
    assert_close(value_at(read, 99, 0), gain * 198.0 + 3200e-6 / 65535.0, 1e-14 * 200.0 * gain);
}

static void other_values_are_rounded_by_half_a_step_at_most(void **state)
{
    (void) state;
    const double scales[] = {1e-15, 1e-9, 1e-4, 1.0, 3e5, 1e12};
    for (size_t s = 0; s < G_N_ELEMENTS(scales); s++) {
        for (int is_bdf = 0; is_bdf < 2; is_bdf++) {
            g_autoptr(GRand) rand = g_rand_new_with_seed(1);
            double values[200];
            fill_normal(rand, values, 200);
            struct recording *made = make_recording(100, 100.0);
            for (size_t i = 0; i < 200; i++)
                made->samples.d[i] = values[i] *= scales[s];
            struct edf_rounding rounding;
            g_autoptr(owned_recording) read = write_and_read(made, is_bdf, &rounding);
            assert_int_equal(rounding.n_rounded, 2);
            double largest[CHANNELS] = {0};
            for (size_t i = 0; i < 200; i++)
                largest[i % 2] = fmax(largest[i % 2], fabs(values[i]));
            for (size_t i = 0; i < 200; i++)
                assert_close(value_at(read, i / 2, i % 2), values[i],
                             1.000001 * rounding.largest_error * fmax(largest[0], largest[1]));
        }
    }
}

static void records_tell_the_rate_and_hold_every_sample(void **state)
{
    (void) state;
    const double rates[] = {1.0, 12.8, 100.0, 512.0, 600.614990, 1000.0 / 3.0, 20000.0};
    const size_t counts[] = {1, 97, 421, 1000, 12800};
    for (size_t r = 0; r < G_N_ELEMENTS(rates); r++)
        for (size_t c = 0; c < G_N_ELEMENTS(counts); c++) {
            struct recording *made = make_recording(counts[c], rates[r]);
            struct edf_rounding rounding;
            g_autoptr(owned_recording) read = write_and_read(made, false, &rounding);
            assert_int_equal(read->n_time, counts[c]);
            // a short recording of one odd number of samples has few digits for its duration
            double tol = counts[c] * 1.0 / rates[r] > 0.5 ? 1e-6 : 1e-2;
            assert_close(1.0 / read->interval_s, rates[r], tol * rates[r]);
        }
}

/** 27 s in one record, whose duration is told best: channels are put in place piece by piece. */
static void a_long_record_is_written_in_pieces(void **state)
{
    (void) state;
    enum { N = 18013 };
    for (int is_bdf = 0; is_bdf < 2; is_bdf++) {
        struct recording *made = make_recording(N, 1000.0 / 3.0);
        for (size_t i = 0; i < N * CHANNELS; i++)
            made->samples.d[i] = (double) ((int) (i * 7919 % 20000) - 8000);
        char *folder = temporary_folder();
        g_autofree char *path = g_build_filename(folder, is_bdf ? "x.bdf" : "x.edf", NULL);
        struct io_context io = io_context_default();
        struct edf_rounding rounding;
        assert_true(writer_edf_write(path, made, is_bdf, false, &io, &rounding, NULL));
        g_autofree char *bytes = NULL;
        size_t n_bytes = 0;
        assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
        assert_memory_equal(bytes + 236, "1       ", 8); // records
        size_t size = is_bdf ? 3 : 2, head = 256 * (CHANNELS + 2);
        for (size_t i = 0; i < N * CHANNELS; i++) {
            const uint8_t *at = (const uint8_t *) bytes + head + (i % 2 * N + i / 2) * size;
            int16_t found = (int16_t) (at[0] | at[1] << 8);
            assert_int_equal(found, (int) made->samples.d[i]);
        }
        assert_memory_equal(bytes + head + N * CHANNELS * size, "+0\x14\x14", 5);
        free_made(made);
        remove_folder(folder);
    }
}

/** A file that is streamed twice gives the bytes of the samples in memory. */
static void a_stream_is_written_as_what_was_read(void **state)
{
    (void) state;
    struct recording *made = make_recording(5000, 500.0);
    for (size_t i = 0; i < 5000 * CHANNELS; i++)
        made->samples.d[i] = sin((double) i) * 1e-4;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x.wav", NULL);
    struct io_context io = io_context_default();
    assert_true(writer_wav_write(path, made, false, false, &io, NULL));
    free_made(made);
    char *bytes[2] = {NULL, NULL};
    size_t n_bytes[2];
    for (int whole = 0; whole < 2; whole++) {
        g_autofree char *copy = g_build_filename(folder, whole ? "w.edf" : "s.edf", NULL);
        g_autoptr(owned_recording) recording = recording_open(path, &io, NULL);
        if (whole)
            assert_true(recording_read(recording, NULL, 0, recording->n_time, &io, NULL));
        struct edf_rounding rounding;
        assert_true(writer_edf_write(copy, recording, false, false, &io, &rounding, NULL));
        assert_int_equal(rounding.n_rounded, 2);
        assert_true(g_file_get_contents(copy, &bytes[whole], &n_bytes[whole], NULL));
    }
    assert_int_equal(n_bytes[0], n_bytes[1]);
    assert_memory_equal(bytes[0], bytes[1], n_bytes[0]);
    g_free(bytes[0]);
    g_free(bytes[1]);
    remove_folder(folder);
}

static void events_come_back_in_order(void **state)
{
    (void) state;
    struct recording *made = make_recording(1000, 100.0);
    sensors_add_event(made->sensors, 0.1344, 0.256, "type A", 0);
    sensors_add_event(made->sensors, 2.5, 0.0, "\u4ef0\u5367 \x14 two", 3);
    for (size_t i = 0; i < 300; i++)
        sensors_add_event(made->sensors, 3.0 + 0.01 * (double) i, 0.0, "many", 0);
    struct edf_rounding rounding;
    g_autoptr(owned_recording) read = write_and_read(made, false, &rounding);
    const GArray *events = read->sensors->events;
    assert_int_equal(events->len, 302);
    const struct event *event = &g_array_index(events, struct event, 0);
    assert_close(event->onset_s, 0.1344, 1e-9);
    assert_close(event->duration_s, 0.256, 1e-9);
    assert_string_equal(event->text, "type A");
    event = &g_array_index(events, struct event, 1);
    assert_string_equal(event->text, "\u4ef0\u5367   two"); // nothing ends the text
    event = &g_array_index(events, struct event, 301);
    assert_close(event->onset_s, 5.99, 1e-9);
}

static void constant_channels_come_back(void **state)
{
    (void) state;
    struct recording *made = make_recording(100, 100.0);
    for (size_t t = 0; t < 100; t++)
        made->samples.d[2 * t] = 1.5e-6;
    struct edf_rounding rounding;
    g_autoptr(owned_recording) read = write_and_read(made, false, &rounding);
    assert_close(value_at(read, 50, 0), 1.5e-6, 1e-10);
    assert_close(value_at(read, 50, 1), 0.0, 0.0);
}

static void wide_triggers_keep_their_low_bits(void **state)
{
    (void) state;
    for (int is_bdf = 0; is_bdf < 2; is_bdf++) {
        struct recording *made = make_recording(100, 100.0);
        made->sensors->channel[1].kind = CHANNEL_STIM;
        g_free(made->sensors->channel[1].name);
        made->sensors->channel[1].name = g_strdup("Status");
        for (size_t t = 0; t < 100; t++)
            made->samples.d[2 * t + 1] = -6815744.0 + (double) t;
        struct edf_rounding rounding;
        g_autoptr(owned_recording) read = write_and_read(made, is_bdf, &rounding);
        assert_int_equal(rounding.n_short_triggers, is_bdf ? 0 : 1);
        for (size_t t = 0; t < 100; t++) {
            int expected = -6815744 + (int) t;
            int found = (int) value_at(read, t, 1);
            assert_int_equal(found & 0xffff, expected & 0xffff);
            assert_true(!is_bdf || found == expected);
        }
    }
}

static void what_is_not_finite_is_refused(void **state)
{
    (void) state;
    struct recording *made = make_recording(10, 100.0);
    made->samples.d[7] = NAN;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x.edf", NULL);
    struct io_context io = io_context_default();
    struct edf_rounding rounding;
    GError *error = NULL;
    assert_false(writer_edf_write(path, made, false, false, &io, &rounding, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "channel 2: expected finite samples");
    assert_int_equal(count_files(folder), 0);
    free_made(made);
    remove_folder(folder);
}

static void sound_holds_every_bit(void **state)
{
    (void) state;
    for (int is_rf64 = 0; is_rf64 < 2; is_rf64++) {
        struct recording *made = make_recording(300, 600.61499);
        g_autoptr(GRand) rand = g_rand_new_with_seed(1);
        double values[600];
        fill_normal(rand, values, 600);
        values[9] = 5e-324;
        values[10] = -1.7e308;
        memcpy(made->samples.d, values, sizeof values);
        char *folder = temporary_folder();
        g_autofree char *path = g_build_filename(folder, "x.wav", NULL);
        struct io_context io = io_context_default();
        assert_true(writer_wav_write(path, made, is_rf64, false, &io, NULL));
        free_made(made);
        GError *error = NULL;
        g_autoptr(owned_recording) read = recording_open(path, &io, &error);
        assert_null(error);
        assert_string_equal(read->format, is_rf64 ? "RF64" : "WAV");
        assert_int_equal(read->warnings->len, 0);
        assert_true(recording_read(read, NULL, 0, 300, &io, NULL));
        assert_memory_equal(read->samples.d, values, sizeof values);
        remove_folder(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_come_back_as_they_were),
        cmocka_unit_test(a_range_that_eight_characters_hold_is_exact),
        cmocka_unit_test(other_values_are_rounded_by_half_a_step_at_most),
        cmocka_unit_test(records_tell_the_rate_and_hold_every_sample),
        cmocka_unit_test(a_long_record_is_written_in_pieces),
        cmocka_unit_test(a_stream_is_written_as_what_was_read),
        cmocka_unit_test(events_come_back_in_order),
        cmocka_unit_test(constant_channels_come_back),
        cmocka_unit_test(wide_triggers_keep_their_low_bits),
        cmocka_unit_test(what_is_not_finite_is_refused),
        cmocka_unit_test(sound_holds_every_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
