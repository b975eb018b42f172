// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "tests/convolution.h"

#include "deconv/spatial.h"
#include "solvers/problem.h"
#include "solvers/solver.h"

#include <string.h>

static const double response[] = {0.1, 0.4, 0.3, 0.2, 0.1, -0.1};
enum { N_H = G_N_ELEMENTS(response) };

struct instance {
    linop *op;
    struct spatial_graph *graph;
    float *x;
    float *u;
    struct spatial_problem problem;
    struct spatial_options options;
};

static struct instance instance_new(struct spatial_graph *graph, size_t n_time,
                                    enum spatial_kind kind, double lambda_t, double lambda_s)
{
    size_t n = graph->n_nodes * n_time;
    struct instance i = {.op = test_convolution_new(response, N_H, n_time, false),
                         .graph = graph,
                         .x = g_new(float, n),
                         .u = g_new0(float, n),
                         .options = spatial_options_default()};
    g_autoptr(GRand) rand = g_rand_new_with_seed(8);
    for (size_t v = 0; v < graph->n_nodes; v++)
        for (size_t t = 0; t < n_time; t++)
            i.x[v * n_time + t] = (float) ((v % 3 == 0 && t > n_time / 2 ? 1.0 : 0.0) +
                                           g_rand_double_range(rand, -0.7, 0.7));
    i.problem = (struct spatial_problem){i.op, graph, i.x, kind, lambda_t, lambda_s};
    return i;
}

static void instance_clear(struct instance *i)
{
    linop_free(i->op);
    spatial_graph_free(i->graph);
    g_free(i->x);
    g_free(i->u);
}

static struct spatial_graph *grid(size_t x, size_t y, size_t z, enum spatial_neighbours neighbours)
{
    return spatial_graph_of_mask(NULL, (const size_t[3]){x, y, z}, neighbours);
}

static struct spatial_progress solve(struct instance *i, size_t n_threads)
{
    g_autoptr(owned_parallel) team = parallel_new(n_threads, NULL);
    struct spatial_progress last;
    assert_true(spatial_solve(&i->problem, &i->options, team, NULL, NULL, i->u, &last));
    return last;
}

/* The same problem by the primal-dual method of Chambolle and Pock 2011, as plainly as it goes: all
   in double, one dual variable for each sample, step and edge. */

struct plain {
    const struct instance *i;
    size_t n_time, n_nodes, n_edges;
    struct workspace *ws;
    double *u, *mean, *adjoint, *fit, *step, *edge;
};

static double penalty_of_edge(const struct plain *p, size_t e, const double *u)
{
    const uint32_t *ends = p->i->graph->ends + 2 * e;
    double one = 0.0, two = 0.0;
    for (size_t t = 0; t < p->n_time; t++) {
        double d = u[ends[0] * p->n_time + t] - u[ends[1] * p->n_time + t];
        one += fabs(d);
        two += d * d;
    }
    return p->i->problem.kind == SPATIAL_TV      ? one
           : p->i->problem.kind == SPATIAL_GROUP ? sqrt(two)
                                                 : 0.5 * two;
}

static double plain_objective(const struct plain *p, const double *u)
{
    const struct spatial_problem *problem = &p->i->problem;
    double sum = 0.0;
    g_autofree double *fit = g_new(double, p->n_time);
    for (size_t v = 0; v < p->n_nodes; v++) {
        const double *series = u + v * p->n_time;
        linop_apply_series(problem->op, series, fit, p->ws);
        for (size_t t = 0; t < p->n_time; t++) {
            double r = (double) problem->x[v * p->n_time + t] - fit[t];
            sum += 0.5 * r * r;
            if (t > 0)
                sum += problem->lambda_t * fabs(series[t] - series[t - 1]);
        }
    }
    for (size_t e = 0; e < p->n_edges; e++)
        sum += problem->lambda_s * penalty_of_edge(p, e, u);
    return sum;
}

static void ascend_node(struct plain *p, size_t v, double sigma)
{
    const struct spatial_problem *problem = &p->i->problem;
    size_t n = p->n_time;
    const double *mean = p->mean + v * n;
    g_autofree double *fit = g_new(double, n);
    linop_apply_series(problem->op, mean, fit, p->ws);
    for (size_t t = 0; t < n; t++) {
        double *y = &p->fit[v * n + t];
        *y = (*y + sigma * (fit[t] - (double) problem->x[v * n + t])) / (1.0 + sigma);
        double *s = &p->step[v * n + t];
        if (t > 0)
            *s = CLAMP(*s + sigma * (mean[t] - mean[t - 1]), -problem->lambda_t, problem->lambda_t);
    }
}

