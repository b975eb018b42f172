// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "solvers/gram_active_set.h"
#include "solvers/gram_cache.h"
#include "solvers/gram_factor.h"
#include "solvers/problem.h"

#include <string.h>

// Every set of loops that this processor runs.
static size_t available(const struct gram_kernels *sets[])
{
    static const char *const names[] = {"plain", "avx2", "avx512"};
    size_t n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (kernels_named(names[i]) != NULL)
            sets[n++] = kernels_named(names[i])->gram;
    return n;
}

// A triangle of n rows with entries of no meaning in the rows that complete the last group.
static void fill_triangle(GRand *rand, double *rows, size_t n)
{
    for (size_t i = 0; i < triangle_padded(n); i++) {
        double *row = rows + triangle_row(i);
        memset(row, 0, triangle_padded(i + 1) * sizeof(double));
        fill_normal(rand, row, i + 1);
    }
}

static void check_triangle(const struct gram_kernels *kernels, GRand *rand, size_t n)
{
    struct workspace *ws = workspace_new();
    size_t padded = triangle_padded(n);
    double *rows = WORKSPACE_ALLOC(ws, double, triangle_row(padded));
    double *x = WORKSPACE_ALLOC(ws, double, padded);
    double *y = WORKSPACE_ALLOC(ws, double, padded);
    fill_triangle(rand, rows, n);
    memset(x, 0, padded * sizeof(double));
    fill_normal(rand, x, n);

    kernels->multiply(rows, n, x, y);
    for (size_t i = 0; i < n; i++) {
        double expected = 0.0;
        for (size_t k = 0; k <= i; k++)
            expected += rows[triangle_row(i) + k] * x[k];
        assert_close(y[i], expected, 1e-12);
    }
    kernels->multiply_transposed(rows, n, x, y);
    for (size_t k = 0; k < padded; k++) {
        double expected = 0.0;
        for (size_t i = k; i < n; i++)
            expected += rows[triangle_row(i) + k] * x[i];
        assert_close(y[k], expected, 1e-12);
    }
    workspace_free(ws);
}

static void products_with_a_triangle_are_their_sums_for_any_size(void **state)
{
    (void) state;
    const struct gram_kernels *sets[3];
    size_t n_sets = available(sets);
    GRand *rand = g_rand_new_with_seed(1);
    for (size_t i = 0; i < n_sets; i++)
        for (size_t n = 1; n < 90; n++)
            check_triangle(sets[i], rand, n);
    g_rand_free(rand);
}

static void check_subtract(const struct gram_kernels *kernels, GRand *rand, size_t n, size_t active)
{
    struct workspace *ws = workspace_new();
    double *gram = WORKSPACE_ALLOC(ws, double, n *n);
    double *b = WORKSPACE_ALLOC(ws, double, n);
    double *r = WORKSPACE_ALLOC(ws, double, n);
    double *w = WORKSPACE_ALLOC(ws, double, active);
    size_t *index = WORKSPACE_ALLOC(ws, size_t, active);
    fill_normal(rand, gram, n * n);
    fill_normal(rand, b, n);
    fill_normal(rand, w, active);
    for (size_t i = 0; i < active; i++)
        index[i] = (size_t) g_rand_int_range(rand, 0, (gint32) n);

    double largest = kernels->subtract_columns(gram, n, index, w, active, b, r);
    double expected_largest = 0.0;
    for (size_t t = 0; t < n; t++) {
        double expected = b[t];
        for (size_t i = 0; i < active; i++)
            expected -= w[i] * gram[index[i] * n + t];
        assert_close(r[t], expected, 1e-12);
        expected_largest = fmax(expected_largest, fabs(expected));
    }
    assert_close(largest, expected_largest, 1e-12);
    workspace_free(ws);
}

static void subtract_columns_is_its_sum_and_finds_the_largest(void **state)
{
    (void) state;
    const struct gram_kernels *sets[3];
    size_t n_sets = available(sets);
    GRand *rand = g_rand_new_with_seed(2);
    for (size_t i = 0; i < n_sets; i++)
        for (size_t n = 8; n < 300; n += 8)
            check_subtract(sets[i], rand, n, n % 11);
    g_rand_free(rand);
}

// A dense Lasso of normal columns, of unit norm.
struct instance {
    size_t n_rows, n;
    double *matrix, *x, *b, *w;
    struct gram *gram;
    struct workspace *ws;
};

static struct instance instance_new(GRand *rand, size_t n_rows, size_t n)
{
    struct instance i = {.n_rows = n_rows, .n = n, .ws = workspace_new()};
    i.matrix = WORKSPACE_ALLOC(i.ws, double, n_rows *n);
    i.x = WORKSPACE_ALLOC(i.ws, double, n_rows);
    i.b = WORKSPACE_ALLOC(i.ws, double, triangle_padded(n));
    i.w = WORKSPACE_ALLOC(i.ws, double, n);
    fill_normal(rand, i.matrix, n_rows * n);
    fill_normal(rand, i.x, n_rows);
    return i;
}

