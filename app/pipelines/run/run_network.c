// SPDX-License-Identifier: BSD-3-Clause
// A trained network in the place of a solver: it fits the recording that it was trained for, or is
// refused with the reason.
#include "app/pipelines/run/run.h"

#include "app/pipelines/inputs/network_file.h"
#include "app/pipelines/inputs/preprocessing.h"

#include <math.h>
#include <string.h>

// Headers keep intervals as float32, and responses follow them.
static const double INTERVAL_TOLERANCE = 1e-4;
static const double RESPONSE_TOLERANCE = 1e-5;

G_GNUC_PRINTF(3, 4)
static bool refuse(const struct run *run, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: %s", run->network.path, text);
    return false;
}

static bool check_interval(const struct run *run, const struct params_file *file, GError **error)
{
    double expected_s = network_file_number(file, "interval_s");
    if (isnan(expected_s) || fabs(expected_s - run->tr_s) <= INTERVAL_TOLERANCE * expected_s)
        return true;
    return refuse(run, error, "repetition time: expected %g s as in training, found %g s",
                  expected_s, run->tr_s);
}

static bool check_sizes(const struct run *run, const struct params_file *file, GError **error)
{
    const char *expected = params_file_get(file, "conv");
    const char *found = run->settings->text[SETTING_CONV];
    if (expected == NULL || (*expected != '\0' && strcmp(expected, found) != 0))
        return refuse(run, error, "conv: expected %s as in training, found %s",
                      expected == NULL ? "causal or full" : expected, found);
    if (file->n_observed != run->n_time)
        return refuse(run, error, "frames: expected %zu as in training, found %zu",
                      file->n_observed, run->n_time);
    return true;
}

static bool check_response(const struct run *run, const struct params_file *file, GError **error)
{
    const struct tensor *expected = params_file_tensor(file, "operator.h");
    const struct filter *found = run->op->filter;
    if (expected == NULL)
        return refuse(run, error, "operator: expected a response, found a matrix");
    if (expected->n_rows * expected->n_columns != found->n)
        return refuse(run, error, "hrf: expected %zu samples as in training, found the %zu of %s",
                      expected->n_rows * expected->n_columns, found->n,
                      run->settings->text[SETTING_HRF]);
    double largest = 0.0, distance = 0.0;
    for (size_t k = 0; k < found->n; k++) {
        largest = fmax(largest, fabs(expected->values[k]));
        distance = fmax(distance, fabs(expected->values[k] - found->h[k]));
    }
    if (distance <= RESPONSE_TOLERANCE * largest)
        return true;
    return refuse(run, error,
                  "hrf: expected the response of training, found %s, which is up to %.2g "
                  "of its peak from it",
                  run->settings->text[SETTING_HRF], distance / largest);
}

static bool check_preprocessing(const struct run *run, const struct params_file *file,
                                GError **error)
{
    const char *stated = params_file_get(file, "preprocessing");
    g_autofree char *mismatch =
        stated == NULL ? NULL : preprocessing_mismatch(stated, run->settings);
    return mismatch == NULL || refuse(run, error, "%s", mismatch);
}

// Another lambda makes no result wrong, only less accurate.
static void warn_of_lambda(struct run *run, const struct params_file *file)
{
    const char *trained = params_file_get(file, "lambda_ratio");
    g_auto(GStrv) ends = g_strsplit(trained == NULL ? "" : trained, ":", 2);
    guint n = g_strv_length(ends);
    double ratio = settings_number(run->settings, SETTING_LAMBDA);
    bool inside = settings_is(run->settings, SETTING_LAMBDA_RULE, "ratio") && n > 0 &&
                  ratio >= g_ascii_strtod(ends[0], NULL) &&
                  ratio <= g_ascii_strtod(ends[n - 1], NULL);
    if (!inside)
        run_warn(run, "%s: trained for lambda at %s of lambda_max, and used elsewhere",
                 run->network.path, trained == NULL ? "no known fraction" : trained);
}

static bool make_solver(struct run *run, const struct params_file *file,
                        const struct solver_options *options, GError **error)
{
    struct network_use *use = &run->network.use;
    struct solver_options own = *options;
    own.start = network_file_start(file);
    use->depth = run->network.network->depth;
    use->safeguard = g_strcmp0(params_file_get(file, "safeguard"), "off") != 0;
    use->n_finished = &run->network.n_finished;
    if (run->settings->text[SETTING_CERTIFY] != NULL) {
        struct solver_options given = *options;
        given.start = START_GIVEN;
        run->network.exact = solver_new_exact(run->problem, &given, error);
        use->fallback = run->network.exact;
        use->certify = settings_number(run->settings, SETTING_CERTIFY);
        if (run->network.exact == NULL)
            return false;
    }
    run->solver = network_solver_new(run->network.network, use, &own);
    return true;
}

bool run_plan_network(struct run *run, const struct solver_options *options, GError **error)
{
    g_autoptr(owned_params_file) file = network_file_read(run->network.path, error);
    enum problem_kind kind;
    if (file == NULL || !network_file_problem(file, run->network.path, &kind, error))
        return false;
    if (kind != PROBLEM_TV)
        return refuse(run, error, "layer: expected a network for total variation, found %s",
                      file->network);
    if (!check_interval(run, file, error) || !check_sizes(run, file, error) ||
        !check_response(run, file, error) || !check_preprocessing(run, file, error))
        return false;
    warn_of_lambda(run, file);
    run->network.network = network_file_network(file, run->network.path, run->problem, true, error);
    return run->network.network != NULL && make_solver(run, file, options, error);
}

bool run_check_network_settings(const struct run *run, GError **error)
{
    const struct settings *settings = run->settings;
    const char *reason = NULL;
    if (settings->text[SETTING_NETWORK] == NULL && settings->text[SETTING_CERTIFY] != NULL)
        reason = "certify: expected a network, found none (--network FILE)";
    else if (settings->text[SETTING_NETWORK] != NULL &&
             !settings_is(settings, SETTING_SOLVER, "exact"))
        reason = "solver: expected none beside a network";
    if (reason != NULL)
        g_set_error_literal(error, APP_ERROR, APP_ERROR_USAGE, reason);
    return reason == NULL;
}

JsonObject *run_describe_network(const struct run *run)
{
    JsonObject *object = json_object_new();
    const struct network_use *use = &run->network.use;
    g_autofree char *name = g_path_get_basename(run->network.path);
    g_autofree char *text = g_utf8_make_valid(name, -1);
    json_object_set_string_member(object, "file", text);
    json_object_set_string_member(object, "network", run->network.network->kind->network);
    json_object_set_string_member(object, "variant", run->network.network->kind->variant);
    json_object_set_int_member(object, "layers", (gint64) use->depth);
    json_object_set_boolean_member(object, "safeguard", use->safeguard);
    if (use->fallback != NULL)
        json_object_set_double_member(object, "certify", use->certify);
    json_object_set_int_member(object, "solved_exactly",
                               (gint64) atomic_load(&run->network.n_finished));
    return object;
}
