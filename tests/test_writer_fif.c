// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"

#include "io/writer_fif.h"

static struct recording *open_file(const char *path)
{
    struct io_context io = io_context_default();
    GError *error = NULL;
    struct recording *recording = recording_open(path, &io, &error);
    if (recording == NULL)
        fail_msg("%s", error->message);
    return recording;
}

static void set_channel(struct channel *channel, const char *name, enum channel_kind kind,
                        const char *unit, double gain)
{
    channel->name = g_strdup(name);
    channel->kind = kind;
    channel->unit = g_strdup(unit);
    channel->stored_unit = g_strdup(unit);
    channel->gain = gain;
}

enum { N_CHANNELS = 4, N_TIME = 700 };

static struct projector *average_reference(void)
{
    struct projector *projector = g_new0(struct projector, 1);
    projector->name = g_strdup("Average EEG reference");
    projector->reference = true;
    projector->active = true;
    projector->n_vectors = 1;
    projector->channels = g_strsplit("EEG 001|EEG 002", "|", -1);
    projector->vectors = g_new(double, 2);
    projector->vectors[0] = projector->vectors[1] = 0.5;
    return projector;
}

static struct sensors *example(void)
{
    struct sensors *sensors = sensors_new(N_CHANNELS);
    set_channel(&sensors->channel[0], "EEG 001", CHANNEL_EEG, "V", 0x1p-20);
    set_channel(&sensors->channel[1], "EEG 002", CHANNEL_EEG, "V", 0x1p-20);
    set_channel(&sensors->channel[2], "a magnetometer of a long name", CHANNEL_MAG, "T", 0x1p-40);
    set_channel(&sensors->channel[3], "STI 014", CHANNEL_STIM, "", 1.0);
    sensors->channel[2].bad = true;
    sensors->channel[2].coil_type = 3022;
    for (int i = 0; i < 12; i++)
        sensors->channel[2].loc[i] = (float) i / 8.0f;
    sensors->part = g_new0(struct part, 1);
    sensors->n_parts = 1;
    sensors->part[0].name = g_strdup("raw data");
    sensors->part[0].channel = g_new(size_t, N_CHANNELS);
    sensors->part[0].n_channels = N_CHANNELS;
    for (size_t i = 0; i < N_CHANNELS; i++)
        sensors->part[0].channel[i] = i;
    sensors->part[0].rate_hz = 250.0;
    sensors->part[0].n_time = N_TIME;
    sensors->first_sample = 1000;
    sensors->highpass_hz = 0.5;
    sensors->lowpass_hz = 100.0;
    sensors->line_hz = 60.0;
    sensors->compensation_grade = 3;
    sensors->has_device_to_head = true;
    static const float rotation[3][4] = {
        {0.0f, -1.0f, 0.0f, 0.25f}, {1.0f, 0.0f, 0.0f, 0.5f}, {0.0f, 0.0f, 1.0f, 0.125f}};
    memcpy(sensors->device_to_head, rotation, sizeof rotation);
    sensors_add_event(sensors, 0.5, 0.25, "go: left", 0);
    sensors_add_event(sensors, 1.5, 0.0, "caf\303\251", 0);
    g_ptr_array_add(sensors->projectors, average_reference());
    return sensors;
}

/** Integers of 16 bits, the extremes among them. */
static double *samples(void)
{
    double *values = g_new(double, N_TIME *N_CHANNELS);
    for (size_t i = 0; i < N_TIME * N_CHANNELS; i++)
        values[i] = (double) ((int) (i * 7919 % 65536) - 32768);
    return values;
}

static void write_example(const char *path, const struct sensors *sensors, const double *values,
                          enum fif_samples kind, uint64_t max_bytes)
{
    g_autoptr(owned_writer_fif) writer =
        writer_fif_new(path, sensors, 0, kind, max_bytes, true, NULL);
    assert_non_null(writer);
    // In pieces that do not fit buffers.
    for (size_t t = 0; t < N_TIME; t += 33)
        assert_true(writer_fif_append(writer, values + t * N_CHANNELS, MIN(33, N_TIME - t), NULL));
    assert_true(writer_fif_commit(writer, NULL));
}

