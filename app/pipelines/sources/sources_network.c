// SPDX-License-Identifier: BSD-3-Clause
// The Lasso of each sample by a network, as samples come: blocks in order of time, each through the
// same layers, on the calling thread.
#include "app/pipelines/sources/sources_network.h"

#include "app/pipelines/inputs/network_file.h"
#include "solvers/median.h"
#include "sources/leadfield_identity.h"

#include <math.h>
#include <string.h>

static bool refuse(GError **error, const char *text)
{
    g_set_error_literal(error, APP_ERROR, APP_ERROR_USAGE, text);
    return false;
}

static bool check_options(const struct sources_options *options, GError **error)
{
    if (options->network == NULL &&
        (!isnan(options->certify) || options->layers != 0 || options->force_network))
        return refuse(error, "sources: --certify, --layers and --force-network go with --network");
    if (options->network == NULL)
        return true;
    size_t n_models;
    const struct source_model *const *models = source_models(&n_models);
    if (options->model >= 0 && models[options->model] != &source_model_lasso)
        return refuse(error, "--network: expected --model lasso, or none");
    return true;
}

// The lambda that was asked for, else that of the training.
static bool choose_lambda(struct sources *sources, GError **error)
{
    const struct sources_options *options = sources->options;
    const struct training_record *record = &sources->network_file->record;
    sources->lambda = options->lambda;
    if (isnan(options->lambda)) {
        sources->lambda = record->lambda_least;
        return training_record_has_one_lambda(record) ||
               refuse(error, "sources: expected --lambda R, as the network was not trained for "
                             "one fraction alone");
    }
    if (options->lambda < record->lambda_least || options->lambda > record->lambda_most)
        host_warning(sources->host, "%s: lambda: trained for %s of the largest, used for %g",
                     options->network, record->lambda_text, options->lambda);
    return true;
}

bool sources_plan_network(struct sources *sources, GError **error)
{
    const struct sources_options *options = sources->options;
    enum problem_kind kind;
    if (!check_options(options, error))
        return false;
    if (options->network == NULL)
        return true;
    sources->network_file = network_file_read(options->network, error);
    if (sources->network_file == NULL ||
        !network_file_problem(sources->network_file, options->network, &kind, error))
        return false;
    if (kind != PROBLEM_LASSO ||
        (sources->network_file->record.leadfield == NULL && !options->force_network)) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected a network that was trained on a leadfield (train --forward), "
                    "found %s for another operator",
                    options->network, sources->network_file->network);
        return false;
    }
    return choose_lambda(sources, error);
}

// Numbers mean the same in any basis of whitened space; matrices do not.
static bool has_numbers_alone(const struct network *network)
{
    const struct layer_kind *kind = network->kind;
    for (size_t layer = 0; layer < network->depth; layer++) {
        struct tensor_shape shapes[LAYER_MAX_TENSORS];
        size_t n = kind->tensors(&network->context, layer, shapes);
        for (size_t i = 0; i < n; i++)
            if (shapes[i].n_rows * shapes[i].n_columns > 1)
                return false;
    }
    return true;
}

static bool refuse_leadfield(const struct sources *sources, const char *difference, GError **error)
{
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                "%s: trained on another leadfield: %s (--force-network applies it all the same)",
                sources->options->network, difference);
    return false;
}

bool sources_form_network(struct sources *sources, GError **error)
{
    const struct sources_options *options = sources->options;
    const struct params_file *file = sources->network_file;
    const struct leadfield *leadfield = sources->leadfield;
    struct sources_network *network = &sources->network;
    if (file == NULL)
        return true;
    if (!options->force_network) {
        g_autofree char *difference = leadfield_identity_differs(file->record.leadfield, leadfield);
        if (difference != NULL)
            return refuse_leadfield(sources, difference, error);
    }
    network->op = linop_new_dense(leadfield->gain, leadfield->n_sensors, leadfield->n_positions);
    network->problem = problem_new_lasso(network->op);
    network->net = network_file_network(file, options->network, network->problem, true, error);
    if (network->net == NULL)
        return false;
    if (!options->force_network && !has_numbers_alone(network->net)) {
        g_autofree char *sha256 = params_operator_sha256(network->op);
        if (g_strcmp0(sha256, file->operator_sha256) != 0)
            return refuse_leadfield(sources,
                                    "its matrices are for one basis of whitened space, expected "
                                    "the same, found another",
                                    error);
    }
    network->layers = options->layers == 0 ? network->net->depth : options->layers;
    if (network->layers <= network->net->depth)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "--layers: expected 1..%zu, found %zu",
                network->net->depth, options->layers);
    return false;
}

void sources_network_clear(struct sources_network *network)
{
    network_free(network->net);
    problem_free(network->problem);
    linop_free(network->op);
}

/** Sources of the samples so far. */
struct stream {
    const struct sources *sources;
    const struct solver *solver;
    struct lasso_window *found;
    GArray *index;     // of size_t
    GArray *value;     // of double
    GArray *latency_s; // of double, one a block
};

static void keep_sources(struct stream *stream, size_t t, const double *z, size_t n)
{
    for (size_t j = 0; j < n; j++)
        if (z[j] != 0.0) {
            g_array_append_val(stream->index, j);
            g_array_append_val(stream->value, z[j]);
        }
    stream->found->first[t + 1] = stream->index->len;
}

