// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "solvers/segment_path.h"

#include <string.h>

enum { MOST_BENDS = 4000, MOST_SAMPLES = 700 };

struct bends {
    struct path_point point[MOST_BENDS];
    size_t n;
};

static bool note_bend(void *data, const struct path_point *point)
{
    struct bends *bends = data;
    assert_true(bends->n < MOST_BENDS);
    bends->point[bends->n++] = *point;
    return true;
}

// A response, a length, a kind of convolution and blocks of activity in noise.
struct setting {
    linop *op;
    struct problem *problem;
    struct segment_active_set *set;
    double x[MOST_SAMPLES];
};

static void fill_series(struct setting *s, GRand *rand, double noise)
{
    double u[MOST_SAMPLES];
    double level = 0.0;
    for (size_t t = 0; t < s->op->n_in; t++) {
        if (g_rand_double(rand) < 0.07)
            level = g_rand_double(rand) < 0.5 ? 0.0 : g_rand_double_range(rand, -1.0, 2.0);
        u[t] = level;
    }
    struct workspace *ws = workspace_new();
    linop_apply_series(s->op, u, s->x, ws);
    workspace_free(ws);
    double *e = g_new(double, s->op->n_out);
    fill_normal(rand, e, s->op->n_out);
    for (size_t t = 0; t < s->op->n_out; t++)
        s->x[t] += noise * e[t];
    g_free(e);
}

static void setting_init(struct setting *s, GRand *rand, size_t which)
{
    static const double tr_s[] = {0.5, 0.735, 1.5, 2.0};
    static const size_t length[] = {80, 97, 250, 490, 600};
    enum hrf_conv_kind kind = which % 3 == 2 ? HRF_CONV_FULL : HRF_CONV_CAUSAL;
    g_autoptr(owned_hrf) hrf = hrf_new("spm", tr_s[which % 4], NULL);
    s->op = hrf_conv_new(hrf->h, hrf->n, length[which % 5], kind, HRF_CONV_AUTO, NULL);
    s->problem = problem_new_tv(s->op);
    s->set = segment_active_set_new(s->op->filter, s->op->n_in, kernels_best());
    fill_series(s, rand, which % 2 == 0 ? 0.5 : 0.1);
}

static void setting_clear(struct setting *s)
{
    segment_active_set_free(s->set);
    problem_free(s->problem);
    linop_free(s->op);
}

// The Gram matrix's rounding is the larger one.
static void check_bend(const struct path_point *found, const struct path_point *expected,
                       const struct path_point *first)
{
    assert_close(found->lambda, expected->lambda, 3e-9 * expected->lambda);
    assert_int_equal(found->n_jumps, expected->n_jumps);
    assert_close(found->residual_norm2, expected->residual_norm2, 1e-9 * first->residual_norm2);
    assert_close(found->penalty, expected->penalty, 1e-7 * (1.0 + expected->penalty));
}

// Bend by bend, the path of the Gram matrix.
static void the_path_is_that_of_the_gram_matrix(void **state)
{
    (void) state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(31);
    g_autoptr(owned_workspace) ws = workspace_new();
    struct bends *found = g_new(struct bends, 1), *expected = g_new(struct bends, 1);
    for (size_t which = 0; which < 40; which++) {
        struct setting s;
        setting_init(&s, rand, which);
        struct lasso_form *form = lasso_form_new(s.problem, true);
        found->n = expected->n = 0;
        double end = 0.01 * problem_lambda_max(s.problem, s.x, ws);
        assert_true(homotopy_path(form, s.x, end, note_bend, expected, ws));
        assert_true(segment_path_follow(s.set, s.x, end, note_bend, found, ws));
        assert_int_equal(found->n, expected->n);
        for (size_t i = 0; i < found->n; i++)
            check_bend(&found->point[i], &expected->point[i], &expected->point[0]);
        lasso_form_free(form);
        setting_clear(&s);
    }
    g_free(found);
    g_free(expected);
}

// Refreshes, refusals and horizons are met on long series: the bends are those of exact solutions.
static void bends_of_a_long_series_are_minimisers(void **state)
{
    (void) state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(32);
    g_autoptr(owned_workspace) ws = workspace_new();
    struct bends *found = g_new0(struct bends, 1);
    struct setting s;
    setting_init(&s, rand, 4);
    fill_series(&s, rand, 0.05);
    double lambda_max = problem_lambda_max(s.problem, s.x, ws), u[MOST_SAMPLES];
    assert_true(segment_path_follow(s.set, s.x, 1e-4 * lambda_max, note_bend, found, ws));
    assert_true(found->n > 600);
    for (size_t i = 1; i < found->n; i += 7) {
        const struct path_point *point = &found->point[i];
        segment_active_set_solve(s.set, s.x, point->lambda, false, u, ws);
        double *r = WORKSPACE_ALLOC(ws, double, s.op->n_out), rss = 0.0;
        linop_apply_series(s.op, u, r, ws);
        for (size_t t = 0; t < s.op->n_out; t++)
            rss += (s.x[t] - r[t]) * (s.x[t] - r[t]);
        assert_close(point->residual_norm2, rss, 1e-9 * found->point[0].residual_norm2);
        double penalty = 0.0;
        for (size_t t = 1; t < s.op->n_in; t++)
            penalty += fabs(u[t] - u[t - 1]);
        assert_close(point->penalty, penalty, 1e-6 * penalty);
        workspace_release(ws, 0);
    }
    setting_clear(&s);
    g_free(found);
}

