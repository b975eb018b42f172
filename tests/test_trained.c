// SPDX-License-Identifier: BSD-3-Clause
// What trained networks reach on samples that they were not trained on.
#include "tests/check.h"

#include "solvers/solver.h"
#include "tests/golden.h"
#include "unrolled/train.h"

#include <string.h>

struct sparse_instance {
    linop *op;
    struct problem *problem;
    struct block x[2];     // to train, to test
    struct block start[2]; // zeros
    double *lambda;
    struct train_samples samples[2];
    struct parallel *team;
    struct workspace *ws;
};

// Columns of unit norm.
static linop *unit_columns(const struct golden *matrix)
{
    g_autofree double *columns = g_new(double, matrix->rows * matrix->cols);
    for (size_t j = 0; j < matrix->cols; j++) {
        double *column = columns + j * matrix->rows;
        double norm2 = 0.0;
        for (size_t i = 0; i < matrix->rows; i++) {
            column[i] = golden_row(matrix, i)[j];
            norm2 += column[i] * column[i];
        }
        for (size_t i = 0; i < matrix->rows; i++)
            column[i] /= sqrt(norm2);
    }
    return linop_new_dense(columns, matrix->rows, matrix->cols);
}

static struct block new_block(size_t n_time, size_t n_series)
{
    return (struct block){n_time, n_series, n_time, g_new0(double, n_time *n_series)};
}

static void instance_init(struct sparse_instance *it, const struct golden *matrix, size_t n_train,
                          size_t n_test, double lambda)
{
    size_t n_most = MAX(n_train, n_test);
    it->op = unit_columns(matrix);
    it->problem = problem_new_lasso(it->op);
    it->team = parallel_new(2, NULL);
    it->ws = workspace_new();
    it->lambda = g_new(double, n_most);
    for (size_t v = 0; v < n_most; v++)
        it->lambda[v] = lambda;
    for (size_t i = 0; i < 2; i++) {
        size_t n = i == 0 ? n_train : n_test;
        it->x[i] = new_block(matrix->rows, n);
        it->start[i] = new_block(matrix->cols, n);
        it->samples[i] =
            (struct train_samples){.x = &it->x[i], .lambda = it->lambda, .start = &it->start[i]};
    }
}

static void instance_clear(struct sparse_instance *it)
{
    for (size_t i = 0; i < 2; i++) {
        g_free(it->x[i].data);
        g_free(it->start[i].data);
    }
    g_free(it->lambda);
    workspace_free(it->ws);
    parallel_free(it->team);
    problem_free(it->problem);
    linop_free(it->op);
}

// Sets sample v, with lambda_max 1.
static void set_sample(struct sparse_instance *it, size_t which, size_t v, const double *values,
                       size_t stride)
{
    double *x = block_series(&it->x[which], v);
    for (size_t t = 0; t < it->x[which].n_time; t++)
        x[t] = values[t * stride];
    double scale = problem_lambda_max(it->problem, x, it->ws);
    for (size_t t = 0; t < it->x[which].n_time; t++)
        x[t] /= scale;
}

// The mean objective of the test samples after a solver's own number of iterations.
static double solved(struct sparse_instance *it, solver_constructor *new_solver, size_t max_iter)
{
    struct solver_options options = solver_options_default();
    if (max_iter > 0) {
        options.tol = 0.0;
        options.max_iter = max_iter;
    }
    g_autoptr(owned_solver) solver = new_solver(it->problem, &options, NULL);
    size_t n = it->x[1].n_series;
    struct block z = new_block(it->op->n_in, n);
    g_autofree struct series_result *results = g_new0(struct series_result, n);
    struct solve_input input = {.x = &it->x[1], .lambda = it->lambda};
    double sum = 0.0;
    solver_run(solver, &input, &z, results, it->ws);
    for (size_t v = 0; v < n; v++)
        sum += results[v].objective;
    g_free(z.data);
    return sum / (double) n;
}

static struct network *trained(struct sparse_instance *it, size_t depth, size_t max_iter)
{
    struct network *network =
        network_new("slista", NULL, it->problem, (struct network_size){.depth = depth}, NULL);
    struct train_options options = train_options_default(it->team);
    g_autofree struct train_stage *stages = g_new0(struct train_stage, depth);
    options.max_iter = max_iter;
    train_network(network, &it->samples[0], NULL, &options, stages);
    return network;
}

