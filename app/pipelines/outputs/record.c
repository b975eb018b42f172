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

char *record_path(const struct record *record)
{
    g_autofree char *name = record_name(record->stem);
    return g_build_filename(record->folder, name, NULL);
}

static JsonObject *describe_file(const struct input_file *file, const char *sha256)
{
    JsonObject *object = json_object_new();
    g_autofree char *name = g_path_get_basename(file->path);
    g_autofree char *text = g_utf8_make_valid(name, -1);
    json_object_set_string_member(object, "role", file->role);
    json_object_set_string_member(object, "name", text);
    json_object_set_int_member(object, "size", (gint64) file->size);
    json_object_set_string_member(object, "sha256", sha256);
    return object;
}

static JsonArray *describe_inputs(const GPtrArray *files, char *const *sha256)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < files->len; i++) {
        const struct input_file *file = files->pdata[i];
        JsonObject *object = describe_file(file, sha256[i]);
        json_object_set_int_member(object, "mtime_ns", file->mtime_ns);
        json_array_add_object_element(array, object);
    }
    return array;
}

// Pages tell how long it took, and are drawn again by `taut report`: no two are the same.
static bool is_page(const char *name)
{
    return g_str_has_suffix(name, "_report.html") || g_str_has_suffix(name, "_report.json");
}

// The outputs that stay as they are, in a folder. Owned.
static GPtrArray *lasting_outputs(const char *folder, const GPtrArray *names)
{
    GPtrArray *files = input_files_new();
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
        if (!is_page(path))
            input_files_add(files, "output", path);
    }
    return files;
}

static JsonArray *names_json(const GPtrArray *outputs)
{
    JsonArray *names = json_array_new();
    for (guint i = 0; i < outputs->len; i++) {
        g_autofree char *name = g_utf8_make_valid(g_ptr_array_index(outputs, i), -1);
        json_array_add_string_element(names, name);
    }
    return names;
}

static bool add_outputs(JsonObject *object, const struct record_end *end, const struct host *host,
                        GError **error)
{
    g_autoptr(GPtrArray) files = lasting_outputs(end->where, end->outputs);
    g_auto(GStrv) sha256 = input_files_sha256(files, host, error);
    if (sha256 == NULL)
        return false;
    JsonArray *array = json_array_new();
    for (guint i = 0; i < files->len; i++)
        json_array_add_object_element(array, describe_file(files->pdata[i], sha256[i]));
    json_object_set_array_member(object, "output_files", array);
    return true;
}

bool record_write(const struct record *record, const char *path, const struct record_end *end,
                  const struct host *host, GError **error)
{
    g_autoptr(JsonObject) object = json_object_new();
    json_object_set_string_member(object, "state", end->where != NULL ? "done" : "started");
    json_object_set_string_member(object, "version", TAUT_VERSION);
    json_object_set_string_member(object, "build", version_build());
    json_object_set_string_member(object, "settings_sha256", record->settings_sha256);
    json_object_set_array_member(object, "inputs", describe_inputs(record->inputs, end->sha256));
    json_object_set_array_member(object, "outputs", names_json(end->outputs));
    if (end->where != NULL && !add_outputs(object, end, host, error))
        return false;
    if (end->outcome != NULL)
        json_object_set_object_member(object, "status", outcome_status_json(end->outcome));
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

// Whether a file is the recorded one by its size and, with rehash, by its bytes.
static bool same_file(const struct input_file *file, JsonObject *recorded, bool rehash)
{
    if (strcmp(text_of(recorded, "role"), file->role) != 0 ||
        number_of(recorded, "size") != (gint64) file->size)
        return false;
    g_autofree char *sha256 = rehash ? hash_file(file->path, NULL, NULL) : NULL;
    return !rehash || (sha256 != NULL && strcmp(text_of(recorded, "sha256"), sha256) == 0);
}

/**
 * Whether files are those of a record's list. They are hashed where their time is not the one that
 * was noted or, with_times false, is after `written_ns`; all of them where that is -1.
 */
static bool same_files(const GPtrArray *files, JsonArray *recorded, bool with_times,
                       gint64 written_ns)
{
    if (recorded == NULL || json_array_get_length(recorded) != files->len)
        return false;
    for (guint i = 0; i < files->len; i++) {
        const struct input_file *file = files->pdata[i];
        JsonNode *node = json_array_get_element(recorded, i);
        if (!JSON_NODE_HOLDS_OBJECT(node))
            return false;
        JsonObject *object = json_node_get_object(node);
        bool as_noted = with_times ? number_of(object, "mtime_ns") == file->mtime_ns
                                   : file->mtime_ns <= written_ns;
        if (!same_file(file, object, !as_noted || written_ns < 0))
            return false;
    }
    return true;
}

// Whether inputs and outputs of a record are as they were: see record_is_current.
static bool all_are_same(const struct record *record, JsonObject *found, bool paranoid)
{
    g_autoptr(GPtrArray) own = input_files_new();
    g_autofree char *path = record_path(record);
    input_files_add(own, "record", path);
    const struct input_file *itself = own->pdata[0];
    gint64 written_ns = paranoid ? -1 : itself->mtime_ns;
    g_autoptr(GPtrArray) names = record_outputs(record);
    g_autoptr(GPtrArray) outputs = lasting_outputs(record->folder, names);
    return same_files(record->inputs, array_of(found, "inputs"), true, written_ns) &&
           same_files(outputs, array_of(found, "output_files"), false, written_ns);
}

static bool outputs_are_there(const char *folder, const GPtrArray *names)
{
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, g_ptr_array_index(names, i), NULL);
        struct stat status;
        if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
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

bool record_is_current(const struct record *record, const GPtrArray *outputs,
                       const struct host *host)
{
    g_autoptr(JsonObject) found = read_record(record);
    return found != NULL && strcmp(text_of(found, "state"), "done") == 0 &&
           strcmp(text_of(found, "version"), TAUT_VERSION) == 0 &&
           strcmp(text_of(found, "build"), version_build()) == 0 &&
           strcmp(text_of(found, "settings_sha256"), record->settings_sha256) == 0 &&
           outputs_are_there(record->folder, outputs) &&
           all_are_same(record, found, host->paranoid);
}
