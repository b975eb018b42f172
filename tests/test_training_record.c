// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "unrolled/training_record.h"

#include <string.h>

static GHashTable *table_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static GHashTable *table_of(const char *key, const char *value)
{
    GHashTable *table = table_new();
    g_hash_table_insert(table, g_strdup(key), g_strdup(value));
    return table;
}

static void assert_holds(GHashTable *table, const char *key, const char *value)
{
    const char *found = g_hash_table_lookup(table, key);
    assert_non_null(found);
    assert_string_equal(found, value);
}

// Everything stated, with numbers whose decimals are exact.
static struct training_record full_record(void)
{
    struct train_stage stages[] = {
        {.depth = 1,
         .loss_untrained = 4,
         .loss_start = 3,
         .loss_end = 2.5,
         .validation_start = NAN,
         .validation_end = NAN},
        {.depth = 2,
         .loss_untrained = 4,
         .loss_start = 2.5,
         .loss_end = 1.25,
         .validation_start = 5,
         .validation_end = 4.5},
    };
    struct training_record record = training_record_none();
    record.interval_s = 0.75;
    record.hrf = g_strdup("spm");
    record.leadfield = g_strdup("20 sensors");
    record.preprocessing = g_strdup("detrend=linear");
    training_record_set_lambda(&record, "0.25:0.5");
    record.safeguard = TRAINED_SAFEGUARD_OFF;
    record.start = START_PINV;
    record.version = g_strdup("1.0");
    record.training = g_strdup("data X.npy");
    record.sha256 = g_strdup("abc");
    training_record_set_stages(&record, stages, 2);
    record.n_done = 2;
    record.seconds = 12.5;
    return record;
}

static void a_record_is_spelt_by_these_keys(void **state)
{
    (void) state;
    static const char *const expected[][2] = {
        {"interval_s", "0.75"},
        {"hrf", "spm"},
        {"leadfield", "20 sensors"},
        {"preprocessing", "detrend=linear"},
        {"lambda_rule", "ratio"},
        {"lambda_ratio", "0.25:0.5"},
        {"safeguard", "off"},
        {"start", "pinv"},
        {"taut_version", "1.0"},
        {"training", "data X.npy"},
        {"training_sha256", "abc"},
        {"losses", "1 4 3 2.5; 2 4 2.5 1.25 5 4.5"},
        {"stages", "2"},
        {"seconds", "12.5"},
    };
    struct training_record record = full_record();
    g_autoptr(GHashTable) table = table_new();
    training_record_write(&record, table);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        assert_holds(table, expected[i][0], expected[i][1]);
    assert_int_equal(g_hash_table_size(table), G_N_ELEMENTS(expected));
    training_record_clear(&record);
}

static void what_is_written_is_read_again(void **state)
{
    (void) state;
    struct training_record record = full_record();
    g_autoptr(GHashTable) table = table_new(), again = table_new();
    training_record_write(&record, table);
    struct training_record read = training_record_read(table, 2);
    assert_close(read.interval_s, 0.75, 0.0);
    assert_close(read.lambda_least, 0.25, 0.0);
    assert_close(read.lambda_most, 0.5, 0.0);
    assert_int_equal(read.safeguard, TRAINED_SAFEGUARD_OFF);
    assert_int_equal(training_record_start(&read), START_PINV);
    assert_int_equal(read.n_stages, 2);
    assert_close(read.stages[0].loss_end, 2.5, 0.0);
    assert_true(isnan(read.stages[0].validation_end));
    assert_close(read.stages[1].validation_end, 4.5, 0.0);
    assert_int_equal(read.n_done, 2);
    assert_close(read.seconds, 12.5, 0.0);
    training_record_write(&read, again);
    assert_int_equal(g_hash_table_size(again), g_hash_table_size(table));
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &key, &value))
        assert_holds(again, key, value);
    training_record_clear(&read);
    training_record_clear(&record);
}

