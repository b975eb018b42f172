// SPDX-License-Identifier: BSD-3-Clause
// Deconvolution of fMRI series by networks and by iterations, by layers and by time. Cherkaoui,
// Sulam and Moreau, 2020, figure 5: resting-state series of the UK Biobank, full convolution with a
// response of 30 samples, lambda = 0.1 lambda_max. Those recordings are not to be shared: without
// --data, simulated series of the same sizes stand in.
#include "app/reproduce/learning.h"
#include "app/reproduce/recordings.h"
#include "app/simulate/simulate.h"
#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "solvers/cpu_clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_FRAMES = 250, N_SHOWN = 64, MOST_DEPTHS = 9 };

#define RESPONSE "pyta:n=30"
#define RATIO    0.1

static const char *const metrics[] = {"pseudo-inverse", "constant"};

static const struct panel panels[] = {
    {"From the pseudo-inverse (as published)", "pseudo-inverse", "layers, iterations", "P - P*",
     1e-13, true, true, false},
    {"From the best constant", "constant", "layers, iterations", "P - P*", 1e-13, true, true,
     false},
    {"By time on one core", "by time", "microseconds a series", "P - P*", 1e-13, true, true, false},
    {"A test series", "series", "frame", "", 0.0, false, false, false},
    {0}};

static const struct {
    const char *name;
    solver_constructor *create;
} solvers[] = {{"PGD", solver_new_pgd},
               {"accelerated PGD", solver_new_apgd},
               {"accelerated PGD, restarts", solver_new_fista}};

// The published network, from the pseudo-inverse; the others begin at the constant.
#define PUBLISHED "LPGD-Taut conv, published training"
static const struct lesson published = {
    .label = PUBLISHED, .network = "lpgd-taut", .variant = "conv", .published = true};
static const struct lesson ours[] = {
    {.label = "LPGD-Taut conv", .network = "lpgd-taut", .variant = "conv-threshold"},
    {.label = "LPGD-Taut step", .network = "lpgd-taut", .variant = "step"},
    {.label = "LPGD-Taut step-momentum", .network = "lpgd-taut", .variant = "step-momentum"}};

struct study {
    linop *op;
    struct problem *problem;
    bool run_scope;
    struct block x[2];        // to train, to test; owned until the samples have them
    struct samples *train[2]; // from the pseudo-inverse, from the constant
    struct samples *test[2];  //
    size_t depths[MOST_DEPTHS];
    size_t n_depths;
    double training_s; // of our networks together
    double exact_us;   // a series
};

static void study_clear(struct study *study)
{
    for (int i = 0; i < 2; i++) {
        g_free(study->x[i].data);
        samples_free(study->train[i]);
        samples_free(study->test[i]);
    }
    problem_free(study->problem);
    linop_free(study->op);
}
typedef struct study owned_study;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_study, study_clear)

static bool simulate(struct reproduction *r, struct study *study, GError **error)
{
    size_t n_each = r->full ? 8000 : 64;
    struct simulate_tv law = simulate_tv_default();
    law.law = SIMULATE_TV_JUMPS;
    law.n_series = 2 * n_each;
    law.n_observed = N_FRAMES;
    law.hrf = RESPONSE;
    law.tr_s = 0.735;
    law.sparsity = 0.05;
    law.snr_db = 5.0;
    law.seed = r->seed;
    g_autoptr(owned_simulation) drawn = simulate_tv(&law, error);
    if (drawn == NULL)
        return false;
    for (size_t i = 0; i < 2; i++)
        study->x[i] = (struct block){
            N_FRAMES, n_each, N_FRAMES,
            g_memdup2(drawn->x + i * n_each * N_FRAMES, n_each * N_FRAMES * sizeof(double))};
    reproduction_set(r, "data", "simulated: jumps at 5 %% of places, 5 dB");
    reproduction_note(r, "Simulated series in place of recordings: jumps at 5 %% of the frames "
                         "through the response, white noise of 5 dB.");
    return true;
}

