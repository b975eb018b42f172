// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden_meeg.h"
#include "tests/made_gain.h"

#include "solvers/parallel.h"
#include "solvers/solver.h"
#include "sources/block_descent.h"
#include "sources/mixed_norm.h"
#include "sources/time_reduction.h"

#include <string.h>

// Solves at a fraction of alpha_max, to a relative gap.
static struct mixed_norm_result solve(const struct mixed_norm_input *input, double fraction,
                                      double tol, struct source_estimate *estimate)
{
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(input);
    g_autoptr(owned_workspace) ws = workspace_new();
    struct mixed_norm_options options = mixed_norm_options_default();
    options.tol = tol;
    return mixed_norm_solve(problem, fraction * problem->alpha_max, &options, estimate, ws);
}

// G_k' (M - G X) of a column: n_time long doubles.
static void correlation_of(const struct mixed_norm_input *input, const long double *residual,
                           size_t column, long double *out)
{
    for (size_t t = 0; t < input->n_time; t++)
        out[t] = 0.0L;
    for (size_t i = 0; i < input->n_sensors; i++)
        for (size_t t = 0; t < input->n_time; t++)
            out[t] += input->gain[column * input->n_sensors + i] * residual[i * input->n_time + t];
}

static long double *residual_of(const struct mixed_norm_input *input,
                                const struct source_estimate *x)
{
    long double *residual = g_new(long double, input->n_sensors * input->n_time);
    for (size_t i = 0; i < input->n_sensors; i++)
        for (size_t t = 0; t < input->n_time; t++) {
            long double sum = input->data[i * input->n_time + t];
            for (size_t k = 0; k < x->n_active * input->n_orient; k++) {
                size_t column = x->position[k / input->n_orient] * input->n_orient;
                column += k % input->n_orient;
                sum -= (long double) input->gain[column * input->n_sensors + i] *
                       x->x[k * input->n_time + t];
            }
            residual[i * input->n_time + t] = sum;
        }
    return residual;
}

// At the minimiser G_k' R = alpha X_k / ||X_k|| where X_k != 0, and ||G_k' R|| <= alpha elsewhere.
static void check_optimality(const struct mixed_norm_input *input, double alpha,
                             const struct source_estimate *x, double tol)
{
    g_autofree long double *residual = residual_of(input, x);
    g_autofree long double *c = g_new(long double, input->n_time);
    size_t next = 0;
    for (size_t k = 0; k < input->n_positions; k++) {
        bool active = next < x->n_active && x->position[next] == k;
        double norm = active ? source_estimate_norm(x, next) : 1.0;
        long double norm2 = 0.0L;
        for (size_t o = 0; o < input->n_orient; o++) {
            correlation_of(input, residual, k * input->n_orient + o, c);
            for (size_t t = 0; t < input->n_time; t++) {
                norm2 += c[t] * c[t];
                if (active)
                    assert_close((double) c[t],
                                 alpha * source_estimate_rows(x, next)[o * input->n_time + t] /
                                     norm,
                                 tol * alpha);
            }
        }
        assert_true(sqrt((double) norm2) <= alpha * (1.0 + tol));
        next += active;
    }
    assert_int_equal(next, x->n_active);
}

static void the_minimiser_meets_the_conditions_of_optimality(void **state)
{
    (void) state;
    static const size_t orients[] = {1, 3}, times[] = {1, 2, 7, 8, 33};
    static const double fractions[] = {0.9, 0.5, 0.1};
    for (size_t o = 0; o < 2; o++)
        for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
            for (size_t f = 0; f < G_N_ELEMENTS(fractions); f++) {
                struct made made = make((guint32) (10 * o + i), 30, 150, orients[o], times[i]);
                g_autoptr(owned_source_estimate) x = source_estimate_new(orients[o], times[i]);
                struct mixed_norm_result found = solve(&made.input, fractions[f], 1e-12, x);
                assert_true(found.converged);
                check_optimality(&made.input, found.alpha, x, 1e-5);
                drop(&made);
            }
}

