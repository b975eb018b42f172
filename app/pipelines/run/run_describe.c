// SPDX-License-Identifier: BSD-3-Clause
// What sidecars, --json and the report say about a run.
#include "app/pipelines/run/run.h"

#include "app/host/version.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>

static void set_text(JsonObject *object, const char *name, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    json_object_set_string_member(object, name, valid);
}

static void set_count(JsonObject *object, const char *name, size_t count)
{
    json_object_set_int_member(object, name, (gint64) count);
}

// The folder that holds dataset_description.json on the way up from a file; NULL: none. Owned.
static char *dataset_root(const char *path)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *folder = g_path_get_dirname(absolute);
    while (strcmp(folder, "/") != 0) {
        g_autofree char *description = g_build_filename(folder, "dataset_description.json", NULL);
        if (g_file_test(description, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&folder);
        char *parent = g_path_get_dirname(folder);
        g_free(folder);
        folder = parent;
    }
    return NULL;
}

// "bids::sub-01/func/..." inside a data set, else the name of the file. Owned.
static char *source_of(const char *path)
{
    g_autofree char *root = dataset_root(path);
    if (root == NULL)
        return g_path_get_basename(path);
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    return g_strconcat("bids::", absolute + strlen(root) + 1, NULL);
}

static JsonArray *sources(const struct run *run)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < run->plan->inputs->len; i++) {
        const struct input_file *input = g_ptr_array_index(run->plan->inputs, i);
        g_autofree char *source = source_of(input->path);
        g_autofree char *text = g_utf8_make_valid(source, -1);
        json_array_add_string_element(array, text);
    }
    return array;
}

static JsonObject *checksums(const struct run *run)
{
    JsonObject *object = json_object_new();
    for (guint i = 0; i < run->plan->inputs->len; i++) {
        const struct input_file *input = g_ptr_array_index(run->plan->inputs, i);
        g_autofree char *sum = g_strconcat("sha256:", run->sha256[i], NULL);
        json_object_set_string_member(object, input->role, sum);
    }
    return object;
}

// The task by the input's own sidecar, else by its name; NULL where neither says. Owned.
static char *task_name(const struct run *run)
{
    JsonObject *json = run->plan->metadata->json;
    JsonNode *node = json == NULL ? NULL : json_object_get_member(json, "TaskName");
    if (node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
        json_node_get_value_type(node) == G_TYPE_STRING)
        return json_node_dup_string(node);
    g_auto(GStrv) entities = g_strsplit(run->plan->files->stem, "_", -1);
    for (char **entity = entities; *entity != NULL; entity++)
        if (g_str_has_prefix(*entity, "task-"))
            return g_strdup(*entity + strlen("task-"));
    return NULL;
}

static void set_finite(JsonObject *object, const char *name, double value)
{
    if (isfinite(value))
        json_object_set_double_member(object, name, value);
}

static JsonObject *describe_response(const struct run_plan *plan)
{
    JsonObject *object = json_object_new();
    const struct hrf *response = plan->response;
    set_text(object, "Model", response->name);
    set_text(object, "Parameters", response->parameters);
    set_finite(object, "TimeToPeak", plan->shape.time_to_peak_s);
    set_finite(object, "FWHM", plan->shape.fwhm_s);
    JsonArray *samples = json_array_sized_new((guint) response->n);
    for (size_t k = 0; k < response->n; k++)
        json_array_add_double_element(samples, response->h[k]);
    json_object_set_array_member(object, "Samples", samples);
    return object;
}

static JsonObject *describe_frames(const struct run *run)
{
    JsonObject *object = json_object_new();
    set_count(object, "First", run->plan->n_drop + run->plan->first);
    set_count(object, "Count", run->plan->n_time);
    set_count(object, "Dropped", run->plan->n_drop);
    JsonArray *frames = json_array_new();
    const bool *censored = run_plan_censored(run->plan);
    for (size_t t = 0; censored != NULL && t < run->plan->n_time; t++)
        if (censored[t])
            json_array_add_int_element(frames, (gint64) (run->plan->n_drop + run->plan->first + t));
    json_object_set_array_member(object, "Censored", frames);
    if (run->plan->joined == NULL)
        return object;
    JsonArray *starts = json_array_new();
    for (size_t i = 0; i < run->plan->joined->n; i++)
        json_array_add_int_element(
            starts, (gint64) (run->plan->n_drop + run->plan->joined->parts[i].first));
    json_object_set_array_member(object, "RunStarts", starts);
    return object;
}

