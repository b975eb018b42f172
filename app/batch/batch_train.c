// SPDX-License-Identifier: BSD-3-Clause
#include "app/batch/batch.h"
#include "app/batch/batch_record.h"
#include "app/pipelines/train/training.h"
#include "app/settings/tables.h"

static bool run_unit(const struct host *host, struct batch_unit *unit, bool dry_run, GError **error)
{
    g_auto(owned_training) training = {.host = host};
    struct training_options *given = &training.options;
    if (!options_fill(unit->options, given, error))
        return false;
    g_autofree char *folder = g_path_get_dirname(given->output);
    g_autofree char *name = g_path_get_basename(given->output);
    g_auto(owned_batch_record) record =
        batch_record_of(host, folder, name, unit->options, training_inputs(given));
    unit->state = BATCH_SKIPPED;
    if (record.is_done)
        return true;
    training.overwrite = record.may_overwrite;
    if (!training_check(&training, error) || !training_plan(&training, error))
        return false;
    unit->state = BATCH_READY;
    if (dry_run)
        return true;
    host_accept(host);
    g_autoptr(GPtrArray) outputs = g_ptr_array_new();
    g_ptr_array_add(outputs, name);
    if (!batch_record_begin(&record, host, outputs, error) || !training_execute(&training, error) ||
        !batch_record_end(&record, host, outputs, error))
        return false;
    unit->state = BATCH_DONE;
    batch_unit_tell(unit, training_to_json(&training));
    host_info(host, "%s: %zu layers trained, %.1f s", given->output, training.net->depth,
              training.seconds);
    return true;
}

const struct batch_job batch_train = {&training_options, NULL, run_unit};
