// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/hrf_conv.h"
#include "tests/golden.h"
#include "unrolled/optimise.h"
#include "unrolled/train.h"
#include "unrolled/train_loss.h"

#include <string.h>

enum { N_SAMPLES = 70, MAX_DEPTH = 4 };

/** Operators: networks differ in those that they take. */
enum shape { WIDE, TALL, FILTER, N_SHAPES };

struct instance {
    linop *op;
    struct problem *problem;
    struct block x[2]; // to train, to judge
    struct block start[2];
    double *lambda;
    struct train_samples samples[2];
};

static linop *new_operator(enum shape shape, GRand *rand)
{
    static const size_t sizes[][2] = {{6, 8}, {9, 5}};
    double numbers[48];
    fill_normal(rand, numbers, G_N_ELEMENTS(numbers));
    if (shape == FILTER)
        return hrf_conv_new(numbers, 3, 9, HRF_CONV_FULL, HRF_CONV_FIR, NULL);
    return linop_new_dense(numbers, sizes[shape][0], sizes[shape][1]);
}

static struct block new_block(size_t n_time)
{
    return (struct block){n_time, N_SAMPLES, n_time, g_new0(double, n_time *N_SAMPLES)};
}

static void fill_samples(struct instance *it, size_t which, GRand *rand, struct workspace *ws)
{
    size_t n_in = it->op->n_in, n_out = it->op->n_out;
    it->x[which] = new_block(n_out);
    it->start[which] = new_block(n_in);
    fill_normal(rand, it->x[which].data, n_out * N_SAMPLES);
    for (size_t v = 0; v < N_SAMPLES; v++) {
        double *x = block_series(&it->x[which], v);
        double scale = problem_lambda_max(it->problem, x, ws);
        for (size_t t = 0; t < n_out; t++)
            x[t] /= scale;
        double level = problem_trivial_level(it->problem, x);
        for (size_t i = 0; i < n_in; i++)
            block_series(&it->start[which], v)[i] = level;
    }
    it->samples[which] = (struct train_samples){
        .x = &it->x[which], .lambda = it->lambda, .start = &it->start[which]};
}

static void instance_init(struct instance *it, enum problem_kind kind, enum shape shape,
                          guint32 seed)
{
    GRand *rand = g_rand_new_with_seed(seed);
    g_autoptr(owned_workspace) ws = workspace_new();
    it->op = new_operator(shape, rand);
    it->problem = kind == PROBLEM_TV ? problem_new_tv(it->op) : problem_new_lasso(it->op);
    it->lambda = g_new(double, N_SAMPLES);
    for (size_t v = 0; v < N_SAMPLES; v++)
        it->lambda[v] = 0.2;
    fill_samples(it, 0, rand, ws);
    fill_samples(it, 1, rand, ws);
    g_rand_free(rand);
}

static void instance_clear(struct instance *it)
{
    for (int i = 0; i < 2; i++) {
        g_free(it->x[i].data);
        g_free(it->start[i].data);
    }
    g_free(it->lambda);
    problem_free(it->problem);
    linop_free(it->op);
}

static struct network *network_of(const struct layer_kind *kind, const struct instance *it)
{
    return network_new(kind->network, kind->variant, it->problem,
                       (struct network_size){.depth = MAX_DEPTH, .n_inner = 3}, NULL);
}

// A problem that the kind applies to, and its network.
static struct network *instance_of_kind(struct instance *it, const struct layer_kind *kind,
                                        guint32 seed)
{
    for (enum shape shape = WIDE; shape < N_SHAPES; shape++) {
        instance_init(it, kind->problem, shape, seed);
        struct network *network = network_of(kind, it);
        if (network != NULL)
            return network;
        instance_clear(it);
    }
    return NULL;
}

// What decides is the loss on the validation samples where there are any.
static void check_stages(const struct train_stage *stages, size_t n_stages, bool validated,
                         bool nested)
{
    double before = INFINITY;
    for (size_t s = 0; s < n_stages; s++) {
        const struct train_stage *stage = &stages[s];
        double start = validated ? stage->validation_start : stage->loss_start;
        double end = validated ? stage->validation_end : stage->loss_end;
        assert_true(validated || start <= stage->loss_untrained);
        assert_true(end <= start);
        assert_true(!nested || end <= before * (1.0 + 1e-14));
        before = end;
    }
}

