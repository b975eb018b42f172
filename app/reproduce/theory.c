// SPDX-License-Identifier: BSD-3-Clause
// The statements that the others rest on, checked by number: the sublinear rate of proximal
// gradient descent, the identification of the support, the rates from then on with the step
// 1 / L_S (Ablin, Moreau, Massias and Gramfort, 2019, propositions 3.1 and 3.2), and the duality
// gap as a bound.
#include "app/reproduce/samples.h"
#include "app/simulate/simulate.h"
#include "solvers/pseudo_inverse.h"
#include "solvers/random.h"

#include <math.h>
#include <string.h>

enum { N_OUT = 20, N_IN = 30, N_INSTANCES = 20, N_ITERATIONS = 300, N_AFTER = 100, MOST = 20000 };

static const struct panel panels[] = {{"Proximal gradient descent on a Lasso", "rate", "iteration",
                                       "F - F*", 1e-14, true, true, false},
                                      {"With the step 1 / L_S from T* on", "oracle",
                                       "iterations after T*", "F - F*", 1e-15, false, true, false},
                                      {0}};

// What the iterates of proximal gradient descent say of one instance.
struct watch {
    const struct samples *samples;
    const double *solution;
    struct workspace *ws;
    struct reproduction *r; // draws the curve; NULL: does not
    double distance2;       // ||z0 - z*||^2
    double worst_rate;      // (F - F*) over its bound, the largest
    double worst_gap;       // (F - F*) - gap, the largest
};

static void look(void *data, size_t series, size_t iteration, const double *z)
{
    struct watch *watch = data;
    const struct samples *samples = watch->samples;
    const struct problem *problem = samples->problem;
    struct certificate certificate = problem_certify(problem, block_series(&samples->x, series), z,
                                                     samples->lambda[series], watch->ws);
    double objective = problem_objective(problem, block_series(&samples->x, series), z,
                                         samples->lambda[series], watch->ws);
    double above = objective - samples->minima[series];
    if (iteration == 0) {
        watch->distance2 = 0.0;
        for (size_t j = 0; j < problem->op->n_in; j++)
            watch->distance2 += (z[j] - watch->solution[j]) * (z[j] - watch->solution[j]);
        return;
    }
    double bound = problem->op->norm2 * watch->distance2 / (2.0 * (double) iteration);
    watch->worst_rate = fmax(watch->worst_rate, (above - 1e-13) / bound);
    watch->worst_gap = fmax(watch->worst_gap, certificate.objective - samples->minima[series] -
                                                  certificate.duality_gap);
    if (watch->r == NULL)
        return;
    double t = (double) iteration;
    reproduction_result(watch->r, "ISTA", t, watch->r->seed, "rate", above);
    reproduction_result(watch->r, "L ||z_0 - z*||^2 / 2t", t, watch->r->seed, "rate", bound);
    reproduction_result(watch->r, "duality gap", t, watch->r->seed, "rate",
                        certificate.duality_gap);
}

static bool solve(const struct samples *samples, solver_constructor *create,
                  const struct solver_options *options, double *z, GError **error)
{
    g_autoptr(owned_solver) solver = create(samples->problem, options, error);
    if (solver == NULL)
        return false;
    g_autoptr(owned_workspace) ws = workspace_new();
    struct block u = block_of_series(z, samples->start.n_time);
    struct series_result result;
    struct solve_input input = {
        .x = &samples->x, .lambda = samples->lambda, .start = &samples->start};
    solver_run(solver, &input, &u, &result, ws);
    return true;
}

static bool solve_exactly(const struct samples *samples, double *z, GError **error)
{
    struct solver_options options = solver_options_default();
    options.tol = 1e-13;
    return solve(samples, solver_new_exact, &options, z, error);
}

static bool watch_descent(struct watch *watch, const struct samples *samples,
                          const double *solution, GError **error)
{
    g_autofree double *z = g_new(double, samples->start.n_time);
    struct solver_observer observer = {look, watch};
    struct solver_options options = solver_options_default();
    options.tol = 0.0;
    options.max_iter = N_ITERATIONS;
    options.start = START_GIVEN;
    options.observer = &observer;
    watch->samples = samples;
    watch->solution = solution;
    return solve(samples, solver_new_pgd, &options, z, error);
}

