// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "solvers/gram_active_set.h"
#include "solvers/gram_path.h"
#include "solvers/lasso_form.h"

#include <string.h>

struct instance {
    size_t n;
    linop *op;
    struct problem *problem;
    struct lasso_form *form;
    double *x, *b;
    struct workspace *ws;
};

static struct instance instance_new(enum problem_kind kind, const double *matrix, size_t n_out,
                                    size_t n_in, GRand *rand)
{
    struct instance i = {.op = linop_new_dense(matrix, n_out, n_in), .ws = workspace_new()};
    i.problem = kind == PROBLEM_TV ? problem_new_tv(i.op) : problem_new_lasso(i.op);
    i.form = lasso_form_new(i.problem, true);
    i.n = i.form->n;
    i.x = WORKSPACE_ALLOC(i.ws, double, n_out);
    i.b = WORKSPACE_ALLOC(i.ws, double, triangle_padded(i.n));
    fill_normal(rand, i.x, n_out);
    struct block x = block_of_series(i.x, n_out);
    struct block b = block_of_series(i.b, triangle_padded(i.n));
    lasso_form_correlations(i.form, &x, &b, i.ws);
    return i;
}

static void instance_free(struct instance *i)
{
    lasso_form_free(i->form);
    problem_free(i->problem);
    linop_free(i->op);
    workspace_free(i->ws);
}

static double relative_gap(struct instance *i, const double *w, double lambda)
{
    double *u = WORKSPACE_ALLOC(i->ws, double, i->op->n_in);
    lasso_form_expand(i->form, i->x, w, u);
    return problem_certify(i->problem, i->x, u, lambda, i->ws).relative_gap;
}

struct watch {
    struct instance *instance;
    double previous_to;
    double worst_gap; // in the middle and at the end of pieces
    size_t n_pieces, stop_after;
};

static bool look_at_piece(void *data, const struct gram_path_piece *piece)
{
    struct watch *watch = data;
    struct instance *i = watch->instance;
    assert_true(piece->from == watch->previous_to && piece->to <= piece->from);
    watch->previous_to = piece->to;
    double *w = g_new0(double, i->n);
    for (int part = 1; part <= 2; part++) {
        double lambda = piece->from - 0.5 * part * (piece->from - piece->to);
        for (size_t k = 0; k < piece->n; k++)
            w[piece->index[k]] = piece->w[k] + (piece->from - lambda) * piece->direction[k];
        double gap = relative_gap(i, w, lambda);
        if (!(gap <= watch->worst_gap))
            watch->worst_gap = gap;
    }
    g_free(w);
    return ++watch->n_pieces != watch->stop_after;
}

static void check_path(struct instance *i, double ratio, double tol)
{
    double lambda_max = lasso_form_lambda_max(i->b, i->n);
    struct watch watch = {.instance = i, .previous_to = lambda_max};
    struct gram_path_result result =
        gram_path_follow(i->form->gram, i->b, ratio * lambda_max, look_at_piece, &watch, i->ws);
    assert_true(result.finished);
    assert_int_equal(result.n_pieces, watch.n_pieces);
    assert_close(watch.previous_to, ratio * lambda_max, 0.0);
    assert_close(watch.worst_gap, 0.0, tol);
}

static void every_point_of_a_lasso_path_is_a_minimiser(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{1, 1}, {5, 10}, {30, 10}, {20, 20}, {20, 50}};
    GRand *rand = g_rand_new_with_seed(1);
    double matrix[1000];
    for (size_t k = 0; k < 40; k++) {
        const size_t *size = sizes[k % G_N_ELEMENTS(sizes)];
        fill_normal(rand, matrix, size[0] * size[1]);
        struct instance i = instance_new(PROBLEM_LASSO, matrix, size[0], size[1], rand);
        check_path(&i, 0.02, 1e-12);
        instance_free(&i);
    }
    g_rand_free(rand);
}

static void every_point_of_a_tv_path_is_a_minimiser(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{2, 2}, {5, 10}, {30, 10}, {20, 20}};
    GRand *rand = g_rand_new_with_seed(2);
    double matrix[1000];
    for (size_t k = 0; k < 40; k++) {
        const size_t *size = sizes[k % G_N_ELEMENTS(sizes)];
        fill_normal(rand, matrix, size[0] * size[1]);
        struct instance i = instance_new(PROBLEM_TV, matrix, size[0], size[1], rand);
        check_path(&i, 0.02, 1e-11);
        instance_free(&i);
    }
    g_rand_free(rand);
}

