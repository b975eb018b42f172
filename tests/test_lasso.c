// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden.h"

#include "solvers/solver.h"
#include "solvers/working_set.h"

#include <cblas.h>

static const struct {
    const char *name;
    solver_constructor *construct;
} methods[] = {{"exact", solver_new_exact},    {"lars", solver_new_lars},
               {"cd", solver_new_cd},          {"greedy-cd", solver_new_greedy_cd},
               {"fista", solver_new_fista},    {"apgd", solver_new_apgd},
               {"ista", solver_new_pgd},       {"oista", solver_new_oista},
               {"bt-ista", solver_new_bt_ista}};

enum { N_METHODS = G_N_ELEMENTS(methods) };

// A Lasso on one matrix, and a block of series for it.
struct instance {
    linop *op;
    struct problem *problem;
    struct workspace *ws;
    struct block x, z;
    double *lambda; // fractions of lambda_max, or values
    struct series_result *results;
};

static struct instance instance_new(const double *matrix, size_t n, size_t m, size_t n_series)
{
    struct instance i = {.op = linop_new_dense(matrix, n, m), .ws = workspace_new()};
    i.problem = problem_new_lasso(i.op);
    i.x = (struct block){n, n_series, n, g_new0(double, n *n_series)};
    i.z = (struct block){m, n_series, m, g_new0(double, m *n_series)};
    i.lambda = g_new0(double, n_series);
    i.results = g_new0(struct series_result, n_series);
    return i;
}

static void instance_free(struct instance *i)
{
    problem_free(i->problem);
    linop_free(i->op);
    workspace_free(i->ws);
    g_free(i->x.data);
    g_free(i->z.data);
    g_free(i->lambda);
    g_free(i->results);
}

static void run(struct instance *i, solver_constructor *construct, struct solver_options options,
                bool lambda_is_ratio)
{
    GError *error = NULL;
    g_autoptr(owned_solver) solver = construct(i->problem, &options, &error);
    assert_non_null(solver);
    assert_null(error);
    struct solve_input input = {
        .x = &i->x, .lambda = i->lambda, .lambda_is_ratio = lambda_is_ratio};
    solver_run(solver, &input, &i->z, i->results, i->ws);
}

static struct solver_options to_gap(double tol)
{
    struct solver_options options = solver_options_default();
    options.tol = tol;
    options.max_iter = 1000000;
    return options;
}

static void set_all(double *values, size_t n, double value)
{
    for (size_t k = 0; k < n; k++)
        values[k] = value;
}

// Samples are rows and D is transposed there: row-major m x n is the column-major n x m of here.
static struct instance golden_instance(const char *kind, const char *d_name, const char *x_name)
{
    g_autoptr(owned_golden) d = golden_array(kind, d_name);
    g_autoptr(owned_golden) x = golden_array(kind, x_name);
    struct instance i = instance_new(d->data, d->cols, d->rows, x->rows);
    assert_int_equal(x->cols, d->cols);
    memcpy(i.x.data, x->data, x->rows * x->cols * sizeof(double));
    return i;
}

static void check_golden(const char *problem, const char *lambda)
{
    g_autofree char *d_name = g_strdup_printf("%s_D", problem);
    g_autofree char *x_name = g_strdup_printf("%s_x", problem);
    g_autofree char *f_name = g_strdup_printf("%s_l%s_F", problem, lambda);
    struct instance i = golden_instance("lasso", d_name, x_name);
    g_autoptr(owned_golden) f = golden_array("lasso", f_name);
    set_all(i.lambda, i.x.n_series, g_ascii_strtod(lambda, NULL));
    for (size_t k = 0; k < N_METHODS; k++) {
        // At lambda 0.01 the first-order methods need 1e5 iterations and more to the last digit.
        bool is_direct = k < 2;
        double tol = is_direct ? 1e-12 : 1e-8;
        run(&i, methods[k].construct, to_gap(tol), false);
        for (size_t v = 0; v < i.x.n_series; v++) {
            assert_close(i.results[v].lambda_max, 1.0, 1e-12);
            assert_int_equal(i.results[v].status, SERIES_SOLVED);
            assert_close(i.results[v].objective, f->data[v], is_direct ? 1e-12 : 1e-7);
        }
    }
    instance_free(&i);
}

