// SPDX-License-Identifier: BSD-3-Clause
// How near to the minimum a number of layers of SLISTA comes on a leadfield, beside as many
// iterations of ISTA, FISTA and OISTA.
//
//     build/bench/bench_leadfield_networks FWD COV AVERAGES LAMBDA [LAYERS [GRADIENTS [BADS]]]
//
// Whitened samples of 40 .. 180 ms of averages, baseline before 0. The network learns from every
// other sample of the first half of the conditions, and is tried on the samples between those and
// on the other conditions. Printed: (F - F*) / (F(0) - F*), its mean and largest over samples, and
// of how many samples some layer raised the objective.
#include "app/pipelines/sources/sources_samples.h"
#include "unrolled/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct sources sources;
    struct sources_options options;
    char **bads; // owned
    linop *op;
    struct problem *problem;
    double ratio;
    size_t n_layers;
    struct network *net;
    struct workspace *ws;
};

/** Samples, each divided by its lambda_max. */
struct set {
    const char *name;
    size_t n;
    double *x;
    double *lambda;
    double *zero;
    struct block blocks[2]; // x, start
    double *least;          // F* of each
};

static void set_add(struct set *set, const struct bench *bench, const double *sample)
{
    size_t n = bench->op->n_out;
    double *x = set->x + set->n++ * n;
    memcpy(x, sample, n * sizeof *x);
    double scale = problem_lambda_max(bench->problem, x, bench->ws);
    for (size_t i = 0; i < n; i++)
        x[i] /= scale;
}

static void set_end(struct set *set, const struct bench *bench)
{
    set->lambda = g_new(double, set->n);
    set->zero = g_new0(double, set->n * bench->op->n_in);
    set->least = g_new(double, set->n);
    for (size_t v = 0; v < set->n; v++)
        set->lambda[v] = bench->ratio;
    set->blocks[0] = (struct block){bench->op->n_out, set->n, bench->op->n_out, set->x};
    set->blocks[1] = (struct block){bench->op->n_in, set->n, bench->op->n_in, set->zero};
}

/** The objective of samples, iterate after iterate. */
struct watch {
    const struct bench *bench;
    const struct set *set;
    double *objective;
    bool *rose;
};

static void look(void *data, size_t v, size_t iteration, const double *z)
{
    struct watch *watch = data;
    const struct bench *bench = watch->bench;
    const double *x = block_series(&watch->set->blocks[0], v);
    double objective = problem_objective(bench->problem, x, z, watch->set->lambda[v], bench->ws);
    if (iteration > 0 && objective > watch->objective[v] * (1.0 + 1e-13))
        watch->rose[v] = true;
    watch->objective[v] = objective;
}

static void run(const struct bench *bench, const struct set *set, struct solver *solver,
                struct series_result *results)
{
    struct block z = {bench->op->n_in, set->n, bench->op->n_in,
                      g_new(double, set->n * bench->op->n_in)};
    struct solve_input input = {.x = &set->blocks[0], .lambda = set->lambda};
    solver_run(solver, &input, &z, results, bench->ws);
    g_free(z.data);
}

static void solve_exactly(const struct bench *bench, struct set *set)
{
    struct solver_options options = solver_options_default();
    g_autoptr(owned_solver) solver = solver_new_exact(bench->problem, &options, NULL);
    g_autofree struct series_result *results = g_new0(struct series_result, set->n);
    run(bench, set, solver, results);
    for (size_t v = 0; v < set->n; v++)
        set->least[v] = results[v].objective;
}

// F(0) = 1/2 ||x||^2
static void report(const struct bench *bench, const struct set *set, const char *name,
                   solver_constructor *constructor)
{
    g_autofree struct series_result *results = g_new0(struct series_result, set->n);
    struct watch watch = {bench, set, g_new0(double, set->n), g_new0(bool, set->n)};
    struct solver_observer observer = {look, &watch};
    struct solver_options options = solver_options_default();
    options.tol = 0.0;
    options.max_iter = bench->n_layers;
    options.observer = &observer;
    options.start = START_ZERO;
    struct network_use use = {.depth = bench->n_layers, .safeguard = true};
    g_autoptr(owned_solver) solver = constructor == NULL
                                         ? network_solver_new(bench->net, &use, &options)
                                         : constructor(bench->problem, &options, NULL);
    run(bench, set, solver, results);
    double mean = 0.0, most = 0.0;
    size_t n_rose = 0;
    for (size_t v = 0; v < set->n; v++) {
        const double *x = block_series(&set->blocks[0], v);
        double trivial = 0.0;
        for (size_t i = 0; i < bench->op->n_out; i++)
            trivial += 0.5 * x[i] * x[i];
        double share = (results[v].objective - set->least[v]) / (trivial - set->least[v]);
        mean += share / (double) set->n;
        most = fmax(most, share);
        n_rose += watch.rose[v];
    }
    printf("| %-8s | %-20s | %7.1e | %7.1e | %zu of %zu |\n", name, set->name, mean, most, n_rose,
           set->n);
    g_free(watch.objective);
    g_free(watch.rose);
}

