// SPDX-License-Identifier: BSD-3-Clause
// Every method for TV by its name, on a hundred random problems of each kind: where it says that it
// is there it is, and its gap is never below the distance that is left. (The Lasso: test_lasso.)
#include "tests/operators.h"

#include "deconv/hrf_conv.h"
#include "solvers/methods.h"

enum { N_SERIES = 4, N_OPERATORS = 5, N_RESPONSE = 12 };

// 5 lengths x 5 operators x 4 series.
static const size_t lengths[] = {1, 2, 3, 50, 250};

typedef linop *maker(size_t n, GRand *rand);

static linop *tall(size_t n, GRand *rand)
{
    return dense_normal(2 * n, n, rand);
}

static linop *wide(size_t n, GRand *rand)
{
    return dense_normal((n + 1) / 2, n, rand);
}

static linop *square(size_t n, GRand *rand)
{
    return dense_normal(n, n, rand);
}

static linop *identity(size_t n, GRand *rand)
{
    (void) rand;
    return linop_new_identity(n);
}

// A response of its own for each operator, as smooth as one of blood oxygenation.
static linop *convolution(size_t n, GRand *rand)
{
    double h[N_RESPONSE];
    double peak = g_rand_double_range(rand, 2.0, 5.0);
    for (size_t k = 0; k < N_RESPONSE; k++)
        h[k] = pow((double) k / peak, 4.0) * exp(4.0 * (1.0 - (double) k / peak));
    bool causal = n >= N_RESPONSE && g_rand_boolean(rand);
    return hrf_conv_new(h, N_RESPONSE, causal ? n : n + N_RESPONSE - 1,
                        causal ? HRF_CONV_CAUSAL : HRF_CONV_FULL, HRF_CONV_AUTO, NULL);
}

/** A problem with its series, and what the exact method says of them. */
struct instance {
    linop *op;
    struct problem *problem;
    struct workspace *ws;
    struct block x, u;
    double lambda[N_SERIES];
    double energy[N_SERIES]; // 1/2 ||x||^2
    struct series_result exact[N_SERIES];
};

static void solve(struct instance *i, const char *name, size_t max_iter,
                  struct series_result results[N_SERIES])
{
    struct solver_options options = solver_options_default();
    options.tol = 1e-8;
    options.max_iter = max_iter;
    const struct method *method = methods_find(PROBLEM_TV, name);
    g_autoptr(GError) error = NULL;
    g_autoptr(owned_solver) solver = method->create(i->problem, &options, &error);
    for (size_t v = 0; v < N_SERIES; v++)
        results[v].status = SERIES_SKIPPED;
    if (solver == NULL) { // says so, and so does its name
        assert_true(g_str_has_prefix(name, "dual-"));
        assert_int_equal(error->code, SOLVERS_ERROR_NOT_APPLICABLE);
        return;
    }
    struct solve_input input = {.x = &i->x, .lambda = i->lambda, .lambda_is_ratio = true};
    solver_run(solver, &input, &i->u, results, i->ws);
}

static struct instance instance_new(linop *op, GRand *rand)
{
    struct instance i = {.op = op, .problem = problem_new_tv(op), .ws = workspace_new()};
    i.x = (struct block){op->n_out, N_SERIES, op->n_out, g_new0(double, op->n_out *N_SERIES)};
    i.u = (struct block){op->n_in, N_SERIES, op->n_in, g_new0(double, op->n_in *N_SERIES)};
    fill_normal(rand, i.x.data, op->n_out * N_SERIES);
    for (size_t v = 0; v < N_SERIES; v++)
        i.lambda[v] = g_rand_double_range(rand, 0.05, 1.0);
    solve(&i, "exact", 1000, i.exact);
    for (size_t v = 0; v < N_SERIES; v++) {
        assert_true(i.exact[v].relative_gap <= 1e-11);
        for (size_t t = 0; t < op->n_out; t++)
            i.energy[v] += 0.5 * block_series(&i.x, v)[t] * block_series(&i.x, v)[t];
    }
    return i;
}

static void instance_free(struct instance *i)
{
    problem_free(i->problem);
    linop_free(i->op);
    workspace_free(i->ws);
    g_free(i->x.data);
    g_free(i->u.data);
}

static void check_series(const struct instance *i, size_t v, const struct series_result *result)
{
    double rounding = 1e-13 * i->energy[v];
    double suboptimality = result->objective - i->exact[v].objective;
    assert_true(result->duality_gap >= -rounding);
    assert_true(suboptimality >= -rounding - i->exact[v].duality_gap);
    assert_true(result->duality_gap >= suboptimality - rounding);
    if (result->status != SERIES_INACCURATE)
        assert_true(suboptimality <= 1e-8 * i->energy[v]);
}

// Those that go by segments or along the path arrive always, proximal gradients where the prox is
// the solution, and every method on short series.
static bool must_arrive(const char *name, size_t n, bool is_identity)
{
    static const char *const always[] = {"exact", "homotopy", "synthesis-lars", NULL};
    static const char *const by_the_prox[] = {"apgd", "fista", "pgd", NULL};
    return n <= 3 || g_strv_contains(always, name) ||
           (is_identity && g_strv_contains(by_the_prox, name));
}

static void check_method(struct instance *i, const char *name, bool is_identity)
{
    struct series_result results[N_SERIES];
    size_t n = i->op->n_in;
    solve(i, name, n <= 3 ? 1000000 : 200, results);
    for (size_t v = 0; v < N_SERIES; v++) {
        if (results[v].status == SERIES_SKIPPED)
            continue;
        if (must_arrive(name, n, is_identity) && results[v].status == SERIES_INACCURATE)
            fail_msg("%s, %zu unknowns: relative gap %g", name, n, results[v].relative_gap);
        check_series(i, v, &results[v]);
    }
}

static void check_kind(maker *make, bool is_identity, guint32 seed)
{
    GRand *rand = g_rand_new_with_seed(seed);
    g_autofree char *list = methods_names(PROBLEM_TV);
    g_auto(GStrv) names = g_strsplit(list, "|", -1);
    for (size_t k = 0; k < G_N_ELEMENTS(lengths) * N_OPERATORS; k++) {
        struct instance i = instance_new(make(lengths[k / N_OPERATORS], rand), rand);
        for (size_t m = 0; names[m] != NULL; m++)
            check_method(&i, names[m], is_identity);
        instance_free(&i);
    }
    g_rand_free(rand);
}

static void all_methods_agree_on_tall_problems(void **state)
{
    (void) state;
    check_kind(tall, false, 1);
}

static void all_methods_agree_on_wide_problems(void **state)
{
    (void) state;
    check_kind(wide, false, 2);
}

static void all_methods_agree_on_square_problems(void **state)
{
    (void) state;
    check_kind(square, false, 3);
}

static void all_methods_agree_on_convolutions(void **state)
{
    (void) state;
    check_kind(convolution, false, 4);
}

static void all_methods_agree_on_the_identity(void **state)
{
    (void) state;
    check_kind(identity, true, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_methods_agree_on_tall_problems),
        cmocka_unit_test(all_methods_agree_on_wide_problems),
        cmocka_unit_test(all_methods_agree_on_square_problems),
        cmocka_unit_test(all_methods_agree_on_convolutions),
        cmocka_unit_test(all_methods_agree_on_the_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