static void ascend_edge(struct plain *p, size_t e, double sigma)
{
    const struct spatial_problem *problem = &p->i->problem;
    const uint32_t *ends = p->i->graph->ends + 2 * e;
    size_t n = p->n_time;
    double *q = p->edge + e * n, norm2 = 0.0;
    for (size_t t = 0; t < n; t++) {
        q[t] += sigma * (p->mean[ends[0] * n + t] - p->mean[ends[1] * n + t]);
        norm2 += q[t] * q[t];
    }
    double shrink = problem->kind == SPATIAL_LAPLACIAN
                        ? problem->lambda_s / (problem->lambda_s + sigma)
                        : fmin(1.0, problem->lambda_s / sqrt(norm2));
    for (size_t t = 0; t < n; t++)
        q[t] = problem->kind == SPATIAL_TV ? CLAMP(q[t], -problem->lambda_s, problem->lambda_s)
                                           : q[t] * shrink;
}

static void descend_all(struct plain *p, double tau)
{
    size_t n = p->n_time;
    for (size_t v = 0; v < p->n_nodes; v++) {
        double *g = p->adjoint + v * n, *s = p->step + v * n;
        linop_adjoint_series(p->i->problem.op, p->fit + v * n, g, p->ws);
        for (size_t t = 0; t < n; t++)
            g[t] += (t > 0 ? s[t] : 0.0) - (t + 1 < n ? s[t + 1] : 0.0);
    }
    for (size_t e = 0; e < p->n_edges; e++) {
        const uint32_t *ends = p->i->graph->ends + 2 * e;
        for (size_t t = 0; t < n; t++) {
            p->adjoint[ends[0] * n + t] += p->edge[e * n + t];
            p->adjoint[ends[1] * n + t] -= p->edge[e * n + t];
        }
    }
    for (size_t k = 0; k < p->n_nodes * n; k++) {
        double next = p->u[k] - tau * p->adjoint[k];
        p->mean[k] = 2.0 * next - p->u[k];
        p->u[k] = next;
    }
}

static double plain_minimum(const struct instance *i, size_t n_iterations)
{
    size_t n_time = i->op->n_in, n = i->graph->n_nodes * n_time;
    struct plain p = {.i = i,
                      .n_time = n_time,
                      .n_nodes = i->graph->n_nodes,
                      .n_edges = i->graph->n_edges,
                      .ws = workspace_new(),
                      .u = g_new0(double, n),
                      .mean = g_new0(double, n),
                      .adjoint = g_new0(double, n),
                      .fit = g_new0(double, n),
                      .step = g_new0(double, n),
                      .edge = g_new0(double, i->graph->n_edges *n_time + 1)};
    double step = 0.99 / sqrt(2.0 + 4.0 + 12.0); // ||A||^2, ||nabla||^2, ||D||^2 are below these
    for (size_t k = 0; k < n_iterations; k++) {
        for (size_t v = 0; v < p.n_nodes; v++)
            ascend_node(&p, v, step);
        for (size_t e = 0; e < p.n_edges; e++)
            ascend_edge(&p, e, step);
        descend_all(&p, step);
    }
    double objective = plain_objective(&p, p.u);
    workspace_free(p.ws);
    g_free(p.u);
    g_free(p.mean);
    g_free(p.adjoint);
    g_free(p.fit);
    g_free(p.step);
    g_free(p.edge);
    return objective;
}

static void minima_are_those_of_a_plain_method(void **state)
{
    (void) state;
    static const enum spatial_kind kinds[] = {SPATIAL_GROUP, SPATIAL_LAPLACIAN, SPATIAL_TV};
    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        struct instance i =
            instance_new(grid(3, 2, 2, SPATIAL_FACES), 24, kinds[k], 0.3, k == 0 ? 0.4 : 0.15);
        i.options.tol = 1e-6;
        i.options.max_iter = 5000;
        struct spatial_progress last = solve(&i, 1);
        assert_true(last.relative_gap >= -1e-12 && last.relative_gap <= 1e-6);
        double expected = plain_minimum(&i, 20000);
        assert_close(last.objective, expected, 2e-6 * expected);
        instance_clear(&i);
    }
}

// The gap bounds how far an early iterate is from the minimum, and is no idle bound.
static void gaps_bound_the_distance_to_the_minimum(void **state)
{
    (void) state;
    struct instance i = instance_new(grid(3, 3, 2, SPATIAL_FACES), 24, SPATIAL_GROUP, 0.3, 0.4);
    i.options.tol = 0.0;
    i.options.gap_every = 1;
    i.options.max_iter = 4000;
    double least = solve(&i, 1).objective;
    static const size_t early[] = {1, 3, 10, 30};
    for (size_t k = 0; k < G_N_ELEMENTS(early); k++) {
        i.options.max_iter = early[k];
        struct spatial_progress last = solve(&i, 1);
        assert_true(last.duality_gap >= last.objective - least - 1e-6 * least);
        assert_true(last.objective >= least * (1.0 - 1e-6));
    }
    instance_clear(&i);
}