static void nothing_stated_writes_nothing(void **state)
{
    (void) state;
    g_autoptr(GHashTable) table = table_new();
    struct training_record none = training_record_none();
    training_record_write(&none, table);
    assert_int_equal(g_hash_table_size(table), 0);
    struct training_record read = training_record_read(table, 3);
    assert_true(isnan(read.interval_s) && isnan(read.seconds));
    assert_true(training_record_is_safeguarded(&read));
    assert_false(training_record_has_one_lambda(&read));
    assert_int_equal(training_record_start(&read), START_CONST);
    assert_int_equal(read.n_stages, 0);
    training_record_clear(&read);
}

static void a_fraction_is_one_number_or_two_between_0_and_1(void **state)
{
    (void) state;
    static const struct {
        const char *text;
        double least, most;
    } cases[] = {
        {"0.1", 0.1, 0.1},  {"0.1:0.4", 0.1, 0.4}, {"0.2:0.2", 0.2, 0.2}, {"", NAN, NAN},
        {"0", NAN, NAN},    {"1", NAN, NAN},       {"0.4:0.1", NAN, NAN}, {"0.1:", NAN, NAN},
        {":0.1", NAN, NAN}, {"0.1x", NAN, NAN},    {"nan", NAN, NAN},     {"0.1:0.2:0.3", NAN, NAN},
        {"-0.1", NAN, NAN}, {"0.1:inf", NAN, NAN}, {":", NAN, NAN},       {"0.1:0.2x", NAN, NAN},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GHashTable) table = table_of("lambda_ratio", cases[i].text);
        struct training_record record = training_record_read(table, 1);
        assert_string_equal(record.lambda_text, cases[i].text);
        assert_int_equal(isnan(record.lambda_least), isnan(cases[i].least));
        assert_int_equal(isnan(record.lambda_most), isnan(cases[i].most));
        if (!isnan(cases[i].least)) {
            assert_close(record.lambda_least, cases[i].least, 0.0);
            assert_close(record.lambda_most, cases[i].most, 0.0);
        }
        assert_int_equal(training_record_has_one_lambda(&record), cases[i].least == cases[i].most);
        training_record_clear(&record);
    }
}

static void losses_that_cannot_be_are_not_stated(void **state)
{
    (void) state;
    static const char *const texts[] = {
        "",
        "1",
        "1 2 3",
        "1 2 3 4 5",
        "1 2 3 4 5 6 7",
        "0 1 1 1",
        "x 1 1 1",
        "1 2 3 four",
        "1 1 1 1;",
        "1e9 1 1 1",
        "-1 1 1 1",
        "nan 1 1 1",
        ";",
        "1 1 1 1;;",
        "1 1 1 1; 2 1",
        "1 1 1 1; 2 1 1 1; 3 1 1 1",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GHashTable) table = table_of("losses", texts[i]);
        struct training_record record = training_record_read(table, 2);
        assert_int_equal(record.n_stages, 0);
        training_record_clear(&record);
    }
}

static void other_words_and_numbers_are_not_stated(void **state)
{
    (void) state;
    static const char *const hostile[][2] = {
        {"start", "given"},    {"start", ""},      {"safeguard", "maybe"}, {"stages", "0"},
        {"stages", "3"},       {"stages", "-1"},   {"stages", "1.5"},      {"seconds", "soon"},
        {"interval_s", "2 s"}, {"interval_s", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_autoptr(GHashTable) table = table_of(hostile[i][0], hostile[i][1]);
        g_autoptr(GHashTable) again = table_new();
        struct training_record record = training_record_read(table, 2);
        training_record_write(&record, again);
        assert_int_equal(g_hash_table_size(again), 0);
        training_record_clear(&record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fraction_is_one_number_or_two_between_0_and_1),
        cmocka_unit_test(a_record_is_spelt_by_these_keys),
        cmocka_unit_test(losses_that_cannot_be_are_not_stated),
        cmocka_unit_test(nothing_stated_writes_nothing),
        cmocka_unit_test(other_words_and_numbers_are_not_stated),
        cmocka_unit_test(what_is_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
