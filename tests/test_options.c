// SPDX-License-Identifier: BSD-3-Clause
// The machinery on a table that has every type, then every table of the program.
#include "tests/check.h"

#include "app/command.h"
#include "app/pipelines/inputs/values.h"
#include "app/settings/simulate_options.h"
#include "app/settings/tables.h"

#include <glib/gstdio.h>
#include <string.h>

/** A value of every type. */
struct everything {
    struct interval band;
    struct bounds bounds;
    size_t bytes;
    int choice;
    unsigned choices;
    const char *config;
    size_t count;
    const char *file;
    bool flag;
    size_t frames[2];
    struct interval interval;
    const char *method;
    double number;
    struct number_range range;
    char **repeated;
    const char *response;
    size_t size[3];
    const char *text;
    struct word word;
    char **words;
    const char *argument;
};

static char *refuse_x(const char *value)
{
    return strcmp(value, "x") == 0 ? g_strdup("x is not wanted") : NULL;
}

#define AT(member) offsetof(struct everything, member)
#define SOME       .help = "Some", .metavar = "V"
static const struct option rows[] = {
    {"band", OPTION_BAND, AT(band), SOME, .high = 100},
    {"bounds", OPTION_BOUNDS, AT(bounds), SOME, .choices = "mag|grad|eeg"},
    {"bytes", OPTION_BYTES, AT(bytes), SOME},
    {"choice", OPTION_CHOICE, AT(choice), SOME, .choices = "alpha|beta"},
    {"choices", OPTION_CHOICES, AT(choices), SOME, .choices = "alpha|beta|gamma"},
    {"config", OPTION_CONFIG, AT(config), SOME, .flags = OPTION_NO_KEY},
    {"count", OPTION_COUNT, AT(count), SOME, .low = 1, .high = 9e15},
    {"file", OPTION_FILE, AT(file), SOME, .choices = "none"},
    {"flag", OPTION_FLAG, AT(flag), SOME, .fallback = "false"},
    {"frames", OPTION_FRAMES, AT(frames), SOME, .high = 1e9},
    {"interval", OPTION_INTERVAL, AT(interval), SOME, .unit = "s"},
    {"method", OPTION_METHOD, AT(method), SOME},
    {"a-number", OPTION_NUMBER, AT(number), SOME, .high = 2, .unit = "s", .letter = 'n'},
    {"range", OPTION_RANGE, AT(range), SOME, .high = 1, .flags = OPTION_ABOVE | OPTION_BELOW},
    {"repeated", OPTION_REPEATED, AT(repeated), SOME},
    {"response", OPTION_RESPONSE, AT(response), SOME},
    {"size", OPTION_SIZE, AT(size), SOME, .low = 1, .high = 99},
    {"text", OPTION_TEXT, AT(text), SOME, .check = refuse_x},
    {"word", OPTION_WORD, AT(word), SOME, .choices = "none|cosine:SECONDS|map:FILE",
     .flags = OPTION_ABOVE, .high = G_MAXDOUBLE},
    {"words", OPTION_WORDS, AT(words), SOME},
    {NULL, OPTION_TEXT, AT(argument), SOME, .key = "argument",
     .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
    {0}};
static const struct option_table table = {.command = "test",
                                          .group = "all",
                                          .size = sizeof(struct everything),
                                          .parts = (const struct option_part[]){{rows, 0}, {0}}};

/** A folder of its own for each test. */
static int make_folder(void **state)
{
    *state = g_dir_make_tmp("taut-options-XXXXXX", NULL);
    return *state == NULL;
}

static int remove_folder(void **state)
{
    g_autofree char *folder = *state;
    g_autofree char *file = g_build_filename(folder, "t.ini", NULL);
    g_unlink(file);
    g_rmdir(folder);
    return 0;
}

static struct options *loaded(void **state, const struct option_table *of, const char *text)
{
    g_autofree char *path = g_build_filename(*state, "t.ini", NULL);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    struct options *options = options_new(of);
    assert_true(options_load(options, path, NULL));
    return options;
}

// All problems as one text, without the folder.
static char *problems_of(void **state, const struct options *options)
{
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < options->problems->len; i++)
        g_string_append_printf(all, "%s\n", (char *) options->problems->pdata[i]);
    g_autofree char *prefix = g_strconcat(*state, "/", NULL);
    g_string_replace(all, prefix, "", 0);
    return g_strdup(all->str);
}

