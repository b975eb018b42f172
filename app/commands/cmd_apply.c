// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/inputs/network_file.h"
#include "app/pipelines/inputs/operator.h"
#include "app/pipelines/outputs/outcome.h"
#include "app/settings/array_options.h"
#include "app/settings/tables.h"
#include "io/publish.h"

#include <math.h>
#include <stdio.h>

/** A network applied to an array: what was asked for, then what it takes, then what came of it. */
struct application {
    struct app *app;            // borrowed
    struct apply_options given; //

    struct params_file *file;
    struct array *x;
    linop *op;
    struct problem *problem;
    struct network *network;
    double ratio;
    struct network_use use;
    struct solver_options options;
    struct solver *exact;
    struct solver *solver;

    double *u;
    struct series_result *results;
    double seconds;
    atomic_size_t n_finished; // series that the exact method solved
};

static void application_clear(struct application *it)
{
    solver_free(it->solver);
    solver_free(it->exact);
    network_free(it->network);
    problem_free(it->problem);
    linop_free(it->op);
    params_file_free(it->file);
    array_free(it->x);
    g_free(it->u);
    g_free(it->results);
}
typedef struct application owned_application; // for g_auto(owned_application)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_application, application_clear)

static bool check_outputs(const struct application *it, GError **error)
{
    return host_check_output(&it->app->host, it->given.output, false, error) &&
           (it->given.trace == NULL ||
            host_check_output(&it->app->host, it->given.trace, false, error));
}

// lambda as in training, unless the user says otherwise.
static bool choose_ratio(struct application *it, GError **error)
{
    it->ratio = it->given.lambda_ratio;
    if (!isnan(it->ratio))
        return true;
    const struct training_record *record = &it->file->record;
    it->ratio = record->lambda_least;
    return training_record_has_one_lambda(record) ||
           app_refuse(error, "apply: expected --lambda-ratio R, the network was trained for %s",
                      record->lambda_text == NULL ? "no known fraction" : record->lambda_text);
}

static bool make_network(struct application *it, GError **error)
{
    struct operator_options op = {.matrix = it->given.matrix, .tr_s = NAN};
    enum problem_kind kind;
    if (!network_file_problem(it->file, it->given.network, &kind, error))
        return false;
    it->op = it->given.matrix == NULL
                 ? network_file_operator(it->file, it->given.network, error)
                 : operator_new(&op, it->given.data, it->x->n_columns, &it->app->host.io, error);
    if (it->op == NULL)
        return false;
    it->problem = kind == PROBLEM_TV ? problem_new_tv(it->op) : problem_new_lasso(it->op);
    it->network = network_file_network(it->file, it->given.network, it->problem, false, error);
    return it->network != NULL;
}

static bool choose_layers(struct application *it, GError **error)
{
    size_t depth = it->network->depth;
    it->use.depth = it->given.layers == OPTION_NO_COUNT ? depth : it->given.layers;
    return it->use.depth <= depth ||
           app_refuse(error, "--layers: expected 0..%zu, found %zu", depth, it->given.layers);
}

// The exact method begins where the network ends.
static bool make_fallback(struct application *it, GError **error)
{
    if (isnan(it->given.certify))
        return true;
    struct solver_options options = solver_options_default();
    options.start = START_GIVEN;
    it->exact = solver_new_exact(it->problem, &options, error);
    it->use.fallback = it->exact;
    it->use.certify = it->given.certify;
    it->use.n_finished = &it->n_finished;
    return it->exact != NULL;
}