static void every_method_reaches_the_golden_objectives(void **state)
{
    (void) state;
    static const char *const cases[][2] = {
        {"m10_n5", "0.1"},   {"m10_n5", "0.5"},   {"m10_n5", "0.8"},    {"m20_n10", "0.01"},
        {"m20_n10", "0.1"},  {"m20_n10", "0.5"},  {"m20_n10", "0.8"},   {"m100_n64", "0.01"},
        {"m100_n64", "0.1"}, {"m100_n64", "0.8"}, {"m256_n64", "0.01"}, {"m256_n64", "0.5"},
        {"m256_n64", "0.8"}};
    for (size_t k = 0; k < G_N_ELEMENTS(cases); k++)
        check_golden(cases[k][0], cases[k][1]);
}

// The iterates of every series of a run.
struct trace {
    size_t n_in, n_iterations;
    double *iterates; // n_in x (n_iterations + 1) x n_series
};

static void keep_iterate(void *data, size_t series, size_t iteration, const double *u)
{
    struct trace *trace = data;
    assert_true(iteration <= trace->n_iterations);
    size_t at = series * (trace->n_iterations + 1) + iteration;
    memcpy(trace->iterates + at * trace->n_in, u, trace->n_in * sizeof(double));
}

static const double *trace_at(const struct trace *trace, size_t series, size_t iteration)
{
    return trace->iterates + (series * (trace->n_iterations + 1) + iteration) * trace->n_in;
}

// The trace of a number of iterations, from 0 or from a start of one entry for each of z.
static struct trace run_from(struct instance *i, solver_constructor *construct, size_t n_iterations,
                             const struct block *start)
{
    struct trace trace = {i->op->n_in, n_iterations, NULL};
    trace.iterates = g_new0(double, i->op->n_in *(n_iterations + 1) * i->x.n_series);
    struct solver_observer observer = {keep_iterate, &trace};
    struct solver_options options = to_gap(0.0);
    options.max_iter = n_iterations;
    options.observer = &observer;
    options.start = start == NULL ? START_CONST : START_GIVEN;
    g_autoptr(owned_solver) solver = construct(i->problem, &options, NULL);
    struct solve_input input = {.x = &i->x, .lambda = i->lambda, .start = start};
    solver_run(solver, &input, &i->z, i->results, i->ws);
    return trace;
}

static struct trace run_traced(struct instance *i, solver_constructor *construct,
                               size_t n_iterations)
{
    return run_from(i, construct, n_iterations, NULL);
}

static double objective_at(struct instance *i, const struct trace *trace, size_t v,
                           size_t iteration)
{
    return problem_objective(i->problem, block_series(&i->x, v), trace_at(trace, v, iteration),
                             i->lambda[v], i->ws);
}

// The public curves use ||D||^2 itself; ours is a bound 0.05 % above.
static void set_exact_norm(struct instance *i)
{
    i->op->norm2 = linop_power_norm2(i->op) / 1.0005;
}

static void check_curve(const char *method, const char *lambda, solver_constructor *construct)
{
    g_autofree char *cost_name = g_strdup_printf("%s_m20_n10_l%s_cost", method, lambda);
    g_autofree char *z_name = g_strdup_printf("%s_m20_n10_l%s_z100", method, lambda);
    struct instance i = golden_instance("lasso_curves", "m20_n10_D", "m20_n10_x");
    g_autoptr(owned_golden) cost = golden_array("lasso_curves", cost_name);
    g_autoptr(owned_golden) z = golden_array("lasso_curves", z_name);
    set_exact_norm(&i);
    set_all(i.lambda, i.x.n_series, g_ascii_strtod(lambda, NULL));
    struct trace trace = run_traced(&i, construct, 100);
    for (size_t t = 0; t <= 100; t++) {
        double mean = 0.0;
        for (size_t v = 0; v < i.x.n_series; v++)
            mean += objective_at(&i, &trace, v, t) / (double) i.x.n_series;
        assert_close(mean, cost->data[t], 1e-8);
    }
    assert_close(max_abs_difference(i.z.data, z->data, z->rows * z->cols), 0.0, 1e-7);
    g_free(trace.iterates);
    instance_free(&i);
}

