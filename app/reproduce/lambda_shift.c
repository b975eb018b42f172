// SPDX-License-Identifier: BSD-3-Clause
// A network trained at one lambda and used at others: how far its gain over ISTA reaches, and what
// the safeguard prevents.
#include "app/reproduce/learning.h"

#include <math.h>

enum { N_OUT = 10, N_IN = 20, N_LAYERS = 30 };

#define TRAINED_AT 0.05

static const struct panel panels[] = {
    {"Gain over ISTA after 30 layers", "gain", "{/Symbol l} / {/Symbol l}_{max} of the test",
     "(F - F*) of ISTA / (F - F*) of SLISTA", 1e-20, true, true, false},
    {"Suboptimality after 30 layers", "suboptimality",
     "{/Symbol l} / {/Symbol l}_{max} of the test", "F - F*", 1e-16, true, true, false},
    {0}};

#define GUARDED "SLISTA, safeguard"
#define PLAIN   "SLISTA, no safeguard"

// The largest rise of a sample's objective from layer to layer.
struct descent {
    const struct samples *samples;
    struct workspace *ws;
    double before;
    double rise;
};

static void look(void *data, size_t series, size_t layer, const double *z)
{
    struct descent *descent = data;
    const struct samples *samples = descent->samples;
    double objective = problem_objective(samples->problem, block_series(&samples->x, series), z,
                                         samples->lambda[series], descent->ws);
    if (layer > 0)
        descent->rise = fmax(descent->rise, objective - descent->before);
    descent->before = objective;
}

static double largest_rise(const struct samples *samples, const struct network *network,
                           bool safeguard)
{
    g_autoptr(owned_workspace) own = workspace_new();
    g_autoptr(owned_workspace) ws = workspace_new();
    struct descent descent = {.samples = samples, .ws = own};
    struct solver_observer observer = {look, &descent};
    double z[N_IN];
    for (size_t v = 0; v < MIN(samples->x.n_series, (size_t) 200); v++) {
        struct block x = block_slice(&samples->x, v, 1), out = block_of_series(z, N_IN);
        struct block start = block_slice(&samples->start, v, 1);
        struct network_input input = {.x = &x, .lambda = samples->lambda + v, .start = &start};
        struct network_pass pass = {
            .depth = N_LAYERS, .safeguard = safeguard, .observer = &observer, .first_series = v};
        network_forward(network, &input, &pass, &out, ws);
    }
    return descent.rise;
}

static struct samples *draw(struct reproduction *r, const struct problem *problem, double ratio,
                            uint64_t seed, GError **error)
{
    size_t n = r->full ? 1000 : 300;
    struct samples_options options = {.ratio = ratio, .start = START_ZERO, .scale = true};
    struct block x = samples_draw_lasso(seed, problem->op, n, false);
    return samples_new(r, problem, x, &options, error);
}

static double suboptimality(const struct reproduction *r, const struct samples *samples,
                            const struct network *network, bool safeguard)
{
    return train_loss(network, N_LAYERS, safeguard, &samples->train, r->host->team) -
           samples->minimum;
}

// What a lambda says: the gain with safeguard, and rises with and without.
struct finding {
    double gain;
    double rise[2];
};

static bool test_at(struct reproduction *r, const struct network *trained,
                    const struct network *untrained, double ratio, struct finding *finding,
                    GError **error)
{
    g_autoptr(owned_samples) test = draw(r, trained->context.problem, ratio, r->seed + 1, error);
    if (test == NULL)
        return false;
    double guarded = suboptimality(r, test, trained, true);
    double plain = suboptimality(r, test, trained, false);
    double ista = suboptimality(r, test, untrained, false);
    finding->gain = ista / fmax(guarded, 1e-16);
    finding->rise[0] = largest_rise(test, trained, true);
    finding->rise[1] = largest_rise(test, trained, false);
    reproduction_result(r, GUARDED, ratio, r->seed, "gain", finding->gain);
    reproduction_result(r, PLAIN, ratio, r->seed, "gain", ista / fmax(plain, 1e-16));
    reproduction_result(r, GUARDED, ratio, r->seed, "suboptimality", guarded);
    reproduction_result(r, PLAIN, ratio, r->seed, "suboptimality", plain);
    reproduction_result(r, "ISTA", ratio, r->seed, "suboptimality", ista);
    return !host_stopped(r->host, error);
}

static bool scan(struct reproduction *r, const struct network *trained,
                 const struct network *untrained, GError **error)
{
    size_t n = r->full ? 40 : 16;
    double best = 0.0, best_at = NAN, rise[2] = {0.0, 0.0}, least = INFINITY;
    for (size_t i = 0; i < n; i++) {
        // At lambda_max itself all is solved at the start.
        double ratio = pow(10.0, -2.0 + 1.95 * (double) i / (double) (n - 1));
        struct finding finding;
        if (!test_at(r, trained, untrained, ratio, &finding, error))
            return false;
        if (finding.gain > best && ratio < 0.5)
            best = finding.gain, best_at = ratio;
        least = ratio <= 0.15 && ratio >= TRAINED_AT / 3.0 ? fmin(least, finding.gain) : least;
        for (int g = 0; g < 2; g++)
            rise[g] = fmax(rise[g], finding.rise[g]);
        host_progress(r->host, (double) (i + 1) / (double) n);
    }
    reproduction_check(r, "with the safeguard no layer raises the objective, at any lambda",
                       rise[0] <= 1e-12, rise[0], 1e-12);
    reproduction_check(r, "without it layers do", rise[1] > 1e-6, rise[1], 1e-6);
    reproduction_check(r, "within a factor 3 of the training lambda the network gains on ISTA",
                       least > 1.0, least, 1.0);
    reproduction_target(r, "the gain is largest within a factor 3 of the training lambda",
                        best_at / TRAINED_AT <= 3.0 && TRAINED_AT / best_at <= 3.0, best_at,
                        TRAINED_AT);
    return true;
}

static bool run(struct reproduction *r, GError **error)
{
    g_autofree double *matrix = samples_draw_dictionary(r->seed, N_OUT, N_IN);
    g_autoptr(linop) op = linop_new_dense(matrix, N_OUT, N_IN);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    g_autoptr(owned_samples) train = draw(r, problem, TRAINED_AT, r->seed, error);
    if (train == NULL)
        return false;
    struct lesson lesson = {
        .label = GUARDED, .network = "slista", .max_iter = r->full ? 10000 : 300};
    struct network_size size = {.depth = N_LAYERS};
    g_autoptr(owned_network) untrained = network_new("slista", NULL, problem, size, error);
    g_autoptr(owned_network) trained = learning_train(r, train, &lesson, N_LAYERS, NULL, error);
    if (untrained == NULL || trained == NULL)
        return false;
    reproduction_set(r, "dictionary", "%d x %d, coding law", N_OUT, N_IN);
    reproduction_set(r, "trained at", "%g lambda_max", TRAINED_AT);
    reproduction_note(r,
                      "Steps of %d layers trained at %g lambda_max on %zu samples; others to "
                      "test at each lambda.",
                      N_LAYERS, TRAINED_AT, train->x.n_series);
    return scan(r, trained, untrained, error);
}

const struct experiment reproduce_lambda_shift = {
    .id = "lambda-shift", .title = "A network away from its lambda", .panels = panels, .run = run};
