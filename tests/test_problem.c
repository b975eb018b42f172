// SPDX-License-Identifier: BSD-3-Clause
#include "tests/operators.h"

#include "deconv/hrf_conv.h"
#include "solvers/problem.h"
#include "solvers/solver.h"

#include <string.h>

// A response of one bump and an undershoot, 0 at first.
static linop *bump_convolution(size_t n_time, enum hrf_conv_kind kind)
{
    double h[12];
    for (size_t k = 0; k < G_N_ELEMENTS(h); k++)
        h[k] = sin(0.4 * (double) k) * exp(-0.15 * (double) k);
    linop *op = hrf_conv_new(h, G_N_ELEMENTS(h), n_time, kind, HRF_CONV_AUTO, NULL);
    assert_non_null(op);
    return op;
}

enum { N_OPERATORS = 6 };

static linop *some_operator(int which, GRand *rand)
{
    switch (which) {
    case 0:
        return bump_convolution(60, HRF_CONV_CAUSAL);
    case 1:
        return bump_convolution(50, HRF_CONV_FULL);
    case 2:
        return dense_normal(40, 20, rand);
    case 3:
        return dense_normal(15, 45, rand);
    case 4:
        return linop_new_identity(30);
    default:
        return dense_normal(1, 1, rand);
    }
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static double norm_inf(const double *a, size_t n)
{
    double worst = 0.0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(a[i]));
    return worst;
}

static double minimum(const struct problem *problem, double *x, double lambda, double *u,
                      struct workspace *ws)
{
    struct solver_options options = solver_options_default();
    options.tol = 1e-13;
    options.max_iter = 300000;
    struct solver *solver = solver_new_fista(problem, &options, NULL);
    struct block in = block_of_series(x, problem->op->n_out);
    struct block out = block_of_series(u, problem->op->n_in);
    struct solve_input input = {.x = &in, .lambda = &lambda};
    struct series_result result;
    solver_run(solver, &input, &out, &result, ws);
    assert_int_not_equal(result.status, SERIES_INACCURATE);
    solver_free(solver);
    return result.objective;
}

// Points near and far from the solution, plain or piecewise constant.
static void random_point(const double *solution, double *u, size_t n, GRand *rand)
{
    double noise = exp(g_rand_double_range(rand, -12.0, 2.0));
    double level = g_rand_boolean(rand) ? g_rand_double_range(rand, -1.0, 1.0) : 0.0;
    bool plain = g_rand_boolean(rand);
    double step = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (plain || i % 5 == 0)
            step = noise * g_rand_double_range(rand, -1.0, 1.0);
        u[i] = solution[i] + level + step;
    }
}

static void the_gap_bounds_the_suboptimality(struct problem *problem, GRand *rand)
{
    enum { N_POINTS = 100 };
    struct workspace *ws = workspace_new();
    size_t n_in = problem->op->n_in;
    double *x = WORKSPACE_ALLOC(ws, double, problem->op->n_out);
    double *best = WORKSPACE_ALLOC(ws, double, n_in);
    double *u = WORKSPACE_ALLOC(ws, double, n_in);
    for (int round = 0; round < 6; round++) {
        fill_normal(rand, x, problem->op->n_out);
        double lambda =
            problem_lambda_max(problem, x, ws) * exp(g_rand_double_range(rand, -5.0, 0.3));
        double least = minimum(problem, x, lambda, best, ws);
        double size = 0.5 * dot(x, x, problem->op->n_out);
        for (int i = 0; i < N_POINTS; i++) {
            random_point(best, u, n_in, rand);
            struct certificate found = problem_certify(problem, x, u, lambda, ws);
            double rounding = 1e-12 * fmax(found.objective, size);
            assert_true(found.duality_gap >= found.objective - least - rounding);
            assert_true(found.objective >= least - rounding);
            problem_optimise_level(problem, x, u, ws);
            double objective = problem_objective(problem, x, u, lambda, ws);
            assert_close(found.objective, objective, rounding + 1e-15);
        }
    }
    workspace_free(ws);
}

static void the_gap_of_tv_bounds_the_suboptimality(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(1);
    for (int which = 0; which < N_OPERATORS; which++) {
        linop *op = some_operator(which, rand);
        struct problem *problem = problem_new_tv(op);
        the_gap_bounds_the_suboptimality(problem, rand);
        problem_free(problem);
        linop_free(op);
    }
    g_rand_free(rand);
}