static bool plan(struct application *it, GError **error)
{
    it->file = network_file_read(it->given.network, error);
    if (it->file == NULL || !choose_ratio(it, error))
        return false;
    it->x = array_read_series(it->given.data, &it->app->host.io, error);
    if (it->x == NULL)
        return false;
    if (it->x->n_columns != it->file->n_observed) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected %zu columns, as the network was trained on, found %zu",
                    it->given.data, it->file->n_observed, it->x->n_columns);
        return false;
    }
    it->use.safeguard = it->given.safeguard >= 0
                            ? it->given.safeguard == 0
                            : training_record_is_safeguarded(&it->file->record);
    if (!make_network(it, error) || !choose_layers(it, error) || !make_fallback(it, error))
        return false;
    it->options = solver_options_default();
    it->options.start = training_record_start(&it->file->record);
    if (!isnan(it->given.certify))
        it->options.tol = it->given.certify;
    it->solver = network_solver_new(it->network, &it->use, &it->options);
    it->u = g_new(double, it->x->n_rows * it->op->n_in);
    it->results = g_new0(struct series_result, it->x->n_rows);
    return true;
}

/** A method applied to all series: once for the result, once a depth for the trace. */
struct sweep {
    const struct application *it;
    const struct solver *solver;
    double *u;                     // n_in a series
    struct series_result *results; //
};

static void sweep_block(void *data, size_t index, struct workspace *ws)
{
    const struct sweep *sweep = data;
    const struct application *it = sweep->it;
    size_t n_in = it->op->n_in;
    size_t first = index * BLOCK_SERIES;
    size_t count = MIN((size_t) BLOCK_SERIES, it->x->n_rows - first);
    struct block all = operator_rows(it->x);
    struct block x = block_slice(&all, first, count);
    struct block u = {n_in, count, n_in, sweep->u + first * n_in};
    double ratios[BLOCK_SERIES];
    for (size_t v = 0; v < count; v++)
        ratios[v] = it->ratio;
    struct solve_input input = {
        .x = &x, .lambda = ratios, .lambda_is_ratio = true, .first_series = first};
    solver_run(sweep->solver, &input, &u, sweep->results + first, ws);
}

static bool sweep_all(struct sweep *sweep, GError **error)
{
    const struct application *it = sweep->it;
    size_t n_blocks = (it->x->n_rows + BLOCK_SERIES - 1) / BLOCK_SERIES;
    if (parallel_for(it->app->host.team, n_blocks, sweep_block, sweep))
        return true;
    host_stopped(&it->app->host, error);
    return false;
}

// A row of the trace; sums over the series in their order.
static void append_row(GString *table, const struct application *it, size_t depth,
                       const struct series_result *results, size_t n_rejected)
{
    double objective = 0.0, gap = 0.0, worst = 0.0;
    size_t n = 0;
    for (size_t v = 0; v < it->x->n_rows; v++) {
        if (results[v].status == SERIES_NONFINITE)
            continue;
        n++;
        objective += results[v].objective;
        gap += results[v].relative_gap;
        worst = fmax(worst, results[v].relative_gap);
    }
    char texts[3][G_ASCII_DTOSTR_BUF_SIZE];
    double count = (double) MAX(n, 1);
    g_string_append_printf(table, "%zu\t%s\t%s\t%s\t%zu\n", depth,
                           g_ascii_dtostr(texts[0], sizeof texts[0], objective / count),
                           g_ascii_dtostr(texts[1], sizeof texts[1], gap / count),
                           g_ascii_dtostr(texts[2], sizeof texts[2], worst), n_rejected);
}

// A row for each number of layers: a network that was trained stage by stage has parameters of its
// own for every depth, and they are the ones that --layers takes.
static bool write_trace(const struct application *it, GError **error)
{
    size_t n = it->x->n_rows;
    g_autofree double *u = g_new(double, n * it->op->n_in);
    g_autofree struct series_result *results = g_new0(struct series_result, n);
    g_autofree atomic_size_t *n_rejected = g_new0(atomic_size_t, it->use.depth + 1);
    g_autoptr(GString) table = g_string_new("layer\tobjective_mean\tgap_mean\tgap_max\trejected\n");
    for (size_t depth = 0; depth <= it->use.depth; depth++) {
        struct network_use use = {
            .depth = depth, .safeguard = it->use.safeguard, .n_rejected = n_rejected};
        g_autoptr(owned_solver) solver = network_solver_new(it->network, &use, &it->options);
        struct sweep sweep = {it, solver, u, results};
        size_t last = depth > 0 ? depth - 1 : 0;
        atomic_store(&n_rejected[last], 0);
        if (!sweep_all(&sweep, error))
            return false;
        append_row(table, it, depth, results, atomic_load(&n_rejected[last]));
    }
    return publish_bytes(it->given.trace, table->str, table->len, it->app->host.force, error);
}

