// SPDX-License-Identifier: BSD-3-Clause
// All that is decided before a sample is read.
#include "app/pipelines/run/run_plan.h"

#include "app/pipelines/inputs/response.h"
#include "app/pipelines/outputs/record.h"
#include "app/pipelines/outputs/stem.h"
#include "app/pipelines/run/run_images.h"
#include "app/pipelines/run/run_parcels.h"
#include "deconv/censor.h"
#include "deconv/debias.h"
#include "deconv/hrf_conv.h"
#include "deconv/noise.h"
#include "io/input.h"
#include "io/sidecar.h"
#include "io/staging.h"
#include "io/writer_nifti.h"
#include "solvers/methods.h"

#include <math.h>
#include <string.h>

void run_plan_warn(struct run_plan *plan, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    warnings_tell(&plan->warnings, plan->host, "%s", text);
}

static void add_sidecars(struct run_files *files)
{
    static const char *const roles[] = {"sidecar",  "sidecar2", "sidecar3", "sidecar4",
                                        "sidecar5", "sidecar6", "sidecar7", "sidecar8"};
    g_autoptr(GPtrArray) paths = sidecar_find(files->options->bold);
    for (guint i = 0; i < MIN(paths->len, G_N_ELEMENTS(roles)); i++)
        input_files_add(files->inputs, roles[i], g_ptr_array_index(paths, i));
}

struct run_files *run_files_new(const struct run_options *options)
{
    struct run_files *files = g_new0(struct run_files, 1);
    files->options = options;
    files->stem = stem_of(options->bold);
    files->inputs = input_files_new();
    g_autofree char *response = response_path(options->response);
    const struct {
        const char *role;
        const char *path;
    } named[] = {{"bold", options->bold},
                 {"mask", options->mask},
                 {"atlas", options->atlas},
                 {"labels", options->labels},
                 {"sidecar", options->sidecar},
                 {"confounds", options->confounds},
                 {NULL, NULL}, // side-cars that are found
                 {"response", response},
                 {"network", options->network},
                 {"lambda", options->lambda_map}};
    for (size_t i = 0; i < G_N_ELEMENTS(named); i++) {
        if (named[i].role == NULL && options->auto_sidecar)
            add_sidecars(files);
        if (named[i].path != NULL)
            input_files_add(files->inputs, named[i].role, named[i].path);
    }
    return files;
}

void run_files_free(struct run_files *files)
{
    if (files == NULL)
        return;
    g_free(files->stem);
    g_ptr_array_unref(files->inputs);
    g_free(files);
}

struct record run_files_record(const struct run_files *files, const GPtrArray *inputs)
{
    return (struct record){.folder = files->options->folder,
                           .stem = files->stem,
                           .settings_sha256 = files->options->settings_sha256,
                           .inputs = inputs};
}

const char *run_plan_unit(const struct run_plan *plan)
{
    static const char *const units[] = {[STANDARDIZE_NONE] = "as stored",
                                        [STANDARDIZE_ZSCORE] = "standard deviations",
                                        [STANDARDIZE_PSC] = "percent signal"};
    return units[plan->options->clean.standardize];
}

char *run_plan_config(const struct run_plan *plan)
{
    return g_strdup_printf(
        "# The settings of %s, taut %s. `taut run` on this file makes it again.\n"
        "# The repetition time was %g s, from the %s.\n%s",
        plan->files->stem, TAUT_VERSION, plan->tr_s, plan->metadata->source, plan->options->config);
}

static bool plan_response(struct run_plan *plan, GError **error)
{
    const struct run_options *options = plan->options;
    const char *text = options->hrf;
    plan->response = response_load(options->response, plan->tr_s, &plan->host->io, error);
    if (plan->response == NULL)
        return false;
    plan->shape = hrf_measure(plan->response);
    host_info(plan->host, "%s: its peak is at %.3g s, its width %.3g s (--hrf)", text,
              plan->shape.time_to_peak_s, plan->shape.fwhm_s);
    g_auto(GStrv) warnings = hrf_warnings(plan->response);
    for (char **warning = warnings; *warning != NULL; warning++)
        run_plan_warn(plan, "%s: %s", text, *warning);
    size_t n_h = plan->response->n;
    if (options->conv == HRF_CONV_FULL && plan->n_time < n_h) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: frames: expected at least the %zu of the response %s (--conv full), "
                    "found %zu",
                    plan->options->bold, n_h, text, plan->n_time);
        return false;
    }
    if (plan->n_time < n_h)
        run_plan_warn(plan, "%s: the response %s has %zu frames and is cut to the %zu of the run",
                      plan->options->bold, text, n_h, plan->n_time);
    plan->op = hrf_conv_new(plan->response->h, n_h, plan->n_time,
                            (enum hrf_conv_kind) options->conv, HRF_CONV_AUTO, error);
    return plan->op != NULL;
}

