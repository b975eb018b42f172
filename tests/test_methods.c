// SPDX-License-Identifier: BSD-3-Clause
// What every method of the table has to keep, whoever adds one: the tests go over the table. (How
// near the methods come on hard problems: test_agreement for TV, test_lasso.)
#include "tests/operators.h"

#include "solvers/methods.h"

#include <string.h>

enum { N_SERIES = 3, N_IN = 12, N_OUT = 30 };

static const enum problem_kind kinds[] = {PROBLEM_LASSO, PROBLEM_TV};

struct instance {
    linop *op;
    struct problem *problem;
    struct workspace *ws;
    double x[N_SERIES * N_OUT];
    double u[N_SERIES * N_IN];
    double lambda[N_SERIES];
    struct series_result result[N_SERIES];
};

static void setup(struct instance *it, enum problem_kind kind, linop *op)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(11);
    it->op = op;
    it->problem = kind == PROBLEM_TV ? problem_new_tv(op) : problem_new_lasso(op);
    it->ws = workspace_new();
    fill_normal(rand, it->x, N_SERIES * op->n_out);
    for (size_t v = 0; v < N_SERIES; v++)
        it->lambda[v] = 0.1 + 0.25 * (double) v;
}

static void teardown(struct instance *it)
{
    problem_free(it->problem);
    linop_free(it->op);
    workspace_free(it->ws);
}

static struct solver *create(const struct instance *it, const char *name, size_t max_iter)
{
    struct solver_options options = solver_options_default();
    options.tol = 1e-7;
    options.max_iter = max_iter;
    g_autoptr(GError) error = NULL;
    const struct method *method = methods_find(it->problem->kind, name);
    struct solver *solver = method->create(it->problem, &options, &error);
    if (error != NULL)
        fail_msg("%s: %s", name, error->message);
    return solver;
}

// Series [first, first + count), as a block of their own.
static void solve(struct instance *it, const struct solver *solver, size_t first, size_t count)
{
    size_t n_out = it->op->n_out, n_in = it->op->n_in;
    struct block x = {n_out, count, n_out, it->x + first * n_out};
    struct block u = {n_in, count, n_in, it->u + first * n_in};
    struct solve_input input = {.x = &x, .lambda = it->lambda + first, .lambda_is_ratio = true};
    solver_run(solver, &input, &u, it->result + first, it->ws);
}

typedef void check(struct instance *it, const char *name);

// A tall operator, of full column rank: no method refuses it.
static void for_each_method(check *check_method)
{
    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        g_autofree char *list = methods_names(kinds[k]);
        g_auto(GStrv) names = g_strsplit(list, "|", -1);
        assert_true(g_strv_contains((const char *const *) names, "exact"));
        for (size_t m = 0; names[m] != NULL; m++) {
            g_autoptr(GRand) rand = g_rand_new_with_seed(3);
            struct instance it;
            setup(&it, kinds[k], dense_normal(N_OUT, N_IN, rand));
            check_method(&it, names[m]);
            teardown(&it);
        }
    }
}

// Nonzero entries of a Lasso's solution, or places where that of TV moves.
static size_t count_changes(const struct instance *it, const double *u)
{
    size_t count = it->problem->kind == PROBLEM_LASSO && u[0] != 0.0;
    for (size_t i = 1; i < it->op->n_in; i++)
        count += u[i] - (it->problem->kind == PROBLEM_LASSO ? 0.0 : u[i - 1]) != 0.0;
    return count;
}

static void arrives(struct instance *it, const char *name)
{
    double least[N_SERIES];
    g_autoptr(owned_solver) exact = create(it, "exact", 1000);
    solve(it, exact, 0, N_SERIES);
    for (size_t v = 0; v < N_SERIES; v++)
        least[v] = it->result[v].objective;
    g_autoptr(owned_solver) solver = create(it, name, 200000);
    solve(it, solver, 0, N_SERIES);
    for (size_t v = 0; v < N_SERIES; v++) {
        const struct series_result *result = &it->result[v];
        double rounding = 1e-13 * least[v];
        if (result->status != SERIES_SOLVED)
            fail_msg("%s: %s, relative gap %g after %zu iterations", name,
                     series_status_name(result->status), result->relative_gap, result->iterations);
        assert_true(result->duality_gap >= -rounding);
        assert_true(result->objective - least[v] <= result->duality_gap + rounding);
        assert_true(result->objective >= least[v] - rounding);
        assert_close(result->lambda, it->lambda[v] * result->lambda_max, 1e-15 * result->lambda);
        assert_int_equal(result->n_jumps, count_changes(it, it->u + v * it->op->n_in));
    }
}

