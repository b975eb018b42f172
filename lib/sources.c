// SPDX-License-Identifier: BSD-3-Clause
#include "lib/internal.h"

#include "sources/amplitude_bias.h"
#include "sources/reweighted.h"
#include "sources/time_reduction.h"

#include <math.h>
#include <string.h>

enum { MOST_PASSES = 100000, MOST_ROUNDS = 100 };

static int check_sizes(const taut_sources_input *in, taut_error *error)
{
    if (in->n_orient != 1 && in->n_orient != 3)
        return lib_fail(error, TAUT_BAD_VALUE, "n_orient: expected 1 or 3, found %zu",
                        in->n_orient);
    double most = (double) G_MAXINT;
    if (in->n_sensors < 1 || in->n_positions < 1 || in->n_time < 1 ||
        (double) in->n_sensors > most || (double) in->n_positions > most / 4.0 ||
        (double) in->n_time > most)
        return lib_fail(error, TAUT_BAD_VALUE,
                        "sources: expected 1 sensor, position and sample or more, found %zu, %zu, "
                        "%zu",
                        in->n_sensors, in->n_positions, in->n_time);
    return TAUT_OK;
}

static int check(const taut_sources_input *in, const taut_host *host, double ratio, double tol,
                 taut_error *error)
{
    int code = check_sizes(in, error);
    if (code != TAUT_OK)
        return code;
    size_t n_columns = in->n_positions * in->n_orient;
    code = lib_reserve(host,
                       8.0 * ((double) in->n_sensors + 2.0 * (double) n_columns) *
                           ((double) in->n_time + 16.0),
                       error);
    if (code == TAUT_OK)
        code =
            lib_check_numbers(in->gain, in->n_sensors * n_columns, "gain", -INFINITY, false, error);
    if (code == TAUT_OK)
        code = lib_check_numbers(in->data, in->n_sensors * in->n_time, "data", -INFINITY, false,
                                 error);
    if (code == TAUT_OK)
        code = lib_check_numbers(&ratio, 1, "ratio", 0.0, true, error);
    if (code == TAUT_OK)
        code = lib_check_numbers(&tol, 1, "tol", 0.0, true, error);
    return code;
}

// At `ratio` of alpha_max; in the coordinates of the data's own time courses.
static void solve_l21(const struct mixed_norm *problem, double ratio, double tol,
                      struct source_estimate *reduced, taut_sources_result *result)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    struct mixed_norm_options options = mixed_norm_options_default();
    // The certificate of the expanded estimate adds rounding of its own.
    options.tol = 0.9 * tol;
    options.max_passes = MOST_PASSES;
    result->alpha = ratio * problem->alpha_max;
    mixed_norm_solve(problem, result->alpha, &options, reduced, ws);
}

static void solve_irl21(const struct mixed_norm *problem, double ratio, double tol,
                        struct source_estimate *reduced, taut_sources_result *result)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    struct reweighted_options options = reweighted_options_of(ratio, problem->alpha_max);
    options.tol = MIN(tol, 1e-9);
    options.max_rounds = MOST_ROUNDS;
    struct reweighted_result found = reweighted_solve(problem, &options, reduced, NULL, ws);
    result->alpha = options.first_alpha;
    result->objective = found.objective;
    result->relative_gap = found.first_gap;
    result->converged = found.converged;
}

static void store(struct source_estimate *estimate, taut_sources_result *result)
{
    result->n_active = estimate->n_active;
    result->position = g_steal_pointer(&estimate->position);
    result->x = g_steal_pointer(&estimate->x);
}

