// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/bench_prox.h"
#include "app/bench/bench_report.h"
#include "app/bench/bench_sources.h"
#include "app/command.h"
#include "app/pipelines/inputs/response.h"
#include "app/simulate/simulate.h"
#include "deconv/hrf_conv.h"
#include "io/array.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/** What the options say, for all kinds of benchmark. */
struct choices {
    char *data;    // owned, as all strings
    char *op;      // file of a dense operator
    char *hrf;     //
    char *conv;    //
    char *law;     // of simulated data
    char *solvers; // "a,b,c"
    char *compare; //
    char *output;  // folder of the figure
    double tr_s;
    double lambda;
    gint64 n_series;
    gint64 n_observed;
    gint64 n_unknown;
    gint64 n_rounds;
    gint64 max_iter;
    gint64 seed;
    double budget_s;
    struct sources_options leadfield; // of sources
};
typedef struct choices owned_choices;

static void choices_clear(struct choices *choices)
{
    g_free(choices->data);
    g_free(choices->op);
    g_free(choices->hrf);
    g_free(choices->conv);
    g_free(choices->law);
    g_free(choices->solvers);
    g_free(choices->compare);
    g_free(choices->output);
    sources_options_clear(&choices->leadfield);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_choices, choices_clear)

/** Series and the problem that they are solved for. */
struct bench_data {
    size_t n_series;
    size_t n_observed;
    double *x;               // owned; row-major
    linop *op;               // owned
    struct problem *problem; // owned
};
typedef struct bench_data owned_bench_data;

static void bench_data_clear(struct bench_data *data)
{
    problem_free(data->problem);
    linop_free(data->op);
    g_free(data->x);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_bench_data, bench_data_clear)

static linop *dense_from_rows(const double *rows, size_t n_rows, size_t n_columns)
{
    g_autofree double *columns = g_malloc_n(n_rows * n_columns, sizeof(double));
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < n_columns; j++)
            columns[j * n_rows + i] = rows[i * n_columns + j];
    return linop_new_dense(columns, n_rows, n_columns);
}

static bool load_series(const struct choices *choices, const struct io_context *io,
                        struct bench_data *data, GError **error)
{
    g_autoptr(owned_array) array = array_read(choices->data, io, error);
    if (array == NULL)
        return false;
    data->n_series =
        choices->n_series > 0 ? MIN(array->n_rows, (size_t) choices->n_series) : array->n_rows;
    data->n_observed = array->n_columns;
    data->x = g_memdup2(array->values, data->n_series * array->n_columns * sizeof(double));
    return true;
}

static linop *load_operator(const struct choices *choices, size_t n_observed,
                            const struct io_context *io, GError **error)
{
    if (choices->op != NULL) {
        g_autoptr(owned_array) array = array_read(choices->op, io, error);
        if (array == NULL)
            return NULL;
        if (array->n_rows == n_observed)
            return dense_from_rows(array->values, array->n_rows, array->n_columns);
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: rows: expected %zu, the samples of a series, found %zu", choices->op,
                    n_observed, array->n_rows);
        return NULL;
    }
    if (choices->hrf == NULL)
        return linop_new_identity(n_observed);
    g_autoptr(owned_hrf) hrf = response_load(choices->hrf, choices->tr_s, io, error);
    if (hrf == NULL)
        return NULL;
    bool full = g_strcmp0(choices->conv, "full") == 0;
    return hrf_conv_new(hrf->h, hrf->n, n_observed, full ? HRF_CONV_FULL : HRF_CONV_CAUSAL,
                        HRF_CONV_AUTO, error);
}

// Where a word stands among those known, or how many there are.
static size_t find_word(const char *word, const char *const *known)
{
    size_t index = 0;
    while (known[index] != NULL && strcmp(word, known[index]) != 0)
        index++;
    return index;
}

