// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/inputs/operator.h"
#include "app/pipelines/inputs/response.h"
#include "app/pipelines/solve/solve.h"
#include "app/pipelines/solve/solve_path.h"
#include "app/settings/tables.h"
#include "deconv/nearest.h"
#include "io/publish.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool check_method(const struct solve *solve, GError **error)
{
    if (methods_find(solve->kind, solve->options.method) != NULL)
        return true;
    g_autofree char *names = methods_names(solve->kind);
    g_auto(GStrv) words = g_strsplit(names, "|", -1);
    size_t n = g_strv_length(words);
    size_t nearest = nearest_name(solve->options.method, (const char *const *) words, n);
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "--solver: \"%s\" is none of %s%s%s%s",
                solve->options.method, names, nearest < n ? " (did you mean " : "",
                nearest < n ? words[nearest] : "", nearest < n ? "?)" : "");
    return false;
}

static bool check_operator(const struct solve *solve, GError **error)
{
    const struct operator_options *op = &solve->options.op;
    if (solve->kind == PROBLEM_LASSO && op->response == NULL && op->matrix == NULL)
        return app_refuse(error, "solve lasso: expected --operator D.npy or --hrf NAME");
    if (solve->options.positive && solve->kind != PROBLEM_LASSO)
        return app_refuse(error, "--positive: expected a problem of lasso");
    if (solve->options.positive &&
        (solve->options.path != SIZE_MAX || strcmp(solve->options.method, "exact") != 0))
        return app_refuse(error, "--positive: expected --solver exact, and no --path");
    if (op->response != NULL && op->matrix != NULL)
        return app_refuse(error, "solve: expected --hrf or --operator, found both");
    if (op->response != NULL && !response_is_file(op->response) && isnan(op->tr_s))
        return app_refuse(error, "solve: expected --tr S, to sample the model of --hrf");
    return true;
}

static bool check_path(struct solve *solve, GError **error)
{
    struct solve_options *options = &solve->options;
    if (options->path == SIZE_MAX)
        return true;
    const char *homotopy = solve->kind == PROBLEM_TV ? "homotopy" : "lars";
    if (options->method != NULL && strcmp(options->method, homotopy) != 0)
        return app_refuse(error,
                          "--path: expected --solver homotopy (tv) or lars (lasso), or none");
    if (isnan(options->lambda_ratio))
        return app_refuse(error, "--path: expected --lambda-ratio, the least of the ratios");
    if (options->trace != NULL || options->start != NULL)
        return app_refuse(error, "--path: expected neither --trace nor --start");
    if (array_is_table(options->output))
        return app_refuse(error, "--path: expected an output that ends with .npy, of three "
                                 "dimensions");
    if (options->method == NULL)
        options->method = homotopy;
    return true;
}

static bool check_options(struct solve *solve, GError **error)
{
    struct solve_options *options = &solve->options;
    int n_lambdas = !isnan(options->lambda) + !isnan(options->lambda_ratio) +
                    (options->lambdas != NULL) + (options->rule >= 0);
    if (n_lambdas != 1)
        return app_refuse(error, "solve: expected one of --lambda-ratio, --lambda, --lambdas and "
                                 "--lambda-rule");
    if (options->rule >= 0 && solve->kind != PROBLEM_TV)
        return app_refuse(error, "--lambda-rule: expected a problem of tv");
    if (!check_path(solve, error))
        return false;
    if (options->method == NULL)
        options->method = "exact";
    if (options->start == NULL)
        options->start = "const";
    return check_operator(solve, error) && check_method(solve, error) &&
           host_check_output(solve->host, options->output, false, error) &&
           (options->trace == NULL || host_check_output(solve->host, options->trace, false, error));
}

static bool write_outputs(const struct solve *solve, GError **error)
{
    const struct solve_options *options = &solve->options;
    const struct array plain = {.n_rows = solve->x->n_rows,
                                .n_columns = solve->op->n_in,
                                .values = solve->u,
                                .names = solve->x->names};
    const size_t path[] = {solve->x->n_rows, solve->n_path, solve->op->n_in};
    if (solve->trace != NULL) {
        g_autofree char *table =
            trace_table(solve->trace, solve->results, solve->solve_cpu_seconds);
        if (!publish_bytes(options->trace, table, strlen(table), solve->host->force, error))
            return false;
    }
    if (solve->path != NULL)
        return array_write_npy(options->output, solve->u, path, G_N_ELEMENTS(path),
                               solve->host->force, error);
    return array_write_series(options->output, &plain, solve->host->force, error);
}

static JsonArray *numbers(const double *values, size_t n)
{
    JsonArray *array = json_array_sized_new((guint) n);
    for (size_t i = 0; i < n; i++)
        json_array_add_double_element(array, values[i]);
    return array;
}