// Equal, opposite, dependent and zero columns reach lambda together.
static void ties_do_not_stop_the_path(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(3);
    double matrix[8 * 30];
    for (size_t k = 0; k < 40; k++) {
        fill_normal(rand, matrix, 8 * 30);
        for (size_t j = 1; j < 30; j += 2)
            for (size_t t = 0; t < 8; t++) {
                double own = matrix[(j - 1) * 8 + t];
                double other = matrix[(j + 1) % 30 * 8 + t];
                double options[] = {own, -own, 0.5 * (own + other), 0.0};
                matrix[j * 8 + t] = options[(j / 2 + k) % 4];
            }
        struct instance i = instance_new(PROBLEM_LASSO, matrix, 8, 30, rand);
        check_path(&i, 0.05, 1e-12);
        instance_free(&i);
    }
    g_rand_free(rand);
}

// Small whole numbers: many columns reach lambda, or zero, at the same time.
static void paths_of_whole_numbers_are_exact(void **state)
{
    (void) state;
    enum { N_OUT = 6, N_IN = 20 };
    GRand *rand = g_rand_new_with_seed(6);
    double matrix[N_OUT * N_IN];
    for (size_t k = 0; k < 300; k++) {
        for (size_t e = 0; e < N_OUT * N_IN; e++)
            matrix[e] = (double) g_rand_int_range(rand, -1, 2);
        struct instance i = instance_new(PROBLEM_LASSO, matrix, N_OUT, N_IN, rand);
        for (size_t t = 0; t < N_OUT; t++)
            i.x[t] = (double) g_rand_int_range(rand, -3, 4);
        i.x[0] = 4.0;
        struct block x = block_of_series(i.x, N_OUT);
        struct block b = block_of_series(i.b, triangle_padded(N_IN));
        lasso_form_correlations(i.form, &x, &b, i.ws);
        if (lasso_form_lambda_max(i.b, i.n) > 0.0)
            check_path(&i, 0.05, 1e-12);
        instance_free(&i);
    }
    g_rand_free(rand);
}

static void a_path_ends_where_it_is_told_to(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(4);
    double matrix[20 * 30];
    fill_normal(rand, matrix, 20 * 30);
    struct instance i = instance_new(PROBLEM_LASSO, matrix, 20, 30, rand);
    double lambda_max = lasso_form_lambda_max(i.b, i.n);
    struct watch watch = {.instance = &i, .previous_to = lambda_max, .stop_after = 5};
    struct gram_path_result result =
        gram_path_follow(i.form->gram, i.b, 0.0, look_at_piece, &watch, i.ws);
    assert_true(result.finished);
    assert_int_equal(result.n_pieces, 5);
    result = gram_path_follow(i.form->gram, i.b, lambda_max, look_at_piece, &watch, i.ws);
    assert_true(result.finished);
    assert_int_equal(result.n_pieces, 0);
    instance_free(&i);
    g_rand_free(rand);
}

// The Lasso on M = Pi A L, its level put back, is the TV problem; one jump a run joins.
static void dense_tv_is_solved_in_its_lasso_form(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{2, 2}, {5, 8}, {60, 40}, {40, 60}};
    GRand *rand = g_rand_new_with_seed(5);
    double matrix[2400];
    for (size_t k = 0; k < 40; k++) {
        const size_t *size = sizes[k % G_N_ELEMENTS(sizes)];
        fill_normal(rand, matrix, size[0] * size[1]);
        struct instance i = instance_new(PROBLEM_TV, matrix, size[0], size[1], rand);
        double lambda_max = lasso_form_lambda_max(i.b, i.n);
        assert_close(lambda_max, problem_lambda_max(i.problem, i.x, i.ws), 1e-12 * lambda_max);
        struct gram_lasso lasso = {
            .gram = i.form->gram, .b = i.b, .lambda = 0.1 * lambda_max, .one_per_run = k % 2 == 0};
        g_autofree double *w = g_new0(double, i.n);
        assert_true(gram_active_set_solve(&lasso, w, i.ws).finished);
        assert_close(relative_gap(&i, w, lasso.lambda), 0.0, 1e-12);
        instance_free(&i);
    }
    g_rand_free(rand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_point_of_a_lasso_path_is_a_minimiser),
        cmocka_unit_test(every_point_of_a_tv_path_is_a_minimiser),
        cmocka_unit_test(ties_do_not_stop_the_path),
        cmocka_unit_test(paths_of_whole_numbers_are_exact),
        cmocka_unit_test(a_path_ends_where_it_is_told_to),
        cmocka_unit_test(dense_tv_is_solved_in_its_lasso_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
