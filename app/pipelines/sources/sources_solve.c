// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/sources/sources_network.h"

#include "solvers/median.h"
#include "sources/amplitude_bias.h"
#include "sources/lasso_window.h"
#include "sources/time_reduction.h"

#include <cblas.h>
#include <math.h>

struct mixed_norm_input sources_problem(const struct sources *sources)
{
    return (struct mixed_norm_input){.gain = sources->leadfield->gain,
                                     .data = sources->whitened,
                                     .n_sensors = sources->leadfield->n_sensors,
                                     .n_positions = sources->leadfield->n_positions,
                                     .n_orient = sources->leadfield->n_orient,
                                     .n_time = sources->window.n_time};
}

// The gap of the whole problem, in the window as it was: what the reduction of time does is part of
// what is certified.
static void certify(const struct sources *sources, struct sources_result *result)
{
    struct mixed_norm_input input = sources_problem(sources);
    struct mixed_norm_certificate certificate =
        mixed_norm_certify(&input, result->estimate, result->alpha);
    result->gap[0] = result->gap[1] = certificate.relative_gap;
    result->objective = certificate.objective;
    result->explained = certificate.explained;
    result->converged = certificate.relative_gap <= sources->options->tol;
    result->has_gap = true;
}

static void solve_window(struct sources *sources)
{
    struct sources_result *result = &sources->result;
    struct mixed_norm_input input = sources_problem(sources);
    g_autoptr(owned_time_reduction) reduction =
        time_reduction_new(sources->whitened, input.n_sensors, input.n_time);
    struct mixed_norm_input small = input;
    small.data = reduction->data;
    small.n_time = reduction->rank;
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&small);
    g_autoptr(owned_source_estimate) reduced = source_estimate_new(input.n_orient, reduction->rank);
    g_autoptr(owned_workspace) ws = workspace_new();
    result->estimate = source_estimate_new(input.n_orient, input.n_time);
    result->alpha_max = problem->alpha_max;
    result->alpha = sources->lambda * problem->alpha_max;
    if (result->alpha > 0.0) {
        struct source_model_result found =
            sources->model->solve(problem, sources->lambda, sources->options->tol, reduced, ws);
        result->n_passes = found.n_passes;
        result->objective = found.objective;
        result->converged = found.converged;
        result->gap[0] = result->gap[1] = found.relative_gap;
    }
    time_reduction_expand(reduction, reduced, result->estimate);
    struct sources_result whole = *result;
    certify(sources, &whole);
    if (sources->model->is_mixed_norm)
        *result = whole;
    result->explained = whole.explained;
}

static void summarise_lasso(const struct lasso_window *found, struct sources_result *result)
{
    size_t n_time = found->n_time;
    g_autofree double *gaps = g_new(double, n_time);
    result->converged = true;
    result->has_gap = true;
    for (size_t t = 0; t < n_time; t++) {
        const struct series_result *sample = &found->results[t];
        gaps[t] = sample->relative_gap;
        result->gap[1] = fmax(result->gap[1], gaps[t]);
        result->alpha_max = fmax(result->alpha_max, sample->lambda_max);
        result->alpha = fmax(result->alpha, sample->lambda);
        result->objective += sample->objective;
        result->n_passes += sample->iterations;
        result->converged &= sample->status != SERIES_INACCURATE;
    }
    result->gap[0] = median(gaps, n_time);
}

// The columns that are in use at any sample, with zeros where they are not.
static struct source_estimate *collect(const struct lasso_window *found, size_t n_columns)
{
    size_t n_time = found->n_time;
    g_autofree size_t *row = g_new0(size_t, n_columns);
    for (size_t i = 0; i < found->first[n_time]; i++)
        row[found->index[i]] = 1;
    size_t n_active = 0;
    for (size_t j = 0; j < n_columns; j++)
        n_active += row[j];
    struct source_estimate *estimate = source_estimate_new(1, n_time);
    source_estimate_resize(estimate, n_active);
    size_t at = 0;
    for (size_t j = 0; j < n_columns; j++)
        if (row[j] != 0) {
            estimate->position[at] = j;
            row[j] = at++;
        }
    for (size_t t = 0; t < n_time; t++)
        for (size_t i = found->first[t]; i < found->first[t + 1]; i++)
            source_estimate_rows(estimate, row[found->index[i]])[t] = found->value[i];
    return estimate;
}

