// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fif_maker.h"
#include "tests/meeg_truth.h"

#include <zlib.h>

static struct recording *open_shared(const char *name)
{
    g_autofree char *relative = g_build_filename("meeg", name, NULL);
    g_autofree char *path = shared_data(relative);
    if (path == NULL)
        return NULL;
    struct io_context io = io_context_default();
    GError *error = NULL;
    struct recording *recording = recording_open(path, &io, &error);
    if (recording == NULL)
        fail_msg("%s", error->message);
    return recording;
}

static void samples_are_those_of_other_readers(void **state)
{
    (void) state;
    static const struct {
        const char *name;
        const char *format;
        const char *datatype;
        size_t first_sample;
        int grade;
    } files[] = {
        {"brainvision/test_bin_raw.fif", "FIF raw", "int16", 0, 0},
        {"raw_fif/neuromag122_test_file-raw.fif", "FIF raw", "float32", 21000, 0},
        {"raw_fif/test_ctf_comp_raw.fif", "FIF raw", "float32", 0, 3},
        {"raw_fif/test_elekta_3ch_raw.fif", "FIF raw", "float32", 3000, 0},
        {"evoked_fif/erpcore_sub-015_task-P3_ave.fif", "FIF evoked", "float32", 0, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(owned_recording) recording = open_shared(files[i].name);
        if (recording == NULL)
            skip();
        assert_string_equal(recording->format, files[i].format);
        assert_string_equal(recording->datatype, files[i].datatype);
        assert_int_equal(recording->sensors->first_sample, files[i].first_sample);
        assert_int_equal(recording->sensors->compensation_grade, files[i].grade);
        truth_check(recording, files[i].name);
    }
}

/** values - U U' values over the channels of the projectors, U an orthonormal basis of theirs. */
static void project(struct recording *recording)
{
    const struct sensors *sensors = recording->sensors;
    size_t n = recording->n_series;
    g_autoptr(GPtrArray) basis = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < sensors->projectors->len; i++) {
        const struct projector *projector = sensors->projectors->pdata[i];
        assert_int_equal(projector->n_vectors, 1);
        double *u = g_new0(double, n);
        for (size_t j = 0; projector->channels[j] != NULL; j++) {
            size_t channel = sensors_find(sensors, projector->channels[j]);
            assert_true(channel < n);
            u[channel] = projector->vectors[j];
        }
        for (guint k = 0; k < 2 * basis->len; k++) { // twice is enough
            const double *b = basis->pdata[k % basis->len];
            double product = 0.0;
            for (size_t v = 0; v < n; v++)
                product += b[v] * u[v];
            for (size_t v = 0; v < n; v++)
                u[v] -= product * b[v];
        }
        double norm2 = 0.0;
        for (size_t v = 0; v < n; v++)
            norm2 += u[v] * u[v];
        for (size_t v = 0; v < n; v++)
            u[v] /= sqrt(norm2);
        g_ptr_array_add(basis, u);
    }
    g_autofree double *x = g_new(double, n);
    for (size_t t = 0; t < recording->n_time; t++) {
        recording_values(recording, t, 0, n, x);
        for (guint k = 0; k < basis->len; k++) {
            const double *b = basis->pdata[k];
            double product = 0.0;
            for (size_t v = 0; v < n; v++)
                product += b[v] * x[v];
            for (size_t v = 0; v < n; v++)
                x[v] -= product * b[v];
        }
        for (size_t v = 0; v < n; v++)
            recording->samples.d[t * n + v] = x[v] / sensors->channel[v].gain;
    }
}

// The rows of this file were made by a program that applies projectors as it reads.
static void averages_and_projectors_are_those_of_other_readers(void **state)
{
    (void) state;
    static const int n_averaged[] = {3, 6, 6, 6};
    static const char *const names[] = {"Left Auditory", "Right Auditory", "Left visual",
                                        "Right visual"};
    g_autoptr(owned_recording) recording = open_shared("sample-ave.fif");
    if (recording == NULL)
        skip();
    const struct sensors *sensors = recording->sensors;
    g_autoptr(GPtrArray) rows = truth_rows("sample-ave.fif");
    struct io_context io = io_context_default();
    assert_int_equal(sensors->n_parts, 4);
    assert_int_equal(sensors->projectors->len, 4);
    for (size_t p = 0; p < sensors->n_parts; p++) {
        const struct part *part = &sensors->part[p];
        assert_string_equal(part->name, names[p]);
        assert_int_equal(part->n_averaged, n_averaged[p]);
        assert_close(part->start_s, -120 / 600.614990234375, 1e-15);
        recording_choose(recording, p);
        assert_true(recording_read(recording, NULL, 0, recording->n_time, &io, NULL));
        project(recording);
        truth_check_part(recording, rows);
    }
    for (guint i = 0; i < 4; i++) {
        const struct projector *projector = sensors->projectors->pdata[i];
        assert_false(projector->active);
        assert_int_equal(projector->reference, i == 3);
    }
    assert_true(sensors->has_device_to_head);
    assert_close((double) sensors->device_to_head[0][0], 0.99141997, 1e-7);
    assert_close(sensors->lowpass_hz, 172.17630004882812, 1e-9);
    assert_true(isnan(sensors->line_hz));
}

