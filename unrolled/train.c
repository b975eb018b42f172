// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/train.h"

#include "unrolled/optimise.h"
#include "unrolled/train_search.h"

#include <math.h>
#include <string.h>
#include <time.h>

// Samples are cut into chunks by their number alone; every chunk sums its own gradient and the
// chunks are added in order, so that sums do not depend on the threads.
enum { MAX_CHUNKS = 16 };

struct chunks {
    const struct network *network;
    const struct train_samples *samples;
    struct network_pass pass;
    size_t n_chunks;
    size_t n_gradient; // numbers a chunk
    double *gradients; // n_chunks x n_gradient, or NULL
    double losses[MAX_CHUNKS];
};

static void sum_block(struct chunks *chunks, size_t chunk, size_t first, size_t count,
                      struct workspace *ws)
{
    const struct train_samples *samples = chunks->samples;
    struct block x = block_slice(samples->x, first, count);
    struct block start = block_slice(samples->start, first, count);
    struct block targets;
    struct network_input input = {.x = &x, .lambda = samples->lambda + first, .start = &start};
    struct network_loss loss = {NULL};
    if (samples->targets != NULL) {
        targets = block_slice(samples->targets, first, count);
        loss.targets = &targets;
    }
    double *gradient =
        chunks->gradients == NULL ? NULL : chunks->gradients + chunk * chunks->n_gradient;
    chunks->losses[chunk] +=
        network_loss_gradient(chunks->network, &input, &chunks->pass, &loss, gradient, NULL, ws);
}

static void sum_chunk(void *data, size_t chunk, struct workspace *ws)
{
    struct chunks *chunks = data;
    size_t n_series = chunks->samples->x->n_series;
    size_t n_blocks = (n_series + BLOCK_SERIES - 1) / BLOCK_SERIES;
    size_t end = (chunk + 1) * n_blocks / chunks->n_chunks;
    for (size_t block = chunk * n_blocks / chunks->n_chunks; block < end; block++) {
        size_t first = block * BLOCK_SERIES;
        sum_block(chunks, chunk, first, MIN((size_t) BLOCK_SERIES, n_series - first), ws);
    }
}

// The mean loss and, unless gradient is NULL, its gradient in the first pass.depth layers.
static double mean_loss(struct chunks *chunks, struct parallel *team, double *gradient)
{
    size_t n_series = chunks->samples->x->n_series;
    size_t n_blocks = (n_series + BLOCK_SERIES - 1) / BLOCK_SERIES;
    chunks->n_chunks = MIN(n_blocks, (size_t) MAX_CHUNKS);
    chunks->n_gradient = chunks->network->offsets[chunks->pass.depth];
    memset(chunks->losses, 0, sizeof chunks->losses);
    if (chunks->gradients != NULL)
        memset(chunks->gradients, 0, chunks->n_chunks * chunks->n_gradient * sizeof(double));
    // A sum that a signal cut short is no loss: NaN is never kept.
    if (!parallel_for(team, chunks->n_chunks, sum_chunk, chunks))
        return NAN;

    double sum = 0.0;
    for (size_t c = 0; c < chunks->n_chunks; c++)
        sum += chunks->losses[c];
    for (size_t i = 0; gradient != NULL && i < chunks->n_gradient; i++) {
        gradient[i] = 0.0;
        for (size_t c = 0; c < chunks->n_chunks; c++)
            gradient[i] += chunks->gradients[c * chunks->n_gradient + i];
        gradient[i] /= (double) n_series;
    }
    return sum / (double) n_series;
}

double train_loss(const struct network *network, size_t depth, bool safeguard,
                  const struct train_samples *samples, struct parallel *team)
{
    struct chunks chunks = {
        .network = network, .samples = samples, .pass = {.depth = depth, .safeguard = safeguard}};
    return mean_loss(&chunks, team, NULL);
}

struct train_options train_options_default(struct parallel *team)
{
    return (struct train_options){.schedule = TRAIN_RECURSIVE,
                                  .optimiser = TRAIN_LBFGS,
                                  .max_iter = 1000,
                                  .safeguard = true,
                                  .patience = 50,
                                  .team = team};
}

