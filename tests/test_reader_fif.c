// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"
#include "tests/meeg_truth.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_those_of_other_readers),
        cmocka_unit_test(averages_and_projectors_are_those_of_other_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
