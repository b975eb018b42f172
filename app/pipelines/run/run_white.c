// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run_shown.h"
#include "solvers/median.h"
#include "solvers/random.h"

#include <math.h>
#include <stdlib.h>

enum { N_DRAWS = 512, RANDOM_WHITE = 0x57 };

/** Draws on their way. */
struct drawing {
    const struct run *run;
    const struct solver *exact;
    double ratio; // lambda to lambda_max
    double *explained;
};

static double median_ratio(const struct run *run)
{
    g_autofree double *ratio = g_new(double, MAX(run->n_series, 1));
    size_t n = 0;
    for (size_t v = 0; v < run->n_series; v++)
        if (run->results[v].status == SERIES_SOLVED && run->results[v].lambda_max > 0.0)
            ratio[n++] = run->results[v].lambda / run->results[v].lambda_max;
    return n == 0 ? 1.0 : fmin(median(ratio, n), 1.0);
}

// Explained variance by the objective, as of the run's own series.
static void measure(const struct drawing *drawing, const struct block *x, const struct block *u,
                    const struct series_result *results, double *explained)
{
    for (size_t v = 0; v < x->n_series; v++) {
        const double *own = block_series(x, v);
        double sum2 = 0.0;
        for (size_t t = 0; t < x->n_time; t++)
            sum2 += own[t] * own[t];
        const struct run_plan *plan = drawing->run->plan;
        double penalty = plan->joined != NULL ? run_joined_penalty(plan->joined, block_series(u, v))
                                              : problem_penalty(plan->problem, block_series(u, v));
        double rss = 2.0 * (results[v].objective - results[v].lambda * penalty);
        explained[v] = sum2 > 0.0 ? CLAMP(1.0 - rss / sum2, 0.0, 1.0) : 0.0;
    }
}

static void draw_block(void *data, size_t index, struct workspace *ws)
{
    const struct drawing *drawing = data;
    const struct run_plan *plan = drawing->run->plan;
    // a mean, so that percent of it are something; where means stay, none
    double mean = run_plan_centres(plan) ? 100.0 : 0.0;
    size_t mark = workspace_mark(ws), n_in = plan->op->n_in;
    struct block x = {plan->n_read, BLOCK_SERIES, plan->n_read,
                      WORKSPACE_ALLOC(ws, double, plan->n_read *BLOCK_SERIES)};
    struct block u = {n_in, BLOCK_SERIES, n_in, WORKSPACE_ALLOC(ws, double, n_in *BLOCK_SERIES)};
    double lambda[BLOCK_SERIES];
    struct series_result results[BLOCK_SERIES];
    for (size_t v = 0; v < BLOCK_SERIES; v++) {
        struct random_stream stream = random_stream_of(1, RANDOM_WHITE, index * BLOCK_SERIES + v);
        random_normal(&stream, block_series(&x, v), plan->n_read);
        for (size_t t = 0; t < plan->n_read; t++)
            block_series(&x, v)[t] += mean;
        lambda[v] = drawing->ratio;
    }
    if (plan->joined != NULL)
        run_joined_clean(plan->joined, &x, ws);
    else
        clean_apply(plan->clean, &x, ws);
    x.n_time = plan->n_time;
    x.data += plan->first;
    struct solve_input input = {.x = &x, .lambda = lambda, .lambda_is_ratio = true};
    if (plan->joined != NULL)
        run_joined_solve(plan->joined, &input, &u, results, ws);
    else
        solver_run(drawing->exact, &input, &u, results, ws);
    measure(drawing, &x, &u, results, drawing->explained + index * BLOCK_SERIES);
    workspace_release(ws, mark);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *) a, right = *(const double *) b;
    return (left > right) - (left < right);
}

// Of a normal law of log(e / (1 - e)); without variation, its value.
static double point_of(const double *explained, size_t n)
{
    const double z = 3.0902323061678132, least = 1e-3; // 99.9 % of a normal law
    double mean = 0.0, variance = 0.0;
    for (size_t i = 0; i < n; i++)
        mean += explained[i] / (double) n;
    if (!(mean > 0.0 && mean < 1.0))
        return least;
    mean = 0.0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n; i++) {
            double e = CLAMP(explained[i], 1e-6, 1.0 - 1e-6), logit = log(e / (1.0 - e));
            if (pass == 0)
                mean += logit / (double) n;
            else
                variance += (logit - mean) * (logit - mean) / (double) n;
        }
    double logit = mean + z * sqrt(variance);
    return fmax(1.0 / (1.0 + exp(-logit)), least);
}

bool run_white_draw(const struct run *run, struct run_white *white)
{
    const struct run_plan *plan = run->plan;
    struct solver_options options = solver_options_default();
    g_autoptr(owned_solver) exact =
        plan->joined != NULL ? NULL : solver_new_exact(plan->problem, &options, NULL);
    if (exact == NULL && plan->joined == NULL) // a causal response of thousands of samples
        exact = solver_new_fista(plan->problem, &options, NULL);
    *white = (struct run_white){g_new(double, N_DRAWS), N_DRAWS, 0.0};
    struct drawing drawing = {run, exact, median_ratio(run), white->explained};
    if (!parallel_for(plan->host->team, N_DRAWS / BLOCK_SERIES, draw_block, &drawing))
        return false;
    qsort(white->explained, white->n, sizeof *white->explained, compare);
    white->point = point_of(white->explained, white->n);
    return true;
}

void run_white_clear(struct run_white *white)
{
    g_free(white->explained);
}
