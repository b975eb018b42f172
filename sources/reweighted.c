// SPDX-License-Identifier: BSD-3-Clause
#include "sources/reweighted.h"

#include "sources/models.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#define SAME_OBJECTIVE 1e-8

struct reweighted_options reweighted_options_of(double ratio, double alpha_max)
{
    return (struct reweighted_options){.first_alpha = ratio * alpha_max,
                                       .beta = 10.0 * ratio * sqrt(alpha_max),
                                       .tol = 1e-6,
                                       .max_rounds = 10,
                                       .max_passes = 10000};
}

double reweighted_objective(const struct mixed_norm *problem,
                            const struct source_estimate *estimate, double beta)
{
    size_t n = problem->n_sensors * problem->n_time;
    g_autofree double *residual = g_new(double, n);
    source_estimate_residual(estimate, problem->gain, problem->data, problem->n_sensors, residual);
    double penalty = 0.0;
    for (size_t k = 0; k < estimate->n_active; k++)
        penalty += sqrt(source_estimate_norm(estimate, k));
    return 0.5 * cblas_ddot((int) n, residual, 1, residual, 1) + beta * penalty;
}

// G_k w_k of the positions in use.
static double *weighted_gain(const struct mixed_norm *problem, const struct source_estimate *x,
                             const double *weight)
{
    size_t size = problem->n_orient * problem->n_sensors;
    double *gain = g_new(double, x->n_active *size);
    for (size_t k = 0; k < x->n_active; k++)
        for (size_t i = 0; i < size; i++)
            gain[k * size + i] = weight[k] * problem->gain[x->position[k] * size + i];
    return gain;
}

static void scale_block(struct source_estimate *x, size_t k, double factor)
{
    cblas_dscal((int) (x->n_orient * x->n_time), factor, source_estimate_rows(x, k), 1);
}

// The next point: the minimiser of the mixed norm with weights from x, which majorises the problem.
static struct mixed_norm_result reweight(const struct mixed_norm *problem,
                                         const struct reweighted_options *options,
                                         struct source_estimate *x, struct workspace *ws)
{
    g_autofree double *weight = g_new(double, x->n_active);
    g_autofree size_t *support = g_memdup2(x->position, x->n_active * sizeof(size_t));
    for (size_t k = 0; k < x->n_active; k++)
        weight[k] = 2.0 * sqrt(source_estimate_norm(x, k));
    g_autofree double *gain = weighted_gain(problem, x, weight);
    for (size_t k = 0; k < x->n_active; k++) {
        scale_block(x, k, 1.0 / weight[k]);
        x->position[k] = k;
    }
    struct mixed_norm_input input = {gain,        problem->data,     problem->n_sensors,
                                     x->n_active, problem->n_orient, problem->n_time};
    struct mixed_norm_options inner = {options->tol, options->max_passes};
    g_autoptr(owned_mixed_norm) weighted = mixed_norm_new(&input);
    struct mixed_norm_result found = mixed_norm_solve(weighted, options->beta, &inner, x, ws);
    for (size_t k = 0; k < x->n_active; k++) {
        scale_block(x, k, weight[x->position[k]]);
        x->position[k] = support[x->position[k]];
    }
    return found;
}

struct reweighted_result reweighted_solve(const struct mixed_norm *problem,
                                          const struct reweighted_options *options,
                                          struct source_estimate *estimate, double *objectives,
                                          struct workspace *ws)
{
    struct mixed_norm_options first = {options->tol, options->max_passes};
    g_autoptr(owned_source_estimate) next = source_estimate_new(problem->n_orient, problem->n_time);
    struct mixed_norm_result found =
        mixed_norm_solve(problem, options->first_alpha, &first, next, ws);
    struct reweighted_result result = {.objective = INFINITY, .first_gap = found.relative_gap};
    for (;;) {
        double objective = reweighted_objective(problem, next, options->beta);
        result.n_passes += found.n_passes;
        if (!(objective <= result.objective)) { // rounding: the point before is as good
            result.converged = true;
            return result;
        }
        // Rounds never add to the support: as many positions are the same ones.
        result.converged = result.n_rounds > 0 && next->n_active == estimate->n_active &&
                           result.objective - objective <= SAME_OBJECTIVE * objective;
        result.objective = objective;
        source_estimate_copy(next, estimate);
        if (objectives != NULL)
            objectives[result.n_rounds] = objective;
        result.n_rounds++;
        if (result.converged || result.n_rounds >= options->max_rounds || next->n_active == 0)
            break;
        found = reweight(problem, options, next, ws);
    }
    result.converged |= estimate->n_active == 0;
    return result;
}

static struct source_model_result solve_model(const struct mixed_norm *problem, double ratio,
                                              double tol, struct source_estimate *estimate,
                                              struct workspace *ws)
{
    struct reweighted_options options = reweighted_options_of(ratio, problem->alpha_max);
    options.tol = fmin(tol, 1e-9);
    options.max_rounds = 100;
    struct reweighted_result found = reweighted_solve(problem, &options, estimate, NULL, ws);
    return (struct source_model_result){found.objective, found.first_gap, found.converged,
                                        found.n_passes};
}

const struct source_model source_model_irl21 = {
    .name = "irl21",
    .summary = "one support, reweighted (irMxNE)",
    .solve = solve_model,
};
