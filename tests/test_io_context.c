// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"

#include "io/input.h"

#include <sys/stat.h>

static void a_warning_is_noted_once(void **state)
{
    (void) state;
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    io_warnings_add(warnings, g_strdup("a"));
    io_warnings_add(warnings, g_strdup("b"));
    io_warnings_add(warnings, g_strdup("a"));
    assert_int_equal(warnings->len, 2);
}

static void no_file_makes_more_than_a_hundred_warnings(void **state)
{
    (void) state;
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 5000; i++)
        io_warnings_add(warnings, g_strdup_printf("warning %d", i));
    assert_int_equal(warnings->len, 101);
    assert_string_equal(warnings->pdata[99], "warning 99");
    assert_string_equal(warnings->pdata[100], "further warnings are left out");
}

static void a_text_is_read_whole_and_ended(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    GError *error = NULL;
    size_t n = 0;
    g_autofree char *path = write_file(folder, "a", "a\0b", 3);
    g_autofree char *text = input_text(path, 3, &n, &error);
    assert_non_null(text);
    assert_int_equal(n, 3);
    assert_memory_equal(text, "a\0b", 4);
    remove_folder(folder);
}

static void what_is_too_long_or_no_file_is_no_text(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    GError *error = NULL;
    size_t n = 0;
    g_autofree char *path = write_file(folder, "a", "abc", 3);
    assert_null(input_text(path, 2, &n, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "/a: expected at most 2 bytes, found 3");
    assert_null(input_text(folder, 2, &n, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "found a folder");
    g_autofree char *pipe = g_build_filename(folder, "pipe", NULL);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_null(input_text(pipe, 2, &n, &error)); // and does not wait for somebody to write
    assert_io_error(&error, IO_ERROR_INPUT, "found a named pipe");
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_warning_is_noted_once),
        cmocka_unit_test(no_file_makes_more_than_a_hundred_warnings),
        cmocka_unit_test(a_text_is_read_whole_and_ended),
        cmocka_unit_test(what_is_too_long_or_no_file_is_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
