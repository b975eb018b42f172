// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "app/host/app_error.h"
#include "app/settings/deconv_options.h"
#include "app/settings/tables.h"
#include "io/io_context.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/** A folder of its own for each test. */
struct folder {
    char *path;
};

static int make_folder(void **state)
{
    struct folder *folder = g_new0(struct folder, 1);
    folder->path = g_dir_make_tmp("taut-settings-XXXXXX", NULL);
    *state = folder;
    return folder->path == NULL;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    g_autofree char *file = g_build_filename(folder->path, "t.ini", NULL);
    g_unlink(file);
    g_rmdir(folder->path);
    g_free(folder->path);
    g_free(folder);
    return 0;
}

// Loads a configuration of that text, with some assignments after it; the problems as one text.
static char *problems_of(void **state, const char *text, const char *assignment,
                         struct options **settings)
{
    struct folder *folder = *state;
    g_autofree char *path = g_build_filename(folder->path, "t.ini", NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    g_autoptr(owned_options) loaded = options_new(&deconv_options);
    g_autoptr(GError) error = NULL;
    assert_true(options_load(loaded, path, &error));
    assert_null(error);
    if (assignment != NULL)
        options_assign(loaded, assignment);
    assert_true(options_end(loaded, path, &error) == (error == NULL));
    if (error != NULL)
        assert_true(g_error_matches(error, APP_ERROR, APP_ERROR_CONFIG));
    g_autoptr(GString) problems = g_string_new(error == NULL ? "" : error->message);
    g_autofree char *prefix = g_strconcat(folder->path, "/", NULL);
    g_string_replace(problems, prefix, "", 0);
    if (settings != NULL)
        *settings = g_steal_pointer(&loaded);
    return g_strdup(problems->str);
}

static struct option_slot *bold_of(const struct options *options)
{
    return options_find_key(options, "input", "bold");
}

#define GOOD "[input]\nbold = a.nii\n[output]\nfolder = out\n"

static void the_template_names_every_key_and_is_a_configuration(void **state)
{
    g_autofree char *template = options_template(&deconv_options);
    g_autofree char *problems = problems_of(state, template, NULL, NULL);
    assert_non_null(strstr(problems, "t.ini: [input] bold is required"));
    assert_non_null(strstr(problems, "t.ini: [output] folder is required"));
    g_auto(GStrv) lines = g_strsplit(problems, "\n", -1);
    assert_int_equal(g_strv_length(lines), 2);
}

static void all_problems_are_told_at_once_in_the_order_of_the_lines(void **state)
{
    g_autofree char *problems = problems_of(state,
                                            "# a comment\n"
                                            "[solver]\n"
                                            "name = fsta\n"
                                            "lambda = 0,1\n"
                                            "max_itr = 5\n"
                                            "lambda 0.1\n"
                                            "lambda = 0.2\n"
                                            "tol = 1.5\n"
                                            "[output]\n"
                                            "folder = out\n"
                                            "[unknown]\n"
                                            "anything = 1\n",
                                            NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(problems, "\n", -1);
    static const char *const expected[] = {
        "t.ini:3: name = \"fsta\" is none of ",
        ("t.ini:4: lambda = \"0,1\" is not a number (use a point for decimals; comments go on "
         "their own line)"),
        "t.ini:5: unknown key \"max_itr\" in [solver] (did you mean [solver] max_iter?)",
        "t.ini:6: expected \"key = value\", got \"lambda 0.1\"",
        "t.ini:7: [solver] lambda given twice (first on line 4)",
        "t.ini:8: tol = 1.5 is outside 0..1",
        "t.ini:12: unknown key \"anything\" in [unknown]",
        "t.ini: [input] bold is required",
    };
    assert_int_equal(g_strv_length(lines), G_N_ELEMENTS(expected));
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        assert_true(g_str_has_prefix(lines[i], expected[i]));
    assert_non_null(strstr(lines[0], "(did you mean fista?)"));
}

static void a_bad_value_of_any_type_is_refused(void **state)
{
    static const char *const bad[] = {
        "[input]\ntr = 0",
        "[input]\ntr = -2",
        "[input]\ntr = nan",
        "[input]\ntr = 2 s",
        "[input]\ntr = 21",
        "[input]\ndrop = 1.5",
        "[input]\ndrop = -1",
        "[input]\nframes = 10",
        "[input]\nframes = 0:0",
        "[input]\nframes = 1:2:3",
        "[input]\nframes = a:b",
        "[input]\nmask =",
        "[clean]\ndetrend = cosine",
        "[clean]\ndetrend = cosine:0",
        "[clean]\ndetrend = quadratic",
        "[clean]\nbandpass = 0.1:0.01",
        "[clean]\nbandpass = :",
        "[clean]\nbandpass = 0.1",
        "[clean]\nstandardize = z",
        "[response]\nhrf = spn",
        "[response]\nhrf = spm:delays=6",
        "[response]\nconv = valid",
        "[solver]\nlambda = -0.1",
        "[solver]\nlambda = inf",
        "[solver]\nlambda_rule = map:",
        "[solver]\nlambda_rule = best",
        "[solver]\nmax_iter = 0",
        "[solver]\nstrict = yes",
        "[output]\nsave = activity,everything",
        "[output]\ncompression = 9",
        "[output]\nfolder = out\\",
        "key = value",
        "[input",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *text = g_strconcat("[input]\nbold = a.nii\n", bad[i], "\n", NULL);
        g_autofree char *problems = problems_of(state, text, NULL, NULL);
        g_autofree char *first = g_strndup(problems, strcspn(problems, "\n"));
        if (!g_str_has_prefix(first, "t.ini:3: ") && !g_str_has_prefix(first, "t.ini:4: "))
            fail_msg("%s: %s", bad[i], problems);
    }
}

static void assignments_come_after_the_file(void **state)
{
    g_autoptr(owned_options) settings = NULL;
    g_autofree char *problems = problems_of(state, GOOD "[solver]\nlambda = 0.3\ntol = 1e-3\n",
                                            "solver.lambda=0.05", &settings);
    assert_string_equal(problems, "");
    struct run_options run;
    assert_true(deconv_options_fill(settings, &run, NULL));
    assert_close(run.lambda, 0.05, 0.0);
    assert_close(run.solving.tol, 1e-3, 0.0);
    assert_int_equal(run.solving.max_iter, 100000);
    assert_int_equal(run.conv, HRF_CONV_CAUSAL);
    assert_true(run.auto_mask && run.mask == NULL);
}

static void a_bad_assignment_is_a_problem_beside_the_others(void **state)
{
    static const char *const bad[] = {"solver.lambda",   "lambda=1", "solver.lamda=1",
                                      "solver.lambda=x", "=",        ""};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *problems = problems_of(state, GOOD "[solver]\ntol = x\n", bad[i], NULL);
        g_auto(GStrv) lines = g_strsplit(problems, "\n", -1);
        assert_int_equal(g_strv_length(lines), 2);
        assert_true(g_str_has_prefix(lines[0], "t.ini:6: tol = "));
        assert_true(g_str_has_prefix(lines[1], "--set "));
    }
}

static void an_absent_or_binary_configuration_is_an_unreadable_input(void **state)
{
    struct folder *folder = *state;
    g_autoptr(owned_options) settings = options_new(&deconv_options);
    g_autofree char *path = g_build_filename(folder->path, "t.ini", NULL);
    g_autoptr(GError) absent = NULL;
    assert_false(options_load(settings, path, &absent));
    assert_true(g_error_matches(absent, IO_ERROR, IO_ERROR_INPUT));
    assert_non_null(strstr(absent->message, "No such file"));
    assert_true(g_file_set_contents(path, "[a]\0b", 5, NULL));
    g_autoptr(GError) binary = NULL;
    assert_false(options_load(settings, path, &binary));
    assert_true(g_error_matches(binary, APP_ERROR, APP_ERROR_INPUT));
    g_autoptr(GError) not_a_file = NULL;
    assert_false(options_load(settings, folder->path, &not_a_file));
    assert_true(g_error_matches(not_a_file, IO_ERROR, IO_ERROR_INPUT));
}

static void paths_are_relative_to_their_file(void **state)
{
    struct folder *folder = *state;
    g_autoptr(owned_options) settings = NULL;
    g_autofree char *problems = problems_of(
        state, "[input]\nbold = a.nii; /b.nii ;c\\;d.nii\nmask = m.nii\n[output]\nfolder = o\n",
        NULL, &settings);
    assert_string_equal(problems, "");
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) paths = options_paths(bold_of(settings), NULL, &error);
    assert_null(error);
    assert_int_equal(paths->len, 3);
    g_autofree char *first = g_build_filename(folder->path, "a.nii", NULL);
    g_autofree char *third = g_build_filename(folder->path, "c;d.nii", NULL);
    assert_string_equal(g_ptr_array_index(paths, 0), first);
    assert_string_equal(g_ptr_array_index(paths, 1), "/b.nii");
    assert_string_equal(g_ptr_array_index(paths, 2), third);
}

