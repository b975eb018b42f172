// SPDX-License-Identifier: BSD-3-Clause
#include "io/sidecar.h"

#include "io/gz.h"
#include "io/json_text.h"
#include "io/publish.h"

#include <math.h>
#include <string.h>

enum {
    MOST_BYTES = 4 << 20,
    MOST_DEPTH = 64, // the parser calls itself: depth is stack
};

char *sidecar_path(const char *image_path)
{
    g_autofree char *stem = g_strdup(image_path);
    if (g_str_has_suffix(stem, ".gz"))
        stem[strlen(stem) - strlen(".gz")] = '\0';
    char *name = strrchr(stem, G_DIR_SEPARATOR);
    char *dot = strrchr(name == NULL ? stem : name, '.');
    if (dot != NULL)
        *dot = '\0';
    return g_strconcat(stem, ".json", NULL);
}

/** The deepest nesting of brackets outside of strings. */
static size_t nesting(const char *text, size_t n)
{
    size_t depth = 0;
    size_t deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < n; i++) {
        if (in_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_string = !in_string;
        else if (!in_string && (text[i] == '{' || text[i] == '['))
            deepest = MAX(deepest, ++depth);
        else if (!in_string && (text[i] == '}' || text[i] == ']') && depth > 0)
            depth--;
    }
    return deepest;
}

static char *read_text(const char *path, size_t *n, GError **error)
{
    struct input input;
    if (!input_open(&input, path, error))
        return NULL;
    g_autofree char *text = NULL;
    if (input.size > MOST_BYTES) {
        io_error_set(error, IO_ERROR_INPUT, path, "expected at most 4 MiB, found more");
    } else {
        text = g_malloc((size_t) input.size + 1);
        if (!input_read(&input, 0, text, (size_t) input.size, n)) {
            io_error_set(error, IO_ERROR_INPUT, path, "cannot be read");
            g_clear_pointer(&text, g_free);
        }
    }
    input_close(&input);
    return g_steal_pointer(&text);
}

static JsonObject *parse(const char *path, const char *text, size_t n, GError **error)
{
    if (!g_utf8_validate(text, (gssize) n, NULL)) {
        io_error_set(error, IO_ERROR_INPUT, path, "expected UTF-8, found other bytes");
        return NULL;
    }
    if (nesting(text, n) > MOST_DEPTH) {
        io_error_set(error, IO_ERROR_INPUT, path, "expected at most 64 levels, found more");
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, text, (gssize) n, NULL)) {
        // The parser's own message quotes the file.
        io_error_set(error, IO_ERROR_INPUT, path, "line %u: expected JSON, found something else",
                     json_parser_get_current_line(parser));
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        io_error_set(error, IO_ERROR_INPUT, path, "expected a JSON object, found another value");
        return NULL;
    }
    return json_node_dup_object(root);
}

JsonObject *sidecar_read_file(const char *path, GError **error)
{
    size_t n = 0;
    g_autofree char *text = read_text(path, &n, error);
    return text == NULL ? NULL : parse(path, text, n, error);
}

JsonObject *sidecar_read(const char *image_path, GError **error)
{
    g_autofree char *path = sidecar_path(image_path);
    // A dangling link is there: what it should say is not known.
    bool is_there =
        g_file_test(path, G_FILE_TEST_EXISTS) || g_file_test(path, G_FILE_TEST_IS_SYMLINK);
    if (strcmp(path, image_path) == 0 || !is_there)
        return NULL;
    return sidecar_read_file(path, error);
}

bool sidecar_interval(JsonObject *sidecar, double *interval_s, GError **error)
{
    *interval_s = 0.0;
    if (!json_object_has_member(sidecar, "RepetitionTime"))
        return true;
    JsonNode *node = json_object_get_member(sidecar, "RepetitionTime");
    GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_NONE;
    bool is_number = type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
    double value = is_number ? json_node_get_double(node) : NAN;
    if (!(isfinite(value) && value > 0.0)) {
        g_set_error(error, IO_ERROR, IO_ERROR_INPUT,
                    "RepetitionTime: expected a positive number of seconds, found %s",
                    is_number ? "another number" : "something else");
        return false;
    }
    *interval_s = value;
    return true;
}

bool sidecar_write(const char *path, JsonObject *object, bool overwrite, GError **error)
{
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), object);
    g_autofree char *text = json_text(root, true);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    return publish_bytes(path, line, strlen(line), overwrite, error);
}