// Files made here, tag by tag.

struct fixture {
    char *folder; // owned
    char *path;   // owned
};

static int set_up(void **state)
{
    struct fixture *fixture = g_new0(struct fixture, 1);
    fixture->folder = temporary_folder();
    fixture->path = g_build_filename(fixture->folder, "x_raw.fif", NULL);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    remove_folder(fixture->folder);
    g_free(fixture->path);
    g_free(fixture);
    return 0;
}

static void save(const struct fixture *fixture, const char *name, const GByteArray *file)
{
    g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
    g_remove(path); // some file systems wait for the disk where a file is truncated
    FILE *stream = fopen(path, "wb");
    assert_int_equal(fwrite(file->data, 1, file->len, stream), file->len);
    assert_int_equal(fclose(stream), 0);
}

static struct recording *open_made(const struct fixture *fixture, const GByteArray *file)
{
    struct io_context io = io_context_default();
    GError *error = NULL;
    save(fixture, "x_raw.fif", file);
    struct recording *recording = recording_open(fixture->path, &io, &error);
    if (recording == NULL)
        fail_msg("%s", error->message);
    return recording;
}

static void assert_refused(const struct fixture *fixture, const GByteArray *file, const char *part)
{
    struct io_context io = io_context_default();
    GError *error = NULL;
    save(fixture, "x_raw.fif", file);
    assert_null(recording_open(fixture->path, &io, &error));
    assert_io_error(&error, IO_ERROR_INPUT, part);
}

/** A buffer of n_samples samples of two channels, counting on from `first`, as type. */
static void maker_buffer(GByteArray *file, int32_t type, int first, int n_samples)
{
    int n = 2 * n_samples;
    bool is_short = type == FIF_TYPE_INT16 || type == FIF_TYPE_PACKED_INT16;
    int size = is_short ? 2 : type == FIF_TYPE_DOUBLE ? 8 : 4;
    maker_header(file, FIF_DATA_BUFFER, type, n * size, 0);
    for (int i = 0; i < n; i++) {
        int value = 2 * first + i;
        uint8_t bytes[8];
        if (is_short) {
            bytes[0] = (uint8_t) ((unsigned) value >> 8);
            bytes[1] = (uint8_t) value;
        } else if (type == FIF_TYPE_DOUBLE) {
            bytes_store_be64(bytes, bytes_of_double(value));
        } else {
            bytes_store_be32(bytes, type == FIF_TYPE_FLOAT ? bytes_of_float((float) value)
                                                           : (uint32_t) value);
        }
        g_byte_array_append(file, bytes, (guint) size);
    }
}

/** Two channels at 100 Hz and the beginning of their samples. */
static GByteArray *begin_raw(int32_t first_sample)
{
    GByteArray *file = maker_new();
    maker_info(file, 2, 100.0f);
    maker_start(file, FIF_BLOCK_RAW_DATA);
    maker_int(file, FIF_FIRST_SAMPLE, first_sample);
    return file;
}

static void end_raw(GByteArray *file)
{
    maker_end(file, FIF_BLOCK_RAW_DATA);
    maker_end(file, FIF_BLOCK_MEAS);
    maker_finish(file);
}

/** Frames [first, first + n) of the recording count on from `from`. */
static void assert_counts(struct recording *recording, size_t first, size_t n, int from)
{
    struct io_context io = io_context_default();
    recording_choose(recording, 0);
    assert_true(recording_read(recording, NULL, first, n, &io, NULL));
    for (size_t i = 0; i < 2 * n; i++)
        assert_true(recording->samples.d[i] == 2 * from + (double) i);
}

