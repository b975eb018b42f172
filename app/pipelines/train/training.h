// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/sources/sources.h"
#include "io/array.h"
#include "unrolled/train.h"

/** The options of `taut train`, as given; owned, NULL or 0 where not given. */
struct training_options {
    char *data;
    char *validation;
    char *targets;
    char *matrix;
    char *response;
    char *tr;
    char *conv;
    char *variant;
    char *preprocessed;
    char *lambda_ratio;
    char *loss;
    char *schedule;
    char *optimiser;
    char *start;
    char *safeguard;
    char *checkpoint;
    char *config;
    char *output;
    gint layers;
    gint inner;
    gint max_iter;
    gint batch;
    gint patience;
    gint seed;
    struct sources_options leadfield; // --forward and what goes with it; forward NULL: none
    char **conditions;                // NULL: all
    gint n_samples;                   // drawn for a leadfield without --data
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

/**
 * Reads a configuration: one group [train] whose keys are long names of options, and "network".
 * Adds words of a command line, "--key=value", to words; relative names of files are taken from
 * the folder of the configuration. *network: owned, set where the file names one. Errors:
 * APP_ERROR_INPUT, APP_ERROR_USAGE.
 */
bool training_read_config(const char *path, const GOptionEntry *options, GPtrArray *words,
                          char **network, GError **error);

/** A network being trained: planned, then executed. */
struct training {
    const struct host *host; // borrowed
    char *network;           // its name, owned
    struct training_options options;
    double ratio[2]; // lambda / lambda_max, least and most
    double tr_s;     // 0: not given
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
    char *leadfield; // leadfield_identity, NULL: the operator is another
    GHashTable *metadata;
};

/** Reads the arrays, makes operator, network and samples. Errors: any. */
bool training_plan(struct training *training, GError **error);

/** Trains and publishes. Errors: APP_ERROR_STOPPED (the checkpoint stays), output errors. */
bool training_execute(struct training *training, GError **error);

/**
 * The losses of the stages as text, for the file of the network, and back: rows of a depth and the
 * losses untrained, at the start, at the end and, where there is a validation set, of that at the
 * start and the end. training_read_losses gives how many rows there are, 0 where the text is none.
 */
char *training_losses(const struct train_stage *stages, size_t n_stages);
size_t training_read_losses(const char *text, struct train_stage *stages, size_t n_most);

void training_clear(struct training *training);
typedef struct training owned_training; // for g_auto(owned_training)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_training, training_clear)