static bool load(struct reproduction *r, struct study *study, double *tr_s, GError **error)
{
    size_t most = r->quick ? 500 : 8000;
    for (int i = 0; i < 2; i++) {
        struct recorded recorded;
        if (!recordings_read(r, r->data[i], N_FRAMES, most, &recorded, error))
            return false;
        study->x[i] = recorded.x;
        study->run_scope = recorded.cleaned;
        if (i == 1 && recorded.tr_s != *tr_s) {
            g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                        "%s: expected an interval of %g s as in the training data, found %g s",
                        r->data[1], *tr_s, recorded.tr_s);
            return false;
        }
        *tr_s = recorded.tr_s;
        reproduction_set(r, i == 0 ? "train" : "test", "%s: %zu series, %zu constant left out",
                         r->data[i], recorded.x.n_series, recorded.n_constant);
    }
    reproduction_note(r, "%zu series to train, %zu to test, from the files given; lambda by %s.",
                      study->x[0].n_series, study->x[1].n_series,
                      study->run_scope ? "the largest lambda_max of each set" : "series");
    return true;
}

static bool prepare(struct reproduction *r, struct study *study, GError **error)
{
    double tr_s = 0.735;
    bool have = r->data[0] == NULL ? simulate(r, study, error) : load(r, study, &tr_s, error);
    g_autoptr(owned_hrf) hrf = have ? hrf_new(RESPONSE, tr_s, error) : NULL;
    if (hrf == NULL)
        return false;
    study->op = hrf_conv_new(hrf->h, hrf->n, N_FRAMES, HRF_CONV_FULL, HRF_CONV_AUTO, error);
    if (study->op == NULL)
        return false;
    study->problem = problem_new_tv(study->op);
    for (int start = 0; start < 2; start++) {
        struct samples_options options = {.ratio = RATIO,
                                          .start = start == 0 ? START_PINV : START_CONST,
                                          .scale = true,
                                          .run_scope = study->run_scope};
        for (int set = 0; set < 2; set++) {
            struct samples **to = set == 0 ? &study->train[start] : &study->test[start];
            struct block x = study->x[set];
            x.data = g_memdup2(x.data, x.n_time * x.n_series * sizeof(double));
            *to = samples_new(r, study->problem, x, &options, error);
            if (*to == NULL)
                return false;
        }
    }
    return true;
}

// A method on samples: a solver, or so many layers of a network.
struct timed {
    const struct samples *samples;
    const struct solver *solver;
    const struct network *network;
    struct network_pass pass;
};

static void run_once(const struct timed *timed, struct block *u, struct workspace *ws)
{
    const struct samples *samples = timed->samples;
    struct series_result results[N_SHOWN];
    struct block x = block_slice(&samples->x, 0, u->n_series);
    struct block start = block_slice(&samples->start, 0, u->n_series);
    if (timed->network != NULL) {
        struct network_input input = {.x = &x, .lambda = samples->lambda, .start = &start};
        network_forward(timed->network, &input, &timed->pass, u, ws);
        return;
    }
    struct solve_input input = {.x = &x, .lambda = samples->lambda, .start = &start};
    timed->solver->solve(timed->solver, &input, u, results, ws);
}

// Microseconds of CPU time a series, the least of three runs.
static double microseconds(const struct timed *timed)
{
    size_t n_in = timed->samples->start.n_time;
    size_t n = MIN(timed->samples->x.n_series, (size_t) N_SHOWN);
    g_autofree double *memory = g_new(double, n_in *n);
    struct block u = {n_in, n, n_in, memory};
    g_autoptr(owned_workspace) ws = workspace_new();
    double least = INFINITY;
    for (int repeat = 0; repeat < 4; repeat++) {
        double begin = cpu_clock_s();
        run_once(timed, &u, ws);
        double took = 1e6 * (cpu_clock_s() - begin) / (double) n;
        least = repeat == 0 ? least : fmin(least, took);
    }
    return least;
}

static void add_time(struct reproduction *r, const char *label, size_t depth, const char *metric,
                     double us)
{
    reproduction_result(r, label, us, r->seed, "by time",
                        reproduction_mean(r, label, (double) depth, metric));
}

