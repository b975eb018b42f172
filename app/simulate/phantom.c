// SPDX-License-Identifier: BSD-3-Clause
#include "app/simulate/phantom.h"

#include "deconv/hrf.h"
#include "solvers/block.h"
#include "solvers/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum tissue { AIR, SCALP, SKULL, FLUID, GREY, WHITE, N_TISSUES };

// What random streams are for.
enum { DRAW_EVENTS, DRAW_NOISE, DRAW_DRIFT, DRAW_OUTSIDE };

// Mean signal, as a fraction of grey matter's. In air: the scale of the magnitude noise.
static const double tissue_signal[N_TISSUES] = {0.006, 0.6, 0.12, 1.3, 1.0, 0.85};

// Half axes of the brain in mm, and the field of view that the grid divides: that of the
// UK Biobank protocol, where 88 x 88 x 64 voxels are 2.4 mm wide.
static const double brain_mm[3] = {68.0, 86.0, 61.0};
static const double field_of_view_mm[3] = {211.2, 211.2, 153.6};

// From the outside to the inside, in units of the brain's half axes; the last that holds wins.
static const struct ellipsoid {
    enum tissue tissue;
    double centre[3];
    double radii[3];
} ellipsoids[] = {
    {SCALP, {0.0, 0.0, 0.0}, {1.22, 1.20, 1.22}},
    {SKULL, {0.0, 0.0, 0.0}, {1.14, 1.13, 1.14}},
    {FLUID, {0.0, 0.0, 0.0}, {1.06, 1.06, 1.06}},
    {GREY, {0.0, 0.0, 0.0}, {1.0, 1.0, 1.0}},
    {WHITE, {-0.40, 0.0, 0.0}, {0.34, 0.72, 0.68}},
    {WHITE, {0.40, 0.0, 0.0}, {0.34, 0.72, 0.68}},
    {FLUID, {-0.12, -0.05, 0.08}, {0.07, 0.30, 0.16}},
    {FLUID, {0.12, -0.05, 0.08}, {0.07, 0.30, 0.16}},
};

const struct phantom_region phantom_regions[PHANTOM_N_REGIONS] = {
    {"isolated spikes", {0.0, -0.74, 0.0}, 0.30, {0.0, 0.0}, {10.0, 30.0}, 0.0},
    {"short events", {-0.58, -0.10, 0.52}, 0.30, {2.0, 4.0}, {8.0, 20.0}, 0.0},
    {"long blocks", {0.58, -0.10, 0.52}, 0.30, {15.0, 30.0}, {15.0, 30.0}, 0.0},
    {"blocks and spikes", {0.0, 0.70, 0.10}, 0.32, {12.0, 24.0}, {12.0, 24.0}, 0.4},
    {"deep blocks", {0.0, -0.10, -0.40}, 0.24, {6.0, 12.0}, {10.0, 24.0}, 0.0},
};

struct phantom_law phantom_law_default(void)
{
    return (struct phantom_law){.dim = {20, 20, 10},
                                .n_frames = 200,
                                .tr_s = 2.0,
                                .hrf = "spm",
                                .snr_db = 3.0,
                                .ar1 = 0.3,
                                .noise_percent = 1.0,
                                .drift_percent = 1.0,
                                .baseline = 10000.0};
}

static size_t grid_size(const struct phantom *phantom)
{
    return phantom->grid.dim[0] * phantom->grid.dim[1] * phantom->grid.dim[2];
}

static void lay_grid(struct phantom *phantom)
{
    struct image_grid *grid = &phantom->grid;
    memcpy(grid->dim, phantom->law.dim, sizeof grid->dim);
    for (size_t d = 0; d < 3; d++) {
        grid->voxel_mm[d] = field_of_view_mm[d] / (double) grid->dim[d];
        grid->affine[d][d] = grid->voxel_mm[d];
        grid->affine[d][3] = -0.5 * (double) (grid->dim[d] - 1) * grid->voxel_mm[d];
        grid->qoffset[d] = grid->affine[d][3];
    }
    memcpy(grid->srow, grid->affine, sizeof grid->srow);
    grid->affine_ok = true;
    grid->qfac = 1.0;
    grid->qform_code = grid->sform_code = 1; // the scanner's coordinates
}

