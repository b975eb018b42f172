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
    it.is_done = !host->force && outputs->len > 0 && record_is_current(&it.record, outputs);
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
    record->sha256 = g_new0(char *, inputs->len + 1);
    for (guint i = 0; i < inputs->len; i++) {
        const struct input_file *input = inputs->pdata[i];
        char *sha256 = hash_file(input->path, host->stop);
        record->sha256[i] = sha256 != NULL ? sha256 : g_strdup("");
        if (host_stopped(host, error) || !input_file_unchanged(input, error))
            return false;
    }
    if (g_mkdir_with_parents(record->record.folder, 0777) != 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s: cannot write: %s",
                    record->record.folder, g_strerror(errno));
        return false;
    }
    return record_write(&record->record, false, record->sha256, outputs, NULL, error);
}

bool batch_record_end(const struct batch_record *record, const GPtrArray *outputs, GError **error)
{
    return record_write(&record->record, true, record->sha256, outputs, NULL, error);
}