static void patterns_match_in_order_or_are_refused(void **state)
{
    struct folder *folder = *state;
    g_autoptr(owned_options) settings = NULL;
    g_autofree char *problems = problems_of(
        state, "[input]\nbold = *.i[n]i\nmask = {stem}_x?\n[output]\nfolder = {folder}/o\n", NULL,
        &settings);
    assert_string_equal(problems, "");
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) found = options_paths(bold_of(settings), NULL, &error);
    assert_null(error);
    assert_int_equal(found->len, 1);
    g_autofree char *itself = g_build_filename(folder->path, "t.ini", NULL);
    assert_string_equal(g_ptr_array_index(found, 0), itself);
    g_autoptr(GPtrArray) none =
        options_paths(options_find(settings, "mask"), "/data/sub-1*_bold.nii.gz", &error);
    assert_null(none);
    assert_true(g_error_matches(error, APP_ERROR, APP_ERROR_INPUT));
    assert_non_null(strstr(error->message, "sub-1\\*_x?"));
    g_autoptr(GError) problem = NULL;
    g_autoptr(GPtrArray) filled =
        options_paths(options_find(settings, "output"), "/data/{x}/sub-1.nii", &problem);
    assert_null(problem);
    assert_string_equal(g_ptr_array_index(filled, 0), "/data/{x}/o");
}

