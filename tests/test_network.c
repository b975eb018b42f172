// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "solvers/prox_tv.h"
#include "solvers/synthesis.h"
#include "unrolled/network.h"

#include <string.h>

enum { N_SERIES = 3, MAX_DEPTH = 5, N_INNER = 4 };

// A small problem with series, lambdas and a start, drawn from a seed.
struct instance {
    linop *op;
    struct problem *problem;
    struct block x;
    struct block start;
    struct block targets;
    double lambda[N_SERIES];
    struct workspace *ws;
    GRand *rand;
};

static struct block new_block(GRand *rand, size_t n_time)
{
    struct block block = {n_time, N_SERIES, n_time, g_new(double, n_time *N_SERIES)};
    fill_normal(rand, block.data, n_time * N_SERIES);
    return block;
}

static linop *random_operator(GRand *rand, size_t n_out, size_t n_in)
{
    g_autofree double *matrix = g_new(double, n_out *n_in);
    fill_normal(rand, matrix, n_out * n_in);
    return linop_new_dense(matrix, n_out, n_in);
}

// A full convolution, sample by sample as it is defined.
struct convolution {
    linop base;
    struct filter filter;
};

static const double response[] = {0.3, 1.0, 0.6, -0.2};

static void convolve(const linop *op, const struct block *u, struct block *x, struct workspace *ws)
{
    (void) ws;
    for (size_t v = 0; v < u->n_series; v++) {
        memset(block_series(x, v), 0, op->n_out * sizeof(double));
        for (size_t t = 0; t < op->n_in; t++)
            for (size_t k = 0; k < op->filter->n; k++)
                block_series(x, v)[t + k] += op->filter->h[k] * block_series(u, v)[t];
    }
}

static void correlate(const linop *op, const struct block *x, struct block *u, struct workspace *ws)
{
    (void) ws;
    for (size_t v = 0; v < u->n_series; v++)
        for (size_t t = 0; t < op->n_in; t++) {
            block_series(u, v)[t] = 0.0;
            for (size_t k = 0; k < op->filter->n; k++)
                block_series(u, v)[t] += op->filter->h[k] * block_series(x, v)[t + k];
        }
}

static void convolution_free(linop *op)
{
    g_free(op);
}

static linop *full_convolution(size_t n_in)
{
    struct convolution *op = g_new0(struct convolution, 1);
    op->filter = (struct filter){response, G_N_ELEMENTS(response), true};
    op->base = (linop){.n_in = n_in,
                       .n_out = n_in + G_N_ELEMENTS(response) - 1,
                       .filter = &op->filter,
                       .apply = convolve,
                       .adjoint = correlate,
                       .free = convolution_free};
    op->base.norm2 = linop_power_norm2(&op->base);
    return &op->base;
}

static void set_problem(struct instance *it, const struct layer_kind *kind, linop *op)
{
    it->op = op;
    it->problem = kind->problem == PROBLEM_TV ? problem_new_tv(op) : problem_new_lasso(op);
}

// A wide problem, or a full convolution for the kinds that need one, or full column rank.
static struct instance instance_new(const struct layer_kind *kind, guint32 seed)
{
    struct instance it = {.rand = g_rand_new_with_seed(seed), .ws = workspace_new()};
    set_problem(&it, kind, random_operator(it.rand, 7, 11));
    if (kind->refuse != NULL && kind->refuse(it.problem) != NULL) {
        problem_free(it.problem);
        linop_free(it.op);
        set_problem(&it, kind, full_convolution(9));
    }
    it.x = new_block(it.rand, it.op->n_out);
    it.start = new_block(it.rand, it.op->n_in);
    it.targets = new_block(it.rand, it.op->n_in);
    for (size_t v = 0; v < N_SERIES; v++)
        it.lambda[v] = g_rand_double_range(it.rand, 0.05, 0.4) *
                       problem_lambda_max(it.problem, block_series(&it.x, v), it.ws);
    return it;
}

