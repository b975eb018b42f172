// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "io/text.h"

static void assert_escaped(const char *text, const char *expected)
{
    g_autofree char *escaped = text_escape(text);
    assert_string_equal(escaped, expected);
    assert_true(g_utf8_validate(escaped, -1, NULL));
}

static void what_is_printable_stays(void **state)
{
    (void) state;
    assert_escaped("", "");
    assert_escaped("/a b/sub-01_bold.nii.gz %s $(x) 'q'", "/a b/sub-01_bold.nii.gz %s $(x) 'q'");
    assert_escaped("\xc3\xa9\xe6\x97\xa5\xf0\x9f\xa7\xa0", "\xc3\xa9\xe6\x97\xa5\xf0\x9f\xa7\xa0");
}

static void what_moves_a_cursor_or_is_no_utf8_is_spelt_out(void **state)
{
    (void) state;
    assert_escaped("\x1b[31m\r\n\t\x7f\x01", "\\x1b[31m\\x0d\\x0a\\x09\\x7f\\x01");
    assert_escaped("\xc2\x9b"
                   "31m",
                   "\\u{009b}31m"); // C1: another escape
    assert_escaped("a\xe2\x80\xae"
                   "b",
                   "a\\u{202e}b");                                       // right-to-left override
    assert_escaped("a\xe2\x80\xa8z", "a\\u{2028}z");                     // line separator
    assert_escaped("\xff\xfe a\xc3", "\\xff\\xfe a\\xc3");               // no UTF-8, cut short
    assert_escaped("\xed\xa0\x80\xc0\xaf", "\\xed\\xa0\\x80\\xc0\\xaf"); // surrogate, overlong
}

static void an_excerpt_is_cut_and_says_so(void **state)
{
    (void) state;
    g_autofree char *whole = text_excerpt("12345", 5);
    assert_string_equal(whole, "12345");
    g_autofree char *cut = text_excerpt("123456", 5);
    assert_string_equal(cut, "12345...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printable_stays),
        cmocka_unit_test(what_moves_a_cursor_or_is_no_utf8_is_spelt_out),
        cmocka_unit_test(an_excerpt_is_cut_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