// The operator of simulated series, from what they were drawn with.
static linop *operator_of(const struct simulation *made)
{
    if (made->op != NULL)
        return dense_from_rows(made->op, made->n_observed, made->n_unknown);
    bool full = made->n_unknown < made->n_observed;
    return hrf_conv_new(made->h, made->n_h, made->n_observed,
                        full ? HRF_CONV_FULL : HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
}

static struct simulation *draw_tv(const struct choices *choices, GError **error)
{
    struct simulate_tv law = simulate_tv_default();
    if (choices->law != NULL)
        law.law = (enum simulate_tv_law) find_word(choices->law, simulate_tv_laws);
    if (law.law == SIMULATE_TV_N_LAWS) {
        app_refuse(error, "--law: expected blocks|jumps|dense, found \"%s\"", choices->law);
        return NULL;
    }
    law.n_series = choices->n_series > 0 ? (size_t) choices->n_series : 160;
    law.n_observed = choices->n_observed > 0 ? (size_t) choices->n_observed : law.n_observed;
    law.n_unknown = choices->n_unknown > 0 ? (size_t) choices->n_unknown : law.n_unknown;
    law.hrf = choices->hrf != NULL ? choices->hrf : "spm:length=20";
    law.tr_s = choices->tr_s;
    law.snr_db = law.law == SIMULATE_TV_BLOCKS ? NAN : 5.0;
    law.seed = (uint64_t) choices->seed;
    return simulate_tv(&law, error);
}

static struct simulation *draw_lasso(const struct choices *choices, GError **error)
{
    struct simulate_lasso law = simulate_lasso_default();
    if (choices->law != NULL)
        law.law = (enum simulate_lasso_law) find_word(choices->law, simulate_lasso_laws);
    if (law.law == SIMULATE_LASSO_N_LAWS) {
        app_refuse(error, "--law: expected coding|noise|leadfield, found \"%s\"", choices->law);
        return NULL;
    }
    bool leadfield = law.law == SIMULATE_LASSO_LEADFIELD;
    law.n_series = choices->n_series > 0 ? (size_t) choices->n_series : leadfield ? 5 : 160;
    law.n_observed = choices->n_observed > 0 ? (size_t) choices->n_observed : leadfield ? 360 : 64;
    law.n_unknown = choices->n_unknown > 0 ? (size_t) choices->n_unknown : leadfield ? 8047 : 256;
    law.seed = (uint64_t) choices->seed;
    return simulate_lasso(&law);
}

static bool make_data(const struct choices *choices, enum problem_kind kind,
                      const struct io_context *io, struct bench_data *data, GError **error)
{
    if (choices->data != NULL) {
        if (!load_series(choices, io, data, error))
            return false;
        data->op = load_operator(choices, data->n_observed, io, error);
    } else if (choices->op != NULL) {
        return app_refuse(error, "bench: --operator: expected --data with it");
    } else {
        g_autoptr(owned_simulation) made =
            kind == PROBLEM_TV ? draw_tv(choices, error) : draw_lasso(choices, error);
        if (made == NULL)
            return false;
        data->n_series = made->n_series;
        data->n_observed = made->n_observed;
        data->x = g_steal_pointer(&made->x);
        data->op = operator_of(made);
    }
    if (data->op == NULL)
        return false;
    data->problem = kind == PROBLEM_TV ? problem_new_tv(data->op) : problem_new_lasso(data->op);
    return true;
}

// The methods asked for, or all of that kind.
static char **choose_solvers(const struct choices *choices, enum problem_kind kind, GError **error)
{
    g_autofree char *all = methods_names(kind);
    g_auto(GStrv) names =
        choices->solvers != NULL ? g_strsplit(choices->solvers, ",", -1) : g_strsplit(all, "|", -1);
    for (char **name = names; *name != NULL; name++) {
        if (methods_find(kind, *name) != NULL)
            continue;
        app_refuse(error, "--solvers: expected names among %s, found \"%s\"", all, *name);
        return NULL;
    }
    return g_steal_pointer(&names);
}

// What the others are compared with: --compare, else the exact method where it is there.
static bool find_reference(const struct choices *choices, const struct bench *bench,
                           const struct bench_row **reference, GError **error)
{
    const char *wanted = choices->compare != NULL ? choices->compare : "exact";
    *reference = NULL;
    for (size_t i = 0; i < bench->n_rows; i++)
        if (strcmp(bench->rows[i].method->name, wanted) == 0 && bench->rows[i].solver != NULL)
            *reference = &bench->rows[i];
    if (*reference != NULL || choices->compare == NULL)
        return true;
    return app_refuse(error, "--compare: expected a solver that takes part, found \"%s\"", wanted);
}

static bool go_on(void *data, double fraction)
{
    const struct app *app = data;
    log_progress(app->log, fraction);
    return !host_stopped(&app->host, NULL);
}

static bool bench_solvers(struct app *app, const struct choices *choices, const char *name,
                          enum problem_kind kind, GError **error)
{
    g_auto(owned_bench_data) data = {0};
    g_auto(GStrv) names = choose_solvers(choices, kind, error);
    if (names == NULL || !make_data(choices, kind, &app->host.io, &data, error))
        return false;
    const struct bench_options options = {.lambda_ratio = choices->lambda,
                                          .n_rounds = (size_t) choices->n_rounds,
                                          .max_iter = (size_t) choices->max_iter,
                                          .budget_s = choices->budget_s};
    g_autoptr(owned_bench) bench =
        bench_new(data.problem, data.x, data.n_series, (const char *const *) names, &options);
    const struct bench_row *reference = NULL;
    if (!find_reference(choices, bench, &reference, error))
        return false;
    log_accept(app->log);
    log_progress_begin(app->log, "bench");
    bool done = bench_run(bench, go_on, app);
    log_progress_end(app->log);
    if (!done)
        return !host_stopped(&app->host, error);
    g_autofree char *figure = g_strconcat("bench_", name, NULL);
    if (choices->output != NULL && !bench_draw(&app->host, bench, choices->output, figure, error))
        return false;
    if (!app->json) {
        bench_print(bench, reference);
        return true;
    }
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "command", "bench");
    json_object_set_string_member(object, "problem", name);
    json_object_set_int_member(object, "n_series", (gint64) bench->n_series);
    json_object_set_int_member(object, "n_observed", (gint64) bench->problem->op->n_out);
    json_object_set_int_member(object, "n_unknown", (gint64) bench->problem->op->n_in);
    json_object_set_double_member(object, "lambda_ratio", choices->lambda);
    bench_set_json(object, bench, reference);
    app_print_json(object);
    return true;
}

