// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/network.h"

#include "solvers/parallel.h"

/** Samples to learn from, or to judge by. All borrowed, one column a sample. */
struct train_samples {
    const struct block *x;       // n_out numbers
    const double *lambda;        // absolute
    const struct block *start;   // n_in numbers: where the network begins
    const struct block *targets; // n_in numbers: what u shall be; NULL: the objective is the loss
};

enum train_schedule {
    TRAIN_RECURSIVE, // stages of depth 1, 2, ..: each moves all its layers
    TRAIN_ONESHOT,   // one stage of full depth
    TRAIN_GREEDY,    // stages 1, 2, ..: each moves layers up to its own, for the full depth's loss
};

enum train_optimiser {
    TRAIN_ADAM,    // Adam with restarts (Kingma & Ba, 2015), on batches of samples
    TRAIN_LBFGS,   // limited-memory BFGS (Nocedal, 1980), from the best of many starts
    TRAIN_DESCENT, // gradient descent: the step grows 8-fold when the loss falls, else halves
};

/** What a stage did; losses are means over the samples. */
struct train_stage {
    size_t depth;
    double loss_untrained;   // of the untrained network of this depth
    double loss_start;       // where the stage began: never above loss_untrained
    double loss_end;         //
    double validation_start; // NaN without validation samples
    double validation_end;   //
    size_t iterations;       // evaluations of the gradient
    double seconds;
};

struct train_options {
    enum train_schedule schedule;
    enum train_optimiser optimiser;
    size_t max_iter; // gradients of all samples, split evenly over the stages; searches come on top
    size_t batch;    // TRAIN_ADAM: samples a step, rounded up to blocks; 0: all
    guint32 seed;    // of their order
    bool safeguard;  // train the network as it is applied: with its descent safeguard
    size_t patience; // stop a stage after so many steps without a better validated loss
    struct parallel *team; // borrowed
    /**
     * Told after every step, with the fraction of the whole training that is done; false: stop, the
     * best parameters so far are kept. May be NULL.
     */
    bool (*progress)(void *data, const struct train_stage *stage, double fraction);
    /** Told that the network holds a finished stage, the last but one of them; may be NULL. */
    void (*finished)(void *data, const struct network *network, size_t n_stages);
    void *data;
    /** Stages that the network has already: a training that was interrupted goes on. */
    size_t n_done;
};

struct train_options train_options_default(struct parallel *team);

/**
 * Trains the layers of a network on samples, in place.
 *
 * The parameters left are those of the least loss seen on `validation` (NULL: on the training
 * samples): never worse than the untrained network, nor than the network of the stage before. A
 * step whose loss was not evaluated is never kept. The result does not depend on the number of
 * threads. stages: network->depth records (TRAIN_ONESHOT: the first is filled); network->stages
 * receives the parameters of every stage. Returns the number of stages that were finished, those
 * of before included; their records are left as they are.
 */
size_t train_network(struct network *network, const struct train_samples *samples,
                     const struct train_samples *validation, const struct train_options *options,
                     struct train_stage *stages);

/** The mean loss of the first `depth` layers. */
double train_loss(const struct network *network, size_t depth, bool safeguard,
                  const struct train_samples *samples, struct parallel *team);
