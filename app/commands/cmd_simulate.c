// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/outputs/staging.h"
#include "app/simulate/digits.h"
#include "app/simulate/meeg_phantom.h"
#include "app/simulate/phantom.h"
#include "app/simulate/simulate.h"
#include "io/array.h"
#include "io/publish.h"
#include "io/sidecar.h"
#include "io/writer_fif.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char default_name[] = "sub-sim_task-phantom_bold.nii.gz";

/** A number given by an option, and where it must lie, both ends included. */
struct bounded {
    const char *option;
    double value;
    double low, high;
};

static bool check_bounds(const struct bounded *numbers, size_t n, GError **error)
{
    for (size_t i = 0; i < n; i++)
        if (!(numbers[i].value >= numbers[i].low && numbers[i].value <= numbers[i].high))
            return app_refuse(error, "%s: expected a number in %g..%g, found %g", numbers[i].option,
                              numbers[i].low, numbers[i].high, numbers[i].value);
    return true;
}

static bool parse_word(const char *option, const char *word, const char *const *known,
                       size_t *index, GError **error)
{
    for (*index = 0; word != NULL && known[*index] != NULL; ++*index)
        if (strcmp(word, known[*index]) == 0)
            return true;
    *index = 0;
    if (word == NULL)
        return true;
    g_autofree char *all = g_strjoinv("|", (char **) known);
    return app_refuse(error, "%s: expected %s, found \"%s\"", option, all, word);
}

static bool make_folder(const char *folder, GError **error)
{
    if (g_mkdir_with_parents(folder, 0777) == 0)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s: cannot write: %s", folder,
                g_strerror(errno));
    return false;
}

static void print_outputs(const struct app *app, JsonObject *facts, const GPtrArray *outputs)
{
    JsonArray *list = json_array_new();
    for (size_t i = 0; i < outputs->len; i++) {
        if (!app->json)
            puts(outputs->pdata[i]);
        json_array_add_string_element(list, outputs->pdata[i]);
    }
    json_object_set_string_member(facts, "command", "simulate");
    json_object_set_array_member(facts, "outputs", list);
    if (app->json)
        app_print_json(facts);
    else
        json_object_unref(facts);
}

// "88x88x64"
static bool parse_size(const char *text, size_t dim[3], GError **error)
{
    if (text == NULL)
        return true;
    g_auto(GStrv) parts = g_strsplit(text, "x", 4);
    bool ok = g_strv_length(parts) == 3;
    for (size_t d = 0; ok && d < 3; d++) {
        guint64 count = 0;
        ok = g_ascii_string_to_unsigned(parts[d], 10, 1, INT16_MAX, &count, NULL);
        dim[d] = (size_t) count;
    }
    return ok ||
           app_refuse(error, "--size: expected NXxNYxNZ such as 88x88x64, found \"%s\"", text);
}

