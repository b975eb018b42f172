// SPDX-License-Identifier: BSD-3-Clause
#include "io/json_text.h"

#include <math.h>
#include <string.h>

/** Text under way. */
struct writing {
    GString *text; // borrowed
    bool pretty;
    guint depth;
};

static void add_value(struct writing *to, JsonNode *node);

static void add_line(struct writing *to)
{
    if (!to->pretty)
        return;
    g_string_append_c(to->text, '\n');
    for (guint i = 0; i < to->depth; i++)
        g_string_append(to->text, "  ");
}

static void add_string(struct writing *to, const char *string)
{
    g_string_append_c(to->text, '"');
    for (const char *c = string; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_printf(to->text, "\\%c", *c);
        else if ((unsigned char) *c < 0x20 || *c == 0x7f)
            g_string_append_printf(to->text, "\\u%04x", (unsigned) *c);
        else
            g_string_append_c(to->text, *c);
    }
    g_string_append_c(to->text, '"');
}

static void add_double(struct writing *to, double value)
{
    static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    if (!isfinite(value)) {
        g_string_append(to->text, "null");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(digits, sizeof digits, formats[i], value);
        if (g_ascii_strtod(digits, NULL) == value)
            break;
    }
    g_string_append(to->text, digits);
    if (strpbrk(digits, ".e") == NULL)
        g_string_append(to->text, ".0"); // a double all the same
}

static void add_scalar(struct writing *to, JsonNode *node)
{
    switch (json_node_get_value_type(node)) {
    case G_TYPE_BOOLEAN:
        g_string_append(to->text, json_node_get_boolean(node) ? "true" : "false");
        break;
    case G_TYPE_DOUBLE:
        add_double(to, json_node_get_double(node));
        break;
    case G_TYPE_INT64:
        g_string_append_printf(to->text, "%" G_GINT64_FORMAT, json_node_get_int(node));
        break;
    default:
        add_string(to, json_node_get_string(node));
    }
}

static void add_object(struct writing *to, JsonObject *object)
{
    JsonObjectIter members;
    const char *name = NULL;
    JsonNode *value = NULL;
    bool is_first = true;
    g_string_append_c(to->text, '{');
    to->depth++;
    json_object_iter_init_ordered(&members, object);
    while (json_object_iter_next_ordered(&members, &name, &value)) {
        if (!is_first)
            g_string_append_c(to->text, ',');
        is_first = false;
        add_line(to);
        add_string(to, name);
        g_string_append(to->text, to->pretty ? ": " : ":");
        add_value(to, value);
    }
    to->depth--;
    if (!is_first)
        add_line(to);
    g_string_append_c(to->text, '}');
}

// Elements stand on one line, unless they have parts themselves.
static void add_array(struct writing *to, JsonArray *array)
{
    guint n = json_array_get_length(array);
    bool flat = true;
    for (guint i = 0; i < n; i++)
        flat = flat && JSON_NODE_HOLDS_VALUE(json_array_get_element(array, i));
    g_string_append_c(to->text, '[');
    to->depth++;
    for (guint i = 0; i < n; i++) {
        if (i > 0)
            g_string_append(to->text, to->pretty && flat ? ", " : ",");
        if (!flat)
            add_line(to);
        add_value(to, json_array_get_element(array, i));
    }
    to->depth--;
    if (!flat)
        add_line(to);
    g_string_append_c(to->text, ']');
}

static void add_value(struct writing *to, JsonNode *node)
{
    switch (json_node_get_node_type(node)) {
    case JSON_NODE_OBJECT:
        add_object(to, json_node_get_object(node));
        break;
    case JSON_NODE_ARRAY:
        add_array(to, json_node_get_array(node));
        break;
    case JSON_NODE_VALUE:
        add_scalar(to, node);
        break;
    default:
        g_string_append(to->text, "null");
    }
}

char *json_text(JsonNode *node, bool pretty)
{
    struct writing to = {g_string_new(NULL), pretty, 0};
    add_value(&to, node);
    return g_string_free(to.text, FALSE);
}

static bool is_json_outside_of_strings(char c)
{
    return g_ascii_isalnum(c) || (c != '\0' && strchr(" \t\r\n{}[]:,+-.", c) != NULL);
}

const char *json_text_check(const char *text, size_t n, size_t most_levels)
{
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return "expected JSON, found a byte order mark before it";
    if (!g_utf8_validate(text, (gssize) n, NULL))
        return "expected JSON in UTF-8, found other bytes";
    size_t level = 0;
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        if (in_string && (unsigned char) text[i] < 0x20)
            return "expected JSON, found a line break or control character in a string";
        if (in_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_string = !in_string;
        else if (!in_string && (text[i] == 'N' || text[i] == 'I'))
            return "expected JSON, found NaN or Infinity, which it does not have";
        else if (!in_string && !is_json_outside_of_strings(text[i]))
            return "expected JSON, found something else";
        else if (!in_string && (text[i] == '{' || text[i] == '['))
            level++;
        else if (!in_string && (text[i] == '}' || text[i] == ']') && level > 0)
            level--;
        if (level > most_levels)
            return "expected JSON of few levels, found too many";
    }
    return NULL;
}
