// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/inputs/response.h"
#include "app/pipelines/solve/solve.h"
#include "app/pipelines/solve/solve_path.h"
#include "deconv/nearest.h"
#include "io/publish.h"

#include <stdio.h>
#include <string.h>

static bool refuse(GError **error, const char *what)
{
    g_set_error_literal(error, APP_ERROR, APP_ERROR_USAGE, what);
    return false;
}

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
    const char *response = solve->settings->text[SETTING_HRF];
    if (solve->kind == PROBLEM_LASSO && (response != NULL || solve->options.matrix == NULL))
        return refuse(error, "solve lasso: expected --operator D.npy");
    if (response != NULL && solve->options.matrix != NULL)
        return refuse(error, "solve: expected --hrf or --operator, found both");
    if (response != NULL && !response_is_file(response) &&
        solve->settings->text[SETTING_TR] == NULL)
        return refuse(error, "solve tv: expected --tr S, to sample the model of --hrf");
    return true;
}

static bool check_path(struct solve *solve, GError **error)
{
    struct solve_options *options = &solve->options;
    if (options->path == NULL)
        return true;
    const char *homotopy = solve->kind == PROBLEM_TV ? "homotopy" : "lars";
    if (options->method != NULL && strcmp(options->method, homotopy) != 0)
        return refuse(error, "--path: expected --solver homotopy (tv) or lars (lasso), or none");
    if (options->lambda_ratio == NULL)
        return refuse(error, "--path: expected --lambda-ratio, the least of the ratios");
    if (options->trace != NULL || options->start != NULL)
        return refuse(error, "--path: expected neither --trace nor --start");
    if (options->method == NULL)
        options->method = g_strdup(homotopy);
    return true;
}

static bool check_options(struct solve *solve, GError **error)
{
    struct solve_options *options = &solve->options;
    int n_lambdas = (options->lambda != NULL) + (options->lambda_ratio != NULL) +
                    (options->lambdas != NULL) + (options->lambda_rule != NULL);
    if (options->data == NULL || options->output == NULL)
        return refuse(error, "solve: expected --data X.npy and -o U.npy");
    if (n_lambdas != 1)
        return refuse(error, "solve: expected one of --lambda-ratio, --lambda, --lambdas and "
                             "--lambda-rule");
    if (options->lambda_rule != NULL && solve->kind != PROBLEM_TV)
        return refuse(error, "--lambda-rule: expected a problem of tv");
    if (!g_str_has_suffix(options->output, ".npy"))
        return refuse(error, "-o: expected a name that ends with .npy");
    if (!check_path(solve, error))
        return false;
    if (options->method == NULL)
        options->method = g_strdup("exact");
    return check_operator(solve, error) && check_method(solve, error) &&
           host_check_output(solve->host, options->output, false, error) &&
           (options->trace == NULL || host_check_output(solve->host, options->trace, false, error));
}

static bool write_outputs(const struct solve *solve, GError **error)
{
    const struct solve_options *options = &solve->options;
    const size_t plain[] = {solve->x->n_rows, solve->op->n_in};
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
    return array_write_npy(options->output, solve->u, plain, G_N_ELEMENTS(plain),
                           solve->host->force, error);
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
    printf("%s: %zu series, %zu observed, %zu unknown, by %s\n", solve->options.output,
           solve->x->n_rows, solve->op->n_out, solve->op->n_in, solve->options.method);
    printf("  solved %zu, constant %zu, nonfinite %zu, inaccurate %zu; largest relative gap %.2g\n",
           outcome->counts[SERIES_SOLVED], outcome->counts[SERIES_CONSTANT],
           outcome->counts[SERIES_NONFINITE], outcome->counts[SERIES_INACCURATE],
           outcome->relative_gap.max);
    printf("  objective %.10g in the mean; %g iterations in the median; solved in %.3g s\n",
           outcome->objective_mean, outcome->iterations.median, solve->solve_seconds);
}

static bool run(struct app *app, struct solve *solve, GError **error)
{
    gint64 begin_us = g_get_monotonic_time();
    if (!check_options(solve, error) || !solve_plan(solve, error))
        return false;
    log_accept(app->log);
    if (!solve_execute(solve, error) || !write_outputs(solve, error))
        return false;
    if (settings_flag(solve->settings, SETTING_STRICT) &&
        solve->outcome.counts[SERIES_INACCURATE] > 0)
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
    struct solve_options *given = &solve.options;
    const GOptionEntry own[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &given->output, "Array of solutions, float64",
         "U.npy"},
        {"data", 0, 0, G_OPTION_ARG_FILENAME, &given->data,
         "Array of series (rows): .npy, .csv, .tsv or .txt", "X.npy"},
        {"hrf", 0, 0, G_OPTION_ARG_FILENAME, &given->response,
         "TV: the operator is the convolution with this response, a model or a file", "NAME|FILE"},
        {"operator", 0, 0, G_OPTION_ARG_FILENAME, &given->matrix,
         "Matrix of the operator, observed x unknown", "A.npy"},
        {"lambda-ratio", 0, 0, G_OPTION_ARG_STRING, &given->lambda_ratio,
         "lambda as a fraction of each series' lambda_max", "R"},
        {"lambda", 0, 0, G_OPTION_ARG_STRING, &given->lambda, "lambda itself", "V"},
        {"lambdas", 0, 0, G_OPTION_ARG_FILENAME, &given->lambdas, "lambda of each series", "FILE"},
        {"lambda-rule", 0, 0, G_OPTION_ARG_STRING, &given->lambda_rule,
         "TV: lambda of each series by aic, bic, lut, mad or ut", "RULE"},
        {"path", 0, 0, G_OPTION_ARG_STRING, &given->path,
         "Solutions at K ratios from 1 to that of --lambda-ratio, by homotopy", "K"},
        {"solver", 0, 0, G_OPTION_ARG_STRING, &given->method, "Method (default: exact)", "NAME"},
        {"start", 0, 0, G_OPTION_ARG_FILENAME, &given->start,
         "Where iterations begin (default: const)", "const|zero|pinv|FILE"},
        {"trace", 0, 0, G_OPTION_ARG_FILENAME, &given->trace,
         "Table of objective and gap, iteration by iteration", "T.tsv"},
        {0}};
    g_autoptr(owned_settings_options) options = settings_options_new(SETTING_IN_SOLVE, own);
    if (!app_parse(app, self, options->entries, &argc, &argv, error) ||
        !app_expect_arguments(self, argc, argv, 1, 1, error))
        return false;
    if (strcmp(argv[1], "tv") != 0 && strcmp(argv[1], "lasso") != 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "solve: expected tv or lasso, found \"%s\"",
                    argv[1]);
        return false;
    }
    solve.kind = strcmp(argv[1], "tv") == 0 ? PROBLEM_TV : PROBLEM_LASSO;
    g_autoptr(owned_settings) settings = settings_new();
    settings_put(settings, SETTING_HRF, NULL, NULL); // none: the operator is the identity
    if (given->response != NULL)
        settings_give(settings, SETTING_HRF, given->response);
    settings_take_options(settings, options);
    solve.settings = settings;
    return settings_end(settings, NULL, error) && run(app, &solve, error);
}
