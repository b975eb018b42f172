// SPDX-License-Identifier: BSD-3-Clause
// Parcels of an atlas in the place of voxels.
#include "app/pipelines/run/run_parcels.h"

#include "io/bids_name.h"
#include "io/tsv.h"
#include "io/volume.h"

#include <math.h>
#include <string.h>

/* The atlas */

static bool check_labels(const struct run_plan *plan, GError **error)
{
    const size_t *dim = plan->grid.dim;
    size_t n_labelled = 0;
    for (size_t i = 0; i < plan->n_grid; i++) {
        double label = plan->labels[i];
        n_labelled += isfinite(label) && label != 0.0;
        if (!isfinite(label) || (label == floor(label) && fabs(label) < 1e9))
            continue;
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: voxel %zu,%zu,%zu: expected labels, whole numbers, found %g",
                    plan->options->atlas, i % dim[0], i / dim[0] % dim[1], i / dim[0] / dim[1],
                    label);
        return false;
    }
    if (n_labelled == 0)
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected labels, found only zeros",
                    plan->options->atlas);
    return n_labelled > 0;
}

static bool add_name(struct run_plan *plan, const struct tsv *table, size_t row, GError **error)
{
    double index = NAN;
    const char *path = plan->options->labels, *name = tsv_field(table, row, "name");
    if (!tsv_number(table, row, "index", &index) || !(index == floor(index)) || name == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: row %zu: expected a whole number in index and text in name", path,
                    row + 1);
        return false;
    }
    char *key = g_strdup_printf("%.0f", index);
    if (g_hash_table_insert(plan->label_names, key, g_strdup(name)))
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: row %zu: index %.0f: named twice", path,
                row + 1, index);
    return false;
}

static bool read_names(struct run_plan *plan, GError **error)
{
    plan->label_names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (plan->options->labels == NULL)
        return true;
    g_autoptr(owned_tsv) table = tsv_read(plan->options->labels, &plan->host->io, error);
    if (table == NULL)
        return false;
    const char *const *names = (const char *const *) table->names;
    if (!g_strv_contains(names, "index") || !g_strv_contains(names, "name")) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected the columns index and name, found others", plan->options->labels);
        return false;
    }
    for (guint row = 0; row < table->rows->len; row++)
        if (!add_name(plan, table, row, error))
            return false;
    return true;
}

// Inside is what has a label, and is in the mask where one is given.
static bool mask_by_labels(struct run_plan *plan, GError **error)
{
    uint8_t *given = plan->mask;
    plan->mask = g_new0(uint8_t, plan->n_grid);
    plan->makes_mask = false;
    plan->n_inside = 0;
    for (size_t i = 0; i < plan->n_grid; i++) {
        bool labelled = isfinite(plan->labels[i]) && plan->labels[i] != 0.0;
        plan->mask[i] = labelled && (given == NULL || given[i] != 0);
        plan->n_inside += plan->mask[i];
    }
    g_free(given);
    if (plan->n_inside == 0)
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected labels inside the mask, found none", plan->options->atlas);
    return plan->n_inside > 0;
}

// What the components are taken of: cleaned, in the unit of the recording.
static bool plan_component(struct run_plan *plan, GError **error)
{
    if (plan->options->parcel != PARCEL_PC1)
        return true;
    struct clean_options options = run_plan_clean_options(plan);
    options.standardize = STANDARDIZE_NONE;
    plan->component_clean = clean_new(plan->n_read, plan->tr_s, &options, error);
    return plan->component_clean != NULL;
}

bool run_plan_atlas(struct run_plan *plan, GError **error)
{
    if (plan->options->atlas == NULL)
        return true;
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    plan->labels = volume_read(plan->options->atlas, plan->options->bold, &plan->grid,
                               plan->options->resamples_mask, warnings, &plan->host->io, error);
    for (guint i = 0; plan->labels != NULL && i < warnings->len; i++)
        run_plan_warn(plan, "%s: %s", plan->options->atlas,
                      (const char *) g_ptr_array_index(warnings, i));
    return plan->labels != NULL && check_labels(plan, error) && read_names(plan, error) &&
           mask_by_labels(plan, error) && plan_component(plan, error);
}

char *run_atlas_entity(const struct run_options *options)
{
    g_auto(owned_bids_name) name = bids_name_split(options->atlas);
    for (char **entity = name.entities; entity != NULL && *entity != NULL; entity++)
        if (g_str_has_prefix(*entity, "atlas-"))
            return g_strdup(*entity);
    GString *text = g_string_new("atlas-");
    for (const char *c = name.stem; *c != '\0'; c++)
        if (g_ascii_isalnum(*c))
            g_string_append_c(text, *c);
    if (text->len == strlen("atlas-"))
        g_string_append(text, "labels");
    return g_string_free(text, FALSE);
}