static bool bench_tv(struct app *app, struct choices *choices, GError **error)
{
    return bench_solvers(app, choices, "tv", PROBLEM_TV, error);
}

static bool bench_lasso(struct app *app, struct choices *choices, GError **error)
{
    return bench_solvers(app, choices, "lasso", PROBLEM_LASSO, error);
}

// The others take minutes a sample on a leadfield.
static const char sources_solvers[] = "cd,exact,fista";

static void print_sources(struct app *app, const struct sources *sources, struct bench *bench,
                          const struct bench_row *reference, size_t n_samples, JsonObject **object)
{
    if (!app->json) {
        bench_print(bench, reference);
        return;
    }
    *object = json_object_new();
    json_object_set_string_member(*object, "command", "bench");
    json_object_set_string_member(*object, "problem", "sources");
    json_object_set_int_member(*object, "n_series", (gint64) n_samples);
    json_object_set_int_member(*object, "n_observed", (gint64) sources->leadfield->n_sensors);
    json_object_set_int_member(*object, "n_unknown", (gint64) sources->leadfield->n_positions);
    json_object_set_double_member(*object, "lambda_ratio", sources->lambda);
    bench_set_json(*object, bench, reference);
}

// Data, network and problem are those of sources; all of it is timed on the calling thread.
static bool race_sources(struct app *app, const struct choices *choices, struct sources *sources,
                         const struct array *samples, GError **error)
{
    const struct leadfield *leadfield = sources->leadfield;
    g_autoptr(linop) op =
        linop_new_dense(leadfield->gain, leadfield->n_sensors, leadfield->n_positions);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    g_auto(GStrv) names = choose_solvers(choices, PROBLEM_LASSO, error);
    if (names == NULL)
        return false;
    const struct bench_options options = {.lambda_ratio = sources->lambda,
                                          .n_rounds = (size_t) choices->n_rounds,
                                          .max_iter = (size_t) choices->max_iter,
                                          .budget_s = choices->budget_s};
    g_autoptr(owned_solver) network =
        sources->network_file == NULL ? NULL : bench_sources_network(sources);
    g_autoptr(owned_bench) bench =
        bench_new(problem, samples->values, samples->n_rows, (const char *const *) names, &options);
    if (network != NULL)
        bench_add(bench, &bench_network_method, network);
    const struct bench_row *reference = NULL;
    if (!find_reference(choices, bench, &reference, error))
        return false;
    log_accept(app->log);
    log_progress_begin(app->log, "bench");
    bool done = bench_run(bench, go_on, app);
    log_progress_end(app->log);
    if (!done)
        return !host_stopped(&app->host, error);
    struct bench_mixed_norm window =
        bench_sources_mixed_norm(leadfield, samples, sources->lambda, options.n_rounds);
    JsonObject *object = NULL;
    print_sources(app, sources, bench, reference, samples->n_rows, &object);
    bench_sources_report(sources, bench, reference, &window, object);
    if (object != NULL)
        app_print_json(object);
    return choices->output == NULL ||
           bench_draw(&app->host, bench, choices->output, "bench_sources", error);
}

