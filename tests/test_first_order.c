// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden.h"
#include "tests/operators.h"

#include "deconv/hrf_conv.h"
#include "solvers/first_order.h"
#include "solvers/fista.h"
#include "solvers/prox_tv.h"
#include "solvers/pseudo_inverse.h"
#include "solvers/synthesis.h"

#include <string.h>

struct method {
    const char *name;
    solver_constructor *make;
    double tol;          // that it reaches on a random problem
    bool on_lasso;       // applies to the Lasso
    bool full_rank_only; // needs full column rank
};

static const struct method methods[] = {
    {"apgd", solver_new_apgd, 1e-9, true, false},
    {"condat-vu", solver_new_condat_vu, 1e-9, false, false},
    {"dual-apgd", solver_new_dual_apgd, 1e-8, false, true},
    {"dual-pgd", solver_new_dual_pgd, 1e-8, false, true},
    {"fista", solver_new_fista, 1e-12, true, false},
    {"pgd", solver_new_pgd, 1e-8, true, false},
    {"synthesis-fista", solver_new_synthesis_fista, 1e-9, false, false},
    {"synthesis-ista", solver_new_synthesis_ista, 1e-6, false, false},
};

// The operator of a golden problem: a filter where its name says so, else the transposed matrix.
static linop *golden_operator(const char *name, size_t n_in)
{
    g_autoptr(owned_golden) array = golden_array("tv", name);
    if (g_str_has_suffix(name, "_h"))
        return dense_convolution(array->data, array->cols, n_in);
    return linop_new_dense(array->data, array->cols, array->rows);
}

struct solution {
    double *u; // owned
    struct series_result result;
};

static struct solution solve_one(solver_constructor *make, const struct problem *problem,
                                 const struct solver_options *options, double *x, double ratio)
{
    struct workspace *ws = workspace_new();
    struct solver *solver = make(problem, options, NULL);
    struct block in = block_of_series(x, problem->op->n_out);
    struct solution solution = {.u = g_new(double, problem->op->n_in)};
    struct block out = block_of_series(solution.u, problem->op->n_in);
    struct solve_input input = {.x = &in, .lambda = &ratio, .lambda_is_ratio = true};
    solver_run(solver, &input, &out, &solution.result, ws);
    solver_free(solver);
    workspace_free(ws);
    return solution;
}

struct golden_case {
    size_t k, n_samples;
    double ratio;
    linop *op;
    struct golden *x, *lambda_max, *u, *objective;
};

static struct golden_case golden_case_new(const char *line)
{
    g_auto(GStrv) f = g_strsplit(line, "\t", -1);
    struct golden_case c = {.k = g_ascii_strtoull(f[1], NULL, 10),
                            .n_samples = g_ascii_strtoull(f[3], NULL, 10),
                            .ratio = g_ascii_strtod(f[4], NULL),
                            .x = golden_array("tv", f[6]),
                            .lambda_max = golden_array("tv", f[7]),
                            .u = golden_array("tv", f[8]),
                            .objective = golden_array("tv", f[9])};
    c.op = golden_operator(f[5], c.k);
    return c;
}

static void golden_case_free(struct golden_case *c)
{
    linop_free(c->op);
    golden_free(c->x);
    golden_free(c->lambda_max);
    golden_free(c->u);
    golden_free(c->objective);
}