// z <- ST(z - step D'(D z - x), lambda step).
static void descend(const struct samples *samples, double step, double *z, struct workspace *ws)
{
    const linop *op = samples->problem->op;
    double residual[N_OUT], gradient[N_IN], threshold = step * samples->lambda[0];
    linop_apply_series(op, z, residual, ws);
    for (size_t i = 0; i < N_OUT; i++)
        residual[i] -= samples->x.data[i];
    linop_adjoint_series(op, residual, gradient, ws);
    for (size_t j = 0; j < N_IN; j++) {
        double a = z[j] - step * gradient[j];
        z[j] = copysign(fmax(fabs(a) - threshold, 0.0), a);
    }
}

static bool same_support(const double *a, const double *b)
{
    for (size_t j = 0; j < N_IN; j++)
        if ((a[j] != 0.0) != (b[j] != 0.0) || a[j] * b[j] < 0.0)
            return false;
    return true;
}

// The first iteration of ISTA from which on the support is that of the solution; MOST: none.
static size_t identify(const struct samples *samples, const double *solution, double *z,
                       struct workspace *ws)
{
    double step = 1.0 / samples->problem->op->norm2, at[N_IN] = {0};
    size_t since = MOST;
    for (size_t t = 0; t < MOST; t++) {
        bool same = same_support(at, solution);
        if (same && since == MOST)
            memcpy(z, at, sizeof at);
        since = !same ? MOST : MIN(since, t);
        descend(samples, step, at, ws);
    }
    return since;
}

// The largest and the smallest eigenvalue of D_S' D_S, S the support of z.
static void support_spectrum(const linop *op, const double *z, double *largest, double *smallest)
{
    double part[N_OUT * N_IN];
    size_t n = 0;
    for (size_t j = 0; j < N_IN; j++)
        if (z[j] != 0.0)
            memcpy(part + N_OUT * n++, op->matrix + j * N_OUT, N_OUT * sizeof(double));
    g_autoptr(linop) sub = linop_new_dense(part, N_OUT, n);
    g_autofree double *singular = linop_singular_values(sub);
    *largest = singular[0] * singular[0];
    *smallest = singular[n - 1] * singular[n - 1];
}

// Proposition 3.2: the worst of (F - F*) over its sublinear and over its linear bound.
static void watch_oracle(struct reproduction *r, const struct samples *samples,
                         const double *solution, double *z, double worst[2])
{
    g_autoptr(owned_workspace) ws = workspace_new();
    const struct problem *problem = samples->problem;
    double largest, smallest, distance2 = 0.0;
    support_spectrum(problem->op, solution, &largest, &smallest);
    for (size_t j = 0; j < N_IN; j++)
        distance2 += (z[j] - solution[j]) * (z[j] - solution[j]);
    double first =
        problem_objective(problem, samples->x.data, z, samples->lambda[0], ws) - samples->minima[0];
    for (int t = 1; t <= N_AFTER; t++) {
        descend(samples, 1.0 / largest, z, ws);
        double above = problem_objective(problem, samples->x.data, z, samples->lambda[0], ws) -
                       samples->minima[0];
        double linear = pow(1.0 - smallest / largest, t) * first;
        worst[0] = fmax(worst[0], (above - 1e-13) / (largest * distance2 / (2.0 * t)));
        worst[1] = fmax(worst[1], (above - 1e-13) / linear);
        if (r == NULL)
            continue;
        reproduction_result(r, "step 1 / L_S", t, r->seed, "oracle", above);
        reproduction_result(r, "(1 - {/Symbol m} / L_S)^t (F_{T*} - F*)", t, r->seed, "oracle",
                            linear);
    }
}

struct findings {
    struct watch lasso;
    struct watch tv;
    size_t n_identified;
    double oracle[2];
};