struct trainer {
    struct network *network;
    const struct train_samples *samples;
    const struct train_samples *validation; // NULL: judged on the samples
    const struct train_options *options;
    struct train_stage *stage; // under way
    size_t n_moving;           // parameters that the stage moves: those of the first layers
    double *best;              // the parameters of the least judged loss, n_moving
    double best_loss;
    size_t n_since_best;
    size_t stage_iterations; // allowed
    double began_s;
    bool stopped;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static double judge(const struct trainer *trainer)
{
    const struct train_options *options = trainer->options;
    const struct train_samples *judges =
        trainer->validation == NULL ? trainer->samples : trainer->validation;
    return train_loss(trainer->network, trainer->stage->depth, options->safeguard, judges,
                      options->team);
}

static void set_parameters(const struct trainer *trainer, const double *p)
{
    memmove(trainer->network->parameters, p, trainer->n_moving * sizeof(double));
}

// Keeps the parameters in the network if they are judged the best so far.
static void consider(struct trainer *trainer, double loss)
{
    trainer->n_since_best++;
    if (!(loss < trainer->best_loss))
        return;
    trainer->best_loss = loss;
    trainer->n_since_best = 0;
    memcpy(trainer->best, trainer->network->parameters, trainer->n_moving * sizeof(double));
}

static double value_and_gradient(void *data, const double *p, double *gradient)
{
    struct trainer *trainer = data;
    const struct train_options *options = trainer->options;
    set_parameters(trainer, p);
    trainer->stage->iterations++;
    struct chunks chunks = {
        .network = trainer->network,
        .samples = trainer->samples,
        .pass = {.depth = trainer->stage->depth, .safeguard = options->safeguard}};
    size_t n_gradient = trainer->network->offsets[trainer->stage->depth];
    g_autofree double *sums = g_new(double, MAX_CHUNKS *n_gradient);
    g_autofree double *all = g_new(double, n_gradient);
    chunks.gradients = sums;
    double loss = mean_loss(&chunks, options->team, all);
    trainer->stopped |= isnan(loss);
    memcpy(gradient, all, trainer->n_moving * sizeof(double));
    return isnan(loss) ? INFINITY : loss;
}

static void project(void *data, double *p)
{
    const struct trainer *trainer = data;
    const struct network *network = trainer->network;
    for (size_t i = 0; network->kind->project != NULL && network->offsets[i] < trainer->n_moving;
         i++)
        network->kind->project(&network->context, i, p + network->offsets[i]);
}

static bool accepted(void *data, const double *p, double value)
{
    struct trainer *trainer = data;
    const struct train_options *options = trainer->options;
    set_parameters(trainer, p);
    consider(trainer, trainer->validation == NULL ? value : judge(trainer));
    double fraction = (double) trainer->stage->iterations / (double) trainer->stage_iterations;
    trainer->stage->seconds = now_s() - trainer->began_s;
    trainer->stage->loss_end = value;
    trainer->stopped = options->progress != NULL &&
                       !options->progress(options->data, trainer->stage, fmin(fraction, 1.0));
    return !trainer->stopped && trainer->n_since_best <= options->patience;
}

static void optimise(struct trainer *trainer)
{
    struct objective objective = {.n = trainer->n_moving,
                                  .value = value_and_gradient,
                                  .project = project,
                                  .accepted = accepted,
                                  .data = trainer};
    g_autofree double *p = g_memdup2(trainer->best, trainer->n_moving * sizeof(double));
    // The growth of the step that the papers' code uses: 4 for the Lasso, 8 for TV.
    double growth = trainer->network->kind->problem == PROBLEM_TV ? 8.0 : 4.0;
    if (trainer->options->optimiser == TRAIN_DESCENT)
        optimise_descent(&objective, growth, p, trainer->stage_iterations);
    else
        optimise_lbfgs(&objective, p, trainer->stage_iterations);
}

// Judges layer t - 1 as it stands in the network after the trained layers before it.
static void consider_last_layer(struct trainer *trainer,
                                void (*fill)(const struct layer_context *, size_t, double *))
{
    struct network *network = trainer->network;
    size_t last = trainer->stage->depth - 1;
    fill(&network->context, last, network_layer(network, last));
    consider(trainer, judge(trainer));
}

static void fill_untrained(struct network *network, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        network->kind->init(&network->context, i, network_layer(network, i));
}

// A stage begins at the best of: the untrained network; the layers trained so far and an untrained
// one, or one that changes nothing, or one whose few numbers a search has found.
static void choose_start(struct trainer *trainer, bool grows)
{
    struct network *network = trainer->network;
    size_t depth = trainer->stage->depth;
    g_autofree double *trained = g_memdup2(network->parameters, trainer->n_moving * sizeof(double));
    fill_untrained(network, depth);
    trainer->stage->loss_untrained = judge(trainer);
    consider(trainer, trainer->stage->loss_untrained);
    set_parameters(trainer, trained);
    if (!grows) {
        consider(trainer, judge(trainer));
        set_parameters(trainer, trainer->best);
        return;
    }
    if (network->kind->identity != NULL)
        consider_last_layer(trainer, network->kind->identity);
    consider_last_layer(trainer, network->kind->init);
    if (train_search_applies(network, depth)) {
        train_search(network, depth, trainer->options->safeguard, trainer->samples,
                     trainer->options->team);
        consider(trainer, judge(trainer));
    }
    set_parameters(trainer, trainer->best);
}

static void begin_stage(struct trainer *trainer, struct train_stage *stage, size_t depth,
                        size_t n_layers)
{
    *stage = (struct train_stage){.depth = depth, .validation_start = NAN, .validation_end = NAN};
    trainer->stage = stage;
    trainer->n_moving = trainer->network->offsets[n_layers];
    trainer->best = g_renew(double, trainer->best, trainer->n_moving);
    trainer->best_loss = INFINITY;
    trainer->n_since_best = 0;
    trainer->began_s = now_s();
}

static double loss_on_samples(const struct trainer *trainer)
{
    return train_loss(trainer->network, trainer->stage->depth, trainer->options->safeguard,
                      trainer->samples, trainer->options->team);
}

static void run_stage(struct trainer *trainer, struct train_stage *stage, size_t depth,
                      size_t n_layers, bool grows)
{
    begin_stage(trainer, stage, depth, n_layers);
    choose_start(trainer, grows);
    stage->loss_start = loss_on_samples(trainer);
    if (trainer->validation != NULL)
        stage->validation_start = trainer->best_loss;
    optimise(trainer);
    set_parameters(trainer, trainer->best);
    stage->loss_end = loss_on_samples(trainer);
    if (trainer->validation != NULL)
        stage->validation_end = trainer->best_loss;
    stage->seconds = now_s() - trainer->began_s;
}

size_t train_network(struct network *network, const struct train_samples *samples,
                     const struct train_samples *validation, const struct train_options *options,
                     struct train_stage *stages)
{
    size_t n_stages = options->schedule == TRAIN_ONESHOT ? 1 : network->depth;
    struct trainer trainer = {.network = network,
                              .samples = samples,
                              .validation = validation,
                              .options = options,
                              .stage_iterations = options->max_iter / n_stages};
    size_t done = options->n_done;
    if (done == 0)
        network_clear_stages(network);
    for (; done < n_stages && !trainer.stopped; done++) {
        bool nested = options->schedule == TRAIN_RECURSIVE;
        size_t n_layers = n_stages == 1 ? network->depth : done + 1;
        run_stage(&trainer, &stages[done], nested ? done + 1 : network->depth, n_layers, nested);
        if (nested && done + 1 < n_stages)
            network_keep_stage(network, done + 1);
        if (options->finished != NULL && done + 1 < n_stages && !trainer.stopped)
            options->finished(options->data, network, done + 1);
    }
    g_free(trainer.best);
    return done;
}
