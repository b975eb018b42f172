// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"

#include "io/frame_table.h"

static struct frame_table *read_text(const char *name, const char *text, GError **error)
{
    struct io_context io = io_context_default();
    char *folder = temporary_folder();
    g_autofree char *path = write_file(folder, name, text, strlen(text));
    struct frame_table *table = frame_table_read(path, &io, error);
    remove_folder(folder);
    return table;
}

static struct frame_table *read_ok(const char *name, const char *text)
{
    GError *error = NULL;
    struct frame_table *table = read_text(name, text, &error);
    if (error != NULL)
        fail_msg("%s", error->message);
    return table;
}

// The same two columns as every program writes them.
static void tables_of_all_programs_are_the_same(G_GNUC_UNUSED void **state)
{
    static const struct {
        const char *name, *text;
        bool named;
    } files[] = {
        {"c_desc-confounds_timeseries.tsv", "csf\tfd\n1\tn/a\n2.5\t-3e-1\n", true},
        {"c.tsv", "\xef\xbb\xbf\"csf\"\tfd\r\n1\t\r\n2.5\t-3e-1\r\n", true},
        {"c.csv", "csf,fd\n1,NA\n2.5,-0.3\n", true},
        {"c.csv", "csf\tfd\n1\tNone\n2.5\t-0.3\n", true},
        {"c.csv", "csf; fd\n1;null\n2.5;-0.3\n", true},
        {"prefiltered_func_data_mcf.par", "1  nan  \n2.5  -0.3  \n", false},
        {"dfile.1D", "# 3dvolreg\n# columns\n  1 NaN\n  2.5\t-0.3\n", false},
        {"rp_a.txt", "  1.0000000e+00   NaN\n  2.5000000e+00  -3.0000000e-01\n\n", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(owned_frame_table) table = read_ok(files[i].name, files[i].text);
        assert_int_equal(table->n_rows, 2);
        assert_int_equal(table->n_columns, 2);
        assert_int_equal(table->names != NULL, files[i].named);
        if (table->names != NULL) {
            assert_string_equal(table->names[0], "csf");
            assert_string_equal(table->names[1], "fd");
        }
        assert_close(table->values[0], 1, 0);
        assert_true(isnan(table->values[1]));
        assert_close(table->values[2], 2.5, 0);
        assert_close(table->values[3], -0.3, 0);
        assert_null(table->text[0]);
        assert_null(table->text[1]);
    }
}

static void text_is_kept_to_be_told(G_GNUC_UNUSED void **state)
{
    g_autoptr(owned_frame_table) table =
        read_ok("c.tsv", "csf\ttask\n1\tn/a\n2\tgo\x1b[1m\n3\tstop\n");
    assert_string_equal(table->text[1], "go\\x1b[1m");
    assert_int_equal(table->text_row[1], 1);
    assert_true(isnan(table->values[5]));
    assert_null(table->text[0]);
}

static void rows_have_as_many_fields(G_GNUC_UNUSED void **state)
{
    GError *error = NULL;
    assert_null(read_text("c.tsv", "a\tb\n1\t2\n3\n", &error));
    assert_io_error(&error, IO_ERROR_INPUT, "line 3: expected 2 columns, found 1");
    assert_null(read_text("c.par", "", &error));
    assert_io_error(&error, IO_ERROR_INPUT, "expected rows of numbers, found none");
    assert_null(read_text("c.tsv", "a\tb\n", &error));
    assert_io_error(&error, IO_ERROR_INPUT, "expected rows of numbers, found none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_all_programs_are_the_same),
        cmocka_unit_test(text_is_kept_to_be_told),
        cmocka_unit_test(rows_have_as_many_fields),
    };
    return cmocka_run_group_tests_name("frame_table", tests, NULL, NULL);
}
