// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/bench_sources.h"

#include "app/pipelines/inputs/network_file.h"
#include "app/pipelines/sources/sources_network.h"
#include "app/pipelines/sources/sources_samples.h"
#include "app/simulate/meeg_phantom.h"
#include "solvers/cpu_clock.h"
#include "solvers/median.h"
#include "sources/time_reduction.h"

#include <math.h>
#include <string.h>

const double bench_mixed_norm_targets[3] = {1e-4, 1e-6, 1e-9};
const struct method bench_network_method = {
    .name = "network", .kind = PROBLEM_LASSO, .runs_to_its_end = true};

// Samples first .. last of the average, row-major channels x samples, as the window of sources.
static void take_window(struct sources *sources, const struct meeg_phantom *phantom)
{
    const struct part *part = &phantom->sensors->part[0];
    size_t first = (size_t) lrint((0.03 - part->start_s) * part->rate_hz);
    size_t last = (size_t) lrint((0.2 - part->start_s) * part->rate_hz);
    size_t n = part->n_channels, n_time = last - first + 1;
    struct sources_window *window = &sources->window;
    window->n_channels = n;
    window->n_time = n_time;
    window->data = g_new(double, n *n_time);
    for (size_t t = 0; t < n_time; t++)
        for (size_t i = 0; i < n; i++)
            window->data[i * n_time + t] = phantom->samples[(first + t) * n + i];
}

static bool form_simulated(struct sources *sources, uint64_t seed, GError **error)
{
    struct meeg_law law = meeg_law_default();
    law.seed = seed;
    g_autoptr(owned_meeg_phantom) phantom = meeg_phantom_new(&law);
    sources->forward = g_steal_pointer(&phantom->forward);
    sources->covariance = g_steal_pointer(&phantom->covariance);
    take_window(sources, phantom);
    return sources_choose_channels(sources, error) && sources_form(sources, error);
}

// Rows of the whitened window become columns.
static struct array *samples_of_window(const struct sources *sources)
{
    size_t rank = sources->whitener->rank, n_time = sources->window.n_time;
    struct array *samples = g_new0(struct array, 1);
    *samples =
        (struct array){.n_rows = n_time, .n_columns = rank, .values = g_new(double, n_time *rank)};
    for (size_t t = 0; t < n_time; t++)
        for (size_t i = 0; i < rank; i++)
            samples->values[t * rank + i] = sources->whitened[i * n_time + t];
    return samples;
}

static void thin_out(struct array *samples, size_t n_most)
{
    size_t n = samples->n_rows, n_columns = samples->n_columns;
    if (n_most == 0 || n_most >= n)
        return;
    for (size_t i = 0; i < n_most; i++)
        memmove(samples->values + i * n_columns, samples->values + i * n / n_most * n_columns,
                n_columns * sizeof(double));
    samples->n_rows = n_most;
}

struct array *bench_sources_data(struct sources *sources, struct sources_options *options,
                                 size_t n_most, uint64_t seed, GError **error)
{
    char *conditions[] = {(char *) options->condition, NULL};
    char *const *names = options->condition == NULL ? NULL : conditions;
    sources->options = options;
    sources->model = &source_model_lasso;
    sources->orientation = ORIENTATION_FIXED;
    sources->any_condition = true;
    if (!sources_plan_network(sources, error))
        return NULL;
    if (sources->network_file == NULL)
        sources->lambda = isnan(options->lambda) ? 0.5 : options->lambda;
    struct array *samples = NULL;
    if (options->forward == NULL)
        samples = form_simulated(sources, seed, error) ? samples_of_window(sources) : NULL;
    else if (sources_read(sources, error) && sources_form(sources, error))
        samples = sources_samples(sources, options, names, error);
    if (samples != NULL)
        thin_out(samples, n_most);
    return samples;
}

struct solver *bench_sources_network(const struct sources *sources)
{
    struct network_use use = {.depth = sources->network.layers, .safeguard = true};
    struct solver_options options = solver_options_default();
    options.start = training_record_start(&sources->network_file->record);
    return network_solver_new(sources->network.net, &use, &options);
}

