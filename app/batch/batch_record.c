// SPDX-License-Identifier: BSD-3-Clause
#include "app/batch/batch_record.h"

#include "app/host/hash.h"

#include <errno.h>
#include <glib/gstdio.h>

struct batch_record batch_record_of(const struct host *host, const char *folder, const char *stem,
                                    const struct options *options, GPtrArray *inputs)
{
    struct batch_record it = {.record = {.folder = g_strdup(folder),
                                         .stem = g_strdup(stem),
                                         .settings_sha256 = options_sha256(options),
                                         .inputs = inputs}};
    g_autoptr(GPtrArray) outputs = record_outputs(&it.record);
    it.is_done = !host->force && outputs->len > 0 && record_is_current(&it.record, outputs, host);
    it.may_overwrite = host->force || record_exists(&it.record);
    return it;
}

void batch_record_clear(struct batch_record *record)
{
    g_free((char *) record->record.folder);
    g_free((char *) record->record.stem);
    g_free((char *) record->record.settings_sha256);
    g_ptr_array_unref((GPtrArray *) record->record.inputs);
    g_strfreev(record->sha256);
}

bool batch_record_begin(struct batch_record *record, const struct host *host,
                        const GPtrArray *outputs, GError **error)
{
    const GPtrArray *inputs = record->record.inputs;
    record->sha256 = input_files_sha256(inputs, host, error);
    if (record->sha256 == NULL)
        return false;
    for (guint i = 0; i < inputs->len; i++)
        if (!input_file_unchanged(inputs->pdata[i], error))
            return false;
    if (g_mkdir_with_parents(record->record.folder, 0777) != 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s: cannot write: %s",
                    record->record.folder, g_strerror(errno));
        return false;
    }
    g_autofree char *path = record_path(&record->record);
    struct record_end end = {.sha256 = record->sha256, .outputs = outputs};
    return record_write(&record->record, path, &end, host, error);
}

bool batch_record_end(const struct batch_record *record, const struct host *host,
                      const GPtrArray *outputs, GError **error)
{
    g_autofree char *path = record_path(&record->record);
    struct record_end end = {record->sha256, record->record.folder, outputs, NULL};
    return record_write(&record->record, path, &end, host, error);
}
