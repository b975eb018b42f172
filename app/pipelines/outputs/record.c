// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/outputs/record.h"

#include "app/host/hash.h"
#include "app/host/version.h"
#include "io/sidecar.h"

#include <string.h>
#include <sys/stat.h>

char *record_name(const char *stem)
{
    return g_strconcat(stem, ".taut.json", NULL);
}

static char *record_path(const struct run *run)
{
    g_autofree char *name = record_name(run->stem);
    return g_build_filename(run->folder, name, NULL);
}

static bool names_files(enum setting_id id)
{
    return settings_row(id)->type == SETTING_TYPE_FILES;
}

// The SHA-256 of all settings; files count by what they hold, which is recorded as inputs. Owned.
static char *hash_settings(const struct settings *settings)
{
    g_autoptr(GString) all = g_string_new(NULL);
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const struct setting *row = settings_row((enum setting_id) i);
        g_autofree char *value = settings_quote(settings, (enum setting_id) i);
        bool path = names_files((enum setting_id) i) && strchr(value, '/') != NULL;
        g_string_append_printf(all, "%s.%s=%s\n", row->group, row->key, path ? "(file)" : value);
    }
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, (gssize) all->len);
}

static JsonObject *describe_input(const struct run_input *input)
{
    JsonObject *object = json_object_new();
    g_autofree char *name = g_path_get_basename(input->path);
    g_autofree char *text = g_utf8_make_valid(name, -1);
    json_object_set_string_member(object, "role", input->role);
    json_object_set_string_member(object, "name", text);
    json_object_set_int_member(object, "size", (gint64) input->size);
    json_object_set_int_member(object, "mtime_ns", input->mtime_ns);
    json_object_set_string_member(object, "sha256", input->sha256 == NULL ? "" : input->sha256);
    return object;
}

bool record_write(const struct run *run, bool done, const GPtrArray *outputs, GError **error)
{
    g_autoptr(JsonObject) record = json_object_new();
    g_autofree char *settings = hash_settings(run->settings);
    json_object_set_string_member(record, "state", done ? "done" : "started");
    json_object_set_string_member(record, "version", TAUT_VERSION);
    json_object_set_string_member(record, "build", version_build());
    json_object_set_string_member(record, "settings_sha256", settings);
    JsonArray *inputs = json_array_new();
    for (guint i = 0; i < run->inputs->len; i++)
        json_array_add_object_element(inputs, describe_input(g_ptr_array_index(run->inputs, i)));
    json_object_set_array_member(record, "inputs", inputs);
    JsonArray *names = json_array_new();
    for (guint i = 0; i < outputs->len; i++) {
        g_autofree char *name = g_utf8_make_valid(g_ptr_array_index(outputs, i), -1);
        json_array_add_string_element(names, name);
    }
    json_object_set_array_member(record, "outputs", names);
    json_object_set_object_member(record, "status", outcome_status_json(&run->outcome));
    g_autofree char *path = record_path(run);
    return sidecar_write(path, record, true, error);
}

// The record that is there, or NULL: what cannot be read is as good as none.
static JsonObject *read_record(const struct run *run)
{
    g_autofree char *path = record_path(run);
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

bool record_exists(const struct run *run)
{
    g_autoptr(JsonObject) record = read_record(run);
    return record != NULL;
}

bool record_is_unfinished(const struct run *run)
{
    g_autoptr(JsonObject) record = read_record(run);
    return record != NULL && strcmp(text_of(record, "state"), "started") == 0;
}

static bool same_input(const struct run_input *input, JsonNode *node)
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

static bool same_inputs(const struct run *run, JsonObject *record)
{
    JsonArray *inputs = array_of(record, "inputs");
    if (inputs == NULL || json_array_get_length(inputs) != run->inputs->len)
        return false;
    for (guint i = 0; i < run->inputs->len; i++)
        if (!same_input(g_ptr_array_index(run->inputs, i), json_array_get_element(inputs, i)))
            return false;
    return true;
}

static bool outputs_are_there(const struct run *run)
{
    g_autoptr(GPtrArray) names = run_output_names(run);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(run->folder, g_ptr_array_index(names, i), NULL);
        if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
            return false;
    }
    return true;
}

bool record_is_current(const struct run *run)
{
    g_autoptr(JsonObject) record = read_record(run);
    if (record == NULL)
        return false;
    g_autofree char *settings = hash_settings(run->settings);
    return strcmp(text_of(record, "state"), "done") == 0 &&
           strcmp(text_of(record, "version"), TAUT_VERSION) == 0 &&
           strcmp(text_of(record, "build"), version_build()) == 0 &&
           strcmp(text_of(record, "settings_sha256"), settings) == 0 && outputs_are_there(run) &&
           same_inputs(run, record);
}