static bool study_lasso(struct reproduction *r, uint64_t seed, bool draw, struct findings *findings,
                        GError **error)
{
    g_autofree double *matrix = samples_draw_dictionary(seed, N_OUT, N_IN);
    g_autoptr(linop) op = linop_new_dense(matrix, N_OUT, N_IN);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    struct samples_options options = {.ratio = 0.3, .start = START_ZERO, .scale = true};
    struct block x = samples_draw_lasso(seed, op, 1, false);
    g_autoptr(owned_samples) samples = samples_new(r, problem, x, &options, error);
    double solution[N_IN], z[N_IN];
    findings->lasso.r = draw ? r : NULL;
    if (samples == NULL || !solve_exactly(samples, solution, error) ||
        !watch_descent(&findings->lasso, samples, solution, error))
        return false;
    g_autoptr(owned_workspace) ws = workspace_new();
    if (identify(samples, solution, z, ws) == MOST)
        return true;
    findings->n_identified++;
    watch_oracle(draw ? r : NULL, samples, solution, z, findings->oracle);
    return true;
}

static bool study_tv(struct reproduction *r, uint64_t seed, struct findings *findings,
                     GError **error)
{
    struct simulate_tv law = simulate_tv_default();
    law.law = SIMULATE_TV_DENSE;
    law.n_series = 1;
    law.n_observed = N_OUT;
    law.n_unknown = N_IN;
    law.sparsity = 0.1;
    law.snr_db = 5.0;
    law.seed = seed;
    g_autoptr(owned_simulation) drawn = simulate_tv(&law, error);
    if (drawn == NULL)
        return false;
    g_autoptr(linop) op = samples_operator(drawn->op, N_OUT, N_IN);
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    struct samples_options options = {.ratio = 0.3, .start = START_CONST, .scale = true};
    struct block x = {N_OUT, 1, N_OUT, g_steal_pointer(&drawn->x)};
    g_autoptr(owned_samples) samples = samples_new(r, problem, x, &options, error);
    double solution[N_IN];
    return samples != NULL && solve_exactly(samples, solution, error) &&
           watch_descent(&findings->tv, samples, solution, error);
}

static void check(struct reproduction *r, const struct findings *f)
{
    double identified = (double) f->n_identified;
    reproduction_check(r, "ISTA: F - F* <= L ||z0 - z*||^2 / 2t at every t",
                       f->lasso.worst_rate <= 1.0, f->lasso.worst_rate, 1.0);
    reproduction_check(r, "PGD of TV: P - P* <= L ||u0 - u*||^2 / 2t at every t",
                       f->tv.worst_rate <= 1.0, f->tv.worst_rate, 1.0);
    reproduction_check(r, "the support of ISTA is that of the solution from some T* on",
                       f->n_identified == N_INSTANCES, identified, N_INSTANCES);
    reproduction_check(r, "step 1 / L_S from T* on: below the sublinear bound of the support",
                       f->oracle[0] <= 1.0, f->oracle[0], 1.0);
    reproduction_check(r, "step 1 / L_S from T* on: below the linear bound of the support",
                       f->oracle[1] <= 1.0, f->oracle[1], 1.0);
    double gap = fmax(f->lasso.worst_gap, f->tv.worst_gap);
    reproduction_check(r, "no duality gap is below F - F*", gap <= 1e-12, gap, 1e-12);
}

static bool run(struct reproduction *r, GError **error)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    struct findings findings = {.lasso = {.ws = ws, .worst_gap = -INFINITY},
                                .tv = {.ws = ws, .worst_gap = -INFINITY}};
    for (uint64_t i = 0; i < N_INSTANCES; i++) {
        if (!study_lasso(r, r->seed + i, i == 0, &findings, error) ||
            !study_tv(r, r->seed + i, &findings, error) || host_stopped(r->host, error))
            return false;
        host_progress(r->host, (double) (i + 1) / N_INSTANCES);
    }
    check(r, &findings);
    reproduction_set(r, "instances", "%d of %d x %d, lambda = 0.3 lambda_max", N_INSTANCES, N_OUT,
                     N_IN);
    reproduction_note(r,
                      "The first of %d instances of %d x %d, lambda = 0.3 lambda_max; checks are "
                      "over all of them.",
                      N_INSTANCES, N_OUT, N_IN);
    return true;
}

const struct experiment reproduce_theory = {
    .id = "theory", .title = "The theorems, by number", .panels = panels, .run = run};