// The place of a voxel in units of the brain's half axes.
static void place_of(const struct image_grid *grid, size_t index, double place[3])
{
    size_t at[3] = {index % grid->dim[0], index / grid->dim[0] % grid->dim[1],
                    index / grid->dim[0] / grid->dim[1]};
    for (size_t d = 0; d < 3; d++)
        place[d] = (grid->voxel_mm[d] * (double) at[d] + grid->affine[d][3]) / brain_mm[d];
}

static double distance2(const double a[3], const double b[3], const double radii[3])
{
    double sum = 0.0;
    for (size_t d = 0; d < 3; d++)
        sum += (a[d] - b[d]) * (a[d] - b[d]) / (radii[d] * radii[d]);
    return sum;
}

static const double origin[3] = {0.0, 0.0, 0.0};
static const double unit[3] = {1.0, 1.0, 1.0};

struct ranked {
    double radius2;
    size_t index;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a;
    const struct ranked *right = b;
    if (left->radius2 != right->radius2)
        return left->radius2 < right->radius2 ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

// Marks the voxels of the mask in slot (0, else UINT32_MAX): the ellipsoid's, or as many as asked
// for, from the centre outwards. Returns the half axes' scale that this amounts to.
static double choose_mask(struct phantom *phantom)
{
    size_t n = grid_size(phantom);
    g_autofree struct ranked *order = g_new(struct ranked, n);
    for (size_t i = 0; i < n; i++) {
        double place[3];
        place_of(&phantom->grid, i, place);
        order[i] = (struct ranked){distance2(place, origin, unit), i};
    }
    qsort(order, n, sizeof *order, compare_ranked);
    size_t count = phantom->law.n_voxels;
    while (phantom->law.n_voxels == 0 && count < n && order[count].radius2 <= 1.0)
        count++;
    phantom->n_voxels = count;
    memset(phantom->slot, 0xff, n * sizeof *phantom->slot);
    for (size_t k = 0; k < count; k++)
        phantom->slot[order[k].index] = 0;
    return phantom->law.n_voxels == 0 ? 1.0 : sqrt(order[count - 1].radius2);
}

static enum tissue tissue_at(const double place[3], bool in_mask)
{
    enum tissue found = in_mask ? GREY : AIR;
    for (size_t e = 0; e < G_N_ELEMENTS(ellipsoids); e++) {
        // The brain's own surface is the mask's, to the voxel.
        bool outer = ellipsoids[e].tissue != GREY && ellipsoids[e].radii[0] > 1.0;
        if (ellipsoids[e].tissue == GREY || outer == in_mask)
            continue;
        if (distance2(place, ellipsoids[e].centre, ellipsoids[e].radii) <= 1.0)
            found = ellipsoids[e].tissue;
    }
    return found;
}

static uint8_t region_at(const double place[3])
{
    for (size_t r = 0; r < PHANTOM_N_REGIONS; r++) {
        double radius = phantom_regions[r].radius;
        if (distance2(place, phantom_regions[r].centre, unit) <= radius * radius)
            return (uint8_t) (r + 1);
    }
    return 0;
}

static void lay_tissues(struct phantom *phantom)
{
    size_t n = grid_size(phantom);
    phantom->tissue = g_new0(uint8_t, n);
    phantom->region = g_new0(uint8_t, n);
    phantom->slot = g_new(uint32_t, n);
    double scale = choose_mask(phantom);
    phantom->voxel = g_new(size_t, phantom->n_voxels + 1);
    uint32_t slot = 0;
    for (size_t i = 0; i < n; i++) {
        double place[3];
        place_of(&phantom->grid, i, place);
        for (size_t d = 0; d < 3; d++)
            place[d] /= scale;
        bool in_mask = phantom->slot[i] == 0;
        phantom->tissue[i] = (uint8_t) tissue_at(place, in_mask);
        if (!in_mask)
            continue;
        phantom->region[i] = region_at(place);
        phantom->voxel[slot] = i;
        phantom->slot[i] = slot++;
    }
}

// Events one after the other: a gap, then the activity at a height of its own for a while.
static void draw_events(const struct phantom_law *law, size_t r, double *activity)
{
    const struct phantom_region *region = &phantom_regions[r];
    struct random_stream stream = random_stream_of(law->seed, DRAW_EVENTS, r);
    double end_s = (double) law->n_frames * law->tr_s;
    double from_s = random_between(&stream, 0.2, 0.6) * region->gap_s[0];
    memset(activity, 0, law->n_frames * sizeof *activity);
    while (from_s < end_s) {
        double length_s = random_between(&stream, region->duration_s[0], region->duration_s[1]);
        double height = random_between(&stream, 0.7, 1.3);
        if (random_uniform(&stream) < region->spike_share)
            length_s = 0.0;
        size_t first = (size_t) (from_s / law->tr_s);
        size_t count = MAX(1, (size_t) lround(length_s / law->tr_s));
        for (size_t t = first; t < MIN(first + count, law->n_frames); t++)
            activity[t] = height;
        from_s += (double) count * law->tr_s +
                  random_between(&stream, region->gap_s[0], region->gap_s[1]);
    }
}

static void convolve(const struct hrf *hrf, const double *u, double *x, size_t n)
{
    for (size_t t = 0; t < n; t++) {
        x[t] = 0.0;
        for (size_t k = 0; k < MIN(hrf->n, t + 1); k++)
            x[t] += hrf->h[k] * u[t - k];
    }
}

static bool draw_activity(struct phantom *phantom, GError **error)
{
    const struct phantom_law *law = &phantom->law;
    g_autoptr(owned_hrf) hrf = hrf_new(law->hrf, law->tr_s, error);
    if (hrf == NULL)
        return false;
    for (size_t r = 0; r < PHANTOM_N_REGIONS; r++) {
        phantom->activity[r] = g_new(double, law->n_frames);
        phantom->response[r] = g_new(double, law->n_frames);
        draw_events(law, r, phantom->activity[r]);
        convolve(hrf, phantom->activity[r], phantom->response[r], law->n_frames);
    }
    return true;
}

static double norm2(const double *values, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += values[i] * values[i];
    return sum;
}

// Stationary from the first sample on: e_0 ~ N(0, s^2), e_t = ar1 e_{t-1} + N(0, (1 - ar1^2) s^2).
static void draw_noise(const struct phantom_law *law, size_t index, double *noise)
{
    struct random_stream stream = random_stream_of(law->seed, DRAW_NOISE, index);
    random_normal(&stream, noise, law->n_frames);
    double fresh = sqrt(1.0 - law->ar1 * law->ar1);
    for (size_t t = 1; t < law->n_frames; t++)
        noise[t] = law->ar1 * noise[t - 1] + fresh * noise[t];
    for (size_t t = 0; t < law->n_frames; t++)
        noise[t] *= law->noise_percent;
}

static void add_drift(const struct phantom_law *law, size_t index, double *series)
{
    enum { N_COSINES = 3 };
    double height[N_COSINES];
    struct random_stream stream = random_stream_of(law->seed, DRAW_DRIFT, index);
    random_normal(&stream, height, N_COSINES);
    for (size_t t = 0; t < law->n_frames; t++) {
        double phase = G_PI * ((double) t + 0.5) / (double) law->n_frames;
        for (size_t k = 1; k <= N_COSINES; k++)
            series[t] += law->drift_percent / (double) k * height[k - 1] * cos((double) k * phase);
    }
}

// The series of one mask voxel, and the amplitude of its activity.
static void draw_series(struct phantom *phantom, size_t slot, double *series)
{
    const struct phantom_law *law = &phantom->law;
    size_t index = phantom->voxel[slot];
    size_t n = law->n_frames;
    draw_noise(law, index, series);
    if (phantom->region[index] > 0) {
        const double *response = phantom->response[phantom->region[index] - 1];
        double power = norm2(response, n);
        double wanted = pow(10.0, law->snr_db / 10.0) * norm2(series, n);
        double amplitude = power > 0.0 ? sqrt(wanted / power) : 0.0;
        for (size_t t = 0; t < n; t++)
            series[t] += amplitude * response[t];
        phantom->amplitude[slot] = amplitude;
    }
    add_drift(law, index, series);
    double baseline = law->baseline * tissue_signal[phantom->tissue[index]];
    for (size_t t = 0; t < n; t++)
        series[t] = baseline * (1.0 + series[t] / 100.0);
}

// A tile is drawn series by series and stored frame by frame, in runs of BLOCK_SERIES samples.
static void draw_tile(void *data, size_t tile, struct workspace *ws)
{
    struct phantom *phantom = data;
    size_t n_frames = phantom->law.n_frames;
    size_t first = tile * BLOCK_SERIES;
    size_t count = MIN(phantom->n_voxels - first, (size_t) BLOCK_SERIES);
    size_t mark = workspace_mark(ws);
    double *series = WORKSPACE_ALLOC(ws, double, BLOCK_SERIES *n_frames);
    for (size_t v = 0; v < count; v++)
        draw_series(phantom, first + v, series + v * n_frames);
    for (size_t t = 0; t < n_frames; t++)
        for (size_t v = 0; v < count; v++)
            phantom->samples[t * phantom->n_voxels + first + v] = (float) series[v * n_frames + t];
    workspace_release(ws, mark);
}

static bool draw_samples(struct phantom *phantom, struct parallel *team, size_t mem_limit,
                         GError **error)
{
    size_t n_bytes = 0;
    bool fits = g_size_checked_mul(&n_bytes, phantom->law.n_frames, phantom->n_voxels) &&
                g_size_checked_mul(&n_bytes, n_bytes, sizeof(float)) && n_bytes <= mem_limit;
    if (fits)
        phantom->samples = g_try_malloc(n_bytes);
    if (phantom->samples == NULL) {
        g_set_error(
            error, IO_ERROR, IO_ERROR_MEMORY,
            "simulation: expected at most %zu bytes of memory, found %zu voxels x %zu frames",
            mem_limit, phantom->n_voxels, phantom->law.n_frames);
        return false;
    }
    phantom->amplitude = g_new0(double, phantom->n_voxels);
    size_t n_tiles = (phantom->n_voxels + BLOCK_SERIES - 1) / BLOCK_SERIES;
    if (parallel_for(team, n_tiles, draw_tile, phantom))
        return true;
    g_set_error(error, IO_ERROR, IO_ERROR_CANCELLED, "simulation: stopped");
    return false;
}

struct phantom *phantom_new(const struct phantom_law *law, struct parallel *team, size_t mem_limit,
                            GError **error)
{
    g_autoptr(owned_phantom) phantom = g_new0(struct phantom, 1);
    phantom->law = *law;
    lay_grid(phantom);
    if (law->n_voxels > grid_size(phantom)) {
        g_set_error(error, IO_ERROR, IO_ERROR_INPUT,
                    "simulation: expected at most %zu voxels, the size of the grid, found %zu",
                    grid_size(phantom), law->n_voxels);
        return NULL;
    }
    lay_tissues(phantom);
    if (!draw_activity(phantom, error) || !draw_samples(phantom, team, mem_limit, error))
        return NULL;
    return g_steal_pointer(&phantom);
}

void phantom_free(struct phantom *phantom)
{
    if (phantom == NULL)
        return;
    g_free(phantom->tissue);
    g_free(phantom->region);
    g_free(phantom->slot);
    g_free(phantom->voxel);
    for (size_t r = 0; r < PHANTOM_N_REGIONS; r++) {
        g_free(phantom->activity[r]);
        g_free(phantom->response[r]);
    }
    g_free(phantom->amplitude);
    g_free(phantom->samples);
    g_free(phantom);
}

// Air holds the magnitude of complex noise (Rayleigh), the tissues around the brain their signal
// with white noise.
double phantom_outside(const struct phantom *phantom, size_t t, size_t index)
{
    const struct phantom_law *law = &phantom->law;
    double baseline = law->baseline * tissue_signal[phantom->tissue[index]];
    struct random_stream stream = random_stream_of(law->seed, DRAW_OUTSIDE, t);
    stream.counter = 2 * index;
    if (phantom->tissue[index] == AIR)
        return baseline * sqrt(-2.0 * log(random_uniform(&stream)));
    double noise = 0.0;
    random_normal(&stream, &noise, 1);
    return baseline * (1.0 + law->noise_percent * noise / 100.0);
}
