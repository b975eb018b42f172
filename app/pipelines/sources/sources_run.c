// SPDX-License-Identifier: BSD-3-Clause
// The stages of a job, one after the other.
#include "app/pipelines/outputs/input_file.h"
#include "app/pipelines/sources/sources.h"
#include "io/staging.h"

#include <math.h>
#include <string.h>

char *sources_stem(const char *recording)
{
    char *name = g_path_get_basename(recording);
    if (g_str_has_suffix(name, ".gz"))
        name[strlen(name) - 3] = '\0';
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name)
        *dot = '\0';
    return name;
}

GPtrArray *sources_inputs(const struct sources_options *options)
{
    bool baseline = g_strcmp0(options->noise_cov, "baseline") == 0;
    const struct {
        const char *role;
        const char *path;
    } named[] = {{"recording", options->recording},
                 {"forward", options->forward},
                 {"noise_cov", baseline ? NULL : options->noise_cov},
                 {"events", options->events},
                 {"network", options->network}};
    GPtrArray *inputs = input_files_new();
    for (size_t i = 0; i < G_N_ELEMENTS(named); i++)
        if (named[i].path != NULL)
            input_files_add(inputs, named[i].role, named[i].path);
    return inputs;
}

static bool check_outputs(const struct sources *sources, GError **error)
{
    if (!staging_possible(sources->options->folder, error))
        return false;
    g_autoptr(GPtrArray) names = sources_output_names(sources);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(sources->options->folder, names->pdata[i], NULL);
        if (sources->overwrites || !g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        g_set_error(error, IO_ERROR, IO_ERROR_EXISTS, "%s: exists already (--force overwrites)",
                    path);
        return false;
    }
    return true;
}

static double seconds_since(gint64 begin_us)
{
    return 1e-6 * (double) (g_get_monotonic_time() - begin_us);
}

bool sources_prepare(struct sources *sources, bool overwrite, GError **error)
{
    sources->begin_us = g_get_monotonic_time();
    sources->overwrites = overwrite;
    if (!sources_plan(sources, error) || !sources_read(sources, error) ||
        !check_outputs(sources, error) || !sources_read_window(sources, error))
        return false;
    sources->read_s = seconds_since(sources->begin_us);
    gint64 begin_us = g_get_monotonic_time();
    if (!sources_form(sources, error))
        return false;
    sources->prepare_s = seconds_since(begin_us);
    return true;
}

// Without --certify a network is a fixed budget: its gap is told, and expected.
void sources_warn(const struct sources *sources)
{
    bool exact = sources->network_file == NULL || !isnan(sources->options->certify);
    if (exact && !sources->result.converged)
        host_warning(sources->host, "%s: expected %s, found relative gap %.2g after %zu passes",
                     sources->stem, sources->result.has_gap ? "the tolerance" : "a stable support",
                     sources->result.gap[1], sources->result.n_passes);
}