static void buffers_of_every_type_and_size_are_read(void **state)
{
    static const int32_t types[] = {FIF_TYPE_INT16, FIF_TYPE_PACKED_INT16, FIF_TYPE_INT32,
                                    FIF_TYPE_FLOAT, FIF_TYPE_DOUBLE};
    g_autoptr(GByteArray) file = begin_raw(0);
    int at = -400; // negative ones too
    for (int i = 0; i < 20; i++) {
        maker_buffer(file, types[i % 5], at, 3 + 11 * (i % 7));
        at += 3 + 11 * (i % 7);
    }
    maker_buffer(file, FIF_TYPE_FLOAT, 0, 0); // an empty one does no harm
    end_raw(file);
    g_autoptr(owned_recording) recording = open_made(*state, file);
    assert_int_equal(recording->n_time, at + 400);
    assert_string_equal(recording->datatype, "mixed");
    assert_int_equal(recording->warnings->len, 0);
    assert_counts(recording, 0, recording->n_time, -400);
    for (size_t first = 0; first < 100; first += 7)
        assert_counts(recording, first, 50 + first, -400 + (int) first);
    double value = 0.0;
    recording_values(recording, 0, 1, 1, &value);
    assert_true(value == 0.5 * recording->samples.d[1]); // range 2 x cal 0.25
}

// Some acquisition systems write a tag for every sample; buffers may also be larger than what is
// read at a time.
static void tags_of_one_sample_and_of_many_are_read(void **state)
{
    g_autoptr(GByteArray) file = begin_raw(0);
    for (int t = 0; t < 40000; t++)
        maker_buffer(file, FIF_TYPE_INT32, t, 1);
    maker_buffer(file, FIF_TYPE_FLOAT, 40000, 300000); // 2.4 MB
    end_raw(file);
    g_autoptr(owned_recording) recording = open_made(*state, file);
    assert_int_equal(recording->n_time, 340000);
    assert_counts(recording, 0, 340000, 0);
    assert_counts(recording, 39990, 200000, 39990);
}

static void gaps_are_zeros_and_told(void **state)
{
    g_autoptr(GByteArray) file = begin_raw(1000);
    maker_int(file, FIF_DATA_SKIP, 2); // before the first: it moves the origin
    maker_buffer(file, FIF_TYPE_INT16, 10, 50);
    maker_int(file, FIF_DATA_SKIP, 3); // counts in buffers of what comes next
    maker_buffer(file, FIF_TYPE_INT16, 60, 20);
    maker_int(file, FIF_DATA_SKIP_SAMPLES, 7); // told in samples: not used
    maker_buffer(file, FIF_TYPE_INT16, 80, 20);
    maker_int(file, FIF_DATA_SKIP, 5); // nothing comes
    end_raw(file);
    g_autoptr(owned_recording) recording = open_made(*state, file);
    const struct sensors *sensors = recording->sensors;
    assert_int_equal(sensors->first_sample, 1100);
    assert_int_equal(recording->n_time, 50 + 60 + 20 + 20);
    assert_counts(recording, 0, 50, 10);
    assert_counts(recording, 110, 40, 60);
    struct io_context io = io_context_default();
    recording_choose(recording, 0);
    assert_true(recording_read(recording, NULL, 49, 62, &io, NULL));
    assert_true(recording->samples.d[0] == 2 * 59.0);
    for (size_t i = 2; i < 2 * 61; i++)
        assert_true(recording->samples.d[i] == 0.0);
    assert_true(recording->samples.d[2 * 61] == 2 * 60.0);
    assert_true(recording_has_flag(recording, "gap"));
    assert_int_equal(sensors->events->len, 1);
    const struct event *event = &g_array_index(sensors->events, struct event, 0);
    assert_string_equal(event->text, "BAD_ACQ_SKIP");
    assert_close(event->onset_s, 0.5, 1e-12);
    assert_close(event->duration_s, 0.6, 1e-12);
    assert_int_equal(sensors->part[0].n_holes, 1);
    assert_int_equal(sensors->part[0].hole[0].first, 50);
    assert_int_equal(sensors->part[0].hole[0].n, 60);
}

