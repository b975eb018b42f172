// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/outputs/record.h"

#include "app/host/hash.h"
#include "app/host/version.h"
#include "io/sidecar.h"

#include <string.h>

char *record_name(const char *stem)
{
    return g_strconcat(stem, ".taut.json", NULL);
}

static char *record_path(const struct record *record)
{
    g_autofree char *name = record_name(record->stem);
    return g_build_filename(record->folder, name, NULL);
}

static JsonObject *describe_input(const struct input_file *input, const char *sha256)
{
    JsonObject *object = json_object_new();
    g_autofree char *name = g_path_get_basename(input->path);
    g_autofree char *text = g_utf8_make_valid(name, -1);
    json_object_set_string_member(object, "role", input->role);
    json_object_set_string_member(object, "name", text);
    json_object_set_int_member(object, "size", (gint64) input->size);
    json_object_set_int_member(object, "mtime_ns", input->mtime_ns);
    json_object_set_string_member(object, "sha256", sha256 == NULL ? "" : sha256);
    return object;
}

bool record_write(const struct record *record, bool done, char *const *sha256,
                  const GPtrArray *outputs, const struct outcome *outcome, GError **error)
{
    g_autoptr(JsonObject) object = json_object_new();
    json_object_set_string_member(object, "state", done ? "done" : "started");
    json_object_set_string_member(object, "version", TAUT_VERSION);
    json_object_set_string_member(object, "build", version_build());
    json_object_set_string_member(object, "settings_sha256", record->settings_sha256);
    JsonArray *inputs = json_array_new();
    for (guint i = 0; i < record->inputs->len; i++)
        json_array_add_object_element(
            inputs, describe_input(g_ptr_array_index(record->inputs, i), sha256[i]));
    json_object_set_array_member(object, "inputs", inputs);
    JsonArray *names = json_array_new();
    for (guint i = 0; i < outputs->len; i++) {
        g_autofree char *name = g_utf8_make_valid(g_ptr_array_index(outputs, i), -1);
        json_array_add_string_element(names, name);
    }
    json_object_set_array_member(object, "outputs", names);
    if (outcome != NULL)
        json_object_set_object_member(object, "status", outcome_status_json(outcome));
    g_autofree char *path = record_path(record);
    return sidecar_write(path, object, true, error);
}

// The record that is there, or NULL: what cannot be read is as good as none.
static JsonObject *read_record(const struct record *record)
{
    g_autofree char *path = record_path(record);
    return g_file_test(path, G_FILE_TEST_IS_REGULAR) ? sidecar_read_file(path, NULL) : NULL;
}

// A member that is a string, or "".
static const char *text_of(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    const char *text = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                               json_node_get_value_type(node) == G_TYPE_STRING
                           ? json_node_get_string(node)
                           : NULL;
    return text == NULL ? "" : text;
}

static gint64 number_of(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    bool number = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                  json_node_get_value_type(node) == G_TYPE_INT64;
    return number ? json_node_get_int(node) : -1;
}

static JsonArray *array_of(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

bool record_exists(const struct record *record)
{
    g_autoptr(JsonObject) found = read_record(record);
    return found != NULL;
}

bool record_is_unfinished(const struct record *record)
{
    g_autoptr(JsonObject) found = read_record(record);
    return found != NULL && strcmp(text_of(found, "state"), "started") == 0;
}

static bool same_input(const struct input_file *input, JsonNode *node)
{
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return false;
    JsonObject *recorded = json_node_get_object(node);
    if (strcmp(text_of(recorded, "role"), input->role) != 0 ||
        number_of(recorded, "size") != (gint64) input->size)
        return false;
    if (number_of(recorded, "mtime_ns") == input->mtime_ns)
        return true;
    g_autofree char *sha256 = hash_file(input->path, NULL);
    return sha256 != NULL && strcmp(text_of(recorded, "sha256"), sha256) == 0;
}

static bool same_inputs(const struct record *record, JsonObject *found)
{
    JsonArray *inputs = array_of(found, "inputs");
    if (inputs == NULL || json_array_get_length(inputs) != record->inputs->len)
        return false;
    for (guint i = 0; i < record->inputs->len; i++)
        if (!same_input(g_ptr_array_index(record->inputs, i), json_array_get_element(inputs, i)))
            return false;
    return true;
}

static bool outputs_are_there(const char *folder, const GPtrArray *names)
{
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, g_ptr_array_index(names, i), NULL);
        if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
            return false;
    }
    return true;
}

GPtrArray *record_outputs(const struct record *record)
{
    g_autoptr(JsonObject) found = read_record(record);
    JsonArray *names = found == NULL ? NULL : array_of(found, "outputs");
    GPtrArray *outputs = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; names != NULL && i < json_array_get_length(names); i++) {
        JsonNode *node = json_array_get_element(names, i);
        bool text = JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
        g_ptr_array_add(outputs, g_strdup(text ? json_node_get_string(node) : ""));
    }
    return outputs;
}

bool record_is_current(const struct record *record, const GPtrArray *outputs)
{
    g_autoptr(JsonObject) found = read_record(record);
    return found != NULL && strcmp(text_of(found, "state"), "done") == 0 &&
           strcmp(text_of(found, "version"), TAUT_VERSION) == 0 &&
           strcmp(text_of(found, "build"), version_build()) == 0 &&
           strcmp(text_of(found, "settings_sha256"), record->settings_sha256) == 0 &&
           outputs_are_there(record->folder, outputs) && same_inputs(record, found);
}
