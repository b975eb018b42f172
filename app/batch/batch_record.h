// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"
#include "app/pipelines/outputs/record.h"
#include "app/settings/options.h"

/** The done-record of a unit whose outputs are written elsewhere. */
struct batch_record {
    struct record record; // its texts and inputs are owned here
    char **sha256;        // owned; one an input, once it was read
    bool is_done;         // what stands there was made from these inputs with these settings
    bool may_overwrite;   // outputs that stand there are ours, or --force is given
};

/** inputs: struct input_file, taken. */
struct batch_record batch_record_of(const struct host *host, const char *folder, const char *stem,
                                    const struct options *options, GPtrArray *inputs);
void batch_record_clear(struct batch_record *record);
typedef struct batch_record owned_batch_record;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_batch_record, batch_record_clear)

/** Before the outputs take their names; their folder is made. Errors: IO_ERROR_OUTPUT, any. */
bool batch_record_begin(struct batch_record *record, const struct host *host,
                        const GPtrArray *outputs, GError **error);

/** After that. */
bool batch_record_end(const struct batch_record *record, const struct host *host,
                      const GPtrArray *outputs, GError **error);