// P, gap and the explained part, straight from their definitions.
static void the_certificate_is_that_of_its_definition(void **state)
{
    (void) state;
    struct made made = make(3, 20, 40, 3, 5);
    const struct mixed_norm_input *input = &made.input;
    g_autoptr(owned_source_estimate) x = source_estimate_new(3, 5);
    source_estimate_resize(x, 2);
    x->position[0] = 4;
    x->position[1] = 17;
    for (size_t i = 0; i < 30; i++)
        x->x[i] = 0.01 * (double) i - 0.1;
    g_autofree long double *residual = residual_of(input, x);
    long double residual2 = 0.0L, inner = 0.0L, data2 = 0.0L, largest = 0.0L, c[5];
    for (size_t i = 0; i < 100; i++) {
        residual2 += residual[i] * residual[i];
        inner += residual[i] * input->data[i];
        data2 += (long double) input->data[i] * input->data[i];
    }
    for (size_t k = 0; k < 40; k++) {
        long double norm2 = 0.0L;
        for (size_t o = 0; o < 3; o++) {
            correlation_of(input, residual, 3 * k + o, c);
            for (size_t t = 0; t < 5; t++)
                norm2 += c[t] * c[t];
        }
        largest = fmaxl(largest, sqrtl(norm2));
    }
    double alpha = 2.0;
    long double penalty = source_estimate_norm(x, 0) + source_estimate_norm(x, 1);
    long double a = fminl(inner / residual2, alpha / largest);
    struct mixed_norm_certificate certificate = mixed_norm_certify(input, x, alpha);
    double objective = (double) (0.5L * residual2 + alpha * penalty);
    double gap = objective - (double) (a * inner - 0.5L * a * a * residual2);
    assert_close(certificate.objective, objective, 1e-14 * objective);
    assert_close(certificate.duality_gap, gap, 1e-13 * objective);
    assert_close(certificate.relative_gap, gap / (0.5 * (double) data2), 1e-13);
    assert_close(certificate.explained, 1.0 - (double) (residual2 / data2), 1e-13);
    assert_close(certificate.largest_block, (double) largest, 1e-13 * (double) largest);
    drop(&made);
}

static void the_gap_bounds_the_suboptimality_of_any_point(void **state)
{
    (void) state;
    struct made made = make(4, 25, 80, 3, 6);
    g_autoptr(owned_source_estimate) best = source_estimate_new(3, 6);
    struct mixed_norm_result found = solve(&made.input, 0.3, 1e-13, best);
    GRand *rand = g_rand_new_with_seed(5);
    g_autoptr(owned_source_estimate) x = source_estimate_new(3, 6);
    for (int i = 0; i < 300; i++) {
        source_estimate_copy(best, x);
        double size = pow(10.0, -6.0 * g_rand_double(rand));
        for (size_t j = 0; j < x->n_active * 18; j++)
            x->x[j] += size * (g_rand_double(rand) - 0.5);
        struct mixed_norm_certificate at = mixed_norm_certify(&made.input, x, found.alpha);
        assert_true(at.duality_gap >= 0.0);
        assert_true(at.duality_gap >= (at.objective - found.objective) * (1.0 - 1e-9) - 1e-12);
    }
    g_rand_free(rand);
    drop(&made);
}

static void nothing_is_active_from_alpha_max_on(void **state)
{
    (void) state;
    static const double fractions[] = {1.0, 1.0 + 1e-12, 2.0, 1e6};
    struct made made = make(6, 20, 50, 3, 4);
    for (size_t i = 0; i < G_N_ELEMENTS(fractions); i++) {
        g_autoptr(owned_source_estimate) x = source_estimate_new(3, 4);
        struct mixed_norm_result found = solve(&made.input, fractions[i], 1e-12, x);
        assert_true(found.converged && x->n_active == 0);
        assert_close(found.relative_gap, 0.0, 1e-14);
    }
    g_autoptr(owned_source_estimate) x = source_estimate_new(3, 4);
    struct mixed_norm_result found = solve(&made.input, 0.999, 1e-12, x);
    assert_true(found.converged && x->n_active >= 1);
    drop(&made);
}