static bool plan_confounds(struct run_plan *plan, GError **error)
{
    const char *path = plan->options->confounds;
    if (path == NULL)
        return true;
    struct confounds_table table = run_plan_table(plan);
    g_autoptr(GError) problem = NULL;
    plan->confounds =
        confounds_select(&table, plan->options->confound_columns, plan->n_drop + plan->n_read,
                         plan->n_drop, plan->n_read, &problem);
    if (plan->confounds == NULL) {
        bool name = g_error_matches(problem, DECONV_ERROR, DECONV_ERROR_NAME);
        g_set_error_literal(error, APP_ERROR, name ? APP_ERROR_USAGE : APP_ERROR_INPUT,
                            problem->message);
        return false;
    }
    for (char **note = plan->confounds->notes; *note != NULL; note++)
        run_plan_warn(plan, "%s: %s", path, *note);
    if (plan->options->drops_unsteady && plan->n_drop > 0)
        run_plan_warn(plan,
                      "%s: %zu frames at the beginning are not steady, and dropped (--drop N)",
                      path, plan->n_drop);
    if (plan->n_drop < plan->confounds->n_non_steady)
        run_plan_warn(plan, "%s: %zu frames at the beginning are not steady, %zu are dropped", path,
                      plan->confounds->n_non_steady, plan->n_drop);
    if (plan->confounds->n_censored > 0)
        run_plan_warn(plan, "%s: %zu of %zu frames are censored", path, plan->confounds->n_censored,
                      plan->n_read);
    return true;
}

static void warn_of_cleaning(struct run_plan *plan, const struct clean *clean)
{
    for (const char *const *line = clean_warnings(clean); *line != NULL; line++)
        run_plan_warn(plan, "%s: %s", plan->options->bold, *line);
    if (clean_n_dropped(clean) > 0)
        run_plan_warn(plan, "%s: %zu confounds depend on the others and are left out",
                      plan->options->bold, clean_n_dropped(clean));
}

// "240,480" as frames of those that are read, 0 before them; NULL: they are none. Owned.
static size_t *list_starts(const struct run_plan *plan, size_t *n, GError **error)
{
    const size_t least = 2; // frames of a run
    g_auto(GStrv) words = g_strsplit(plan->options->joined, ",", -1);
    g_autofree size_t *starts = g_new(size_t, g_strv_length(words) + 1);
    *n = 1;
    starts[0] = 0;
    for (char **word = words; *word != NULL; word++) {
        guint64 frame = 0;
        bool is_frame = g_ascii_string_to_unsigned(*word, 10, 0, G_MAXUINT32, &frame, NULL);
        size_t from = frame > plan->n_drop ? (size_t) frame - plan->n_drop : 0;
        if (is_frame && from == 0)
            continue;
        if (!is_frame || from < starts[*n - 1] + least || from + least > plan->n_read) {
            g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                        "%s: run-starts: expected frames that rise, up to %zu, found \"%s\"",
                        plan->options->bold, plan->n_drop + plan->n_read - least, *word);
            return NULL;
        }
        starts[(*n)++] = from;
    }
    return g_steal_pointer(&starts);
}

static bool plan_joined(struct run_plan *plan, const struct clean_options *clean, GError **error)
{
    size_t n = 0;
    g_autofree size_t *starts = list_starts(plan, &n, error);
    if (starts == NULL)
        return false;
    struct solver_options solver = plan->options->solving;
    const struct run_joined_options options = {.starts = starts,
                                               .n = n,
                                               .n_time = plan->n_read,
                                               .tr_s = plan->tr_s,
                                               .clean = clean,
                                               .response = plan->response,
                                               .method = plan->options->solver,
                                               .solver = &solver};
    plan->joined = run_joined_new(&options, error);
    if (plan->joined == NULL) {
        g_prefix_error(error, "%s: ", plan->options->bold);
        return false;
    }
    for (size_t i = 0; i < plan->joined->n; i++)
        warn_of_cleaning(plan, plan->joined->parts[i].clean);
    linop_free(plan->op);
    plan->op = run_joined_operator(plan->joined);
    return true;
}