static bool execute(struct application *it, GError **error)
{
    size_t n = it->x->n_rows;
    const struct array outputs = {
        .n_rows = n, .n_columns = it->op->n_in, .values = it->u, .names = it->x->names};
    gint64 begin_us = g_get_monotonic_time();
    struct sweep sweep = {it, it->solver, it->u, it->results};
    if (!sweep_all(&sweep, error))
        return false;
    it->seconds = 1e-6 * (double) (g_get_monotonic_time() - begin_us);
    return (it->given.trace == NULL || write_trace(it, error)) &&
           array_write_series(it->given.output, &outputs, it->app->host.force, error);
}

static JsonObject *to_json(const struct application *it, const struct outcome *outcome)
{
    const unsigned all = SPREAD_MIN | SPREAD_MEDIAN | SPREAD_MAX;
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "command", "apply");
    json_object_set_string_member(object, "version", TAUT_VERSION);
    json_object_set_string_member(object, "network", it->network->kind->network);
    json_object_set_string_member(object, "variant", it->network->kind->variant);
    json_object_set_int_member(object, "layers", (gint64) it->use.depth);
    json_object_set_boolean_member(object, "safeguard", it->use.safeguard);
    json_object_set_int_member(object, "n_series", (gint64) it->x->n_rows);
    json_object_set_int_member(object, "n_observed", (gint64) it->op->n_out);
    json_object_set_int_member(object, "n_unknown", (gint64) it->op->n_in);
    json_object_set_object_member(object, "lambda", spread_json(&outcome->lambda, all));
    json_object_set_object_member(object, "lambda_max", spread_json(&outcome->lambda_max, all));
    json_object_set_int_member(object, "solved_exactly", (gint64) atomic_load(&it->n_finished));
    JsonObject *objective = json_object_new();
    json_object_set_double_member(objective, "mean", outcome->objective_mean);
    json_object_set_object_member(object, "objective", objective);
    json_object_set_object_member(object, "relative_gap",
                                  spread_json(&outcome->relative_gap, SPREAD_MEDIAN | SPREAD_MAX));
    json_object_set_object_member(object, "status", outcome_status_json(outcome));
    JsonObject *seconds = json_object_new();
    json_object_set_double_member(seconds, "solve", it->seconds);
    json_object_set_object_member(object, "seconds", seconds);
    return object;
}

static bool run(struct application *it, GError **error)
{
    if (!check_outputs(it, error) || !plan(it, error))
        return false;
    log_accept(it->app->log);
    if (!execute(it, error))
        return false;
    struct outcome outcome = outcome_of(it->results, it->x->n_rows);
    if (it->app->json) {
        app_print_json(to_json(it, &outcome));
        return true;
    }
    app_tell("%s: %zu series, %zu layers of %s %s, relative gap %.2g in the median, %.2g at most, "
             "%.3g s\n",
             it->given.output, it->x->n_rows, it->use.depth, it->network->kind->network,
             it->network->kind->variant, outcome.relative_gap.median, outcome.relative_gap.max,
             it->seconds);
    return true;
}

bool cmd_apply(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    g_auto(owned_application) it = {.app = app};
    g_autoptr(owned_options) options =
        app_options(app, self, &apply_options, &it.given, argc, argv, error);
    return options != NULL && run(&it, error);
}