static JsonObject *describe_model(const struct run_plan *plan)
{
    static const char *const names[] = {
        [MODEL_BLOCK] = "block", [MODEL_SPIKE] = "spike", [MODEL_BOTH] = "both"};
    static const char *const objectives[] = {
        [MODEL_BLOCK] = "1/2 ||y - h * u||^2 + lambda TV(u)",
        [MODEL_SPIKE] = "1/2 ||y - h * u||^2 + lambda ||s||_1, u = c + s",
        [MODEL_BOTH] = "1/2 ||y - h * (b + s)||^2 + lambda (TV(b) + kappa ||s||_1), u = b + s"};
    JsonObject *object = json_object_new();
    set_text(object, "Name", names[plan->options->model]);
    set_text(object, "Objective", objectives[plan->options->model]);
    if (plan->options->positive)
        json_object_set_boolean_member(object, "Positive", true);
    if (plan->options->model == MODEL_BOTH)
        json_object_set_double_member(object, "Kappa", mixture_kappa(plan->mixture));
    return object;
}

static JsonObject *describe_lambda(const struct run *run)
{
    JsonObject *object = json_object_new();
    const struct run_options *options = run->plan->options;
    bool by_noise = options->noise_factor > 0.0;
    set_text(object, "Rule",
             by_noise ? options->given.lambda_rule.text : lambda_kind_names[options->rule]);
    set_text(object, "Scope", options->one_lambda ? "run" : "voxel");
    if (options->rule == LAMBDA_RATIO)
        json_object_set_double_member(object, "Ratio", options->lambda);
    if (!run->lambda.is_ratio && (run->plan->rule == NULL || run->plan->one_lambda))
        json_object_set_double_member(object, "Value", run->lambda.value);
    if (isfinite(run->sigma))
        json_object_set_double_member(object, "Sigma", run->sigma);
    return object;
}

static JsonObject *describe_network(const struct run *run)
{
    JsonObject *object = json_object_new();
    const struct run_network *network = &run->plan->network;
    g_autofree char *name = g_path_get_basename(run->plan->options->network);
    set_text(object, "file", name);
    json_object_set_string_member(object, "network", network->network->kind->network);
    json_object_set_string_member(object, "variant", network->network->kind->variant);
    set_count(object, "layers", network->use.depth);
    json_object_set_boolean_member(object, "safeguard", network->use.safeguard);
    if (network->use.fallback != NULL)
        json_object_set_double_member(object, "certify", network->use.certify);
    set_count(object, "solved_exactly", run->n_finished);
    return object;
}

static JsonObject *describe_solver(const struct run *run)
{
    JsonObject *object = json_object_new();
    const struct run_plan *plan = run->plan;
    bool is_network = plan->network.network != NULL;
    set_text(object, "Name", is_network ? run_plan_solver(plan)->name : plan->options->solver);
    if (is_network)
        json_object_set_object_member(object, "Network", describe_network(run));
    json_object_set_double_member(object, "Tolerance", run_plan_solver(plan)->options.tol);
    set_count(object, "IterationsMax", run_plan_solver(plan)->options.max_iter);
    json_object_set_double_member(object, "RelativeGapMax", run->outcome.relative_gap.max);
    json_object_set_object_member(object, "Status", outcome_status_json(&run->outcome));
    return object;
}

static void add_step(JsonArray *steps, const char *name, const char *parameter, const char *value)
{
    JsonObject *step = json_object_new();
    json_object_set_string_member(step, "Step", name);
    set_text(step, parameter, value);
    json_array_add_object_element(steps, step);
}

static JsonArray *describe_cleaning(const struct run *run)
{
    const struct preprocessing *words = &run->plan->options->words;
    JsonArray *steps = json_array_new();
    g_autofree char *rank = g_strdup_printf("%zu", run_plan_rank(run->plan));
    add_step(steps, "detrend", "Kind", words->detrend);
    if (words->bandpass != NULL)
        add_step(steps, "bandpass", "Hz", words->bandpass);
    g_autofree char *columns =
        run->plan->confounds == NULL ? g_strdup("") : g_strjoinv(",", run->plan->confounds->names);
    add_step(steps, "regress", "Columns", columns);
    set_text(json_array_get_object_element(steps, json_array_get_length(steps) - 1), "Rank", rank);
    add_step(steps, "standardize", "Kind", words->standardize);
    return steps;
}

static JsonObject *new_sidecar(const struct run *run, const char *description, const char *units)
{
    JsonObject *object = json_object_new();
    g_autofree char *cpu = version_cpu();
    set_text(object, "Description", description);
    set_text(object, "Units", units);
    json_object_set_array_member(object, "Sources", sources(run));
    json_object_set_object_member(object, "InputChecksums", checksums(run));
    set_text(object, "TautVersion", TAUT_VERSION);
    set_text(object, "TautBuild", version_build());
    set_text(object, "CPU", cpu);
    json_object_set_object_member(object, "Libraries", version_libraries());
    return object;
}