static void check_samples(struct recording *recording, const double *values)
{
    struct io_context io = io_context_default();
    assert_int_equal(recording->n_time, N_TIME);
    assert_int_equal(recording->n_series, N_CHANNELS);
    assert_true(recording_read(recording, NULL, 0, N_TIME, &io, NULL));
    assert_memory_equal(recording->samples.d, values, N_TIME * N_CHANNELS * sizeof(double));
}

static void check_sensors(const struct sensors *found, const struct sensors *expected)
{
    for (size_t i = 0; i < N_CHANNELS; i++) {
        const struct channel *a = &found->channel[i];
        const struct channel *b = &expected->channel[i];
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->kind, b->kind);
        assert_string_equal(a->unit, b->unit);
        assert_true(a->gain == b->gain);
        assert_int_equal(a->bad, b->bad);
        assert_memory_equal(a->loc, b->loc, sizeof a->loc);
    }
    assert_int_equal(found->channel[2].coil_type, 3022);
    assert_int_equal(found->compensation_grade, 3);
    assert_int_equal(found->first_sample, 1000);
    assert_true(found->part[0].rate_hz == 250.0);
    assert_true(found->highpass_hz == 0.5 && found->lowpass_hz == 100.0 && found->line_hz == 60.0);
    assert_true(found->has_device_to_head);
    assert_memory_equal(found->device_to_head, expected->device_to_head,
                        sizeof found->device_to_head);
    assert_int_equal(found->events->len, 2);
    for (guint i = 0; i < 2; i++) {
        const struct event *a = &g_array_index(found->events, struct event, i);
        const struct event *b = &g_array_index(expected->events, struct event, i);
        assert_string_equal(a->text, b->text);
        assert_close(a->onset_s, b->onset_s, 1e-12);
        assert_close(a->duration_s, b->duration_s, 1e-12);
    }
    assert_int_equal(found->projectors->len, 1);
    const struct projector *projector = found->projectors->pdata[0];
    assert_string_equal(projector->name, "Average EEG reference");
    assert_true(projector->reference && projector->active && projector->n_vectors == 1);
    assert_string_equal(projector->channels[1], "EEG 002");
    assert_true(projector->vectors[1] == 0.5);
}

static void what_is_written_is_read(void **state)
{
    (void) state;
    static const char *const datatypes[] = {"int16", "int32", "float32", "float64"};
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x_raw.fif", NULL);
    g_autoptr(owned_sensors) sensors = example();
    g_autofree double *values = samples();
    for (int kind = FIF_SAMPLES_INT16; kind <= FIF_SAMPLES_DOUBLE; kind++) {
        write_example(path, sensors, values, (enum fif_samples) kind, 0);
        g_autoptr(owned_recording) recording = open_file(path);
        assert_string_equal(recording->datatype, datatypes[kind]);
        assert_int_equal(writer_fif_samples(recording), kind);
        assert_int_equal(recording->warnings->len, 0);
        check_samples(recording, values);
        check_sensors(recording->sensors, sensors);
    }
    remove_folder(folder);
}

static void long_recordings_go_on_in_further_files(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x_raw.fif", NULL);
    g_autofree char *second = g_build_filename(folder, "x_raw-1.fif", NULL);
    g_autoptr(owned_sensors) sensors = example();
    g_autofree double *values = samples();
    // Three buffers of 250, 250 and 200 frames of 8 bytes: one a file.
    write_example(path, sensors, values, FIF_SAMPLES_INT16, 8000);
    assert_int_equal(count_files(folder), 3);
    g_autoptr(owned_recording) recording = open_file(path);
    assert_int_equal(recording->warnings->len, 0);
    check_samples(recording, values);
    check_sensors(recording->sensors, sensors);

    // Any frames of any channels, over the borders of files.
    struct io_context io = io_context_default();
    const uint8_t mask[N_CHANNELS] = {0, 1, 0, 1};
    recording_choose(recording, 0);
    assert_true(recording_read(recording, mask, 240, 300, &io, NULL));
    for (size_t t = 0; t < 300; t++) {
        assert_true(recording->samples.d[2 * t] == values[(240 + t) * N_CHANNELS + 1]);
        assert_true(recording->samples.d[2 * t + 1] == values[(240 + t) * N_CHANNELS + 3]);
    }

    // A further file alone is a recording; without it, the first is not.
    g_autoptr(owned_recording) alone = open_file(second);
    assert_int_equal(alone->sensors->first_sample, 1250);
    assert_int_equal(alone->n_time, 450);
    assert_int_equal(g_remove(second), 0);
    GError *error = NULL;
    assert_null(recording_open(path, &io, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "x_raw-1.fif: cannot open");
    remove_folder(folder);
}

static void what_integers_cannot_hold_is_refused(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x_raw.fif", NULL);
    g_autoptr(owned_sensors) sensors = example();
    static const double bad[] = {0.5, 32768.0, -32769.0, NAN};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        double frame[N_CHANNELS] = {1.0, bad[i], 2.0, 3.0};
        GError *error = NULL;
        g_autoptr(owned_writer_fif) writer =
            writer_fif_new(path, sensors, 0, FIF_SAMPLES_INT16, 0, false, NULL);
        assert_false(writer_fif_append(writer, frame, 1, &error));
        assert_io_error(&error, IO_ERROR_OUTPUT, "of channel 2 is no int16");
    }
    assert_int_equal(count_files(folder), 0);
    remove_folder(folder);
}