static void ista_and_fista_follow_the_golden_curves(void **state)
{
    (void) state;
    check_curve("ista", "0.1", solver_new_pgd);
    check_curve("fista", "0.1", solver_new_apgd);
    check_curve("fista", "0.5", solver_new_apgd);
}

// The step that led from z to next, seen at an entry that is not zero at next: there,
// next = z - rho (g + lambda sign(next)).
static double step_between(struct instance *i, size_t v, const double *z, const double *next)
{
    size_t n = i->op->n_out, m = i->op->n_in;
    g_autofree double *residual = g_new(double, n);
    g_autofree double *gradient = g_new(double, m);
    linop_apply_series(i->op, z, residual, i->ws);
    for (size_t t = 0; t < n; t++)
        residual[t] -= block_series(&i->x, v)[t];
    linop_adjoint_series(i->op, residual, gradient, i->ws);
    size_t best = 0;
    double slope = 0.0;
    for (size_t j = 0; j < m; j++) {
        if (next[j] == 0.0)
            continue;
        double candidate = gradient[j] + copysign(i->lambda[v], next[j]);
        if (fabs(candidate) > fabs(slope)) {
            slope = candidate;
            best = j;
        }
    }
    return (z[best] - next[best]) / slope;
}

static void oista_takes_the_golden_steps(void **state)
{
    (void) state;
    struct instance i = golden_instance("lasso_curves", "m20_n10_D", "m20_n10_x");
    g_autoptr(owned_golden) cost =
        golden_array("lasso_curves", "oista_m20_n10_l0.5_cost_persample");
    g_autoptr(owned_golden) steps =
        golden_array("lasso_curves", "oista_m20_n10_l0.5_steps_persample");
    g_autoptr(owned_golden) z = golden_array("lasso_curves", "oista_m20_n10_l0.5_z100");
    set_exact_norm(&i);
    set_all(i.lambda, i.x.n_series, 0.5);
    struct trace trace = run_traced(&i, solver_new_oista, 100);
    for (size_t v = 0; v < i.x.n_series; v++)
        for (size_t t = 0; t < 100; t++) {
            assert_close(objective_at(&i, &trace, v, t), golden_row(cost, v)[t], 1e-8);
            // Once converged, the step cannot be seen any more.
            const double *now = trace_at(&trace, v, t), *next = trace_at(&trace, v, t + 1);
            if (max_abs_difference(now, next, i.op->n_in) > 1e-7)
                assert_close(step_between(&i, v, now, next), golden_row(steps, v)[t], 1e-5);
        }
    assert_close(max_abs_difference(i.z.data, z->data, z->rows * z->cols), 0.0, 1e-7);
    g_free(trace.iterates);
    instance_free(&i);
}

// The example of the talk: D 10 x 50, not normalised, lambda 0.5, 200 iterations.
static void oracle_and_backtracking_steps_reach_machine_precision(void **state)
{
    (void) state;
    struct instance i = golden_instance("lasso_curves", "fig2_oista_D", "fig2_oista_x");
    i.lambda[0] = 0.5;
    run(&i, solver_new_exact, to_gap(1e-6), false);
    double minimum = i.results[0].objective;
    struct solver_options options = to_gap(0.0);
    options.max_iter = 200;
    double suboptimality[N_METHODS];
    for (size_t k = 0; k < N_METHODS; k++) {
        run(&i, methods[k].construct, options, false);
        suboptimality[k] = i.results[0].objective - minimum;
    }
    for (size_t k = 0; k < N_METHODS; k++) {
        bool is_fixed_step =
            strcmp(methods[k].name, "ista") == 0 || strcmp(methods[k].name, "apgd") == 0;
        assert_close(suboptimality[k], 0.0, is_fixed_step ? 1e-10 : 1e-15);
    }
    instance_free(&i);
}

static void fill_problem(GRand *rand, struct instance *i, double lambda_low)
{
    fill_normal(rand, i->x.data, i->x.n_time * i->x.n_series);
    for (size_t v = 0; v < i->x.n_series; v++)
        i->lambda[v] = g_rand_double_range(rand, lambda_low, 1.0);
}