static void buffers_that_cannot_be_are_refused(void **state)
{
    static const struct {
        int32_t kind, type, size, value;
        const char *refusal;
    } rows[] = {
        {FIF_DATA_BUFFER, 77, 4, 0, "found others (type 77)"},
        {FIF_DATA_BUFFER, FIF_TYPE_COMPLEX_FLOAT, 4, 0, "found complex ones (type 20)"},
        {FIF_DATA_BUFFER, 13, 4, 0, "found others (type 13)"},
        {FIF_DATA_BUFFER, FIF_TYPE_INT32, 4, 0, "expected a multiple of 8 bytes (2 channels)"},
        {FIF_DATA_SKIP, FIF_TYPE_INT32, 4, -1, "expected a gap of 0 buffers or more, found -1"},
        {FIF_DATA_SKIP, FIF_TYPE_INT32, 4, INT32_MAX, "expected gaps below 2^31 samples"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) file = begin_raw(0);
        maker_buffer(file, FIF_TYPE_INT16, 0, 10);
        maker_header(file, rows[i].kind, rows[i].type, rows[i].size, 0);
        maker_word(file, (uint32_t) rows[i].value);
        maker_buffer(file, FIF_TYPE_INT16, 10, 10);
        end_raw(file);
        assert_refused(*state, file, rows[i].refusal);
    }
    g_autoptr(GByteArray) gaps = begin_raw(0); // each of them, but not both
    for (int i = 0; i < 3; i++) {
        maker_buffer(gaps, FIF_TYPE_INT16, 0, 10);
        maker_int(gaps, FIF_DATA_SKIP, INT32_MAX / 15);
    }
    end_raw(gaps);
    assert_refused(*state, gaps, "after 1431655760 samples of them");
    g_autoptr(GByteArray) empty = begin_raw(0);
    end_raw(empty);
    assert_refused(*state, empty, "data: expected samples, found none");
    g_autoptr(GByteArray) negative = begin_raw(-5);
    maker_buffer(negative, FIF_TYPE_INT16, 0, 10);
    end_raw(negative);
    assert_refused(*state, negative, "expected a first sample of 0 or more, found -5");
}

static void rates_that_cannot_be_are_refused(void **state)
{
    static const float rates[] = {NAN, INFINITY, 0.0f, -100.0f, 1e8f, 1e-6f};
    for (size_t i = 0; i < G_N_ELEMENTS(rates); i++) {
        g_autoptr(GByteArray) file = maker_new();
        maker_info(file, 2, rates[i]);
        maker_start(file, FIF_BLOCK_RAW_DATA);
        maker_buffer(file, FIF_TYPE_INT16, 0, 10);
        end_raw(file);
        assert_refused(*state, file, "sampling rate: expected 0.001 to 1e+07 Hz, found");
    }
}

static void a_channel_without_gain_is_told(void **state)
{
    g_autoptr(GByteArray) file = maker_new();
    maker_start(file, FIF_BLOCK_MEAS);
    maker_start(file, FIF_BLOCK_MEAS_INFO);
    maker_int(file, FIF_NCHAN, 2);
    maker_float(file, FIF_SFREQ, 100.0f);
    maker_channel(file, "EEG 001", 2, 107, 1.0f, 0.0f);
    maker_channel(file, "EEG 001", 2, 107, 1.0f, 1.0f);
    maker_end(file, FIF_BLOCK_MEAS_INFO);
    maker_start(file, FIF_BLOCK_CONTINUOUS_DATA);
    maker_buffer(file, FIF_TYPE_INT16, 0, 10);
    maker_end(file, FIF_BLOCK_CONTINUOUS_DATA);
    maker_end(file, FIF_BLOCK_MEAS);
    maker_finish(file);
    g_autoptr(owned_recording) recording = open_made(*state, file);
    assert_int_equal(recording->warnings->len, 2);
    assert_non_null(strstr(recording->warnings->pdata[0], "gain (range x cal) of 0"));
    assert_non_null(strstr(recording->warnings->pdata[1], "names that stand twice"));
    assert_string_equal(recording->sensors->channel[1].name, "EEG 001-1");
}

static void active_shielding_is_told(void **state)
{
    g_autoptr(GByteArray) file = maker_new();
    maker_info(file, 2, 100.0f);
    maker_start(file, FIF_BLOCK_IAS_RAW_DATA);
    maker_buffer(file, FIF_TYPE_INT16, 0, 10);
    maker_end(file, FIF_BLOCK_IAS_RAW_DATA);
    maker_end(file, FIF_BLOCK_MEAS);
    maker_finish(file);
    g_autoptr(owned_recording) recording = open_made(*state, file);
    assert_true(recording_has_flag(recording, "maxshield"));
}