const struct solver *run_plan_solver(const struct run_plan *plan)
{
    return plan->joined == NULL ? plan->solver : plan->joined->parts[0].solver;
}

size_t run_plan_rank(const struct run_plan *plan)
{
    size_t rank = plan->joined == NULL ? clean_rank(plan->clean) : 0;
    for (size_t i = 0; plan->joined != NULL && i < plan->joined->n; i++)
        rank += clean_rank(plan->joined->parts[i].clean);
    return rank;
}

bool run_plan_centres(const struct run_plan *plan)
{
    return clean_centres(plan->joined == NULL ? plan->clean : plan->joined->parts[0].clean);
}

struct clean_options run_plan_clean_options(const struct run_plan *plan)
{
    struct clean_options options = plan->options->clean;
    if (plan->confounds != NULL) {
        options.confounds = plan->confounds->values;
        options.n_confounds = plan->confounds->n_columns;
        options.confounds_have_cosines = plan->confounds->have_cosines;
        options.censored = plan->confounds->censored;
    }
    return options;
}

static bool plan_clean(struct run_plan *plan, GError **error)
{
    if (!plan_confounds(plan, error))
        return false;
    struct clean_options options = run_plan_clean_options(plan);
    if (plan->options->joined != NULL)
        return plan_joined(plan, &options, error);
    g_autoptr(GError) problem = NULL;
    plan->clean = clean_new(plan->n_read, plan->tr_s, &options, &problem);
    if (plan->clean == NULL) {
        g_set_error(error, problem->domain, problem->code, "%s: %s", plan->options->bold,
                    problem->message);
        return false;
    }
    warn_of_cleaning(plan, plan->clean);
    return true;
}

// Ratio and fixed need no rule: solvers take them as they are.
static bool plan_lambda(struct run_plan *plan, GError **error)
{
    enum lambda_kind kind = plan->options->rule;
    plan->one_lambda = plan->options->one_lambda && kind != LAMBDA_FIXED;
    if (kind == LAMBDA_RATIO || kind == LAMBDA_FIXED)
        return true;
    double high_hz = plan->options->clean.high_hz;
    g_autofree char *warning =
        lambda_kind_uses_noise(kind) ? noise_warning(high_hz, plan->tr_s) : NULL;
    if (warning != NULL)
        run_plan_warn(plan, "%s: %s", plan->options->bold, warning);
    g_autoptr(GError) problem = NULL;
    plan->rule = lambda_rule_new(run_plan_solved(plan), kind, plan->options->lambda, &problem);
    if (plan->rule == NULL)
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: %s", plan->options->bold,
                    problem->message);
    return plan->rule != NULL;
}

// Among the frames that are deconvolved; NULL where there are none.
const bool *run_plan_censored(const struct run_plan *plan)
{
    if (plan->confounds == NULL || plan->confounds->n_censored == 0)
        return NULL;
    return plan->confounds->censored + plan->first;
}

const struct problem *run_plan_solved(const struct run_plan *plan)
{
    return plan->mixture == NULL ? plan->problem : mixture_problem(plan->mixture);
}

static bool plan_problem(struct run_plan *plan, GError **error)
{
    const struct run_options *options = plan->options;
    const linop *op = plan->seen == NULL ? plan->op : plan->seen;
    const struct mixture_parts parts = {options->model == MODEL_BOTH, options->positive};
    plan->problem = problem_new_tv(op);
    if (options->model == MODEL_BLOCK)
        return true;
    if (op->n_in < 2) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected at least 2 unknowns for spikes, found 1", options->bold);
        return false;
    }
    plan->mixture = mixture_new(plan->problem, &parts);
    return true;
}

static bool plan_solver(struct run_plan *plan, GError **error)
{
    if (plan->joined != NULL)
        return plan_lambda(plan, error);
    if (run_plan_censored(plan) != NULL)
        plan->seen = censor_operator(plan->op, run_plan_censored(plan));
    if (!plan_problem(plan, error))
        return false;
    if ((plan->options->images & RUN_DEBIASED) != 0)
        plan->levels = debias_new(plan->problem->op);
    struct solver_options options = plan->options->solving;
    if (plan->options->network != NULL)
        return run_plan_network(plan, &options, error) && plan_lambda(plan, error);
    const struct problem *solved = run_plan_solved(plan);
    const struct method *method = methods_find(solved->kind, plan->options->solver);
    plan->solver = method->create(solved, &options, error);
    return plan->solver != NULL && plan_lambda(plan, error);
}