static void fista_finds_the_golden_minimisers(void **state)
{
    (void) state;
    size_t n_bytes = 0;
    g_autofree char *table = golden_file("golden/tv_cases.tsv", &n_bytes);
    struct solver_options options = solver_options_default();
    options.tol = 1e-14;
    options.max_iter = 200000;
    g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
    for (size_t i = 1; lines[i] != NULL && lines[i][0] != '\0'; i++) {
        struct golden_case c = golden_case_new(lines[i]);
        struct problem *problem = problem_new_tv(c.op);
        for (size_t v = 0; v < c.n_samples; v++) {
            struct solution s =
                solve_one(solver_new_fista, problem, &options, golden_row(c.x, v), c.ratio);
            double lambda_max = c.lambda_max->data[v];
            assert_close(s.result.lambda_max, lambda_max, 1e-12 * lambda_max);
            double objective = c.objective->data[v];
            assert_close(s.result.objective, objective, 1e-12 * fmax(1.0, objective));
            assert_close(max_abs_difference(s.u, golden_row(c.u, v), c.k), 0.0, 5e-9);
            g_free(s.u);
        }
        problem_free(problem);
        golden_case_free(&c);
    }
}

// What an observer of one series notes.
struct trace {
    const struct problem *problem;
    const double *x;
    double lambda;
    size_t n;          // iterates seen, the start included
    double cost[2001]; // objective at each
    double *last;      // n_in samples
};

static void note_iterate(void *data, size_t series, size_t iteration, const double *u)
{
    struct trace *trace = data;
    assert_int_equal(series, 7);
    assert_int_equal(iteration, trace->n);
    struct workspace *ws = workspace_new();
    trace->cost[trace->n++] = problem_objective(trace->problem, trace->x, u, trace->lambda, ws);
    memcpy(trace->last, u, trace->problem->op->n_in * sizeof *u);
    workspace_free(ws);
}

// The residual is orthogonal to A 1.
static void check_level(const struct problem *problem, const double *x, const double *u,
                        struct workspace *ws)
{
    size_t n_out = problem->op->n_out;
    double *rest = WORKSPACE_ALLOC(ws, double, n_out);
    linop_apply_series(problem->op, u, rest, ws);
    for (size_t t = 0; t < n_out; t++)
        rest[t] = x[t] - rest[t];
    assert_close(problem_trivial_level(problem, rest), 0.0, 1e-13);
}

// max_iter iterations of a solver, whatever the gap, all seen by the trace.
static void run_traced(struct solver *solver, struct trace *trace, struct block *start)
{
    const linop *op = solver->problem->op;
    struct solver_observer observer = {note_iterate, trace};
    struct workspace *ws = workspace_new();
    double *u = g_new(double, op->n_in);
    struct block x = block_of_series((double *) trace->x, op->n_out);
    struct block out = block_of_series(u, op->n_in);
    struct solve_input input = {
        .x = &x, .lambda = &trace->lambda, .start = start, .first_series = 7};
    struct series_result result;
    solver->options.observer = &observer;
    trace->problem = solver->problem;
    trace->n = 0;
    trace->last = g_realloc(trace->last, op->n_in * sizeof(double));
    solver_run(solver, &input, &out, &result, ws);
    assert_int_equal(trace->n, result.iterations + 1);
    check_level(solver->problem, trace->x, u, ws);
    // The result is the last iterate with its level made optimal.
    for (size_t i = 1; i < op->n_in; i++)
        assert_close(u[i] - u[0], trace->last[i] - trace->last[0], 1e-12 * (1.0 + fabs(u[i])));
    g_free(u);
    workspace_free(ws);
}

// The published dual iterates are those of a wide operator, where the method solves another
// problem and is refused.
static struct solver *make_dual_anyway(const struct problem *problem,
                                       const struct solver_options *options,
                                       GError **error G_GNUC_UNUSED)
{
    return first_order_new_dual_unchecked("dual-pgd", MOMENTUM_NONE, problem, options);
}

struct curve {
    solver_constructor *make;
    const char *cost, *point;
    enum first_order_form form;
};

