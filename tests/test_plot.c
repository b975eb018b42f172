// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/plot.h"
#include "tests/check.h"

#include <string.h>

static void text_cannot_leave_its_place_in_the_page(void **state)
{
    (void) state;
    g_autoptr(GString) html = g_string_new(NULL);
    html_append_text(html, "<b a=\"x\" c='y'>&amp;\n\x1b[31m\xff");
    assert_string_equal(html->str, "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;"
                                   "\xef\xbf\xbd\xef\xbf\xbd[31m\xef\xbf\xbd");
}

static void numbers_are_rounded_before_their_exponent_is_taken(void **state)
{
    (void) state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{12.5, "12.5"},
                 {0.0, "0"},
                 {9.999e-6, "1.0&#8239;×&#8239;10<sup>−5</sup>"},
                 {-2e7, "-2.0&#8239;×&#8239;10<sup>7</sup>"},
                 {NAN, "–"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) html = g_string_new(NULL);
        html_append_number(html, cases[i].value);
        assert_string_equal(html->str, cases[i].text);
    }
}

static void ticks_are_round_and_inside(void **state)
{
    (void) state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(2);
    for (size_t trial = 0; trial < 1000; trial++) {
        double ticks[PLOT_MAX_TICKS];
        double low = g_rand_double_range(rand, -1.0, 1.0);
        double scale = pow(10.0, g_rand_double_range(rand, -6.0, 6.0));
        double range[2] = {scale * low, scale * (low + g_rand_double_range(rand, 0.1, 2.0))};
        size_t wanted = (size_t) g_rand_int_range(rand, 3, PLOT_MAX_TICKS + 1);
        size_t n = plot_ticks(range, wanted, ticks);
        assert_true(n >= 1 && n <= wanted);
        double slack = 1e-6 * (range[1] - range[0]);
        assert_true(ticks[0] >= range[0] - slack && ticks[n - 1] <= range[1] + slack);
        for (size_t i = 2; i < n; i++)
            assert_close(ticks[i] - ticks[i - 1], ticks[1] - ticks[0], slack);
    }
    double none[PLOT_MAX_TICKS];
    assert_int_equal(plot_ticks((double[]){1.0, 1.0}, 5, none), 0);
    assert_int_equal(plot_ticks((double[]){0.0, INFINITY}, 5, none), 0);
}

static void steps_draw_changes_only(void **state)
{
    (void) state;
    g_autoptr(GString) svg = g_string_new(NULL);
    const struct plot plot = {svg, 0.0, 0.0, 40.0, 10.0, {0.0, 4.0}, {0.0, 1.0}};
    plot_steps(&plot, (double[]){0.0, 0.0, 1.0, 1.0}, 4, 1.0, "act");
    assert_string_equal(svg->str, "<path class='act' d='M0.0 10.0H20.0V0.0H40.0'/>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_rounded_before_their_exponent_is_taken),
        cmocka_unit_test(steps_draw_changes_only),
        cmocka_unit_test(text_cannot_leave_its_place_in_the_page),
        cmocka_unit_test(ticks_are_round_and_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