static void data_of_zeros_have_no_sources(void **state)
{
    (void) state;
    struct made made = make(7, 10, 20, 1, 4);
    memset(made.data, 0, 40 * sizeof(double));
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&made.input);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_source_estimate) x = source_estimate_new(1, 4);
    struct mixed_norm_options options = mixed_norm_options_default();
    assert_true(problem->alpha_max == 0.0);
    struct mixed_norm_result found = mixed_norm_solve(problem, 1.0, &options, x, ws);
    assert_true(found.converged && x->n_active == 0);
    assert_true(found.duality_gap == 0.0 && found.objective == 0.0);
    drop(&made);
}

static void columns_twice_or_of_zeros_change_nothing(void **state)
{
    (void) state;
    for (size_t n_orient = 1; n_orient <= 3; n_orient += 2) {
        struct made made = make(8, 20, 60, n_orient, 5);
        g_autoptr(owned_source_estimate) x = source_estimate_new(n_orient, 5);
        struct mixed_norm_result once = solve(&made.input, 0.2, 1e-11, x);
        // 60 positions, the same again, and 5 of zeros
        size_t n = 20 * 60 * n_orient;
        g_autofree double *gain = g_new0(double, 2 * n + 100 * n_orient);
        memcpy(gain, made.gain, n * sizeof(double));
        memcpy(gain + n, made.gain, n * sizeof(double));
        struct mixed_norm_input twice = made.input;
        twice.gain = gain;
        twice.n_positions = 125;
        struct mixed_norm_result found = solve(&twice, 0.2, 1e-11, x);
        assert_true(once.converged && found.converged);
        assert_close(found.objective, once.objective, 1e-10 * once.objective);
        check_optimality(&twice, found.alpha, x, 1e-4);
        drop(&made);
    }
}

static void one_sample_and_one_orientation_are_the_lasso(void **state)
{
    (void) state;
    struct made made = make(9, 40, 200, 1, 1);
    g_autoptr(linop) op = linop_new_dense(made.gain, 40, 200);
    g_autoptr(owned_problem) lasso = problem_new_lasso(op);
    struct solver_options options = solver_options_default();
    g_autoptr(owned_solver) solver = solver_new_exact(lasso, &options, NULL);
    g_autoptr(owned_workspace) ws = workspace_new();
    double expected[200], lambda = 0.1;
    struct block x_block = block_of_series(made.data, 40), z = block_of_series(expected, 200);
    struct solve_input input = {.x = &x_block, .lambda = &lambda, .lambda_is_ratio = true};
    struct series_result result;
    solver_run(solver, &input, &z, &result, ws);
    g_autoptr(owned_source_estimate) x = source_estimate_new(1, 1);
    struct mixed_norm_result found = solve(&made.input, 0.1, 1e-13, x);
    assert_true(found.converged);
    assert_close(found.alpha, result.lambda, 1e-12);
    for (size_t k = 0; k < x->n_active; k++) {
        assert_close(x->x[k], expected[x->position[k]], 1e-7);
        expected[x->position[k]] = 0.0;
    }
    for (size_t j = 0; j < 200; j++)
        assert_close(expected[j], 0.0, 1e-7);
    drop(&made);
}

static void a_warm_start_ends_at_the_same_minimum(void **state)
{
    (void) state;
    struct made made = make(10, 30, 300, 3, 12);
    g_autoptr(owned_source_estimate) cold = source_estimate_new(3, 12);
    g_autoptr(owned_source_estimate) warm = source_estimate_new(3, 12);
    struct mixed_norm_result expected = solve(&made.input, 0.3, 1e-11, cold);
    solve(&made.input, 0.35, 1e-6, warm);
    struct mixed_norm_result found = solve(&made.input, 0.3, 1e-11, warm);
    assert_true(found.converged);
    assert_close(found.objective, expected.objective, 1e-10 * expected.objective);
    assert_int_equal(warm->n_active, cold->n_active);
    assert_memory_equal(warm->position, cold->position, cold->n_active * sizeof(size_t));
    struct mixed_norm_result again = solve(&made.input, 0.3, 1e-11, warm);
    assert_int_equal(again.n_passes, 0);
    drop(&made);
}