static void instance_clear(struct instance *it)
{
    problem_free(it->problem);
    linop_free(it->op);
    workspace_free(it->ws);
    g_rand_free(it->rand);
    g_free(it->x.data);
    g_free(it->start.data);
    g_free(it->targets.data);
}

static struct network *network_of(const struct layer_kind *kind, const struct instance *it,
                                  size_t depth)
{
    g_autoptr(GError) error = NULL;
    struct network *network =
        network_new(kind->network, kind->variant, it->problem,
                    (struct network_size){.depth = depth, .n_inner = N_INNER}, &error);
    g_assert_no_error(error);
    return network;
}

// Parameters away from where the algorithm puts them, yet small enough not to diverge.
static void disturb(struct network *network, GRand *rand)
{
    for (size_t layer = 0; layer < network->depth; layer++) {
        double *parameters = network_layer(network, layer);
        for (size_t i = 0; i < network->offsets[layer + 1] - network->offsets[layer]; i++)
            parameters[i] = parameters[i] * g_rand_double_range(rand, 0.9, 1.1) +
                            1e-3 * g_rand_double_range(rand, -1.0, 1.0);
        if (network->kind->project != NULL)
            network->kind->project(&network->context, layer, parameters);
    }
}

struct trial {
    struct network *network;
    struct instance *it;
    struct network_pass pass;
    struct network_loss loss;
};

static double loss_of(const struct trial *trial)
{
    struct network_input input = {
        .x = &trial->it->x, .lambda = trial->it->lambda, .start = &trial->it->start};
    return network_loss_gradient(trial->network, &input, &trial->pass, &trial->loss, NULL, NULL,
                                 trial->it->ws);
}

// The derivative in *p by central differences of two widths, extrapolated. Where the two disagree
// there is a kink inside the interval: NaN then.
static double difference(const struct trial *trial, double *p)
{
    double value = *p;
    double slope[2];
    for (int k = 0; k < 2; k++) {
        double width = (k == 0 ? 2e-5 : 1e-5) * fmax(fabs(value), 1e-2);
        *p = value + width;
        double above = loss_of(trial);
        *p = value - width;
        slope[k] = (above - loss_of(trial)) / (2.0 * width);
    }
    *p = value;
    if (!(fabs(slope[0] - slope[1]) <= 1e-4 * (1.0 + fabs(slope[1]))))
        return NAN;
    return (4.0 * slope[1] - slope[0]) / 3.0;
}

static void check_derivative(const struct trial *trial, double *p, double analytic, size_t *n_kinks)
{
    double numeric = difference(trial, p);
    if (isnan(numeric))
        (*n_kinks)++;
    else
        assert_close(analytic, numeric, 1e-6 * fmax(1.0, fabs(numeric)));
}

static void check_gradient(const struct trial *trial)
{
    struct instance *it = trial->it;
    size_t n_parameters = trial->network->offsets[trial->pass.depth];
    g_autofree double *gradient = g_new0(double, n_parameters);
    double lambda_gradient[N_SERIES] = {0};
    struct block x_gradient = new_block(it->rand, it->op->n_out);
    memset(x_gradient.data, 0, it->op->n_out * N_SERIES * sizeof(double));
    struct layer_gradient inputs = {.x = &x_gradient, .lambda = lambda_gradient};
    struct network_input input = {.x = &it->x, .lambda = it->lambda, .start = &it->start};
    network_loss_gradient(trial->network, &input, &trial->pass, &trial->loss, gradient, &inputs,
                          it->ws);

    size_t n_kinks = 0;
    size_t stride = MAX(n_parameters / 150, 1);
    size_t n_checked = 0;
    for (size_t i = 0; i < n_parameters; i += stride, n_checked++)
        check_derivative(trial, &trial->network->parameters[i], gradient[i], &n_kinks);
    for (size_t v = 0; v < N_SERIES; v++, n_checked++)
        check_derivative(trial, &it->lambda[v], lambda_gradient[v], &n_kinks);
    for (size_t i = 0; i < it->op->n_out * N_SERIES; i++, n_checked++)
        check_derivative(trial, &it->x.data[i], x_gradient.data[i], &n_kinks);
    assert_true(n_kinks * 10 <= n_checked);
    g_free(x_gradient.data);
}