struct bench_mixed_norm bench_sources_mixed_norm(const struct leadfield *leadfield,
                                                 const struct array *samples, double lambda_ratio,
                                                 size_t n_rounds)
{
    enum { N_TARGETS = 3 };
    size_t n = samples->n_columns, n_time = samples->n_rows;
    g_autofree double *data = g_new(double, n *n_time);
    g_autofree double *ms = g_new(double, N_TARGETS *n_rounds);
    g_autoptr(owned_workspace) ws = workspace_new();
    struct bench_mixed_norm found = {.lambda_ratio = lambda_ratio};
    for (size_t t = 0; t < n_time; t++)
        for (size_t i = 0; i < n; i++)
            data[i * n_time + t] = samples->values[t * n + i];
    for (size_t r = 0; r < n_rounds; r++)
        for (size_t k = 0; k < N_TARGETS; k++) {
            double begin = cpu_clock_s();
            g_autoptr(owned_time_reduction) reduction = time_reduction_new(data, n, n_time);
            struct mixed_norm_input input = {
                leadfield->gain, reduction->data, n, leadfield->n_positions, 1, reduction->rank};
            g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&input);
            g_autoptr(owned_source_estimate) estimate = source_estimate_new(1, reduction->rank);
            struct mixed_norm_options options = mixed_norm_options_default();
            options.tol = bench_mixed_norm_targets[k];
            struct mixed_norm_result result = mixed_norm_solve(
                problem, lambda_ratio * problem->alpha_max, &options, estimate, ws);
            ms[k * n_rounds + r] = 1e3 * (cpu_clock_s() - begin);
            found.gap[k] = result.relative_gap;
            found.n_active = estimate->n_active;
        }
    for (size_t k = 0; k < N_TARGETS; k++)
        found.ms[k] = median(ms + k * n_rounds, n_rounds);
    return found;
}

static double median_us(const struct bench_row *row)
{
    const GArray *us = row->timings[BENCH_N_TARGETS - 1].us;
    g_autofree double *sorted = g_memdup2(us->data, us->len * sizeof(double));
    return median(sorted, us->len);
}

static const struct bench_row *find_network(const struct bench *bench)
{
    for (size_t i = 0; i < bench->n_rows; i++)
        if (bench->rows[i].method == &bench_network_method)
            return &bench->rows[i];
    return NULL;
}

static JsonObject *mixed_norm_json(const struct bench_mixed_norm *window)
{
    JsonObject *object = json_object_new();
    JsonArray *targets = json_array_new();
    for (size_t k = 0; k < G_N_ELEMENTS(bench_mixed_norm_targets); k++) {
        JsonObject *target = json_object_new();
        json_object_set_double_member(target, "target", bench_mixed_norm_targets[k]);
        json_object_set_double_member(target, "relative_gap", window->gap[k]);
        json_object_set_double_member(target, "ms", window->ms[k]);
        json_array_add_object_element(targets, target);
    }
    json_object_set_int_member(object, "n_active", (gint64) window->n_active);
    json_object_set_array_member(object, "targets", targets);
    return object;
}

static double network_ratio(const struct bench_row *network, const struct bench_row *reference)
{
    return reference == NULL ? NAN : median_us(network) / median_us(reference);
}

void bench_sources_set_json(const struct sources *sources, const struct bench *bench,
                            const struct bench_row *reference,
                            const struct bench_mixed_norm *window, JsonObject *object)
{
    json_object_set_object_member(object, "l21", mixed_norm_json(window));
    const struct bench_row *network = find_network(bench);
    if (network == NULL)
        return;
    double ratio = network_ratio(network, reference);
    JsonObject *told = json_object_new();
    json_object_set_int_member(told, "layers", (gint64) sources->network.layers);
    json_object_set_double_member(told, "us", median_us(network));
    json_object_set_double_member(told, "worst_gap",
                                  network->timings[BENCH_N_TARGETS - 1].worst_gap);
    if (isfinite(ratio))
        json_object_set_double_member(told, "ratio", ratio);
    json_object_set_object_member(object, "network", told);
}

char *bench_sources_lines(const struct sources *sources, const struct bench *bench,
                          const struct bench_row *reference, const struct bench_mixed_norm *window)
{
    GString *text = g_string_new(NULL);
    const struct bench_row *network = find_network(bench);
    if (network != NULL)
        g_string_append_printf(
            text,
            "\nnetwork: %zu layers, %.3g us a sample, %.3g times %s, relative gap at most %.2g\n",
            sources->network.layers, median_us(network), network_ratio(network, reference),
            reference == NULL ? "-" : reference->method->name,
            network->timings[BENCH_N_TARGETS - 1].worst_gap);
    g_string_append_printf(text,
                           "\nl21 of all samples as one window, %zu active: %.3g ms to 1e-4, %.3g "
                           "to 1e-6, %.3g to 1e-9\n",
                           window->n_active, window->ms[0], window->ms[1], window->ms[2]);
    return g_string_free(text, FALSE);
}