static double *gram_of(const struct mixed_norm_input *input)
{
    size_t n = input->n_positions * input->n_orient, n_sensors = input->n_sensors;
    double *gram = g_new0(double, n *n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t s = 0; s < n_sensors; s++)
                gram[i * n + j] += input->gain[i * n_sensors + s] * input->gain[j * n_sensors + s];
    return gram;
}

// Blocks of a problem, all in the working set.
static void check_both_forms(size_t n_orient)
{
    struct made made = make(11, 30, 40, n_orient, 10);
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&made.input);
    g_autoptr(owned_workspace) ws = workspace_new();
    size_t n_columns = 40 * n_orient, n = n_columns * problem->n_padded;
    g_autofree double *gram = gram_of(&made.input);
    struct block_problem blocks = {.n_blocks = 40,
                                   .n_orient = n_orient,
                                   .n_time = problem->n_padded,
                                   .alpha = 0.3 * problem->alpha_max,
                                   .data_norm2 = problem->data_norm2,
                                   .curvature = problem->curvature,
                                   .b = problem->b,
                                   .gram = gram,
                                   .ld = n_columns,
                                   .gain = made.gain,
                                   .data = problem->padded_data,
                                   .n_sensors = 30,
                                   .kernels = problem->kernels};
    g_autofree double *x = g_new0(double, n);
    g_autofree double *y = g_new0(double, n);
    g_autofree double *kept = g_new0(double, MAX(n, 30 * problem->n_padded));
    struct block_descent_result with_gram = block_descent(&blocks, 1e-10, 1000, x, kept, ws);
    blocks.gram = NULL;
    struct block_descent_result without = block_descent(&blocks, 1e-10, 100000, y, kept, ws);
    assert_true(with_gram.gap <= 1e-10 && without.gap <= 1e-10);
    assert_true(with_gram.n_newton > 0 && without.n_newton == 0);
    assert_true(max_abs_difference(x, y, n) <= 1e-5);
    drop(&made);
}

// What a step of Newton leaves of an error is as its square.
static void check_newton(size_t n_orient)
{
    struct made made = make(16, 30, 20, n_orient, 6);
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&made.input);
    g_autoptr(owned_workspace) ws = workspace_new();
    size_t n = 20 * n_orient * problem->n_padded;
    g_autofree double *gram = gram_of(&made.input);
    struct block_problem blocks = {.n_blocks = 20,
                                   .n_orient = n_orient,
                                   .n_time = problem->n_padded,
                                   .alpha = 0.3 * problem->alpha_max,
                                   .data_norm2 = problem->data_norm2,
                                   .curvature = problem->curvature,
                                   .b = problem->b,
                                   .gram = gram,
                                   .ld = 20 * n_orient,
                                   .kernels = problem->kernels};
    g_autofree double *best = g_new0(double, n);
    g_autofree double *x = g_new0(double, n);
    g_autofree double *kept = g_new0(double, n);
    block_descent(&blocks, 1e-13 * problem->data_norm2, 1000, best, kept, ws);
    double error[2];
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < n; j++)
            x[j] = best[j] * (1.0 + (i == 0 ? 1e-2 : 1e-3) * cos((double) j));
        assert_true(block_newton(&blocks, INFINITY, x, kept, ws));
        error[i] = max_abs_difference(x, best, n);
    }
    assert_true(error[0] < 1e-2 && error[1] < 0.02 * error[0]);
    drop(&made);
}

