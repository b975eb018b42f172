// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/outputs/outcome.h"

#include "solvers/median.h"

#include <math.h>

// Reorders the values.
static struct spread spread_of(double *values, size_t n)
{
    if (n == 0)
        return (struct spread){0};
    double least = values[0], most = values[0];
    for (size_t i = 1; i < n; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    return (struct spread){least, median(values, n), most};
}

static double lambda_of(const struct series_result *result)
{
    return result->lambda;
}

static double lambda_max_of(const struct series_result *result)
{
    return result->lambda_max;
}

static double relative_gap_of(const struct series_result *result)
{
    return result->relative_gap;
}

static double jumps_of(const struct series_result *result)
{
    return (double) result->n_jumps;
}

static double iterations_of(const struct series_result *result)
{
    return (double) result->iterations;
}

static bool is_solved(const struct series_result *result)
{
    return result->status == SERIES_SOLVED || result->status == SERIES_INACCURATE;
}

struct outcome outcome_of(const struct series_result *results, size_t n)
{
    struct outcome outcome = {0};
    const struct {
        double (*of)(const struct series_result *result);
        struct spread *spread;
    } numbers[] = {
        {lambda_of, &outcome.lambda},
        {lambda_max_of, &outcome.lambda_max},
        {relative_gap_of, &outcome.relative_gap},
        {jumps_of, &outcome.jumps},
        {iterations_of, &outcome.iterations},
    };
    double objective = 0.0;
    for (size_t v = 0; v < n; v++) {
        outcome.counts[results[v].status]++;
        outcome.n_solved += is_solved(&results[v]);
        objective += is_solved(&results[v]) ? results[v].objective : 0.0;
    }
    outcome.objective_mean = outcome.n_solved == 0 ? 0.0 : objective / (double) outcome.n_solved;
    g_autofree double *values = g_new(double, n);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        size_t count = 0;
        for (size_t v = 0; v < n; v++)
            if (is_solved(&results[v]))
                values[count++] = numbers[i].of(&results[v]);
        *numbers[i].spread = spread_of(values, count);
    }
    return outcome;
}

JsonObject *outcome_status_json(const struct outcome *outcome)
{
    static const enum series_status told[] = {SERIES_SOLVED, SERIES_CONSTANT, SERIES_NONFINITE,
                                              SERIES_INACCURATE, SERIES_SKIPPED};
    JsonObject *object = json_object_new();
    for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
        json_object_set_int_member(object, series_status_name(told[i]),
                                   (gint64) outcome->counts[told[i]]);
    return object;
}

JsonObject *spread_json(const struct spread *spread, unsigned parts)
{
    JsonObject *object = json_object_new();
    if ((parts & SPREAD_MIN) != 0)
        json_object_set_double_member(object, "min", spread->min);
    if ((parts & SPREAD_MEDIAN) != 0)
        json_object_set_double_member(object, "median", spread->median);
    if ((parts & SPREAD_MAX) != 0)
        json_object_set_double_member(object, "max", spread->max);
    return object;
}
