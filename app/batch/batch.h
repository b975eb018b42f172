// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"
#include "app/settings/settings.h"

#include <json-glib/json-glib.h>

/** What became of a recording of a batch. */
enum batch_state {
    BATCH_PENDING, // not come to
    BATCH_READY,   // planned, and to be done
    BATCH_DONE,
    BATCH_SKIPPED, // was done already, from the same inputs with the same settings
    BATCH_FAILED,
};

struct batch_unit {
    struct settings *settings; // owned; of this recording alone
    char *input;               // owned
    enum batch_state state;
    GError *error;     // owned; BATCH_FAILED
    JsonObject *told;  // owned; BATCH_DONE: what --json says of it
    size_t inaccurate; // series
};

/** Recordings that are done one after the other; one that fails does not stop the others. */
struct batch {
    GPtrArray *units; // owned, of owned struct batch_unit
};

/**
 * One unit for each recording that the settings name. A mask, a sidecar and a folder are one for
 * all, or one for each. Errors: APP_ERROR_INPUT (a pattern matches nothing), APP_ERROR_USAGE (wrong
 * number of them, or two units with the same outputs).
 */
struct batch *batch_new(const struct settings *settings, GError **error);
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