// FIF knows gains, no offsets: such channels are written as what they measure.
static void channels_with_an_offset_are_physical(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x_raw.fif", NULL);
    g_autoptr(owned_sensors) sensors = example();
    sensors->channel[1].offset = 0.25;
    g_autofree double *values = samples();
    write_example(path, sensors, values, FIF_SAMPLES_DOUBLE, 0);
    g_autoptr(owned_recording) recording = open_file(path);
    struct io_context io = io_context_default();
    assert_true(recording_read(recording, NULL, 0, N_TIME, &io, NULL));
    for (size_t t = 0; t < N_TIME; t++) {
        double found[2];
        recording_values(recording, t, 0, 2, found);
        assert_true(found[0] == 0x1p-20 * values[t * N_CHANNELS]);
        assert_true(found[1] == 0x1p-20 * values[t * N_CHANNELS + 1] + 0.25);
    }
    remove_folder(folder);
}

static void a_recording_is_copied(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x_raw.fif", NULL);
    g_autofree char *copy = g_build_filename(folder, "y_raw.fif", NULL);
    g_autoptr(owned_sensors) sensors = example();
    g_autofree double *values = samples();
    write_example(path, sensors, values, FIF_SAMPLES_INT32, 0);
    g_autoptr(owned_recording) recording = open_file(path);
    struct io_context io = io_context_default();
    enum fif_samples kind = writer_fif_samples(recording);
    assert_true(writer_fif_recording(copy, recording, kind, false, &io, NULL));
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    size_t n_first = 0;
    size_t n_second = 0;
    assert_true(g_file_get_contents(path, &first, &n_first, NULL));
    assert_true(g_file_get_contents(copy, &second, &n_second, NULL));
    assert_int_equal(n_first, n_second);
    assert_memory_equal(first, second, n_first);

    // What is there is left as it is.
    GError *error = NULL;
    assert_false(writer_fif_recording(copy, recording, kind, false, &io, &error));
    assert_io_error(&error, IO_ERROR_EXISTS, "y_raw.fif");
    assert_int_equal(count_files(folder), 2);
    remove_folder(folder);
}

static void averages_are_read(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x-ave.fif", NULL);
    g_autoptr(owned_sensors) sensors = example();
    sensors->part[0].n_time = 50;
    sensors->part[0].start_s = -0.04;
    sensors->part[0].n_averaged = 12;
    double values[50 * N_CHANNELS];
    for (int i = 0; i < 50 * N_CHANNELS; i++)
        values[i] = (double) (float) (1e-6 * sin(i));
    double *parts[] = {values};
    assert_true(writer_fif_evoked(path, sensors, parts, false, NULL));
    g_autoptr(owned_recording) recording = open_file(path);
    const struct part *part = &recording->sensors->part[0];
    assert_string_equal(recording->format, "FIF evoked");
    assert_string_equal(part->name, "raw data");
    assert_int_equal(part->n_averaged, 12);
    assert_close(part->start_s, -0.04, 1e-15);
    struct io_context io = io_context_default();
    assert_true(recording_read(recording, NULL, 10, 20, &io, NULL));
    for (size_t t = 0; t < 20; t++) {
        double found[N_CHANNELS];
        recording_values(recording, t, 0, N_CHANNELS, found);
        assert_memory_equal(found, values + (10 + t) * N_CHANNELS, sizeof found);
    }
    remove_folder(folder);
}