// All methods, on the same series: each objective is within its gap of the exact minimum, and no
// gap is below the true suboptimality.
static void check_agreement(struct instance *i)
{
    size_t n_series = i->x.n_series;
    run(i, solver_new_exact, to_gap(1e-12), true);
    g_autofree struct series_result *exact = g_memdup2(i->results, n_series * sizeof *i->results);
    for (size_t v = 0; v < n_series; v++)
        assert_true(exact[v].relative_gap <= 1e-12);
    for (size_t k = 1; k < N_METHODS; k++) {
        run(i, methods[k].construct, to_gap(1e-8), true);
        for (size_t v = 0; v < n_series; v++) {
            const struct series_result *result = &i->results[v];
            double scale =
                cblas_ddot((int) i->x.n_time, block_series(&i->x, v), 1, block_series(&i->x, v), 1);
            if (!(result->relative_gap <= 1e-8))
                fail_msg("%s: gap %g", methods[k].name, result->relative_gap);
            assert_close(result->objective, exact[v].objective, 1e-8 * scale);
            double suboptimality = result->objective - exact[v].objective;
            assert_true(result->duality_gap >= suboptimality - 1e-14 * scale);
            assert_close(result->lambda, exact[v].lambda, 1e-12 * exact[v].lambda);
        }
    }
}

static void check_random(const size_t (*sizes)[2], size_t n_sizes, guint32 seed)
{
    GRand *rand = g_rand_new_with_seed(seed);
    double matrix[40 * 40];
    for (size_t k = 0; k < 25; k++) {
        const size_t *size = sizes[k % n_sizes];
        fill_normal(rand, matrix, size[0] * size[1]);
        struct instance i = instance_new(matrix, size[0], size[1], 4);
        fill_problem(rand, &i, 0.1);
        check_agreement(&i);
        instance_free(&i);
    }
    g_rand_free(rand);
}

static void every_pair_of_methods_agrees_on_tall_problems(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{2, 1}, {3, 2}, {20, 5}, {40, 30}};
    check_random(sizes, G_N_ELEMENTS(sizes), 1);
}

static void every_pair_of_methods_agrees_on_wide_problems(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{1, 2}, {1, 20}, {5, 20}, {20, 40}};
    check_random(sizes, G_N_ELEMENTS(sizes), 2);
}

static void every_pair_of_methods_agrees_on_square_problems(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{1, 1}, {2, 2}, {10, 10}, {30, 30}};
    check_random(sizes, G_N_ELEMENTS(sizes), 3);
}

// Columns come twice, with either sign, or are zero.
static void every_pair_of_methods_agrees_with_duplicated_and_zero_columns(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{1, 2}, {1, 8}, {12, 8}, {8, 24}};
    GRand *rand = g_rand_new_with_seed(4);
    double matrix[8 * 24];
    for (size_t k = 0; k < 25; k++) {
        size_t n = sizes[k % 4][0], m = sizes[k % 4][1];
        fill_normal(rand, matrix, n * m);
        for (size_t j = 1; j < m; j += 2)
            for (size_t t = 0; t < n; t++)
                matrix[j * n + t] = (double) ((int) (j / 2 + k) % 3 - 1) * matrix[(j - 1) * n + t];
        struct instance i = instance_new(matrix, n, m, 4);
        fill_problem(rand, &i, 0.1);
        check_agreement(&i);
        instance_free(&i);
    }
    g_rand_free(rand);
}

