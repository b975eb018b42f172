// SPDX-License-Identifier: BSD-3-Clause
// A trained network in the place of a solver: it fits the recording that it was trained for, or is
// refused with the reason.
#include "app/pipelines/run/run_plan.h"

#include "app/pipelines/inputs/network_file.h"

#include <math.h>
#include <string.h>

// Headers keep intervals as float32, and responses follow them.
static const double INTERVAL_TOLERANCE = 1e-4;
static const double RESPONSE_TOLERANCE = 1e-5;

G_GNUC_PRINTF(3, 4)
static bool refuse(const struct run_plan *plan, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: %s", plan->options->network, text);
    return false;
}

static bool check_interval(const struct run_plan *plan, const struct params_file *file,
                           GError **error)
{
    double expected_s = file->record.interval_s;
    if (isnan(expected_s) || fabs(expected_s - plan->tr_s) <= INTERVAL_TOLERANCE * expected_s)
        return true;
    return refuse(plan, error, "repetition time: expected %g s as in training, found %g s",
                  expected_s, plan->tr_s);
}

static bool check_sizes(const struct run_plan *plan, const struct params_file *file, GError **error)
{
    const char *expected = file->conv;
    const char *found = plan->options->conv == HRF_CONV_FULL ? "full" : "causal";
    if (expected == NULL || (*expected != '\0' && strcmp(expected, found) != 0))
        return refuse(plan, error, "conv: expected %s as in training, found %s",
                      expected == NULL ? "causal or full" : expected, found);
    if (file->n_observed != plan->n_time)
        return refuse(plan, error, "frames: expected %zu as in training, found %zu",
                      file->n_observed, plan->n_time);
    return true;
}

static bool check_response(const struct run_plan *plan, const struct params_file *file,
                           GError **error)
{
    const struct tensor *expected = params_file_tensor(file, "operator.h");
    const struct filter *found = plan->op->filter;
    if (expected == NULL)
        return refuse(plan, error, "operator: expected a response, found a matrix");
    if (expected->n_rows * expected->n_columns != found->n)
        return refuse(plan, error, "hrf: expected %zu samples as in training, found the %zu of %s",
                      expected->n_rows * expected->n_columns, found->n, plan->options->hrf);
    double largest = 0.0, distance = 0.0;
    for (size_t k = 0; k < found->n; k++) {
        largest = fmax(largest, fabs(expected->values[k]));
        distance = fmax(distance, fabs(expected->values[k] - found->h[k]));
    }
    if (distance <= RESPONSE_TOLERANCE * largest)
        return true;
    return refuse(plan, error,
                  "hrf: expected the response of training, found %s, which is up to %.2g "
                  "of its peak from it",
                  plan->options->hrf, distance / largest);
}

static bool check_preprocessing(const struct run_plan *plan, const struct params_file *file,
                                GError **error)
{
    const char *stated = file->record.preprocessing;
    g_autofree char *mismatch =
        stated == NULL ? NULL : preprocessing_mismatch(stated, &plan->options->words);
    return mismatch == NULL || refuse(plan, error, "%s", mismatch);
}

// Another lambda makes no result wrong, only less accurate.
static void warn_of_lambda(struct run_plan *plan, const struct params_file *file)
{
    const struct training_record *record = &file->record;
    double ratio = plan->options->lambda;
    bool inside = plan->options->rule == LAMBDA_RATIO && ratio >= record->lambda_least &&
                  ratio <= record->lambda_most;
    if (!inside)
        run_plan_warn(plan, "%s: trained for lambda at %s of lambda_max, and used elsewhere",
                      plan->options->network,
                      record->lambda_text == NULL ? "no known fraction" : record->lambda_text);
}

static bool make_solver(struct run_plan *plan, const struct params_file *file,
                        const struct solver_options *options, GError **error)
{
    struct network_use *use = &plan->network.use;
    struct solver_options own = *options;
    own.start = training_record_start(&file->record);
    use->depth = plan->network.network->depth;
    use->safeguard = training_record_is_safeguarded(&file->record);
    plan->network.n_finished = g_new0(atomic_size_t, 1);
    use->n_finished = plan->network.n_finished;
    if (!isnan(plan->options->certify)) {
        struct solver_options given = *options;
        given.start = START_GIVEN;
        plan->network.exact = solver_new_exact(plan->problem, &given, error);
        use->fallback = plan->network.exact;
        use->certify = plan->options->certify;
        if (plan->network.exact == NULL)
            return false;
    }
    plan->solver = network_solver_new(plan->network.network, use, &own);
    return true;
}

bool run_plan_network(struct run_plan *plan, const struct solver_options *options, GError **error)
{
    g_autoptr(owned_params_file) file = network_file_read(plan->options->network, error);
    enum problem_kind kind;
    if (file == NULL || !network_file_problem(file, plan->options->network, &kind, error))
        return false;
    if (kind != PROBLEM_TV)
        return refuse(plan, error, "layer: expected a network for total variation, found %s",
                      file->network);
    if (!check_interval(plan, file, error) || !check_sizes(plan, file, error) ||
        !check_response(plan, file, error) || !check_preprocessing(plan, file, error))
        return false;
    warn_of_lambda(plan, file);
    plan->network.network =
        network_file_network(file, plan->options->network, plan->problem, true, error);
    return plan->network.network != NULL && make_solver(plan, file, options, error);
}

bool run_options_check_network(const struct run_options *options, GError **error)
{
    const char *reason = NULL;
    if (options->network == NULL && !isnan(options->certify))
        reason = "certify: expected a network, found none (--network FILE)";
    else if (options->network != NULL && strcmp(options->solver, "exact") != 0)
        reason = "solver: expected none beside a network";
    if (reason != NULL)
        g_set_error_literal(error, APP_ERROR, APP_ERROR_USAGE, reason);
    return reason == NULL;
}
