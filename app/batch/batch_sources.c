// SPDX-License-Identifier: BSD-3-Clause
#include "app/batch/batch.h"
#include "app/batch/batch_record.h"
#include "app/pipelines/sources/sources.h"
#include "app/settings/tables.h"

static bool write_unit(struct sources *sources, struct batch_record *record, GError **error)
{
    g_autoptr(GPtrArray) names = sources_output_names(sources);
    return batch_record_begin(record, sources->host, names, error) &&
           sources_write(sources, error) && batch_record_end(record, sources->host, names, error);
}

static void tell(const struct sources *sources, struct batch_unit *unit)
{
    sources_warn(sources);
    batch_unit_tell(unit, sources_to_json(sources));
    host_info(sources->host, "%s: %zu of %zu positions active, relative gap %.2g, solved in %.2f s",
              sources->stem, sources->result.estimate->n_active, sources->leadfield->n_positions,
              sources->result.gap[1], sources->result.solve_s);
}

static bool run_unit(const struct host *host, struct batch_unit *unit, bool dry_run, GError **error)
{
    struct sources_options given;
    if (!options_fill(unit->options, &given, error))
        return false;
    g_auto(owned_sources)
        sources = {.host = host, .options = &given, .stem = sources_stem(given.recording)};
    g_auto(owned_batch_record) record =
        batch_record_of(host, given.folder, sources.stem, unit->options, sources_inputs(&given));
    unit->state = BATCH_SKIPPED;
    if (record.is_done)
        return true;
    if (!sources_prepare(&sources, record.may_overwrite, error))
        return false;
    unit->state = BATCH_READY;
    if (dry_run)
        return true;
    host_accept(host);
    if (!sources_solve(&sources, error) || !write_unit(&sources, &record, error))
        return false;
    unit->state = BATCH_DONE;
    tell(&sources, unit);
    return true;
}

const struct batch_job batch_sources = {&sources_options, sources_stem, run_unit};
