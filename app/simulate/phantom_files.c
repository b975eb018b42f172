// SPDX-License-Identifier: BSD-3-Clause
#include "app/simulate/phantom.h"
#include "io/sidecar.h"
#include "io/staging.h"

#include <string.h>

static void fill_bold(void *data, size_t t, size_t first, size_t count, float *values)
{
    const struct phantom *phantom = data;
    const float *frame = phantom->samples + t * phantom->n_voxels;
    for (size_t i = 0; i < count; i++) {
        uint32_t slot = phantom->slot[first + i];
        values[i] =
            slot != UINT32_MAX ? frame[slot] : (float) phantom_outside(phantom, t, first + i);
    }
}

static void fill_truth(void *data, size_t t, size_t first, size_t count, float *values)
{
    const struct phantom *phantom = data;
    for (size_t i = 0; i < count; i++) {
        uint8_t region = phantom->region[first + i];
        values[i] = region == 0 ? 0.0f
                                : (float) (phantom->amplitude[phantom->slot[first + i]] *
                                           phantom->activity[region - 1][t]);
    }
}

static void fill_mask(void *data, size_t t, size_t first, size_t count, float *values)
{
    const struct phantom *phantom = data;
    (void) t;
    for (size_t i = 0; i < count; i++)
        values[i] = phantom->slot[first + i] != UINT32_MAX;
}

static void fill_regions(void *data, size_t t, size_t first, size_t count, float *values)
{
    const struct phantom *phantom = data;
    (void) t;
    for (size_t i = 0; i < count; i++)
        values[i] = phantom->region[first + i];
}

static const char *const nifti_endings[] = {".gz", ".nii", NULL};
static const char *const bold_endings[] = {".gz", ".nii", "_bold", NULL};

// "DIR/sub-1_bold.nii.gz" without bold_endings is "DIR/sub-1".
static char *without_endings(const char *path, const char *const *endings)
{
    char *stem = g_strdup(path);
    for (; *endings != NULL; endings++)
        if (g_str_has_suffix(stem, *endings))
            stem[strlen(stem) - strlen(*endings)] = '\0';
    return stem;
}

static void add_law(JsonObject *object, const struct phantom_law *law)
{
    json_object_set_string_member(object, "HRF", law->hrf);
    json_object_set_double_member(object, "SignalToNoiseDecibel", law->snr_db);
    json_object_set_double_member(object, "NoiseAutoregression", law->ar1);
    json_object_set_double_member(object, "NoisePercent", law->noise_percent);
    json_object_set_double_member(object, "DriftPercent", law->drift_percent);
    json_object_set_double_member(object, "Baseline", law->baseline);
    json_object_set_int_member(object, "Seed", (gint64) law->seed);
    JsonArray *names = json_array_new();
    for (size_t r = 0; r < PHANTOM_N_REGIONS; r++)
        json_array_add_string_element(names, phantom_regions[r].name);
    json_object_set_array_member(object, "Regions", names);
}

// The images of a simulation, the run itself last; those that have a description get a sidecar.
static const struct phantom_image {
    const char *ending; // after the stem; NULL: the run, under the name asked for
    void (*fill)(void *data, size_t t, size_t first, size_t count, float *values);
    bool is_series;
    enum image_type type; // of the run: the one asked for
    const char *description;
    const char *units;
} phantom_images[] = {
    {"_desc-brain_mask", fill_mask, false, IMAGE_INT16, NULL, NULL},
    {"_desc-regions_dseg", fill_regions, false, IMAGE_INT16, NULL, NULL},
    {"_desc-truth_bold", fill_truth, true, IMAGE_FLOAT32,
     "activity, to be convolved with the response", "percent of the baseline"},
    {NULL, fill_bold, true, IMAGE_INT16, "simulated run on a head phantom", "arbitrary"},
};

static bool write_sidecar(const struct phantom *phantom, const char *path,
                          const struct phantom_image *what, GError **error)
{
    g_autoptr(JsonObject) object = json_object_new();
    json_object_set_string_member(object, "Description", what->description);
    json_object_set_double_member(object, "RepetitionTime", phantom->law.tr_s);
    json_object_set_string_member(object, "TaskName", "phantom");
    json_object_set_string_member(object, "Units", what->units);
    JsonObject *law = json_object_new();
    add_law(law, &phantom->law);
    json_object_set_object_member(object, "Simulation", law);
    return sidecar_write(path, object, true, error);
}

static char *json_beside(const char *image_path)
{
    g_autofree char *stem = without_endings(image_path, nifti_endings);
    return g_strconcat(stem, ".json", NULL);
}

static char *image_path(const char *bold_path, const struct phantom_image *what)
{
    g_autofree char *stem = without_endings(bold_path, bold_endings);
    return what->ending == NULL ? g_strdup(bold_path)
                                : g_strconcat(stem, what->ending, ".nii.gz", NULL);
}

bool phantom_check_outputs(const char *bold_path, bool overwrite, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(bold_path);
    if (!staging_possible(folder, error))
        return false;
    staging_sweep(folder);
    for (size_t i = 0; i < G_N_ELEMENTS(phantom_images); i++) {
        g_autofree char *path = image_path(bold_path, &phantom_images[i]);
        g_autofree char *json = json_beside(path);
        bool has_json = phantom_images[i].description != NULL;
        const char *found = g_file_test(path, G_FILE_TEST_EXISTS)               ? path
                            : has_json && g_file_test(json, G_FILE_TEST_EXISTS) ? json
                                                                                : NULL;
        if (found != NULL && !overwrite) {
            g_set_error(error, IO_ERROR, IO_ERROR_EXISTS,
                        "%s: exists already (--force overwrites it)", found);
            return false;
        }
    }
    return true;
}

/** What writes the files of a run. */
struct writing {
    struct phantom *phantom;
    const char *bold_path;
    enum image_type type;
    bool overwrite;
    struct staging *staging;
    GPtrArray *outputs; // borrowed
};

// Notes an output, the path of which is taken; where it is to be written now.
static const char *stage(const struct writing *writing, char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    g_ptr_array_add(writing->outputs, path);
    return staging_add(writing->staging, name, writing->overwrite);
}

static bool write_image(const struct writing *writing, const struct phantom_image *what,
                        const struct io_context *io, GError **error)
{
    struct phantom *phantom = writing->phantom;
    bool is_run = what->ending == NULL;
    struct image image = {.grid = &phantom->grid,
                          .n_frames = what->is_series ? phantom->law.n_frames : 1,
                          .interval_s = phantom->law.tr_s,
                          .type = is_run ? writing->type : what->type,
                          .scale = 1.0,
                          .fill = what->fill,
                          .data = phantom};
    char *path = image_path(writing->bold_path, what);
    g_autofree char *json = json_beside(path);
    return writer_nifti_write(stage(writing, path), &image, true, io, error) &&
           (what->description == NULL ||
            write_sidecar(phantom, stage(writing, g_steal_pointer(&json)), what, error));
}

bool phantom_write(struct phantom *phantom, const char *bold_path, enum image_type type,
                   bool overwrite, const struct io_context *io, GPtrArray *outputs, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(bold_path);
    g_autoptr(owned_staging) staging = staging_new(folder, error);
    if (staging == NULL)
        return false;
    struct writing writing = {phantom, bold_path, type, overwrite, staging, outputs};
    for (size_t i = 0; i < G_N_ELEMENTS(phantom_images); i++) {
        GError *problem = NULL;
        if (write_image(&writing, &phantom_images[i], io, &problem))
            continue;
        staging_propagate(staging, error, problem);
        return false;
    }
    return staging_commit(staging, error);
}