static void check_training(const struct layer_kind *kind, guint32 seed,
                           struct train_options *options, bool validated)
{
    struct instance it;
    g_autoptr(owned_network) network = instance_of_kind(&it, kind, seed);
    assert_non_null(network);
    const struct train_samples *judges = &it.samples[validated ? 1 : 0];
    double untrained = train_loss(network, MAX_DEPTH, true, judges, options->team);
    struct train_stage stages[MAX_DEPTH];
    size_t n = train_network(network, &it.samples[0], validated ? judges : NULL, options, stages);
    double trained = train_loss(network, MAX_DEPTH, true, judges, options->team);
    assert_int_equal(n, options->schedule == TRAIN_ONESHOT ? 1 : MAX_DEPTH);
    check_stages(stages, n, validated, options->schedule == TRAIN_RECURSIVE);
    assert_true(trained <= untrained);
    assert_close(trained, validated ? stages[n - 1].validation_end : stages[n - 1].loss_end, 0.0);
    instance_clear(&it);
}

// A hundred problems: every network with every schedule, with each optimiser in turn, every other
// of them judged by samples that it is not trained on.
static void training_never_ends_worse_than_it_began(void **state)
{
    (void) state;
    static const enum train_optimiser optimisers[] = {TRAIN_LBFGS, TRAIN_ADAM, TRAIN_DESCENT};
    size_t n_kinds;
    const struct layer_kind *const *kinds = network_kinds(&n_kinds);
    g_autoptr(owned_parallel) team = parallel_new(2, NULL);
    for (guint32 seed = 0; seed < 100; seed++) {
        size_t round = seed / n_kinds;
        struct train_options options = train_options_default(team);
        options.schedule = (enum train_schedule)(round % 3);
        options.optimiser = optimisers[(seed + round) % G_N_ELEMENTS(optimisers)];
        options.max_iter = 60;
        check_training(kinds[seed % n_kinds], seed, &options, (seed / 2 + round) % 2 == 1);
    }
    assert_true(100 / n_kinds >= 3);
}

static void with_validation_the_best_validated_parameters_are_kept(void **state)
{
    (void) state;
    struct instance it;
    instance_init(&it, PROBLEM_LASSO, WIDE, 3);
    g_autoptr(owned_parallel) team = parallel_new(2, NULL);
    g_autoptr(owned_network) network =
        network_new("lista", NULL, it.problem, (struct network_size){.depth = MAX_DEPTH}, NULL);
    struct train_options options = train_options_default(team);
    options.max_iter = 200;
    struct train_stage stages[MAX_DEPTH];
    train_network(network, &it.samples[0], &it.samples[1], &options, stages);
    double before = INFINITY;
    for (size_t s = 0; s < MAX_DEPTH; s++) {
        double judged = train_loss(network, s + 1, true, &it.samples[1], team);
        assert_close(judged, stages[s].validation_end, 0.0);
        assert_true(stages[s].validation_end <= stages[s].validation_start);
        assert_true(judged <= before);
        before = judged;
    }
    instance_clear(&it);
}

// The parameters that a team of so many threads learns. Owned.
static double *learn(size_t n_threads, enum train_optimiser optimiser, guint32 seed, size_t *bytes)
{
    struct instance it;
    instance_init(&it, PROBLEM_TV, WIDE, 8);
    g_autoptr(owned_parallel) team = parallel_new(n_threads, NULL);
    g_autoptr(owned_network) network = network_new("lpgd-taut", "step-momentum", it.problem,
                                                   (struct network_size){.depth = MAX_DEPTH}, NULL);
    struct train_options options = train_options_default(team);
    options.optimiser = optimiser;
    options.max_iter = 80;
    options.batch = 20;
    options.seed = seed;
    struct train_stage stages[MAX_DEPTH];
    train_network(network, &it.samples[0], NULL, &options, stages);
    *bytes = network->offsets[MAX_DEPTH] * sizeof(double);
    instance_clear(&it);
    return g_memdup2(network->parameters, *bytes);
}