static void without_spatial_penalty_voxels_are_solved_alone(void **state)
{
    (void) state;
    enum { N = 40 };
    struct instance i = instance_new(grid(2, 2, 1, SPATIAL_FACES), N, SPATIAL_GROUP, 0.3, 0.0);
    i.options.tol = 1e-6;
    solve(&i, 1);
    g_autoptr(owned_problem) problem = problem_new_tv(i.op);
    struct solver_options options = solver_options_default();
    g_autoptr(owned_solver) solver = solver_new_exact(problem, &options, NULL);
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t v = 0; v < 4; v++) {
        double x[N], u[N];
        for (size_t t = 0; t < N; t++)
            x[t] = (double) i.x[v * N + t];
        struct block in = block_of_series(x, N), out = block_of_series(u, N);
        double lambda = 0.3;
        struct solve_input input = {.x = &in, .lambda = &lambda};
        struct series_result result;
        solver_run(solver, &input, &out, &result, ws);
        for (size_t t = 0; t < N; t++)
            assert_close((double) i.u[v * N + t], u[t], 1e-6);
    }
    instance_clear(&i);
}

static void a_strong_group_makes_one_series_of_all(void **state)
{
    (void) state;
    enum { N = 30 };
    struct instance i = instance_new(grid(3, 1, 1, SPATIAL_FACES), N, SPATIAL_GROUP, 0.2, 100.0);
    i.options.tol = 1e-6;
    i.options.max_iter = 3000;
    solve(&i, 1);
    for (size_t t = 0; t < N; t++) {
        assert_close((double) i.u[t], (double) i.u[N + t], 1e-4);
        assert_close((double) i.u[t], (double) i.u[2 * N + t], 1e-4);
    }
    instance_clear(&i);
}

static void threads_change_no_byte(void **state)
{
    (void) state;
    struct instance i =
        instance_new(grid(9, 7, 3, SPATIAL_FACES_AND_EDGES), 20, SPATIAL_TV, 0.3, 0.1);
    size_t n_bytes = i.graph->n_nodes * 20 * sizeof(float);
    struct spatial_progress first = solve(&i, 1);
    g_autofree float *one = g_memdup2(i.u, n_bytes);
    struct spatial_progress other = solve(&i, 4);
    assert_memory_equal(one, i.u, n_bytes);
    assert_memory_equal(&first, &other, sizeof first);
    instance_clear(&i);
}

static void grids_have_the_neighbours_inside_the_mask(void **state)
{
    (void) state;
    g_autoptr(owned_spatial_graph) faces = grid(4, 3, 2, SPATIAL_FACES);
    assert_int_equal(faces->n_edges, 3 * 3 * 2 + 4 * 2 * 2 + 4 * 3 * 1);
    g_autoptr(owned_spatial_graph) cube = grid(3, 3, 3, SPATIAL_FACES_AND_EDGES);
    assert_int_equal(spatial_graph_degree(cube, 13), 18);
    assert_int_equal(spatial_graph_degree(cube, 0), 6);
    static const uint8_t mask[] = {1, 0, 1, 1, 1, 0};
    g_autoptr(owned_spatial_graph) masked =
        spatial_graph_of_mask(mask, (const size_t[3]){3, 2, 1}, SPATIAL_FACES);
    assert_int_equal(masked->n_nodes, 4);
    static const uint32_t expected[] = {0, 2, 2, 3};
    assert_int_equal(masked->n_edges, 2);
    assert_memory_equal(masked->ends, expected, sizeof expected);
}

static bool stop_at_once(void *data, const struct spatial_progress *progress)
{
    *(size_t *) data = progress->iteration;
    return false;
}

static void work_ends_when_it_is_asked_to(void **state)
{
    (void) state;
    struct instance i = instance_new(grid(2, 1, 1, SPATIAL_FACES), 20, SPATIAL_GROUP, 0.3, 0.4);
    i.options.tol = 0.0;
    g_autoptr(owned_parallel) team = parallel_new(1, NULL);
    struct spatial_progress last;
    size_t told = 0;
    assert_false(spatial_solve(&i.problem, &i.options, team, stop_at_once, &told, i.u, &last));
    assert_int_equal(told, 5);
    atomic_bool stop = true;
    g_autoptr(owned_parallel) stopped = parallel_new(1, &stop);
    assert_false(spatial_solve(&i.problem, &i.options, stopped, NULL, NULL, i.u, &last));
    assert_int_equal(last.iteration, 0);
    instance_clear(&i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minima_are_those_of_a_plain_method),
        cmocka_unit_test(gaps_bound_the_distance_to_the_minimum),
        cmocka_unit_test(without_spatial_penalty_voxels_are_solved_alone),
        cmocka_unit_test(a_strong_group_makes_one_series_of_all),
        cmocka_unit_test(threads_change_no_byte),
        cmocka_unit_test(grids_have_the_neighbours_inside_the_mask),
        cmocka_unit_test(work_ends_when_it_is_asked_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