static bool run_solvers(struct reproduction *r, struct study *study, int start, GError **error)
{
    struct curve curve = {NULL, metrics[start], study->depths, study->n_depths};
    for (size_t m = 0; m < G_N_ELEMENTS(solvers); m++) {
        curve.method = solvers[m].name;
        if (!samples_solver_curve(r, study->test[start], solvers[m].create, &curve, error))
            return false;
        for (size_t i = 0; i < study->n_depths && start == 1; i++) {
            struct solver_options options = solver_options_default();
            options.tol = 0.0;
            options.max_iter = study->depths[i];
            options.start = START_GIVEN;
            g_autoptr(owned_solver) solver = solvers[m].create(study->problem, &options, error);
            if (solver == NULL)
                return false;
            struct timed timed = {.samples = study->test[start], .solver = solver};
            add_time(r, solvers[m].name, study->depths[i], metrics[start], microseconds(&timed));
        }
    }
    return true;
}

// One of four trainings, which take nearly all of the time.
static bool run_network(struct reproduction *r, struct study *study, size_t which,
                        const struct lesson *lesson, GError **error)
{
    size_t depth = study->depths[study->n_depths - 1];
    int start = which == 0 ? 0 : 1;
    struct lesson how = *lesson;
    how.share[0] = 0.25 * (double) which;
    how.share[1] = 0.25 * (double) (which + 1);
    how.max_iter = 30 * depth;
    double seconds;
    g_autoptr(owned_network) network =
        learning_train(r, study->train[start], &how, depth, &seconds, error);
    if (network == NULL)
        return false;
    bool safeguard = !how.published;
    struct curve curve = {how.label, metrics[start], study->depths, study->n_depths};
    samples_network_curve(r, study->test[start], network, safeguard, &curve);
    for (size_t i = 0; i < study->n_depths; i++) {
        struct timed timed = {.samples = study->test[start],
                              .network = network,
                              .pass = {.depth = study->depths[i], .safeguard = safeguard}};
        add_time(r, how.label, study->depths[i], metrics[start], microseconds(&timed));
    }
    study->training_s += how.published ? 0.0 : seconds;
    return true;
}

// The exact solver is a vertical line: whatever the accuracy, it takes this long.
static bool run_exact(struct reproduction *r, struct study *study, GError **error)
{
    struct solver_options options = solver_options_default();
    options.tol = 1e-12;
    g_autoptr(owned_solver) solver = solver_new_exact(study->problem, &options, error);
    if (solver == NULL)
        return false;
    struct timed timed = {.samples = study->test[1], .solver = solver};
    study->exact_us = microseconds(&timed);
    const char *label = "exact active set";
    double top = reproduction_mean(r, "PGD", 1.0, metrics[1]);
    reproduction_result(r, label, study->exact_us, r->seed, "by time", top);
    reproduction_result(r, label, study->exact_us * (1.0 + 1e-9), r->seed, "by time", 1e-12);

    const struct samples *test = study->test[1];
    size_t n_in = study->op->n_in;
    g_autofree double *u = g_new(double, n_in);
    double fit[N_FRAMES];
    struct block out = block_of_series(u, n_in), x = block_slice(&test->x, 0, 1);
    struct series_result result;
    struct solve_input input = {.x = &x, .lambda = test->lambda};
    g_autoptr(owned_workspace) ws = workspace_new();
    solver_run(solver, &input, &out, &result, ws);
    linop_apply_series(study->op, u, fit, ws);
    for (size_t t = 0; t < N_FRAMES; t++) {
        reproduction_result(r, "observed x", (double) t, r->seed, "series", x.data[t]);
        reproduction_result(r, "fit h * u", (double) t, r->seed, "series", fit[t]);
        if (t < n_in)
            reproduction_result(r, "activity u", (double) t, r->seed, "series", u[t]);
    }
    return true;
}

static double at(const struct reproduction *r, const struct study *study, const char *label,
                 size_t i, int start)
{
    return reproduction_mean(r, label, (double) study->depths[i], metrics[start]);
}

static double best_of_ours(const struct reproduction *r, const struct study *study, size_t i)
{
    double best = INFINITY;
    for (size_t m = 0; m < G_N_ELEMENTS(ours); m++)
        best = fmin(best, at(r, study, ours[m].label, i, 1));
    return best;
}