// By central differences, over all samples and over two of their blocks, the short last one too.
static void the_gradient_is_that_of_the_mean_loss(void **state)
{
    (void) state;
    static const size_t blocks[] = {N_SAMPLES / BLOCK_SERIES, 1};
    const struct train_part some = {blocks, G_N_ELEMENTS(blocks)};
    const struct train_part *const parts[] = {NULL, &some};
    struct instance it;
    instance_init(&it, PROBLEM_LASSO, WIDE, 5);
    g_autoptr(owned_network) network =
        network_new("slista", "", it.problem, (struct network_size){.depth = 3}, NULL);
    assert_non_null(network);
    g_autoptr(owned_parallel) team = parallel_new(2, NULL);
    const struct network_pass pass = {.depth = 3};
    for (size_t k = 0; k < G_N_ELEMENTS(parts); k++) {
        double gradient[3];
        train_mean_loss(network, &pass, it.samples, parts[k], team, gradient);
        for (size_t i = 0; i < G_N_ELEMENTS(gradient); i++) {
            double step = 1e-6 * network->parameters[i], kept = network->parameters[i], loss[2];
            for (size_t side = 0; side < 2; side++) {
                network->parameters[i] = side == 0 ? kept - step : kept + step;
                loss[side] = train_mean_loss(network, &pass, it.samples, parts[k], team, NULL);
            }
            network->parameters[i] = kept;
            assert_close((loss[1] - loss[0]) / (2.0 * step), gradient[i], 1e-5 * fabs(gradient[i]));
        }
    }
    instance_clear(&it);
}

static void the_result_does_not_depend_on_the_threads(void **state)
{
    (void) state;
    static const enum train_optimiser optimisers[] = {TRAIN_LBFGS, TRAIN_ADAM};
    for (size_t i = 0; i < G_N_ELEMENTS(optimisers); i++) {
        size_t bytes;
        g_autofree double *one = learn(1, optimisers[i], 0, &bytes);
        g_autofree double *two = learn(2, optimisers[i], 0, &bytes);
        g_autofree double *five = learn(5, optimisers[i], 0, &bytes);
        assert_memory_equal(one, two, bytes);
        assert_memory_equal(one, five, bytes);
    }
}

static void batches_are_drawn_by_the_seed(void **state)
{
    (void) state;
    size_t bytes;
    g_autofree double *zero = learn(2, TRAIN_ADAM, 0, &bytes);
    g_autofree double *one = learn(2, TRAIN_ADAM, 1, &bytes);
    assert_memory_not_equal(zero, one, bytes);
}

static bool stop_at_once(void *data, const struct train_stage *stage, double fraction)
{
    (void) stage;
    (void) fraction;
    (*(size_t *) data)++;
    return false;
}

static void a_stopped_training_keeps_the_best_so_far(void **state)
{
    (void) state;
    struct instance it;
    instance_init(&it, PROBLEM_TV, WIDE, 12);
    g_autoptr(owned_parallel) team = parallel_new(1, NULL);
    g_autoptr(owned_network) network = network_new("lpgd-taut", "step", it.problem,
                                                   (struct network_size){.depth = MAX_DEPTH}, NULL);
    double untrained = train_loss(network, 1, true, &it.samples[0], team);
    size_t n_told = 0;
    struct train_options options = train_options_default(team);
    options.progress = stop_at_once;
    options.data = &n_told;
    struct train_stage stages[MAX_DEPTH];
    assert_int_equal(train_network(network, &it.samples[0], NULL, &options, stages), 1);
    assert_int_equal(n_told, 1);
    assert_true(train_loss(network, 1, true, &it.samples[0], team) < untrained);
    instance_clear(&it);
}

// Rosenbrock's valley in 6 dimensions, minimum 0 at (1, .., 1).
static double valley(void *data, const double *p, double *gradient)
{
    (void) data;
    enum { N = 6 };
    double sum = 0.0;
    memset(gradient, 0, N * sizeof(double));
    for (size_t i = 0; i + 1 < N; i++) {
        double bend = p[i + 1] - p[i] * p[i];
        double rest = 1.0 - p[i];
        sum += 100.0 * bend * bend + rest * rest;
        gradient[i] -= 400.0 * bend * p[i] + 2.0 * rest;
        gradient[i + 1] += 200.0 * bend;
    }
    return sum;
}

static bool go_on(void *data, const double *p, double value)
{
    (void) p;
    double *last = data;
    assert_true(value < *last);
    *last = value;
    return true;
}

static void bfgs_follows_a_bent_valley_to_its_end(void **state)
{
    (void) state;
    double last = INFINITY;
    struct objective objective = {.n = 6, .value = valley, .accepted = go_on, .data = &last};
    double p[6] = {-1.2, 1.0, -1.2, 1.0, 0.3, 2.0};
    size_t used = optimise_lbfgs(&objective, p, 400);
    assert_true(used <= 400);
    for (size_t i = 0; i < 6; i++)
        assert_close(p[i], 1.0, 1e-6);
}