// Beyond the size of a Gram matrix: working sets, and descents that make columns as they go.
static void methods_agree_on_more_columns_than_a_gram_matrix_has(void **state)
{
    (void) state;
    enum { N = 60, M = 2100, N_SERIES = 12 };
    static solver_constructor *const constructors[] = {solver_new_cd, solver_new_greedy_cd,
                                                       solver_new_fista};
    GRand *rand = g_rand_new_with_seed(11);
    g_autofree double *matrix = g_new(double, N *M);
    fill_normal(rand, matrix, N * M);
    // Neighbours are alike.
    for (size_t k = N; k < N * M; k++)
        matrix[k] = 0.96 * matrix[k - N] + 0.28 * matrix[k];
    struct instance i = instance_new(matrix, N, M, N_SERIES);
    fill_problem(rand, &i, 0.05);
    i.lambda[3] = 1.0;
    memset(block_series(&i.x, 5), 0, N * sizeof(double));
    run(&i, solver_new_exact, to_gap(1e-12), true);
    g_autofree struct series_result *exact = g_memdup2(i.results, N_SERIES * sizeof *i.results);
    for (size_t v = 0; v < N_SERIES; v++) {
        assert_int_equal(exact[v].status, v == 5 ? SERIES_CONSTANT : SERIES_SOLVED);
        assert_int_equal(exact[v].n_jumps == 0, v == 3 || v == 5);
        assert_close(exact[v].relative_gap, 0.0, 1e-12);
    }
    for (size_t k = 0; k < G_N_ELEMENTS(constructors); k++) {
        run(&i, constructors[k], to_gap(1e-6), true);
        for (size_t v = 0; v < N_SERIES; v++) {
            assert_close(i.results[v].relative_gap, 0.0, 1e-6);
            assert_close(i.results[v].objective, exact[v].objective, 1e-5 * exact[v].objective);
        }
    }
    instance_free(&i);
    g_rand_free(rand);
}

// A series alone, in a block, and from its own solution or another point.
static void a_working_set_finds_the_minimum_from_any_company_and_start(void **state)
{
    (void) state;
    enum { N = 20, M = 3000, N_SERIES = 32 };
    GRand *rand = g_rand_new_with_seed(12);
    g_autofree double *matrix = g_new(double, N *M);
    g_autofree double *start = g_new0(double, M *N_SERIES);
    fill_normal(rand, matrix, N * M);
    struct instance i = instance_new(matrix, N, M, N_SERIES);
    fill_problem(rand, &i, 0.02);
    run(&i, solver_new_exact, to_gap(1e-12), true);
    g_autofree struct series_result *together = g_memdup2(i.results, N_SERIES * sizeof *i.results);
    // Half of the starts are solutions, the others are not even minimal on their columns.
    memcpy(start, i.z.data, M * N_SERIES / 2 * sizeof(double));
    for (size_t k = M * N_SERIES / 2; k < M * N_SERIES; k += 97)
        start[k] = 0.1 * g_rand_double(rand);

    struct solver_options options = to_gap(1e-12);
    options.start = START_GIVEN;
    g_autoptr(owned_solver) solver = solver_new_exact(i.problem, &options, NULL);
    for (size_t v = 0; v < N_SERIES; v++) {
        struct block x = block_slice(&i.x, v, 1);
        struct block z = block_slice(&i.z, v, 1);
        struct block from = block_of_series(start + v * M, M);
        struct solve_input input = {
            .x = &x, .lambda = i.lambda + v, .lambda_is_ratio = true, .start = &from};
        solver_run(solver, &input, &z, i.results + v, i.ws);
        assert_int_equal(i.results[v].status, SERIES_SOLVED);
        assert_close(i.results[v].objective, together[v].objective, 1e-12 * together[v].objective);
    }
    instance_free(&i);
    g_rand_free(rand);
}

static void a_working_set_finishes_without_help(void **state)
{
    (void) state;
    enum { N = 100, M = 2500, N_SERIES = 8 };
    GRand *rand = g_rand_new_with_seed(13);
    g_autofree double *matrix = g_new(double, N *M);
    fill_normal(rand, matrix, N * M);
    for (size_t k = N; k < N * M; k++)
        matrix[k] += 0.99 * matrix[k - N];
    struct instance i = instance_new(matrix, N, M, N_SERIES);
    g_autoptr(owned_lasso_form) form = lasso_form_new(i.problem, false);
    struct block b = {triangle_padded(M), N_SERIES, triangle_padded(M), NULL};
    g_autofree double *correlations = g_new(double, b.stride *N_SERIES);
    b.data = correlations;
    fill_normal(rand, i.x.data, N * N_SERIES);
    lasso_form_correlations(form, &i.x, &b, i.ws);
    for (size_t v = 0; v < N_SERIES; v++)
        i.lambda[v] = 0.02 * (double) (v + 1) * lasso_form_lambda_max(block_series(&b, v), M);
    struct working_set_input input = {form, &i.x, &b, i.lambda};
    struct working_set_result results[N_SERIES];
    working_set_solve(&input, &i.z, results, i.ws);
    for (size_t v = 0; v < N_SERIES; v++) {
        assert_true(results[v].finished);
        double gap = problem_certify(i.problem, block_series(&i.x, v), block_series(&i.z, v),
                                     i.lambda[v], i.ws)
                         .relative_gap;
        assert_close(gap, 0.0, 1e-12);
    }
    instance_free(&i);
    g_rand_free(rand);
}