// The point u that belongs to published coordinates.
static void point_of(const struct first_order *solver, const struct curve *curve, const double *x,
                     const double *z, double *u, struct workspace *ws)
{
    size_t n_in = solver->base.base.problem->op->n_in;
    if (curve->form == FORM_SYNTHESIS) {
        synthesis_sum(z, u, n_in);
    } else if (curve->form == FORM_DUAL) {
        double *rest = WORKSPACE_ALLOC(ws, double, solver->op->n_out);
        linop_apply_series(solver->op, z, rest, ws);
        for (size_t t = 0; t < solver->op->n_out; t++)
            rest[t] = x[t] - rest[t];
        linop_apply_series(solver->pseudo_inverse, rest, u, ws);
    } else {
        memcpy(u, z, n_in * sizeof *u);
    }
}

// 100 iterations from the pseudo-inverse, with the steps of the published program: 1 / ||.||^2
// from a singular value decomposition.
static void iterates_are_those_of_the_published_curves(void **state)
{
    (void) state;
    static const struct curve curves[] = {
        {solver_new_apgd, "analysis_fista_cost", "analysis_fista_u100", FORM_ANALYSIS},
        {solver_new_condat_vu, "condatvu_cost", "condatvu_u100", FORM_ANALYSIS},
        {make_dual_anyway, "dual_ista_cost", "dual_ista_v100", FORM_DUAL},
        {solver_new_synthesis_ista, "synthesis_ista_cost", "synthesis_ista_z100", FORM_SYNTHESIS},
    };
    g_autoptr(owned_golden) matrix = golden_array("tv_curves", "A");
    g_autoptr(owned_golden) x = golden_array("tv_curves", "xnorm");
    linop *op = linop_new_dense(matrix->data, matrix->cols, matrix->rows);
    g_autofree double *sigma = linop_singular_values(op);
    op->norm2 = sigma[0] * sigma[0];
    struct problem *problem = problem_new_tv(op);
    struct solver_options options = solver_options_default();
    options.tol = 0.0;
    options.max_iter = 100;
    options.start = START_PINV;
    struct workspace *ws = workspace_new();
    for (size_t i = 0; i < G_N_ELEMENTS(curves); i++) {
        g_autoptr(owned_golden) cost = golden_array("tv_curves", curves[i].cost);
        g_autoptr(owned_golden) point = golden_array("tv_curves", curves[i].point);
        struct solver *solver = curves[i].make(problem, &options, NULL);
        const struct first_order *first_order = (const struct first_order *) solver;
        if (curves[i].form != FORM_ANALYSIS) {
            g_autofree double *values = linop_singular_values(first_order->op);
            first_order->form_op->norm2 = values[0] * values[0];
        }
        double mean[101] = {0.0};
        struct trace trace = {.lambda = 0.1};
        for (size_t v = 0; v < x->rows; v++) {
            trace.x = golden_row(x, v);
            run_traced(solver, &trace, NULL);
            assert_int_equal(trace.n, 101);
            for (size_t t = 0; t <= 100; t++)
                mean[t] += trace.cost[t] / (double) x->rows;
            double expected[8];
            point_of(first_order, &curves[i], trace.x, golden_row(point, v), expected, ws);
            assert_close(max_abs_difference(trace.last, expected, 8), 0.0, 1e-12);
            workspace_release(ws, 0);
        }
        assert_close(max_abs_difference(mean, cost->data, 101), 0.0, 1e-13);
        solver_free(solver);
        g_free(trace.last);
    }
    workspace_free(ws);
    problem_free(problem);
    linop_free(op);
}

