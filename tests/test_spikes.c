// SPDX-License-Identifier: BSD-3-Clause
// The Lasso on a convolution, of either sign and not negative: optimality, certificate, limits.
#include "tests/check.h"

#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "solvers/random.h"
#include "solvers/solver.h"

#include <math.h>

enum { N_TIME = 120, N_SERIES = 6 };

struct scene {
    linop *op;            // owned
    struct block x;       // owned data
    struct block u;       // owned data
    struct workspace *ws; // owned
};

static struct scene scene_new(double tr_s)
{
    g_autoptr(owned_hrf) hrf = hrf_new("spm", tr_s, NULL);
    struct scene s = {.ws = workspace_new()};
    s.op = hrf_conv_new(hrf->h, hrf->n, N_TIME, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
    s.x = (struct block){N_TIME, N_SERIES, N_TIME, g_new(double, N_TIME *N_SERIES)};
    s.u = (struct block){N_TIME, N_SERIES, N_TIME, g_new0(double, N_TIME *N_SERIES)};
    struct random_stream stream = random_stream_of(7, 1, 1);
    random_normal(&stream, s.x.data, N_TIME * N_SERIES);
    return s;
}

static void scene_clear(struct scene *s)
{
    linop_free(s->op);
    g_free(s->x.data);
    g_free(s->u.data);
    workspace_free(s->ws);
}

static void solve(struct scene *s, const struct problem *problem, double ratio,
                  struct series_result *results)
{
    struct solver_options options = solver_options_default();
    struct solver *solver = solver_new_exact(problem, &options, NULL);
    assert_non_null(solver);
    double lambda[N_SERIES];
    for (size_t v = 0; v < N_SERIES; v++)
        lambda[v] = ratio;
    struct solve_input input = {.x = &s->x, .lambda = lambda, .lambda_is_ratio = true};
    solver_run(solver, &input, &s->u, results, s->ws);
    solver_free(solver);
}

// Where u is not 0 the gradient is lambda times its sign; elsewhere it is within the bounds.
static void check_optimal(const struct scene *s, size_t v, double lambda, bool positive)
{
    double r[N_TIME], c[N_TIME];
    const double *u = block_series(&s->u, v);
    linop_apply_series(s->op, u, r, s->ws);
    for (size_t t = 0; t < N_TIME; t++)
        r[t] = block_series(&s->x, v)[t] - r[t];
    linop_adjoint_series(s->op, r, c, s->ws);
    for (size_t t = 0; t < N_TIME; t++) {
        if (u[t] != 0.0)
            assert_close(c[t], u[t] > 0.0 ? lambda : -lambda, 1e-9 * lambda);
        assert_true(c[t] <= lambda * (1.0 + 1e-9));
        assert_true(positive || c[t] >= -lambda * (1.0 + 1e-9));
        assert_true(!positive || u[t] >= 0.0);
    }
}

static void check_solutions(struct scene *s, double ratio, bool positive)
{
    g_autoptr(owned_problem) problem =
        positive ? problem_new_positive_lasso(s->op) : problem_new_lasso(s->op);
    struct series_result results[N_SERIES];
    solve(s, problem, ratio, results);
    for (size_t v = 0; v < N_SERIES; v++) {
        check_optimal(s, v, results[v].lambda, positive);
        assert_int_equal(results[v].status, SERIES_SOLVED);
        assert_true(fabs(results[v].relative_gap) <= 1e-11);
        assert_true(results[v].n_jumps > 0);
    }
}

static void solutions_are_optimal_and_certified(G_GNUC_UNUSED void **state)
{
    const double ratios[] = {0.02, 0.1, 0.5}, trs[] = {0.735, 2.0};
    for (size_t k = 0; k < 2; k++) {
        struct scene s = scene_new(trs[k]);
        for (size_t i = 0; i < G_N_ELEMENTS(ratios); i++) {
            check_solutions(&s, ratios[i], false);
            check_solutions(&s, ratios[i], true);
        }
        scene_clear(&s);
    }
}

// lambda_max is that of the largest correlation, not of the largest in size.
static void lambda_max_of_what_is_not_negative_is_one_sided(G_GNUC_UNUSED void **state)
{
    struct scene s = scene_new(2.0);
    g_autoptr(owned_problem) problem = problem_new_positive_lasso(s.op);
    for (size_t v = 0; v < N_SERIES; v++) {
        double c[N_TIME], largest = 0.0;
        linop_adjoint_series(s.op, block_series(&s.x, v), c, s.ws);
        for (size_t t = 0; t < N_TIME; t++)
            largest = fmax(largest, c[t]);
        assert_close(problem_lambda_max(problem, block_series(&s.x, v), s.ws), largest, 1e-12);
    }
    scene_clear(&s);
}

static void at_lambda_max_there_is_no_spike(G_GNUC_UNUSED void **state)
{
    struct scene s = scene_new(2.0);
    double u[N_TIME] = {0.0};
    for (size_t v = 0; v < N_SERIES; v++) {
        u[20 + v] = -1.0;
        linop_apply_series(s.op, u, block_series(&s.x, v), s.ws);
        u[20 + v] = 0.0;
    }
    g_autoptr(owned_problem) problem = problem_new_positive_lasso(s.op);
    struct series_result results[N_SERIES];
    solve(&s, problem, 1.0, results);
    for (size_t i = 0; i < N_TIME * N_SERIES; i++)
        assert_close(s.u.data[i], 0.0, 0.0);
    scene_clear(&s);
}

// A point that is not allowed has no certificate, and the certificate of one that is bounds it.
static void certificates_of_what_is_not_negative_hold(G_GNUC_UNUSED void **state)
{
    struct scene s = scene_new(2.0);
    g_autoptr(owned_problem) problem = problem_new_positive_lasso(s.op);
    struct series_result results[N_SERIES];
    solve(&s, problem, 0.1, results);
    struct random_stream stream = random_stream_of(9, 1, 1);
    for (size_t v = 0; v < N_SERIES; v++) {
        double point[N_TIME], noise[N_TIME];
        random_normal(&stream, noise, N_TIME);
        for (size_t t = 0; t < N_TIME; t++)
            point[t] = fmax(block_series(&s.u, v)[t] + 0.3 * noise[t], 0.0);
        struct certificate found =
            problem_certify(problem, block_series(&s.x, v), point, results[v].lambda, s.ws);
        double distance = found.objective - results[v].objective;
        assert_true(distance >= -1e-12 && found.duality_gap >= distance - 1e-12);
        point[3] = -1.0;
        found = problem_certify(problem, block_series(&s.x, v), point, results[v].lambda, s.ws);
        assert_true(isinf(found.duality_gap));
    }
    scene_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solutions_are_optimal_and_certified),
        cmocka_unit_test(lambda_max_of_what_is_not_negative_is_one_sided),
        cmocka_unit_test(at_lambda_max_there_is_no_spike),
        cmocka_unit_test(certificates_of_what_is_not_negative_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