// To be called once the matrix has its final entries.
static void instance_finish(struct instance *i)
{
    i->gram = gram_new(i->matrix, i->n_rows, i->n);
    memset(i->b, 0, triangle_padded(i->n) * sizeof(double));
    memset(i->w, 0, i->n * sizeof(double));
    for (size_t j = 0; j < i->n; j++)
        for (size_t t = 0; t < i->n_rows; t++)
            i->b[j] += i->matrix[j * i->n_rows + t] * i->x[t];
}

static void instance_free(struct instance *i)
{
    gram_free(i->gram);
    workspace_free(i->ws);
}

static double largest_b(const struct instance *i)
{
    double largest = 0.0;
    for (size_t j = 0; j < i->n; j++)
        largest = fmax(largest, fabs(i->b[j]));
    return largest;
}

static double relative_gap(const struct instance *i, double lambda)
{
    g_autoptr(linop) op = linop_new_dense(i->matrix, i->n_rows, i->n);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    return problem_certify(problem, i->x, i->w, lambda, i->ws).relative_gap;
}

static void check_solution(struct instance *i, double ratio)
{
    double lambda = ratio * largest_b(i);
    struct gram_lasso lasso = {.gram = i->gram, .b = i->b, .lambda = lambda};
    assert_true(gram_active_set_solve(&lasso, i->w, i->ws).finished);
    assert_close(relative_gap(i, lambda), 0.0, 1e-12);
}

static void the_factor_inverts_after_any_adds_and_drops(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(3);
    struct instance i = instance_new(rand, 120, 150);
    instance_finish(&i);
    struct gram_factor factor = gram_factor_begin(i.gram, i.ws);
    for (size_t step = 0; step < 400; step++) {
        size_t n = factor.n;
        if (n > 0 && g_rand_double(rand) < (n < 100 ? 0.3 : 0.7))
            gram_factor_drop(&factor, (size_t) g_rand_int_range(rand, 0, (gint32) n));
        else
            gram_factor_add(&factor, step % 150, i.b[step % 150]);
    }
    assert_true(factor.n > 70);
    double *solution = WORKSPACE_ALLOC(i.ws, double, 152);
    gram_factor_solve(&factor, solution);
    for (size_t row = 0; row < factor.n; row++) {
        double product = 0.0;
        for (size_t k = 0; k < factor.n; k++)
            product += gram_entry(i.gram, factor.index[row], factor.index[k]) * solution[k];
        assert_close(product, i.b[factor.index[row]], 1e-9);
    }
    instance_free(&i);
    g_rand_free(rand);
}

static void dependent_columns_are_refused(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(4);
    struct instance i = instance_new(rand, 10, 4);
    for (size_t t = 0; t < 10; t++) {
        i.matrix[20 + t] = 0.3 * i.matrix[t] - 2.0 * i.matrix[10 + t];
        i.matrix[30 + t] = 0.0;
    }
    instance_finish(&i);
    struct gram_factor factor = gram_factor_begin(i.gram, i.ws);
    assert_true(gram_factor_add(&factor, 0, 1.0));
    assert_true(gram_factor_add(&factor, 1, 1.0));
    assert_false(gram_factor_add(&factor, 3, 1.0));
    assert_false(gram_factor_add(&factor, 2, 1.0));
    double *direction = WORKSPACE_ALLOC(i.ws, double, 8);
    gram_factor_null_direction(&factor, direction);
    assert_close(direction[0], -0.3, 1e-12);
    assert_close(direction[1], 2.0, 1e-12);
    instance_free(&i);
    g_rand_free(rand);
}

static void random_problems_are_solved_to_rounding(void **state)
{
    (void) state;
    static const double ratios[] = {0.9, 0.5, 0.1, 0.01};
    static const size_t sizes[][2] = {{1, 1}, {5, 10}, {30, 10}, {20, 20}, {64, 256}};
    GRand *rand = g_rand_new_with_seed(5);
    for (size_t k = 0; k < 40; k++) {
        const size_t *size = sizes[k % G_N_ELEMENTS(sizes)];
        struct instance i = instance_new(rand, size[0], size[1]);
        instance_finish(&i);
        for (size_t r = 0; r < G_N_ELEMENTS(ratios); r++) {
            memset(i.w, 0, i.n * sizeof(double));
            check_solution(&i, ratios[r]);
        }
        instance_free(&i);
    }
    g_rand_free(rand);
}

static void any_start_leads_to_the_solution(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(6);
    for (size_t k = 0; k < 20; k++) {
        struct instance i = instance_new(rand, 20, 50);
        instance_finish(&i);
        fill_normal(rand, i.w, 50);
        check_solution(&i, 0.2);
        instance_free(&i);
    }
    g_rand_free(rand);
}

