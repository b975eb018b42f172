// SPDX-License-Identifier: BSD-3-Clause
// TV with operators that are no convolution: the exact solver, and the methods that work on jumps.
#include "tests/golden.h"
#include "tests/operators.h"

#include "solvers/solver.h"

static solver_constructor *const methods[] = {solver_new_exact, solver_new_lars, solver_new_cd,
                                              solver_new_greedy_cd, solver_new_fista};

struct instance {
    linop *op;
    struct problem *problem;
    struct workspace *ws;
    struct block x, u;
    double *lambda;
    struct series_result *results;
};

// Takes the operator.
static struct instance instance_new(linop *op, size_t n_series)
{
    struct instance i = {.op = op, .problem = problem_new_tv(op), .ws = workspace_new()};
    i.x = (struct block){op->n_out, n_series, op->n_out, g_new0(double, op->n_out *n_series)};
    i.u = (struct block){op->n_in, n_series, op->n_in, g_new0(double, op->n_in *n_series)};
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
    g_free(i->u.data);
    g_free(i->lambda);
    g_free(i->results);
}

static void run(struct instance *i, solver_constructor *construct, double tol)
{
    struct solver_options options = solver_options_default();
    options.tol = tol;
    options.max_iter = 1000000;
    g_autoptr(owned_solver) solver = construct(i->problem, &options, NULL);
    assert_non_null(solver);
    struct solve_input input = {.x = &i->x, .lambda = i->lambda, .lambda_is_ratio = true};
    solver_run(solver, &input, &i->u, i->results, i->ws);
}

static linop *golden_matrix(const char *array, size_t k)
{
    g_autoptr(owned_golden) golden = golden_array("tv", array);
    if (g_str_has_suffix(array, "_h"))
        return dense_convolution(golden->data, golden->cols, k);
    return linop_new_dense(golden->data, golden->cols, golden->rows);
}

static void check_golden(const char *line)
{
    g_auto(GStrv) f = g_strsplit(line, "\t", -1);
    g_autoptr(owned_golden) x = golden_array("tv", f[6]);
    g_autoptr(owned_golden) u = golden_array("tv", f[8]);
    g_autoptr(owned_golden) objective = golden_array("tv", f[9]);
    struct instance i = instance_new(golden_matrix(f[5], u->cols), x->rows);
    memcpy(i.x.data, x->data, x->rows * x->cols * sizeof(double));
    for (size_t v = 0; v < x->rows; v++)
        i.lambda[v] = g_ascii_strtod(f[4], NULL);
    for (size_t m = 0; m < 2; m++) {
        run(&i, methods[m], 1e-11);
        for (size_t v = 0; v < x->rows; v++) {
            assert_int_equal(i.results[v].status, SERIES_SOLVED);
            assert_close(i.results[v].objective, objective->data[v], 1e-12);
        }
        assert_close(max_abs_difference(i.u.data, u->data, u->rows * u->cols), 0.0, 1e-8);
    }
    instance_free(&i);
}

static void golden_minimisers_are_found_with_dense_matrices(void **state)
{
    (void) state;
    size_t n_bytes = 0;
    g_autofree char *table = golden_file("golden/tv_cases.tsv", &n_bytes);
    g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
    for (size_t k = 1; lines[k] != NULL && lines[k][0] != '\0'; k++)
        check_golden(lines[k]);
}

static void check_agreement(struct instance *i)
{
    size_t n_series = i->x.n_series;
    run(i, solver_new_exact, 1e-11);
    g_autofree struct series_result *exact = g_memdup2(i->results, n_series * sizeof *i->results);
    for (size_t v = 0; v < n_series; v++) {
        assert_true(exact[v].relative_gap <= 1e-11);
        // The level is the best one already.
        double objective = problem_objective(i->problem, block_series(&i->x, v),
                                             block_series(&i->u, v), exact[v].lambda, i->ws);
        assert_close(objective, exact[v].objective, 1e-12 * fmax(objective, 1.0));
    }
    for (size_t m = 1; m < G_N_ELEMENTS(methods); m++) {
        run(i, methods[m], 1e-8);
        for (size_t v = 0; v < n_series; v++) {
            double suboptimality = i->results[v].objective - exact[v].objective;
            assert_close(i->results[v].relative_gap, 0.0, 1e-8);
            assert_true(suboptimality >= -1e-13);
            assert_true(suboptimality <= i->results[v].duality_gap + 1e-13);
        }
    }
}

static void check_random(const size_t (*sizes)[2], size_t n_sizes, guint32 seed)
{
    GRand *rand = g_rand_new_with_seed(seed);
    for (size_t k = 0; k < 25; k++) {
        const size_t *size = sizes[k % n_sizes];
        struct instance i = instance_new(dense_normal(size[0], size[1], rand), 4);
        fill_normal(rand, i.x.data, i.x.n_time * 4);
        for (size_t v = 0; v < 4; v++)
            i.lambda[v] = g_rand_double_range(rand, 0.05, 1.0);
        check_agreement(&i);
        instance_free(&i);
    }
    g_rand_free(rand);
}

static void every_pair_of_methods_agrees_on_tall_problems(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{2, 1}, {3, 2}, {20, 3}, {30, 20}};
    check_random(sizes, G_N_ELEMENTS(sizes), 1);
}

static void every_pair_of_methods_agrees_on_wide_problems(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{1, 2}, {1, 9}, {2, 3}, {10, 20}};
    check_random(sizes, G_N_ELEMENTS(sizes), 2);
}