static void bads_projectors_and_long_names_belong_together(void **state)
{
    static const float across[] = {1.0f, 0.0f, 0.5f, 2.0f, 0.25f, 4.0f}; // 3 channels x 2
    g_autoptr(GByteArray) file = maker_new();
    maker_start(file, FIF_BLOCK_MEAS);
    maker_start(file, FIF_BLOCK_MEAS_INFO);
    maker_start(file, FIF_BLOCK_PROJ);
    maker_start(file, FIF_BLOCK_PROJ_ITEM);
    maker_int(file, FIF_NCHAN, 3);
    maker_string(file, FIF_COMMENT, "field");
    maker_string(file, FIF_PROJ_ITEM_CH_NAMES, "long name of ch:EEG 002:EEG 003");
    maker_int(file, FIF_PROJ_ITEM_NVEC, 2);
    maker_matrix(file, FIF_PROJ_ITEM_VECTORS, across, 3, 2);
    maker_end(file, FIF_BLOCK_PROJ_ITEM);
    maker_end(file, FIF_BLOCK_PROJ);
    maker_start(file, FIF_BLOCK_BAD_CHANNELS);
    maker_string(file, FIF_CH_NAMES, "long name of ch:EEG002:nobody");
    maker_end(file, FIF_BLOCK_BAD_CHANNELS);
    maker_int(file, FIF_NCHAN, 2);
    maker_float(file, FIF_SFREQ, 100.0f);
    maker_channel(file, "long name of ch", 2, 107, 1.0f, 1.0f);
    maker_channel(file, "EEG 002", 2, 107, 1.0f, 1.0f);
    for (int i = 0; i < 2; i++) {
        maker_start(file, FIF_BLOCK_CH_INFO);
        maker_string(file, FIF_CH_DACQ_NAME, i == 0 ? "long name of channel" : "EEG 002");
        maker_end(file, FIF_BLOCK_CH_INFO);
    }
    maker_end(file, FIF_BLOCK_MEAS_INFO);
    maker_start(file, FIF_BLOCK_RAW_DATA);
    maker_buffer(file, FIF_TYPE_INT16, 0, 10);
    end_raw(file);
    g_autoptr(owned_recording) recording = open_made(*state, file);
    const struct sensors *sensors = recording->sensors;
    assert_string_equal(sensors->channel[0].name, "long name of channel");
    assert_true(sensors->channel[0].bad);
    assert_true(sensors->channel[1].bad); // but for a space
    const struct projector *projector = sensors->projectors->pdata[0];
    assert_string_equal(projector->name, "field");
    assert_string_equal(projector->channels[0], "long name of channel");
    assert_int_equal(projector->n_vectors, 2);
    assert_true(projector->vectors[1] == 0.5 && projector->vectors[3] == 0.0);
    assert_false(projector->active);
}

static void annotations_count_from_their_origin(void **state)
{
    static const float onsets[] = {13.5f, 11.0f, NAN};
    static const float ends[] = {14.0f, 11.0f, 1.0f};
    static const uint8_t date[] = {0, 0, 0, 100, 0, 7, 0xa1, 0x20}; // 100 s, 500 000 us
    for (int has_origin = 0; has_origin < 2; has_origin++) {
        g_autoptr(GByteArray) file = maker_new();
        maker_start(file, FIF_BLOCK_MEAS);
        maker_start(file, FIF_BLOCK_MEAS_INFO);
        maker_tag(file, FIF_MEAS_DATE, FIF_TYPE_INT32, date, sizeof date);
        maker_int(file, FIF_NCHAN, 2);
        maker_float(file, FIF_SFREQ, 100.0f);
        maker_channel(file, "EEG 001", 2, 107, 1.0f, 1.0f);
        maker_channel(file, "EEG 002", 2, 107, 1.0f, 1.0f);
        maker_end(file, FIF_BLOCK_MEAS_INFO);
        maker_start(file, FIF_BLOCK_ANNOTATIONS);
        maker_floats(file, FIF_ANNOTATION_ONSET, onsets, 3);
        maker_floats(file, FIF_ANNOTATION_END, ends, 3);
        maker_string(file, FIF_COMMENT, "later{COLON} 1:sooner:never");
        if (has_origin)
            maker_float(file, FIF_MEAS_DATE, 102.5f);
        maker_end(file, FIF_BLOCK_ANNOTATIONS);
        maker_start(file, FIF_BLOCK_RAW_DATA);
        maker_int(file, FIF_FIRST_SAMPLE, 1000);
        maker_buffer(file, FIF_TYPE_INT16, 0, 800);
        end_raw(file);
        g_autoptr(owned_recording) recording = open_made(*state, file);
        const GArray *events = recording->sensors->events;
        double shift_s = has_origin ? 2.0 - 10.0 : -10.0;
        assert_int_equal(events->len, 2);
        const struct event *sooner = &g_array_index(events, struct event, 0);
        const struct event *later = &g_array_index(events, struct event, 1);
        assert_string_equal(sooner->text, "sooner");
        assert_string_equal(later->text, "later: 1");
        assert_close(sooner->onset_s, 11.0 + shift_s, 1e-9);
        assert_close(later->onset_s, 13.5 + shift_s, 1e-9);
        assert_close(later->duration_s, 0.5, 1e-9);
        assert_int_equal(recording->warnings->len, 1); // the one without a time
    }
}