static void check(struct reproduction *r, const struct study *study)
{
    double untrained = 0.0, plain = 0.0, bar = 0.0, rise = 0.0;
    size_t crossing = 0;
    for (size_t i = 0; i < study->n_depths; i++) {
        double theirs = at(r, study, PUBLISHED, i, 0);
        untrained = fmax(untrained, theirs / at(r, study, "PGD", i, 0));
        plain = fmax(plain, at(r, study, "PGD", i, 1) / theirs);
        bar = fmax(bar, best_of_ours(r, study, i) / at(r, study, "accelerated PGD", i, 1));
        if (crossing == 0 && at(r, study, "accelerated PGD", i, 0) <= theirs)
            crossing = study->depths[i];
        for (size_t m = 0; i > 0 && m < G_N_ELEMENTS(ours); m++)
            rise = fmax(rise,
                        at(r, study, ours[m].label, i, 1) / at(r, study, ours[m].label, i - 1, 1));
    }
    double gap = fmax(study->test[1]->worst_gap, study->train[1]->worst_gap);
    reproduction_check(r, "every minimum is certified to a relative gap of 1e-10", gap <= 1e-10,
                       gap, 1e-10);
    reproduction_check(r, "published: the trained network is below untrained PGD at every depth",
                       untrained <= 1.0, untrained, 1.0);
    reproduction_check(r, "published: the network is below accelerated PGD from the same start",
                       crossing == 0 || crossing > 5, (double) crossing, 5.0);
    reproduction_target(r, "but plain PGD from the best constant is below it at every depth",
                        plain <= 1.0, plain, 1.0);
    reproduction_check(r, "our best network is below accelerated PGD from the constant", bar <= 1.0,
                       bar, 1.0);
    reproduction_check(r, "our networks are not worse with depth, to 10 %", rise <= 1.1, rise, 1.1);
    reproduction_target(r, "our three trainings take less than 60 s", study->training_s < 60.0,
                        study->training_s, 60.0);
}

static void check_floor(struct reproduction *r, const struct study *study)
{
    double least = INFINITY;
    for (size_t i = 0; i < study->n_depths; i++) {
        for (size_t m = 0; m < G_N_ELEMENTS(solvers); m++)
            least = fmin(least, fmin(at(r, study, solvers[m].name, i, 0),
                                     at(r, study, solvers[m].name, i, 1)));
        least = fmin(fmin(least, best_of_ours(r, study, i)), at(r, study, PUBLISHED, i, 0));
    }
    reproduction_check(r, "no curve goes below the certified minimum", least >= -1e-12, least,
                       -1e-12);
}

static bool run(struct reproduction *r, GError **error)
{
    static const size_t quick[] = {1, 2, 3, 5, 7, 10, 15, 20};
    static const size_t full[] = {1, 2, 4, 7, 12, 21, 35, 59, 100};
    g_auto(owned_study) study = {.n_depths = r->full ? G_N_ELEMENTS(full) : G_N_ELEMENTS(quick)};
    memcpy(study.depths, r->full ? full : quick, study.n_depths * sizeof *study.depths);
    reproduction_set(r, "response", RESPONSE);
    reproduction_set(r, "lambda", "%g lambda_max", RATIO);
    if (!prepare(r, &study, error))
        return false;
    for (int start = 0; start < 2; start++)
        if (!run_solvers(r, &study, start, error))
            return false;
    if (!run_network(r, &study, 0, &published, error))
        return false;
    for (size_t m = 0; m < G_N_ELEMENTS(ours); m++)
        if (!run_network(r, &study, m + 1, &ours[m], error))
            return false;
    if (!run_exact(r, &study, error))
        return false;
    check(r, &study);
    check_floor(r, &study);
    reproduction_note(r, "T = 250, 30 samples of response, 221 unknowns, lambda = 0.1 lambda_max; "
                         "P* by the exact active set, certified.");
    reproduction_note(r,
                      "The exact active set takes %.3g microseconds a series; iterations and our "
                      "networks by time begin at the constant, the published one at the "
                      "pseudo-inverse (its cost is left out).",
                      study.exact_us);
    return true;
}

const struct experiment reproduce_ukbb = {.id = "ukbb",
                                          .title = "Deconvolution of fMRI: is there a point to "
                                                   "unrolled algorithms?",
                                          .panels = panels,
                                          .run = run,
                                          .data = "TRAIN,TEST (images, or arrays of series)",
                                          .n_data = 2};