static void for_every_kind(void (*check)(const struct layer_kind *kind))
{
    size_t n_kinds;
    const struct layer_kind *const *kinds = network_kinds(&n_kinds);
    for (size_t i = 0; i < n_kinds; i++) {
        print_message("%s %s\n", kinds[i]->network, kinds[i]->variant);
        check(kinds[i]);
    }
}

static void check_gradients_of(const struct layer_kind *kind)
{
    for (size_t depth = 1; depth <= MAX_DEPTH; depth++) {
        for (int supervised = 0; supervised < 2; supervised++) {
            struct instance it = instance_new(kind, (guint32) (100 * depth));
            g_autoptr(owned_network) network = network_of(kind, &it, depth);
            disturb(network, it.rand);
            struct trial trial = {.network = network,
                                  .it = &it,
                                  .pass = {.depth = depth, .safeguard = depth % 2 == 0},
                                  .loss = {.targets = supervised ? &it.targets : NULL}};
            check_gradient(&trial);
            instance_clear(&it);
        }
    }
}

static void gradients_are_those_of_finite_differences(void **state)
{
    (void) state;
    for_every_kind(check_gradients_of);
}

static void check_safeguard_of(const struct layer_kind *kind)
{
    if (kind->descend == NULL)
        return;
    struct instance it = instance_new(kind, 5);
    g_autoptr(owned_network) network = network_of(kind, &it, MAX_DEPTH);
    // The first tensor of every kind is a step or a weight: too large, and it diverges.
    for (size_t layer = 0; layer < MAX_DEPTH; layer++) {
        struct tensor_shape shapes[LAYER_MAX_TENSORS];
        kind->tensors(&network->context, layer, shapes);
        for (size_t i = 0; i < shapes[0].n_rows * shapes[0].n_columns; i++)
            network_layer(network, layer)[i] = 10.0 + 300.0 * network_layer(network, layer)[i];
    }
    struct network_input input = {.x = &it.x, .lambda = it.lambda, .start = &it.start};
    struct block u = new_block(it.rand, it.op->n_in);
    double before[N_SERIES];
    for (size_t v = 0; v < N_SERIES; v++)
        before[v] = INFINITY;
    size_t n_rejected[MAX_DEPTH] = {0};
    for (size_t depth = 1; depth <= MAX_DEPTH; depth++) {
        struct network_pass pass = {.depth = depth, .safeguard = true, .n_rejected = n_rejected};
        network_forward(network, &input, &pass, &u, it.ws);
        for (size_t v = 0; v < N_SERIES; v++) {
            double objective = problem_objective(it.problem, block_series(&it.x, v),
                                                 block_series(&u, v), it.lambda[v], it.ws);
            assert_true(objective <= before[v] * (1.0 + 1e-12));
            before[v] = objective;
        }
    }
    size_t n_all = 0;
    for (size_t layer = 0; layer < MAX_DEPTH; layer++)
        n_all += n_rejected[layer];
    // A large sigma makes the steps of Condat-Vu small: it cannot diverge by that.
    assert_true(n_all > 0 || strcmp(kind->network, "condat-vu-step") == 0);
    g_free(u.data);
    instance_clear(&it);
}

static void with_the_safeguard_no_layer_raises_the_objective(void **state)
{
    (void) state;
    for_every_kind(check_safeguard_of);
}

