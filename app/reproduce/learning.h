// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/reproduce/samples.h"

/** A network and how it is trained. */
struct lesson {
    const char *label;   // of its curve
    const char *network; //
    const char *variant; // or NULL
    size_t n_inner;      // 0: the default
    /** Plain gradient descent without safeguard, as the authors train; else by our defaults. */
    bool published;
    bool oneshot;    // all layers at once; else stage by stage
    size_t max_iter; // gradients, in all
    double share[2]; // of the experiment, from and to, for its progress; zeros: not told
};

/**
 * A network trained on samples; seconds (or NULL) is what it took. Errors: names, a signal.
 *
 * But for quick experiments it is kept, stage by stage, as network-LABEL.safetensors in the folder
 * of the experiment: what was interrupted goes on from there.
 */
struct network *learning_train(struct reproduction *r, const struct samples *samples,
                               const struct lesson *lesson, size_t depth, double *seconds,
                               GError **error);

/** Trains one network of the last of curve->steps layers and draws it on other samples. */
bool learning_curve(struct reproduction *r, const struct samples *train, const struct samples *test,
                    const struct lesson *lesson, struct curve *curve, GError **error);

/** The rows of an array in a file as samples of n_time numbers. Errors: IO_ERROR, or its size. */
bool learning_read(struct reproduction *r, const char *path, size_t n_time, struct block *x,
                   GError **error);
