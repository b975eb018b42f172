// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden.h"
#include "tests/operators.h"

#include "deconv/hrf_conv.h"
#include "solvers/homotopy.h"
#include "solvers/solver.h"

#include <string.h>

enum { N_OPERATORS = 7, MOST_SAMPLES = 250 };

static linop *some_operator(int which, GRand *rand)
{
    double h[28];
    for (size_t k = 0; k < G_N_ELEMENTS(h); k++)
        h[k] = sin(0.2 * (double) k) * exp(-0.1 * (double) k);
    switch (which) {
    case 0:
        return hrf_conv_new(h, 28, 250, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
    case 1:
        return hrf_conv_new(h, 10, 60, HRF_CONV_FULL, HRF_CONV_AUTO, NULL);
    case 2:
        return linop_new_identity(50);
    case 3:
        return dense_normal(40, 15, rand);
    case 4:
        return dense_normal(15, 40, rand);
    case 5:
        return dense_normal(3, 2, rand);
    default:
        return dense_normal(4, 1, rand);
    }
}

static double norm2_of_residual(const linop *op, const double *x, const double *u,
                                struct workspace *ws)
{
    double *r = WORKSPACE_ALLOC(ws, double, op->n_out);
    linop_apply_series(op, u, r, ws);
    double sum = 0.0;
    for (size_t t = 0; t < op->n_out; t++)
        sum += (x[t] - r[t]) * (x[t] - r[t]);
    return sum;
}

static size_t count_jumps(const struct problem *problem, const double *u)
{
    size_t count = 0;
    for (size_t i = 1; i < problem->op->n_in; i++)
        count += u[i] != u[i - 1];
    return count;
}

// Solutions for a list of lambda, certified one by one, and the numbers that come with them.
static void check_solutions(const struct problem *problem, const double *x, struct workspace *ws)
{
    static const double ratios[] = {2.0, 1.0, 0.9, 0.5, 0.5, 0.2, 0.1, 0.02};
    enum { N_LAMBDA = G_N_ELEMENTS(ratios) };
    struct lasso_form *form = lasso_form_new(problem, true);
    size_t n_in = problem->op->n_in;
    double lambda[N_LAMBDA];
    double lambda_max = problem_lambda_max(problem, x, ws);
    for (size_t i = 0; i < N_LAMBDA; i++)
        lambda[i] = ratios[i] * lambda_max;
    struct block u = {n_in, N_LAMBDA, n_in, WORKSPACE_ALLOC(ws, double, n_in *N_LAMBDA)};
    struct path_point points[N_LAMBDA];
    assert_int_equal(homotopy_at(form, x, lambda, &u, points, ws), N_LAMBDA);
    for (size_t i = 0; i < N_LAMBDA; i++) {
        const double *u_i = block_series(&u, i);
        struct certificate found = problem_certify(problem, x, u_i, lambda[i], ws);
        assert_true(found.relative_gap <= 1e-11);
        double residual = norm2_of_residual(problem->op, x, u_i, ws);
        assert_close(points[i].lambda, lambda[i], 0.0);
        assert_close(points[i].residual_norm2, residual, 1e-11 * (1.0 + residual));
        assert_close(points[i].penalty, problem_penalty(problem, u_i),
                     1e-11 * (1.0 + points[i].penalty));
        if (problem->kind == PROBLEM_TV)
            assert_int_equal(points[i].n_jumps, count_jumps(problem, u_i));
    }
    lasso_form_free(form);
    workspace_release(ws, 0);
}

static void solutions_along_a_path_are_certified(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(1);
    struct workspace *ws = workspace_new();
    double x[MOST_SAMPLES];
    for (int which = 0; which < N_OPERATORS; which++)
        for (int kind = PROBLEM_LASSO; kind <= PROBLEM_TV; kind++) {
            linop *op = some_operator(which, rand);
            struct problem *problem =
                kind == PROBLEM_TV ? problem_new_tv(op) : problem_new_lasso(op);
            fill_normal(rand, x, op->n_out);
            check_solutions(problem, x, ws);
            problem_free(problem);
            linop_free(op);
        }
    workspace_free(ws);
    g_rand_free(rand);
}

struct bends {
    struct path_point point[2000];
    size_t n;
    size_t stop_after;
};

static bool note_bend(void *data, const struct path_point *point)
{
    struct bends *bends = data;
    assert_true(bends->n < G_N_ELEMENTS(bends->point));
    if (bends->n > 0)
        assert_true(point->lambda <= bends->point[bends->n - 1].lambda);
    bends->point[bends->n++] = *point;
    return bends->n != bends->stop_after;
}

// Halfway between two bends the solution is the mean of theirs.
static void between_bends_the_path_is_straight(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(2);
    struct workspace *ws = workspace_new();
    struct bends *bends = g_new0(struct bends, 1);
    double x[MOST_SAMPLES];
    for (int which = 0; which < 5; which++) {
        linop *op = some_operator(which, rand);
        struct problem *problem = problem_new_tv(op);
        struct lasso_form *form = lasso_form_new(problem, true);
        fill_normal(rand, x, op->n_out);
        double lambda_max = problem_lambda_max(problem, x, ws);
        bends->n = 0;
        assert_true(homotopy_path(form, x, 0.1 * lambda_max, note_bend, bends, ws));
        assert_true(bends->n > 3);
        assert_close(bends->point[0].lambda, lambda_max, 1e-12 * lambda_max);
        assert_int_equal(bends->point[0].n_jumps, 0);
        assert_close(bends->point[bends->n - 1].lambda, 0.1 * lambda_max, 0.0);
        struct block u = {op->n_in, 3, op->n_in, WORKSPACE_ALLOC(ws, double, 3 * op->n_in)};
        for (size_t i = 1; i < bends->n; i++) {
            double from = bends->point[i - 1].lambda;
            double to = bends->point[i].lambda;
            double lambda[] = {from, 0.5 * (from + to), to};
            struct path_point points[3];
            assert_int_equal(homotopy_at(form, x, lambda, &u, points, ws), 3);
            for (size_t j = 0; j < op->n_in; j++)
                assert_close(block_series(&u, 1)[j],
                             0.5 * (block_series(&u, 0)[j] + block_series(&u, 2)[j]), 1e-10);
            assert_close(points[2].residual_norm2, bends->point[i].residual_norm2, 1e-10);
            assert_true(points[2].residual_norm2 <= points[0].residual_norm2 + 1e-10);
        }
        lasso_form_free(form);
        problem_free(problem);
        linop_free(op);
        workspace_release(ws, 0);
    }
    g_free(bends);
    workspace_free(ws);
    g_rand_free(rand);
}

static void a_path_ends_where_it_is_told_to(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(3);
    struct workspace *ws = workspace_new();
    struct bends *bends = g_new0(struct bends, 1);
    double x[MOST_SAMPLES];
    linop *op = some_operator(0, rand);
    struct problem *problem = problem_new_tv(op);
    struct lasso_form *form = lasso_form_new(problem, true);
    fill_normal(rand, x, op->n_out);
    for (bends->stop_after = 1; bends->stop_after <= 5; bends->stop_after++) {
        bends->n = 0;
        assert_true(homotopy_path(form, x, 0.0, note_bend, bends, ws));
        assert_int_equal(bends->n, bends->stop_after);
    }
    lasso_form_free(form);
    problem_free(problem);
    linop_free(op);
    g_free(bends);
    workspace_free(ws);
    g_rand_free(rand);
}

// No jump is offered to a criterion where there is nothing but rounding.
static void a_constant_has_no_path(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(4);
    struct workspace *ws = workspace_new();
    struct bends *bends = g_new0(struct bends, 1);
    for (int which = 0; which < N_OPERATORS; which++) {
        linop *op = some_operator(which, rand);
        struct problem *problem = problem_new_tv(op);
        struct lasso_form *form = lasso_form_new(problem, true);
        double x[MOST_SAMPLES];
        double u[MOST_SAMPLES];
        for (size_t t = 0; t < op->n_out; t++)
            x[t] = 0.7 * problem->level[t];
        bends->n = 0;
        assert_true(homotopy_path(form, x, 0.0, note_bend, bends, ws));
        assert_int_equal(bends->n, 1);
        assert_close(bends->point[0].lambda, 0.0, 0.0);
        struct block out = block_of_series(u, op->n_in);
        assert_int_equal(homotopy_at(form, x, (const double[]){0.0}, &out, NULL, ws), 1);
        for (size_t i = 0; i < op->n_in; i++)
            assert_close(u[i], 0.7, 1e-14);
        lasso_form_free(form);
        problem_free(problem);
        linop_free(op);
    }
    g_free(bends);
    workspace_free(ws);
    g_rand_free(rand);
}

// At 0.01 lambda_max on a response, where columns are nearly collinear, public LARS programs are
// wrong by 4e-3.
static void the_golden_path_of_a_response_is_met(void **state)
{
    (void) state;
    static const char *const names[] = {"hrf221x250_frac1.0_u", "hrf221x250_frac0.9_u",
                                        "hrf221x250_frac0.1_u", "hrf221x250_frac0.01_u"};
    static const double ratios[] = {1.0, 0.9, 0.1, 0.01};
    g_autoptr(owned_golden) h = golden_array("tv", "hrf221x250_h");
    g_autoptr(owned_golden) x = golden_array("tv", "hrf221x250_x");
    struct workspace *ws = workspace_new();
    linop *op = hrf_conv_new(h->data, h->cols, 250, HRF_CONV_FULL, HRF_CONV_AUTO, NULL);
    struct problem *problem = problem_new_tv(op);
    struct lasso_form *form = lasso_form_new(problem, true);
    struct block u = {221, 4, 221, WORKSPACE_ALLOC(ws, double, 221 * 4)};
    for (size_t v = 0; v < x->rows; v++) {
        double lambda[4];
        for (size_t i = 0; i < 4; i++)
            lambda[i] = ratios[i] * problem_lambda_max(problem, golden_row(x, v), ws);
        assert_int_equal(homotopy_at(form, golden_row(x, v), lambda, &u, NULL, ws), 4);
        for (size_t i = 0; i < 4; i++) {
            g_autoptr(owned_golden) expected = golden_array("tv", names[i]);
            assert_close(max_abs_difference(block_series(&u, i), golden_row(expected, v), 221), 0.0,
                         1e-9);
        }
    }
    lasso_form_free(form);
    problem_free(problem);
    linop_free(op);
    workspace_free(ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solutions_along_a_path_are_certified),
        cmocka_unit_test(between_bends_the_path_is_straight),
        cmocka_unit_test(a_path_ends_where_it_is_told_to),
        cmocka_unit_test(a_constant_has_no_path),
        cmocka_unit_test(the_golden_path_of_a_response_is_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