// The lambda at which the path's residual is the target.
struct crossing {
    double target;
    struct path_point before;
    double lambda;
};

static bool look_for_target(void *data, const struct path_point *point)
{
    struct crossing *crossing = data;
    const struct path_point *before = &crossing->before;
    double target = crossing->target, high = before->lambda, low = point->lambda;
    if (point->residual_norm2 <= target) {
        double part =
            (target - point->residual_norm2) / (before->residual_norm2 - point->residual_norm2);
        crossing->lambda = sqrt(low * low + part * (high * high - low * low));
        return false;
    }
    crossing->before = *point;
    return true;
}

static void the_residual_is_found_where_the_path_has_it(void **state)
{
    (void) state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(33);
    g_autoptr(owned_workspace) ws = workspace_new();
    static const double parts[] = {0.9, 0.5, 0.2, 0.1, 0.03};
    for (size_t which = 0; which < 60; which++) {
        struct setting s;
        setting_init(&s, rand, which);
        struct lasso_form *form = lasso_form_new(s.problem, true);
        struct bends *bends = g_new0(struct bends, 1);
        double lambda_max = problem_lambda_max(s.problem, s.x, ws), least = 1e-6 * lambda_max;
        assert_true(segment_path_follow(s.set, s.x, 0.99 * lambda_max, note_bend, bends, ws));
        double norm2 = bends->point[0].residual_norm2;
        struct crossing crossing = {.target = parts[which % 5] * norm2};
        homotopy_path(form, s.x, least, look_for_target, &crossing, ws);
        double found = segment_path_find_residual(s.set, s.x, crossing.target, least, ws);
        bool far_down = crossing.lambda < 1e-2 * lambda_max;
        if (crossing.lambda > 0.0)
            assert_close(found, crossing.lambda, (far_down ? 1e-6 : 3e-9) * crossing.lambda);
        else
            assert_true(found == least);
        assert_true(segment_path_find_residual(s.set, s.x, 1.01 * norm2, least, ws) >=
                    lambda_max * (1.0 - 1e-12));
        assert_true(segment_path_find_residual(s.set, s.x, crossing.target, 0.99 * lambda_max,
                                               ws) == 0.99 * lambda_max);
        g_free(bends);
        lasso_form_free(form);
        setting_clear(&s);
    }
}

static double first_of(double c, double slope, double lambda)
{
    double above = (lambda - c) / (1.0 + slope), below = (lambda + c) / (1.0 - slope);
    above = 1.0 + slope > 1e-14 ? fmax(above, 0.0) : HUGE_VAL;
    below = 1.0 - slope > 1e-14 ? fmax(below, 0.0) : HUGE_VAL;
    return fmin(above, below);
}

static void first_crossings_are_those_of_their_definition(void **state)
{
    (void) state;
    static const char *const names[] = {"plain", "avx2", "avx512"};
    g_autoptr(GRand) rand = g_rand_new_with_seed(34);
    for (size_t round = 0; round < 300; round++) {
        double c[SEGMENT_TILE], slope[SEGMENT_TILE], limit = g_rand_double(rand), least = limit;
        size_t expected = G_MAXSIZE;
        for (size_t i = 0; i < SEGMENT_TILE; i++) {
            c[i] = g_rand_double_range(rand, -1.0, 1.0);
            slope[i] = round % 3 == 0 ? -1.0 : g_rand_double_range(rand, -2.0, 2.0);
            double here = first_of(c[i], slope[i], 1.0);
            expected = here < least ? i : expected;
            least = fmin(here, least);
        }
        for (size_t k = 0; k < G_N_ELEMENTS(names); k++) {
            const struct kernels *kernels = kernels_named(names[k]);
            size_t at = G_MAXSIZE;
            if (kernels == NULL)
                continue;
            double found = kernels->segment->first_crossing(c, slope, 1.0, limit, &at);
            assert_close(found, least, 1e-14);
            assert_int_equal(at, expected);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_is_that_of_the_gram_matrix),
        cmocka_unit_test(bends_of_a_long_series_are_minimisers),
        cmocka_unit_test(the_residual_is_found_where_the_path_has_it),
        cmocka_unit_test(first_crossings_are_those_of_their_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