static void check_degenerate(solver_constructor *construct)
{
    GRand *rand = g_rand_new_with_seed(5);
    double matrix[6 * 9];
    fill_normal(rand, matrix, 6 * 9);
    struct instance i = instance_new(matrix, 6, 9, 4);
    fill_normal(rand, i.x.data, 6 * 4);
    memset(block_series(&i.x, 0), 0, 6 * sizeof(double));
    block_series(&i.x, 3)[2] = NAN;
    i.lambda[0] = 0.5;
    i.lambda[1] = 1.0;
    i.lambda[2] = 7.0;
    i.lambda[3] = 0.5;
    run(&i, construct, to_gap(1e-6), true);
    for (size_t v = 0; v < 4; v++)
        for (size_t j = 0; j < 9; j++)
            assert_true(block_series(&i.z, v)[j] == 0.0);
    assert_int_equal(i.results[0].status, SERIES_CONSTANT);
    assert_int_equal(i.results[1].status, SERIES_SOLVED);
    assert_int_equal(i.results[2].status, SERIES_SOLVED);
    assert_int_equal(i.results[3].status, SERIES_NONFINITE);
    assert_close(i.results[1].relative_gap, 0.0, 1e-14);
    instance_free(&i);
    g_rand_free(rand);
}

static void zero_and_nan_series_and_large_lambdas_give_zero(void **state)
{
    (void) state;
    for (size_t k = 0; k < N_METHODS; k++)
        check_degenerate(methods[k].construct);
}

// Least squares: with more columns than samples x is fitted exactly, which the gap certifies; with
// fewer, the residual is orthogonal to all columns.
static void check_lambda_zero(solver_constructor *construct, size_t n, size_t m)
{
    GRand *rand = g_rand_new_with_seed(6);
    double matrix[50];
    fill_normal(rand, matrix, n * m);
    struct instance i = instance_new(matrix, n, m, 1);
    fill_normal(rand, i.x.data, n);
    struct solver_options options = to_gap(1e-13);
    options.max_iter = 20000;
    run(&i, construct, options, true);
    g_autofree double *residual = g_new(double, n);
    g_autofree double *correlations = g_new(double, m);
    linop_apply_series(i.op, i.z.data, residual, i.ws);
    for (size_t t = 0; t < n; t++)
        residual[t] -= i.x.data[t];
    linop_adjoint_series(i.op, residual, correlations, i.ws);
    for (size_t j = 0; j < m; j++)
        assert_close(correlations[j], 0.0, 1e-5);
    assert_int_equal(i.results[0].status, m > n ? SERIES_SOLVED : SERIES_INACCURATE);
    instance_free(&i);
    g_rand_free(rand);
}

static void lambda_zero_is_least_squares(void **state)
{
    (void) state;
    for (size_t k = 0; k < N_METHODS; k++) {
        check_lambda_zero(methods[k].construct, 10, 4);
        check_lambda_zero(methods[k].construct, 4, 10);
    }
}

static void a_given_start_is_iteration_zero(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(7);
    double matrix[6 * 9], start[9];
    fill_normal(rand, matrix, 6 * 9);
    fill_normal(rand, start, 9);
    for (size_t k = 2; k < N_METHODS; k++) {
        struct instance i = instance_new(matrix, 6, 9, 1);
        fill_normal(rand, i.x.data, 6);
        i.lambda[0] = 0.2 * problem_lambda_max(i.problem, i.x.data, i.ws);
        struct block given = block_of_series(start, 9);
        struct trace trace = run_from(&i, methods[k].construct, 500, &given);
        assert_memory_equal(trace_at(&trace, 0, 0), start, sizeof start);
        assert_close(i.results[0].relative_gap, 0.0, 1e-3);
        g_free(trace.iterates);
        instance_free(&i);
    }
    g_rand_free(rand);
}

