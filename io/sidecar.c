// SPDX-License-Identifier: BSD-3-Clause
#include "io/sidecar.h"

#include "io/bids_name.h"
#include "io/input.h"
#include "io/json_text.h"
#include "io/publish.h"
#include "io/recording.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
    MOST_BYTES = 4 << 20,
    MOST_LEVELS = 64,
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

static JsonObject *parse(const char *path, const char *text, size_t n, GError **error)
{
    const char *problem = json_text_check(text, n, MOST_LEVELS);
    if (problem != NULL) {
        io_error_set(error, IO_ERROR_INPUT, path, "%s", problem);
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) reason = NULL;
    if (!json_parser_load_from_data(parser, text, (gssize) n, &reason)) {
        // "<data>:LINE:COLUMN: ..."; the rest quotes the file
        const char *colon = strchr(reason->message, ':');
        guint64 line = colon == NULL ? 0 : g_ascii_strtoull(colon + 1, NULL, 10);
        io_error_set(error, IO_ERROR_INPUT, path,
                     "line %" G_GUINT64_FORMAT ": expected JSON, found something else", line);
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
    g_autofree char *text = input_text(path, MOST_BYTES, &n, error);
    return text == NULL ? NULL : parse(path, text, n, error);
}

/** Whether NAME.json is there. A dangling link is: what it should say is not known. */
static bool is_beside(const char *path, const char *image_path)
{
    bool is_there =
        g_file_test(path, G_FILE_TEST_EXISTS) || g_file_test(path, G_FILE_TEST_IS_SYMLINK);
    return is_there && strcmp(path, image_path) != 0;
}

JsonObject *sidecar_read(const char *image_path, GError **error)
{
    g_autofree char *path = sidecar_path(image_path);
    return is_beside(path, image_path) ? sidecar_read_file(path, error) : NULL;
}

GPtrArray *sidecar_find(const char *image_path)
{
    g_auto(owned_bids_name) name = bids_name_split(image_path);
    if (name.entities != NULL)
        return bids_name_inherit(&name, name.suffix, ".json", NULL);
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *path = sidecar_path(image_path);
    if (is_beside(path, image_path))
        g_ptr_array_add(found, g_steal_pointer(&path));
    return found;
}

/** Adds the members that the object does not have yet. */
static void merge(JsonObject *object, JsonObject *more)
{
    g_autoptr(GList) members = json_object_get_members(more);
    for (GList *at = members; at != NULL; at = at->next)
        if (!json_object_has_member(object, at->data))
            json_object_set_member(object, at->data, json_object_dup_member(more, at->data));
}

JsonObject *sidecar_read_merged(const GPtrArray *paths, GError **error)
{
    g_autoptr(JsonObject) all = paths->len == 0 ? NULL : json_object_new();
    for (guint i = 0; i < paths->len; i++) {
        g_autoptr(JsonObject) one = sidecar_read_file(g_ptr_array_index(paths, i), error);
        if (one == NULL)
            return NULL;
        merge(all, one);
    }
    return g_steal_pointer(&all);
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
    if (!(value > 0.0 && value <= LONGEST_INTERVAL_S)) {
        g_autofree char *number = g_strdup_printf("%g", value);
        g_set_error(error, IO_ERROR, IO_ERROR_INPUT,
                    "RepetitionTime: expected more than 0 and at most %g s, found %s",
                    LONGEST_INTERVAL_S, is_number ? number : "no number");
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