static void forward_solutions_are_read(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x-fwd.fif", NULL);
    g_auto(GStrv) names = g_strsplit("MEG 1|MEG 2|EEG 1", "|", -1);
    enum channel_kind kinds[] = {CHANNEL_GRAD, CHANNEL_MAG, CHANNEL_EEG};
    double points[] = {0.0, 0.0, 0.0625, 0.0, 0.03125, 0.0, 0.0, 0.0, -0.0625};
    double normals[] = {0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0};
    uint8_t in_use[] = {1, 0, 1};
    size_t vertex[] = {0, 2};
    int32_t nearest[] = {0, 0, 2};
    double gain[3 * 6];
    for (int i = 0; i < 18; i++)
        gain[i] = (double) (float) cos(i);
    struct source_space space = {SOURCE_SURFACE, SOURCE_LEFT, 3,      points, normals,
                                 in_use,         2,           vertex, nearest};
    struct forward forward = {.n_channels = 3,
                              .names = names,
                              .kinds = kinds,
                              .n_sources = 2,
                              .gain = gain,
                              .frame = FIF_FRAME_HEAD,
                              .space = &space,
                              .n_spaces = 1};
    struct io_context io = io_context_default();
    assert_true(writer_fif_forward(path, &forward, false, NULL));
    g_autoptr(owned_forward) found = fif_forward_read(path, &io, NULL);
    assert_non_null(found);
    assert_int_equal(found->n_sources, 2);
    assert_memory_equal(found->gain, gain, sizeof gain);
    assert_memory_equal(found->kinds, kinds, sizeof kinds);
    assert_string_equal(found->names[2], "EEG 1");
    assert_memory_equal(found->space[0].points, points, sizeof points);
    assert_memory_equal(found->space[0].normals, normals, sizeof normals);
    assert_memory_equal(found->space[0].nearest, nearest, sizeof nearest);
    assert_int_equal(found->space[0].vertex[1], 2);
    assert_int_equal(found->space[0].id, SOURCE_LEFT);

    // Positions in another unit than metres: all within a millimetre.
    for (int i = 0; i < 9; i++)
        points[i] /= 1000.0;
    assert_true(writer_fif_forward(path, &forward, true, NULL));
    g_autoptr(owned_forward) small = fif_forward_read(path, &io, NULL);
    assert_non_null(small);
    assert_int_equal(small->warnings->len, 1);
    remove_folder(folder);
}

static void covariances_are_read(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "x-cov.fif", NULL);
    g_auto(GStrv) names = g_strsplit("EEG 1|EEG 2|EEG 3", "|", -1);
    g_auto(GStrv) bads = g_strsplit("EEG 2", "|", -1);
    double matrix[] = {2.0, 0.1, 0.2, 0.1, 3.0, 0.3, 0.2, 0.3, 4.0};
    double diagonal[] = {2.0, 3.0, 4.0};
    g_autoptr(GPtrArray) projectors = g_ptr_array_new();
    struct covariance covariance = {.n = 3,
                                    .names = names,
                                    .matrix = matrix,
                                    .diagonal = diagonal,
                                    .n_free = 77,
                                    .bads = bads,
                                    .projectors = projectors};
    struct io_context io = io_context_default();
    assert_true(writer_fif_covariance(path, &covariance, false, NULL));
    g_autoptr(owned_covariance) full = fif_covariance_read(path, &io, NULL);
    assert_non_null(full);
    assert_memory_equal(full->matrix, matrix, sizeof matrix);
    assert_int_equal(full->n_free, 77);
    assert_string_equal(full->bads[0], "EEG 2");

    covariance.matrix = NULL;
    assert_true(writer_fif_covariance(path, &covariance, true, NULL));
    g_autoptr(owned_covariance) found = fif_covariance_read(path, &io, NULL);
    assert_non_null(found);
    assert_null(found->matrix);
    assert_memory_equal(found->diagonal, diagonal, sizeof diagonal);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(long_recordings_go_on_in_further_files),
        cmocka_unit_test(what_integers_cannot_hold_is_refused),
        cmocka_unit_test(channels_with_an_offset_are_physical),
        cmocka_unit_test(a_recording_is_copied),
        cmocka_unit_test(averages_are_read),
        cmocka_unit_test(forward_solutions_are_read),
        cmocka_unit_test(covariances_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