// The start has one entry, whose oracle step is far too long for the others that join at once.
static void oracle_and_backtracking_steps_never_raise_the_objective(void **state)
{
    (void) state;
    static solver_constructor *const constructors[] = {solver_new_oista, solver_new_bt_ista};
    enum { N = 10, M = 30, N_ITERATIONS = 200 };
    GRand *rand = g_rand_new_with_seed(10);
    double matrix[N * M], start[M] = {0.1};
    struct block given = block_of_series(start, M);
    for (size_t k = 0; k < 20; k++) {
        fill_normal(rand, matrix, N * M);
        struct instance i = instance_new(matrix, N, M, 1);
        fill_normal(rand, i.x.data, N);
        i.lambda[0] = 0.05 * problem_lambda_max(i.problem, i.x.data, i.ws);
        struct trace trace = run_from(&i, constructors[k % 2], N_ITERATIONS, &given);
        for (size_t t = 0; t < N_ITERATIONS; t++) {
            double before = objective_at(&i, &trace, 0, t);
            assert_true(objective_at(&i, &trace, 0, t + 1) <= before * (1.0 + 1e-14));
        }
        g_free(trace.iterates);
        instance_free(&i);
    }
    g_rand_free(rand);
}

// F(z_t) - F* <= L ||z_0 - z*||^2 / (2 t) for ISTA, 2 L ||z_0 - z*||^2 / (t + 1)^2 for FISTA (Beck
// and Teboulle 2009).
static void ista_and_fista_keep_their_bounds(void **state)
{
    (void) state;
    enum { N = 10, M = 30, N_ITERATIONS = 300 };
    GRand *rand = g_rand_new_with_seed(8);
    double matrix[N * M];
    for (size_t k = 0; k < 10; k++) {
        fill_normal(rand, matrix, N * M);
        struct instance i = instance_new(matrix, N, M, 1);
        fill_normal(rand, i.x.data, N);
        i.lambda[0] = 0.1 * problem_lambda_max(i.problem, i.x.data, i.ws);
        run(&i, solver_new_exact, to_gap(1e-12), false);
        double minimum = i.results[0].objective;
        double distance2 = cblas_ddot(M, i.z.data, 1, i.z.data, 1);
        struct trace ista = run_traced(&i, solver_new_pgd, N_ITERATIONS);
        struct trace fista = run_traced(&i, solver_new_apgd, N_ITERATIONS);
        double bound = 0.5 * i.op->norm2 * distance2;
        for (size_t t = 1; t <= N_ITERATIONS; t++) {
            double s = (double) t;
            double slack = 1e-13 * minimum;
            assert_true(objective_at(&i, &ista, 0, t) - minimum <= bound / s + slack);
            assert_true(objective_at(&i, &fista, 0, t) - minimum <=
                        4.0 * bound / ((s + 1.0) * (s + 1.0)) + slack);
        }
        g_free(ista.iterates);
        g_free(fista.iterates);
        instance_free(&i);
    }
    g_rand_free(rand);
}

static bool same_support(const double *a, const double *b, size_t n)
{
    bool same = true;
    for (size_t j = 0; j < n; j++)
        same &= (a[j] != 0.0) == (b[j] != 0.0);
    return same;
}

// mu, the least eigenvalue of D_S' D_S, by power iteration on L I - D_S' D_S; *largest is L_S.
static double least_eigenvalue(struct instance *i, const double *z, double *largest)
{
    size_t m = i->op->n_in;
    g_autofree double *v = g_new(double, m);
    g_autofree double *dv = g_new(double, i->op->n_out);
    g_autofree double *image = g_new(double, m);
    double found[2] = {0.0, 0.0};
    for (int shifted = 0; shifted < 2; shifted++) {
        double shift = shifted ? found[0] * 1.0001 : 0.0;
        for (size_t j = 0; j < m; j++)
            v[j] = z[j] != 0.0 ? 1.0 + sin((double) j) : 0.0;
        for (int step = 0; step < 20000; step++) {
            cblas_dscal((int) m, 1.0 / cblas_dnrm2((int) m, v, 1), v, 1);
            linop_apply_series(i->op, v, dv, i->ws);
            linop_adjoint_series(i->op, dv, image, i->ws);
            for (size_t j = 0; j < m; j++)
                image[j] = z[j] == 0.0 ? 0.0 : shifted ? shift * v[j] - image[j] : image[j];
            found[shifted] = cblas_ddot((int) m, v, 1, image, 1);
            memcpy(v, image, m * sizeof(double));
        }
    }
    *largest = found[0];
    return found[0] * 1.0001 - found[1];
}

