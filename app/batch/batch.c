// SPDX-License-Identifier: BSD-3-Clause
#include "app/batch/batch.h"

#include "app/host/app_error.h"
#include "app/pipelines/outputs/stem.h"
#include "app/pipelines/run/run.h"
#include "app/pipelines/run/run_images.h"
#include "app/settings/settings_run.h"

#include <string.h>

static void unit_free(void *data)
{
    struct batch_unit *unit = data;
    settings_free(unit->settings);
    g_free(unit->input);
    g_clear_error(&unit->error);
    if (unit->told != NULL)
        json_object_unref(unit->told);
    g_free(unit);
}

void batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    g_ptr_array_unref(batch->units);
    g_free(batch);
}

// Gives a unit its part of a list of files: the only one, or that of its place.
static bool take_path(struct batch_unit *unit, enum setting_id id, size_t index, size_t n_units,
                      GError **error)
{
    if (!settings_names_file(unit->settings, id))
        return true;
    g_autoptr(GPtrArray) paths = settings_paths(unit->settings, id, unit->input, error);
    if (paths == NULL)
        return false;
    if (paths->len != 1 && paths->len != n_units) {
        const struct setting *row = settings_row(id);
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "[%s] %s: expected one path, or one for each of %zu recordings, found %u",
                    row->group, row->key, n_units, paths->len);
        return false;
    }
    settings_set_path(unit->settings, id, g_ptr_array_index(paths, paths->len == 1 ? 0 : index));
    return true;
}

static bool add_unit(struct batch *batch, const struct settings *settings, const char *input,
                     size_t n_units, GError **error)
{
    static const enum setting_id lists[] = {SETTING_MASK, SETTING_SIDECAR, SETTING_CONFOUNDS,
                                            SETTING_NETWORK, SETTING_FOLDER};
    size_t index = batch->units->len;
    struct batch_unit *unit = g_new0(struct batch_unit, 1);
    g_ptr_array_add(batch->units, unit);
    unit->settings = settings_copy(settings);
    unit->input = g_strdup(input);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        if (!take_path(unit, lists[i], index, n_units, error))
            return false;
    settings_set_path(unit->settings, SETTING_BOLD, input);
    return true;
}

// Refuses two recordings whose outputs have the same names in the same folder.
static bool check_outputs(const struct batch *batch, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < batch->units->len; i++) {
        const struct batch_unit *unit = g_ptr_array_index(batch->units, i);
        g_autofree char *stem = stem_of(unit->input);
        g_autofree char *folder = settings_quote(unit->settings, SETTING_FOLDER);
        char *key = g_strconcat(folder, "/", stem, NULL);
        const struct batch_unit *other = g_hash_table_lookup(seen, key);
        if (other != NULL) {
            g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                        "[output] folder: %s and %s would both write %s (see {folder} and {up1})",
                        other->input, unit->input, key);
            g_free(key);
            return false;
        }
        g_hash_table_insert(seen, key, (gpointer) unit);
    }
    return true;
}

struct batch *batch_new(const struct settings *settings, GError **error)
{
    g_autoptr(GPtrArray) inputs = settings_paths(settings, SETTING_BOLD, NULL, error);
    if (inputs == NULL)
        return NULL;
    g_autoptr(owned_batch) batch = g_new0(struct batch, 1);
    batch->units = g_ptr_array_new_with_free_func(unit_free);
    for (guint i = 0; i < inputs->len; i++)
        if (!add_unit(batch, settings, g_ptr_array_index(inputs, i), inputs->len, error))
            return NULL;
    return check_outputs(batch, error) ? g_steal_pointer(&batch) : NULL;
}

static bool is_done(const struct run_files *files)
{
    struct record record = run_files_record(files, files->inputs);
    g_autoptr(GPtrArray) names = run_image_names(files);
    return record_is_current(&record, names);
}

