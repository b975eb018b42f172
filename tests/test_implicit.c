// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/hrf_conv.h"
#include "solvers/solver.h"
#include "unrolled/implicit.h"

#include <string.h>

// A problem, one series of data, and a loss <g, u> of its solution.
struct instance {
    linop *op;
    struct problem *problem;
    double *x;
    double *g;
    double lambda;
};

static void solve(const struct problem *problem, const double *x, double lambda, double *u)
{
    struct solver_options options = solver_options_default();
    g_autoptr(owned_solver) solver = solver_new_lars(problem, &options, NULL);
    g_autoptr(owned_workspace) ws = workspace_new();
    struct block in = block_of_series((double *) x, problem->op->n_out);
    struct block out = block_of_series(u, problem->op->n_in);
    struct solve_input input = {.x = &in, .lambda = &lambda};
    struct series_result result;
    solver_run(solver, &input, &out, &result, ws);
    assert_true(result.relative_gap <= 1e-12);
}

static double loss(const struct problem *problem, const struct instance *it)
{
    g_autofree double *u = g_new(double, it->op->n_in);
    solve(problem, it->x, it->lambda, u);
    double sum = 0.0;
    for (size_t i = 0; i < it->op->n_in; i++)
        sum += it->g[i] * u[i];
    return sum;
}

static void instance_fill(struct instance *it, GRand *rand)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    it->x = g_new(double, it->op->n_out);
    it->g = g_new(double, it->op->n_in);
    fill_normal(rand, it->x, it->op->n_out);
    fill_normal(rand, it->g, it->op->n_in);
    it->lambda = 0.2 * problem_lambda_max(it->problem, it->x, ws);
}

static void instance_clear(struct instance *it)
{
    problem_free(it->problem);
    linop_free(it->op);
    g_free(it->x);
    g_free(it->g);
}

static double slope_along(const struct instance *it, double *p)
{
    double value = *p;
    double width = 1e-5 * fmax(fabs(value), 0.1);
    *p = value + width;
    double above = loss(it->problem, it);
    *p = value - width;
    double below = loss(it->problem, it);
    *p = value;
    return (above - below) / (2.0 * width);
}

static void check_data_gradients(struct instance *it)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *u = g_new(double, it->op->n_in);
    g_autofree double *x_gradient = g_new(double, it->op->n_out);
    double lambda_gradient;
    struct implicit_gradient gradient = {.x = x_gradient, .lambda = &lambda_gradient};
    solve(it->problem, it->x, it->lambda, u);
    assert_true(implicit_backward(it->problem, it->x, it->lambda, u, it->g, &gradient, ws));
    assert_close(lambda_gradient, slope_along(it, &it->lambda), 1e-6);
    for (size_t t = 0; t < it->op->n_out; t++)
        assert_close(x_gradient[t], slope_along(it, &it->x[t]), 1e-6);
}

static struct problem *problem_of(const linop *op, enum problem_kind kind)
{
    return kind == PROBLEM_TV ? problem_new_tv(op) : problem_new_lasso(op);
}

static void check_matrix_gradient(const struct instance *it, double *matrix, enum problem_kind kind)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    size_t n = it->op->n_in * it->op->n_out;
    g_autofree double *u = g_new(double, it->op->n_in);
    g_autofree double *slopes = g_new(double, n);
    struct implicit_gradient gradient = {.matrix = slopes};
    solve(it->problem, it->x, it->lambda, u);
    assert_true(implicit_backward(it->problem, it->x, it->lambda, u, it->g, &gradient, ws));
    for (size_t i = 0; i < n; i += 3) {
        double values[2];
        for (int k = 0; k < 2; k++) {
            matrix[i] += k == 0 ? 1e-6 : -2e-6;
            g_autoptr(linop) op = linop_new_dense(matrix, it->op->n_out, it->op->n_in);
            g_autoptr(owned_problem) moved = problem_of(op, kind);
            values[k] = loss(moved, it);
        }
        matrix[i] += 1e-6;
        assert_close(slopes[i], (values[0] - values[1]) / 2e-6, 1e-5);
    }
}

static void check_dense(enum problem_kind kind)
{
    enum { N_OUT = 12, N_IN = 9 };
    GRand *rand = g_rand_new_with_seed(3);
    for (int trial = 0; trial < 10; trial++) {
        double matrix[N_OUT * N_IN];
        fill_normal(rand, matrix, N_OUT * N_IN);
        struct instance it = {.op = linop_new_dense(matrix, N_OUT, N_IN)};
        it.problem = problem_of(it.op, kind);
        instance_fill(&it, rand);
        check_data_gradients(&it);
        check_matrix_gradient(&it, matrix, kind);
        instance_clear(&it);
    }
    g_rand_free(rand);
}

static void tv_solutions_are_differentiated_in_data_lambda_and_matrix(void **state)
{
    (void) state;
    check_dense(PROBLEM_TV);
}

static void lasso_solutions_are_differentiated_in_data_lambda_and_matrix(void **state)
{
    (void) state;
    check_dense(PROBLEM_LASSO);
}

static void deconvolution_is_differentiated_in_the_response(void **state)
{
    (void) state;
    enum { N_TIME = 30, N_H = 6 };
    double h[N_H] = {0.1, 0.6, 1.0, 0.5, 0.1, -0.2};
    GRand *rand = g_rand_new_with_seed(6);
    struct instance it = {.op = hrf_conv_new(h, N_H, N_TIME, HRF_CONV_FULL, HRF_CONV_AUTO, NULL)};
    it.problem = problem_new_tv(it.op);
    instance_fill(&it, rand);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *u = g_new(double, it.op->n_in);
    double slopes[N_H];
    struct implicit_gradient gradient = {.response = slopes};
    solve(it.problem, it.x, it.lambda, u);
    assert_true(implicit_backward(it.problem, it.x, it.lambda, u, it.g, &gradient, ws));
    for (size_t k = 0; k < N_H; k++) {
        double values[2];
        for (int side = 0; side < 2; side++) {
            h[k] += side == 0 ? 1e-6 : -2e-6;
            g_autoptr(linop) op = hrf_conv_new(h, N_H, N_TIME, HRF_CONV_FULL, HRF_CONV_AUTO, NULL);
            g_autoptr(owned_problem) moved = problem_new_tv(op);
            values[side] = loss(moved, &it);
        }
        h[k] += 1e-6;
        assert_close(slopes[k], (values[0] - values[1]) / 2e-6, 1e-5);
    }
    instance_clear(&it);
    g_rand_free(rand);
}

static void without_a_unique_solution_there_is_no_derivative(void **state)
{
    (void) state;
    static const double matrix[4] = {1.0, 2.0, 1.0, 2.0}; // the same column twice
    static const double x[2] = {1.0, 1.0};
    static const double u[2] = {0.3, 0.2};
    static const double g[2] = {1.0, -1.0};
    double slopes[2];
    struct implicit_gradient gradient = {.x = slopes};
    g_autoptr(linop) op = linop_new_dense(matrix, 2, 2);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    g_autoptr(owned_workspace) ws = workspace_new();
    assert_false(implicit_backward(problem, x, 0.1, u, g, &gradient, ws));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deconvolution_is_differentiated_in_the_response),
        cmocka_unit_test(lasso_solutions_are_differentiated_in_data_lambda_and_matrix),
        cmocka_unit_test(tv_solutions_are_differentiated_in_data_lambda_and_matrix),
        cmocka_unit_test(without_a_unique_solution_there_is_no_derivative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