// The mean of (p_i - k)^2 / 2 over the parts k: least where p_i is the mean of the k.
static double part_of_bowl(void *data, size_t pass, size_t part, const double *p, double *gradient)
{
    (void) data;
    (void) pass;
    double value = 0.0;
    for (size_t i = 0; i < 3; i++) {
        double rest = p[i] - (double) (part * (i + 1));
        value += 0.5 * rest * rest;
        gradient[i] = rest;
    }
    return value;
}

enum { N_PARTS = 5 };

static double bowl(void *data, const double *p, double *gradient)
{
    double unused[3];
    double sum = 0.0;
    assert_null(gradient);
    for (size_t part = 0; part < N_PARTS; part++)
        sum += part_of_bowl(data, 0, part, p, unused);
    return sum / N_PARTS;
}

static bool count_pass(void *data, const double *p, double value)
{
    size_t *n_passes = data;
    assert_close(value, bowl(NULL, p, NULL), 0.0);
    return ++*n_passes < 2000;
}

static void adam_settles_where_the_mean_of_the_parts_is_least(void **state)
{
    (void) state;
    size_t n_told = 0;
    struct objective objective = {.n = 3,
                                  .value = bowl,
                                  .part = part_of_bowl,
                                  .n_parts = N_PARTS,
                                  .accepted = count_pass,
                                  .data = &n_told};
    double p[3] = {1.0, -1.0, 20.0};
    size_t used = optimise_adam(&objective, 0.03, p, 2000);
    assert_int_equal(used, n_told);
    assert_true(used < 1500); // it knows when to stop
    for (size_t i = 0; i < 3; i++)
        assert_close(p[i], 2.0 * (double) (i + 1), 0.05);
}

static double two_dips(void *data, double a)
{
    (void) data;
    return fmin((a - 1.0) * (a - 1.0) + 0.1, (a - 7.0) * (a - 7.0));
}

static void a_search_of_one_number_finds_the_deeper_dip(void **state)
{
    (void) state;
    static const double grid[] = {0.0, 1.0, 2.0, 4.0, 6.8, 9.0};
    double value;
    assert_close(optimise_scalar(two_dips, NULL, grid, G_N_ELEMENTS(grid), &value), 7.0, 1e-3);
    assert_close(value, 0.0, 1e-6);
}

// The constant that fits each row of x best.
static struct block constants_of(const struct problem *problem, const struct block *x)
{
    size_t n_in = problem->op->n_in;
    struct block start = {n_in, x->n_series, n_in, g_new(double, n_in * x->n_series)};
    for (size_t v = 0; v < x->n_series; v++) {
        double level = problem_trivial_level(problem, block_series(x, v));
        for (size_t i = 0; i < n_in; i++)
            block_series(&start, v)[i] = level;
    }
    return start;
}

static double mean(const struct golden *golden)
{
    double sum = 0.0;
    for (size_t i = 0; i < golden->rows * golden->cols; i++)
        sum += golden->data[i];
    return sum / (double) (golden->rows * golden->cols);
}

// The public benchmark: series to train on, others to judge by, where the network begins.
struct benchmark {
    struct golden *x[2];
    struct golden *minima; // of the objective, for the second
    linop *op;
    struct problem *problem;
    struct block blocks[4]; // x, start; x, start
    double lambda[64];
    struct train_samples samples[2];
};

static void benchmark_init(struct benchmark *it)
{
    g_autoptr(owned_golden) h = golden_npy("golden/hrf_64_64/h.npy");
    it->x[0] = golden_npy("golden/hrf_64_64/X_train.npy");
    it->x[1] = golden_npy("golden/hrf_64_64/X_test.npy");
    it->minima = golden_npy("golden/hrf_64_64/F_star_test.npy");
    it->op = hrf_conv_new(h->data, h->rows * h->cols, it->x[0]->cols, HRF_CONV_FULL, HRF_CONV_AUTO,
                          NULL);
    it->problem = problem_new_tv(it->op);
    for (size_t v = 0; v < 64; v++)
        it->lambda[v] = 0.1; // every series has lambda_max 1
    for (size_t i = 0; i < 2; i++) {
        struct block *blocks = &it->blocks[2 * i];
        blocks[0] = (struct block){it->x[i]->cols, 64, it->x[i]->cols, it->x[i]->data};
        blocks[1] = constants_of(it->problem, &blocks[0]);
        it->samples[i] =
            (struct train_samples){.x = &blocks[0], .lambda = it->lambda, .start = &blocks[1]};
    }
}