// 1 - ||M - G X||^2 / ||M||^2
static double explained_by(const struct sources *sources, const struct source_estimate *estimate)
{
    const struct leadfield *leadfield = sources->leadfield;
    size_t n = leadfield->n_sensors * sources->window.n_time;
    g_autofree double *residual = g_new(double, n);
    source_estimate_residual(estimate, leadfield->gain, sources->whitened, leadfield->n_sensors,
                             residual);
    double all = cblas_ddot((int) n, sources->whitened, 1, sources->whitened, 1);
    return all > 0.0 ? 1.0 - cblas_ddot((int) n, residual, 1, residual, 1) / all : 0.0;
}

static struct lasso_window *solve_exactly(struct sources *sources, GError **error)
{
    struct lasso_window_input input = {.gain = sources->leadfield->gain,
                                       .data = sources->whitened,
                                       .n_sensors = sources->leadfield->n_sensors,
                                       .n_columns = sources->leadfield->n_positions,
                                       .n_time = sources->window.n_time,
                                       .lambda = sources->lambda,
                                       .tol = sources->options->tol};
    struct lasso_window *found = lasso_window_solve(&input, sources->host->team);
    if (found == NULL)
        host_stopped(sources->host, error);
    return found;
}

static bool solve_samples(struct sources *sources, GError **error)
{
    g_autoptr(owned_lasso_window) found = sources->network_file == NULL
                                              ? solve_exactly(sources, error)
                                              : sources_run_network(sources, error);
    if (found == NULL)
        return false;
    summarise_lasso(found, &sources->result);
    sources->result.estimate = collect(found, sources->leadfield->n_positions);
    sources->result.explained = explained_by(sources, sources->result.estimate);
    return true;
}

static void debias(struct sources *sources)
{
    struct sources_result *result = &sources->result;
    struct mixed_norm_input input = sources_problem(sources);
    result->factors = g_new(double, result->estimate->n_active + 1);
    amplitude_bias(&input, result->estimate, result->factors);
    g_autoptr(owned_source_estimate) fitted =
        source_estimate_new(result->estimate->n_orient, result->estimate->n_time);
    source_estimate_copy(result->estimate, fitted);
    amplitude_bias_apply(fitted, result->factors);
    result->explained_debiased = explained_by(sources, fitted);
}

// In A m: rows of X times the weights of their columns and the factors of their positions.
static void scale_amplitudes(struct sources *sources)
{
    struct sources_result *result = &sources->result;
    const struct source_estimate *estimate = result->estimate;
    size_t n_time = estimate->n_time, n_orient = estimate->n_orient;
    result->amplitude = g_new(double, estimate->n_active *n_orient *n_time + 1);
    for (size_t i = 0; i < estimate->n_active; i++)
        for (size_t o = 0; o < n_orient; o++) {
            double scale = sources->leadfield->weight[estimate->position[i] * n_orient + o];
            if (result->factors != NULL)
                scale *= result->factors[i];
            size_t at = (i * n_orient + o) * n_time;
            for (size_t t = 0; t < n_time; t++)
                result->amplitude[at + t] = scale * estimate->x[at + t];
        }
}

// 1 - ||M - d_k G_k X_k||^2 / ||M||^2 of each position alone.
static void share_variance(struct sources *sources)
{
    struct sources_result *result = &sources->result;
    const struct source_estimate *estimate = result->estimate;
    size_t n_rows = estimate->n_orient * estimate->n_time;
    result->share = g_new(double, estimate->n_active + 1);
    g_autoptr(owned_source_estimate) alone =
        source_estimate_new(estimate->n_orient, estimate->n_time);
    source_estimate_resize(alone, 1);
    for (size_t i = 0; i < estimate->n_active; i++) {
        double factor = result->factors == NULL ? 1.0 : result->factors[i];
        alone->position[0] = estimate->position[i];
        for (size_t t = 0; t < n_rows; t++)
            alone->x[t] = factor * source_estimate_rows(estimate, i)[t];
        result->share[i] = explained_by(sources, alone);
    }
}

bool sources_solve(struct sources *sources, GError **error)
{
    gint64 begin_us = g_get_monotonic_time();
    if (sources->model->solve == NULL) {
        if (!solve_samples(sources, error))
            return false;
    } else
        solve_window(sources);
    if (sources->options->debias)
        debias(sources);
    scale_amplitudes(sources);
    share_variance(sources);
    sources->result.solve_s = 1e-6 * (double) (g_get_monotonic_time() - begin_us);
    return !host_stopped(sources->host, error);
}
