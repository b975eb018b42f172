// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"

#include "io/publish.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void assert_holds(const char *path, const char *expected)
{
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, expected);
}

static void an_output_is_absent_until_it_is_committed(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "out", NULL);
    GError *error = NULL;
    g_autoptr(owned_publish) output = publish_new(path, false, &error);
    assert_non_null(output);
    assert_true(publish_write(output, "who", 3, &error));
    assert_true(publish_write(output, "le", 2, &error));
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    assert_int_equal(count_files(folder), 1); // the temporary is beside it
    assert_true(publish_commit(output, &error));
    assert_holds(path, "whole");
    assert_int_equal(count_files(folder), 1);
    remove_folder(folder);
}

static void an_output_that_is_dropped_leaves_the_older_one(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = write_file(folder, "out", "older", 5);
    GError *error = NULL;
    struct publish *output = publish_new(path, true, &error);
    assert_true(publish_write(output, "newer", 5, &error));
    publish_free(output);
    assert_holds(path, "older");
    assert_int_equal(count_files(folder), 1);
    remove_folder(folder);
}

static void an_output_that_is_there_is_kept_unless_told_otherwise(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = write_file(folder, "out", "older", 5);
    GError *error = NULL;
    assert_false(publish_bytes(path, "newer", 5, false, &error));
    assert_io_error(&error, IO_ERROR_EXISTS, "/out: exists already");
    assert_holds(path, "older");
    assert_true(publish_bytes(path, "newer", 5, true, &error));
    assert_holds(path, "newer");
    assert_int_equal(count_files(folder), 1);
    remove_folder(folder);
}

static void the_mode_is_that_of_any_new_file(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    static const mode_t masks[] = {0, 022, 027, 077};
    for (size_t i = 0; i < G_N_ELEMENTS(masks); i++) {
        g_autofree char *path = g_build_filename(folder, "out", NULL);
        mode_t before = umask(masks[i]);
        assert_true(publish_bytes(path, "x", 1, true, NULL));
        umask(before);
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0666 & ~masks[i]);
    }
    remove_folder(folder);
}

static void assert_refused(const char *path, const char *reason)
{
    GError *error = NULL;
    assert_false(publish_bytes(path, "x", 1, true, &error));
    assert_io_error(&error, IO_ERROR_OUTPUT, reason);
}

static void what_is_no_place_for_an_output_is_refused(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *nowhere = g_build_filename(folder, "absent", "out", NULL);
    assert_refused(nowhere, "absent/out: cannot write: No such file or directory");
    g_autofree char *file = write_file(folder, "file", "f", 1);
    g_autofree char *below = g_build_filename(file, "out", NULL);
    assert_refused(below, "cannot write: Not a directory");
    assert_refused(folder, "cannot write: Is a directory");
    assert_refused("", "cannot write");
    g_autofree char *slash = g_strconcat(folder, "/new/", NULL);
    assert_refused(slash, "cannot write: Is a directory");
    g_autofree char *dots = g_strconcat(folder, "/..", NULL);
    assert_refused(dots, "cannot write: Is a directory");
    g_autofree char *pipe = g_build_filename(folder, "pipe", NULL);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_refused(pipe, "not a regular file");
    assert_refused("/dev/full", "not a regular file");
    char name[300];
    memset(name, 'n', sizeof name);
    name[256] = '\0';
    g_autofree char *too_long = g_build_filename(folder, name, NULL);
    assert_refused(too_long, "File name too long");
    name[255] = '\0';
    g_autofree char *long_enough = g_build_filename(folder, name, NULL);
    assert_true(publish_bytes(long_enough, "x", 1, false, NULL));
    assert_int_equal(count_files(folder), 3);
    remove_folder(folder);
}

static void a_folder_that_may_not_be_written_is_refused(void **state)
{
    (void) state;
    if (geteuid() == 0) {
        print_message("skipped: root may write everywhere\n");
        skip();
    }
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "out", NULL);
    chmod(folder, 0500);
    assert_refused(path, "Permission denied");
    chmod(folder, 0700);
    remove_folder(folder);
}