static void the_gap_of_the_lasso_bounds_the_suboptimality(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(2);
    for (int which = 2; which < N_OPERATORS; which++) {
        linop *op = some_operator(which, rand);
        struct problem *problem = problem_new_lasso(op);
        the_gap_bounds_the_suboptimality(problem, rand);
        problem_free(problem);
        linop_free(op);
    }
    g_rand_free(rand);
}

// The gap of TV as it would be if the residual were not projected.
static double unprojected_gap(const struct problem *problem, const double *x, const double *u,
                              double lambda, struct workspace *ws)
{
    const linop *op = problem->op;
    double *r = WORKSPACE_ALLOC(ws, double, op->n_out);
    double *v = WORKSPACE_ALLOC(ws, double, op->n_in);
    linop_apply_series(op, u, r, ws);
    for (size_t t = 0; t < op->n_out; t++)
        r[t] = x[t] - r[t];
    linop_adjoint_series(op, r, v, ws);
    for (size_t i = op->n_in - 1; i > 0; i--)
        v[i - 1] += v[i];
    double rr = dot(r, r, op->n_out);
    double xr = dot(x, r, op->n_out);
    double bound = lambda / norm_inf(v + 1, op->n_in - 1);
    double a = fmin(fmax(xr / rr, -bound), bound);
    double primal = problem_objective(problem, x, u, lambda, ws);
    return primal - (a * xr - 0.5 * a * a * rr);
}

// With the level off, the unprojected number falls below the suboptimality: it certifies nothing.
static void only_the_projected_gap_certifies(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(3);
    linop *op = bump_convolution(60, HRF_CONV_CAUSAL);
    struct problem *problem = problem_new_tv(op);
    struct workspace *ws = workspace_new();
    double x[60];
    double best[60];
    double u[60];
    int n_wrong = 0;
    for (int round = 0; round < 20; round++) {
        fill_normal(rand, x, 60);
        for (size_t t = 0; t < 60; t++)
            x[t] += 20.0 * problem->level[t];
        double lambda = 0.1 * problem_lambda_max(problem, x, ws);
        double least = minimum(problem, x, lambda, best, ws);
        double shift = g_rand_double_range(rand, -0.3, 0.3);
        for (size_t i = 0; i < 60; i++)
            u[i] = best[i] + shift;
        double above = problem_objective(problem, x, u, lambda, ws) - least;
        n_wrong += unprojected_gap(problem, x, u, lambda, ws) < above - 1e-6;
        struct certificate found = problem_certify(problem, x, u, lambda, ws);
        assert_true(found.duality_gap <= 1e-12 * found.trivial_objective);
        assert_close(found.objective, least, 1e-11);
    }
    assert_true(n_wrong > 0);
    workspace_free(ws);
    problem_free(problem);
    linop_free(op);
    g_rand_free(rand);
}

// Just below lambda_max the solution jumps, from it on the trivial one is optimal.
static void lambda_max_is_where_the_trivial_solution_ends(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(4);
    struct workspace *ws = workspace_new();
    double x[60];
    double u[60];
    for (int which = 0; which < N_OPERATORS - 1; which++)
        for (int kind = PROBLEM_LASSO; kind <= PROBLEM_TV; kind++) {
            linop *op = some_operator(which, rand);
            struct problem *problem =
                kind == PROBLEM_TV ? problem_new_tv(op) : problem_new_lasso(op);
            fill_normal(rand, x, op->n_out);
            double level = problem_trivial_level(problem, x);
            for (size_t i = 0; i < op->n_in; i++)
                u[i] = level;
            double lambda_max = problem_lambda_max(problem, x, ws);
            struct certificate at = problem_certify(problem, x, u, lambda_max, ws);
            assert_true(at.relative_gap <= 1e-13);
            assert_close(at.objective, at.trivial_objective, 1e-12);
            struct certificate below = problem_certify(problem, x, u, 0.999 * lambda_max, ws);
            assert_true(below.relative_gap > 1e-8);
            assert_true(minimum(problem, x, 0.99 * lambda_max, u, ws) <
                        below.objective * (1.0 - 1e-9));
            problem_free(problem);
            linop_free(op);
        }
    workspace_free(ws);
    g_rand_free(rand);
}