// Columns 2k and 2k + 1 are equal, or opposite; others are sums of their neighbours, or zero.
static void degenerate_columns_are_no_obstacle(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(7);
    for (size_t k = 0; k < 60; k++) {
        struct instance i = instance_new(rand, 8, 30);
        for (size_t j = 1; j < 30; j += 2)
            for (size_t t = 0; t < 8; t++) {
                double own = i.matrix[(j - 1) * 8 + t];
                double other = i.matrix[(j + 1) % 30 * 8 + t];
                double options[] = {own, -own, own + other, 0.0};
                i.matrix[j * 8 + t] = options[(j / 2 + k) % 4];
            }
        instance_finish(&i);
        check_solution(&i, 0.05);
        instance_free(&i);
    }
    g_rand_free(rand);
}

// M_2 = (M_0 + M_1) / 1.5 is not among the first to join, but explains their fit at a lower cost.
static void a_dependent_column_takes_the_place_of_another(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(8);
    struct instance i = instance_new(rand, 3, 3);
    static const double matrix[9] = {1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 2.0 / 3.0, 2.0 / 3.0, 0.0};
    memcpy(i.matrix, matrix, sizeof matrix);
    i.x[0] = 5.0;
    i.x[1] = 1.0;
    i.x[2] = 0.5;
    instance_finish(&i);
    i.w[0] = 3.0;
    i.w[1] = 1.0;
    check_solution(&i, 0.001);
    assert_true(i.w[1] == 0.0 && i.w[0] > 0.0 && i.w[2] > 0.0);
    instance_free(&i);
    g_rand_free(rand);
}

static void at_lambda_max_and_above_nothing_joins(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(9);
    struct instance i = instance_new(rand, 6, 9);
    instance_finish(&i);
    check_solution(&i, 1.0);
    for (size_t j = 0; j < i.n; j++)
        assert_true(i.w[j] == 0.0);
    check_solution(&i, 3.0);
    for (size_t j = 0; j < i.n; j++)
        assert_true(i.w[j] == 0.0);
    instance_free(&i);
    g_rand_free(rand);
}

static void lambda_zero_is_least_squares(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(10);
    struct instance i = instance_new(rand, 20, 6);
    instance_finish(&i);
    struct gram_lasso lasso = {.gram = i.gram, .b = i.b, .lambda = 0.0};
    assert_true(gram_active_set_solve(&lasso, i.w, i.ws).finished);
    for (size_t row = 0; row < 6; row++) {
        double product = 0.0;
        for (size_t k = 0; k < 6; k++)
            product += gram_entry(i.gram, row, k) * i.w[k];
        assert_close(product, i.b[row], 1e-12 * largest_b(&i));
    }
    instance_free(&i);
    g_rand_free(rand);
}

// More columns are asked for than the cache will hold at once.
static void a_cache_gives_the_products_of_any_columns(void **state)
{
    (void) state;
    enum { N = 3, M = 4000, MOST_CHOSEN = 400 };
    GRand *rand = g_rand_new_with_seed(11);
    g_autofree double *matrix = g_new(double, N *M);
    g_autofree double *values = g_new(double, MOST_CHOSEN *MOST_CHOSEN);
    fill_normal(rand, matrix, N * M);
    struct workspace *ws = workspace_new();
    struct gram_cache cache = gram_cache_begin(matrix, N, M, ws);
    for (size_t round = 0; round < 30; round++) {
        size_t n = (size_t) g_rand_int_range(rand, 1, MOST_CHOSEN);
        size_t chosen[MOST_CHOSEN];
        chosen[0] = (size_t) g_rand_int_range(rand, 0, M);
        for (size_t k = 1; k < n; k++)
            chosen[k] = (chosen[k - 1] + 7) % M;
        gram_cache_hold(&cache, chosen, n);
        gram_cache_copy(&cache, chosen, n, values);
        assert_true(cache.n_held <= GRAM_CACHE_COLUMNS);
        size_t ld = triangle_padded(n);
        for (size_t k = 0; k < n * ld; k++) {
            const double *a = matrix + chosen[k / ld] * N;
            const double *b = matrix + chosen[k % ld < n ? k % ld : 0] * N;
            double expected = k % ld < n ? a[0] * b[0] + a[1] * b[1] + a[2] * b[2] : 0.0;
            assert_close(values[k], expected, 1e-13);
        }
    }
    workspace_free(ws);
    g_rand_free(rand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_with_a_triangle_are_their_sums_for_any_size),
        cmocka_unit_test(subtract_columns_is_its_sum_and_finds_the_largest),
        cmocka_unit_test(the_factor_inverts_after_any_adds_and_drops),
        cmocka_unit_test(dependent_columns_are_refused),
        cmocka_unit_test(random_problems_are_solved_to_rounding),
        cmocka_unit_test(any_start_leads_to_the_solution),
        cmocka_unit_test(degenerate_columns_are_no_obstacle),
        cmocka_unit_test(a_dependent_column_takes_the_place_of_another),
        cmocka_unit_test(at_lambda_max_and_above_nothing_joins),
        cmocka_unit_test(lambda_zero_is_least_squares),
        cmocka_unit_test(a_cache_gives_the_products_of_any_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