// From some iteration on the support of ISTA is that of the solution; from then on, with the step
// 1 / L_S of OISTA, F - F* falls by 1 - mu / L_S an iteration at least.
static void the_support_is_identified_and_then_the_rate_is_linear(void **state)
{
    (void) state;
    enum { N = 10, M = 20, N_ITERATIONS = 4000 };
    GRand *rand = g_rand_new_with_seed(9);
    double matrix[N * M];
    for (size_t k = 0; k < 10; k++) {
        fill_normal(rand, matrix, N * M);
        struct instance i = instance_new(matrix, N, M, 1);
        fill_normal(rand, i.x.data, N);
        i.lambda[0] = 0.4 * problem_lambda_max(i.problem, i.x.data, i.ws);
        run(&i, solver_new_exact, to_gap(1e-12), false);
        double minimum = i.results[0].objective;
        g_autofree double *solution = g_memdup2(i.z.data, M * sizeof(double));
        double largest;
        double factor = 1.0 - least_eigenvalue(&i, solution, &largest) / largest;

        struct trace ista = run_traced(&i, solver_new_pgd, N_ITERATIONS);
        for (size_t t = N_ITERATIONS / 2; t <= N_ITERATIONS; t++)
            assert_true(same_support(trace_at(&ista, 0, t), solution, M));
        struct trace oista = run_traced(&i, solver_new_oista, N_ITERATIONS);
        size_t identified = N_ITERATIONS;
        while (identified > 0 && same_support(trace_at(&oista, 0, identified - 1), solution, M))
            identified--;
        assert_true(identified < N_ITERATIONS / 4);
        for (size_t t = identified; t < N_ITERATIONS; t++)
            assert_true(objective_at(&i, &oista, 0, t + 1) - minimum <=
                        factor * (objective_at(&i, &oista, 0, t) - minimum) + 1e-14 * minimum);
        g_free(ista.iterates);
        g_free(oista.iterates);
        instance_free(&i);
    }
    g_rand_free(rand);
}

static void methods_of_the_lasso_refuse_tv(void **state)
{
    (void) state;
    g_autoptr(linop) op = linop_new_identity(5);
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    struct solver_options options = solver_options_default();
    static solver_constructor *const constructors[] = {solver_new_oista, solver_new_bt_ista};
    for (size_t k = 0; k < G_N_ELEMENTS(constructors); k++) {
        g_autoptr(GError) error = NULL;
        assert_null(constructors[k](problem, &options, &error));
        assert_true(g_error_matches(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_reaches_the_golden_objectives),
        cmocka_unit_test(ista_and_fista_follow_the_golden_curves),
        cmocka_unit_test(oista_takes_the_golden_steps),
        cmocka_unit_test(oracle_and_backtracking_steps_reach_machine_precision),
        cmocka_unit_test(every_pair_of_methods_agrees_on_tall_problems),
        cmocka_unit_test(every_pair_of_methods_agrees_on_wide_problems),
        cmocka_unit_test(every_pair_of_methods_agrees_on_square_problems),
        cmocka_unit_test(every_pair_of_methods_agrees_with_duplicated_and_zero_columns),
        cmocka_unit_test(methods_agree_on_more_columns_than_a_gram_matrix_has),
        cmocka_unit_test(a_working_set_finds_the_minimum_from_any_company_and_start),
        cmocka_unit_test(a_working_set_finishes_without_help),
        cmocka_unit_test(zero_and_nan_series_and_large_lambdas_give_zero),
        cmocka_unit_test(lambda_zero_is_least_squares),
        cmocka_unit_test(a_given_start_is_iteration_zero),
        cmocka_unit_test(oracle_and_backtracking_steps_never_raise_the_objective),
        cmocka_unit_test(ista_and_fista_keep_their_bounds),
        cmocka_unit_test(the_support_is_identified_and_then_the_rate_is_linear),
        cmocka_unit_test(methods_of_the_lasso_refuse_tv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
