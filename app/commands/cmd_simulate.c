// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/settings/simulate_options.h"
#include "app/settings/tables.h"
#include "app/simulate/digits.h"
#include "io/array.h"
#include "io/publish.h"
#include "io/sidecar.h"
#include "io/staging.h"
#include "io/writer_fif.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char default_name[] = "sub-sim_task-phantom_bold.nii.gz";

/** Files of one simulation on their way into a folder. */
struct drawing {
    const char *folder;      // borrowed
    struct staging *staging; // owned
    GPtrArray *outputs;      // owned; paths, as they are told
    bool force;
};

static void drawing_clear(struct drawing *drawing)
{
    staging_free(drawing->staging);
    g_ptr_array_unref(drawing->outputs);
}
typedef struct drawing owned_drawing;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_drawing, drawing_clear)

static struct drawing drawing_in(const char *folder, bool force)
{
    return (struct drawing){
        .folder = folder, .outputs = g_ptr_array_new_with_free_func(g_free), .force = force};
}

// Refuses what is there already.
static bool drawing_check(const struct drawing *drawing, const char *const *names, GError **error)
{
    if (!staging_possible(drawing->folder, error))
        return false;
    staging_sweep(drawing->folder);
    for (size_t i = 0; names[i] != NULL; i++) {
        g_autofree char *path = g_build_filename(drawing->folder, names[i], NULL);
        if (drawing->force || !g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        g_set_error(error, IO_ERROR, IO_ERROR_EXISTS, "%s: exists already (--force overwrites)",
                    path);
        return false;
    }
    return true;
}

// Where a file is to be written now.
static const char *drawing_add(struct drawing *drawing, const char *name)
{
    g_ptr_array_add(drawing->outputs, g_build_filename(drawing->folder, name, NULL));
    return staging_add(drawing->staging, name, drawing->force);
}

// Draws by `write`, and publishes what it wrote.
static bool drawing_publish(struct drawing *drawing,
                            bool (*write)(struct drawing *, const void *data, GError **),
                            const void *data, GError **error)
{
    drawing->staging = staging_new(drawing->folder, error);
    if (drawing->staging == NULL)
        return false;
    GError *problem = NULL;
    if (write(drawing, data, &problem))
        return staging_commit(drawing->staging, error);
    staging_propagate(drawing->staging, error, problem);
    return false;
}

static void print_outputs(const struct app *app, JsonObject *facts, const GPtrArray *outputs)
{
    JsonArray *list = json_array_new();
    for (size_t i = 0; i < outputs->len; i++) {
        if (!app->json)
            app_tell("%s\n", (char *) outputs->pdata[i]);
        json_array_add_string_element(list, outputs->pdata[i]);
    }
    json_object_set_string_member(facts, "command", "simulate");
    json_object_set_array_member(facts, "outputs", list);
    if (app->json)
        app_print_json(facts);
    else
        json_object_unref(facts);
}

// The name of the run: -o itself if that is the name of an image, else a name in that folder.
static char *bold_path_of(const char *output)
{
    if (g_str_has_suffix(output, ".nii") || g_str_has_suffix(output, ".nii.gz"))
        return g_strdup(output);
    return g_build_filename(output, default_name, NULL);
}

static bool draw_fmri(struct app *app, const struct phantom_law *law, const char *output,
                      enum image_type type, GError **error)
{
    g_autofree char *bold_path = bold_path_of(output);
    g_autoptr(GPtrArray) outputs = g_ptr_array_new_with_free_func(g_free);
    if (!phantom_check_outputs(bold_path, app->host.force, error))
        return false;
    g_autoptr(owned_phantom) phantom = phantom_new(law, app->host.team, app->host.mem_limit, error);
    if (phantom == NULL)
        return false;
    log_accept(app->log);
    log_progress_begin(app->log, "write");
    bool written =
        phantom_write(phantom, bold_path, type, app->host.force, &app->host.io, outputs, error);
    log_progress_end(app->log);
    if (!written)
        return false;
    JsonObject *facts = json_object_new();
    json_object_set_string_member(facts, "kind", "fmri");
    json_object_set_int_member(facts, "n_voxels", (gint64) phantom->n_voxels);
    json_object_set_int_member(facts, "n_frames", (gint64) law->n_frames);
    json_object_set_double_member(facts, "tr", law->tr_s);
    print_outputs(app, facts, outputs);
    return true;
}

static bool simulate_fmri(struct app *app, const void *values, GError **error)
{
    const struct simulate_fmri_options *given = values;
    return draw_fmri(app, &given->law, given->output,
                     given->datatype == 0 ? IMAGE_INT16 : IMAGE_FLOAT32, error);
}

static char *samples_text(const double *values, size_t n)
{
    GString *text = g_string_new(NULL);
    for (size_t k = 0; k < n; k++)
        g_string_append_printf(text, "%.17g\n", values[k]);
    return g_string_free(text, FALSE);
}

static bool write_matrix(struct drawing *drawing, const char *name, const double *values,
                         size_t n_rows, size_t n_columns, GError **error)
{
    return values == NULL || array_write_npy(drawing_add(drawing, name), values,
                                             (const size_t[]){n_rows, n_columns}, 2, true, error);
}

static bool write_text(struct drawing *drawing, const char *name, const char *text, GError **error)
{
    return publish_bytes(drawing_add(drawing, name), text, strlen(text), true, error);
}

/** The names of the arrays of a kind of problem, those of docs and of `taut solve`. */
struct array_names {
    const char *kind;
    const char *op;
    const char *truth;
};

struct arrays {
    const struct simulation *made;
    const struct array_names *names;
};

static bool write_simulation(struct drawing *drawing, const void *data, GError **error)
{
    const struct arrays *arrays = data;
    const struct simulation *made = arrays->made;
    g_autofree char *response = made->h == NULL ? NULL : samples_text(made->h, made->n_h);
    return write_matrix(drawing, "X.npy", made->x, made->n_series, made->n_observed, error) &&
           write_matrix(drawing, arrays->names->truth, made->truth, made->n_series, made->n_unknown,
                        error) &&
           write_matrix(drawing, arrays->names->op, made->op, made->n_observed, made->n_unknown,
                        error) &&
           (response == NULL || write_text(drawing, "hrf.txt", response, error));
}

static bool write_arrays(const struct app *app, const char *folder, const struct simulation *made,
                         const struct array_names *names, GError **error)
{
    g_auto(owned_drawing) drawing = drawing_in(folder, app->host.force);
    const char *const all[] = {"X.npy", names->truth, made->op != NULL ? names->op : "X.npy",
                               made->h != NULL ? "hrf.txt" : "X.npy", NULL};
    struct arrays arrays = {made, names};
    if (!drawing_check(&drawing, all, error) ||
        !drawing_publish(&drawing, write_simulation, &arrays, error))
        return false;
    JsonObject *facts = json_object_new();
    json_object_set_string_member(facts, "kind", names->kind);
    json_object_set_int_member(facts, "n_series", (gint64) made->n_series);
    json_object_set_int_member(facts, "n_observed", (gint64) made->n_observed);
    json_object_set_int_member(facts, "n_unknown", (gint64) made->n_unknown);
    print_outputs(app, facts, drawing.outputs);
    return true;
}

// 8 bytes a number: data, truth, operator and its copy.
static bool check_memory(double bytes, size_t mem_limit, GError **error)
{
    if (bytes <= (double) mem_limit)
        return true;
    g_set_error(error, IO_ERROR, IO_ERROR_MEMORY,
                "simulate: expected to need at most %zu MiB, found %.0f MiB", mem_limit >> 20,
                bytes / 1048576.0);
    return false;
}

static double array_bytes(size_t n_series, size_t n_observed, size_t n_unknown)
{
    double observed = (double) n_observed, unknown = (double) n_unknown;
    return 8.0 * (2.0 * observed * unknown + (double) n_series * (observed + unknown));
}

static bool simulate_tv_arrays(struct app *app, const void *values, GError **error)
{
    const struct simulate_tv_options *given = values;
    struct simulate_tv law = given->law;
    if (isnan(law.snr_db) && law.law != SIMULATE_TV_BLOCKS)
        law.snr_db = 5.0;
    if (!check_memory(array_bytes(law.n_series, law.n_observed, law.n_unknown), app->host.mem_limit,
                      error))
        return false;
    g_autoptr(owned_simulation) made = simulate_tv(&law, error);
    return made != NULL && write_arrays(app, given->output, made,
                                        &(const struct array_names){"tv", "A.npy", "U.npy"}, error);
}

static bool simulate_lasso_arrays(struct app *app, const void *values, GError **error)
{
    const struct simulate_lasso_options *given = values;
    struct simulate_lasso law = given->law;
    bool leadfield = law.law == SIMULATE_LASSO_LEADFIELD;
    if (law.n_observed == OPTION_NO_COUNT)
        law.n_observed = leadfield ? 360 : 64;
    if (law.n_unknown == OPTION_NO_COUNT)
        law.n_unknown = leadfield ? 8047 : 256;
    if (!check_memory(array_bytes(law.n_series, law.n_observed, law.n_unknown), app->host.mem_limit,
                      error))
        return false;
    g_autoptr(owned_simulation) made = simulate_lasso(&law);
    return write_arrays(app, given->output, made,
                        &(const struct array_names){"lasso", "D.npy", "Z.npy"}, error);
}

struct digits {
    const double *images;
    size_t n_atoms;
};

// Digits are data, not drawn: some are the dictionary, the others the samples.
static bool write_images(struct drawing *drawing, const void *data, GError **error)
{
    const struct digits *digits = data;
    size_t n_atoms = digits->n_atoms;
    g_autofree double *op = g_new(double, DIGITS_PIXELS *n_atoms);
    for (size_t j = 0; j < n_atoms; j++)
        for (size_t i = 0; i < DIGITS_PIXELS; i++)
            op[i * n_atoms + j] = digits->images[j * DIGITS_PIXELS + i];
    return write_matrix(drawing, "X.npy", digits->images + n_atoms * DIGITS_PIXELS,
                        DIGITS_N - n_atoms, DIGITS_PIXELS, error) &&
           write_matrix(drawing, "D.npy", op, DIGITS_PIXELS, n_atoms, error);
}

static bool write_digits(const struct app *app, const char *folder, const double *images,
                         size_t n_atoms, const char *what, GError **error)
{
    g_auto(owned_drawing) drawing = drawing_in(folder, app->host.force);
    static const char *const all[] = {"X.npy", "D.npy", NULL};
    struct digits digits = {images, n_atoms};
    size_t n_series = DIGITS_N - n_atoms;
    if (!drawing_check(&drawing, all, error) ||
        !drawing_publish(&drawing, write_images, &digits, error))
        return false;
    JsonObject *facts = json_object_new();
    json_object_set_string_member(facts, "kind", "digits");
    json_object_set_string_member(facts, "digits", what);
    json_object_set_int_member(facts, "n_series", (gint64) n_series);
    json_object_set_int_member(facts, "n_observed", DIGITS_PIXELS);
    json_object_set_int_member(facts, "n_unknown", (gint64) n_atoms);
    print_outputs(app, facts, drawing.outputs);
    return true;
}

static bool simulate_digits(struct app *app, const void *values, GError **error)
{
    const struct simulate_digits_options *given = values;
    const char *what = NULL;
    g_autofree double *images = digits_draw(given->data, given->seed, &app->host.io, &what, error);
    return images != NULL && write_digits(app, given->output, images, given->n_atoms, what, error);
}

static bool write_meeg(struct drawing *drawing, const void *data, GError **error)
{
    const struct meeg_phantom *phantom = data;
    g_autofree char *truth = meeg_phantom_truth(phantom);
    return writer_fif_evoked(drawing_add(drawing, "sim-ave.fif"), phantom->sensors,
                             &phantom->samples, true, error) &&
           writer_fif_covariance(drawing_add(drawing, "sim-cov.fif"), phantom->covariance, true,
                                 error) &&
           writer_fif_forward(drawing_add(drawing, "sim-fwd.fif"), phantom->forward, true, error) &&
           write_text(drawing, "sim_truth.tsv", truth, error);
}

static bool draw_meeg(const struct app *app, const struct meeg_law *law, const char *folder,
                      GError **error)
{
    static const char *const all[] = {"sim-ave.fif", "sim-cov.fif", "sim-fwd.fif", "sim_truth.tsv",
                                      NULL};
    g_auto(owned_drawing) drawing = drawing_in(folder, app->host.force);
    if (!drawing_check(&drawing, all, error))
        return false;
    g_autoptr(owned_meeg_phantom) phantom = meeg_phantom_new(law);
    log_accept(app->log);
    if (!drawing_publish(&drawing, write_meeg, phantom, error))
        return false;
    JsonObject *facts = json_object_new();
    json_object_set_string_member(facts, "kind", "meeg");
    json_object_set_int_member(facts, "n_channels", (gint64) phantom->sensors->n_channels);
    json_object_set_int_member(facts, "n_positions", (gint64) law->n_positions);
    json_object_set_int_member(facts, "n_active", (gint64) law->n_active);
    print_outputs(app, facts, drawing.outputs);
    return true;
}

static bool simulate_meeg(struct app *app, const void *values, GError **error)
{
    const struct simulate_meeg_options *given = values;
    return check_memory(meeg_phantom_bytes(&given->law), app->host.mem_limit, error) &&
           draw_meeg(app, &given->law, given->output, error);
}

/** What can be drawn, from the options of its table. */
static const struct kind {
    const struct option_table *table;
    bool (*run)(struct app *app, const void *values, GError **error);
} kinds[] = {
    {&simulate_digits_options, simulate_digits},      {&simulate_fmri_options, simulate_fmri},
    {&simulate_lasso_options, simulate_lasso_arrays}, {&simulate_meeg_options, simulate_meeg},
    {&simulate_tv_options, simulate_tv_arrays},
};

bool cmd_simulate(struct app *app, const struct command *self, int argc, char **argv,
                  GError **error)
{
    union {
        struct simulate_digits_options digits;
        struct simulate_fmri_options fmri;
        struct simulate_lasso_options lasso;
        struct simulate_meeg_options meeg;
        struct simulate_tv_options tv;
    } given;
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        if (strcmp(name, kinds[k].table->kind) != 0)
            continue;
        g_autoptr(owned_options) options =
            app_options(app, self, kinds[k].table, &given, argc - 1, argv + 1, error);
        return options != NULL && kinds[k].run(app, &given, error);
    }
    // --help, or nothing that is known
    g_autoptr(owned_options) options =
        app_options(app, self, &simulate_options, NULL, argc, argv, error);
    return options != NULL && app_refuse(error, "simulate: expected the kind of data first");
}