static bool bench_sources(struct app *app, struct choices *choices, GError **error)
{
    struct sources_options *leadfield = &choices->leadfield;
    bool files = leadfield->forward != NULL;
    if (files != (leadfield->noise_cov != NULL) || files != (choices->data != NULL))
        return app_refuse(error,
                          "bench: sources: expected --forward, --noise-cov and --data, or none");
    if (g_strcmp0(leadfield->noise_cov, "baseline") == 0)
        return app_refuse(error, "--noise-cov: expected a file, found \"baseline\"");
    leadfield->recording = g_strdup(choices->data);
    if (choices->solvers == NULL)
        choices->solvers = g_strdup(sources_solvers);
    g_auto(owned_sources) sources = {.host = &app->host};
    g_autoptr(owned_array) samples = bench_sources_data(
        &sources, leadfield, choices->n_series > 0 ? (size_t) choices->n_series : 10,
        (uint64_t) choices->seed, error);
    return samples != NULL && race_sources(app, choices, &sources, samples, error);
}

static void print_prox_row(G_GNUC_UNUSED void *data, const struct bench_prox_row *row)
{
    printf("%-10s %8zu %8g %10.1f %10.1f\n", row->signal, row->n, row->mu, row->ns, row->ns_hulls);
}

static void add_prox_row(void *data, const struct bench_prox_row *row)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "signal", row->signal);
    json_object_set_int_member(object, "n", (gint64) row->n);
    json_object_set_double_member(object, "mu", row->mu);
    json_object_set_double_member(object, "ns_per_sample", row->ns);
    json_object_set_double_member(object, "ns_per_sample_hulls", row->ns_hulls);
    json_array_add_object_element(data, object);
}

static bool bench_prox_of(struct app *app, struct choices *choices, GError **error)
{
    g_autoptr(owned_array) data = NULL;
    if (choices->data != NULL && (data = array_read(choices->data, &app->host.io, error)) == NULL)
        return false;
    log_accept(app->log);
    size_t n_rounds = (size_t) choices->n_rounds;
    g_autoptr(JsonArray) all = json_array_new();
    const struct bench_prox_rows rows = {app->json ? add_prox_row : print_prox_row, all};
    if (!app->json)
        printf("CPU nanoseconds a sample, one thread, median of %zu rounds\n\n%-10s %8s %8s %10s "
               "%10s\n",
               n_rounds, "signal", "samples", "mu", "in use", "hulls");
    if (!bench_prox(&app->host, data, (uint64_t) choices->seed, n_rounds, &rows, error))
        return false;
    if (!app->json)
        return true;
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "command", "bench");
    json_object_set_string_member(object, "problem", "prox");
    json_object_set_array_member(object, "rows", g_steal_pointer(&all));
    app_print_json(object);
    return true;
}

static const struct kind {
    const char *name;
    bool (*run)(struct app *app, struct choices *choices, GError **error);
} kinds[] = {
    {"lasso", bench_lasso}, {"prox", bench_prox_of}, {"sources", bench_sources}, {"tv", bench_tv}};

