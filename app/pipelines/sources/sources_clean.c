// SPDX-License-Identifier: BSD-3-Clause
// What a continuous recording goes through before it is averaged.
#include "app/pipelines/sources/sources.h"

struct filter_job {
    const struct band_pass *band;
    double *rows;
    size_t n_time;
    size_t stride;
};

static void filter_row(void *data, size_t i, struct workspace *ws)
{
    const struct filter_job *job = data;
    band_pass_apply(job->band, job->rows + i * job->stride, job->n_time, ws);
}

void sources_filter(const struct sources *sources, double *rows, size_t n, size_t n_time,
                    size_t stride)
{
    struct filter_job job = {.band = sources->band, .n_time = n_time, .stride = stride};
    job.rows = rows;
    parallel_for(sources->host->team, n, filter_row, &job);
}
