// SPDX-License-Identifier: BSD-3-Clause
// The rank of the data: of what the header tells, and of samples from the middle of the recording.
#include "app/pipelines/sources/sources.h"

#include <math.h>

enum { MOST_SAMPLES = 4096, SAMPLES_A_CHANNEL = 4 };

// Averages whole; of a recording that may be long as much as ranks need.
static void choose_samples(const struct sources *sources, size_t *first, size_t *count)
{
    const struct sensors *sensors = sources->recording->sensors;
    size_t n_time = sensors->part[sensors->chosen].n_time;
    *count = MIN(n_time, MAX((size_t) MOST_SAMPLES, SAMPLES_A_CHANNEL * sources->choice->n));
    *first = (n_time - *count) / 2;
}

// The chosen channels at times at which all are finite, row-major n x *n_samples; NULL on error.
static double *read_samples(struct sources *sources, size_t *n_samples, GError **error)
{
    struct recording *recording = sources->recording;
    const struct io_context *io = &sources->host->io;
    size_t n = sources->choice->n, first, count, n_kept = 0;
    choose_samples(sources, &first, &count);
    g_autofree uint8_t *mask = g_new0(uint8_t, recording->n_series);
    for (size_t i = 0; i < n; i++)
        mask[sources->choice->recording[i]] = 1;
    g_autofree double *frames =
        io_context_alloc(io, recording->path, n * count, sizeof *frames, error);
    if (frames == NULL || !recording_read(recording, mask, first, count, io, error))
        return NULL;
    for (size_t t = 0; t < count; t++) {
        double sum = 0.0;
        double *frame = frames + n_kept * n;
        recording_values(recording, t, 0, n, frame);
        for (size_t i = 0; i < n; i++)
            sum += frame[i] - frame[i];
        n_kept += sum == 0.0;
    }
    recording_choose(recording, recording->sensors->chosen);
    double *rows = g_new(double, n *n_kept + 1);
    for (size_t t = 0; t < n_kept; t++)
        for (size_t i = 0; i < n; i++)
            rows[i * n_kept + t] = frames[t * n + i];
    *n_samples = n_kept;
    return rows;
}

bool sources_find_space(struct sources *sources, GError **error)
{
    if (sources->recording == NULL)
        return true;
    size_t n_samples = 0;
    g_autofree double *rows = read_samples(sources, &n_samples, error);
    if (rows == NULL)
        return false;
    struct data_space_input input = {.n = sources->choice->n,
                                     .kind = sources->choice->kind,
                                     .projector = sources->projector,
                                     .rows = rows,
                                     .n_samples = n_samples,
                                     .sss_rank = sources->recording->sensors->sss_rank};
    sources->space = data_space_new(&input);
    for (size_t g = 0; g < SENSOR_GROUPS; g++) {
        size_t n = 0;
        for (size_t i = 0; i < input.n; i++)
            n += sensor_group_of(input.kind[i]) == (enum sensor_group) g;
        if (n == 0 || sources->space->rank[g] > 0)
            continue;
        io_error_set(error, IO_ERROR_INPUT, sources->recording->path,
                     "rank: expected %s data that projections leave something of, found none",
                     sensor_group_name((enum sensor_group) g));
        return false;
    }
    return true;
}

void sources_tell_rank(const struct sources *sources)
{
    const struct whitener *whitener = sources->whitener;
    const struct data_space *space = sources->space;
    for (size_t g = 0; g < SENSOR_GROUPS && space != NULL; g++) {
        enum sensor_group group = (enum sensor_group) g;
        if (whitener->n_of_group[g] == 0 || !data_space_is_reduced(space, group))
            continue;
        host_info(sources->host, "%s: rank: %zu of %zu %s channels, by %s",
                  sources->recording->path, space->rank[g], whitener->n_of_group[g],
                  sensor_group_name(group), rank_origin_name(space->origin[g]));
        if (whitener->rank_of_noise[g] > space->rank[g])
            host_warning(
                sources->host, "%s: rank: that of %s noise is %zu, that of the data %zu (%s): %s",
                sources->covariance->path, sensor_group_name(group), whitener->rank_of_noise[g],
                space->rank[g], rank_origin_name(space->origin[g]),
                whitener->rank_of_group[g] == space->rank[g]
                    ? "noise is taken within the data's space"
                    : "too few samples tell the data's space, which is not used");
    }
}