// What stands beside a record is ours: a redo replaces it.
static bool may_overwrite(const struct host *host, const struct run_files *files)
{
    struct record record = run_files_record(files, files->inputs);
    return host->force || record_exists(&record);
}

static void tell(const struct host *host, struct batch_unit *unit, const struct run *run)
{
    unit->told = run_to_json(run);
    unit->inaccurate = run->outcome.counts[SERIES_INACCURATE];
    host_info(host, "%s: %zu of %zu series solved, largest relative gap %.2g, %.2f s",
              run->plan->files->stem, run->outcome.counts[SERIES_SOLVED], run->n_series,
              run->outcome.relative_gap.max, run->seconds.total);
}

// Plans a unit, and does it unless that is done or only to be planned.
static bool do_unit(const struct host *host, struct batch_unit *unit, bool dry_run, GError **error)
{
    g_auto(owned_run_options) options = {0};
    if (!settings_run_options(unit->settings, &options, error))
        return false;
    g_autoptr(owned_run_files) files = run_files_new(&options);
    if (!host->force && is_done(files)) {
        unit->state = BATCH_SKIPPED;
        return true;
    }
    g_autoptr(owned_run_plan) plan = run_plan_new(host, files, may_overwrite(host, files), error);
    if (plan == NULL)
        return false;
    unit->state = BATCH_READY;
    if (dry_run)
        return true;
    g_autoptr(owned_run) run = run_execute(plan, error);
    if (run == NULL)
        return false;
    unit->state = BATCH_DONE;
    tell(host, unit, run);
    return true;
}

bool batch_run(const struct host *host, struct batch *batch, bool dry_run, GError **error)
{
    for (guint i = 0; i < batch->units->len; i++) {
        struct batch_unit *unit = g_ptr_array_index(batch->units, i);
        if (host_stopped(host, error))
            return false;
        host_hold(host);
        if (do_unit(host, unit, dry_run, &unit->error)) {
            host_accept(host);
            continue;
        }
        unit->state = BATCH_FAILED;
        if (host_stopped(host, error))
            return false;
        if (batch->units->len > 1)
            host_error(host, "%s", unit->error->message);
    }
    return true;
}

size_t batch_count(const struct batch *batch, enum batch_state state)
{
    size_t count = 0;
    for (guint i = 0; i < batch->units->len; i++) {
        const struct batch_unit *unit = g_ptr_array_index(batch->units, i);
        count += unit->state == state;
    }
    return count;
}

static JsonObject *unit_to_json(const struct batch_unit *unit)
{
    static const char *const states[] = {[BATCH_PENDING] = "pending",
                                         [BATCH_READY] = "ready",
                                         [BATCH_DONE] = "done",
                                         [BATCH_SKIPPED] = "skipped",
                                         [BATCH_FAILED] = "failed"};
    JsonObject *object = unit->told == NULL ? json_object_new() : json_object_ref(unit->told);
    g_autofree char *input = g_utf8_make_valid(unit->input, -1);
    json_object_set_string_member(object, "input", input);
    json_object_set_string_member(object, "state", states[unit->state]);
    if (unit->error != NULL) {
        g_autofree char *message = g_utf8_make_valid(unit->error->message, -1);
        json_object_set_string_member(object, "error", message);
    }
    return object;
}

JsonObject *batch_to_json(const struct batch *batch)
{
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "total", batch->units->len);
    json_object_set_int_member(object, "done", (gint64) batch_count(batch, BATCH_DONE));
    json_object_set_int_member(object, "skipped", (gint64) batch_count(batch, BATCH_SKIPPED));
    json_object_set_int_member(object, "failed", (gint64) batch_count(batch, BATCH_FAILED));
    JsonArray *runs = json_array_new();
    for (guint i = 0; i < batch->units->len; i++)
        json_array_add_object_element(runs, unit_to_json(g_ptr_array_index(batch->units, i)));
    json_object_set_array_member(object, "runs", runs);
    return object;
}