/* Samples */

/** The samples of a run, on their way from voxels to parcels. */
struct pooling {
    struct run *run;
    const struct parcels *parcels;
    bool *used;             // n_members: finite in all frames
    double *weights;        // n_members
    double *pooled;         // n_read x parcels, time-major
    atomic_bool no_vectors; // LAPACK gave up on a parcel
};

static double sample_at(const struct recording *recording, size_t t, size_t v)
{
    size_t at = t * recording->n_series + v;
    double stored = recording->type == SAMPLE_FLOAT ? (double) recording->samples.f[at]
                                                    : recording->samples.d[at];
    return recording->scale * stored + recording->offset;
}

enum { POOL_FRAMES = 32 };

static void find_finite(void *data, size_t index, struct workspace *ws)
{
    struct pooling *pooling = data;
    const struct recording *recording = pooling->run->recording;
    size_t mark = workspace_mark(ws), n = recording->n_series;
    size_t first = index * RUN_ITEM_SERIES, count = MIN(RUN_ITEM_SERIES, n - first);
    double *values = WORKSPACE_ALLOC(ws, double, count);
    for (size_t v = 0; v < count; v++)
        pooling->used[first + v] = true;
    for (size_t t = 0; t < recording->n_time; t++) {
        recording_values(recording, t, first, count, values);
        for (size_t v = 0; v < count; v++)
            pooling->used[first + v] = pooling->used[first + v] && isfinite(values[v]);
    }
    workspace_release(ws, mark);
}

static void pool_frames(void *data, size_t index, struct workspace *ws)
{
    struct pooling *pooling = data;
    const struct recording *recording = pooling->run->recording;
    size_t mark = workspace_mark(ws), n = recording->n_series;
    double *values = WORKSPACE_ALLOC(ws, double, n);
    size_t end = MIN((index + 1) * POOL_FRAMES, recording->n_time);
    for (size_t t = index * POOL_FRAMES; t < end; t++) {
        recording_values(recording, t, 0, n, values);
        parcels_sum(pooling->parcels, pooling->weights, values,
                    pooling->pooled + t * pooling->parcels->n);
    }
    workspace_release(ws, mark);
}

static void find_component(void *data, size_t parcel, struct workspace *ws)
{
    struct pooling *pooling = data;
    const struct parcels *parcels = pooling->parcels;
    const struct recording *recording = pooling->run->recording;
    size_t mark = workspace_mark(ws), n_time = recording->n_time;
    size_t most = parcels->first[parcel + 1] - parcels->first[parcel];
    struct block x = {n_time, 0, n_time, WORKSPACE_ALLOC(ws, double, n_time *most)};
    size_t *member = WORKSPACE_ALLOC(ws, size_t, most);
    double *weights = WORKSPACE_ALLOC(ws, double, most);
    for (size_t i = parcels->first[parcel]; i < parcels->first[parcel + 1]; i++) {
        size_t v = parcels->member[i];
        pooling->weights[v] = 0.0;
        if (!pooling->used[v])
            continue;
        for (size_t t = 0; t < n_time; t++)
            x.data[x.n_series * n_time + t] = sample_at(recording, t, v);
        member[x.n_series++] = v;
    }
    if (x.n_series > 0) {
        clean_apply(pooling->run->plan->component_clean, &x, ws);
        if (!parcels_principal_weights(&x, weights, ws))
            atomic_store(&pooling->no_vectors, true);
    }
    for (size_t i = 0; i < x.n_series; i++)
        pooling->weights[member[i]] = weights[i];
    workspace_release(ws, mark);
}

static void place_of(const struct run *run, size_t voxel, double place[3])
{
    const size_t *dim = run->plan->grid.dim;
    const size_t index[3] = {voxel % dim[0], voxel / dim[0] % dim[1], voxel / dim[0] / dim[1]};
    for (size_t d = 0; d < 3; d++)
        place[d] = (double) index[d];
}

// The member of a parcel nearest to the mean of their places.
static size_t find_centre(const struct run *run, size_t parcel)
{
    const struct parcels *parcels = run->parcels;
    size_t begin = parcels->first[parcel], end = parcels->first[parcel + 1], centre = 0;
    double mean[3] = {0.0}, place[3], least = INFINITY;
    for (size_t i = begin; i < end; i++) {
        place_of(run, run->painted[parcels->member[i]], place);
        for (size_t d = 0; d < 3; d++)
            mean[d] += place[d] / (double) (end - begin);
    }
    for (size_t i = begin; i < end; i++) {
        size_t voxel = run->painted[parcels->member[i]];
        double distance = 0.0;
        place_of(run, voxel, place);
        for (size_t d = 0; d < 3; d++)
            distance += (place[d] - mean[d]) * (place[d] - mean[d]);
        if (!(distance < least))
            continue;
        least = distance;
        centre = voxel;
    }
    return centre;
}