static bool check_phantom_law(const struct phantom_law *law, GError **error)
{
    const struct bounded numbers[] = {
        {"--ar1", law->ar1, 0.0, 0.999},
        {"--baseline", law->baseline, 1.0, 30000.0},
        {"--drift", law->drift_percent, 0.0, 100.0},
        {"--noise", law->noise_percent, 1e-6, 100.0},
        {"--snr", law->snr_db, -100.0, 100.0},
        {"--tr", law->tr_s, 1e-3, 20.0},
    };
    return check_bounds(numbers, G_N_ELEMENTS(numbers), error);
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
    g_autofree char *folder = g_path_get_dirname(bold_path);
    g_autoptr(GPtrArray) outputs = g_ptr_array_new_with_free_func(g_free);
    if (!phantom_check_outputs(bold_path, app->host.force, error))
        return false;
    g_autoptr(owned_phantom) phantom = phantom_new(law, app->host.team, app->host.mem_limit, error);
    if (phantom == NULL || !make_folder(folder, error))
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

static bool simulate_fmri(struct app *app, const struct command *self, int argc, char **argv,
                          GError **error)
{
    static const char *const types[] = {"int16", "float32", NULL};
    struct phantom_law law = phantom_law_default();
    g_autofree char *output = NULL;
    g_autofree char *size = NULL;
    g_autofree char *datatype = NULL;
    g_autofree char *hrf = NULL;
    gint64 n_frames = (gint64) law.n_frames;
    gint64 n_voxels = 0;
    gint64 seed = 0;
    const GOptionEntry options[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Folder, or name of the run (.nii[.gz])",
         "DIR|FILE"},
        {"ar1", 0, 0, G_OPTION_ARG_DOUBLE, &law.ar1, "Correlation of successive noise (0.3)", "R"},
        {"baseline", 0, 0, G_OPTION_ARG_DOUBLE, &law.baseline, "Signal of grey matter (10000)",
         "V"},
        {"datatype", 0, 0, G_OPTION_ARG_STRING, &datatype, "Of the run: int16|float32 (int16)",
         "NAME"},
        {"drift", 0, 0, G_OPTION_ARG_DOUBLE, &law.drift_percent, "Slow drifts, percent (1)", "P"},
        {"frames", 0, 0, G_OPTION_ARG_INT64, &n_frames, "Frames (200)", "N"},
        {"hrf", 0, 0, G_OPTION_ARG_STRING, &hrf, "Response model (spm)", "NAME"},
        {"noise", 0, 0, G_OPTION_ARG_DOUBLE, &law.noise_percent, "Noise, percent (1)", "P"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Seed of all that is random (0)", "N"},
        {"size", 0, 0, G_OPTION_ARG_STRING, &size, "Voxels (20x20x10)", "NXxNYxNZ"},
        {"snr", 0, 0, G_OPTION_ARG_DOUBLE, &law.snr_db, "Signal to noise ratio, dB (3)", "DB"},
        {"tr", 0, 0, G_OPTION_ARG_DOUBLE, &law.tr_s, "Seconds between frames (2)", "S"},
        {"voxels", 0, 0, G_OPTION_ARG_INT64, &n_voxels,
         "Voxels in the brain (as many as the head has)", "N"},
        {0}};
    size_t type = 0;
    if (!app_parse(app, self, options, &argc, &argv, error) ||
        !app_expect_arguments(self, argc, argv, 0, 0, error) || !parse_size(size, law.dim, error) ||
        !parse_word("--datatype", datatype, types, &type, error))
        return false;
    if (output == NULL)
        return app_refuse(error, "simulate: expected -o DIR|FILE");
    const struct bounded counts[] = {{"--frames", (double) n_frames, 1.0, 1e6},
                                     {"--voxels", (double) n_voxels, 0.0, 1e9},
                                     {"--seed", (double) seed, 0.0, 9e15}};
    if (!check_bounds(counts, G_N_ELEMENTS(counts), error))
        return false;
    law.n_frames = (size_t) n_frames;
    law.n_voxels = (size_t) n_voxels;
    law.seed = (uint64_t) seed;
    law.hrf = hrf == NULL ? law.hrf : hrf;
    if (!check_phantom_law(&law, error))
        return false;
    return draw_fmri(app, &law, output, type == 0 ? IMAGE_INT16 : IMAGE_FLOAT32, error);
}

static char *samples_text(const double *values, size_t n)
{
    GString *text = g_string_new(NULL);
    for (size_t k = 0; k < n; k++)
        g_string_append_printf(text, "%.17g\n", values[k]);
    return g_string_free(text, FALSE);
}

static bool write_matrix(const char *folder, const char *name, const double *values, size_t n_rows,
                         size_t n_columns, bool overwrite, GPtrArray *outputs, GError **error)
{
    if (values == NULL)
        return true;
    char *path = g_build_filename(folder, name, NULL);
    g_ptr_array_add(outputs, path);
    return array_write_npy(path, values, (const size_t[]){n_rows, n_columns}, 2, overwrite, error);
}

static bool write_response(const char *folder, const struct simulation *made, bool overwrite,
                           GPtrArray *outputs, GError **error)
{
    if (made->h == NULL)
        return true;
    char *path = g_build_filename(folder, "hrf.txt", NULL);
    g_ptr_array_add(outputs, path);
    g_autofree char *text = samples_text(made->h, made->n_h);
    return publish_bytes(path, text, strlen(text), overwrite, error);
}

/** The names of the arrays of a kind of problem, those of docs and of `taut solve`. */
struct array_names {
    const char *kind;
    const char *op;
    const char *truth;
};

static bool write_arrays(const struct app *app, const char *folder, const struct simulation *made,
                         const struct array_names *names, GError **error)
{
    g_autoptr(GPtrArray) outputs = g_ptr_array_new_with_free_func(g_free);
    bool force = app->host.force;
    if (!make_folder(folder, error) ||
        !write_matrix(folder, "X.npy", made->x, made->n_series, made->n_observed, force, outputs,
                      error) ||
        !write_matrix(folder, names->truth, made->truth, made->n_series, made->n_unknown, force,
                      outputs, error) ||
        !write_matrix(folder, names->op, made->op, made->n_observed, made->n_unknown, force,
                      outputs, error) ||
        !write_response(folder, made, force, outputs, error))
        return false;
    JsonObject *facts = json_object_new();
    json_object_set_string_member(facts, "kind", names->kind);
    json_object_set_int_member(facts, "n_series", (gint64) made->n_series);
    json_object_set_int_member(facts, "n_observed", (gint64) made->n_observed);
    json_object_set_int_member(facts, "n_unknown", (gint64) made->n_unknown);
    print_outputs(app, facts, outputs);
    return true;
}

/** What the array simulations share. */
struct array_options {
    char *output; // owned
    char *law;    // owned
    gint64 n_series;
    gint64 n_observed;
    gint64 n_unknown;
    gint64 seed;
    double snr_db;
};
typedef struct array_options owned_array_options;

static void array_options_clear(struct array_options *options)
{
    g_free(options->output);
    g_free(options->law);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_array_options, array_options_clear)

static bool check_array_options(const struct array_options *options, size_t mem_limit,
                                GError **error)
{
    const struct bounded numbers[] = {{"--series", (double) options->n_series, 1.0, 1e8},
                                      {"--observed", (double) options->n_observed, 1.0, 1e6},
                                      {"--unknown", (double) options->n_unknown, 1.0, 1e6},
                                      {"--seed", (double) options->seed, 0.0, 9e15}};
    if (!check_bounds(numbers, G_N_ELEMENTS(numbers), error))
        return false;
    if (options->output == NULL)
        return app_refuse(error, "simulate: expected -o DIR");
    double observed = (double) options->n_observed;
    double unknown = (double) options->n_unknown;
    double bytes =
        8.0 * (2.0 * observed * unknown + (double) options->n_series * (observed + unknown));
    if (bytes <= (double) mem_limit)
        return true;
    g_set_error(error, IO_ERROR, IO_ERROR_MEMORY,
                "simulate: expected to need at most %zu MiB, found %.0f MiB", mem_limit >> 20,
                bytes / 1048576.0);
    return false;
}

static bool simulate_tv_arrays(struct app *app, const struct command *self, int argc, char **argv,
                               GError **error)
{
    struct simulate_tv law = simulate_tv_default();
    g_auto(owned_array_options) common = {.n_series = (gint64) law.n_series,
                                          .n_observed = (gint64) law.n_observed,
                                          .n_unknown = (gint64) law.n_unknown,
                                          .snr_db = law.snr_db};
    g_autofree char *hrf = NULL;
    const GOptionEntry options[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &common.output,
         "Folder of X.npy, U.npy and the operator", "DIR"},
        {"ar1", 0, 0, G_OPTION_ARG_DOUBLE, &law.ar1,
         "Correlation of successive noise, blocks (0.4)", "R"},
        {"hrf", 0, 0, G_OPTION_ARG_STRING, &hrf, "Response model (spm)", "NAME"},
        {"law", 0, 0, G_OPTION_ARG_STRING, &common.law, "blocks|jumps|dense (blocks)", "NAME"},
        {"observed", 0, 0, G_OPTION_ARG_INT64, &common.n_observed, "Samples of a series (250)",
         "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &common.seed, "Seed of all that is random (0)", "N"},
        {"series", 0, 0, G_OPTION_ARG_INT64, &common.n_series, "Series (1000)", "N"},
        {"snr", 0, 0, G_OPTION_ARG_DOUBLE, &common.snr_db,
         "Signal to noise ratio, dB (blocks: uniform in 0..10; else 5)", "DB"},
        {"sparsity", 0, 0, G_OPTION_ARG_DOUBLE, &law.sparsity, "Share of jumps (0.05)", "S"},
        {"tr", 0, 0, G_OPTION_ARG_DOUBLE, &law.tr_s, "Seconds between samples (0.735)", "S"},
        {"unknown", 0, 0, G_OPTION_ARG_INT64, &common.n_unknown,
         "Unknowns of a dense operator (221)", "N"},
        {0}};
    size_t which = 0;
    if (!app_parse(app, self, options, &argc, &argv, error) ||
        !app_expect_arguments(self, argc, argv, 0, 0, error) ||
        !parse_word("--law", common.law, simulate_tv_laws, &which, error) ||
        !check_array_options(&common, app->host.mem_limit, error))
        return false;
    law.law = (enum simulate_tv_law) which;
    if (isnan(common.snr_db) && law.law != SIMULATE_TV_BLOCKS)
        common.snr_db = 5.0;
    const struct bounded numbers[] = {
        {"--ar1", law.ar1, 0.0, 0.999},
        {"--sparsity", law.sparsity, 0.0, 1.0},
        {"--snr", isnan(common.snr_db) ? 0.0 : common.snr_db, -100.0, 100.0},
        {"--tr", law.tr_s, 1e-3, 20.0},
    };
    if (!check_bounds(numbers, G_N_ELEMENTS(numbers), error))
        return false;
    law.n_series = (size_t) common.n_series;
    law.n_observed = (size_t) common.n_observed;
    law.n_unknown = (size_t) common.n_unknown;
    law.snr_db = common.snr_db;
    law.seed = (uint64_t) common.seed;
    law.hrf = hrf == NULL ? law.hrf : hrf;
    g_autoptr(owned_simulation) made = simulate_tv(&law, error);
    return made != NULL && write_arrays(app, common.output, made,
                                        &(const struct array_names){"tv", "A.npy", "U.npy"}, error);
}

static bool simulate_lasso_arrays(struct app *app, const struct command *self, int argc,
                                  char **argv, GError **error)
{
    struct simulate_lasso law = simulate_lasso_default();
    g_auto(owned_array_options) common = {.n_series = (gint64) law.n_series, .snr_db = law.snr_db};
    const GOptionEntry options[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &common.output,
         "Folder of X.npy, D.npy and Z.npy", "DIR"},
        {"law", 0, 0, G_OPTION_ARG_STRING, &common.law, "coding|noise|leadfield (coding)", "NAME"},
        {"observed", 0, 0, G_OPTION_ARG_INT64, &common.n_observed,
         "Samples of a series (64; leadfield: 360)", "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &common.seed, "Seed of all that is random (0)", "N"},
        {"series", 0, 0, G_OPTION_ARG_INT64, &common.n_series, "Series (1000)", "N"},
        {"snr", 0, 0, G_OPTION_ARG_DOUBLE, &common.snr_db,
         "Signal to noise ratio of a leadfield, dB (10)", "DB"},
        {"unknown", 0, 0, G_OPTION_ARG_INT64, &common.n_unknown,
         "Columns of the dictionary (256; leadfield: 8047)", "N"},
        {0}};
    size_t which = 0;
    if (!app_parse(app, self, options, &argc, &argv, error) ||
        !app_expect_arguments(self, argc, argv, 0, 0, error) ||
        !parse_word("--law", common.law, simulate_lasso_laws, &which, error))
        return false;
    law.law = (enum simulate_lasso_law) which;
    bool leadfield = law.law == SIMULATE_LASSO_LEADFIELD;
    if (common.n_observed == 0)
        common.n_observed = leadfield ? 360 : 64;
    if (common.n_unknown == 0)
        common.n_unknown = leadfield ? 8047 : 256;
    const struct bounded snr = {"--snr", common.snr_db, -100.0, 100.0};
    if (!check_array_options(&common, app->host.mem_limit, error) || !check_bounds(&snr, 1, error))
        return false;
    law.n_series = (size_t) common.n_series;
    law.n_observed = (size_t) common.n_observed;
    law.n_unknown = (size_t) common.n_unknown;
    law.snr_db = common.snr_db;
    law.seed = (uint64_t) common.seed;
    g_autoptr(owned_simulation) made = simulate_lasso(&law);
    return write_arrays(app, common.output, made,
                        &(const struct array_names){"lasso", "D.npy", "Z.npy"}, error);
}

// Digits are data, not drawn: some are the dictionary, the others the samples.
static bool write_digits(const struct app *app, const char *folder, const double *images,
                         size_t n_atoms, const char *what, GError **error)
{
    g_autoptr(GPtrArray) outputs = g_ptr_array_new_with_free_func(g_free);
    size_t n_series = DIGITS_N - n_atoms;
    g_autofree double *op = g_new(double, DIGITS_PIXELS *n_atoms);
    for (size_t j = 0; j < n_atoms; j++)
        for (size_t i = 0; i < DIGITS_PIXELS; i++)
            op[i * n_atoms + j] = images[j * DIGITS_PIXELS + i];
    if (!make_folder(folder, error) ||
        !write_matrix(folder, "X.npy", images + n_atoms * DIGITS_PIXELS, n_series, DIGITS_PIXELS,
                      app->host.force, outputs, error) ||
        !write_matrix(folder, "D.npy", op, DIGITS_PIXELS, n_atoms, app->host.force, outputs, error))
        return false;
    JsonObject *facts = json_object_new();
    json_object_set_string_member(facts, "kind", "digits");
    json_object_set_string_member(facts, "digits", what);
    json_object_set_int_member(facts, "n_series", (gint64) n_series);
    json_object_set_int_member(facts, "n_observed", DIGITS_PIXELS);
    json_object_set_int_member(facts, "n_unknown", (gint64) n_atoms);
    print_outputs(app, facts, outputs);
    return true;
}

static bool simulate_digits(struct app *app, const struct command *self, int argc, char **argv,
                            GError **error)
{
    g_autofree char *output = NULL;
    g_autofree char *data = NULL;
    gint64 seed = 0, n_atoms = 256;
    const GOptionEntry options[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Folder of X.npy and D.npy", "DIR"},
        {"data", 0, 0, G_OPTION_ARG_FILENAME, &data,
         "Table of 1797 digits, 64 pixels a row (default: that of scikit-learn, if it is "
         "installed; "
         "else drawn strokes)",
         "CSV"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Seed of the order (0)", "N"},
        {"unknown", 0, 0, G_OPTION_ARG_INT64, &n_atoms, "Digits in the dictionary (256)", "N"},
        {0}};
    if (!app_parse(app, self, options, &argc, &argv, error) ||
        !app_expect_arguments(self, argc, argv, 0, 0, error))
        return false;
    const struct bounded numbers[] = {{"--unknown", (double) n_atoms, 1.0, DIGITS_N - 1},
                                      {"--seed", (double) seed, 0.0, 9e15}};
    if (!check_bounds(numbers, G_N_ELEMENTS(numbers), error))
        return false;
    if (output == NULL)
        return app_refuse(error, "simulate: expected -o DIR");
    const char *what = NULL;
    g_autofree double *images = digits_draw(data, (uint64_t) seed, &app->host.io, &what, error);
    return images != NULL && write_digits(app, output, images, (size_t) n_atoms, what, error);
}

enum { MEEG_AVERAGE, MEEG_COVARIANCE, MEEG_FORWARD, MEEG_TRUTH, MEEG_FILES };
static const char *const meeg_names[MEEG_FILES] = {"sim-ave.fif", "sim-cov.fif", "sim-fwd.fif",
                                                   "sim_truth.tsv"};

static bool check_meeg_outputs(const char *folder, bool force, GPtrArray *outputs, GError **error)
{
    if (!staging_possible(folder, error))
        return false;
    for (size_t i = 0; i < MEEG_FILES; i++) {
        char *path = g_build_filename(folder, meeg_names[i], NULL);
        g_ptr_array_add(outputs, path);
        if (force || !g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        g_set_error(error, IO_ERROR, IO_ERROR_EXISTS, "%s: exists already (--force overwrites)",
                    path);
        return false;
    }
    return true;
}

static bool write_meeg(const struct meeg_phantom *phantom, struct staging *staging, GError **error)
{
    const char *paths[MEEG_FILES];
    for (size_t i = 0; i < MEEG_FILES; i++)
        paths[i] = staging_add(staging, meeg_names[i]);
    g_autofree char *truth = meeg_phantom_truth(phantom);
    return writer_fif_evoked(paths[MEEG_AVERAGE], phantom->sensors, &phantom->samples, true,
                             error) &&
           writer_fif_covariance(paths[MEEG_COVARIANCE], phantom->covariance, true, error) &&
           writer_fif_forward(paths[MEEG_FORWARD], phantom->forward, true, error) &&
           publish_bytes(paths[MEEG_TRUTH], truth, strlen(truth), true, error);
}

static bool draw_meeg(const struct app *app, const struct meeg_law *law, const char *folder,
                      GError **error)
{
    g_autoptr(GPtrArray) outputs = g_ptr_array_new_with_free_func(g_free);
    if (!check_meeg_outputs(folder, app->host.force, outputs, error))
        return false;
    g_autoptr(owned_meeg_phantom) phantom = meeg_phantom_new(law);
    g_autoptr(owned_staging) staging = staging_new(folder, error);
    if (staging == NULL)
        return false;
    log_accept(app->log);
    GError *problem = NULL;
    if (!write_meeg(phantom, staging, &problem)) {
        staging_propagate(staging, error, problem);
        return false;
    }
    if (!staging_commit(staging, error))
        return false;
    JsonObject *facts = json_object_new();
    json_object_set_string_member(facts, "kind", "meeg");
    json_object_set_int_member(facts, "n_channels", (gint64) phantom->sensors->n_channels);
    json_object_set_int_member(facts, "n_positions", (gint64) law->n_positions);
    json_object_set_int_member(facts, "n_active", (gint64) law->n_active);
    print_outputs(app, facts, outputs);
    return true;
}

static bool check_meeg_memory(const struct meeg_law *law, size_t mem_limit, GError **error)
{
    double bytes = meeg_phantom_bytes(law);
    if (bytes <= (double) mem_limit)
        return true;
    g_set_error(error, IO_ERROR, IO_ERROR_MEMORY,
                "simulate: expected to need at most %zu MiB, found %.0f MiB", mem_limit >> 20,
                bytes / 1048576.0);
    return false;
}

static bool simulate_meeg(struct app *app, const struct command *self, int argc, char **argv,
                          GError **error)
{
    struct meeg_law law = meeg_law_default();
    g_autofree char *output = NULL;
    gint64 n_positions = (gint64) law.n_positions;
    gint64 n_sites = (gint64) law.n_sites;
    gint64 n_electrodes = (gint64) law.n_electrodes;
    gint64 n_active = (gint64) law.n_active;
    gint64 seed = 0;
    const GOptionEntry options[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
         "Folder of average, noise covariance, forward solution and truth", "DIR"},
        {"active", 0, 0, G_OPTION_ARG_INT64, &n_active, "Active positions (3)", "N"},
        {"eeg", 0, 0, G_OPTION_ARG_INT64, &n_electrodes, "Electrodes of EEG (60)", "N"},
        {"positions", 0, 0, G_OPTION_ARG_INT64, &n_positions, "Positions of the cortex (8000)",
         "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "Seed of all that is random (0)", "N"},
        {"sensors", 0, 0, G_OPTION_ARG_INT64, &n_sites,
         "Sites of the helmet, three sensors each (102)", "N"},
        {"snr", 0, 0, G_OPTION_ARG_DOUBLE, &law.snr_db, "Signal to noise ratio, dB (0)", "DB"},
        {0}};
    if (!app_parse(app, self, options, &argc, &argv, error) ||
        !app_expect_arguments(self, argc, argv, 0, 0, error))
        return false;
    if (output == NULL)
        return app_refuse(error, "simulate: expected -o DIR");
    const struct bounded numbers[] = {{"--active", (double) n_active, 1.0, 100.0},
                                      {"--eeg", (double) n_electrodes, 0.0, 500.0},
                                      {"--positions", (double) n_positions, 100.0, 100000.0},
                                      {"--seed", (double) seed, 0.0, 9e15},
                                      {"--sensors", (double) n_sites, 4.0, 500.0},
                                      {"--snr", law.snr_db, -100.0, 100.0}};
    if (!check_bounds(numbers, G_N_ELEMENTS(numbers), error))
        return false;
    law.n_positions = (size_t) n_positions;
    law.n_sites = (size_t) n_sites;
    law.n_electrodes = (size_t) n_electrodes;
    law.n_active = (size_t) n_active;
    law.seed = (uint64_t) seed;
    return check_meeg_memory(&law, app->host.mem_limit, error) &&
           draw_meeg(app, &law, output, error);
}

static const struct kind {
    const char *name;
    bool (*run)(struct app *app, const struct command *self, int argc, char **argv, GError **error);
} kinds[] = {
    {"digits", simulate_digits}, {"fmri", simulate_fmri},    {"lasso", simulate_lasso_arrays},
    {"meeg", simulate_meeg},     {"tv", simulate_tv_arrays},
};

bool cmd_simulate(struct app *app, const struct command *self, int argc, char **argv,
                  GError **error)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++)
        if (strcmp(name, kinds[k].name) == 0)
            return kinds[k].run(app, self, argc - 1, argv + 1, error);
    // --help, or nothing that is known
    if (!app_parse(app, self, NULL, &argc, &argv, error))
        return false;
    return app_refuse(error, "simulate: expected digits|fmri|lasso|meeg|tv first, found \"%s\"",
                      name);
}
