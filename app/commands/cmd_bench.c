// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/bench_prox.h"
#include "app/bench/bench_report.h"
#include "app/bench/bench_sources.h"
#include "app/command.h"
#include "app/settings/bench_options.h"
#include "app/settings/tables.h"
#include "app/simulate/simulate.h"
#include "deconv/hrf_conv.h"
#include "io/array.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static size_t or_else(size_t given, size_t otherwise)
{
    return given == OPTION_NO_COUNT ? otherwise : given;
}

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

static bool load_series(const struct bench_command_options *given, const struct io_context *io,
                        struct bench_data *data, GError **error)
{
    g_autoptr(owned_array) array = array_read_series(given->data, io, error);
    if (array == NULL)
        return false;
    data->n_series = MIN(array->n_rows, given->n_series);
    data->n_observed = array->n_columns;
    data->x = g_memdup2(array->values, data->n_series * array->n_columns * sizeof(double));
    return true;
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

static struct simulation *draw_tv(const struct bench_command_options *given, GError **error)
{
    struct simulate_tv law = simulate_tv_default();
    if (given->law != NULL)
        law.law = (enum simulate_tv_law) find_word(given->law, simulate_tv_laws);
    if (law.law == SIMULATE_TV_N_LAWS) {
        app_refuse(error, "--law: expected blocks|jumps|dense, found \"%s\"", given->law);
        return NULL;
    }
    law.n_series = or_else(given->n_series, 160);
    law.n_observed = or_else(given->n_observed, law.n_observed);
    law.n_unknown = or_else(given->n_unknown, law.n_unknown);
    law.hrf = given->op.response != NULL ? given->op.response : "spm:length=20";
    law.tr_s = given->op.tr_s;
    law.snr_db = law.law == SIMULATE_TV_BLOCKS ? NAN : 5.0;
    law.seed = given->seed;
    return simulate_tv(&law, error);
}

static struct simulation *draw_lasso(const struct bench_command_options *given, GError **error)
{
    struct simulate_lasso law = simulate_lasso_default();
    if (given->law != NULL)
        law.law = (enum simulate_lasso_law) find_word(given->law, simulate_lasso_laws);
    if (law.law == SIMULATE_LASSO_N_LAWS) {
        app_refuse(error, "--law: expected coding|noise|leadfield, found \"%s\"", given->law);
        return NULL;
    }
    bool leadfield = law.law == SIMULATE_LASSO_LEADFIELD;
    law.n_series = or_else(given->n_series, leadfield ? 5 : 160);
    law.n_observed = or_else(given->n_observed, leadfield ? 360 : 64);
    law.n_unknown = or_else(given->n_unknown, leadfield ? 8047 : 256);
    law.seed = given->seed;
    return simulate_lasso(&law);
}

static bool make_data(const struct bench_command_options *given, enum problem_kind kind,
                      const struct io_context *io, struct bench_data *data, GError **error)
{
    if (given->data != NULL) {
        if (!load_series(given, io, data, error))
            return false;
        data->op = operator_new(&given->op, given->data, data->n_observed, io, error);
    } else if (given->op.matrix != NULL) {
        return app_refuse(error, "bench: --operator: expected --data with it");
    } else {
        g_autoptr(owned_simulation) made =
            kind == PROBLEM_TV ? draw_tv(given, error) : draw_lasso(given, error);
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
static char **choose_solvers(const struct bench_command_options *given, enum problem_kind kind,
                             GError **error)
{
    g_autofree char *all = methods_names(kind);
    g_auto(GStrv) names =
        given->solvers != NULL ? g_strdupv(given->solvers) : g_strsplit(all, "|", -1);
    for (char **name = names; *name != NULL; name++) {
        if (methods_find(kind, *name) != NULL)
            continue;
        app_refuse(error, "--solvers: expected names among %s, found \"%s\"", all, *name);
        return NULL;
    }
    return g_steal_pointer(&names);
}

// What the others are compared with: --compare, else the exact method where it is there.
static bool find_reference(const struct bench_command_options *given, const struct bench *bench,
                           const struct bench_row **reference, GError **error)
{
    const char *wanted = given->compare != NULL ? given->compare : "exact";
    *reference = NULL;
    for (size_t i = 0; i < bench->n_rows; i++)
        if (strcmp(bench->rows[i].method->name, wanted) == 0 && bench->rows[i].solver != NULL)
            *reference = &bench->rows[i];
    if (*reference != NULL || given->compare == NULL)
        return true;
    return app_refuse(error, "--compare: expected a solver that takes part, found \"%s\"", wanted);
}

static bool go_on(void *data, double fraction)
{
    const struct app *app = data;
    log_progress(app->log, fraction);
    return !host_stopped(&app->host, NULL);
}

// Runs all that take part; whom they are compared with, NULL: nobody.
static bool race(struct app *app, const struct bench_command_options *given, struct bench *bench,
                 const struct bench_row **reference, GError **error)
{
    if (!find_reference(given, bench, reference, error))
        return false;
    log_accept(app->log);
    log_progress_begin(app->log, "bench");
    bool done = bench_run(bench, go_on, app);
    log_progress_end(app->log);
    return done || !host_stopped(&app->host, error);
}

static bool bench_solvers(struct app *app, const struct bench_command_options *given,
                          const char *name, enum problem_kind kind, GError **error)
{
    g_auto(owned_bench_data) data = {0};
    g_auto(GStrv) names = choose_solvers(given, kind, error);
    if (names == NULL || !make_data(given, kind, &app->host.io, &data, error))
        return false;
    const struct bench_options options = given->race;
    g_autoptr(owned_bench) bench =
        bench_new(data.problem, data.x, data.n_series, (const char *const *) names, &options);
    const struct bench_row *reference = NULL;
    if (!race(app, given, bench, &reference, error))
        return false;
    g_autofree char *figure = g_strconcat("bench_", name, NULL);
    if (given->output != NULL && !bench_draw(&app->host, bench, given->output, figure, error))
        return false;
    if (!app->json) {
        app_print(bench_table(bench, reference));
        return true;
    }
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "command", "bench");
    json_object_set_string_member(object, "problem", name);
    json_object_set_int_member(object, "n_series", (gint64) bench->n_series);
    json_object_set_int_member(object, "n_observed", (gint64) bench->problem->op->n_out);
    json_object_set_int_member(object, "n_unknown", (gint64) bench->problem->op->n_in);
    json_object_set_double_member(object, "lambda_ratio", given->race.lambda_ratio);
    bench_set_json(object, bench, reference);
    app_print_json(object);
    return true;
}

static bool bench_tv(struct app *app, struct bench_command_options *given, GError **error)
{
    return bench_solvers(app, given, "tv", PROBLEM_TV, error);
}

static bool bench_lasso(struct app *app, struct bench_command_options *given, GError **error)
{
    return bench_solvers(app, given, "lasso", PROBLEM_LASSO, error);
}

// The others take minutes a sample on a leadfield.
static const char *const sources_solvers[] = {"cd", "exact", "fista", NULL};

static void print_sources(struct app *app, const struct sources *sources, struct bench *bench,
                          const struct bench_row *reference, size_t n_samples, JsonObject **object)
{
    if (!app->json) {
        app_print(bench_table(bench, reference));
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
static bool race_sources(struct app *app, const struct bench_command_options *given,
                         struct sources *sources, const struct array *samples, GError **error)
{
    const struct leadfield *leadfield = sources->leadfield;
    g_autoptr(linop) op =
        linop_new_dense(leadfield->gain, leadfield->n_sensors, leadfield->n_positions);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    g_auto(GStrv) names = choose_solvers(given, PROBLEM_LASSO, error);
    if (names == NULL)
        return false;
    struct bench_options options = given->race;
    options.lambda_ratio = sources->lambda;
    g_autoptr(owned_solver) network =
        sources->network_file == NULL ? NULL : bench_sources_network(sources);
    g_autoptr(owned_bench) bench =
        bench_new(problem, samples->values, samples->n_rows, (const char *const *) names, &options);
    if (network != NULL)
        bench_add(bench, &bench_network_method, network);
    const struct bench_row *reference = NULL;
    if (!race(app, given, bench, &reference, error))
        return false;
    struct bench_mixed_norm window =
        bench_sources_mixed_norm(leadfield, samples, sources->lambda, options.n_rounds);
    JsonObject *object = NULL;
    print_sources(app, sources, bench, reference, samples->n_rows, &object);
    if (object == NULL) {
        app_print(bench_sources_lines(sources, bench, reference, &window));
    } else {
        bench_sources_set_json(sources, bench, reference, &window, object);
        app_print_json(object);
    }
    return given->output == NULL ||
           bench_draw(&app->host, bench, given->output, "bench_sources", error);
}

static bool bench_sources(struct app *app, struct bench_command_options *given, GError **error)
{
    struct sources_options *leadfield = &given->leadfield;
    bool files = leadfield->forward != NULL;
    if (files != (leadfield->noise_cov != NULL) || files != (given->data != NULL))
        return app_refuse(error,
                          "bench: sources: expected --forward, --noise-cov and --data, or none");
    if (g_strcmp0(leadfield->noise_cov, "baseline") == 0)
        return app_refuse(error, "--noise-cov: expected a file, found \"baseline\"");
    leadfield->recording = given->data;
    if (given->solvers == NULL)
        given->solvers = (char **) sources_solvers;
    g_auto(owned_sources) sources = {.host = &app->host};
    g_autoptr(owned_array) samples =
        bench_sources_data(&sources, leadfield, or_else(given->n_series, 10), given->seed, error);
    return samples != NULL && race_sources(app, given, &sources, samples, error);
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

static bool bench_prox_of(struct app *app, struct bench_command_options *given, GError **error)
{
    g_autoptr(owned_array) data = NULL;
    if (given->data != NULL &&
        (data = array_read_series(given->data, &app->host.io, error)) == NULL)
        return false;
    log_accept(app->log);
    size_t n_rounds = given->race.n_rounds;
    g_autoptr(JsonArray) all = json_array_new();
    const struct bench_prox_rows rows = {app->json ? add_prox_row : print_prox_row, all};
    if (!app->json)
        printf("CPU nanoseconds a sample, one thread, median of %zu rounds\n\n%-10s %8s %8s %10s "
               "%10s\n",
               n_rounds, "signal", "samples", "mu", "in use", "hulls");
    if (!bench_prox(&app->host, data, given->seed, n_rounds, &rows, error))
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

bool cmd_bench(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    static bool (*const kinds[])(struct app * app, struct bench_command_options * given,
                                 GError * *error) = {[BENCH_LASSO] = bench_lasso,
                                                     [BENCH_PROX] = bench_prox_of,
                                                     [BENCH_SOURCES] = bench_sources,
                                                     [BENCH_TV] = bench_tv};
    struct bench_command_options given = {0};
    g_autoptr(owned_options) options =
        app_options(app, self, &bench_command_options, &given, argc, argv, error);
    if (options == NULL)
        return false;
    given.leadfield.lambda = given.race.lambda_ratio;
    given.leadfield.certify = NAN;
    if (isnan(given.race.lambda_ratio))
        given.race.lambda_ratio = given.kind == BENCH_SOURCES ? 0.5 : 0.1;
    return kinds[given.kind](app, &given, error);
}
