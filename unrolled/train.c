// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/train.h"

#include "unrolled/optimise.h"
#include "unrolled/train_loss.h"
#include "unrolled/train_search.h"

#include <math.h>
#include <string.h>
#include <time.h>

struct train_options train_options_default(struct parallel *team)
{
    return (struct train_options){.schedule = TRAIN_RECURSIVE,
                                  .optimiser = TRAIN_LBFGS,
                                  .max_iter = 1000,
                                  .batch = 64,
                                  .safeguard = true,
                                  .patience = 50,
                                  .team = team};
}

struct trainer {
    struct network *network;
    const struct train_samples *samples;
    const struct train_samples *validation; // NULL: judged on the samples
    const struct train_options *options;
    struct trainer *pilot;     // of the network's step_kind, one stage ahead of it; or NULL
    size_t n_stages;           //
    size_t n_before;           // stages before the one under way
    double share[2];           // of the time of a stage: from where to where it is this trainer's
    struct train_stage *stage; // under way
    size_t n_moving;           // parameters that the stage moves: those of the first layers
    double *best;              // the parameters of the least judged loss, n_moving
    double best_loss;
    size_t n_since_best;
    size_t stage_iterations; // allowed
    size_t *order;           // of the blocks of samples, in a pass of Adam
    double began_s;
    bool stopped;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static double judge(struct trainer *trainer)
{
    const struct train_options *options = trainer->options;
    const struct train_samples *judges =
        trainer->validation == NULL ? trainer->samples : trainer->validation;
    double loss = train_loss(trainer->network, trainer->stage->depth, options->safeguard, judges,
                             options->team);
    trainer->stopped |= isnan(loss);
    return loss;
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

// The mean loss of some samples (NULL: of all) at p and, unless gradient is NULL, its derivative.
static double loss_at(struct trainer *trainer, const struct train_part *part, const double *p,
                      double *gradient)
{
    const struct train_options *options = trainer->options;
    struct network_pass pass = {.depth = trainer->stage->depth, .safeguard = options->safeguard};
    g_autofree double *all = NULL;
    if (gradient != NULL)
        all = g_new(double, trainer->network->offsets[pass.depth]);
    set_parameters(trainer, p);
    double loss =
        train_mean_loss(trainer->network, &pass, trainer->samples, part, options->team, all);
    trainer->stopped |= isnan(loss);
    if (gradient != NULL)
        memcpy(gradient, all, trainer->n_moving * sizeof(double));
    return loss;
}

static double value_and_gradient(void *data, const double *p, double *gradient)
{
    struct trainer *trainer = data;
    double loss = loss_at(trainer, NULL, p, gradient);
    if (gradient != NULL)
        trainer->stage->iterations++;
    return isnan(loss) ? INFINITY : loss;
}

static size_t count_blocks(const struct trainer *trainer)
{
    return (trainer->samples->x->n_series + BLOCK_SERIES - 1) / BLOCK_SERIES;
}

static size_t count_parts(const struct trainer *trainer)
{
    size_t batch = trainer->options->batch;
    size_t most = batch == 0 ? SIZE_MAX : (batch + BLOCK_SERIES - 1) / BLOCK_SERIES;
    return (count_blocks(trainer) - 1) / most + 1;
}

// A new order for every pass, by the seed, the stage and the pass alone.
static void shuffle(const struct trainer *trainer, size_t pass)
{
    const guint32 seeds[] = {trainer->options->seed, (guint32) trainer->n_moving, (guint32) pass};
    GRand *rand = g_rand_new_with_seed_array(seeds, G_N_ELEMENTS(seeds));
    for (size_t i = 0; i < count_blocks(trainer); i++) {
        size_t j = (size_t) g_rand_int_range(rand, 0, (gint32) i + 1);
        trainer->order[i] = trainer->order[j];
        trainer->order[j] = i;
    }
    g_rand_free(rand);
}

static double part_and_gradient(void *data, size_t pass, size_t part, const double *p,
                                double *gradient)
{
    struct trainer *trainer = data;
    size_t n_parts = count_parts(trainer), n_blocks = count_blocks(trainer);
    if (part == 0) {
        shuffle(trainer, pass);
        trainer->stage->iterations++;
    }
    size_t begin = part * n_blocks / n_parts;
    struct train_part blocks = {trainer->order + begin, (part + 1) * n_blocks / n_parts - begin};
    return loss_at(trainer, &blocks, p, gradient);
}

static void project(void *data, double *p)
{
    const struct trainer *trainer = data;
    const struct network *network = trainer->network;
    for (size_t i = 0; network->kind->project != NULL && network->offsets[i] < trainer->n_moving;
         i++)
        network->kind->project(&network->context, i, p + network->offsets[i]);
}

// Of the whole training. A stage of depth t takes about t times as long as the first.
static double fraction_done(const struct trainer *trainer)
{
    double fraction = (double) trainer->stage->iterations / (double) trainer->stage_iterations;
    double share =
        trainer->share[0] + (trainer->share[1] - trainer->share[0]) * fmin(fraction, 1.0);
    double before = (double) trainer->n_before;
    double all = (double) trainer->n_stages;
    if (trainer->options->schedule == TRAIN_RECURSIVE)
        return (before * before + (2.0 * before + 1.0) * share) / (all * all);
    return (before + share) / all;
}

static bool accepted(void *data, const double *p, double value)
{
    struct trainer *trainer = data;
    const struct train_options *options = trainer->options;
    set_parameters(trainer, p);
    consider(trainer, trainer->validation == NULL ? value : judge(trainer));
    trainer->stage->seconds = now_s() - trainer->began_s;
    trainer->stage->loss_end = value;
    trainer->stopped |= options->progress != NULL &&
                        !options->progress(options->data, trainer->stage, fraction_done(trainer));
    return !trainer->stopped && trainer->n_since_best <= options->patience;
}

// The rate of Adam, a fraction of the parameters' size; and the growth of the step of descent that
// the papers' code uses.
static const double ADAM_RATE = 0.01;
static const double GROWTH_LASSO = 4.0;
static const double GROWTH_TV = 8.0;

// From p, n_moving numbers, which it changes; trainer->best is the best seen.
static void optimise(struct trainer *trainer, double *p)
{
    struct objective objective = {.n = trainer->n_moving,
                                  .value = value_and_gradient,
                                  .part = part_and_gradient,
                                  .n_parts = count_parts(trainer),
                                  .project = project,
                                  .accepted = accepted,
                                  .data = trainer};
    bool tv = trainer->network->kind->problem == PROBLEM_TV;
    switch (trainer->options->optimiser) {
    case TRAIN_ADAM:
        optimise_adam(&objective, ADAM_RATE, p, trainer->stage_iterations);
        break;
    case TRAIN_DESCENT:
        optimise_descent(&objective, tv ? GROWTH_TV : GROWTH_LASSO, p, trainer->stage_iterations);
        break;
    case TRAIN_LBFGS:
        optimise_lbfgs(&objective, p, trainer->stage_iterations);
        break;
    }
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

// Judges the best network of step sizes alone, in this network's parameters.
static void consider_pilot(struct trainer *trainer)
{
    const struct network *steps = trainer->pilot->network;
    for (size_t i = 0; trainer->network->offsets[i] < trainer->n_moving; i++)
        network_set_step(trainer->network, i, *network_layer(steps, i));
    consider(trainer, judge(trainer));
}

// A stage begins at the best of: the untrained network; the layers trained so far and an untrained
// one, or one that changes nothing, or one whose few numbers a search has found; the best network
// of step sizes alone.
static void choose_start(struct trainer *trainer, bool grows)
{
    struct network *network = trainer->network;
    size_t depth = trainer->stage->depth;
    g_autofree double *trained = g_memdup2(network->parameters, trainer->n_moving * sizeof(double));
    fill_untrained(network, depth);
    trainer->stage->loss_untrained = judge(trainer);
    consider(trainer, trainer->stage->loss_untrained);
    if (trainer->pilot != NULL)
        consider_pilot(trainer);
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
        train_search(network, depth, trainer->options, trainer->samples);
        consider(trainer, judge(trainer));
    }
    if (trainer->options->optimiser != TRAIN_DESCENT &&
        train_insert(network, depth, trainer->options, trainer->samples))
        consider(trainer, judge(trainer));
    set_parameters(trainer, trainer->best);
}

static void begin_stage(struct trainer *trainer, struct train_stage *stage, size_t depth,
                        size_t n_layers)
{
    *stage = (struct train_stage){.depth = depth, .validation_start = NAN, .validation_end = NAN};
    trainer->stage = stage;
    trainer->n_moving = trainer->network->offsets[n_layers];
    trainer->best = g_renew(double, trainer->best, trainer->n_moving);
    memcpy(trainer->best, trainer->network->parameters, trainer->n_moving * sizeof(double));
    trainer->best_loss = INFINITY;
    trainer->n_since_best = 0;
    trainer->began_s = now_s();
}

// One layer of many numbers has several minima: beside the best start, the untrained layer leads to
// another. (Deeper stages begin at what was found here.)
static void optimise_untrained_layer(struct trainer *trainer)
{
    struct network *network = trainer->network;
    if (trainer->pilot == NULL || trainer->stage->depth > 1)
        return;
    fill_untrained(network, 1);
    g_autofree double *p = g_memdup2(network->parameters, trainer->n_moving * sizeof(double));
    optimise(trainer, p);
    trainer->n_since_best = 0;
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
    g_autofree double *p = g_memdup2(trainer->best, trainer->n_moving * sizeof(double));
    optimise_untrained_layer(trainer);
    optimise(trainer, p);
    set_parameters(trainer, trainer->best);
    stage->loss_end = loss_on_samples(trainer);
    if (trainer->validation != NULL)
        stage->validation_end = trainer->best_loss;
    stage->seconds = now_s() - trainer->began_s;
}

// The stage with this many before it.
static void next_stage(struct trainer *trainer, struct train_stage *stages, size_t done)
{
    const struct train_options *options = trainer->options;
    size_t depth = trainer->network->depth;
    bool nested = options->schedule == TRAIN_RECURSIVE;
    size_t n_layers = options->schedule == TRAIN_ONESHOT ? depth : done + 1;
    trainer->n_before = done;
    run_stage(trainer, &stages[done], nested ? done + 1 : depth, n_layers, nested);
}

// A network of step sizes alone goes ahead, through the same stages: it has few numbers, learns
// fast, and what it finds is where the richer network begins.
struct pilot {
    struct trainer trainer;
    struct train_options options;
    struct network *network; // NULL: none
    struct train_stage *stages;
};

// A quarter of the gradients are the pilot's.
static void pilot_begin(struct pilot *pilot, struct trainer *leader)
{
    const struct network *network = leader->network;
    if (network->kind->step_kind == NULL || leader->options->optimiser == TRAIN_DESCENT)
        return;
    struct network_size size = {.depth = network->depth};
    pilot->network =
        network_new_of_kind(network->kind->step_kind, network->context.problem, size, NULL);
    g_assert(pilot->network != NULL); // steps apply wherever more does
    pilot->stages = g_new0(struct train_stage, network->depth);
    pilot->options = *leader->options;
    pilot->options.optimiser = TRAIN_LBFGS; // it has few numbers
    pilot->options.finished = NULL;
    pilot->trainer = *leader;
    pilot->trainer.network = pilot->network;
    pilot->trainer.options = &pilot->options;
    pilot->trainer.stage_iterations = leader->stage_iterations / 4;
    pilot->trainer.share[1] = leader->share[0] = 0.25;
    leader->stage_iterations -= pilot->trainer.stage_iterations;
    leader->pilot = &pilot->trainer;
}

static bool pilot_lead(struct pilot *pilot, size_t done)
{
    if (pilot->network != NULL)
        next_stage(&pilot->trainer, pilot->stages, done);
    return !pilot->trainer.stopped;
}

static void pilot_end(struct pilot *pilot)
{
    network_free(pilot->network);
    g_free(pilot->stages);
    g_free(pilot->trainer.best);
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
                              .n_stages = n_stages,
                              .share = {0.0, 1.0},
                              .stage_iterations = options->max_iter / n_stages};
    g_autofree size_t *order = g_new(size_t, count_blocks(&trainer));
    struct pilot pilot = {.network = NULL};
    trainer.order = order;
    pilot_begin(&pilot, &trainer);
    size_t done = options->n_done;
    if (done == 0)
        network_clear_stages(network);
    for (size_t i = 0; i < done; i++) // a pilot is not kept with a network: it learns afresh
        pilot_lead(&pilot, i);
    while (done < n_stages && !trainer.stopped && pilot_lead(&pilot, done)) {
        next_stage(&trainer, stages, done++);
        if (options->schedule == TRAIN_RECURSIVE && done < n_stages)
            network_keep_stage(network, done);
        if (options->finished != NULL && done < n_stages && !trainer.stopped)
            options->finished(options->data, network, done);
    }
    g_free(trainer.best);
    pilot_end(&pilot);
    return done;
}