// Along its direction a block feels alpha exactly, or, where it became zero, at most that.
static void check_radial(size_t n_orient)
{
    struct made made = make(17, 30, 20, n_orient, 6);
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&made.input);
    g_autoptr(owned_workspace) ws = workspace_new();
    size_t size = n_orient * problem->n_padded, n = 20 * size, n_zero = 0;
    g_autofree double *gram = gram_of(&made.input);
    struct block_problem blocks = {.n_blocks = 20,
                                   .n_orient = n_orient,
                                   .n_time = problem->n_padded,
                                   .alpha = 0.3 * problem->alpha_max,
                                   .data_norm2 = problem->data_norm2,
                                   .curvature = problem->curvature,
                                   .b = problem->b,
                                   .gram = gram,
                                   .ld = 20 * n_orient,
                                   .kernels = problem->kernels};
    g_autofree double *x = g_memdup2(problem->b, n * sizeof(double));
    g_autofree double *kept = g_new0(double, n);
    assert_true(block_radial(&blocks, INFINITY, x, kept, ws));
    for (size_t k = 0; k < 20; k++) {
        const double *x_k = x + k * size, *b_k = problem->b + k * size, *c_k = kept + k * size;
        double (*dot)(const double *, const double *, size_t) = problem->kernels->dot;
        double norm = sqrt(dot(x_k, x_k, size)), before = sqrt(dot(b_k, b_k, size));
        if (norm > 0.0)
            assert_close(dot(x_k, c_k, size) / norm, blocks.alpha, 1e-8 * blocks.alpha);
        else
            assert_true(fabs(dot(b_k, c_k, size)) <= blocks.alpha * before * (1.0 + 1e-8));
        n_zero += norm == 0.0;
    }
    assert_true(n_zero > 0 && n_zero < 20);
    drop(&made);
}

static void norms_are_the_best_for_their_directions(void **state)
{
    (void) state;
    check_radial(1);
    check_radial(3);
}

static void a_step_of_newton_squares_the_error(void **state)
{
    (void) state;
    check_newton(1);
    check_newton(3);
}

static void both_forms_of_descent_agree(void **state)
{
    (void) state;
    check_both_forms(1);
    check_both_forms(3);
}

static void more_blocks_than_a_gram_matrix_may_have_are_solved(void **state)
{
    (void) state;
    struct made made = make(12, 30, 2500, 1, 20);
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&made.input);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_source_estimate) x = source_estimate_new(1, 20);
    struct mixed_norm_options options = {.tol = 1e-4, .max_passes = 2};
    // a start on all blocks makes the working set larger than that
    source_estimate_resize(x, 2500);
    for (size_t k = 0; k < 2500; k++)
        x->position[k] = k;
    for (size_t i = 0; i < 2500 * 20; i++)
        x->x[i] = 1e-3;
    struct mixed_norm_certificate start = mixed_norm_certify(&made.input, x, 1.0);
    struct mixed_norm_result found = mixed_norm_solve(problem, 1.0, &options, x, ws);
    assert_int_equal(found.n_passes, 2);
    assert_true(found.objective < start.objective);
    drop(&made);
}

static void reduced_time_gives_the_same_minimum(void **state)
{
    (void) state;
    struct made made = make(13, 12, 60, 3, 50);
    g_autoptr(owned_source_estimate) direct = source_estimate_new(3, 50);
    struct mixed_norm_result expected = solve(&made.input, 0.4, 1e-11, direct);
    g_autoptr(owned_time_reduction) reduction = time_reduction_new(made.data, 12, 50);
    assert_int_equal(reduction->rank, 12);
    struct mixed_norm_input input = made.input;
    input.data = reduction->data;
    input.n_time = reduction->rank;
    g_autoptr(owned_source_estimate) reduced = source_estimate_new(3, 12);
    g_autoptr(owned_source_estimate) expanded = source_estimate_new(3, 12);
    struct mixed_norm_result found = solve(&input, 0.4, 1e-11, reduced);
    time_reduction_expand(reduction, reduced, expanded);
    assert_close(found.alpha, expected.alpha, 1e-12 * expected.alpha);
    assert_close(found.objective, expected.objective, 1e-10 * expected.objective);
    struct mixed_norm_certificate at = mixed_norm_certify(&made.input, expanded, expected.alpha);
    assert_true(at.relative_gap <= 1e-10);
    assert_int_equal(expanded->n_active, direct->n_active);
    assert_true(max_abs_difference(expanded->x, direct->x, direct->n_active * 150) <= 1e-5);
    drop(&made);
}

