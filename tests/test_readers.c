// SPDX-License-Identifier: BSD-3-Clause
// What every reader of the table has to keep, whoever adds one. Its sample is a small file of
// tests/data/readers that has its name, with at least four series of twelve samples.
#include "tests/golden.h"

#include "io/reader.h"

#include <math.h>
#include <string.h>

enum { LEAST_SERIES = 4, LEAST_TIME = 12, STEP = 7 };

static char *folder_of_samples(void)
{
    return g_build_filename(g_getenv("TAUT_GOLDEN"), "readers", NULL);
}

// The file NAME.ANYTHING that the reader of that name takes for its own. Owned.
static char *sample_of(const struct reader *reader)
{
    g_autofree char *folder = folder_of_samples();
    g_autofree char *stem = g_strconcat(reader->name, ".", NULL);
    GDir *dir = g_dir_open(folder, 0, NULL);
    assert_non_null(dir);
    char *path = NULL;
    for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir))
        if (path == NULL && g_str_has_prefix(name, stem) && reader->recognise(name, NULL, 0))
            path = g_build_filename(folder, name, NULL);
    g_dir_close(dir);
    if (path == NULL)
        fail_msg("%s: expected a sample in %s, %s*", reader->name, folder, stem);
    return path;
}

static struct recording *open_sample(const struct reader *reader)
{
    g_autofree char *path = sample_of(reader);
    struct io_context io = io_context_default();
    g_autoptr(GError) error = NULL;
    struct recording *recording = recording_open(path, &io, &error);
    if (recording == NULL)
        fail_msg("%s: %s", reader->name, error->message);
    return recording;
}

static void read_or_fail(struct recording *recording, const uint8_t *mask, size_t first,
                         size_t count)
{
    struct io_context io = io_context_default();
    g_autoptr(GError) error = NULL;
    if (!recording_read(recording, mask, first, count, &io, &error))
        fail_msg("%s", error->message);
}

static double value_at(const struct recording *recording, size_t t, size_t v)
{
    double value;
    recording_values(recording, t, v, 1, &value);
    return value;
}

static void every_reader_is_whole_and_in_order(void **state)
{
    (void) state;
    size_t n;
    const struct reader *const *all = readers(&n);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || g_ascii_strcasecmp(all[i - 1]->name, all[i]->name) < 0);
        assert_true(all[i]->recognise != NULL && all[i]->open != NULL);
        assert_true(all[i]->frames != NULL && all[i]->close != NULL);
        assert_false(all[i]->recognise("nothing", NULL, 0));
    }
}

static void every_sample_is_read_by_its_own_reader(void **state)
{
    (void) state;
    size_t n;
    const struct reader *const *all = readers(&n);
    for (size_t i = 0; i < n; i++) {
        g_autoptr(owned_recording) recording = open_sample(all[i]);
        assert_ptr_equal(recording->reader, all[i]);
        assert_true(recording->n_series >= LEAST_SERIES && recording->n_time >= LEAST_TIME);
        assert_true(strlen(recording->format) > 0 && strlen(recording->datatype) > 0);
        read_or_fail(recording, NULL, 0, recording->n_time);
        bool varies = false;
        for (size_t t = 0; t < recording->n_time; t++)
            for (size_t v = 0; v < recording->n_series; v++) {
                assert_true(isfinite(value_at(recording, t, v)));
                varies |= value_at(recording, t, v) != value_at(recording, 0, v);
            }
        assert_true(varies);
    }
}

static void a_selection_is_what_all_of_it_has_there(void **state)
{
    (void) state;
    size_t n;
    const struct reader *const *all = readers(&n);
    for (size_t i = 0; i < n; i++) {
        g_autoptr(owned_recording) whole = open_sample(all[i]);
        g_autoptr(owned_recording) some = open_sample(all[i]);
        size_t n_time = whole->n_time, n_series = whole->n_series;
        g_autofree uint8_t *mask = g_new0(uint8_t, n_series);
        for (size_t v = 1; v < n_series; v++) // runs of one and of two, the last series among them
            mask[v] = v % 4 != 2 || v == n_series - 1;
        read_or_fail(whole, NULL, 0, n_time);
        read_or_fail(some, mask, 3, n_time - 5);
        assert_int_equal(some->n_time, n_time - 5);
        for (size_t t = 0; t < some->n_time; t++)
            for (size_t v = 0, at = 0; v < n_series; v++)
                if (mask[v] != 0)
                    assert_close(value_at(some, t, at++), value_at(whole, t + 3, v), 0.0);
    }
}

