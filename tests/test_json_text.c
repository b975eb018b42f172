// SPDX-License-Identifier: BSD-3-Clause
#include "io/json_text.h"

#include "tests/check.h"
#include <string.h>

static char *text_of_double(double value)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_VALUE);
    json_node_set_double(node, value);
    return json_text(node, false);
}

static void doubles_are_short_and_read_back_exactly(void **state)
{
    (void) state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"},        {1e-8, "1e-08"},   {2.0, "2.0"},
                 {-0.0, "-0.0"},      {1e300, "1e+300"}, {1.0 / 3.0, "0.3333333333333333"},
                 {1e-6, "1e-06"},     {NAN, "null"},     {INFINITY, "null"},
                 {-INFINITY, "null"}, {1e15, "1e+15"},   {123456.0, "123456.0"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = text_of_double(cases[i].value);
        assert_string_equal(text, cases[i].text);
    }
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    for (size_t trial = 0; trial < 10000; trial++) {
        double value = g_rand_double_range(rand, -1.0, 1.0) *
                       pow(10.0, g_rand_double_range(rand, -300.0, 300.0));
        g_autofree char *text = text_of_double(value);
        assert_true(g_ascii_strtod(text, NULL) == value);
        g_autoptr(JsonNode) again = json_from_string(text, NULL);
        assert_non_null(again);
        assert_true(json_node_get_double(again) == value);
    }
}

static void strings_are_escaped(void **state)
{
    (void) state;
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_VALUE);
    json_node_set_string(node, "a\"b\\c\n\x1b\x7f\xc3\xa9");
    g_autofree char *text = json_text(node, false);
    assert_string_equal(text, "\"a\\\"b\\\\c\\u000a\\u001b\\u007f\xc3\xa9\"");
    g_autoptr(JsonNode) again = json_from_string(text, NULL);
    assert_string_equal(json_node_get_string(again), json_node_get_string(node));
}

static void trees_are_read_back_the_same(void **state)
{
    (void) state;
    static const char source[] = "{\"b\":[1,2.5,[],{}],\"a\":{\"x\":null,\"y\":true,\"z\":[{\"k\":"
                                 "-7}]},\"\":\"\"}";
    g_autoptr(JsonNode) node = json_from_string(source, NULL);
    g_autofree char *plain = json_text(node, false);
    assert_string_equal(plain, source);
    g_autofree char *pretty = json_text(node, true);
    assert_string_equal(pretty, "{\n  \"b\": [\n    1,\n    2.5,\n    [],\n    {}\n  ],\n"
                                "  \"a\": {\n    \"x\": null,\n    \"y\": true,\n"
                                "    \"z\": [\n      {\n        \"k\": -7\n      }\n    ]\n  },\n"
                                "  \"\": \"\"\n}");
    g_autoptr(JsonNode) again = json_from_string(pretty, NULL);
    assert_true(json_node_equal(node, again));
}

static void assert_check(const char *text, const char *part)
{
    const char *problem = json_text_check(text, strlen(text), 3);
    if (part == NULL)
        assert_null(problem);
    else
        assert_non_null(strstr(problem, part));
}

static void only_json_of_few_levels_reaches_the_parser(void **state)
{
    (void) state;
    assert_check("{\"a\": [1, -2.5e+3, null, {\"b]]\": true}], \"c\\\"[[[[\": \"/*'\"}", NULL);
    assert_check("", NULL);
    assert_check("[[[1]]]", NULL);
    assert_check("[[[[1]]]]", "few levels");
    assert_check("{\"a\":[{\"b\":[1]}]}", "few levels");
    // strings that close nothing
    assert_check("[\"]]]\",[\"]]]\",[\"]]]\",[", "few levels");
    // comments and quotes that json-glib takes could hide brackets from the count
    assert_check("/* \" */ [[[[[[", "expected JSON");
    assert_check("[ // \"\n [[[[[", "expected JSON");
    assert_check("['\"', [[[[[", "expected JSON");
    assert_check("[\"\\\", [[[[[[[\", 1]", NULL);
    assert_check("{\"a\": \"\xff\"}", "UTF-8");
    assert_non_null(json_text_check("[\0]", 3, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_are_short_and_read_back_exactly),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(trees_are_read_back_the_same),
        cmocka_unit_test(only_json_of_few_levels_reaches_the_parser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