static void a_path_given_as_an_option_is_taken_by_the_letter(void **state)
{
    static const char *const names[] = {"a b.nii", "a;b*.nii",     " leading",  "trailing ",
                                        "{stem}",  "back\\slash",  "new\nline", "\xe9t\xe9",
                                        "[x]?",    "na\xc3\xafve", "-dash",     "$(id)"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(owned_options) settings = options_new(&deconv_options);
        options_put_path(bold_of(settings), names[i]);
        options_put_path(options_find(settings, "output"), "out");
        options_give(settings, options_find(settings, "mask"), names[i]);
        g_autoptr(GError) error = NULL;
        assert_true(options_end(settings, "-", &error));
        g_autoptr(GPtrArray) bold = options_paths(bold_of(settings), "f/s.nii", &error);
        assert_non_null(bold);
        assert_string_equal(g_ptr_array_index(bold, 0), names[i]);

        // and so it is after a dump
        g_autofree char *dump = options_dump(settings, "two\nlines");
        g_autoptr(owned_options) again = NULL;
        g_autofree char *problems = problems_of(state, dump, NULL, &again);
        assert_string_equal(problems, "");
        g_autofree char *absolute = g_canonicalize_filename(names[i], NULL);
        g_autoptr(GPtrArray) mask = options_paths(options_find(again, "mask"), "f/s.nii", &error);
        assert_non_null(mask);
        assert_int_equal(mask->len, 1);
        assert_string_equal(g_ptr_array_index(mask, 0), absolute);
    }
}