static void a_scan_finds_the_means_of_what_is_read(void **state)
{
    (void) state;
    size_t n;
    const struct reader *const *all = readers(&n);
    struct io_context io = io_context_default();
    for (size_t i = 0; i < n; i++) {
        g_autoptr(owned_recording) recording = open_sample(all[i]);
        size_t n_series = recording->n_series, n_time = recording->n_time;
        g_autofree double *mean = g_new(double, n_series);
        struct recording_moments moments = {.mean = mean};
        struct recording_summary summary;
        for (size_t pass = 0; pass < 2; pass++) // frames may be called again
            assert_true(recording_scan(recording, &summary, &moments, &io, NULL));
        assert_int_equal(summary.n_series, n_series);
        assert_int_equal(summary.n_nonfinite_samples, 0);
        read_or_fail(recording, NULL, 0, n_time);
        for (size_t v = 0; v < n_series; v++) {
            double sum = 0.0;
            for (size_t t = 0; t < n_time; t++)
                sum += recording->type == SAMPLE_FLOAT
                           ? (double) recording->samples.f[t * n_series + v]
                           : recording->samples.d[t * n_series + v];
            double expected = recording->scale * sum / (double) n_time + recording->offset;
            assert_close(mean[v], expected, 1e-12 * (1.0 + fabs(expected)));
        }
    }
}

static bool refuse_to_go_on(void *data G_GNUC_UNUSED, double fraction G_GNUC_UNUSED)
{
    return false;
}

static void a_reading_that_is_stopped_says_so(void **state)
{
    (void) state;
    size_t n;
    const struct reader *const *all = readers(&n);
    for (size_t i = 0; i < n; i++) {
        g_autoptr(owned_recording) recording = open_sample(all[i]);
        struct io_context io = io_context_default();
        io.go_on = refuse_to_go_on;
        g_autoptr(GError) error = NULL;
        assert_false(recording_read(recording, NULL, 0, recording->n_time, &io, &error));
        assert_true(g_error_matches(error, IO_ERROR, IO_ERROR_CANCELLED));
    }
}

// Bytes that may be anything are read, or refused in one line that begins with their name.
static void take_anything(const char *path, const void *bytes, size_t n_bytes)
{
    struct io_context io = io_context_default();
    io.mem_limit = 64 << 20;
    g_autoptr(GError) error = NULL;
    g_autoptr(owned_recording) recording = recording_open_bytes(path, bytes, n_bytes, &io, &error);
    bool read =
        recording != NULL && recording_read(recording, NULL, 0, recording->n_time, &io, &error);
    assert_true(read == (error == NULL));
    if (read || error == NULL)
        return;
    g_autofree char *folder = folder_of_samples();
    assert_true(g_str_has_prefix(error->message, folder));
    assert_null(strchr(error->message, '\n'));
}

static void a_damaged_file_is_refused_in_one_line_or_read(void **state)
{
    (void) state;
    size_t n;
    const struct reader *const *all = readers(&n);
    for (size_t i = 0; i < n; i++) {
        g_autofree char *path = sample_of(all[i]);
        g_autofree char *bytes = NULL;
        gsize n_bytes = 0;
        assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
        for (size_t at = 0; at < n_bytes; at += at < 512 ? 1 : STEP) {
            take_anything(path, bytes, at);
            bytes[at] ^= 0x55;
            take_anything(path, bytes, n_bytes);
            bytes[at] ^= 0x55;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_file_is_refused_in_one_line_or_read),
        cmocka_unit_test(a_reading_that_is_stopped_says_so),
        cmocka_unit_test(a_scan_finds_the_means_of_what_is_read),
        cmocka_unit_test(a_selection_is_what_all_of_it_has_there),
        cmocka_unit_test(every_reader_is_whole_and_in_order),
        cmocka_unit_test(every_sample_is_read_by_its_own_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