// Split recordings.

/** A part that goes on in the file of this name or number (-1: none). */
static GByteArray *raw_that_goes_on(int first, int n, const char *name, int number)
{
    GByteArray *file = begin_raw(first);
    maker_buffer(file, FIF_TYPE_INT16, first, n);
    maker_start(file, FIF_BLOCK_REFERENCE);
    maker_int(file, FIF_REF_ROLE, 2);
    if (name != NULL)
        maker_string(file, FIF_REF_FILE_NAME, name);
    if (number >= 0)
        maker_int(file, FIF_REF_FILE_NUM, number);
    maker_end(file, FIF_BLOCK_REFERENCE);
    end_raw(file);
    return file;
}

static void files_are_joined_by_name_and_by_number(void **state)
{
    const struct fixture *fixture = *state;
    g_autoptr(GByteArray) first = raw_that_goes_on(0, 30, NULL, 1);
    g_autoptr(GByteArray) second = raw_that_goes_on(30, 40, NULL, 2);
    g_autoptr(GByteArray) third = raw_that_goes_on(70, 10, "last.fif", 3);
    g_autoptr(GByteArray) last = begin_raw(80);
    maker_start(last, FIF_BLOCK_REFERENCE); // to the file before it: not followed
    maker_int(last, FIF_REF_ROLE, 1);
    maker_string(last, FIF_REF_FILE_NAME, "/etc/passwd");
    maker_end(last, FIF_BLOCK_REFERENCE);
    maker_buffer(last, FIF_TYPE_INT16, 80, 20);
    end_raw(last);
    save(fixture, "x_raw-1.fif", second);
    save(fixture, "x_raw-2.fif", third);
    save(fixture, "last.fif", last);
    g_autoptr(owned_recording) recording = open_made(fixture, first);
    assert_int_equal(recording->n_time, 100);
    assert_int_equal(recording->warnings->len, 0);
    assert_counts(recording, 0, 100, 0);
    assert_counts(recording, 25, 60, 25);
}

static void files_that_do_not_follow_are_refused_or_told(void **state)
{
    const struct fixture *fixture = *state;
    static const struct {
        const char *name;
        const char *refusal;
    } rows[] = {
        {"../x_raw.fif", "expected a plain name in the same folder"},
        {"/etc/passwd", "expected a plain name in the same folder"},
        {"..", "expected a plain name in the same folder"},
        {"", "expected a plain name in the same folder"},
        {"x_raw.fif", "none of them twice"}, // itself
        {"absent.fif", "absent.fif: cannot open"},
        {"other.fif", "expected the channels and rate of the file before it"},
    };
    g_autoptr(GByteArray) other = maker_new();
    maker_info(other, 2, 250.0f);
    maker_start(other, FIF_BLOCK_RAW_DATA);
    maker_buffer(other, FIF_TYPE_INT16, 0, 10);
    end_raw(other);
    save(fixture, "other.fif", other);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) file = raw_that_goes_on(0, 10, rows[i].name, -1);
        assert_refused(fixture, file, rows[i].refusal);
    }
    g_autoptr(GByteArray) circle = raw_that_goes_on(10, 10, "x_raw.fif", -1);
    save(fixture, "x_raw-1.fif", circle);
    g_autoptr(GByteArray) first = raw_that_goes_on(0, 10, "x_raw-1.fif", -1);
    assert_refused(fixture, first, "none of them twice");

    g_autoptr(GByteArray) late = begin_raw(15); // five samples are missing
    maker_buffer(late, FIF_TYPE_INT16, 10, 10);
    end_raw(late);
    save(fixture, "x_raw-1.fif", late);
    g_autoptr(owned_recording) recording = open_made(fixture, first);
    assert_true(recording_has_flag(recording, "split"));
    assert_int_equal(recording->n_time, 20);
}

static void two_next_files_are_refused(void **state)
{
    g_autoptr(GByteArray) file = begin_raw(0);
    maker_buffer(file, FIF_TYPE_INT16, 0, 10);
    for (int i = 1; i <= 2; i++) {
        maker_start(file, FIF_BLOCK_REFERENCE);
        maker_int(file, FIF_REF_ROLE, 2);
        maker_int(file, FIF_REF_FILE_NUM, i);
        maker_end(file, FIF_BLOCK_REFERENCE);
    }
    end_raw(file);
    assert_refused(*state, file, "expected one next file, found two");
}

