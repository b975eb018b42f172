// SPDX-License-Identifier: BSD-3-Clause
// What jobs are given, without a program around them.
#include "tests/check.h"

#include "app/host/host.h"
#include "app/host/warnings.h"

#include <glib/gstdio.h>
#include <string.h>

/** A listener that notes what it hears. */
struct ear {
    struct host_say say;
    GString *heard; // owned
};

static void hear_line(struct host_say *self, enum host_line kind, const char *text)
{
    static const char letters[] = {
        [HOST_DETAIL] = 'd', [HOST_INFO] = 'i', [HOST_WARNING] = 'w', [HOST_ERROR] = 'e'};
    g_string_append_printf(((struct ear *) self)->heard, "%c:%s ", letters[kind], text);
}

static void hear_hold(struct host_say *self, bool held)
{
    g_string_append(((struct ear *) self)->heard, held ? "hold " : "accept ");
}

static void hear_stage(struct host_say *self, const char *name)
{
    g_string_append_printf(((struct ear *) self)->heard, "[%s] ", name == NULL ? "" : name);
}

static void hear_progress(struct host_say *self, double fraction)
{
    g_string_append_printf(((struct ear *) self)->heard, "%g ", fraction);
}

static void hear_value(struct host_say *self, const char *name, double value)
{
    g_string_append_printf(((struct ear *) self)->heard, "%s=%g ", name, value);
}

static struct ear ear_new(void)
{
    return (struct ear){{hear_line, hear_hold, hear_stage, hear_progress, hear_value},
                        g_string_new(NULL)};
}

static void say_everything(const struct host *host)
{
    host_hold(host);
    host_detail(host, "%d", 1);
    host_info(host, "%s", "two");
    host_warning(host, "three");
    host_error(host, "four");
    host_accept(host);
    host_progress_begin(host, "solve");
    host_progress(host, 0.5);
    host_progress_value(host, "loss", 2.0);
    host_progress_end(host);
}

static void what_a_job_says_reaches_the_listener_in_order(void **state)
{
    (void) state;
    struct ear ear = ear_new();
    struct host host = {.say = &ear.say};
    say_everything(&host);
    assert_string_equal(ear.heard->str,
                        "hold d:1 i:two w:three e:four accept [solve] 0.5 loss=2 [] ");
    g_string_free(ear.heard, TRUE);
}

static void a_job_without_a_listener_is_silent(void **state)
{
    (void) state;
    struct host host = {0};
    say_everything(&host);
}

static void a_stopped_host_says_so(void **state)
{
    (void) state;
    atomic_bool stop = false;
    struct host host = {.stop = &stop};
    g_autoptr(GError) error = NULL;
    assert_false(host_stopped(&host, &error));
    assert_null(error);
    atomic_store(&stop, true);
    assert_true(host_stopped(&host, &error));
    assert_true(g_error_matches(error, APP_ERROR, APP_ERROR_STOPPED));
}

static void an_output_is_refused_unless_it_may_go(void **state)
{
    (void) state;
    struct host host = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("host-XXXXXX", &error);
    assert_non_null(folder);
    g_autofree char *path = g_build_filename(folder, "out", NULL);
    assert_true(host_check_output(&host, path, false, &error));
    assert_true(g_file_set_contents(path, "x", 1, &error));
    assert_false(host_check_output(&host, path, false, &error));
    assert_true(g_error_matches(error, IO_ERROR, IO_ERROR_EXISTS));
    g_clear_error(&error);
    assert_true(host_check_output(&host, path, true, &error));
    host.force = true;
    assert_true(host_check_output(&host, path, false, &error));
    g_autofree char *nowhere = g_build_filename(folder, "absent", "out", NULL);
    assert_false(host_check_output(&host, nowhere, false, &error));
    assert_true(g_error_matches(error, APP_ERROR, APP_ERROR_OUTPUT));
    g_unlink(path);
    g_rmdir(folder);
}

static void a_warning_is_told_once_and_counted(void **state)
{
    (void) state;
    struct ear ear = ear_new();
    struct host host = {.say = &ear.say};
    struct warnings warnings, copy;
    warnings_init(&warnings);
    for (int i = 0; i < 3; i++)
        warnings_tell(&warnings, &host, "%s", "again");
    warnings_tell(&warnings, &host, "once");
    warnings_copy(&copy, &warnings);
    warnings_tell(&copy, &host, "again");
    assert_string_equal(ear.heard->str, "w:again w:once ");
    assert_int_equal(warnings.all->len, 2);
    g_autoptr(JsonArray) told = warnings_to_json(&copy);
    JsonObject *first = json_array_get_object_element(told, 0);
    assert_int_equal(json_array_get_length(told), 2);
    assert_string_equal(json_object_get_string_member(first, "text"), "again");
    assert_int_equal(json_object_get_int_member(first, "count"), 4);
    warnings_clear(&warnings);
    warnings_clear(&copy);
    g_string_free(ear.heard, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_job_says_reaches_the_listener_in_order),
        cmocka_unit_test(a_job_without_a_listener_is_silent),
        cmocka_unit_test(a_stopped_host_says_so),
        cmocka_unit_test(an_output_is_refused_unless_it_may_go),
        cmocka_unit_test(a_warning_is_told_once_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