static void the_starts_are_what_they_say(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(11);
    linop *op = dense_normal(5, 9, rand);
    struct problem *problem = problem_new_tv(op);
    double x[5];
    double given[9];
    double residual[5];
    fill_normal(rand, x, 5);
    fill_normal(rand, given, 9);
    struct block start = block_of_series(given, 9);
    struct trace trace = {.x = x, .lambda = 0.01};
    struct workspace *ws = workspace_new();
    struct solver_options options = solver_options_default();
    options.max_iter = 0;
    for (int kind = START_CONST; kind <= START_PINV; kind++) {
        options.start = (enum solver_start) kind;
        struct solver *solver = solver_new_pgd(problem, &options, NULL);
        run_traced(solver, &trace, kind == START_GIVEN ? &start : NULL);
        linop_apply_series(op, trace.last, residual, ws);
        for (size_t i = 0; i < 9; i++) {
            if (kind == START_CONST)
                assert_close(trace.last[i], problem_trivial_level(problem, x), 0.0);
            if (kind == START_ZERO)
                assert_close(trace.last[i], 0.0, 0.0);
            if (kind == START_GIVEN)
                assert_close(trace.last[i], given[i], 0.0);
        }
        // A wide operator: the pseudo-inverse fits x.
        if (kind == START_PINV)
            assert_close(max_abs_difference(residual, x, 5), 0.0, 1e-12);
        solver_free(solver);
    }
    g_free(trace.last);
    workspace_free(ws);
    problem_free(problem);
    linop_free(op);
    g_rand_free(rand);
}

// Random operators of many shapes, convolutions of a series of usual length and the identity.
enum { N_SHAPES = 9, N_OPERATORS = N_SHAPES + 3 };

static linop *some_operator(size_t which, GRand *rand)
{
    static const size_t shapes[N_SHAPES][2] = {{1, 1},  {2, 2},   {3, 3},   {2, 5},  {5, 2},
                                               {1, 10}, {20, 50}, {50, 20}, {30, 30}};
    double h[12];
    for (size_t k = 0; k < G_N_ELEMENTS(h); k++)
        h[k] = sin(0.4 * (double) k) * exp(-0.15 * (double) k);
    switch (which) {
    case N_SHAPES:
        return hrf_conv_new(h, G_N_ELEMENTS(h), 250, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
    case N_SHAPES + 1:
        return hrf_conv_new(h, G_N_ELEMENTS(h), 250, HRF_CONV_FULL, HRF_CONV_AUTO, NULL);
    case N_SHAPES + 2:
        return linop_new_identity(50);
    default:
        return dense_normal(shapes[which][0], shapes[which][1], rand);
    }
}

// The dual and the jumps of long series are too ill-conditioned for their methods.
static bool is_hopeless(const struct method *method, const linop *op)
{
    if (method->full_rank_only)
        return op->n_in > op->n_out || (op->n_in >= 30 && op->filter == NULL) || op->n_in > 50;
    return method->make == solver_new_synthesis_ista && op->n_in > 50;
}

static void all_methods_find_the_same_minimum(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(12);
    struct solver_options options = solver_options_default();
    options.max_iter = 1000000;
    for (size_t i = 0; i < N_OPERATORS; i++) {
        linop *op = some_operator(i, rand);
        struct problem *problem = problem_new_tv(op);
        double x[250];
        fill_normal(rand, x, op->n_out);
        options.tol = 1e-12;
        struct solution best = solve_one(solver_new_fista, problem, &options, x, 0.1);
        assert_int_not_equal(best.result.status, SERIES_INACCURATE);
        for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
            if (is_hopeless(&methods[m], op))
                continue;
            options.tol = fmax(methods[m].tol, op->n_in > 50 ? 1e-5 : 0.0);
            struct solution s = solve_one(methods[m].make, problem, &options, x, 0.1);
            assert_int_not_equal(s.result.status, SERIES_INACCURATE);
            double scale = fmax(best.result.objective, 1e-3);
            assert_close(s.result.objective, best.result.objective, 100.0 * options.tol * scale);
            g_free(s.u);
        }
        g_free(best.u);
        problem_free(problem);
        linop_free(op);
    }
    g_rand_free(rand);
}