size_t run_n_kept(size_t n_series)
{
    enum { MOST_SPREAD = 256 }; // of a small run; of a large one, one an item
    size_t n_items = (n_series + RUN_ITEM_SERIES - 1) / RUN_ITEM_SERIES;
    return RUN_TRACE_SPREAD + CLAMP(MOST_SPREAD / MAX(n_items, 1), 1, RUN_ITEM_SERIES);
}

// The program with its libraries, its tables and the text of a report.
static const double PROCESS_BYTES = 19 << 20;
// A thread with its stack, its heap and what compressing holds.
static const double THREAD_BYTES = 3 << 19;

// Bytes held at the same time, the scratch memory of the threads included.
static double bytes_needed(const struct run_plan *plan, size_t series)
{
    double n_series = (double) series, n_time = (double) plan->n_time;
    double n_read = (double) plan->n_read, n_grid = (double) plan->n_grid;
    double sample = plan->type == SAMPLE_FLOAT ? sizeof(float) : sizeof(double);
    double extra = 0.0; // images that are kept beside the activity
    for (unsigned image = RUN_FITTED; image <= RUN_DEBIASED; image <<= 1)
        extra += (plan->options->images & image) != 0 ? 1.0 : 0.0;
    extra += (plan->options->images & RUN_SPIKES) != 0 ? 1.0 : 0.0;
    double items = n_series / RUN_ITEM_SERIES + 1.0;
    double threads = (double) MIN(plan->host->jobs, (size_t) items);
    double samples = n_series * (n_read * sample + extra * n_time * sizeof(float));
    double traces = items * n_time * ((double) run_n_kept(series) * sizeof(float) + sizeof(double));
    double maps = n_grid * ((double) run_n_maps() * sizeof(float) + 2.0);
    double scratch = threads * 4.0 * RUN_ITEM_SERIES * n_read * sizeof(double);
    uint64_t image_bytes = (uint64_t) plan->n_grid * plan->n_time * sizeof(float);
    double writing = (double) writer_nifti_memory(image_bytes, plan->host->io.n_threads);
    double noise = plan->noise_fit == NULL ? 0.0 : 10.0 * sizeof(double);
    double members = plan->component_clean == NULL ? 0.0 : n_read * sizeof(double); // of a parcel
    double choices = plan->rule == NULL ? 0.0 : sizeof(struct lambda_choice) + sizeof(double);
    return PROCESS_BYTES + (double) plan->host->jobs * THREAD_BYTES + samples + traces + maps +
           MAX(scratch, writing) +
           n_series * (noise + members + sizeof(struct series_result) + 3.0 * sizeof(float) + 1.0 +
                       sizeof(size_t) + choices);
}

bool run_plan_check_memory(const struct run_plan *plan, size_t n_series, GError **error)
{
    double needed = bytes_needed(plan, n_series);
    if (needed <= (double) plan->host->mem_limit)
        return true;
    g_set_error(error, IO_ERROR, IO_ERROR_MEMORY,
                "%s: %zu series of %zu frames need %.3g GiB of memory, the limit is %.3g GiB "
                "(--mem-limit)",
                plan->options->bold, n_series, plan->n_read, needed / 0x1p30,
                (double) plan->host->mem_limit / 0x1p30);
    return false;
}

static bool same_file(const char *a, const char *b)
{
    g_autofree char *x = g_canonicalize_filename(a, NULL);
    g_autofree char *y = g_canonicalize_filename(b, NULL);
    return strcmp(x, y) == 0;
}

static bool is_input(const struct run_plan *plan, const char *path)
{
    for (guint i = 0; i < plan->inputs->len; i++) {
        const struct input_file *input = g_ptr_array_index(plan->inputs, i);
        if (same_file(path, input->path))
            return true;
    }
    return false;
}

// A dump of settings may stand where it would be written: it is what `taut run` was given.
static bool is_own_config(const struct run_plan *plan, const char *path)
{
    if (!g_str_has_suffix(path, ".ini"))
        return false;
    g_autofree char *own = run_plan_config(plan);
    size_t n = 0;
    g_autofree char *text = input_text(path, strlen(own), &n, NULL);
    return text != NULL && strcmp(text, own) == 0;
}