static void add_path(const struct solve *solve, JsonObject *object)
{
    const struct solve_path *path = solve->path;
    JsonArray *lambdas = json_array_new();
    for (size_t v = 0; v < solve->x->n_rows; v++)
        json_array_add_array_element(lambdas, numbers(path->lambda + v * path->n, path->n));
    json_object_set_array_member(object, "ratios", numbers(path->ratios, path->n));
    json_object_set_array_member(object, "lambdas", lambdas);
}

static JsonObject *to_json(const struct solve *solve, double total_seconds)
{
    const struct outcome *outcome = &solve->outcome;
    const unsigned all = SPREAD_MIN | SPREAD_MEDIAN | SPREAD_MAX;
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "command", "solve");
    json_object_set_string_member(object, "version", TAUT_VERSION);
    json_object_set_string_member(object, "problem", solve->kind == PROBLEM_TV ? "tv" : "lasso");
    json_object_set_string_member(object, "solver", solve->options.method);
    json_object_set_int_member(object, "n_series", (gint64) solve->x->n_rows);
    json_object_set_int_member(object, "n_observed", (gint64) solve->op->n_out);
    json_object_set_int_member(object, "n_unknown", (gint64) solve->op->n_in);
    json_object_set_object_member(object, "lambda", spread_json(&outcome->lambda, all));
    json_object_set_object_member(object, "lambda_max", spread_json(&outcome->lambda_max, all));
    JsonObject *objective = json_object_new();
    json_object_set_double_member(objective, "mean", outcome->objective_mean);
    json_object_set_object_member(object, "objective", objective);
    json_object_set_object_member(object, "relative_gap",
                                  spread_json(&outcome->relative_gap, SPREAD_MEDIAN | SPREAD_MAX));
    json_object_set_object_member(object, "status", outcome_status_json(outcome));
    json_object_set_object_member(object, "iterations",
                                  spread_json(&outcome->iterations, SPREAD_MEDIAN | SPREAD_MAX));
    JsonObject *seconds = json_object_new();
    json_object_set_double_member(seconds, "solve", solve->solve_seconds);
    json_object_set_double_member(seconds, "total", total_seconds);
    json_object_set_object_member(object, "seconds", seconds);
    json_object_set_double_member(object, "solve_cpu_seconds", solve->solve_cpu_seconds);
    if (solve->path != NULL)
        add_path(solve, object);
    return object;
}

static void print_summary(const struct solve *solve)
{
    const struct outcome *outcome = &solve->outcome;
    app_tell("%s: %zu series, %zu observed, %zu unknown, by %s\n", solve->options.output,
             solve->x->n_rows, solve->op->n_out, solve->op->n_in, solve->options.method);
    printf("  solved %zu, constant %zu, nonfinite %zu, inaccurate %zu; largest relative gap %.2g\n",
           outcome->counts[SERIES_SOLVED], outcome->counts[SERIES_CONSTANT],
           outcome->counts[SERIES_NONFINITE], outcome->counts[SERIES_INACCURATE],
           outcome->relative_gap.max);
    printf("  objective %.10g in the mean; %g iterations in the median; solved in %.3g s\n",
           outcome->objective_mean, outcome->iterations.median, solve->solve_seconds);
}

// A response makes a ramp of a constant, so that a mean that is left in becomes an event.
static void warn_of_means(struct app *app, const struct solve *solve)
{
    struct block x = operator_rows(solve->x);
    size_t count = 0;
    for (size_t v = 0; v < x.n_series && solve->options.op.response != NULL; v++)
        count += series_is_off_centre(block_series(&x, v), x.n_time);
    if (count > 0)
        log_warning(
            app->log,
            "%s: %zu of %zu series have a mean above their standard deviation: the edges of "
            "their activity are artefacts (take the mean out first)",
            solve->options.data, count, x.n_series);
}

static bool run(struct app *app, struct solve *solve, GError **error)
{
    gint64 begin_us = g_get_monotonic_time();
    if (!check_options(solve, error) || !solve_plan(solve, error))
        return false;
    warn_of_means(app, solve);
    log_accept(app->log);
    if (!solve_execute(solve, error) || !write_outputs(solve, error))
        return false;
    if (solve->options.strict && solve->outcome.counts[SERIES_INACCURATE] > 0)
        app->outcome = EXIT_STRICT;
    if (app->json)
        app_print_json(to_json(solve, 1e-6 * (double) (g_get_monotonic_time() - begin_us)));
    else
        print_summary(solve);
    return true;
}

bool cmd_solve(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    g_auto(owned_solve) solve = {.host = &app->host};
    g_autoptr(owned_options) options =
        app_options(app, self, &solve_options, &solve.options, argc, argv, error);
    if (options == NULL)
        return false;
    solve.kind = (enum problem_kind) solve.options.kind;
    return run(app, &solve, error);
}