static void without_momentum_the_objective_never_rises_and_keeps_its_bound(void **state)
{
    (void) state;
    static solver_constructor *const makers[] = {solver_new_pgd, solver_new_synthesis_ista};
    GRand *rand = g_rand_new_with_seed(13);
    linop *op = dense_normal(20, 30, rand);
    struct problem *problem = problem_new_tv(op);
    double x[20];
    fill_normal(rand, x, 20);
    struct solver_options options = solver_options_default();
    options.tol = 1e-13;
    options.max_iter = 1000000;
    struct solution best = solve_one(solver_new_fista, problem, &options, x, 0.1);
    options.tol = 0.0;
    options.max_iter = 2000;
    for (size_t m = 0; m < G_N_ELEMENTS(makers); m++) {
        struct solver *solver = makers[m](problem, &options, NULL);
        struct trace trace = {.x = x, .lambda = best.result.lambda};
        run_traced(solver, &trace, NULL);
        assert_int_equal(trace.n, 2001);
        double distance2 = 0.0;
        double level = problem_trivial_level(problem, x);
        for (size_t i = 0; i < 30; i++)
            distance2 += (best.u[i] - level) * (best.u[i] - level);
        for (size_t t = 1; t < trace.n; t++) {
            assert_true(trace.cost[t] <= trace.cost[t - 1] * (1.0 + 1e-14));
            // Beck and Teboulle 2009, theorem 3.1.
            if (makers[m] == solver_new_pgd)
                assert_true(trace.cost[t] - best.result.objective <=
                            op->norm2 * distance2 / (2.0 * (double) t));
        }
        g_free(trace.last);
        solver_free(solver);
    }
    g_free(best.u);
    problem_free(problem);
    linop_free(op);
    g_rand_free(rand);
}

static void on_the_identity_the_first_iterate_is_the_prox(void **state)
{
    (void) state;
    static solver_constructor *const makers[] = {solver_new_apgd, solver_new_fista, solver_new_pgd};
    enum { N = 200 };
    double x[N];
    double expected[N];
    GRand *rand = g_rand_new_with_seed(14);
    fill_normal(rand, x, N);
    struct workspace *ws = workspace_new();
    linop *op = linop_new_identity(N);
    struct problem *problem = problem_new_tv(op);
    struct solver_options options = solver_options_default();
    for (size_t m = 0; m < G_N_ELEMENTS(makers); m++) {
        options.max_iter = 1;
        struct solution s = solve_one(makers[m], problem, &options, x, 0.05);
        prox_tv(x, N, s.result.lambda, expected, NULL, ws);
        assert_close(max_abs_difference(s.u, expected, N), 0.0, 1e-14);
        assert_true(s.result.relative_gap < 1e-14);
        // Plateaus are exact.
        size_t n_jumps = 0;
        for (size_t i = 1; i < N; i++)
            n_jumps += expected[i] != expected[i - 1];
        assert_int_equal(s.result.n_jumps, n_jumps);
        g_free(s.u);
    }
    problem_free(problem);
    linop_free(op);
    workspace_free(ws);
    g_rand_free(rand);
}

static void from_lambda_max_on_the_solution_is_constant(void **state)
{
    (void) state;
    static const double ratios[] = {1.0, 1.5, 1e6};
    GRand *rand = g_rand_new_with_seed(15);
    linop *op = dense_normal(12, 8, rand);
    struct problem *problem = problem_new_tv(op);
    double x[12];
    fill_normal(rand, x, 12);
    struct solver_options options = solver_options_default();
    for (size_t m = 0; m < G_N_ELEMENTS(methods); m++)
        for (size_t i = 0; i < G_N_ELEMENTS(ratios); i++) {
            struct solution s = solve_one(methods[m].make, problem, &options, x, ratios[i]);
            assert_int_equal(s.result.iterations, 0);
            assert_int_equal(s.result.n_jumps, 0);
            assert_true(s.result.relative_gap < 1e-13);
            g_free(s.u);
            struct solver *solver = methods[m].make(problem, &options, NULL);
            struct trace trace = {.x = x, .lambda = 2.0 * s.result.lambda_max};
            run_traced(solver, &trace, NULL);
            assert_int_equal(trace.n, 1);
            g_free(trace.last);
            solver_free(solver);
        }
    problem_free(problem);
    linop_free(op);
    g_rand_free(rand);
}