// No output may be there already, but for what an earlier run began and did not finish; and none
// may be an input.
static bool check_outputs(const struct run_plan *plan, GError **error)
{
    if (!staging_possible(plan->options->folder, error))
        return false;
    g_autoptr(GPtrArray) names = run_image_names(plan->files);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path =
            g_build_filename(plan->options->folder, g_ptr_array_index(names, i), NULL);
        if (is_input(plan, path)) {
            g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s: is an input, and an output too",
                        path);
            return false;
        }
        bool there = g_file_test(path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK);
        if (there && !plan->overwrites && !is_own_config(plan, path)) {
            g_set_error(error, IO_ERROR, IO_ERROR_EXISTS, "%s: exists already (--force overwrites)",
                        path);
            return false;
        }
    }
    return true;
}

// What is not there for runs that were joined.
static bool check_joined(const struct run_options *options, GError **error)
{
    const char *what = options->model != MODEL_BLOCK           ? "a model of spikes"
                       : options->parcel == PARCEL_PC1         ? "principal components of parcels"
                       : options->network != NULL              ? "a network"
                       : options->conv == HRF_CONV_FULL        ? "--conv full"
                       : options->first + options->n_time > 0  ? "--frames"
                       : (options->images & RUN_DEBIASED) != 0 ? "--debias"
                       : options->finds                        ? "--null"
                       : options->atlas != NULL                ? "--atlas"
                       : options->model != MODEL_BLOCK         ? "--model spike or both"
                       : options->rule != LAMBDA_RATIO && options->rule != LAMBDA_FIXED
                           ? "a rule of lambda other than ratio and fixed"
                           : NULL;
    return options->joined == NULL || what == NULL ||
           app_refuse(error, "run-starts: expected none of what joined runs cannot have, found %s",
                      what);
}

static bool make(struct run_plan *plan, GError **error)
{
    return run_options_check_network(plan->options, error) && check_joined(plan->options, error) &&
           run_plan_input(plan, error) && check_outputs(plan, error) &&
           plan_response(plan, error) && plan_clean(plan, error) && plan_solver(plan, error) &&
           run_plan_noise(plan, error) && run_plan_mask(plan, error) &&
           run_plan_atlas(plan, error) && run_plan_lambda_map(plan, error) &&
           (plan->makes_mask || run_plan_check_memory(plan, plan->n_inside, error));
}

struct run_plan *run_plan_new(const struct host *host, const struct run_files *files,
                              bool overwrite, GError **error)
{
    g_autoptr(owned_run_plan) plan = g_new0(struct run_plan, 1);
    plan->host = host;
    plan->options = files->options;
    plan->overwrites = overwrite;
    plan->files = files;
    plan->begin_us = g_get_monotonic_time();
    plan->inputs = g_ptr_array_new();
    for (guint i = 0; i < files->inputs->len; i++)
        g_ptr_array_add(plan->inputs, g_ptr_array_index(files->inputs, i));
    warnings_init(&plan->warnings);
    if (!make(plan, error))
        return NULL;
    plan->seconds = 1e-6 * (double) (g_get_monotonic_time() - plan->begin_us);
    return g_steal_pointer(&plan);
}

void run_plan_free(struct run_plan *plan)
{
    if (plan == NULL)
        return;
    g_ptr_array_unref(plan->inputs);
    metadata_free(plan->metadata);
    g_free(plan->mask);
    debias_free(plan->levels);
    solver_free(plan->solver);
    solver_free(plan->network.exact);
    network_free(plan->network.network);
    g_free(plan->network.n_finished);
    mixture_free(plan->mixture);
    problem_free(plan->problem);
    lambda_rule_free(plan->rule);
    noise_fit_free(plan->noise_fit);
    clean_free(plan->clean);
    clean_free(plan->component_clean);
    if (plan->label_names != NULL)
        g_hash_table_unref(plan->label_names);
    g_free(plan->labels);
    frame_table_free(plan->table);
    confounds_free(plan->confounds);
    linop_free(plan->seen);
    linop_free(plan->op);
    run_joined_free(plan->joined);
    hrf_free(plan->response);
    g_free(plan->lambda_map);
    warnings_clear(&plan->warnings);
    g_free(plan);
}