static void the_level_is_the_best_one(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(5);
    struct workspace *ws = workspace_new();
    double x[60];
    double u[60];
    for (int which = 0; which < N_OPERATORS; which++) {
        linop *op = some_operator(which, rand);
        struct problem *problem = problem_new_tv(op);
        fill_normal(rand, x, op->n_out);
        fill_normal(rand, u, op->n_in);
        problem_optimise_level(problem, x, u, ws);
        double at = problem_objective(problem, x, u, 0.7, ws);
        static const double shifts[] = {1e-3, -2e-3};
        for (size_t s = 0; s < G_N_ELEMENTS(shifts); s++) {
            for (size_t i = 0; i < op->n_in; i++)
                u[i] += shifts[s];
            assert_true(problem_objective(problem, x, u, 0.7, ws) > at);
        }
        problem_free(problem);
        linop_free(op);
    }
    workspace_free(ws);
    g_rand_free(rand);
}

static void objectives_are_what_they_say(void **state)
{
    (void) state;
    const double x[] = {1.0, 2.0, 4.0};
    const double u[] = {1.0, -1.0, 2.0};
    struct workspace *ws = workspace_new();
    linop *op = linop_new_identity(3);
    struct problem *tv = problem_new_tv(op);
    struct problem *lasso = problem_new_lasso(op);
    // 1/2 (0 + 9 + 4), variations 2 + 3, sizes 1 + 1 + 2.
    assert_close(problem_objective(tv, x, u, 2.0, ws), 6.5 + 2.0 * 5.0, 1e-15);
    assert_close(problem_objective(lasso, x, u, 2.0, ws), 6.5 + 2.0 * 4.0, 1e-15);
    assert_close(problem_penalty(tv, u), 5.0, 0.0);
    assert_close(problem_penalty(lasso, u), 4.0, 0.0);
    assert_close(problem_trivial_level(tv, x), 7.0 / 3.0, 1e-15);
    assert_close(problem_trivial_level(lasso, x), 0.0, 0.0);
    // Centred: -4/3, -1/3, 5/3; summed from the end: 0, 4/3, 5/3.
    assert_close(problem_lambda_max(tv, x, ws), 5.0 / 3.0, 1e-15);
    assert_close(problem_lambda_max(lasso, x, ws), 4.0, 0.0);
    double g[3] = {10.0, 10.0, 10.0};
    problem_penalty_subgradient(tv, u, 2.0, g);
    assert_true(g[0] == 12.0 && g[1] == 6.0 && g[2] == 12.0);
    problem_free(tv);
    problem_free(lasso);
    linop_free(op);
    workspace_free(ws);
}

static void a_perfect_fit_has_the_gap_of_its_penalty(void **state)
{
    (void) state;
    struct workspace *ws = workspace_new();
    linop *op = linop_new_identity(4);
    struct problem *problem = problem_new_tv(op);
    const double x[] = {1.0, 3.0, 3.0, 0.0};
    // r = 0: no dual point but 0.
    struct certificate fit = problem_certify(problem, x, x, 0.5, ws);
    assert_close(fit.objective, 0.5 * 5.0, 1e-15);
    assert_close(fit.duality_gap, 0.5 * 5.0, 1e-15);
    // Without penalty a perfect fit is the solution.
    struct certificate free_fit = problem_certify(problem, x, x, 0.0, ws);
    assert_close(free_fit.duality_gap, 0.0, 0.0);
    assert_close(free_fit.relative_gap, 0.0, 0.0);
    problem_free(problem);
    linop_free(op);
    workspace_free(ws);
}

// v = 0: a residual that A does not see is optimal for every lambda.
static void an_unseen_residual_is_optimal(void **state)
{
    (void) state;
    const double matrix[] = {1.0, 0.0, 2.0, 0.0};
    const double x[] = {0.0, 3.0};
    const double u[] = {0.0, 0.0};
    struct workspace *ws = workspace_new();
    linop *op = linop_new_dense(matrix, 2, 2);
    struct problem *problem = problem_new_tv(op);
    assert_close(problem_lambda_max(problem, x, ws), 0.0, 0.0);
    struct certificate found = problem_certify(problem, x, u, 0.0, ws);
    assert_close(found.objective, 4.5, 1e-15);
    assert_close(found.duality_gap, 0.0, 1e-15);
    problem_free(problem);
    linop_free(op);
    workspace_free(ws);
}

