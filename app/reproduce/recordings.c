// SPDX-License-Identifier: BSD-3-Clause
#include "app/reproduce/recordings.h"

#include "deconv/clean.h"
#include "io/recording.h"
#include "solvers/solver.h"

#include <string.h>

enum { CUBE_FIRST = 10, CUBE_EDGE = 20 };

// Arrays have no interval of their own: that of the published experiment.
#define UKB_TR_S 0.735

static bool refuse(const char *path, const char *what, GError **error)
{
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: %s", path, what);
    return false;
}

// One byte a voxel: the cube, where the grid holds it. Owned; NULL for all.
static uint8_t *cube_mask(const struct image_grid *grid)
{
    if (grid == NULL)
        return NULL;
    for (int axis = 0; axis < 3; axis++)
        if (grid->dim[axis] < CUBE_FIRST + CUBE_EDGE)
            return NULL;
    uint8_t *mask = g_new0(uint8_t, grid->dim[0] * grid->dim[1] * grid->dim[2]);
    for (size_t k = CUBE_FIRST; k < CUBE_FIRST + CUBE_EDGE; k++)
        for (size_t j = CUBE_FIRST; j < CUBE_FIRST + CUBE_EDGE; j++)
            memset(mask + CUBE_FIRST + grid->dim[0] * (j + grid->dim[1] * k), 1, CUBE_EDGE);
    return mask;
}

// Series that vary, side by side.
static struct block collect(const struct recording *recording, size_t *n_constant)
{
    size_t n_time = recording->n_time, n = 0;
    double *series = g_new(double, n_time * recording->n_series);
    for (size_t v = 0; v < recording->n_series; v++) {
        double *to = series + n * n_time;
        for (size_t t = 0; t < n_time; t++)
            recording_values(recording, t, v, 1, to + t);
        enum series_status status = series_classify(to, n_time);
        n += status == SERIES_SOLVED;
        *n_constant += status != SERIES_SOLVED;
    }
    return (struct block){n_time, n, n_time, series};
}

static bool clean(struct block *x, double tr_s, GError **error)
{
    struct clean_options options = {.detrend = DETREND_LINEAR,
                                    .low_hz = 0.01,
                                    .high_hz = 0.1,
                                    .standardize = STANDARDIZE_ZSCORE};
    g_autoptr(owned_clean) plan = clean_new(x->n_time, tr_s, &options, error);
    if (plan == NULL)
        return false;
    g_autoptr(owned_workspace) ws = workspace_new();
    clean_apply(plan, x, ws);
    return true;
}

// The first frames of `most` series evenly spaced; the others go.
static void shorten(struct block *x, size_t n_frames, size_t most)
{
    size_t count = MIN(x->n_series, most);
    for (size_t v = 0; v < count; v++)
        memmove(x->data + v * n_frames, block_series(x, v * x->n_series / count),
                n_frames * sizeof(double));
    *x = (struct block){n_frames, count, n_frames, x->data};
}

// Reading is no part of the progress that is shown.
static bool go_on(void *data, G_GNUC_UNUSED double fraction)
{
    const struct host *host = data;
    return !atomic_load(host->stop);
}

bool recordings_read(struct reproduction *r, const char *path, size_t n_frames, size_t most,
                     struct recorded *recorded, GError **error)
{
    *recorded = (struct recorded){.tr_s = UKB_TR_S};
    struct io_context io = r->host->io;
    io.go_on = go_on;
    g_autoptr(owned_recording) recording = recording_open(path, &io, error);
    if (recording == NULL)
        return false;
    g_autofree uint8_t *mask = cube_mask(recording->grid);
    recorded->cleaned = recording->grid != NULL;
    if (recording->n_time < n_frames)
        return refuse(path, "expected at least 250 frames, found fewer", error);
    if (recorded->cleaned && !(recording->interval_s > 0.0))
        return refuse(path, "expected the interval between frames, found none", error);
    if (!recording_read(recording, mask, 0, recording->n_time, &io, error))
        return false;
    recorded->tr_s = recorded->cleaned ? recording->interval_s : UKB_TR_S;
    recorded->x = collect(recording, &recorded->n_constant);
    bool ready = recorded->x.n_series > 0
                     ? !recorded->cleaned || clean(&recorded->x, recorded->tr_s, error)
                     : refuse(path, "expected series that vary, found none", error);
    if (ready)
        shorten(&recorded->x, n_frames, most);
    else
        g_clear_pointer(&recorded->x.data, g_free);
    return ready;
}
