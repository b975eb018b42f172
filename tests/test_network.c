// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "unrolled/network.h"

#include <string.h>

enum { N_SERIES = 3, MAX_DEPTH = 5 };

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

static struct instance instance_new(enum problem_kind kind, guint32 seed)
{
    struct instance it = {.rand = g_rand_new_with_seed(seed), .ws = workspace_new()};
    it.op = random_operator(it.rand, 7, 11);
    it.problem = kind == PROBLEM_TV ? problem_new_tv(it.op) : problem_new_lasso(it.op);
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
    struct network *network = network_new(kind->network, kind->variant, it->problem, depth, &error);
    g_assert_no_error(error);
    return network;
}

// Parameters away from where the algorithm puts them, yet small enough not to diverge.
static void disturb(struct network *network, GRand *rand)
{
    for (size_t layer = 0; layer < network->depth; layer++) {
        double *parameters = network_layer(network, layer);
        for (size_t i = 0; i < network->n_parameters; i++)
            parameters[i] = parameters[i] * g_rand_double_range(rand, 0.7, 1.3) +
                            1e-3 * g_rand_double_range(rand, -1.0, 1.0);
        if (network->kind->project != NULL)
            network->kind->project(&network->context, parameters);
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
    struct network_input input = {&trial->it->x, trial->it->lambda, &trial->it->start};
    return network_loss_gradient(trial->network, &input, &trial->pass, &trial->loss, NULL, NULL,
                                 trial->it->ws);
}

// The derivative in *p by central differences. A kink inside the interval shows as a disagreement
// of two widths: NaN then.
static double difference(const struct trial *trial, double *p)
{
    double value = *p;
    double slope[2];
    for (int k = 0; k < 2; k++) {
        double width = (k == 0 ? 2e-6 : 1e-6) * fmax(fabs(value), 1e-2);
        *p = value + width;
        double above = loss_of(trial);
        *p = value - width;
        slope[k] = (above - loss_of(trial)) / (2.0 * width);
    }
    *p = value;
    return fabs(slope[0] - slope[1]) <= 1e-5 * (1.0 + fabs(slope[1])) ? slope[1] : NAN;
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
    size_t n_parameters = trial->pass.depth * trial->network->n_parameters;
    g_autofree double *gradient = g_new0(double, n_parameters);
    double lambda_gradient[N_SERIES] = {0};
    struct block x_gradient = new_block(it->rand, it->op->n_out);
    memset(x_gradient.data, 0, it->op->n_out * N_SERIES * sizeof(double));
    struct layer_gradient inputs = {.x = &x_gradient, .lambda = lambda_gradient};
    struct network_input input = {&it->x, it->lambda, &it->start};
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
            struct instance it = instance_new(kind->problem, (guint32) (100 * depth));
            g_autoptr(owned_network) network = network_of(kind, &it, depth);
            disturb(network, it.rand);
            struct trial trial = {.network = network,
                                  .it = &it,
                                  .pass = {.depth = depth, .safeguard = depth % 2 == 0},
                                  .loss = {supervised ? &it.targets : NULL}};
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
    struct instance it = instance_new(kind->problem, 5);
    g_autoptr(owned_network) network = network_of(kind, &it, MAX_DEPTH);
    for (size_t i = 0; i < MAX_DEPTH * network->n_parameters; i++)
        network->parameters[i] *= 30.0;
    struct network_input input = {&it.x, it.lambda, &it.start};
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
    assert_true(n_rejected[0] > 0);
    g_free(u.data);
    instance_clear(&it);
}

static void with_the_safeguard_no_layer_raises_the_objective(void **state)
{
    (void) state;
    for_every_kind(check_safeguard_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_finite_differences),
        cmocka_unit_test(with_the_safeguard_no_layer_raises_the_objective),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
