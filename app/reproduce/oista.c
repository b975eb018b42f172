// SPDX-License-Identifier: BSD-3-Clause
// The oracle step 1 / L_S of OISTA beside ISTA, FISTA and backtracking: F - F* by iteration on one
// Lasso, and how the support is identified. Ablin, Moreau, Massias and Gramfort, 2019, figure 2.
#include "app/reproduce/samples.h"
#include "solvers/random.h"

#include <math.h>

enum { N_OUT = 10, N_IN = 50, N_ITERATIONS = 200 };

static const struct panel panels[] = {
    {"Suboptimality", "suboptimality", "iteration", "F - F*", 1e-17, false, true, false}, {0}};

static const struct {
    const char *name;
    solver_constructor *create;
    double bound; // of F - F* at the end
} methods[] = {{"ISTA", solver_new_pgd, 1e-8},
               {"FISTA", solver_new_apgd, 1e-9},
               {"OISTA", solver_new_oista, 1e-14},
               {"backtracking ISTA", solver_new_bt_ista, 1e-14}};

// The dictionary of the figure is not normalised.
static linop *draw_operator(uint64_t seed)
{
    double matrix[N_OUT * N_IN];
    struct random_stream stream = random_stream_of(seed, 1, 0);
    random_normal(&stream, matrix, N_OUT * N_IN);
    return linop_new_dense(matrix, N_OUT, N_IN);
}

static bool run(struct reproduction *r, GError **error)
{
    size_t steps[N_ITERATIONS + 1];
    for (size_t i = 0; i <= N_ITERATIONS; i++)
        steps[i] = i;
    g_autoptr(linop) op = draw_operator(r->seed);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    struct samples_options options = {.ratio = 0.5, .start = START_ZERO, .scale = true};
    struct block x = samples_draw_lasso(r->seed, op, 1, true);
    g_autoptr(owned_samples) samples = samples_new(r, problem, x, &options, error);
    if (samples == NULL)
        return false;
    reproduction_set(r, "dictionary", "%d x %d, normal, not normalised", N_OUT, N_IN);
    reproduction_set(r, "lambda", "0.5 lambda_max");
    double end[G_N_ELEMENTS(methods)];
    for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
        struct curve curve = {methods[m].name, "suboptimality", steps, N_ITERATIONS + 1};
        if (!samples_solver_curve(r, samples, methods[m].create, &curve, error))
            return false;
        end[m] = reproduction_mean(r, methods[m].name, N_ITERATIONS, "suboptimality");
        g_autofree char *name =
            g_strdup_printf("%s is close after %d iterations", methods[m].name, N_ITERATIONS);
        reproduction_check(r, name, end[m] <= methods[m].bound, end[m], methods[m].bound);
    }
    reproduction_check(r, "OISTA ends below FISTA", end[2] <= end[1], end[2], end[1]);
    reproduction_check(r, "no iterate is below the certified minimum",
                       fmin(end[0], end[2]) >= -1e-12, fmin(end[0], end[2]), -1e-12);
    reproduction_note(r,
                      "One Lasso of %d x %d, lambda = 0.5 lambda_max, from z = 0; F* by the "
                      "exact active set.",
                      N_OUT, N_IN);
    return true;
}

const struct experiment reproduce_oista = {
    .id = "oista", .title = "Oracle steps: OISTA", .panels = panels, .run = run};
