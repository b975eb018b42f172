// SPDX-License-Identifier: BSD-3-Clause
// The exact solver of a voxel that others pull at, beside the dense problem of which it is short:
// 1/2 ||x - A u||^2 + w/2 ||u - z||^2 is 1/2 ||(x, sqrt(w) z) - (A; sqrt(w) I) u||^2.
#include "tests/check.h"

#include "solvers/kernels.h"
#include "solvers/segment_active_set.h"
#include "solvers/solver.h"

#include <string.h>

struct voxel {
    size_t n, n_h;
    double *h, *x, *z;
    double weight;
    double lambda;
};

static double *normal_new(GRand *rand, size_t n)
{
    double *values = g_new(double, n);
    fill_normal(rand, values, n);
    return values;
}

static struct voxel voxel_new(GRand *rand, size_t n)
{
    struct voxel v = {.n = n, .n_h = MIN(n, (size_t) g_rand_int_range(rand, 1, 30))};
    v.h = normal_new(rand, v.n_h);
    v.x = normal_new(rand, n);
    v.z = normal_new(rand, n);
    v.weight = pow(10.0, g_rand_double_range(rand, -2.0, 1.0));
    v.lambda = pow(10.0, g_rand_double_range(rand, -1.5, 1.0));
    return v;
}

static void voxel_clear(struct voxel *v)
{
    g_free(v->h);
    g_free(v->x);
    g_free(v->z);
}

// By another method on another form of the problem.
static double *dense_minimiser(const struct voxel *v, struct workspace *ws)
{
    size_t n = v->n;
    g_autofree double *stacked = g_new0(double, 2 * n * n);
    g_autofree double *data = g_new(double, 2 * n);
    for (size_t j = 0; j < n; j++) {
        for (size_t k = 0; k < v->n_h && j + k < n; k++)
            stacked[j * 2 * n + j + k] = v->h[k];
        stacked[j * 2 * n + n + j] = sqrt(v->weight);
    }
    for (size_t t = 0; t < n; t++) {
        data[t] = v->x[t];
        data[n + t] = sqrt(v->weight) * v->z[t];
    }
    g_autoptr(linop) op = linop_new_dense(stacked, 2 * n, n);
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    struct solver_options options = solver_options_default();
    options.tol = 1e-12;
    g_autoptr(owned_solver) solver = solver_new_exact(problem, &options, NULL);
    double *u = g_new0(double, n);
    struct block in = block_of_series(data, 2 * n), out = block_of_series(u, n);
    struct solve_input input = {.x = &in, .lambda = &v->lambda};
    struct series_result result;
    solver_run(solver, &input, &out, &result, ws);
    assert_true(result.relative_gap <= 1e-10);
    return u;
}

static double *linear_of(const struct voxel *v)
{
    double *linear = g_new(double, v->n);
    for (size_t t = 0; t < v->n; t++)
        linear[t] = v->weight * v->z[t];
    return linear;
}

static void check_voxel(const struct segment_active_set *set, const struct voxel *v,
                        struct segment_knots *knots, const double *expected, struct workspace *ws)
{
    g_autofree double *u = g_new0(double, v->n);
    g_autofree double *linear = linear_of(v);
    struct segment_pull pull = {linear, v->weight};
    struct segment_result result =
        segment_active_set_pulled(set, v->x, v->lambda, &pull, knots, u, ws);
    assert_true(result.finished);
    assert_close(max_abs_difference(u, expected, v->n), 0.0, 1e-8);
    assert_int_equal(knots->n, result.n_knots);
    size_t n_jumps = 0;
    for (size_t t = 1; t < v->n; t++)
        if (u[t] != u[t - 1])
            assert_int_equal(knots->at[n_jumps++], u[t] > u[t - 1] ? (int) t : -(int) t);
    assert_int_equal(n_jumps, knots->n);
}