static const struct option *row_of(const char *name)
{
    for (const struct option *row = rows; row->help != NULL; row++)
        if (g_strcmp0(row->name, name) == 0)
            return row;
    fail_msg("no option %s", name);
    return NULL;
}

static const char *const bad_values[][3] = {
    {"band", "5", "is not V, two frequencies in Hz"},
    {"band", "5:2", "low end above its high one"},
    {"band", "-1:2", "outside 0..100"},
    {"band", "1:200", "outside 0..100"},
    {"band", "nan:2", "is not V"},
    {"bounds", "mag", "is not KIND=V"},
    {"bounds", "mog=1", "mag|grad|eeg"},
    {"bounds", "mag=0", "above 0"},
    {"bounds", "mag=nan", "above 0"},
    {"bounds", "", "is empty"},
    {"bytes", "many", "is not a size such as 8G"},
    {"choice", "alhpa", "is none of alpha|beta (did you mean alpha?)"},
    {"choice", "", "is none of"},
    {"choices", "alpha,delta", "\"delta\" is none of alpha|beta|gamma|all"},
    {"config", "", "is empty"},
    {"count", "1.5", "is not a whole number"},
    {"count", "0", "0 is outside 1..9e+15"},
    {"count", "1e3", "is not a whole number"},
    {"file", "", "is empty"},
    {"flag", "yes", "is none of true|false"},
    {"frames", "10", "is not A:N"},
    {"frames", "0:0", "outside"},
    {"interval", "0-1", "is not V, two times in s"},
    {"interval", "1:0", "has its end before its beginning"},
    {"interval", "nan:0", "is not V"},
    {"interval", "0:1:2", "is not V"},
    {"method", "fsta", "(did you mean fista?)"},
    {"a-number", "nan", "\"nan\" is not a number"},
    {"a-number", "inf", "\"inf\" is not a number"},
    {"a-number", "0,1", "use a point for decimals"},
    {"a-number", "3", "3 is outside 0..2 s"},
    {"a-number", "1 s", "is not a number"},
    {"range", "0", "0 is not above 0 and below 1"},
    {"range", "1", "1 is not above 0 and below 1"},
    {"range", "0.3:0.1", "has its least number above its most"},
    {"range", "a:b", "LEAST:MOST"},
    {"range", "0.1:0.2:0.3", "LEAST:MOST"},
    {"repeated", " ", "is empty"},
    {"response", "spn", "spm"},
    {"size", "3x3", "is not V, three whole numbers in 1..99"},
    {"size", "3x3x100", "three whole numbers in 1..99"},
    {"text", "", "is empty"},
    {"text", "x", "x is not wanted"},
    {"word", "map:", "has no file behind it"},
    {"word", "cosine:0", "is not above 0"},
    {"word", "cosine", "is none of none|cosine:SECONDS|map:FILE"},
    {"words", "a,,b", "words between commas"},
};

static void a_bad_value_of_any_type_is_told(G_GNUC_UNUSED void **state)
{
    g_autofree bool *seen = g_new0(bool, OPTION_N_TYPES);
    for (size_t i = 0; i < G_N_ELEMENTS(bad_values); i++) {
        const struct option *row = row_of(bad_values[i][0]);
        g_autofree char *problem = options_check(row, bad_values[i][1]);
        if (problem == NULL || strstr(problem, bad_values[i][2]) == NULL)
            fail_msg("%s = %s: %s", bad_values[i][0], bad_values[i][1], problem);
        seen[row->type] = true;
    }
    for (size_t type = 0; type < OPTION_N_TYPES; type++)
        assert_true(seen[type]);
}

static const char good[] = "[all]\nband = :40\nbounds = eeg=1e-4, mag=2\nbytes = 2k\n"
                           "choice = beta\nchoices = gamma, alpha\ncount = 9000000000000000\n"
                           "file = a\\;b.txt\nflag = true\nframes = 5:\ninterval = -0.2:\n"
                           "method = fista\na_number = 1.5\nrange = 0.25\n"
                           "repeated = one two; t\\;wo\nresponse = sub/h.txt:norm=sum\n"
                           "size = 3x4x5\ntext = some # text\nword = map:m.nii\nwords = a, b c\n"
                           "argument = here\n";

