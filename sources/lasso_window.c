// SPDX-License-Identifier: BSD-3-Clause
#include "sources/lasso_window.h"

#include "sources/models.h"

#include <string.h>

enum { CHUNK = 16 };

// The sources of a chunk of samples.
struct chunk {
    GArray *index; // of size_t
    GArray *value; // of double
    size_t count[CHUNK];
};

struct job {
    const struct lasso_window_input *input;
    const struct solver *solver;
    struct chunk *chunks;
    struct series_result *results;
};

static void keep_sources(struct chunk *chunk, size_t i, const double *z, size_t n)
{
    for (size_t j = 0; j < n; j++)
        if (z[j] != 0.0) {
            g_array_append_val(chunk->index, j);
            g_array_append_val(chunk->value, z[j]);
            chunk->count[i]++;
        }
}

static void solve_chunk(void *data, size_t index, struct workspace *ws)
{
    const struct job *job = data;
    const struct lasso_window_input *input = job->input;
    size_t first = index * CHUNK, count = MIN((size_t) CHUNK, input->n_time - first);
    size_t mark = workspace_mark(ws);
    double *samples = WORKSPACE_ALLOC(ws, double, count * input->n_sensors);
    struct block x = {input->n_sensors, count, input->n_sensors, samples};
    struct block z = {input->n_columns, count, input->n_columns,
                      WORKSPACE_ALLOC(ws, double, count * input->n_columns)};
    double lambda[CHUNK];
    for (size_t i = 0; i < count; i++) {
        lambda[i] = input->lambda;
        for (size_t s = 0; s < input->n_sensors; s++)
            block_series(&x, i)[s] = input->data[s * input->n_time + first + i];
    }
    struct solve_input solve = {
        .x = &x, .lambda = lambda, .lambda_is_ratio = true, .first_series = first};
    solver_run(job->solver, &solve, &z, job->results + first, ws);
    for (size_t i = 0; i < count; i++)
        keep_sources(&job->chunks[index], i, block_series(&z, i), input->n_columns);
    workspace_release(ws, mark);
}

static struct lasso_window *join(const struct chunk *chunks, size_t n_chunks, size_t n_time)
{
    size_t total = 0;
    for (size_t i = 0; i < n_chunks; i++)
        total += chunks[i].index->len;
    struct lasso_window *window = g_new0(struct lasso_window, 1);
    *window = (struct lasso_window){.n_time = n_time,
                                    .first = g_new0(size_t, n_time + 1),
                                    .index = g_new(size_t, total),
                                    .value = g_new(double, total)};
    for (size_t i = 0; i < n_chunks; i++) {
        size_t at = window->first[i * CHUNK], n = chunks[i].index->len;
        if (n > 0) {
            memcpy(window->index + at, chunks[i].index->data, n * sizeof(size_t));
            memcpy(window->value + at, chunks[i].value->data, n * sizeof(double));
        }
        for (size_t t = i * CHUNK; t < MIN((i + 1) * CHUNK, n_time); t++)
            window->first[t + 1] = window->first[t] + chunks[i].count[t - i * CHUNK];
    }
    return window;
}

struct lasso_window *lasso_window_solve(const struct lasso_window_input *input,
                                        struct parallel *team)
{
    g_autoptr(linop) op = linop_new_dense(input->gain, input->n_sensors, input->n_columns);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    struct solver_options options = solver_options_default();
    options.tol = input->tol;
    g_autoptr(owned_solver) solver = solver_new_exact(problem, &options, NULL);
    size_t n_chunks = (input->n_time + CHUNK - 1) / CHUNK;
    struct job job = {.input = input,
                      .solver = solver,
                      .chunks = g_new0(struct chunk, n_chunks),
                      .results = g_new0(struct series_result, input->n_time)};
    for (size_t i = 0; i < n_chunks; i++) {
        job.chunks[i].index = g_array_new(FALSE, FALSE, sizeof(size_t));
        job.chunks[i].value = g_array_new(FALSE, FALSE, sizeof(double));
    }
    struct lasso_window *window = NULL;
    if (parallel_for(team, n_chunks, solve_chunk, &job)) {
        window = join(job.chunks, n_chunks, input->n_time);
        window->results = g_steal_pointer(&job.results);
    }
    for (size_t i = 0; i < n_chunks; i++) {
        g_array_unref(job.chunks[i].index);
        g_array_unref(job.chunks[i].value);
    }
    g_free(job.chunks);
    g_free(job.results);
    return window;
}

void lasso_window_free(struct lasso_window *window)
{
    if (window == NULL)
        return;
    g_free(window->first);
    g_free(window->index);
    g_free(window->value);
    g_free(window->results);
    g_free(window);
}

const struct source_model source_model_lasso = {
    .name = "lasso",
    .summary = "each sample alone",
};