// Any knots, whatever their signs.
static void draw_knots(GRand *rand, size_t n, struct segment_knots *knots)
{
    knots->n = 0;
    for (size_t t = 1; t < n; t++)
        if (g_rand_int_range(rand, 0, 3) == 0)
            knots->at[knots->n++] = g_rand_boolean(rand) ? (int32_t) t : -(int32_t) t;
}

static void minimisers_are_those_of_the_dense_problem_wherever_they_begin(void **state)
{
    (void) state;
    static const size_t lengths[] = {1, 2, 3, 7, 31, 64, 65, 100};
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t i = 0; i < 25 * G_N_ELEMENTS(lengths); i++) {
        struct voxel v = voxel_new(rand, lengths[i % G_N_ELEMENTS(lengths)]);
        struct filter filter = {.h = v.h, .n = v.n_h};
        g_autoptr(owned_segment_active_set) set =
            segment_active_set_new(&filter, v.n, kernels_best());
        g_autofree double *expected = dense_minimiser(&v, ws);
        g_autofree int32_t *at = g_new(int32_t, v.n);
        struct segment_knots knots = {.at = at};
        check_voxel(set, &v, &knots, expected, ws);
        check_voxel(set, &v, &knots, expected, ws); // from its own
        draw_knots(rand, v.n, &knots);
        check_voxel(set, &v, &knots, expected, ws);
        voxel_clear(&v);
    }
}

// Without a weight: <A' y, u> moves the data by y.
static void prices_of_a_series_are_data(void **state)
{
    (void) state;
    enum { N = 60 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    g_autoptr(owned_workspace) ws = workspace_new();
    struct voxel v = voxel_new(rand, N);
    struct filter filter = {.h = v.h, .n = v.n_h};
    g_autoptr(owned_segment_active_set) set = segment_active_set_new(&filter, N, kernels_best());
    double linear[N] = {0.0}, moved[N], u[N], expected[N];
    for (size_t t = 0; t < N; t++) {
        moved[t] = v.x[t] + v.z[t];
        for (size_t k = 0; k < v.n_h && t + k < N; k++)
            linear[t] += v.h[k] * v.z[t + k];
    }
    int32_t at[N];
    struct segment_knots knots = {.at = at};
    struct segment_pull pull = {linear, 0.0};
    segment_active_set_solve(set, moved, 0.7, false, expected, ws);
    assert_true(segment_active_set_pulled(set, v.x, 0.7, &pull, &knots, u, ws).finished);
    assert_close(max_abs_difference(u, expected, N), 0.0, 1e-9);
    voxel_clear(&v);
}

static void knots_of_the_minimiser_save_the_search_for_them(void **state)
{
    (void) state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(6);
    g_autoptr(owned_workspace) ws = workspace_new();
    struct voxel v = voxel_new(rand, 250);
    v.lambda = 0.5;
    v.weight = 0.3;
    struct filter filter = {.h = v.h, .n = v.n_h};
    g_autoptr(owned_segment_active_set) set = segment_active_set_new(&filter, v.n, kernels_best());
    g_autofree double *u = g_new(double, v.n);
    g_autofree int32_t *at = g_new(int32_t, v.n);
    struct segment_knots knots = {.at = at};
    g_autofree double *linear = linear_of(&v);
    struct segment_pull pull = {linear, v.weight};
    struct segment_result cold =
        segment_active_set_pulled(set, v.x, v.lambda, &pull, &knots, u, ws);
    struct segment_result warm =
        segment_active_set_pulled(set, v.x, v.lambda, &pull, &knots, u, ws);
    assert_true(cold.n_solves > 4);
    assert_int_equal(warm.n_solves, 1);
    assert_int_equal(warm.n_evaluations, 1);
    voxel_clear(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minimisers_are_those_of_the_dense_problem_wherever_they_begin),
        cmocka_unit_test(prices_of_a_series_are_data),
        cmocka_unit_test(knots_of_the_minimiser_save_the_search_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