static void benchmark_clear(struct benchmark *it)
{
    for (size_t i = 0; i < 2; i++) {
        g_free(it->blocks[2 * i + 1].data);
        golden_free(it->x[i]);
    }
    golden_free(it->minima);
    problem_free(it->problem);
    linop_free(it->op);
}

enum { N_LAYERS = 6 };

static struct network *benchmark_network(const struct benchmark *it, const char *variant)
{
    return network_new("lpgd-taut", variant, it->problem, (struct network_size){.depth = N_LAYERS},
                       NULL);
}

// On series that it was not trained on; shares: of the other's distance to the minimum.
static void check_against_apgd(const struct benchmark *it, const char *variant, size_t max_iter,
                               const double shares[N_LAYERS])
{
    g_autoptr(owned_parallel) team = parallel_new(2, NULL);
    g_autoptr(owned_network) network = benchmark_network(it, variant);
    g_autoptr(owned_network) untrained = benchmark_network(it, "step-momentum");
    struct train_options options = train_options_default(team);
    struct train_stage stages[N_LAYERS];
    options.max_iter = max_iter;
    train_network(network, &it->samples[0], NULL, &options, stages);
    for (size_t depth = 1; depth <= N_LAYERS; depth++) {
        double least = mean(it->minima);
        double learned = train_loss(network, depth, true, &it->samples[1], team) - least;
        double accelerated = train_loss(untrained, depth, false, &it->samples[1], team) - least;
        assert_true(learned > -1e-12);
        assert_true(learned < shares[depth - 1] * accelerated);
    }
}

static void a_trained_network_beats_accelerated_descent_at_every_depth(void **state)
{
    (void) state;
    static const double momentum[N_LAYERS] = {0.7, 0.7, 0.7, 0.7, 0.3, 0.2};
    static const double filters[N_LAYERS] = {0.7, 0.7, 0.7, 0.7, 0.7, 0.7};
    struct benchmark it = {.op = NULL};
    benchmark_init(&it);
    check_against_apgd(&it, "step-momentum", 120, momentum);
    check_against_apgd(&it, "conv-threshold", 120, filters);
    benchmark_clear(&it);
}

static void search_for(const struct benchmark *it, const char *variant,
                       struct train_stage stages[N_LAYERS])
{
    g_autoptr(owned_parallel) team = parallel_new(2, NULL);
    g_autoptr(owned_network) network = benchmark_network(it, variant);
    struct train_options options = train_options_default(team);
    options.max_iter = 0;
    train_network(network, &it->samples[0], NULL, &options, stages);
}

// They begin where a network of steps has got to; here both have no gradients, searches alone.
static void filters_are_never_worse_than_steps(void **state)
{
    (void) state;
    struct benchmark it = {.op = NULL};
    struct train_stage steps[N_LAYERS], filters[N_LAYERS];
    benchmark_init(&it);
    search_for(&it, "step", steps);
    search_for(&it, "conv-threshold", filters);
    for (size_t i = 0; i < N_LAYERS; i++)
        assert_true(filters[i].loss_end <= steps[i].loss_end * (1.0 + 1e-14));
    benchmark_clear(&it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_of_one_number_finds_the_deeper_dip),
        cmocka_unit_test(a_stopped_training_keeps_the_best_so_far),
        cmocka_unit_test(a_trained_network_beats_accelerated_descent_at_every_depth),
        cmocka_unit_test(adam_settles_where_the_mean_of_the_parts_is_least),
        cmocka_unit_test(batches_are_drawn_by_the_seed),
        cmocka_unit_test(bfgs_follows_a_bent_valley_to_its_end),
        cmocka_unit_test(filters_are_never_worse_than_steps),
        cmocka_unit_test(the_gradient_is_that_of_the_mean_loss),
        cmocka_unit_test(the_result_does_not_depend_on_the_threads),
        cmocka_unit_test(training_never_ends_worse_than_it_began),
        cmocka_unit_test(with_validation_the_best_validated_parameters_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
