// SPDX-License-Identifier: BSD-3-Clause
#include "tests/operators.h"

#include "solvers/linop.h"
#include "solvers/pseudo_inverse.h"
#include "solvers/synthesis.h"

#include <string.h>

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

// <A u, x> = <u, A' x>, on a block and series by series, which must give the same.
static void check_adjoint(const linop *op, GRand *rand)
{
    enum { N_SERIES = 3, EXTRA = 2 };
    struct workspace *ws = workspace_new();
    size_t in_stride = op->n_in + EXTRA;
    size_t out_stride = op->n_out + EXTRA;
    struct block u = {op->n_in, N_SERIES, in_stride,
                      WORKSPACE_ALLOC(ws, double, in_stride *N_SERIES)};
    struct block x = {op->n_out, N_SERIES, out_stride,
                      WORKSPACE_ALLOC(ws, double, out_stride *N_SERIES)};
    struct block au = {op->n_out, N_SERIES, op->n_out,
                       WORKSPACE_ALLOC(ws, double, op->n_out *N_SERIES)};
    struct block atx = {op->n_in, N_SERIES, op->n_in,
                        WORKSPACE_ALLOC(ws, double, op->n_in *N_SERIES)};
    double *alone = WORKSPACE_ALLOC(ws, double, MAX(op->n_in, op->n_out));
    fill_normal(rand, u.data, in_stride * N_SERIES);
    fill_normal(rand, x.data, out_stride * N_SERIES);
    linop_apply(op, &u, &au, ws);
    linop_adjoint(op, &x, &atx, ws);
    double scale = sqrt(op->norm2) * (double) (op->n_in + op->n_out);
    for (size_t v = 0; v < N_SERIES; v++) {
        double left = dot(block_series(&au, v), block_series(&x, v), op->n_out);
        double right = dot(block_series(&u, v), block_series(&atx, v), op->n_in);
        assert_close(left, right, 1e-13 * scale);
        linop_apply_series(op, block_series(&u, v), alone, ws);
        assert_close(max_abs_difference(alone, block_series(&au, v), op->n_out), 0.0,
                     1e-14 * scale);
        linop_adjoint_series(op, block_series(&x, v), alone, ws);
        assert_close(max_abs_difference(alone, block_series(&atx, v), op->n_in), 0.0,
                     1e-14 * scale);
    }
    workspace_free(ws);
}

static void adjoints_are_transposes(void **state)
{
    (void) state;
    static const size_t shapes[][2] = {{1, 1}, {1, 7}, {7, 1}, {5, 5}, {40, 60}, {60, 40}};
    GRand *rand = g_rand_new_with_seed(1);
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        linop *dense = dense_normal(shapes[i][0], shapes[i][1], rand);
        linop *identity = linop_new_identity(shapes[i][1]);
        linop *synthesis = linop_new_synthesis(dense);
        linop *inverse = linop_new_pseudo_inverse(dense);
        check_adjoint(dense, rand);
        check_adjoint(identity, rand);
        check_adjoint(synthesis, rand);
        check_adjoint(inverse, rand);
        linop_free(inverse);
        linop_free(synthesis);
        linop_free(identity);
        linop_free(dense);
    }
    g_rand_free(rand);
}

static void a_dense_operator_is_its_matrix(void **state)
{
    (void) state;
    const double matrix[] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}; // columns (1 2), (3 4), (5 6)
    const double u[] = {1.0, 10.0, 100.0};
    double x[2];
    double g[3];
    struct workspace *ws = workspace_new();
    linop *op = linop_new_dense(matrix, 2, 3);
    linop_apply_series(op, u, x, ws);
    assert_true(x[0] == 531.0 && x[1] == 642.0);
    linop_adjoint_series(op, (const double[]){1.0, 10.0}, g, ws);
    assert_true(g[0] == 21.0 && g[1] == 43.0 && g[2] == 65.0);
    assert_memory_equal(op->matrix, matrix, sizeof matrix);
    linop_free(op);
    workspace_free(ws);
}

static void the_identity_is_a_filter_of_one_sample(void **state)
{
    (void) state;
    linop *op = linop_new_identity(4);
    assert_int_equal(op->filter->n, 1);
    assert_true(op->filter->h[0] == 1.0);
    assert_true(op->norm2 == 1.0);
    linop_free(op);
}