// Compressed files.

static void compressed_files_are_read_to_their_end(void **state)
{
    const struct fixture *fixture = *state;
    g_autoptr(GByteArray) file = begin_raw(0);
    for (int i = 0; i < 50; i++)
        maker_buffer(file, FIF_TYPE_FLOAT, 1000 * i, 1000);
    end_raw(file);
    g_autofree char *path = g_build_filename(fixture->folder, "x_raw.fif.gz", NULL);
    gzFile gz = gzopen(path, "wb");
    assert_int_equal(gzwrite(gz, file->data, file->len), file->len);
    assert_int_equal(gzclose(gz), Z_OK);
    struct io_context io = io_context_default();
    g_autoptr(owned_recording) recording = recording_open(path, &io, NULL);
    assert_non_null(recording);
    assert_true(recording->compressed);
    assert_int_equal(recording->n_members, 1);
    assert_counts(recording, 0, 50000, 0);

    GError *error = NULL;
    io.mem_limit = file->len / 2;
    assert_null(recording_open(path, &io, &error));
    assert_io_error(&error, IO_ERROR_MEMORY, "decompressed");
    io.mem_limit = file->len + 1000; // room for the contents, not for their index
    assert_null(recording_open(path, &io, &error));
    assert_io_error(&error, IO_ERROR_MEMORY, "too many for the memory");

    g_autofree char *bytes = NULL;
    size_t n = 0;
    assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    io = io_context_default();
    bytes[n - 5] ^= 1; // of the CRC
    g_autofree char *damaged = write_file(fixture->folder, "d.fif.gz", bytes, n);
    assert_null(recording_open(damaged, &io, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "CRC");
    g_autofree char *cut = write_file(fixture->folder, "c.fif.gz", bytes, n / 2);
    assert_null(recording_open(cut, &io, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "truncated");
}

// Averages.

static void begin_average(GByteArray *file, int32_t first, int32_t last, int32_t aspect)
{
    maker_start(file, FIF_BLOCK_EVOKED);
    maker_int(file, FIF_FIRST_SAMPLE, first);
    maker_int(file, FIF_LAST_SAMPLE, last);
    maker_string(file, FIF_COMMENT, "tone");
    maker_start(file, FIF_BLOCK_ASPECT);
    maker_int(file, FIF_ASPECT_KIND, aspect);
    maker_int(file, FIF_NAVE, 7);
}

static void end_average(GByteArray *file)
{
    maker_end(file, FIF_BLOCK_ASPECT);
    maker_end(file, FIF_BLOCK_EVOKED);
}

static void averages_stand_in_a_matrix_or_in_rows(void **state)
{
    static const float values[] = {1, 2, 3, 4, 5, 6, 7, 8};
    g_autoptr(GByteArray) file = maker_new();
    maker_info(file, 2, 100.0f);
    maker_start(file, FIF_BLOCK_PROCESSED_DATA);
    begin_average(file, -1, 2, 100);
    maker_matrix(file, FIF_EPOCH, values, 2, 4);
    end_average(file);
    begin_average(file, -1, 2, 101);
    maker_matrix(file, FIF_EPOCH, values, 1, 4);
    maker_floats(file, FIF_EPOCH, values + 4, 4);
    end_average(file);
    maker_end(file, FIF_BLOCK_PROCESSED_DATA);
    maker_end(file, FIF_BLOCK_MEAS);
    maker_finish(file);
    g_autoptr(owned_recording) recording = open_made(*state, file);
    const struct sensors *sensors = recording->sensors;
    assert_int_equal(sensors->n_parts, 2);
    assert_string_equal(sensors->part[0].name, "tone");
    assert_string_equal(sensors->part[1].name, "tone (standard error)");
    struct io_context io = io_context_default();
    for (size_t p = 0; p < 2; p++) {
        assert_close(sensors->part[p].start_s, -0.01, 1e-15);
        recording_choose(recording, p);
        assert_true(recording_read(recording, NULL, 0, 4, &io, NULL));
        for (size_t t = 0; t < 4; t++) {
            double found[2];
            recording_values(recording, t, 0, 2, found);
            assert_true(found[0] == 0.25 * values[t]); // cal alone, not range
            assert_true(found[1] == 0.25 * values[4 + t]);
        }
    }
}

static void averages_of_another_size_are_refused(void **state)
{
    static const float values[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const struct {
        int32_t first, last;
        size_t n_rows, n_columns;
        const char *refusal;
    } rows[] = {
        {0, 2, 2, 4, "expected 2 channels x 3 samples, found 2 x 4"},
        {0, 3, 1, 4, "expected samples of 2 channels, found 1"},
        {0, 1, 4, 2, "expected 2 channels x 2 samples, found 4 x 2"},
        {5, 2, 2, 4, "expected samples in order"},
        {INT32_MIN, INT32_MAX, 2, 4, "expected 2 channels x 4294967296 samples"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) file = maker_new();
        maker_info(file, 2, 100.0f);
        begin_average(file, rows[i].first, rows[i].last, 100);
        maker_matrix(file, FIF_EPOCH, values, rows[i].n_rows, rows[i].n_columns);
        end_average(file);
        maker_end(file, FIF_BLOCK_MEAS);
        maker_finish(file);
        assert_refused(*state, file, rows[i].refusal);
    }
}

static void files_of_another_kind_are_named(void **state)
{
    static const struct {
        int32_t block;
        const char *name;
    } rows[] = {{FIF_BLOCK_EPOCHS, "epochs: expected samples"},
                {FIF_BLOCK_FORWARD, "found a forward solution"},
                {FIF_BLOCK_COV, "found a noise covariance"},
                {999, "found something else"}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) file = maker_new();
        maker_info(file, 2, 100.0f);
        maker_start(file, rows[i].block);
        maker_end(file, rows[i].block);
        maker_end(file, FIF_BLOCK_MEAS);
        maker_finish(file);
        assert_refused(*state, file, rows[i].name);
    }
    g_autoptr(GByteArray) bare = maker_new();
    maker_start(bare, FIF_BLOCK_RAW_DATA);
    maker_buffer(bare, FIF_TYPE_INT16, 0, 10);
    maker_end(bare, FIF_BLOCK_RAW_DATA);
    maker_finish(bare);
    assert_refused(*state, bare, "found no description");
}

// Bytes changed at random: a recording or an error, and every sample of a recording can be read.
static void no_bytes_crash_it(void **state)
{
    (void) state;
    static const float values[] = {1, 2, 3, 4, 5, 6, 7, 8};
    g_autoptr(GByteArray) raw = begin_raw(100);
    for (int i = 0; i < 4; i++) {
        maker_int(raw, FIF_DATA_SKIP, 1);
        maker_buffer(raw, i % 2 == 0 ? FIF_TYPE_INT16 : FIF_TYPE_FLOAT, 10 * i, 10);
    }
    end_raw(raw);
    g_autoptr(GByteArray) averages = maker_new();
    maker_info(averages, 2, 100.0f);
    begin_average(averages, -1, 2, 100);
    maker_matrix(averages, FIF_EPOCH, values, 2, 4);
    end_average(averages);
    maker_end(averages, FIF_BLOCK_MEAS);
    maker_finish(averages);
    const GByteArray *files[] = {raw, averages};
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    struct io_context io = io_context_default();
    io.mem_limit = 1 << 20;
    for (int trial = 0; trial < 10000; trial++) {
        const GByteArray *file = files[trial % 2];
        g_autoptr(GByteArray) changed = g_byte_array_new();
        g_byte_array_append(changed, file->data, file->len);
        for (gint32 change = g_rand_int_range(rand, 1, 4); change > 0; change--) {
            gint32 at = g_rand_int_range(rand, 20, (gint32) file->len);
            changed->data[at] = (uint8_t) g_rand_int_range(rand, 0, 256);
        }
        GError *error = NULL;
        g_autoptr(owned_recording) recording =
            recording_open_bytes("x_raw.fif", changed->data, changed->len, &io, &error);
        assert_true((recording == NULL) == (error != NULL));
        g_clear_error(&error);
        if (recording == NULL || recording->n_time > 10000)
            continue;
        bool ok = recording_read(recording, NULL, 0, recording->n_time, &io, &error);
        assert_true(ok == (error == NULL));
        g_clear_error(&error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_those_of_other_readers),
        cmocka_unit_test(averages_and_projectors_are_those_of_other_readers),
        cmocka_unit_test_setup_teardown(buffers_of_every_type_and_size_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tags_of_one_sample_and_of_many_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gaps_are_zeros_and_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(buffers_that_cannot_be_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rates_that_cannot_be_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_channel_without_gain_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(active_shielding_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bads_projectors_and_long_names_belong_together, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(annotations_count_from_their_origin, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_are_joined_by_name_and_by_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_do_not_follow_are_refused_or_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(two_next_files_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(compressed_files_are_read_to_their_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(averages_stand_in_a_matrix_or_in_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(averages_of_another_size_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_of_another_kind_are_named, set_up, tear_down),
        cmocka_unit_test(no_bytes_crash_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