static void a_dump_gives_the_same_settings_again(void **state)
{
    g_autoptr(owned_options) settings = NULL;
    g_autofree char *problems =
        problems_of(state,
                    GOOD "[clean]\nbandpass = 0.01:\n[response]\nhrf = glover:ratio=0.35\n"
                         "[solver]\nlambda_rule = map:l.nii\n[output]\nsave = all\n",
                    "input.frames=5:100", &settings);
    assert_string_equal(problems, "");
    g_autofree char *dump = options_dump(settings, "a comment");
    g_autoptr(owned_options) again = NULL;
    g_autofree char *none = problems_of(state, dump, NULL, &again);
    assert_string_equal(none, "");
    g_autofree char *second = options_dump(again, "a comment");
    assert_string_equal(dump, second);
    struct run_options run;
    options_put_path(bold_of(again), "a.nii");
    assert_true(deconv_options_fill(again, &run, NULL));
    assert_close(run.clean.low_hz, 0.01, 0.0);
    assert_close(run.clean.high_hz, 0.0, 0.0);
    assert_int_equal(run.images, RUN_ACTIVITY | RUN_INNOVATION | RUN_FITTED | RUN_RESIDUAL);
    assert_string_equal(run.hrf, "glover:ratio=0.35");
    assert_int_equal(run.rule, LAMBDA_MAP);
    assert_true(g_str_has_suffix(run.lambda_map, "/l.nii"));
    assert_int_equal(run.first, 5);
    assert_int_equal(run.n_time, 100);
}

static void confounds_of_a_command_line_are_a_file_and_columns(void **state)
{
    struct folder *folder = *state;
    g_autofree char *whole = g_strconcat(folder->path, "/a:b", NULL);
    static const char *const columns[] = {"6p", NULL}; // which ones has to be said
    const char *const texts[] = {"c.tsv:6p", "c.tsv"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(owned_options) options = options_new(&deconv_options);
        options_give(options, options_find(options, "confounds"), texts[i]);
        deconv_options.given(options);
        assert_string_equal(options_find_key(options, "clean", "confounds")->text, "c.tsv");
        const char *found = options_find_key(options, "clean", "confound_columns")->text;
        assert_true(g_strcmp0(found, columns[i]) == 0);
    }
    assert_true(g_file_set_contents(whole, "x", 1, NULL));
    g_autoptr(owned_options) options = options_new(&deconv_options);
    options_give(options, options_find(options, "confounds"), whole);
    deconv_options.given(options);
    g_unlink(whole);
    assert_string_equal(options_find_key(options, "clean", "confounds")->text, whole);
}

static void the_hash_of_settings_is_of_values_and_not_of_names_of_files(G_GNUC_UNUSED void **state)
{
    const char *const changes[] = {"input.bold=/other/b.nii", "solver.lambda=0.2"};
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autoptr(owned_options) a = options_new(&deconv_options);
        options_assign(a, "input.bold=/data/a.nii");
        g_autoptr(owned_options) b = options_copy(a);
        options_assign(b, changes[i]);
        g_autofree char *of_a = options_sha256(a);
        g_autofree char *of_b = options_sha256(b);
        assert_true((strcmp(of_a, of_b) == 0) == (i == 0));
    }
}

static void every_example_is_a_good_configuration(G_GNUC_UNUSED void **state)
{
    const char *folder = g_getenv("TAUT_CONFIGS");
    assert_non_null(folder);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    assert_non_null(dir);
    size_t count = 0;
    for (const char *name; (name = g_dir_read_name(dir)) != NULL; count++) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autoptr(GError) error = NULL;
        const struct option_table *table = options_table_of(path, run_tables, &error);
        assert_non_null(table);
        assert_ptr_equal(table, g_str_has_prefix(name, "train-")    ? &training_options
                                : g_str_has_prefix(name, "sources") ? &sources_options
                                                                    : &deconv_options);
        g_autoptr(owned_options) settings = options_new(table);
        if (!options_load(settings, path, &error) || !options_end(settings, path, &error))
            fail_msg("%s", error->message);
    }
    assert_true(count >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_is_a_good_configuration),
        cmocka_unit_test(the_hash_of_settings_is_of_values_and_not_of_names_of_files),
        cmocka_unit_test_setup_teardown(confounds_of_a_command_line_are_a_file_and_columns,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_template_names_every_key_and_is_a_configuration,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(all_problems_are_told_at_once_in_the_order_of_the_lines,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_bad_value_of_any_type_is_refused, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(assignments_come_after_the_file, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_bad_assignment_is_a_problem_beside_the_others,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(an_absent_or_binary_configuration_is_an_unreadable_input,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(paths_are_relative_to_their_file, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(patterns_match_in_order_or_are_refused, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_path_given_as_an_option_is_taken_by_the_letter,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_dump_gives_the_same_settings_again, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