static void solve(const struct mixed_norm_input *whole, bool is_reweighted, double ratio,
                  double tol, taut_sources_result *result)
{
    g_autoptr(owned_time_reduction) reduction =
        time_reduction_new(whole->data, whole->n_sensors, whole->n_time);
    struct mixed_norm_input input = *whole;
    input.data = reduction->data;
    input.n_time = reduction->rank;
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&input);
    g_autoptr(owned_source_estimate) reduced = source_estimate_new(input.n_orient, input.n_time);
    g_autoptr(owned_source_estimate) estimate = source_estimate_new(whole->n_orient, whole->n_time);
    result->alpha_max = problem->alpha_max;
    if (is_reweighted)
        solve_irl21(problem, ratio, tol, reduced, result);
    else
        solve_l21(problem, ratio, tol, reduced, result);
    time_reduction_expand(reduction, reduced, estimate);
    if (!is_reweighted) {
        struct mixed_norm_certificate found = mixed_norm_certify(whole, estimate, result->alpha);
        result->objective = found.objective;
        result->relative_gap = found.relative_gap;
        result->converged = found.relative_gap <= tol;
    }
    store(estimate, result);
}

static struct mixed_norm_input window_of(const taut_sources_input *input)
{
    return (struct mixed_norm_input){.gain = input->gain,
                                     .data = input->data,
                                     .n_sensors = input->n_sensors,
                                     .n_positions = input->n_positions,
                                     .n_orient = input->n_orient,
                                     .n_time = input->n_time};
}

int taut_sources(const char *model, const taut_sources_input *input, double ratio, double tol,
                 const taut_host *host, taut_sources_result *result, taut_error *error)
{
    if (lib_require(model, "model", error) != TAUT_OK ||
        lib_require(input, "input", error) != TAUT_OK ||
        lib_require(result, "result", error) != TAUT_OK)
        return TAUT_BAD_VALUE;
    *result = (taut_sources_result){.size = sizeof *result};
    if (strcmp(model, "l21") != 0 && strcmp(model, "irl21") != 0)
        return lib_fail(error, TAUT_BAD_NAME, "model: expected l21 or irl21, found %s", model);
    taut_host runs_on;
    int code = lib_take_host(&runs_on, host, error);
    if (code == TAUT_OK)
        code = check(input, &runs_on, ratio, tol, error);
    if (code == TAUT_OK && lib_asked_to_stop(&runs_on))
        code = lib_fail(error, TAUT_STOPPED, "stopped by the host");
    if (code != TAUT_OK)
        return code;
    struct mixed_norm_input whole = window_of(input);
    solve(&whole, strcmp(model, "irl21") == 0, ratio, tol, result);
    return TAUT_OK;
}

// The estimate of a result, which keeps its arrays.
static struct source_estimate estimate_of(const taut_sources_input *input,
                                          const taut_sources_result *result)
{
    return (struct source_estimate){.n_orient = input->n_orient,
                                    .n_time = input->n_time,
                                    .n_active = result->n_active,
                                    .position = result->position,
                                    .x = result->x};
}

int taut_sources_debias(const taut_sources_input *input, taut_sources_result *result,
                        taut_error *error)
{
    if (lib_require(input, "input", error) != TAUT_OK ||
        lib_require(result, "result", error) != TAUT_OK || check_sizes(input, error) != TAUT_OK)
        return TAUT_BAD_VALUE;
    if (result->n_active > 0 && (result->x == NULL || result->position == NULL))
        return lib_fail(error, TAUT_BAD_VALUE, "result: expected one of taut_sources");
    if (result->bias != NULL)
        return lib_fail(error, TAUT_BAD_VALUE, "result: expected amplitudes not yet scaled up");
    struct mixed_norm_input window = window_of(input);
    struct source_estimate estimate = estimate_of(input, result);
    result->bias = g_new(double, estimate.n_active + 1);
    amplitude_bias(&window, &estimate, result->bias);
    amplitude_bias_apply(&estimate, result->bias);
    return TAUT_OK;
}

void taut_sources_clear(taut_sources_result *result)
{
    if (result == NULL)
        return;
    g_free(result->position);
    g_free(result->x);
    g_free(result->bias);
    result->bias = NULL;
    result->position = NULL;
    result->x = NULL;
    result->n_active = 0;
}