static void every_method_arrives(void **state)
{
    (void) state;
    for_each_method(arrives);
}

static void is_trivial_above_lambda_max(struct instance *it, const char *name)
{
    for (size_t v = 0; v < N_SERIES; v++)
        it->lambda[v] = 1.0 + (double) v;
    g_autoptr(owned_solver) solver = create(it, name, 200000);
    solve(it, solver, 0, N_SERIES);
    for (size_t v = 0; v < N_SERIES; v++) {
        double level = problem_trivial_level(it->problem, it->x + v * it->op->n_out);
        assert_int_equal(it->result[v].status, SERIES_SOLVED);
        for (size_t t = 0; t < it->op->n_in; t++)
            assert_close(it->u[v * it->op->n_in + t], level, 1e-3);
    }
}

static void every_method_is_trivial_above_lambda_max(void **state)
{
    (void) state;
    for_each_method(is_trivial_above_lambda_max);
}

static void is_not_disturbed(struct instance *it, const char *name)
{
    size_t n_in = it->op->n_in;
    g_autoptr(owned_solver) solver = create(it, name, 50);
    double alone[N_IN];
    solve(it, solver, 0, 1);
    memcpy(alone, it->u, n_in * sizeof(double));
    it->x[it->op->n_out + 2] = NAN;
    memset(it->x + 2 * it->op->n_out, 0, it->op->n_out * sizeof(double));
    solve(it, solver, 0, N_SERIES);
    assert_memory_equal(alone, it->u, n_in * sizeof(double));
    assert_int_equal(it->result[1].status, SERIES_NONFINITE);
    assert_int_equal(it->result[2].status, SERIES_CONSTANT);
    for (size_t t = 0; t < 2 * n_in; t++)
        assert_true(it->u[n_in + t] == 0.0);
}

static void no_method_lets_a_series_disturb_another(void **state)
{
    (void) state;
    for_each_method(is_not_disturbed);
}

static void does_not_allocate(struct instance *it, const char *name)
{
    g_autoptr(owned_solver) solver = create(it, name, 50);
    solve(it, solver, 0, N_SERIES);
    size_t capacity = workspace_capacity(it->ws);
    for (size_t i = 0; i < 3; i++)
        solve(it, solver, 0, N_SERIES);
    assert_int_equal(workspace_capacity(it->ws), capacity);
}

static void no_method_allocates_after_its_first_block(void **state)
{
    (void) state;
    for_each_method(does_not_allocate);
}

// One unknown, and the identity: what there is to say of them is the same for all.
static void the_smallest_problems_have_no_special_case(void **state)
{
    (void) state;
    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        g_autofree char *list = methods_names(kinds[k]);
        g_auto(GStrv) names = g_strsplit(list, "|", -1);
        for (size_t m = 0; names[m] != NULL; m++)
            for (size_t n = 1; n <= 2; n++) {
                struct instance it;
                setup(&it, kinds[k], linop_new_identity(n));
                struct solver_options options = solver_options_default();
                options.tol = 1e-7;
                options.max_iter = 100000;
                const struct method *method = methods_find(kinds[k], names[m]);
                g_autoptr(GError) error = NULL;
                g_autoptr(owned_solver) solver = method->create(it.problem, &options, &error);
                assert_true((solver == NULL) == (error != NULL)); // one unknown may be refused
                if (solver != NULL)
                    solve(&it, solver, 0, N_SERIES);
                for (size_t v = 0; solver != NULL && v < N_SERIES; v++)
                    assert_true(it.result[v].relative_gap <= 1e-7);
                teardown(&it);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_arrives),
        cmocka_unit_test(every_method_is_trivial_above_lambda_max),
        cmocka_unit_test(no_method_lets_a_series_disturb_another),
        cmocka_unit_test(no_method_allocates_after_its_first_block),
        cmocka_unit_test(the_smallest_problems_have_no_special_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