static void learned_steps_are_a_thousand_times_nearer_than_fista(void **state)
{
    (void) state;
    enum { N_LAYERS = 5, N_SAMPLES = 300 };
    g_autoptr(owned_golden) matrix = golden_npy("golden/networks_64x256/D.npy");
    g_autoptr(owned_golden) train = golden_npy("golden/networks_64x256/X_train.npy");
    g_autoptr(owned_golden) test = golden_npy("golden/networks_64x256/X_test.npy");
    struct sparse_instance it;
    instance_init(&it, matrix, N_SAMPLES, N_SAMPLES, 0.8);
    for (size_t v = 0; v < N_SAMPLES; v++) {
        set_sample(&it, 0, v, golden_row(train, v), 1);
        set_sample(&it, 1, v, golden_row(test, v), 1);
    }
    g_autoptr(owned_network) network = trained(&it, N_LAYERS, 100);
    double least = solved(&it, solver_new_exact, 0);
    double learned = train_loss(network, N_LAYERS, true, &it.samples[1], it.team);
    assert_true(learned - least > -1e-12);
    assert_true(learned - least <= 1e-6);
    assert_true(solved(&it, solver_new_fista, N_LAYERS) - least > 1e3 * (learned - least));
    instance_clear(&it);
}

struct descent {
    const struct sparse_instance *it;
    double *objectives; // of each series, as it went
};

static void check_descent(void *data, size_t v, size_t layer, const double *z)
{
    const struct descent *descent = data;
    const struct sparse_instance *it = descent->it;
    double objective =
        problem_objective(it->problem, block_series(&it->x[1], v), z, it->lambda[v], it->ws);
    if (layer > 0)
        assert_true(objective <= descent->objectives[v] * (1.0 + 1e-12));
    descent->objectives[v] = objective;
}

static void check_leadfield(const struct golden *matrix, const struct golden *data, double lambda)
{
    enum { N_LAYERS = 10, EVERY = 8 };
    struct sparse_instance it;
    size_t n = data->cols / EVERY;
    instance_init(&it, matrix, n, n, lambda);
    for (size_t v = 0; v < n; v++) {
        set_sample(&it, 0, v, data->data + EVERY * v, data->cols);
        set_sample(&it, 1, v, data->data + EVERY * v + EVERY / 2 + 1, data->cols);
    }
    g_autoptr(owned_network) network = trained(&it, N_LAYERS, 4 * N_LAYERS);
    double least = solved(&it, solver_new_exact, 0);
    double learned = train_loss(network, N_LAYERS, true, &it.samples[1], it.team);
    assert_true(solved(&it, solver_new_fista, N_LAYERS) - least > 5.0 * (learned - least));

    g_autofree double *objectives = g_new0(double, n);
    struct descent descent = {&it, objectives};
    struct solver_observer observer = {check_descent, &descent};
    struct network_input input = {.x = &it.x[1], .lambda = it.lambda, .start = &it.start[1]};
    struct network_pass pass = {.depth = N_LAYERS, .safeguard = true, .observer = &observer};
    struct block z = new_block(it.op->n_in, n);
    network_forward(network, &input, &pass, &z, it.ws);
    g_free(z.data);
    instance_clear(&it);
}

// NULL where the recordings are absent.
static struct golden *recorded_npy(const char *name)
{
    g_autofree char *path = shared_data(name), *bytes = NULL;
    gsize n_bytes = 0;
    if (path == NULL)
        return NULL;
    assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
    return golden_of_npy(bytes, n_bytes);
}

// Evoked fields and potentials: lead fields are far from random matrices, their columns are nearly
// parallel.
static void on_a_leadfield_every_sample_descends_far_below_fista(void **state)
{
    (void) state;
    g_autoptr(owned_golden) matrix = recorded_npy("golden_meeg/small_fixed/gain_whitened.npy");
    if (matrix == NULL)
        skip();
    g_autoptr(owned_golden) data = recorded_npy("golden_meeg/data_whitened.npy");
    check_leadfield(matrix, data, 0.8);
    check_leadfield(matrix, data, 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learned_steps_are_a_thousand_times_nearer_than_fista),
        cmocka_unit_test(on_a_leadfield_every_sample_descends_far_below_fista),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
