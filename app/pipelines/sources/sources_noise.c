// SPDX-License-Identifier: BSD-3-Clause
// The noise covariance of the epochs' own baselines.
#include "app/pipelines/sources/sources.h"

#include <math.h>
#include <string.h>

bool sources_noise_is_of_baseline(const struct sources *sources)
{
    return g_strcmp0(sources->options->noise_cov, "baseline") == 0;
}

// All channels of the recording, with no noise yet.
struct covariance *sources_noise_begin(const struct sources *sources, GError **error)
{
    const struct sources_options *options = sources->options;
    bool is_cut = options->epoch.text != NULL || options->events != NULL;
    if (sources->recording == NULL || !(is_cut || sources->recording->sensors->is_epochs)) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--noise-cov baseline: expected --epoch T0:T1 of a continuous recording, or "
                    "epochs");
        return NULL;
    }
    const struct sensors *sensors = sources->recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    struct covariance *noise = g_new0(struct covariance, 1);
    *noise = (struct covariance){.path = g_strdup(sources->recording->path),
                                 .n = part->n_channels,
                                 .names = g_new0(char *, part->n_channels + 1),
                                 .matrix = g_new0(double, part->n_channels * part->n_channels),
                                 .diagonal = g_new0(double, part->n_channels),
                                 .bads = g_new0(char *, 1),
                                 .projectors = g_ptr_array_new(),
                                 .warnings = g_ptr_array_new()};
    for (size_t i = 0; i < part->n_channels; i++)
        noise->names[i] = g_strdup(sensors->channel[part->channel[i]].name);
    return noise;
}

bool sources_noise_fill(struct sources *sources, const struct epochs *epochs, const bool *is_used,
                        const size_t baseline[2], GError **error)
{
    struct covariance *noise = sources->covariance;
    const size_t *at = sources->choice->noise;
    struct epochs inside = *epochs;
    inside.space = sources->space;
    inside.projector = sources->projector;
    g_autoptr(owned_epochs_covariance) found =
        epochs_covariance_new(&inside, is_used, baseline[0], baseline[1], NAN);
    if (found == NULL) {
        io_error_set(error, IO_ERROR_INPUT, noise->path,
                     "noise covariance: expected a baseline of two samples or more, found %zu",
                     baseline[1] - baseline[0]);
        return false;
    }
    size_t n = sources->choice->n;
    for (size_t i = 0; i < n; i++) {
        noise->diagonal[at[i]] = found->matrix[i * (n + 1)];
        for (size_t j = 0; j < n; j++)
            noise->matrix[at[i] * noise->n + at[j]] = found->matrix[i * n + j];
    }
    noise->n_free = (int32_t) MIN(found->n_free, (size_t) G_MAXINT32);
    sources->noise_shrinkage = found->shrinkage;
    host_detail(sources->host, "noise covariance: %zu samples of baseline, shrunk by %.3g",
                found->n_free, found->shrinkage);
    return true;
}