// What the networks unroll, written as in the papers: (F)ISTA and (accelerated) PGD for series v,
// in u or, for the synthesis form, in z with u = L z.
static void run_algorithm(const struct instance *it, const struct layer_context *context, size_t v,
                          size_t depth, double *u)
{
    const linop *design = context->design;
    size_t n = design->n_in;
    bool accelerated = strcmp(context->kind->variant, "step-momentum") == 0;
    double step = 1.0 / design->norm2;
    double mu = step * it->lambda[v];
    g_autofree double *y = g_memdup2(block_series(&it->start, v), n * sizeof(double));
    g_autofree double *r = g_new(double, design->n_out);
    g_autofree double *a = g_new(double, n);
    if (context->kind->synthesis)
        synthesis_difference(y, y, n);
    memcpy(u, y, n * sizeof(double));
    double t = 1.0;
    for (size_t layer = 0; layer < depth; layer++) {
        linop_apply_series(design, y, r, it->ws);
        for (size_t i = 0; i < design->n_out; i++)
            r[i] -= block_series(&it->x, v)[i];
        linop_adjoint_series(design, r, a, it->ws);
        double next = 0.5 * (1.0 + sqrt(1.0 + 4.0 * t * t));
        for (size_t i = 0; i < n; i++)
            a[i] = y[i] - step * a[i];
        if (context->kind->problem == PROBLEM_TV && !context->kind->synthesis)
            prox_tv(a, n, mu, a, NULL, it->ws);
        else
            for (size_t i = context->kind->synthesis ? 1 : 0; i < n; i++)
                a[i] = copysign(fmax(fabs(a[i]) - mu, 0.0), a[i]);
        for (size_t i = 0; i < n; i++) {
            y[i] = a[i] + (accelerated ? (t - 1.0) / next : 0.0) * (a[i] - u[i]);
            u[i] = a[i];
        }
        t = next;
    }
    if (context->kind->synthesis)
        synthesis_sum(u, u, n);
}

static void check_untrained(const struct layer_kind *kind)
{
    enum { DEPTH = 12 };
    static const char *const others[] = {"alista",       "condat-vu",        "condat-vu-step",
                                         "dual-coupled", "dual-lista",       "dual-step",
                                         "lpgd-lista",   "subgradient-step", NULL};
    if (g_strv_contains(others, kind->network))
        return;
    struct instance it = instance_new(kind, 9);
    g_autoptr(owned_network) network = network_of(kind, &it, DEPTH);
    struct network_input input = {.x = &it.x, .lambda = it.lambda, .start = &it.start};
    struct network_pass pass = {.depth = DEPTH};
    struct block u = new_block(it.rand, it.op->n_in);
    g_autofree double *expected = g_new(double, it.op->n_in);
    network_forward(network, &input, &pass, &u, it.ws);
    for (size_t v = 0; v < N_SERIES; v++) {
        run_algorithm(&it, &network->context, v, DEPTH, expected);
        assert_close(max_abs_difference(block_series(&u, v), expected, it.op->n_in), 0.0, 1e-12);
    }
    g_free(u.data);
    instance_clear(&it);
}

static void an_untrained_network_is_its_algorithm(void **state)
{
    (void) state;
    for_every_kind(check_untrained);
}

// The solver whose iterates an untrained network has, for those that are not in run_algorithm.
static solver_constructor *solver_of(const struct layer_kind *kind)
{
    if (g_str_has_prefix(kind->network, "condat-vu"))
        return solver_new_condat_vu;
    return g_str_has_prefix(kind->network, "dual-") ? solver_new_dual_pgd : NULL;
}