JsonObject *run_map_sidecar(const struct run *run, const char *description, const char *units)
{
    return new_sidecar(run, description, units);
}

JsonObject *run_series_sidecar(const struct run *run, const char *description, const char *units)
{
    JsonObject *object = new_sidecar(run, description, units);
    g_autofree char *task = task_name(run);
    json_object_set_double_member(object, "RepetitionTime", run->plan->tr_s);
    set_text(object, "TRSource", run->plan->metadata->source);
    if (task != NULL)
        set_text(object, "TaskName", task);
    metadata_carry(run->plan->metadata, run->plan->n_drop + run->plan->first, object);
    json_object_set_boolean_member(object, "SkullStripped", run->mask != NULL);
    json_object_set_object_member(object, "HRF", describe_response(run->plan));
    set_text(object, "Convolution", run->plan->options->conv == HRF_CONV_FULL ? "full" : "causal");
    json_object_set_object_member(object, "Frames", describe_frames(run));
    json_object_set_array_member(object, "Preprocessing", describe_cleaning(run));
    json_object_set_object_member(object, "Model", describe_model(run->plan));
    json_object_set_object_member(object, "Lambda", describe_lambda(run));
    json_object_set_object_member(object, "Solver", describe_solver(run));
    return object;
}

static JsonObject *describe_seconds(const struct run *run)
{
    const struct run_seconds *seconds = &run->seconds;
    JsonObject *object = json_object_new();
    json_object_set_double_member(object, "read", seconds->read);
    json_object_set_double_member(object, "prepare", run->plan->seconds);
    json_object_set_double_member(object, "solve", seconds->solve);
    json_object_set_double_member(object, "write", seconds->write);
    json_object_set_double_member(object, "total", seconds->total);
    return object;
}

// The kernel's own mark of this process. That of getrusage is inherited from the process that
// started it, where that was larger.
static gint64 peak_memory(void)
{
    g_autofree char *status = NULL;
    if (g_file_get_contents("/proc/self/status", &status, NULL, NULL)) {
        const char *mark = strstr(status, "VmHWM:");
        if (mark != NULL)
            return g_ascii_strtoll(mark + strlen("VmHWM:"), NULL, 10) * 1024;
    }
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (gint64) usage.ru_maxrss * 1024 : 0;
}

JsonObject *run_to_json(const struct run *run)
{
    JsonObject *object = json_object_new();
    const struct outcome *outcome = &run->outcome;
    set_text(object, "version", TAUT_VERSION);
    set_text(object, "input", run->plan->options->bold);
    JsonArray *outputs = json_array_new();
    for (guint i = 0; i < run->outputs->len; i++) {
        g_autofree char *path = g_utf8_make_valid(g_ptr_array_index(run->outputs, i), -1);
        json_array_add_string_element(outputs, path);
    }
    json_object_set_array_member(object, "outputs", outputs);
    set_count(object, "n_voxels", run_n_painted(run));
    if (run->parcels != NULL)
        set_count(object, "n_parcels", run->n_series);
    set_count(object, "n_frames", run->plan->n_time);
    json_object_set_double_member(object, "tr", run->plan->tr_s);
    set_text(object, "hrf", run->plan->options->hrf);
    set_finite(object, "hrf_time_to_peak", run->plan->shape.time_to_peak_s);
    set_finite(object, "hrf_fwhm", run->plan->shape.fwhm_s);
    json_object_set_object_member(
        object, "lambda", spread_json(&outcome->lambda, SPREAD_MIN | SPREAD_MEDIAN | SPREAD_MAX));
    if (run->plan->network.network != NULL)
        json_object_set_object_member(object, "network", describe_network(run));
    json_object_set_object_member(object, "status", outcome_status_json(outcome));
    json_object_set_object_member(object, "gap",
                                  spread_json(&outcome->relative_gap, SPREAD_MEDIAN | SPREAD_MAX));
    json_object_set_object_member(object, "jumps",
                                  spread_json(&outcome->jumps, SPREAD_MEDIAN | SPREAD_MAX));
    run_describe_findings(run, object);
    json_object_set_object_member(object, "seconds", describe_seconds(run));
    json_object_set_double_member(object, "solve_cpu_seconds", run->solve_cpu_seconds);
    json_object_set_int_member(object, "peak_rss_bytes", peak_memory());
    json_object_set_array_member(object, "warnings", warnings_to_json(&run->warnings));
    return object;
}
