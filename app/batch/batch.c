// SPDX-License-Identifier: BSD-3-Clause
#include "app/batch/batch.h"

#include "app/host/app_error.h"
#include "io/staging.h"

#include <string.h>

static const struct batch_job *const jobs[] = {&batch_deconv, &batch_sources, &batch_train};

/** A slot of a unit whose text is not that of the batch. */
struct change {
    size_t slot;
    char *text;   // owned
    char *folder; // owned
};

static void change_clear(void *data)
{
    struct change *change = data;
    g_free(change->text);
    g_free(change->folder);
}

static void unit_free(void *data)
{
    struct batch_unit *unit = data;
    options_free(unit->options);
    g_array_unref(unit->changes);
    g_free(unit->input);
    g_free(unit->output);
    g_free(unit->told);
    g_clear_error(&unit->error);
    g_free(unit);
}

static struct batch_unit *unit_new(const struct batch *batch, const char *input, bool is_told)
{
    struct batch_unit *unit = g_new0(struct batch_unit, 1);
    unit->input = g_strdup(input);
    unit->is_told = is_told;
    unit->changes = g_array_new(FALSE, FALSE, sizeof(struct change));
    g_array_set_clear_func(unit->changes, change_clear);
    unit->options = options_copy(batch->options);
    g_ptr_array_add(batch->units, unit);
    return unit;
}

static void drop_options(struct batch_unit *unit)
{
    options_free(unit->options);
    unit->options = NULL;
}

// Keeps of a unit's options what is not the batch's.
static void fold_options(const struct batch *batch, struct batch_unit *unit)
{
    for (size_t i = 0; i < unit->options->n; i++) {
        const struct option_slot *own = &unit->options->slots[i], *all = &batch->options->slots[i];
        if (g_strcmp0(own->text, all->text) == 0 && g_strcmp0(own->folder, all->folder) == 0)
            continue;
        struct change change = {i, g_strdup(own->text), g_strdup(own->folder)};
        g_array_append_val(unit->changes, change);
    }
    unit->output = options_quote(options_find(unit->options, "output"));
    drop_options(unit);
}

static void unfold_options(const struct batch *batch, struct batch_unit *unit)
{
    unit->options = options_copy(batch->options);
    for (guint i = 0; i < unit->changes->len; i++) {
        const struct change *change = &g_array_index(unit->changes, struct change, i);
        options_put(&unit->options->slots[change->slot], change->text, change->folder);
    }
}

void batch_unit_tell(struct batch_unit *unit, JsonObject *told)
{
    if (unit->is_told) {
        g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
        json_node_set_object(node, told);
        unit->told = json_to_string(node, FALSE);
    }
    json_object_unref(told);
}

void batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    g_ptr_array_unref(batch->units);
    g_free(batch);
}

// "[output] folder" of a slot. Owned.
static char *place_of(const struct options *options, const struct option_slot *slot)
{
    g_autofree char *key = options_key(slot->row);
    return g_strdup_printf("[%s] %s", options_group(options->table, slot->row), key);
}

// Gives a unit its part of a list of files: the only one, or that of its place.
static bool take_path(struct batch_unit *unit, struct option_slot *slot, size_t index,
                      size_t n_units, GError **error)
{
    if (slot->row->type != OPTION_FILE || slot->text == NULL ||
        options_is_choice(slot->row, slot->text))
        return true;
    g_autoptr(GPtrArray) paths = options_paths(slot, unit->input, error);
    if (paths == NULL)
        return false;
    if (paths->len != 1 && paths->len != n_units) {
        g_autofree char *place = place_of(unit->options, slot);
        return app_refuse(error,
                          "%s: expected one path, or one for each of %zu recordings, found %u",
                          place, n_units, paths->len);
    }
    options_put_path(slot, g_ptr_array_index(paths, paths->len == 1 ? 0 : index));
    return true;
}

static bool add_unit(struct batch *batch, const char *input, bool is_told, size_t n_units,
                     GError **error)
{
    size_t index = batch->units->len;
    struct batch_unit *unit = unit_new(batch, input, is_told);
    struct option_slot *each = options_each(unit->options);
    options_put_path(each, input);
    for (size_t i = 0; i < unit->options->n; i++)
        if (&unit->options->slots[i] != each &&
            !take_path(unit, &unit->options->slots[i], index, n_units, error))
            return false;
    fold_options(batch, unit);
    return true;
}

