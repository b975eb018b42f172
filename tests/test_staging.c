// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"

#include "io/publish.h"
#include "io/staging.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void assert_holds(const char *folder, const char *name, const char *expected)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, expected);
}

static bool is_there(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void write_staged(struct staging *staging, const char *name, bool overwrite,
                         const char *text)
{
    GError *error = NULL;
    const char *path = staging_add(staging, name, overwrite);
    assert_true(publish_bytes(path, text, strlen(text), true, &error));
}

static struct staging *staging_in(const char *folder)
{
    GError *error = NULL;
    struct staging *staging = staging_new(folder, &error);
    assert_non_null(staging);
    return staging;
}

// A set of two.
static struct staging *two_staged_in(const char *folder, bool overwrite)
{
    struct staging *staging = staging_in(folder);
    write_staged(staging, "a", overwrite, "A");
    write_staged(staging, "b", overwrite, "B");
    return staging;
}

// The name "b" is somebody else's by now.
static void assert_commit_is_refused(struct staging *staging)
{
    GError *error = NULL;
    assert_false(staging_commit(staging, &error));
    assert_io_error(&error, IO_ERROR_EXISTS, "/b: exists already");
    staging_free(staging);
}

static void names_are_given_together(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    GError *error = NULL;
    struct staging *staging = two_staged_in(folder, false);
    assert_false(is_there(folder, "a") || is_there(folder, "b"));
    assert_true(staging_is_busy(folder));
    assert_true(staging_commit(staging, &error));
    assert_holds(folder, "a", "A");
    assert_holds(folder, "b", "B");
    staging_free(staging);
    assert_int_equal(count_files(folder), 2);
    assert_false(staging_is_busy(folder));
    remove_folder(folder);
}

static void what_appeared_meanwhile_is_kept_and_nothing_is_published(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    struct staging *staging = two_staged_in(folder, false);
    g_free(write_file(folder, "b", "theirs", 6));
    assert_commit_is_refused(staging);
    assert_holds(folder, "b", "theirs");
    assert_int_equal(count_files(folder), 1);
    remove_folder(folder);
}

static void what_changed_meanwhile_is_kept_and_older_outputs_come_back(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    GError *error = NULL;
    g_free(write_file(folder, "a", "older a", 7));
    g_free(write_file(folder, "b", "older b", 7));
    struct staging *staging = two_staged_in(folder, true);
    g_autofree char *b = g_build_filename(folder, "b", NULL);
    assert_true(publish_bytes(b, "theirs", 6, true, &error));
    assert_commit_is_refused(staging);
    assert_holds(folder, "a", "older a");
    assert_holds(folder, "b", "theirs");
    assert_int_equal(count_files(folder), 2);
    remove_folder(folder);
}

static void the_same_bytes_are_no_conflict(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    GError *error = NULL;
    struct staging *staging = staging_in(folder);
    write_staged(staging, "a", false, "same");
    write_staged(staging, "empty", false, "");
    g_free(write_file(folder, "a", "same", 4));
    g_free(write_file(folder, "empty", "", 0));
    assert_true(staging_commit(staging, &error));
    staging_free(staging);
    assert_int_equal(count_files(folder), 2);
    remove_folder(folder);
}

static void older_outputs_are_replaced_where_that_is_allowed(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    GError *error = NULL;
    g_free(write_file(folder, "a", "older", 5));
    struct staging *staging = staging_in(folder);
    write_staged(staging, "a", true, "newer");
    assert_true(staging_commit(staging, &error));
    staging_free(staging);
    assert_holds(folder, "a", "newer");
    assert_int_equal(count_files(folder), 1);
    remove_folder(folder);
}

// Another process publishes: it dies before the last name is given, or, `through`, right after.
static void die_in_commit(const char *folder, bool overwrite, bool through)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        GError *error = NULL;
        struct staging *staging = two_staged_in(folder, overwrite);
        if (!through) // a name that cannot be given
            staging_add(staging, "absent", false);
        staging_commit(staging, &error);
        _exit(0); // as killed: nothing is freed
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void names_that_a_dead_process_gave_are_taken_back(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    die_in_commit(folder, false, false);
    assert_holds(folder, "a", "A"); // the fault is there
    staging_sweep(folder);
    assert_int_equal(count_files(folder), 0);

    g_free(write_file(folder, "a", "older", 5));
    die_in_commit(folder, true, false);
    assert_holds(folder, "a", "A");
    staging_sweep(folder);
    assert_holds(folder, "a", "older");
    assert_int_equal(count_files(folder), 1);
    remove_folder(folder);
}

static void names_that_were_all_given_stay(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    die_in_commit(folder, false, true);
    staging_sweep(folder);
    assert_holds(folder, "a", "A");
    assert_holds(folder, "b", "B");
    assert_int_equal(count_files(folder), 2);
    remove_folder(folder);
}

static void a_name_that_is_another_file_by_now_is_not_taken_back(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    GError *error = NULL;
    die_in_commit(folder, false, false);
    g_autofree char *a = g_build_filename(folder, "a", NULL);
    assert_true(publish_bytes(a, "theirs", 6, true, &error));
    staging_sweep(folder);
    assert_holds(folder, "a", "theirs");
    assert_int_equal(count_files(folder), 1);
    remove_folder(folder);
}

static void a_link_in_the_place_of_a_hidden_folder_is_not_followed(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    char *elsewhere = temporary_folder();
    g_free(write_file(elsewhere, "precious", "p", 1));
    die_in_commit(folder, false, false);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL && !g_str_has_prefix(name, ".tmp-"))
        ;
    assert_non_null(name);
    g_autofree char *hidden = g_build_filename(folder, name, NULL);
    g_autofree char *moved = g_build_filename(folder, "moved", NULL);
    assert_int_equal(rename(hidden, moved), 0);
    assert_int_equal(symlink(elsewhere, hidden), 0);
    staging_sweep(folder);
    assert_holds(elsewhere, "precious", "p");
    assert_int_equal(unlink(hidden), 0);
    assert_int_equal(rename(moved, hidden), 0);
    staging_sweep(folder);
    assert_int_equal(count_files(folder), 0);
    remove_folder(folder);
    remove_folder(elsewhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_given_together),
        cmocka_unit_test(what_appeared_meanwhile_is_kept_and_nothing_is_published),
        cmocka_unit_test(what_changed_meanwhile_is_kept_and_older_outputs_come_back),
        cmocka_unit_test(the_same_bytes_are_no_conflict),
        cmocka_unit_test(older_outputs_are_replaced_where_that_is_allowed),
        cmocka_unit_test(names_that_a_dead_process_gave_are_taken_back),
        cmocka_unit_test(names_that_were_all_given_stay),
        cmocka_unit_test(a_name_that_is_another_file_by_now_is_not_taken_back),
        cmocka_unit_test(a_link_in_the_place_of_a_hidden_folder_is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