static void check_against_solver(const struct layer_kind *kind)
{
    enum { DEPTH = 9 };
    if (solver_of(kind) == NULL)
        return;
    struct instance it = instance_new(kind, 13);
    g_autoptr(owned_network) network = network_of(kind, &it, DEPTH);
    struct solver_options options = solver_options_default();
    options.max_iter = DEPTH;
    options.tol = 0.0;
    g_autoptr(owned_solver) solver = solver_of(kind)(it.problem, &options, NULL);
    struct network_use use = {.depth = DEPTH};
    g_autoptr(owned_solver) unrolled = network_solver_new(network, &use, &options);
    struct solve_input input = {.x = &it.x, .lambda = it.lambda};
    struct block expected = new_block(it.rand, it.op->n_in);
    struct block u = new_block(it.rand, it.op->n_in);
    struct series_result results[N_SERIES];
    solver_run(solver, &input, &expected, results, it.ws);
    solver_run(unrolled, &input, &u, results, it.ws);
    for (size_t v = 0; v < N_SERIES; v++) {
        problem_optimise_level(it.problem, block_series(&it.x, v), block_series(&u, v), it.ws);
        assert_close(max_abs_difference(block_series(&u, v), block_series(&expected, v), u.n_time),
                     0.0, 1e-11);
    }
    g_free(expected.data);
    g_free(u.data);
    instance_clear(&it);
}

static void an_untrained_network_has_the_iterates_of_its_solver(void **state)
{
    (void) state;
    for_every_kind(check_against_solver);
}

static void what_a_network_leaves_inaccurate_the_fallback_solves(void **state)
{
    (void) state;
    struct instance it = instance_new(&layer_lpgd_step, 17);
    g_autoptr(owned_network) network = network_of(&layer_lpgd_step, &it, 2);
    struct solver_options options = solver_options_default();
    options.start = START_GIVEN;
    options.tol = 1e-10;
    g_autoptr(owned_solver) fista = solver_new_fista(it.problem, &options, NULL);
    options.start = START_CONST;
    struct network_use use = {.depth = 2, .safeguard = true};
    g_autoptr(owned_solver) bare = network_solver_new(network, &use, &options);
    use.fallback = fista;
    use.certify = 1e-6;
    g_autoptr(owned_solver) certified = network_solver_new(network, &use, &options);
    struct solve_input input = {.x = &it.x, .lambda = it.lambda};
    struct block u = new_block(it.rand, it.op->n_in);
    struct series_result results[N_SERIES];
    solver_run(bare, &input, &u, results, it.ws);
    for (size_t v = 0; v < N_SERIES; v++)
        assert_int_equal(results[v].status, SERIES_INACCURATE);
    solver_run(certified, &input, &u, results, it.ws);
    for (size_t v = 0; v < N_SERIES; v++) {
        assert_int_equal(results[v].status, SERIES_SOLVED);
        assert_true(results[v].iterations > 2);
    }
    g_free(u.data);
    instance_clear(&it);
}

static void check_identity(const struct layer_kind *kind)
{
    if (kind->identity == NULL)
        return;
    struct instance it = instance_new(kind, 11);
    g_autoptr(owned_network) network = network_of(kind, &it, 1);
    kind->identity(&network->context, 0, network_layer(network, 0));
    struct network_input input = {.x = &it.x, .lambda = it.lambda, .start = &it.start};
    struct block u[2] = {new_block(it.rand, it.op->n_in), new_block(it.rand, it.op->n_in)};
    for (size_t depth = 0; depth < 2; depth++) {
        struct network_pass pass = {.depth = depth};
        network_forward(network, &input, &pass, &u[depth], it.ws);
    }
    assert_close(max_abs_difference(u[0].data, u[1].data, it.op->n_in * N_SERIES), 0.0, 1e-13);
    g_free(u[0].data);
    g_free(u[1].data);
    instance_clear(&it);
}

static void an_identity_layer_changes_nothing(void **state)
{
    (void) state;
    for_every_kind(check_identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_layer_changes_nothing),
        cmocka_unit_test(an_untrained_network_has_the_iterates_of_its_solver),
        cmocka_unit_test(an_untrained_network_is_its_algorithm),
        cmocka_unit_test(gradients_are_those_of_finite_differences),
        cmocka_unit_test(what_a_network_leaves_inaccurate_the_fallback_solves),
        cmocka_unit_test(with_the_safeguard_no_layer_raises_the_objective),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