// Refuses two recordings whose outputs have the same names in the same folder.
static bool check_outputs(const struct batch *batch, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < batch->units->len; i++) {
        const struct batch_unit *unit = g_ptr_array_index(batch->units, i);
        g_autofree char *stem = batch->job->stem(unit->input);
        char *key = g_strconcat(unit->output, "/", stem, NULL);
        const struct batch_unit *other = g_hash_table_lookup(seen, key);
        if (other != NULL) {
            g_autofree char *place =
                place_of(batch->options, options_find(batch->options, "output"));
            app_refuse(error, "%s: %s and %s would both write %s (see {folder} and {up1})", place,
                       other->input, unit->input, key);
            g_free(key);
            return false;
        }
        g_hash_table_insert(seen, key, (gpointer) unit);
    }
    return true;
}

// What has no recordings is one unit.
static void add_only_unit(struct batch *batch, bool is_told)
{
    const struct options *options = batch->options;
    const char *input = options_find_key(options, options->table->group, "network")->text;
    fold_options(batch, unit_new(batch, input, is_told));
}

struct batch *batch_new(const struct options *options, bool is_told, GError **error)
{
    g_autoptr(owned_batch) batch = g_new0(struct batch, 1);
    batch->options = options;
    batch->units = g_ptr_array_new_with_free_func(unit_free);
    for (size_t i = 0; i < G_N_ELEMENTS(jobs); i++)
        if (jobs[i]->table == options->table)
            batch->job = jobs[i];
    g_assert(batch->job != NULL);
    const struct option_slot *each = options_each(options);
    if (each == NULL) {
        add_only_unit(batch, is_told);
        return g_steal_pointer(&batch);
    }
    g_autoptr(GPtrArray) inputs = options_paths(each, NULL, error);
    if (inputs == NULL)
        return NULL;
    for (guint i = 0; i < inputs->len; i++)
        if (!add_unit(batch, g_ptr_array_index(inputs, i), is_told, inputs->len, error))
            return NULL;
    return check_outputs(batch, error) ? g_steal_pointer(&batch) : NULL;
}

// The folder that a unit writes into. Owned.
static char *folder_of(const struct batch *batch, const struct batch_unit *unit)
{
    struct option_slot slot = *options_find(batch->options, "output");
    slot.text = unit->output;
    slot.folder = NULL;
    g_autoptr(GPtrArray) paths = options_paths(&slot, unit->input, NULL);
    if (paths == NULL || paths->len != 1)
        return NULL;
    bool is_file = batch->job->stem == NULL;
    return is_file ? g_path_get_dirname(paths->pdata[0]) : g_strdup(paths->pdata[0]);
}

// Once a folder: units of one folder may be many.
static void sweep(const struct batch *batch)
{
    g_autoptr(GHashTable) swept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < batch->units->len; i++) {
        g_autofree char *folder = folder_of(batch, g_ptr_array_index(batch->units, i));
        if (folder == NULL || g_hash_table_contains(swept, folder))
            continue;
        staging_sweep(folder);
        g_hash_table_add(swept, g_steal_pointer(&folder));
    }
}

/**
 * Does a unit. Outputs that another process gave their names to meanwhile are no failure if it does
 * the same unit: its record is looked at again once it is through.
 */
static bool run_unit(const struct host *host, const struct batch *batch, struct batch_unit *unit,
                     bool dry_run)
{
    enum { AT_MOST_TRIES = 100, WAIT_US = 100000 };
    g_autofree char *folder = folder_of(batch, unit);
    for (size_t tries = 0; !batch->job->run(host, unit, dry_run, &unit->error); tries++) {
        bool waits = folder != NULL && staging_is_busy(folder);
        if (!g_error_matches(unit->error, IO_ERROR, IO_ERROR_EXISTS) || tries >= AT_MOST_TRIES ||
            (tries > 0 && !waits) || atomic_load(host->stop))
            return false;
        g_clear_error(&unit->error);
        if (waits)
            g_usleep(WAIT_US);
    }
    return true;
}

bool batch_run(const struct host *host, struct batch *batch, bool dry_run, GError **error)
{
    if (!dry_run)
        sweep(batch);
    for (guint i = 0; i < batch->units->len; i++) {
        struct batch_unit *unit = g_ptr_array_index(batch->units, i);
        if (host_stopped(host, error))
            return false;
        host_hold(host);
        unfold_options(batch, unit);
        bool done = run_unit(host, batch, unit, dry_run);
        drop_options(unit);
        if (done) {
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
    g_autoptr(JsonNode) told = unit->told == NULL ? NULL : json_from_string(unit->told, NULL);
    JsonObject *object = told == NULL ? json_object_new() : json_node_dup_object(told);
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