static void every_pair_of_methods_agrees_on_square_problems(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{1, 1}, {2, 2}, {3, 3}, {15, 15}};
    check_random(sizes, G_N_ELEMENTS(sizes), 3);
}

static void more_unknowns_than_a_gram_matrix_has_are_solved(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(4);
    struct instance i = instance_new(dense_normal(20, 2200, rand), 3);
    fill_normal(rand, i.x.data, 20 * 3);
    for (size_t v = 0; v < 3; v++)
        i.lambda[v] = 0.1 * (double) (v + 1);
    run(&i, solver_new_exact, 1e-11);
    g_autofree struct series_result *exact = g_memdup2(i.results, 3 * sizeof *i.results);
    run(&i, solver_new_fista, 1e-5);
    for (size_t v = 0; v < 3; v++) {
        assert_int_equal(exact[v].status, SERIES_SOLVED);
        assert_int_equal(i.results[v].status, SERIES_SOLVED);
        assert_close(i.results[v].objective, exact[v].objective, 1e-4 * exact[v].objective);
        assert_close(i.results[v].lambda, exact[v].lambda, 1e-12 * exact[v].lambda);
    }
    instance_free(&i);
    g_rand_free(rand);
}

// A 1 = 0: no level can be seen, and 0 is taken.
static void an_invisible_level_is_left_at_zero(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(5);
    double matrix[6 * 9];
    fill_normal(rand, matrix, 6 * 9);
    for (size_t t = 0; t < 6; t++) {
        matrix[8 * 6 + t] = 0.0;
        for (size_t j = 0; j < 8; j++)
            matrix[8 * 6 + t] -= matrix[j * 6 + t];
    }
    struct instance i = instance_new(linop_new_dense(matrix, 6, 9), 1);
    fill_normal(rand, i.x.data, 6);
    i.lambda[0] = 0.2;
    for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
        run(&i, methods[m], 1e-8);
        assert_int_equal(i.results[0].status, SERIES_SOLVED);
        if (methods[m] != solver_new_fista) // which only starts there
            assert_true(i.u.data[0] == 0.0);
    }
    instance_free(&i);
    g_rand_free(rand);
}

static void check_edges(solver_constructor *construct)
{
    GRand *rand = g_rand_new_with_seed(6);
    struct instance i = instance_new(dense_normal(8, 5, rand), 6);
    fill_normal(rand, i.x.data, 8 * 6);
    memset(block_series(&i.x, 0), 0, 8 * sizeof(double));
    for (size_t t = 0; t < 8; t++) {
        block_series(&i.x, 1)[t] = 3.0 * i.problem->level[t]; // x = A 3
        block_series(&i.x, 2)[t] = 1.0;
    }
    block_series(&i.x, 5)[7] = INFINITY;
    static const double lambda[6] = {0.1, 0.1, 0.1, 1.0, 2.0, 0.1};
    memcpy(i.lambda, lambda, sizeof lambda);
    run(&i, construct, 1e-8);
    static const enum series_status expected[6] = {SERIES_CONSTANT, SERIES_SOLVED,
                                                   SERIES_CONSTANT, SERIES_SOLVED,
                                                   SERIES_SOLVED,   SERIES_NONFINITE};
    for (size_t v = 0; v < 6; v++)
        assert_int_equal(i.results[v].status, expected[v]);
    for (size_t j = 0; j < 5; j++) {
        assert_true(block_series(&i.u, 0)[j] == 0.0 && block_series(&i.u, 5)[j] == 0.0);
        assert_close(block_series(&i.u, 1)[j], 3.0, 1e-12);
        assert_true(block_series(&i.u, 3)[j] == block_series(&i.u, 3)[0]);
        assert_true(block_series(&i.u, 4)[j] == block_series(&i.u, 4)[0]);
    }
    instance_free(&i);
    g_rand_free(rand);
}

static void zero_constant_and_broken_series_have_their_status(void **state)
{
    (void) state;
    for (size_t m = 0; m < G_N_ELEMENTS(methods); m++)
        check_edges(methods[m]);
}

static void the_workspace_grows_in_the_first_block_only(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{30, 60}, {20, 2200}};
    GRand *rand = g_rand_new_with_seed(7);
    for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
        struct instance i = instance_new(dense_normal(sizes[k][0], sizes[k][1], rand), 4);
        fill_normal(rand, i.x.data, i.x.n_time * 4);
        for (size_t v = 0; v < 4; v++)
            i.lambda[v] = 0.3;
        run(&i, solver_new_exact, 1e-8);
        size_t capacity = workspace_capacity(i.ws);
        for (int round = 0; round < 3; round++)
            run(&i, solver_new_exact, 1e-8);
        assert_int_equal(workspace_capacity(i.ws), capacity);
        instance_free(&i);
    }
    g_rand_free(rand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_minimisers_are_found_with_dense_matrices),
        cmocka_unit_test(every_pair_of_methods_agrees_on_tall_problems),
        cmocka_unit_test(every_pair_of_methods_agrees_on_wide_problems),
        cmocka_unit_test(every_pair_of_methods_agrees_on_square_problems),
        cmocka_unit_test(more_unknowns_than_a_gram_matrix_has_are_solved),
        cmocka_unit_test(an_invisible_level_is_left_at_zero),
        cmocka_unit_test(zero_constant_and_broken_series_have_their_status),
        cmocka_unit_test(the_workspace_grows_in_the_first_block_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
