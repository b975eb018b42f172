// SPDX-License-Identifier: BSD-3-Clause
#include "lib/networks.h"

#include "unrolled/train.h"

#include <string.h>

void taut_train_options_init(taut_train_options *options)
{
    *options = (taut_train_options){.size = sizeof *options,
                                    .safeguard = 1,
                                    .schedule = "recursive",
                                    .optimiser = "lbfgs",
                                    .max_iter = 1000};
}

// Where the training runs: what it is told is passed on to the host.
struct training {
    const taut_host *host;
    GThread *caller;
    bool stopped;
};

static bool go_on(void *data, const struct train_stage *stage G_GNUC_UNUSED, double fraction)
{
    struct training *training = data;
    const taut_host *host = training->host;
    training->stopped =
        lib_asked_to_stop(host) || (host->go_on != NULL && g_thread_self() == training->caller &&
                                    !host->go_on(host->data, fraction));
    return !training->stopped;
}

static int find_word(const char *const words[], const char *word, const char *name, int *found,
                     taut_error *error)
{
    for (int i = 0; words[i] != NULL; i++)
        if (g_strcmp0(words[i], word) == 0) {
            *found = i;
            return TAUT_OK;
        }
    return lib_fail(error, TAUT_BAD_NAME, "%s: expected %s, %s or %s, found %s", name, words[0],
                    words[1], words[2], word == NULL ? "NULL" : word);
}

static int options_of(const taut_train_options *given, struct parallel *team,
                      struct train_options *options, taut_error *error)
{
    static const char *const schedules[] = {"recursive", "oneshot", "greedy", NULL};
    static const char *const optimisers[] = {"adam", "lbfgs", "descent", NULL};
    int schedule = 0, optimiser = 0;
    int code = find_word(schedules, given->schedule, "schedule", &schedule, error);
    if (code == TAUT_OK)
        code = find_word(optimisers, given->optimiser, "optimiser", &optimiser, error);
    if (code == TAUT_OK && given->max_iter < 1)
        code = lib_fail(error, TAUT_BAD_VALUE, "max_iter: expected 1 or more, found 0");
    if (code != TAUT_OK)
        return code;
    *options = train_options_default(team);
    options->schedule = (enum train_schedule) schedule;
    options->optimiser = (enum train_optimiser) optimiser;
    options->max_iter = given->max_iter;
    options->batch = given->batch;
    options->seed = given->seed;
    options->safeguard = given->safeguard != 0;
    return TAUT_OK;
}

static int check(const taut_network *network, const taut_train_options *options,
                 const taut_array *x, const double *lambda, taut_error *error)
{
    if (lib_require(network, "network", error) != TAUT_OK || lib_require(x, "x", error) != TAUT_OK)
        return TAUT_BAD_VALUE;
    const linop *op = network->problem->op;
    int code = lib_check_array(x, "x", x->n_series, op->n_out, error);
    if (code == TAUT_OK && x->n_series < 1)
        code = lib_fail(error, TAUT_BAD_VALUE, "x: expected 1 series or more, found none");
    if (code == TAUT_OK)
        code = lib_check_numbers(lambda, x->n_series, "lambda", 0.0, true, error);
    if (code == TAUT_OK && options->targets != NULL)
        code = lib_check_array(options->targets, "targets", x->n_series, op->n_in, error);
    return code;
}

static bool all_finite(const struct block *block)
{
    for (size_t v = 0; v < block->n_series; v++)
        if (series_classify(block_series(block, v), block->n_time) == SERIES_NONFINITE)
            return false;
    return true;
}

// Everything was checked and copied: the samples, their starts and, maybe, targets.
static int train(struct network *network, const struct train_samples *samples,
                 const taut_train_options *given, const taut_host *host, taut_error *error)
{
    g_autoptr(owned_parallel) team = parallel_new(host->n_threads, NULL);
    struct training training = {.host = host,
                                .caller = host->go_on != NULL ? g_thread_self() : NULL};
    struct train_options options;
    int code = options_of(given, team, &options, error);
    if (code != TAUT_OK)
        return code;
    options.progress = go_on;
    options.data = &training;
    g_autofree struct train_stage *stages = g_new0(struct train_stage, network->depth);
    train_network(network, samples, NULL, &options, stages);
    if (training.stopped)
        return lib_fail(error, TAUT_STOPPED, "stopped by the host");
    return TAUT_OK;
}

static int copy_and_train(const taut_network *network, const taut_train_options *options,
                          const taut_host *host, const taut_array *x, const double *lambda,
                          taut_error *error)
{
    const struct problem *problem = network->problem->problem;
    g_autoptr(owned_workspace) ws = workspace_new();
    struct block observed = lib_read(x, 0, x->n_series, ws);
    struct block start = {problem->op->n_in, x->n_series, problem->op->n_in,
                          WORKSPACE_ALLOC(ws, double, problem->op->n_in * x->n_series)};
    struct block targets;
    struct train_samples samples = {.x = &observed, .lambda = lambda, .start = &start};
    if (options->targets != NULL) {
        targets = lib_read(options->targets, 0, x->n_series, ws);
        samples.targets = &targets;
    }
    if (!all_finite(&observed) || (samples.targets != NULL && !all_finite(&targets)))
        return lib_fail(error, TAUT_BAD_VALUE, "x, targets: expected finite numbers to train on");
    for (size_t v = 0; v < x->n_series; v++) {
        double level = problem_trivial_level(problem, block_series(&observed, v));
        for (size_t i = 0; i < start.n_time; i++)
            block_series(&start, v)[i] = level;
    }
    return train(network->network, &samples, options, host, error);
}

taut_network *taut_train(const taut_network *network, const taut_train_options *options,
                         const taut_host *host, const taut_array *x, const double *lambda,
                         taut_error *error)
{
    taut_train_options taken;
    taut_host runs_on;
    taut_train_options_init(&taken);
    int code = lib_take_struct(&taken, sizeof taken, options, "options", error);
    if (code == TAUT_OK)
        code = lib_take_host(&runs_on, host, error);
    if (code == TAUT_OK)
        code = check(network, &taken, x, lambda, error);
    if (code == TAUT_OK)
        code = lib_reserve(&runs_on,
                           24.0 * (double) x->n_series *
                                   (double) (x->n_samples + network->problem->op->n_in) +
                               lib_network_bytes(network, &runs_on, x->n_series),
                           error);
    if (code != TAUT_OK)
        return NULL;
    size_t n = taut_network_parameters(network, NULL);
    taut_network *copy = taut_network_with(network, network->network->parameters, n, error);
    if (copy != NULL && copy_and_train(copy, &taken, &runs_on, x, lambda, error) != TAUT_OK) {
        taut_network_free(copy);
        return NULL;
    }
    return copy;
}