static void without_penalty_the_fit_is_that_of_least_squares(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(16);
    linop *op = dense_normal(40, 8, rand);
    linop *inverse = linop_new_pseudo_inverse(op);
    struct problem *problem = problem_new_tv(op);
    struct workspace *ws = workspace_new();
    double x[40];
    double expected[8];
    fill_normal(rand, x, 40);
    linop_apply_series(inverse, x, expected, ws);
    struct solver_options options = solver_options_default();
    options.max_iter = 20000;
    for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
        struct solution s = solve_one(methods[m].make, problem, &options, x, 0.0);
        assert_close(max_abs_difference(s.u, expected, 8), 0.0, 1e-9);
        g_free(s.u);
    }
    workspace_free(ws);
    problem_free(problem);
    linop_free(inverse);
    linop_free(op);
    g_rand_free(rand);
}

// A NaN series, a constant one and one for each lambda, in a block with a stride.
static void the_series_of_a_block_do_not_meet(void **state)
{
    (void) state;
    enum { N_OUT = 15, N_IN = 10, N_SERIES = 5, STRIDE = 20 };
    GRand *rand = g_rand_new_with_seed(17);
    linop *op = dense_normal(N_OUT, N_IN, rand);
    struct problem *problem = problem_new_tv(op);
    double data[STRIDE * N_SERIES];
    double out[STRIDE * N_SERIES];
    double lambda[N_SERIES] = {0.1, 0.2, 0.3, 0.05, 0.5};
    fill_normal(rand, data, STRIDE * N_SERIES);
    data[STRIDE + 3] = (double) NAN;
    for (size_t t = 0; t < N_OUT; t++)
        data[2 * STRIDE + t] = 4.0;
    struct block x = {N_OUT, N_SERIES, STRIDE, data};
    struct block u = {N_IN, N_SERIES, STRIDE, out};
    struct solve_input input = {.x = &x, .lambda = lambda, .lambda_is_ratio = true};
    struct series_result results[N_SERIES];
    struct workspace *ws = workspace_new();
    struct solver_options options = solver_options_default();
    for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
        struct solver *solver = methods[m].make(problem, &options, NULL);
        solver_run(solver, &input, &u, results, ws);
        size_t capacity = workspace_capacity(ws);
        solver_run(solver, &input, &u, results, ws);
        assert_int_equal(workspace_capacity(ws), capacity);
        assert_int_equal(results[1].status, SERIES_NONFINITE);
        assert_int_equal(results[2].status, SERIES_CONSTANT);
        for (size_t v = 0; v < N_SERIES; v++) {
            if (v == 1)
                continue;
            struct solution s =
                solve_one(methods[m].make, problem, &options, block_series(&x, v), lambda[v]);
            assert_memory_equal(s.u, block_series(&u, v), N_IN * sizeof(double));
            assert_int_equal(s.result.iterations, results[v].iterations);
            g_free(s.u);
        }
        solver_free(solver);
    }
    workspace_free(ws);
    problem_free(problem);
    linop_free(op);
    g_rand_free(rand);
}

static void a_solution_is_left_as_it_is_and_a_refinement_is_honest(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(18);
    linop *op = dense_normal(25, 40, rand);
    struct problem *problem = problem_new_tv(op);
    double x[25];
    double u[40];
    fill_normal(rand, x, 25);
    struct workspace *ws = workspace_new();
    struct solver_options options = solver_options_default();
    options.tol = 1e-10;
    double lambda = 0.05 * problem_lambda_max(problem, x, ws);
    fill_normal(rand, u, 40);
    options.max_iter = 3;
    assert_int_equal(fista_refine(problem, &options, x, lambda, u, ws), 3);
    check_level(problem, x, u, ws);
    assert_false(problem_certify(problem, x, u, lambda, ws).relative_gap <= options.tol);
    options.max_iter = 1000000;
    assert_true(fista_refine(problem, &options, x, lambda, u, ws) > 3);
    assert_true(problem_certify(problem, x, u, lambda, ws).relative_gap <= options.tol);
    assert_int_equal(fista_refine(problem, &options, x, lambda, u, ws), 0);
    workspace_free(ws);
    problem_free(problem);
    linop_free(op);
    g_rand_free(rand);
}