static void time_is_reduced_to_what_is_above_1e_12(void **state)
{
    (void) state;
    static const double ratios[] = {0.99e-12, 1.01e-12};
    for (size_t i = 0; i < 2; i++) {
        double data[5 * 4] = {[0] = 1.0, [5] = ratios[i]};
        g_autoptr(owned_time_reduction) reduction = time_reduction_new(data, 5, 4);
        assert_int_equal(reduction->rank, 1 + i);
    }
}

static void time_that_cannot_be_reduced_is_kept(void **state)
{
    (void) state;
    struct made made = make(14, 12, 5, 1, 4);
    g_autoptr(owned_time_reduction) all = time_reduction_new(made.data, 12, 4);
    assert_true(all->rank == 4 && all->courses == NULL);
    assert_memory_equal(all->data, made.data, 48 * sizeof(double));
    memset(made.data, 0, 48 * sizeof(double));
    g_autoptr(owned_time_reduction) zero = time_reduction_new(made.data, 12, 4);
    assert_int_equal(zero->rank, 1);
    drop(&made);
}

struct thread_job {
    const struct mixed_norm *problem;
    struct source_estimate *estimates[8];
};

static void solve_one(void *data, size_t index, struct workspace *ws)
{
    struct thread_job *job = data;
    struct mixed_norm_options options = mixed_norm_options_default();
    double alpha = (0.35 + 0.08 * (double) index) * job->problem->alpha_max;
    mixed_norm_solve(job->problem, alpha, &options, job->estimates[index], ws);
}

static void the_bytes_do_not_depend_on_the_threads(void **state)
{
    (void) state;
    static const size_t threads[] = {1, 4, 7};
    struct made made = make(15, 30, 100, 3, 10);
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&made.input);
    struct thread_job job[3];
    for (size_t i = 0; i < 3; i++) {
        job[i].problem = problem;
        for (size_t k = 0; k < 8; k++)
            job[i].estimates[k] = source_estimate_new(3, 10);
        g_autoptr(owned_parallel) team = parallel_new(threads[i], NULL);
        assert_true(parallel_for(team, 8, solve_one, &job[i]));
    }
    for (size_t k = 0; k < 8; k++) {
        const struct source_estimate *first = job[0].estimates[k];
        for (size_t i = 0; i < 3; i++) {
            struct source_estimate *other = job[i].estimates[k];
            assert_int_equal(other->n_active, first->n_active);
            assert_memory_equal(other->x, first->x, first->n_active * 30 * sizeof(double));
        }
        for (size_t i = 0; i < 3; i++)
            source_estimate_free(job[i].estimates[k]);
    }
    drop(&made);
}

// From golden.json: alpha_max, and the objective at 70, 50 and 30 %.
struct golden_row {
    const char *name;
    double alpha_max;
    double objective[3];
    double own_gap;   // of MNE's solution, relative to ||M||^2
    double tolerance; // of X, relative to the largest block norm
};

static const struct golden_row golden_rows[] = {
    {"small_fixed",
     19.827301144510578,
     {8466.76733103919, 8385.92270716197, 8099.985634417465},
     1e-10,
     1e-6},
    {"small_loose",
     18.31200458961497,
     {8468.137912975477, 8377.382473725904, 8057.145977369196},
     1e-7,
     3e-4},
    {"small_free",
     13.37615797224715,
     {8448.016974640166, 8262.601814521482, 7714.492971300488},
     1e-7,
     3e-4},
};