// Where each parcel is said to be. Owned.
static size_t *find_centres(const struct run *run)
{
    size_t *centres = g_new(size_t, run->parcels->n);
    for (size_t p = 0; p < run->parcels->n; p++)
        centres[p] = find_centre(run, p);
    return centres;
}

static void warn_of_members(struct run *run, const struct pooling *pooling)
{
    size_t n_left = 0;
    for (size_t v = 0; v < pooling->parcels->n_members; v++)
        n_left += !pooling->used[v];
    if (n_left > 0)
        run_warn(run,
                 "%s: %zu voxels hold values that are not finite, and are left out of their "
                 "parcels",
                 run->plan->options->bold, n_left);
}

static bool pool(struct run *run, struct pooling *pooling, GError **error)
{
    const struct run_plan *plan = run->plan;
    struct parallel *team = plan->host->team;
    size_t n_members = pooling->parcels->n_members, n_time = run->recording->n_time;
    bool done = parallel_for(team, (n_members + RUN_ITEM_SERIES - 1) / RUN_ITEM_SERIES, find_finite,
                             pooling);
    if (plan->component_clean != NULL)
        done = done && parallel_for(team, pooling->parcels->n, find_component, pooling);
    else if (done)
        parcels_mean_weights(pooling->parcels, pooling->used, pooling->weights);
    done =
        done && parallel_for(team, (n_time + POOL_FRAMES - 1) / POOL_FRAMES, pool_frames, pooling);
    if (done && !atomic_load(&pooling->no_vectors))
        return true;
    if (!host_stopped(plan->host, error))
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: the principal component of a parcel "
                    "was not found",
                    plan->options->bold);
    return false;
}

static bool allocate(const struct run *run, struct pooling *pooling, GError **error)
{
    size_t n = run->recording->n_series;
    pooling->used = g_try_malloc0_n(n, sizeof *pooling->used);
    pooling->weights = g_try_malloc0_n(n, sizeof *pooling->weights);
    pooling->pooled =
        g_try_malloc0_n(run->recording->n_time, pooling->parcels->n * sizeof *pooling->pooled);
    if (pooling->used != NULL && pooling->weights != NULL && pooling->pooled != NULL)
        return true;
    g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory", run->plan->options->bold);
    return false;
}

bool run_pool(struct run *run, GError **error)
{
    struct recording *recording = run->recording;
    if (run->plan->labels == NULL)
        return true;
    g_autofree double *labels = g_new(double, recording->n_series);
    for (size_t v = 0; v < recording->n_series; v++)
        labels[v] = run->plan->labels[recording->voxel[v]];
    run->parcels = parcels_new(labels, recording->n_series);
    struct pooling pooling = {.run = run, .parcels = run->parcels};
    bool done = allocate(run, &pooling, error) && pool(run, &pooling, error);
    if (done) {
        warn_of_members(run, &pooling);
        g_free(recording->samples.any);
        recording->samples.d = g_steal_pointer(&pooling.pooled);
        recording->type = SAMPLE_DOUBLE;
        recording->scale = 1.0;
        recording->offset = 0.0;
        recording->n_series = run->parcels->n;
        run->n_series = run->parcels->n;
        run->painted = g_steal_pointer(&recording->voxel);
        recording->voxel = find_centres(run);
    }
    g_free(pooling.used);
    g_free(pooling.weights);
    g_free(pooling.pooled);
    return done;
}

/* Tables */

char *run_parcel_name(const struct run *run, size_t parcel)
{
    g_autofree char *number = g_strdup_printf("%.0f", run->parcels->label[parcel]);
    const char *name = g_hash_table_lookup(run->plan->label_names, number);
    return g_strdup(name == NULL ? number : name);
}

char *run_parcels_table(const struct run *run, size_t n_frames,
                        double (*sample)(const struct run *run, size_t t, size_t v))
{
    GString *table = g_string_new(NULL);
    for (size_t v = 0; v < run->n_series; v++) {
        g_autofree char *name = run_parcel_name(run, v);
        g_string_append_printf(table, "%s%s", v == 0 ? "" : "\t", name);
    }
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    for (size_t t = 0; t < n_frames; t++) {
        g_string_append_c(table, '\n');
        for (size_t v = 0; v < run->n_series; v++)
            g_string_append_printf(
                table, "%s%s", v == 0 ? "" : "\t",
                g_ascii_formatd(digits, sizeof digits, "%.9g", sample(run, t, v)));
    }
    g_string_append_c(table, '\n');
    return g_string_free(table, FALSE);
}