// Data in the span of A 1, at any scale: the constant is certified, rounding is not a signal.
static void data_that_a_constant_explains_have_no_lambda(void **state)
{
    (void) state;
    static const double levels[] = {0.3, -7e8, 1.1e-12, 0.0};
    GRand *rand = g_rand_new_with_seed(6);
    struct workspace *ws = workspace_new();
    for (int which = 0; which < N_OPERATORS; which++)
        for (size_t l = 0; l < G_N_ELEMENTS(levels); l++) {
            linop *op = some_operator(which, rand);
            struct problem *problem = problem_new_tv(op);
            double *u = WORKSPACE_ALLOC(ws, double, op->n_in);
            double *x = WORKSPACE_ALLOC(ws, double, op->n_out);
            for (size_t t = 0; t < op->n_out; t++)
                x[t] = levels[l] * problem->level[t];
            for (size_t i = 0; i < op->n_in; i++)
                u[i] = problem_trivial_level(problem, x);
            assert_close(problem_lambda_max(problem, x, ws), 0.0, 0.0);
            static const double lambdas[] = {0.0, 1e-20, 1.0};
            for (size_t i = 0; i < G_N_ELEMENTS(lambdas); i++) {
                struct certificate found = problem_certify(problem, x, u, lambdas[i], ws);
                assert_close(found.trivial_objective, 0.0, 0.0);
                assert_true(found.relative_gap <= 1e-12);
            }
            problem_free(problem);
            linop_free(op);
            workspace_release(ws, 0);
        }
    workspace_free(ws);
    g_rand_free(rand);
}

// A zero operator sees no level: nothing is projected, u = 0 is as good as any constant.
static void a_zero_operator_has_a_trivial_problem(void **state)
{
    (void) state;
    const double zeros[6] = {0.0};
    const double x[] = {1.0, 2.0, 3.0};
    const double u[] = {0.0, 0.0};
    struct workspace *ws = workspace_new();
    linop *op = linop_new_dense(zeros, 3, 2);
    struct problem *problem = problem_new_tv(op);
    assert_close(problem_trivial_level(problem, x), 0.0, 0.0);
    assert_close(problem_lambda_max(problem, x, ws), 0.0, 0.0);
    struct certificate found = problem_certify(problem, x, u, 0.1, ws);
    assert_close(found.objective, 7.0, 1e-15);
    assert_close(found.duality_gap, 0.0, 1e-15);
    problem_free(problem);
    linop_free(op);
    workspace_free(ws);
}

// P(c u; c x, c lambda) = c^2 P(u; x, lambda), and so for every number of a certificate.
static void certificates_scale_with_the_data(void **state)
{
    (void) state;
    static const double scales[] = {0x1p100, 0x1p-100, -1.0};
    GRand *rand = g_rand_new_with_seed(7);
    struct workspace *ws = workspace_new();
    linop *op = dense_normal(15, 10, rand);
    struct problem *problem = problem_new_tv(op);
    double x[15];
    double u[10];
    fill_normal(rand, x, 15);
    fill_normal(rand, u, 10);
    struct certificate one = problem_certify(problem, x, u, 0.3, ws);
    for (size_t s = 0; s < G_N_ELEMENTS(scales); s++) {
        double cx[15];
        double cu[10];
        double c = scales[s];
        for (size_t t = 0; t < 15; t++)
            cx[t] = c * x[t];
        for (size_t i = 0; i < 10; i++)
            cu[i] = c * u[i];
        struct certificate found = problem_certify(problem, cx, cu, fabs(c) * 0.3, ws);
        assert_close(found.objective / c / c, one.objective, 1e-12);
        assert_close(found.duality_gap / c / c, one.duality_gap, 1e-12);
        assert_close(found.relative_gap, one.relative_gap, 1e-12);
    }
    problem_free(problem);
    linop_free(op);
    workspace_free(ws);
    g_rand_free(rand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gap_of_tv_bounds_the_suboptimality),
        cmocka_unit_test(the_gap_of_the_lasso_bounds_the_suboptimality),
        cmocka_unit_test(only_the_projected_gap_certifies),
        cmocka_unit_test(lambda_max_is_where_the_trivial_solution_ends),
        cmocka_unit_test(the_level_is_the_best_one),
        cmocka_unit_test(objectives_are_what_they_say),
        cmocka_unit_test(a_perfect_fit_has_the_gap_of_its_penalty),
        cmocka_unit_test(an_unseen_residual_is_optimal),
        cmocka_unit_test(data_that_a_constant_explains_have_no_lambda),
        cmocka_unit_test(a_zero_operator_has_a_trivial_problem),
        cmocka_unit_test(certificates_scale_with_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