static void a_good_value_of_any_type_is_read(void **state)
{
    g_autoptr(owned_options) options = loaded(state, &table, good);
    struct everything it;
    assert_true(options_end(options, "t.ini", NULL));
    assert_true(options_fill(options, &it, NULL));
    assert_close(it.band.from, 0.0, 0.0);
    assert_close(it.band.to, 40.0, 0.0);
    assert_close(it.bounds.most[0], 2.0, 0.0);
    assert_true(isinf(it.bounds.most[1]));
    assert_close(it.bounds.most[2], 1e-4, 0.0);
    assert_int_equal(it.bytes, 2048);
    assert_int_equal(it.choice, 1);
    assert_int_equal(it.choices, 5);
    assert_true(it.count == 9000000000000000u);
    g_autofree char *file = g_build_filename(*state, "a;b.txt", NULL);
    assert_string_equal(it.file, file);
    assert_true(it.flag);
    assert_int_equal(it.frames[0], 5);
    assert_int_equal(it.frames[1], 0);
    assert_close(it.interval.from, -0.2, 0.0);
    assert_true(isinf(it.interval.to));
    assert_string_equal(it.method, "fista");
    assert_close(it.number, 1.5, 0.0);
    assert_close(it.range.least, 0.25, 0.0);
    assert_close(it.range.most, 0.25, 0.0);
    assert_string_equal(it.range.text, "0.25");
    assert_int_equal(g_strv_length(it.repeated), 2);
    assert_string_equal(it.repeated[1], "t;wo");
    g_autofree char *response = g_build_filename(*state, "sub/h.txt:norm=sum", NULL);
    assert_string_equal(it.response, response);
    assert_int_equal(it.size[2], 5);
    assert_string_equal(it.text, "some # text");
    g_autofree char *map = g_build_filename(*state, "m.nii", NULL);
    assert_int_equal(it.word.index, 2);
    assert_string_equal(it.word.path, map);
    assert_int_equal(g_strv_length(it.words), 2);
    assert_string_equal(it.words[1], "b c");
    assert_string_equal(it.argument, "here");
}

static void what_is_not_given_can_be_told_from_all_that_can_be_given(G_GNUC_UNUSED void **state)
{
    g_autoptr(owned_options) options = options_new(&table);
    struct everything it;
    memset(&it, 0x5a, sizeof it);
    assert_true(options_fill(options, &it, NULL));
    const void *absent[] = {it.band.text, it.interval.text, it.range.text, it.word.text,
                            it.config,    it.file,          it.method,     it.repeated,
                            it.response,  it.text,          it.words,      it.argument};
    for (size_t i = 0; i < G_N_ELEMENTS(absent); i++)
        assert_null(absent[i]);
    assert_null(it.bounds.text);
    assert_true(it.bytes == 0 && it.frames[1] == 0 && it.size[0] == 0);
    assert_true(it.choice == -1 && it.choices == 0 && it.word.index == -1);
    assert_true(it.count == OPTION_NO_COUNT);
    assert_true(isnan(it.number));
    assert_false(it.flag);
}

static void all_problems_of_a_file_are_told_with_their_lines(void **state)
{
    g_autoptr(owned_options) options =
        loaded(state, &table,
               "[all]\na_number = 3\na-number = 1\nchoise = beta\n[other]\nchoice = beta\n"
               "nothing\n");
    g_autofree char *problems = problems_of(state, options);
    assert_string_equal(problems,
                        "t.ini:2: a_number = 3 is outside 0..2 s\n"
                        "t.ini:3: [all] a-number given twice (first on line 2)\n"
                        "t.ini:4: unknown key \"choise\" in [all] (did you mean [all] choice?)\n"
                        "t.ini:6: unknown key \"choice\" in [other] (did you mean [all] choice?)\n"
                        "t.ini:7: expected \"key = value\", got \"nothing\"\n");
    g_autoptr(GError) error = NULL;
    assert_false(options_end(options, "t.ini", &error));
    assert_true(g_error_matches(error, APP_ERROR, APP_ERROR_CONFIG));
    assert_true(g_str_has_suffix(error->message, "\nt.ini: [all] argument is required (Some)"));
}

static void an_empty_value_takes_a_setting_back(void **state)
{
    g_autoptr(owned_options) options = loaded(state, &table, good);
    options_assign(options, "all.a_number=");
    options_assign(options, "all.count=7");
    struct everything it;
    assert_true(options_fill(options, &it, NULL));
    assert_true(isnan(it.number));
    assert_int_equal(it.count, 7);
}

