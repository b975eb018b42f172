// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/train.h"

/** Whether a record says that layers were trained with their descent safeguard. */
enum trained_safeguard { TRAINED_SAFEGUARD_UNSTATED, TRAINED_SAFEGUARD_OFF, TRAINED_SAFEGUARD_ON };

/**
 * What a network was trained for and how: the part of its file's metadata that whoever trains it
 * knows. This struct, its reader and its writer are all that knows how it is spelt. Texts are
 * owned and NULL where nothing is stated; fill with training_record_none and override.
 */
struct training_record {
    double interval_s;   // between two samples; NaN: not stated
    char *hrf;           // the response as it was asked for
    char *leadfield;     // leadfield_identity of the operator
    char *preprocessing; // what was done to the series before
    char *lambda_text;   // lambda as a fraction of lambda_max as it was given, R or LEAST:MOST
    double lambda_least; // the same as numbers, 0 < least <= most < 1; both NaN where the text is
    double lambda_most;  // none of these
    enum trained_safeguard safeguard;
    int start;                  // enum solver_start; -1: not stated
    char *version;              // of the program
    char *training;             // data and options in words
    char *sha256;               // of all that has to be the same for a training to be gone on with
    struct train_stage *stages; // owned; depth and losses of those that are finished
    size_t n_stages;            //
    size_t n_done;              // stages of an experiment, which keeps no losses; 0: not stated
    double seconds;             // that they took; NaN: not stated
};

/** A record that states nothing. */
struct training_record training_record_none(void);
void training_record_clear(struct training_record *record);

/** Takes a fraction of lambda_max as text, and as numbers where it is R or LEAST:MOST. */
void training_record_set_lambda(struct training_record *record, const char *text);

/** Takes copies of stages in the place of those that are there. */
void training_record_set_stages(struct training_record *record, const struct train_stage *stages,
                                size_t n_stages);

/** Whether it was trained for one fraction of lambda_max alone: lambda_least. */
bool training_record_has_one_lambda(const struct training_record *record);

/** Whether its file asks for the safeguard: all do but those that were trained without. */
bool training_record_is_safeguarded(const struct training_record *record);

/** Where the network begins; START_CONST where nothing is stated. */
enum solver_start training_record_start(const struct training_record *record);

/** Adds what is stated to metadata (char * -> char *, owned by the table). */
void training_record_write(const struct training_record *record, GHashTable *metadata);

/**
 * The record of a file's metadata (char * -> char *), which anybody may have written: what cannot
 * be understood counts as not stated, losses of more than `depth` stages among it.
 */
struct training_record training_record_read(GHashTable *metadata, size_t depth);