static void links_are_replaced_not_followed(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *target = write_file(folder, "target", "older", 5);
    g_autofree char *link = g_build_filename(folder, "link", NULL);
    g_autofree char *dangling = g_build_filename(folder, "dangling", NULL);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(symlink("nowhere", dangling), 0);
    GError *error = NULL;
    assert_false(publish_bytes(link, "newer", 5, false, &error));
    assert_io_error(&error, IO_ERROR_EXISTS, "exists already");
    assert_false(publish_bytes(dangling, "newer", 5, false, &error));
    assert_io_error(&error, IO_ERROR_EXISTS, "exists already");
    assert_true(publish_bytes(link, "newer", 5, true, NULL));
    assert_holds(target, "older");
    assert_holds(link, "newer");
    assert_false(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
    remove_folder(folder);
}

static void a_folder_that_is_swapped_does_not_move_the_output(void **state)
{
    (void) state;
    char *outer = temporary_folder();
    g_autofree char *real = g_build_filename(outer, "real", NULL);
    g_autofree char *other = g_build_filename(outer, "other", NULL);
    g_autofree char *link = g_build_filename(outer, "link", NULL);
    assert_int_equal(g_mkdir(real, 0700) + g_mkdir(other, 0700) + symlink("real", link), 0);
    g_autofree char *path = g_build_filename(link, "out", NULL);
    g_autoptr(owned_publish) output = publish_new(path, false, NULL);
    assert_int_equal(g_unlink(link) + symlink("other", link), 0);
    assert_true(publish_write(output, "x", 1, NULL));
    assert_true(publish_commit(output, NULL));
    assert_int_equal(count_files(real), 1);
    assert_int_equal(count_files(other), 0);
    g_autofree char *made = g_build_filename(real, "out", NULL);
    g_unlink(made);
    remove_folder(outer);
}

static void a_failed_write_says_why_and_leaves_nothing(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = write_file(folder, "out", "older", 5);
    g_autofree char *bytes = g_malloc0(100000);
    // A limit on the size of files stands for a full disk: a short write, then an error.
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    struct rlimit small = {50000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    GError *error = NULL;
    bool written = publish_bytes(path, bytes, 100000, true, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_false(written);
    assert_io_error(&error, IO_ERROR_OUTPUT, "/out: cannot write: File too large");
    assert_holds(path, "older");
    assert_int_equal(count_files(folder), 1);
    remove_folder(folder);
}

/** The number of a process that is no more. */
static long dead_process(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    return pid;
}

/** A name as temporaries have, of another process. */
static char *name_of(const char *prefix, long pid)
{
    g_autofree char *own = g_strdup_printf("-%ld-", (long) getpid());
    char *at = g_strrstr(prefix, own);
    assert_non_null(at);
    return g_strdup_printf("%.*s-%ld-%s%08x", (int) (at - prefix), prefix, pid, at + strlen(own),
                           0x1234u);
}

static void only_what_the_dead_left_is_swept(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *prefix = publish_temporary_prefix();
    long dead = dead_process();
    g_autofree char *left_over = name_of(prefix, dead);
    g_autofree char *alive = name_of(prefix, (long) getppid());
    g_autofree char *of_dead = g_strdup_printf("-%ld-", dead);
    g_autofree char *elsewhere = g_strdup_printf(".tmp-another-host%s1-00000000", of_dead);
    g_autofree char *container = g_strdup(left_over);
    *(strrchr(container, '-') - 1) ^= 1; // another namespace
    g_autofree char *cut = g_strndup(left_over, strlen(left_over) - 12);
    assert_true(publish_is_left_over(left_over));
    const char *const kept[] = {alive, elsewhere, container, cut, "out.nii.gz", ".tmp-", ".tmp-x"};
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        assert_false(publish_is_left_over(kept[i]));
        g_free(write_file(folder, kept[i], "x", 1));
    }
    g_autofree char *path = write_file(folder, left_over, "x", 1);
    publish_sweep(folder);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    assert_int_equal(count_files(folder), G_N_ELEMENTS(kept));
    publish_sweep("/absent"); // no folder, nothing to do
    remove_folder(folder);
}

static void names_are_made_printable_in_messages(void **state)
{
    (void) state;
    assert_refused("/absent/\x1b[31m\n\xff%s", "/absent/\\x1b[31m\\x0a\\xff%s: cannot write");
}

static void an_output_that_was_named_by_a_killed_process_is_taken_back(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "out", NULL);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        // As it is between its name and the end of its temporary.
        struct publish *output = publish_new(path, false, NULL);
        g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
        const char *name = dir == NULL ? NULL : g_dir_read_name(dir);
        g_autofree char *hidden = g_build_filename(folder, name, NULL);
        _exit(output != NULL && link(hidden, path) == 0 ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(count_files(folder), 2);
    publish_sweep(folder);
    assert_int_equal(count_files(folder), 0);
    remove_folder(folder);
}

static void an_output_that_appeared_meanwhile_is_kept(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree char *path = g_build_filename(folder, "out", NULL);
    GError *error = NULL;
    struct publish *output = publish_new(path, false, &error);
    assert_true(publish_write(output, "ours", 4, &error));
    g_free(write_file(folder, "out", "theirs", 6));
    assert_false(publish_commit(output, &error));
    assert_io_error(&error, IO_ERROR_EXISTS, "/out: exists already");
    publish_free(output);
    assert_holds(path, "theirs");
    assert_int_equal(count_files(folder), 1);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_output_is_absent_until_it_is_committed),
        cmocka_unit_test(an_output_that_is_dropped_leaves_the_older_one),
        cmocka_unit_test(an_output_that_is_there_is_kept_unless_told_otherwise),
        cmocka_unit_test(the_mode_is_that_of_any_new_file),
        cmocka_unit_test(what_is_no_place_for_an_output_is_refused),
        cmocka_unit_test(a_folder_that_may_not_be_written_is_refused),
        cmocka_unit_test(links_are_replaced_not_followed),
        cmocka_unit_test(a_folder_that_is_swapped_does_not_move_the_output),
        cmocka_unit_test(a_failed_write_says_why_and_leaves_nothing),
        cmocka_unit_test(only_what_the_dead_left_is_swept),
        cmocka_unit_test(names_are_made_printable_in_messages),
        cmocka_unit_test(an_output_that_was_named_by_a_killed_process_is_taken_back),
        cmocka_unit_test(an_output_that_appeared_meanwhile_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
