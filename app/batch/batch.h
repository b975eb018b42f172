// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"
#include "app/settings/options.h"

#include <json-glib/json-glib.h>

/** What became of a recording of a batch. */
enum batch_state {
    BATCH_PENDING, // not come to
    BATCH_READY,   // planned, and to be done
    BATCH_DONE,
    BATCH_SKIPPED, // was done already, from the same inputs with the same settings
    BATCH_FAILED,
};

/** What a batch keeps of each recording: there may be many thousands. */
struct batch_unit {
    char *input;             // owned
    char *output;            // owned; as a configuration has it
    GArray *changes;         // owned; to the options of the batch, for this recording alone
    struct options *options; // owned; of this recording, while it is done; else NULL
    enum batch_state state;
    GError *error; // owned; BATCH_FAILED
    char *told;    // owned; BATCH_DONE, and is_told: what --json says of it, as text
    bool is_told;  // whether that is wanted
    bool missed;   // strict, and a series missed its tolerance
};

/** Keeps what --json says of a unit, if that is wanted; takes the object. */
void batch_unit_tell(struct batch_unit *unit, JsonObject *told);

/** A kind of work that a configuration may ask for. */
struct batch_job {
    const struct option_table *table;
    /** The name of the outputs of an input in their folder. Owned. NULL: there is one unit. */
    char *(*stem)(const char *input);
    /** Plans a unit, and does it unless that is done or only to be planned; sets its state. */
    bool (*run)(const struct host *host, struct batch_unit *unit, bool dry_run, GError **error);
};
extern const struct batch_job batch_deconv;
extern const struct batch_job batch_sources;
extern const struct batch_job batch_train;

/** Recordings that are done one after the other; one that fails does not stop the others. */
struct batch {
    const struct batch_job *job;
    const struct options *options; // borrowed; of all
    GPtrArray *units;              // owned, of owned struct batch_unit
};

/**
 * One unit for each recording that the options name, which are of the table of a job. Other files
 * and the folder are one for all, or one for each. Errors: APP_ERROR_INPUT (a pattern matches
 * nothing), APP_ERROR_USAGE (wrong number of them, or two units with the same outputs). options:
 * borrowed until the batch is freed. is_told: batch_to_json will be asked for.
 */
struct batch *batch_new(const struct options *options, bool is_told, GError **error);
void batch_free(struct batch *batch);
typedef struct batch owned_batch; // for g_autoptr(owned_batch)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_batch, batch_free)

/**
 * Does what is not done yet, or only plans it. Failures are told as they come. False with an error
 * if a signal stopped it.
 */
bool batch_run(const struct host *host, struct batch *batch, bool dry_run, GError **error);

size_t batch_count(const struct batch *batch, enum batch_state state);

/** {"total", "done", "skipped", "failed", "runs": [...]}. */
JsonObject *batch_to_json(const struct batch *batch);