// The entries of fixed and free, the block norms of loose, whose tangents may be turned.
static void check_sources(const struct source_estimate *x, const struct array *idx,
                          const struct array *golden, bool is_loose, double tol)
{
    size_t size = x->n_orient * x->n_time;
    size_t n_columns = idx->n_rows * idx->n_columns;
    assert_int_equal(x->n_active * x->n_orient, n_columns);
    double largest = 0.0;
    for (size_t k = 0; k < x->n_active; k++)
        largest = fmax(largest, source_estimate_norm(x, k));
    for (size_t k = 0; k < x->n_active; k++) {
        assert_int_equal(x->position[k], (size_t) idx->values[k * x->n_orient] / x->n_orient);
        const double *expected = golden->values + k * size;
        double norm2 = 0.0;
        for (size_t t = 0; t < size; t++)
            norm2 += expected[t] * expected[t];
        assert_close(source_estimate_norm(x, k), sqrt(norm2), tol * largest);
        if (!is_loose)
            assert_true(max_abs_difference(source_estimate_rows(x, k), expected, size) <=
                        tol * largest);
    }
}

static void check_golden(const struct golden_row *row)
{
    g_autoptr(owned_golden_case) golden = golden_case_read(row->name);
    if (golden == NULL)
        skip();
    static const int percent[] = {70, 50, 30};
    struct mixed_norm_input input = {golden->gain,      golden->data,
                                     golden->n_sensors, golden->n_columns / golden->n_orient,
                                     golden->n_orient,  golden->n_time};
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&input);
    g_autoptr(owned_workspace) ws = workspace_new();
    assert_close(problem->alpha_max, row->alpha_max, 1e-12 * row->alpha_max);
    for (size_t i = 0; i < 3; i++) {
        g_autofree char *x_name = g_strdup_printf("l21_%d_X.npy", percent[i]);
        g_autofree char *idx_name = g_strdup_printf("l21_%d_idx.npy", percent[i]);
        g_autoptr(owned_array) x_golden = golden_of(row->name, x_name);
        g_autoptr(owned_array) idx = golden_of(row->name, idx_name);
        g_autoptr(owned_source_estimate) x = source_estimate_new(golden->n_orient, golden->n_time);
        struct mixed_norm_options options = mixed_norm_options_default();
        options.tol = 1e-11;
        struct mixed_norm_result found =
            mixed_norm_solve(problem, 0.01 * percent[i] * row->alpha_max, &options, x, ws);
        assert_true(found.converged);
        assert_close(found.objective, row->objective[i],
                     (row->own_gap + found.relative_gap) * problem->data_norm2);
        check_sources(x, idx, x_golden, strcmp(row->name, "small_loose") == 0, row->tolerance);
    }
}

static void the_golden_fixed_sources_are_found(void **state)
{
    (void) state;
    check_golden(&golden_rows[0]);
}

static void the_golden_loose_sources_are_found(void **state)
{
    (void) state;
    check_golden(&golden_rows[1]);
}

static void the_golden_free_sources_are_found(void **state)
{
    (void) state;
    check_golden(&golden_rows[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_of_newton_squares_the_error),
        cmocka_unit_test(a_warm_start_ends_at_the_same_minimum),
        cmocka_unit_test(both_forms_of_descent_agree),
        cmocka_unit_test(columns_twice_or_of_zeros_change_nothing),
        cmocka_unit_test(data_of_zeros_have_no_sources),
        cmocka_unit_test(more_blocks_than_a_gram_matrix_may_have_are_solved),
        cmocka_unit_test(norms_are_the_best_for_their_directions),
        cmocka_unit_test(nothing_is_active_from_alpha_max_on),
        cmocka_unit_test(one_sample_and_one_orientation_are_the_lasso),
        cmocka_unit_test(reduced_time_gives_the_same_minimum),
        cmocka_unit_test(the_bytes_do_not_depend_on_the_threads),
        cmocka_unit_test(the_certificate_is_that_of_its_definition),
        cmocka_unit_test(the_gap_bounds_the_suboptimality_of_any_point),
        cmocka_unit_test(the_golden_fixed_sources_are_found),
        cmocka_unit_test(the_golden_free_sources_are_found),
        cmocka_unit_test(the_golden_loose_sources_are_found),
        cmocka_unit_test(the_minimiser_meets_the_conditions_of_optimality),
        cmocka_unit_test(time_is_reduced_to_what_is_above_1e_12),
        cmocka_unit_test(time_that_cannot_be_reduced_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
