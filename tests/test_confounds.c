// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/confounds.h"
#include "deconv/hrf.h"

#include <string.h>

enum { N_ROWS = 5, MAX_COLUMNS = 64 };

// A table as fMRIPrep writes it: the value of column j in row t is 100 j + t, "n/a" where it has
// no frame before the first; two frames are not steady; frame 2 moves by 0.9 mm.
struct fixture {
    const char *names[MAX_COLUMNS];
    double values[N_ROWS * MAX_COLUMNS];
    struct confounds_table table;
};

static const char *const fixed_names[] = {
    "global_signal",
    "csf",
    "white_matter",
    "dvars",
    "a_comp_cor_00",
    "cosine00",
    "a_comp_cor_01",
    "a_comp_cor_02",
    "a_comp_cor_03",
    "cosine01",
    "a_comp_cor_04",
    "a_comp_cor_05",
    "framewise_displacement",
    "non_steady_state_outlier00",
    "non_steady_state_outlier01",
};
enum { DVARS = 3, FD = 12, NON_STEADY = 13, N_FIXED = G_N_ELEMENTS(fixed_names) };

static const char *const motion_names[] = {
    "trans_x", "trans_x_derivative1", "trans_x_power2", "trans_x_derivative1_power2",
    "trans_y", "trans_y_derivative1", "trans_y_power2", "trans_y_derivative1_power2",
    "trans_z", "trans_z_derivative1", "trans_z_power2", "trans_z_derivative1_power2",
    "rot_x",   "rot_x_derivative1",   "rot_x_power2",   "rot_x_derivative1_power2",
    "rot_y",   "rot_y_derivative1",   "rot_y_power2",   "rot_y_derivative1_power2",
    "rot_z",   "rot_z_derivative1",   "rot_z_power2",   "rot_z_derivative1_power2",
};

static void fixture_init(struct fixture *f)
{
    size_t n = 0;
    for (size_t j = 0; j < N_FIXED; j++)
        f->names[n++] = fixed_names[j];
    for (size_t j = 0; j < G_N_ELEMENTS(motion_names); j++)
        f->names[n++] = motion_names[j];
    for (size_t t = 0; t < N_ROWS; t++)
        for (size_t j = 0; j < n; j++)
            f->values[t * n + j] = (double) (100 * j + t);
    for (size_t j = 0; j < n; j++)
        if (j == DVARS || j == FD || strstr(f->names[j], "_derivative1") != NULL)
            f->values[j] = NAN;
    for (size_t t = 0; t < N_ROWS; t++) {
        f->values[t * n + NON_STEADY] = t == 0;
        f->values[t * n + NON_STEADY + 1] = t == 1;
        if (t > 0)
            f->values[t * n + FD] = t == 2 ? 0.9 : 0.1;
    }
    f->table = (struct confounds_table){"c.tsv", N_ROWS, n, f->values, f->names, NULL};
}

static struct confounds *select_ok(const struct fixture *f, const char *selection)
{
    g_autoptr(GError) error = NULL;
    struct confounds *confounds = confounds_select(&f->table, selection, N_ROWS, 0, N_ROWS, &error);
    assert_null(error);
    return confounds;
}