// Samples first .. first + count - 1 come, and become sources with their gaps.
static void solve_block(struct stream *stream, size_t first, size_t count, struct workspace *ws)
{
    const struct sources *sources = stream->sources;
    size_t n = sources->leadfield->n_sensors, m = sources->leadfield->n_positions;
    size_t mark = workspace_mark(ws);
    struct block x = {n, count, n, WORKSPACE_ALLOC(ws, double, count *n)};
    struct block z = {m, count, m, WORKSPACE_ALLOC(ws, double, count *m)};
    double lambda[BLOCK_SERIES];
    gint64 begin_us = g_get_monotonic_time();
    for (size_t v = 0; v < count; v++) {
        lambda[v] = sources->lambda;
        for (size_t i = 0; i < n; i++)
            block_series(&x, v)[i] = sources->whitened[i * sources->window.n_time + first + v];
    }
    struct solve_input input = {
        .x = &x, .lambda = lambda, .lambda_is_ratio = true, .first_series = first};
    solver_run(stream->solver, &input, &z, stream->found->results + first, ws);
    double seconds = 1e-6 * (double) (g_get_monotonic_time() - begin_us);
    g_array_append_val(stream->latency_s, seconds);
    for (size_t v = 0; v < count; v++)
        keep_sources(stream, first + v, block_series(&z, v), m);
    workspace_release(ws, mark);
}

static bool run_stream(struct stream *stream, GError **error)
{
    const struct sources *sources = stream->sources;
    size_t n_time = sources->window.n_time;
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t first = 0; first < n_time; first += BLOCK_SERIES) {
        if (host_stopped(sources->host, error))
            return false;
        solve_block(stream, first, MIN((size_t) BLOCK_SERIES, n_time - first), ws);
    }
    return true;
}

// Takes what the stream has into its window.
static void end_stream(struct stream *stream, struct sources_network *network)
{
    double *latency_s = (double *) (void *) stream->latency_s->data;
    size_t n_blocks = stream->latency_s->len;
    for (size_t i = 0; i < n_blocks; i++)
        network->latency_s[1] = fmax(network->latency_s[1], latency_s[i]);
    network->latency_s[0] = median(latency_s, n_blocks);
    stream->found->index = (size_t *) (void *) g_array_free(stream->index, FALSE);
    stream->found->value = (double *) (void *) g_array_free(stream->value, FALSE);
    g_array_unref(stream->latency_s);
}

static struct lasso_window *window_new(size_t n_time)
{
    struct lasso_window *window = g_new0(struct lasso_window, 1);
    window->n_time = n_time;
    window->first = g_new0(size_t, n_time + 1);
    window->results = g_new0(struct series_result, n_time);
    return window;
}

// The exact method that ends what the network began; NULL where none was asked for.
static struct solver *new_fallback(const struct sources *sources)
{
    struct solver_options options = solver_options_default();
    options.start = START_GIVEN;
    return isnan(sources->options->certify)
               ? NULL
               : solver_new_exact(sources->network.problem, &options, NULL);
}

struct lasso_window *sources_run_network(struct sources *sources, GError **error)
{
    struct sources_network *network = &sources->network;
    g_autofree atomic_size_t *n_rejected = g_new0(atomic_size_t, network->layers);
    atomic_size_t n_finished = 0;
    g_autoptr(owned_solver) fallback = new_fallback(sources);
    struct network_use use = {.depth = network->layers,
                              .safeguard = true,
                              .fallback = fallback,
                              .certify = sources->options->certify,
                              .n_finished = &n_finished,
                              .n_rejected = n_rejected};
    struct solver_options options = solver_options_default();
    options.start = training_record_start(&sources->network_file->record);
    options.tol = fallback == NULL ? sources->options->tol : sources->options->certify;
    g_autoptr(owned_solver) solver = network_solver_new(network->net, &use, &options);
    struct stream stream = {.sources = sources,
                            .solver = solver,
                            .found = window_new(sources->window.n_time),
                            .index = g_array_new(FALSE, FALSE, sizeof(size_t)),
                            .value = g_array_new(FALSE, FALSE, sizeof(double)),
                            .latency_s = g_array_new(FALSE, FALSE, sizeof(double))};
    bool done = run_stream(&stream, error);
    end_stream(&stream, network);
    g_autoptr(owned_lasso_window) found = stream.found;
    network->block_samples = BLOCK_SERIES;
    network->n_solved_exactly = atomic_load(&n_finished);
    for (size_t layer = 0; layer < network->layers; layer++)
        network->n_rejected += atomic_load(&n_rejected[layer]);
    return done ? g_steal_pointer(&found) : NULL;
}

JsonObject *sources_network_json(const struct sources *sources)
{
    const struct sources_network *network = &sources->network;
    JsonObject *object = json_object_new();
    JsonObject *latency = json_object_new();
    g_autofree char *name = g_path_get_basename(sources->options->network);
    json_object_set_double_member(latency, "median", 1e3 * network->latency_s[0]);
    json_object_set_double_member(latency, "max", 1e3 * network->latency_s[1]);
    json_object_set_string_member(object, "file", name);
    json_object_set_string_member(object, "kind", network->net->kind->network);
    json_object_set_int_member(object, "layers", (gint64) network->layers);
    json_object_set_int_member(object, "rejected", (gint64) network->n_rejected);
    json_object_set_int_member(object, "solved_exactly", (gint64) network->n_solved_exactly);
    json_object_set_object_member(object, "latency_ms", latency);
    json_object_set_int_member(object, "block_samples", (gint64) network->block_samples);
    return object;
}