// Parses words as a command does.
static struct options *parsed(GError **error, const char *const *given)
{
    g_auto(GStrv) copy = g_strdupv((char **) given);
    g_autofree char **argv = g_new0(char *, g_strv_length(copy) + 1);
    memcpy(argv, copy, g_strv_length(copy) * sizeof *argv);
    int argc = (int) g_strv_length(copy);
    g_autoptr(owned_options) options = options_new(&table);
    g_autoptr(owned_option_words) words = option_words_new(options);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, words->entries, NULL);
    char **rest = argv;
    assert_true(g_option_context_parse(context, &argc, &rest, NULL));
    if (options_take_words(options, words, error) &&
        options_take_arguments(options, argc - 1, rest + 1, error) &&
        options_end(options, NULL, error))
        return g_steal_pointer(&options);
    return NULL;
}

static void the_command_line_comes_after_the_file_it_names(void **state)
{
    g_autoptr(owned_options) ignored = loaded(state, &table, good);
    (void) ignored;
    g_autofree char *path = g_build_filename(*state, "t.ini", NULL);
    const char *const given[] = {"test",      "-n",         "0.5",      "--config",   path,
                                 "mine",      "--repeated", "a;b *",    "--repeated", "{stem}",
                                 "--band=2:", "--file",     "*\\x.nii", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(owned_options) options = parsed(&error, given);
    assert_null(error);
    struct everything it;
    assert_true(options_fill(options, &it, NULL));
    assert_close(it.number, 0.5, 0.0);
    assert_string_equal(it.argument, "mine");
    assert_int_equal(g_strv_length(it.repeated), 2);
    assert_string_equal(it.repeated[0], "a;b *");
    assert_string_equal(it.repeated[1], "{stem}");
    assert_string_equal(it.file, "*\\x.nii");
    assert_close(it.band.from, 2.0, 0.0);
    assert_int_equal(it.choice, 1); // of the file
}

static void a_command_line_is_refused_in_one_line_a_problem(G_GNUC_UNUSED void **state)
{
    g_autoptr(GError) lacks = NULL, many = NULL, bad = NULL;
    assert_null(parsed(&lacks, (const char *const[]){"test", NULL}));
    assert_true(g_error_matches(lacks, APP_ERROR, APP_ERROR_USAGE));
    assert_string_equal(lacks->message, "test: expected V (Some)");
    assert_null(parsed(&many, (const char *const[]){"test", "a", "b", NULL}));
    assert_string_equal(many->message, "test: unexpected argument \"b\"");
    // what is lacking is not told beside what is wrong
    assert_null(parsed(&bad, (const char *const[]){"test", "-n", "nan", "--count", "0", NULL}));
    assert_string_equal(bad->message, "--count: 0 is outside 1..9e+15\n"
                                      "--a-number: \"nan\" is not a number");
}

static void several_files_where_one_is_expected_are_refused(void **state)
{
    g_autoptr(owned_options) options = loaded(state, &table, "[all]\nfile = a; b\n");
    struct everything it;
    g_autoptr(GError) error = NULL;
    assert_false(options_fill(options, &it, &error));
    assert_string_equal(error->message, "file: expected one path, found 2");
}

static void a_file_is_of_the_table_that_has_its_group(void **state)
{
    static const struct option other_rows[] = {{"count", OPTION_COUNT, 0, SOME, .group = "other"},
                                               {0}};
    static const struct option_part other_parts[] = {{other_rows, 0}, {0}};
    static const struct option_table other = {
        .command = "other", .size = sizeof(size_t), .parts = other_parts};
    const struct option_table *const tables[] = {&other, &table, NULL};
    g_autofree char *path = g_build_filename(*state, "t.ini", NULL);
    assert_true(g_file_set_contents(path, "# c\n[all]\nx = 1\n", -1, NULL));
    assert_ptr_equal(options_table_of(path, tables, NULL), &table);
    assert_true(g_file_set_contents(path, "[neither]\nx = 1\n", -1, NULL));
    assert_ptr_equal(options_table_of(path, tables, NULL), &other);
    g_unlink(path);
    g_autoptr(GError) error = NULL;
    assert_null(options_table_of(path, tables, &error));
    assert_true(g_error_matches(error, IO_ERROR, IO_ERROR_INPUT));
}

// A text that a row takes, other than its default.
static char *sample_of(const struct option *row)
{
    static const char *const samples[OPTION_N_TYPES] = {
        [OPTION_BAND] = "0.01:",        [OPTION_BYTES] = "3G",         [OPTION_CONFIG] = "c.ini",
        [OPTION_FILE] = "a b\\;c.x; d", [OPTION_FLAG] = "true",        [OPTION_FRAMES] = "3:7",
        [OPTION_INTERVAL] = ":0.5",     [OPTION_METHOD] = "fista",     [OPTION_RANGE] = "0.1:0.5",
        [OPTION_REPEATED] = "a; b\\;",  [OPTION_RESPONSE] = "d/h.txt", [OPTION_SIZE] = "2x3x4",
        [OPTION_TEXT] = "tail\\ # x",   [OPTION_WORDS] = "a,b",
    };
    double middle = row->high >= G_MAXDOUBLE ? row->low + 1.0 : 0.5 * (row->low + row->high);
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    if (row->type == OPTION_NUMBER)
        return g_strdup(g_ascii_dtostr(number, sizeof number, middle));
    if (row->type == OPTION_COUNT)
        return g_strdup_printf("%.0f", ceil(middle));
    if (g_strcmp0(row->name, "null") == 0 || g_strcmp0(row->name, "alpha") == 0)
        return g_strdup(row->name[0] == 'n' ? "100" : "0.01:0.1");
    if (samples[row->type] != NULL)
        return g_strdup(row->check == NULL || row->type == OPTION_BAND ? samples[row->type]
                        : row->type == OPTION_FILE                     ? "a.npy"
                                                                       : "detrend=none");
    g_autofree char *choices = options_choices(row);
    const char *last = strrchr(choices, '|') + 1;
    if (row->type == OPTION_BOUNDS)
        return g_strconcat(last, "=0.5", NULL);
    return row->type == OPTION_WORD && strpbrk(last, ":=") != NULL
               ? g_strdup_printf("%.*s0.5", (int) strcspn(last, ":=") + 1, last)
               : g_strdup(last);
}

// A list is as long as it was.
static void check_parts(const struct options *before, const struct options *after)
{
    for (size_t k = 0; k < before->n; k++) {
        const struct option *row = before->slots[k].row;
        if (!options_is_written(row) || options_group(before->table, row) == NULL)
            continue;
        g_autoptr(GPtrArray) a = options_parts(before->slots[k].text);
        g_autoptr(GPtrArray) b = options_parts(after->slots[k].text);
        assert_int_equal(a->len, b->len);
    }
}

static void a_dump_of_any_table_gives_the_same_values_again(void **state)
{
    size_t n_dumped = 0;
    for (size_t i = 0; option_tables[i] != NULL; i++) {
        g_autoptr(owned_options) options = options_new(option_tables[i]);
        bool has_keys = false;
        for (size_t k = 0; k < options->n; k++) {
            const struct option *row = options->slots[k].row;
            g_autofree char *sample = sample_of(row);
            g_autofree char *problem = options_check(row, sample);
            if (problem != NULL)
                fail_msg("%s %s: %s", option_tables[i]->command, row->name, problem);
            has_keys |= options_group(option_tables[i], row) != NULL;
            options_put(&options->slots[k], sample, "/elsewhere");
        }
        if (!has_keys)
            continue;
        n_dumped++;
        g_autofree char *dump = options_dump(options, "a\nb");
        g_autoptr(owned_options) again = loaded(state, option_tables[i], dump);
        g_autofree char *problems = problems_of(state, again);
        assert_string_equal(problems, "");
        g_autofree char *second = options_dump(again, "a\nb");
        assert_string_equal(dump, second);
        check_parts(options, again);
    }
    assert_true(n_dumped >= 2);
}

static void a_template_of_any_table_has_every_key_and_is_a_configuration(void **state)
{
    for (size_t i = 0; option_tables[i] != NULL; i++) {
        g_autofree char *text = options_template(option_tables[i]);
        g_autoptr(owned_options) options = loaded(state, option_tables[i], text);
        for (size_t k = 0; k < options->n; k++) {
            const struct option_slot *slot = &options->slots[k];
            if (options_group(option_tables[i], slot->row) == NULL)
                continue;
            g_autofree char *key = options_key(slot->row);
            g_autofree char *line = g_strdup_printf("\n%s =", key);
            assert_non_null(strstr(text, line));
            assert_true(g_strcmp0(slot->text, slot->row->fallback) == 0);
        }
    }
}

static void every_row_is_sound(G_GNUC_UNUSED void **state)
{
    for (size_t i = 0; option_tables[i] != NULL; i++) {
        const struct option_table *of = option_tables[i];
        g_autoptr(owned_options) options = options_new(of);
        g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
        if (i > 0)
            assert_true(strcmp(option_tables[i - 1]->command, of->command) <= 0);
        for (size_t k = 0; k < options->n; k++) {
            const struct option *row = options->slots[k].row;
            g_autofree char *problem =
                row->fallback == NULL ? NULL : options_check(row, row->fallback);
            const char *name = row->name != NULL      ? row->name
                               : row->metavar != NULL ? row->metavar
                                                      : row->choices;
            if (problem != NULL)
                fail_msg("%s --%s: %s", of->command, name, problem);
            // a key without an option is told by what it says of itself
            if (!g_hash_table_add(names, (gpointer) (row->name != NULL ? row->name : row->help)))
                fail_msg("%s --%s is there twice", of->command, name);
            if (options->slots[k].offset >= of->size || g_str_has_suffix(row->help, "."))
                fail_msg("%s --%s", of->command, name);
            g_autofree char *values = row->type == OPTION_FLAG ? NULL : options_describe(row);
            if (row->type != OPTION_FLAG)
                assert_true(row->metavar != NULL || values != NULL);
        }
    }
}

static void what_is_drawn_by_default_is_what_the_library_draws(G_GNUC_UNUSED void **state)
{
    g_autoptr(owned_options) a = options_new(&simulate_fmri_options);
    g_autoptr(owned_options) b = options_new(&simulate_tv_options);
    g_autoptr(owned_options) c = options_new(&simulate_meeg_options);
    g_autoptr(owned_options) d = options_new(&simulate_lasso_options);
    struct simulate_fmri_options fmri = {0};
    struct simulate_tv_options tv = {0};
    struct simulate_meeg_options meeg = {0};
    struct simulate_lasso_options lasso = {0};
    assert_true(options_fill(a, &fmri, NULL) && options_fill(b, &tv, NULL) &&
                options_fill(c, &meeg, NULL) && options_fill(d, &lasso, NULL));
    struct phantom_law law = phantom_law_default();
    assert_string_equal(fmri.law.hrf, law.hrf);
    law.hrf = fmri.law.hrf;
    assert_memory_equal(&fmri.law, &law, sizeof law);
    struct simulate_tv tv_law = simulate_tv_default();
    assert_string_equal(tv.law.hrf, tv_law.hrf);
    assert_true(tv.law.law == tv_law.law && tv.law.n_series == tv_law.n_series &&
                tv.law.n_observed == tv_law.n_observed && tv.law.n_unknown == tv_law.n_unknown &&
                isnan(tv.law.snr_db) && isnan(tv_law.snr_db) && tv.law.seed == tv_law.seed);
    assert_close(tv.law.tr_s, tv_law.tr_s, 0.0);
    assert_close(tv.law.ar1, tv_law.ar1, 0.0);
    assert_close(tv.law.sparsity, tv_law.sparsity, 0.0);
    struct meeg_law meeg_law = meeg_law_default();
    assert_memory_equal(&meeg.law, &meeg_law, sizeof meeg_law);
    struct simulate_lasso lasso_law = simulate_lasso_default();
    assert_true(lasso.law.law == lasso_law.law && lasso.law.n_series == lasso_law.n_series);
    assert_close(lasso.law.snr_db, lasso_law.snr_db, 0.0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_value_of_any_type_is_told),
        IN_FOLDER(a_good_value_of_any_type_is_read),
        cmocka_unit_test(what_is_not_given_can_be_told_from_all_that_can_be_given),
        IN_FOLDER(all_problems_of_a_file_are_told_with_their_lines),
        IN_FOLDER(an_empty_value_takes_a_setting_back),
        IN_FOLDER(the_command_line_comes_after_the_file_it_names),
        cmocka_unit_test(a_command_line_is_refused_in_one_line_a_problem),
        IN_FOLDER(several_files_where_one_is_expected_are_refused),
        IN_FOLDER(a_file_is_of_the_table_that_has_its_group),
        IN_FOLDER(a_dump_of_any_table_gives_the_same_values_again),
        IN_FOLDER(a_template_of_any_table_has_every_key_and_is_a_configuration),
        cmocka_unit_test(every_row_is_sound),
        cmocka_unit_test(what_is_drawn_by_default_is_what_the_library_draws),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
