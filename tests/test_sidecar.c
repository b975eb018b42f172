// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"

#include "io/sidecar.h"

#include <unistd.h>

static void the_name_goes_with_the_image(void **state)
{
    (void) state;
    static const char *const names[][2] = {{"a.nii", "a.json"},
                                           {"a.nii.gz", "a.json"},
                                           {"d.x/a.nii.gz", "d.x/a.json"},
                                           {"d.x/a", "d.x/a.json"},
                                           {"d/a.b.nii", "d/a.b.json"},
                                           {"a.npy", "a.json"},
                                           {"a_bold.img.gz", "a_bold.json"}};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = sidecar_path(names[i][0]);
        assert_string_equal(path, names[i][1]);
    }
}

/** The repetition time of a sidecar, or -1 and *error. */
static double interval_of(const char *folder, const char *text, GError **error)
{
    g_free(write_file(folder, "a.json", text, strlen(text)));
    g_autofree char *image = g_build_filename(folder, "a.nii.gz", NULL);
    g_autoptr(JsonObject) sidecar = sidecar_read(image, error);
    double interval_s = 0.0;
    if (sidecar == NULL || !sidecar_interval(sidecar, &interval_s, error))
        return -1.0;
    return interval_s;
}

static void the_repetition_time_is_a_number_of_seconds(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    GError *error = NULL;
    assert_close(interval_of(folder, "{\"RepetitionTime\": 0.72}", &error), 0.72, 0);
    assert_close(interval_of(folder, "{\"RepetitionTime\": 2}", &error), 2, 0);
    assert_close(interval_of(folder, "{\"RepetitionTime\": 735e-3, \"x\": [{}]}", &error), 0.735,
                 0);
    assert_close(interval_of(folder, "{}", &error), 0, 0);
    assert_null(error);
    static const char *const bad[] = {"0", "-2", "2000", "20.5", "\"2\"", "null", "[2]", "true"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *text = g_strdup_printf("{\"RepetitionTime\": %s}", bad[i]);
        assert_close(interval_of(folder, text, &error), -1, 0);
        assert_io_error(&error, IO_ERROR_INPUT, "RepetitionTime: expected more than 0");
    }
    remove_folder(folder);
}

static void what_is_no_json_object_is_refused_without_quoting_it(void **state)
{
    (void) state;
    static const char *const texts[][2] = {
        {"", "expected"},
        {"SECRET", "expected JSON"},
        {"{\"a\": SECRET}", "line 1: expected JSON"},
        {"{\n\n\"SECRET\": 1,,}", "expected JSON"},
        {"{\"SECRET\": 1", "expected JSON"},
        {"[1, 2]", "expected a JSON object"},
        {"\"SECRET\"", "expected a JSON object"},
        {"{\"SECRET\": \"\xff\xfe\"}", "expected JSON in UTF-8"},
        {"{'SECRET': 1}", "expected JSON"},
        {"{\"a\": 1 /* SECRET */}", "expected JSON"},
    };
    char *folder = temporary_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        GError *error = NULL;
        assert_close(interval_of(folder, texts[i][0], &error), -1, 0);
        assert_null(strstr(error->message, "SECRET"));
        assert_non_null(strstr(error->message, "/a.json: "));
        assert_io_error(&error, IO_ERROR_INPUT, texts[i][1]);
    }
    remove_folder(folder);
}

static void a_million_brackets_are_refused(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    enum { N = 1000000 };
    g_autofree char *text = g_malloc(N + 1);
    memset(text, '[', N);
    text[N] = '\0';
    GError *error = NULL;
    assert_close(interval_of(folder, text, &error), -1, 0);
    assert_io_error(&error, IO_ERROR_INPUT, "few levels");
    g_autofree char *large = g_malloc0((4 << 20) + 2);
    memset(large, ' ', (4 << 20) + 1);
    assert_close(interval_of(folder, large, &error), -1, 0);
    assert_io_error(&error, IO_ERROR_INPUT, "expected at most 4194304 bytes");
    remove_folder(folder);
}

static void an_absent_sidecar_is_no_error_but_a_broken_link_is(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *image = g_build_filename(folder, "a.nii", NULL);
    GError *error = NULL;
    assert_null(sidecar_read(image, &error));
    assert_null(error);
    g_autofree char *path = g_build_filename(folder, "a.json", NULL);
    assert_null(sidecar_read(path, &error)); // not its own
    assert_null(error);
    assert_int_equal(symlink("../.git/annex/objects/KEY", path), 0);
    assert_null(sidecar_read(image, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "annexed file not present (datalad get ");
    assert_int_equal(g_unlink(path), 0);
    assert_int_equal(g_mkdir(path, 0700), 0);
    assert_null(sidecar_read(image, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "found a folder");
    remove_folder(folder);
}

static void what_is_written_is_read_back(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "a.json", NULL);
    g_autofree char *image = g_build_filename(folder, "a.nii", NULL);
    g_autoptr(JsonObject) object = json_object_new();
    json_object_set_double_member(object, "RepetitionTime", 0.1 + 0.2);
    json_object_set_string_member(object, "Name", "\x1b[31m \"quoted\"\n\xc3\xa9");
    GError *error = NULL;
    assert_true(sidecar_write(path, object, false, &error));
    assert_false(sidecar_write(path, object, false, &error));
    assert_io_error(&error, IO_ERROR_EXISTS, "exists already");
    g_autoptr(JsonObject) again = sidecar_read(image, &error);
    double interval_s = 0.0;
    assert_true(sidecar_interval(again, &interval_s, &error));
    assert_true(interval_s == 0.1 + 0.2);
    assert_string_equal(json_object_get_string_member(again, "Name"),
                        json_object_get_string_member(object, "Name"));
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_null(strchr(text, '\x1b'));
    assert_true(g_str_has_suffix(text, "}\n"));
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_goes_with_the_image),
        cmocka_unit_test(the_repetition_time_is_a_number_of_seconds),
        cmocka_unit_test(what_is_no_json_object_is_refused_without_quoting_it),
        cmocka_unit_test(a_million_brackets_are_refused),
        cmocka_unit_test(an_absent_sidecar_is_no_error_but_a_broken_link_is),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