static void presets_select_their_columns(void **state)
{
    (void) state;
    static const struct {
        const char *selection;
        size_t n;
        const char *first, *last;
    } expected[] = {
        {"6p", 6, "trans_x", "rot_z"},
        {"12p", 12, "trans_x", "rot_z_derivative1"},
        {"24p", 24, "trans_x", "rot_z_derivative1_power2"},
        {"acompcor", 9, "a_comp_cor_00", "non_steady_state_outlier01"},
        {"wmcsf", 2, "csf", "white_matter"},
        {"gsr", 1, "global_signal", "global_signal"},
        {"9p", 9, "trans_x", "global_signal"},
        {"24p, gsr,wmcsf,6p", 27, "trans_x", "white_matter"},
        {"trans_*", 12, "trans_x", "trans_z_derivative1_power2"},
        {"rot_?", 3, "rot_x", "rot_z"},
        {"cosine", 2, "cosine00", "cosine01"},
        {"a_comp_cor,csf", 7, "a_comp_cor_00", "csf"},
        {"csf,dvars", 2, "csf", "dvars"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(owned_confounds) c = select_ok(&f, expected[i].selection);
        assert_int_equal(c->n_columns, expected[i].n);
        assert_int_equal(g_strv_length(c->names), expected[i].n);
        assert_string_equal(c->names[0], expected[i].first);
        assert_string_equal(c->names[expected[i].n - 1], expected[i].last);
        assert_true(c->have_cosines == (strstr("acompcor cosine", expected[i].selection) != NULL));
        assert_int_equal(c->n_non_steady, 2);
        assert_null(c->censored);
    }
    g_autoptr(owned_confounds) none = select_ok(&f, "none");
    assert_int_equal(none->n_columns, 0);
    g_autoptr(owned_confounds) acompcor = select_ok(&f, "acompcor");
    for (size_t j = 0; j < acompcor->n_columns; j++)
        assert_string_not_equal(acompcor->names[j], "a_comp_cor_05");
}

static void values_are_those_of_the_table(void **state)
{
    (void) state;
    struct fixture f;
    fixture_init(&f);
    g_autoptr(owned_confounds) c = confounds_select(&f.table, "csf,rot_z", N_ROWS, 1, 3, NULL);
    assert_int_equal(c->n_frames, 3);
    for (size_t t = 0; t < 3; t++) {
        assert_close(c->values[t], 100.0 + (double) (t + 1), 0.0);
        assert_close(c->values[3 + t], 100.0 * (N_FIXED + 20) + (double) (t + 1), 0.0);
    }
}

static void na_in_the_first_row_is_replaced_and_told(void **state)
{
    (void) state;
    struct fixture f;
    fixture_init(&f);
    g_autoptr(owned_confounds) c = select_ok(&f, "csf,trans_x_derivative1,dvars");
    assert_close(c->values[N_ROWS], 0.0, 0.0);
    assert_close(c->values[2 * N_ROWS], 100.0 * DVARS + 2.5, 1e-12);
    assert_int_equal(g_strv_length(c->notes), 1);
    assert_string_equal(c->notes[0],
                        "n/a in the first row: 0 in 1 derivative, the column's mean in dvars");
}

static void na_elsewhere_is_an_error_that_says_where(void **state)
{
    (void) state;
    struct fixture f;
    fixture_init(&f);
    f.values[0 * f.table.n_columns + 1] = NAN;
    f.values[3 * f.table.n_columns + DVARS] = INFINITY;
    static const char *const selections[] = {"csf", "dvars"};
    static const char *const messages[] = {
        "c.tsv: column csf, row 1 (frame 0): expected a number, found n/a",
        "c.tsv: column dvars, row 4 (frame 3): expected a number, found n/a"};
    for (size_t i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        assert_null(confounds_select(&f.table, selections[i], N_ROWS, 0, N_ROWS, &error));
        assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
        assert_string_equal(error->message, messages[i]);
    }
}

static void unknown_columns_are_answered_with_the_nearest(void **state)
{
    (void) state;
    struct fixture f;
    fixture_init(&f);
    g_autoptr(GError) error = NULL;
    assert_null(confounds_select(&f.table, "csf,trans_w", N_ROWS, 0, N_ROWS, &error));
    assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_NAME));
    assert_string_equal(error->message, "c.tsv: expected a column \"trans_w\", found none "
                                        "(nearest: trans_x, trans_y, trans_z)");
    g_autoptr(GError) preset = NULL;
    assert_null(confounds_select(&f.table, "30p", N_ROWS, 0, N_ROWS, &preset));
    assert_non_null(strstr(preset->message, "6p"));
}

static void rows_are_one_a_frame(void **state)
{
    (void) state;
    struct fixture f;
    fixture_init(&f);
    g_autoptr(GError) error = NULL;
    assert_null(confounds_select(&f.table, "csf", 7, 0, 7, &error));
    assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
    assert_string_equal(error->message, "c.tsv: expected a row for each of 7 frames, found 5 rows");
}