static void train(struct bench *bench, const struct set *set, size_t n_gradients,
                  struct parallel *team)
{
    struct network_size size = {.depth = bench->n_layers};
    struct train_options how = train_options_default(team);
    struct train_samples samples = {
        .x = &set->blocks[0], .lambda = set->lambda, .start = &set->blocks[1]};
    g_autofree struct train_stage *stages = g_new0(struct train_stage, bench->n_layers);
    how.max_iter = n_gradients;
    bench->net = network_new("slista", NULL, bench->problem, size, NULL);
    gint64 begin_us = g_get_monotonic_time();
    train_network(bench->net, &samples, NULL, &how, stages);
    printf(
        "\nlambda %g of the largest, %zu layers, %zu gradients, %zu samples, %.0f s; steps times "
        "L:",
        bench->ratio, bench->n_layers, n_gradients, set->n,
        1e-6 * (double) (g_get_monotonic_time() - begin_us));
    for (size_t layer = 0; layer < bench->n_layers; layer++)
        printf(" %.2g", *network_layer(bench->net, layer) * bench->op->norm2);
    printf("\n\n");
}

static void fill_sets(struct bench *bench, struct set sets[3], GError **error)
{
    const struct sensors *sensors = bench->sources.recording->sensors;
    size_t n_parts = sensors->n_parts;
    for (size_t c = 0; c < n_parts; c++) {
        char *conditions[] = {sensors->part[c].name, NULL};
        g_autoptr(owned_array) samples =
            sources_samples(&bench->sources, &bench->options, conditions, error);
        if (samples == NULL)
            return;
        for (size_t s = 0; s < 3 && c == 0; s++)
            sets[s].x = g_new(double, n_parts * samples->n_rows * samples->n_columns);
        for (size_t t = 0; t < samples->n_rows; t++)
            set_add(&sets[c >= n_parts / 2 ? 2 : t % 2], bench,
                    samples->values + t * samples->n_columns);
    }
    for (size_t s = 0; s < 3; s++)
        set_end(&sets[s], bench);
}

static bool form(struct bench *bench, const struct host *host, char **argv, int argc,
                 GError **error)
{
    bench->bads = argc > 7 ? g_strsplit(argv[7], ",", -1) : NULL;
    bench->options = (struct sources_options){.recording = argv[3],
                                              .forward = argv[1],
                                              .noise_cov = argv[2],
                                              .baseline = {":0", -INFINITY, 0.0},
                                              .bads = bench->bads,
                                              .tmin_s = 0.04,
                                              .tmax_s = 0.18,
                                              .depth = 0.8};
    bench->sources = (struct sources){.host = host,
                                      .options = &bench->options,
                                      .model = &source_model_lasso,
                                      .orientation = ORIENTATION_FIXED,
                                      .any_condition = true};
    if (!sources_read(&bench->sources, error) || !sources_form(&bench->sources, error))
        return false;
    const struct leadfield *leadfield = bench->sources.leadfield;
    bench->op = linop_new_dense(leadfield->gain, leadfield->n_sensors, leadfield->n_positions);
    bench->problem = problem_new_lasso(bench->op);
    return true;
}

static void bench_clear(struct bench *bench)
{
    network_free(bench->net);
    problem_free(bench->problem);
    linop_free(bench->op);
    sources_clear(&bench->sources);
    g_strfreev(bench->bads);
    workspace_free(bench->ws);
}

static void compare(struct bench *bench, struct set sets[3])
{
    printf("| method   | samples              | mean    | most    | rose    |\n"
           "| -------- | -------------------- | ------- | ------- | ------- |\n");
    for (size_t s = 0; s < 3; s++) {
        solve_exactly(bench, &sets[s]);
        report(bench, &sets[s], "ISTA", solver_new_pgd);
        report(bench, &sets[s], "FISTA", solver_new_fista);
        report(bench, &sets[s], "OISTA", solver_new_oista);
        report(bench, &sets[s], "SLISTA", NULL);
    }
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: %s FWD COV AVERAGES LAMBDA [LAYERS [GRADIENTS [BADS]]]\n", argv[0]);
        return 2;
    }
    g_autoptr(GError) error = NULL;
    atomic_bool stop = false;
    struct parallel *team = parallel_new(2, NULL);
    struct host host = {.team = team, .io = io_context_default(), .stop = &stop};
    struct bench bench = {.ws = workspace_new(),
                          .ratio = g_ascii_strtod(argv[4], NULL),
                          .n_layers = argc > 5 ? strtoul(argv[5], NULL, 10) : 20};
    struct set sets[3] = {
        {.name = "trained on"}, {.name = "between those"}, {.name = "other conditions"}};
    bool formed = form(&bench, &host, argv, argc, &error);
    if (formed)
        fill_sets(&bench, sets, &error);
    if (formed && error == NULL) {
        train(&bench, &sets[0], argc > 6 ? strtoul(argv[6], NULL, 10) : 1000, team);
        compare(&bench, sets);
    }
    for (size_t s = 0; s < 3; s++) {
        double *owned[] = {sets[s].x, sets[s].lambda, sets[s].zero, sets[s].least};
        for (size_t i = 0; i < G_N_ELEMENTS(owned); i++)
            g_free(owned[i]);
    }
    if (error != NULL)
        fprintf(stderr, "%s\n", error->message);
    bench_clear(&bench);
    parallel_free(team);
    return error == NULL ? 0 : 1;
}