// diag(3, 2, 1) between two rotations; and the cumulative sum, whose norm has a closed form.
static void norms_are_bounds_and_tight(void **state)
{
    (void) state;
    double c = cos(0.4);
    double s = sin(0.4);
    const double matrix[] = {3.0 * c, 3.0 * s, 0.0, -2.0 * s, 2.0 * c, 0.0, 0.0, 0.0, 1.0};
    linop *op = linop_new_dense(matrix, 3, 3);
    assert_true(op->norm2 >= 9.0 && op->norm2 <= 9.0 * 1.001);
    linop_free(op);

    enum { N = 100 };
    linop *identity = linop_new_identity(N);
    linop *sum = linop_new_synthesis(identity);
    double half = sin(G_PI / (2.0 * (2.0 * N + 1.0)));
    double expected = 1.0 / (4.0 * half * half);
    assert_true(sum->norm2 >= expected && sum->norm2 <= 1.001 * expected);
    linop_free(sum);
    linop_free(identity);

    GRand *rand = g_rand_new_with_seed(2);
    for (size_t i = 0; i < 20; i++) {
        op = dense_normal(1 + i * 3, 1 + (i * 7) % 30, rand);
        g_autofree double *sigma = linop_singular_values(op);
        double norm2 = sigma[0] * sigma[0];
        assert_true(op->norm2 >= norm2 && op->norm2 <= 1.001 * norm2);
        linop_free(op);
    }
    g_rand_free(rand);
}

static void a_zero_operator_has_norm_zero(void **state)
{
    (void) state;
    const double zeros[12] = {0.0};
    linop *op = linop_new_dense(zeros, 3, 4);
    assert_true(op->norm2 == 0.0);
    struct workspace *ws = workspace_new();
    double x[3] = {1.0, 1.0, 1.0};
    linop_apply_series(op, (const double[]){1.0, 2.0, 3.0, 4.0}, x, ws);
    assert_true(x[0] == 0.0 && x[1] == 0.0 && x[2] == 0.0);
    workspace_free(ws);
    linop_free(op);
}

static void synthesis_sums_the_jumps(void **state)
{
    (void) state;
    const double z[] = {5.0, 1.0, 0.0, -2.0};
    double u[4];
    double back[4];
    synthesis_sum(z, u, 4);
    assert_true(u[0] == 5.0 && u[1] == 6.0 && u[2] == 6.0 && u[3] == 4.0);
    synthesis_difference(u, back, 4);
    assert_memory_equal(back, z, sizeof z);
    synthesis_sum_from_end(u, 4);
    assert_true(u[0] == 21.0 && u[1] == 16.0 && u[2] == 10.0 && u[3] == 4.0);
}

static void check_penrose(const linop *op)
{
    linop *inverse = linop_new_pseudo_inverse(op);
    struct workspace *ws = workspace_new();
    double *u = WORKSPACE_ALLOC(ws, double, op->n_in);
    double *x = WORKSPACE_ALLOC(ws, double, op->n_out);
    double *again = WORKSPACE_ALLOC(ws, double, op->n_out);
    double *v = WORKSPACE_ALLOC(ws, double, op->n_in);
    double *w = WORKSPACE_ALLOC(ws, double, op->n_in);
    for (size_t i = 0; i < op->n_in; i++)
        u[i] = sin((double) (i * i));
    // A A+ A = A and A+ A A+ = A+; A+ A is symmetric: <A+ A u, w> = <u, A+ A w>.
    linop_apply_series(op, u, x, ws);
    linop_apply_series(inverse, x, v, ws);
    linop_apply_series(op, v, again, ws);
    assert_close(max_abs_difference(again, x, op->n_out), 0.0, 1e-11);
    linop_apply_series(inverse, again, w, ws);
    assert_close(max_abs_difference(v, w, op->n_in), 0.0, 1e-11);
    for (size_t i = 0; i < op->n_in; i++)
        w[i] = cos((double) i);
    double left = dot(v, w, op->n_in);
    linop_apply_series(op, w, x, ws);
    linop_apply_series(inverse, x, v, ws);
    assert_close(left, dot(u, v, op->n_in), 1e-11);
    workspace_free(ws);
    linop_free(inverse);
}

static void pseudo_inverses_satisfy_penrose(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(3);
    static const size_t shapes[][2] = {{1, 1}, {3, 8}, {8, 3}, {12, 12}};
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        linop *op = dense_normal(shapes[i][0], shapes[i][1], rand);
        check_penrose(op);
        linop_free(op);
    }
    // Rank one and rank zero.
    double outer[20];
    for (size_t i = 0; i < 20; i++) {
        size_t column = i / 4;
        outer[i] = (double) (1 + i % 4) * (double) column;
    }
    linop *rank_one = linop_new_dense(outer, 4, 5);
    check_penrose(rank_one);
    linop_free(rank_one);
    memset(outer, 0, sizeof outer);
    linop *zero = linop_new_dense(outer, 5, 4);
    check_penrose(zero);
    linop_free(zero);
    g_rand_free(rand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adjoints_are_transposes),
        cmocka_unit_test(a_dense_operator_is_its_matrix),
        cmocka_unit_test(the_identity_is_a_filter_of_one_sample),
        cmocka_unit_test(norms_are_bounds_and_tight),
        cmocka_unit_test(a_zero_operator_has_norm_zero),
        cmocka_unit_test(synthesis_sums_the_jumps),
        cmocka_unit_test(pseudo_inverses_satisfy_penrose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