static void the_lasso_is_solved_too(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(19);
    linop *op = dense_normal(30, 60, rand);
    struct problem *problem = problem_new_lasso(op);
    double x[30];
    fill_normal(rand, x, 30);
    struct solver_options options = solver_options_default();
    options.tol = 1e-10;
    options.max_iter = 1000000;
    double objective = -1.0;
    for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
        GError *error = NULL;
        struct solver *solver = methods[m].make(problem, &options, &error);
        if (!methods[m].on_lasso) {
            assert_null(solver);
            assert_true(g_error_matches(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE));
            g_error_free(error);
            continue;
        }
        assert_null(error);
        solver_free(solver);
        struct solution s = solve_one(methods[m].make, problem, &options, x, 0.1);
        assert_int_not_equal(s.result.status, SERIES_INACCURATE);
        if (objective >= 0.0)
            assert_close(s.result.objective, objective, 1e-8);
        objective = s.result.objective;
        g_free(s.u);
    }
    problem_free(problem);
    linop_free(op);
    g_rand_free(rand);
}

// Wide, a causal response that begins with 0, a zero column: the reason names the rank.
static void the_dual_is_refused_without_full_column_rank(void **state)
{
    (void) state;
    static solver_constructor *const makers[] = {solver_new_dual_pgd, solver_new_dual_apgd};
    GRand *rand = g_rand_new_with_seed(20);
    double shift[16] = {0.0};
    for (size_t j = 0; j < 3; j++)
        shift[j * 4 + j + 1] = 1.0;
    linop *ops[] = {dense_normal(5, 8, rand), linop_new_dense(shift, 4, 4),
                    dense_normal(8, 5, rand), linop_new_identity(6)};
    const char *reasons[] = {"full column rank 8, found rank 5 (5 x 8)",
                             "full column rank 4, found rank 3 (4 x 4)", NULL, NULL};
    struct solver_options options = solver_options_default();
    for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
        struct problem *problem = problem_new_tv(ops[i]);
        for (size_t m = 0; m < G_N_ELEMENTS(makers); m++) {
            GError *error = NULL;
            struct solver *solver = makers[m](problem, &options, &error);
            if (reasons[i] == NULL) {
                assert_non_null(solver);
                assert_null(error);
            } else {
                assert_null(solver);
                assert_true(g_error_matches(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE));
                assert_non_null(strstr(error->message, reasons[i]));
            }
            g_clear_error(&error);
            solver_free(solver);
        }
        problem_free(problem);
        linop_free(ops[i]);
    }
    g_rand_free(rand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fista_finds_the_golden_minimisers),
        cmocka_unit_test(iterates_are_those_of_the_published_curves),
        cmocka_unit_test(the_starts_are_what_they_say),
        cmocka_unit_test(all_methods_find_the_same_minimum),
        cmocka_unit_test(without_momentum_the_objective_never_rises_and_keeps_its_bound),
        cmocka_unit_test(on_the_identity_the_first_iterate_is_the_prox),
        cmocka_unit_test(from_lambda_max_on_the_solution_is_constant),
        cmocka_unit_test(without_penalty_the_fit_is_that_of_least_squares),
        cmocka_unit_test(the_series_of_a_block_do_not_meet),
        cmocka_unit_test(a_solution_is_left_as_it_is_and_a_refinement_is_honest),
        cmocka_unit_test(the_lasso_is_solved_too),
        cmocka_unit_test(the_dual_is_refused_without_full_column_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