static void thirty_six_are_nine_with_three_expansions(void **state)
{
    (void) state;
    static const char *const suffixes[] = {"", "_derivative1", "_power2", "_derivative1_power2"};
    static const char *const nine[] = {"trans_x", "trans_y",      "trans_z",
                                       "rot_x",   "rot_y",        "rot_z",
                                       "csf",     "white_matter", "global_signal"};
    const char *names[36];
    double values[36 * N_ROWS] = {0};
    for (size_t j = 0; j < 36; j++)
        names[j] = g_strconcat(nine[j / 4], suffixes[j % 4], NULL);
    for (size_t j = 0; j < 36; j++)
        values[j] = j % 2 == 1 ? NAN : 1.0; // derivatives
    struct confounds_table table = {"c.tsv", N_ROWS, 36, values, names, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(owned_confounds) c = confounds_select(&table, "36p", N_ROWS, 0, N_ROWS, &error);
    assert_null(error);
    assert_int_equal(c->n_columns, 36);
    assert_string_equal(c->names[8], "global_signal");
    assert_string_equal(c->names[35], "global_signal_derivative1_power2");
    assert_string_equal(c->notes[0], "n/a in the first row: 0 in 18 derivatives");
    assert_null(c->notes[1]);
    for (size_t j = 0; j < 36; j++)
        g_free((char *) names[j]);
}

static void frames_that_are_dropped_need_no_column(void **state)
{
    (void) state;
    struct fixture f;
    fixture_init(&f);
    assert_int_equal(confounds_count_non_steady(&f.table), 2);
    static const size_t n_expected[] = {9, 8, 7};
    for (size_t drop = 0; drop < 3; drop++) {
        g_autoptr(owned_confounds) c =
            confounds_select(&f.table, "acompcor", N_ROWS, drop, N_ROWS - drop, NULL);
        assert_int_equal(c->n_columns, n_expected[drop]);
    }
}

static void text_is_an_error_in_the_columns_asked_for_alone(void **state)
{
    (void) state;
    struct fixture f;
    fixture_init(&f);
    const char *text[MAX_COLUMNS] = {NULL};
    text[1] = "go";
    f.values[1] = NAN;
    f.table.text = text;
    g_autoptr(owned_confounds) c = select_ok(&f, "6p");
    assert_int_equal(c->n_columns, 6);
    g_autoptr(GError) error = NULL;
    assert_null(confounds_select(&f.table, "wmcsf", N_ROWS, 0, N_ROWS, &error));
    assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
    assert_string_equal(error->message, "c.tsv: column csf: expected numbers, found \"go\"");
}

static void six_columns_without_names_are_movement(void **state)
{
    (void) state;
    double values[6 * N_ROWS];
    for (size_t i = 0; i < 6 * N_ROWS; i++)
        values[i] = (double) i;
    struct confounds_table table = {"m.par", N_ROWS, 6, values, NULL, NULL};
    g_autoptr(owned_confounds) c = confounds_select(&table, "6p", N_ROWS, 0, N_ROWS, NULL);
    assert_int_equal(c->n_columns, 6);
    assert_close(c->values[5 * N_ROWS + 1], 11.0, 0.0);
    table.n_columns = 5;
    g_autoptr(GError) error = NULL;
    assert_null(confounds_select(&table, "6p", N_ROWS, 0, N_ROWS, &error));
    assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_NAME));
}

static void columns_without_names_have_numbers(void **state)
{
    (void) state;
    struct fixture f;
    fixture_init(&f);
    f.table.names = NULL;
    g_autoptr(owned_confounds) c = select_ok(&f, "3,1");
    assert_int_equal(c->n_columns, 2);
    assert_string_equal(c->names[0], "3");
    assert_close(c->values[1], 201.0, 0.0);
}

static void motion_is_censored_with_the_frame_after(void **state)
{
    (void) state;
    struct fixture f;
    fixture_init(&f);
    g_autoptr(owned_confounds) c = select_ok(&f, "6p,scrub:FD=0.5");
    static const bool expected[] = {false, false, true, true, false};
    assert_int_equal(c->n_columns, 6);
    assert_int_equal(c->n_censored, 2);
    for (size_t t = 0; t < N_ROWS; t++)
        assert_true(c->censored[t] == expected[t]);
    static const char *const wrong[] = {"scrub:FD=x", "scrub:FD=0", "scrub:FD=", "scrub:FD=-1"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(confounds_select(&f.table, wrong[i], N_ROWS, 0, N_ROWS, &error));
        assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_select_their_columns),
        cmocka_unit_test(values_are_those_of_the_table),
        cmocka_unit_test(na_in_the_first_row_is_replaced_and_told),
        cmocka_unit_test(na_elsewhere_is_an_error_that_says_where),
        cmocka_unit_test(unknown_columns_are_answered_with_the_nearest),
        cmocka_unit_test(rows_are_one_a_frame),
        cmocka_unit_test(thirty_six_are_nine_with_three_expansions),
        cmocka_unit_test(frames_that_are_dropped_need_no_column),
        cmocka_unit_test(text_is_an_error_in_the_columns_asked_for_alone),
        cmocka_unit_test(six_columns_without_names_are_movement),
        cmocka_unit_test(columns_without_names_have_numbers),
        cmocka_unit_test(motion_is_censored_with_the_frame_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
