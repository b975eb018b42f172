// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/inputs/operator.h"
#include "app/pipelines/sources/sources.h"
#include "io/array.h"
#include "unrolled/training_record.h"

#include <json-glib/json-glib.h>

enum training_loss { LOSS_UNSUPERVISED, LOSS_SEMI_SUPERVISED, LOSS_SUPERVISED };

/** The options of `taut train`; texts are borrowed, NULL where not given. */
struct training_options {
    const char *network;
    const char *output;
    const char *config; // a file that others may come from
    const char *data;
    const char *validation;
    const char *targets;
    struct operator_options op;
    struct sources_options leadfield; // --forward and what goes with it; forward NULL: none
    char **conditions;                // NULL: all
    size_t n_samples;                 // drawn for a leadfield without --data
    const char *preprocessed;
    struct number_range lambda_ratio; // least and most
    size_t layers;
    const char *variant;
    size_t inner;
    struct word loss;      // enum training_loss
    struct word schedule;  // enum train_schedule
    struct word optimiser; // lbfgs, adam, descent
    size_t batch;
    size_t patience;
    size_t max_iter;
    struct word start;     // const, pinv, zero
    struct word safeguard; // on, off
    const char *checkpoint;
    size_t seed;
};

/** Samples with all that a loss needs of them; owned. */
struct training_samples {
    struct array *x;
    struct array *targets; // NULL: the objective is the loss
    double *lambda;
    double *start;
    struct block blocks[3]; // x, start, targets
    struct train_samples samples;
};

/** A network being trained: planned, then executed. */
struct training {
    const struct host *host; // borrowed
    struct training_options options;
    bool overwrite; // an output that is there is no error
    linop *op;
    struct problem *problem;
    struct network *net;
    struct training_samples train;
    struct training_samples validation; // x NULL: none
    struct train_options how;
    struct train_stage *stages;
    size_t n_stages;
    size_t n_resumed; // stages that a checkpoint had
    double seconds;
    char *leadfield;               // leadfield_identity, NULL: the operator is another
    struct training_record record; // of what it is to be, and of the stages so far
};

/** Whether options go together and outputs can be written. Errors: APP_ERROR, IO_ERROR_EXISTS. */
bool training_check(const struct training *training, GError **error);

/** The files that the network depends on: struct input_file, owned. */
GPtrArray *training_inputs(const struct training_options *options);

/** Reads the arrays, makes operator, network and samples. Errors: any. */
bool training_plan(struct training *training, GError **error);

/** Trains and publishes. Errors: APP_ERROR_STOPPED (the checkpoint stays), output errors. */
bool training_execute(struct training *training, GError **error);

/** What `--json` says of it, but for the command's name. */
JsonObject *training_to_json(const struct training *training);

void training_clear(struct training *training);
typedef struct training owned_training; // for g_auto(owned_training)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_training, training_clear)