static bool check_choices(const struct choices *choices, GError **error)
{
    const struct {
        const char *option;
        double value, low, high;
    } numbers[] = {
        {"--budget", choices->budget_s, 1e-3, 1e6},
        {"--lambda-ratio", choices->lambda, 1e-9, 1.0},
        {"--max-iter", (double) choices->max_iter, 1.0, 1e9},
        {"--observed", (double) choices->n_observed, 0.0, 1e6},
        {"--rounds", (double) choices->n_rounds, 1.0, 1e4},
        {"--seed", (double) choices->seed, 0.0, 9e15},
        {"--series", (double) choices->n_series, 0.0, 1e7},
        {"--tr", choices->tr_s, 1e-3, 20.0},
        {"--unknown", (double) choices->n_unknown, 0.0, 1e6},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (!(numbers[i].value >= numbers[i].low && numbers[i].value <= numbers[i].high))
            return app_refuse(error, "%s: expected a number in %g..%g, found %g", numbers[i].option,
                              numbers[i].low, numbers[i].high, numbers[i].value);
    if (choices->conv == NULL || strcmp(choices->conv, "causal") == 0 ||
        strcmp(choices->conv, "full") == 0)
        return true;
    return app_refuse(error, "--conv: expected causal|full, found \"%s\"", choices->conv);
}

bool cmd_bench(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    g_auto(owned_choices)
        choices = {.tr_s = 0.735,
                   .lambda = NAN,
                   .n_rounds = 5,
                   .max_iter = 10000,
                   .budget_s = 1.0,
                   .leadfield = {.tmin_s = NAN, .tmax_s = NAN, .depth = 0.8, .certify = NAN}};
    const GOptionEntry options[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &choices.output,
         "Also draw the gap against time: table, script and figure", "DIR"},
        {"budget", 0, 0, G_OPTION_ARG_DOUBLE, &choices.budget_s,
         "CPU seconds of a solver on a target at most (1)", "S"},
        {"compare", 0, 0, G_OPTION_ARG_STRING, &choices.compare,
         "Print ratios to this solver (exact)", "NAME"},
        {"conv", 0, 0, G_OPTION_ARG_STRING, &choices.conv, "causal|full (causal)", "KIND"},
        {"data", 0, 0, G_OPTION_ARG_FILENAME, &choices.data, "Series in rows (drawn)", "X.npy"},
        {"bads", 0, 0, G_OPTION_ARG_STRING, &choices.leadfield.bads,
         "sources: channels to leave out", "CH,CH"},
        {"baseline", 0, 0, G_OPTION_ARG_STRING, &choices.leadfield.baseline,
         "sources: subtract the mean of that time", "T0:T1"},
        {"condition", 0, 0, G_OPTION_ARG_STRING, &choices.leadfield.condition,
         "sources: average of that name (all)", "NAME"},
        {"forward", 0, 0, G_OPTION_ARG_FILENAME, &choices.leadfield.forward,
         "sources: forward solution; --data is then a recording (simulated)", "FWD.fif"},
        {"network", 0, 0, G_OPTION_ARG_FILENAME, &choices.leadfield.network,
         "sources: a network of `train --forward` takes part", "NET.safetensors"},
        {"noise-cov", 0, 0, G_OPTION_ARG_FILENAME, &choices.leadfield.noise_cov,
         "sources: noise covariance", "COV.fif"},
        {"tmin", 0, 0, G_OPTION_ARG_DOUBLE, &choices.leadfield.tmin_s,
         "sources: beginning of the window", "S"},
        {"tmax", 0, 0, G_OPTION_ARG_DOUBLE, &choices.leadfield.tmax_s, "sources: its end", "S"},
        {"hrf", 0, 0, G_OPTION_ARG_STRING, &choices.hrf, "Response model or file", "NAME|FILE"},
        {"lambda-ratio", 0, 0, G_OPTION_ARG_DOUBLE, &choices.lambda,
         "Of lambda_max (0.1; sources: 0.5, or what --network was trained for)", "R"},
        {"law", 0, 0, G_OPTION_ARG_STRING, &choices.law,
         "tv: blocks|jumps|dense; lasso: coding|noise|leadfield", "NAME"},
        {"max-iter", 0, 0, G_OPTION_ARG_INT64, &choices.max_iter, "Iterations (10000)", "N"},
        {"observed", 0, 0, G_OPTION_ARG_INT64, &choices.n_observed, "Samples of a series", "N"},
        {"operator", 0, 0, G_OPTION_ARG_FILENAME, &choices.op, "Dense operator", "A.npy"},
        {"rounds", 0, 0, G_OPTION_ARG_INT64, &choices.n_rounds, "Rounds (5)", "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &choices.seed, "Seed of drawn data (0)", "N"},
        {"series", 0, 0, G_OPTION_ARG_INT64, &choices.n_series, "Series (160; sources: 10)", "N"},
        {"solvers", 0, 0, G_OPTION_ARG_STRING, &choices.solvers, "Only these", "A,B"},
        {"tr", 0, 0, G_OPTION_ARG_DOUBLE, &choices.tr_s, "Seconds between samples (0.735)", "S"},
        {"unknown", 0, 0, G_OPTION_ARG_INT64, &choices.n_unknown, "Unknowns, drawn dense", "N"},
        {0}};
    if (!app_parse(app, self, options, &argc, &argv, error) ||
        !app_expect_arguments(self, argc, argv, 0, 1, error))
        return false;
    const char *name = argc > 1 ? argv[1] : "tv";
    choices.leadfield.lambda = choices.lambda;
    if (isnan(choices.lambda))
        choices.lambda = strcmp(name, "sources") == 0 ? 0.5 : 0.1;
    if (!check_choices(&choices, error))
        return false;
    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++)
        if (strcmp(name, kinds[k].name) == 0)
            return kinds[k].run(app, &choices, error);
    return app_refuse(error, "bench: expected lasso|prox|sources|tv, found \"%s\"", name);
}
