// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/automask.h"

#include "solvers/sort.h"

#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double LOWER_QUANTILE = 0.2;
static const double UPPER_QUANTILE = 0.85;
static const double LEAST_BACKGROUND = 0.5; // of the brightness of a brain, where there is none
enum { OPENING = 2 };

struct volume {
    size_t dim[3];
    size_t stride[3];
    size_t n;
};

static struct volume volume_of(const size_t dim[3])
{
    return (struct volume){.dim = {dim[0], dim[1], dim[2]},
                           .stride = {1, dim[0], dim[0] * dim[1]},
                           .n = dim[0] * dim[1] * dim[2]};
}

// The neighbour of voxel i along an axis, -1 or +1; false outside of the grid.
static bool neighbour(const struct volume *volume, size_t i, int axis, int step, size_t *found)
{
    size_t at = i / volume->stride[axis] % volume->dim[axis];
    if (step < 0 ? at == 0 : at + 1 == volume->dim[axis])
        return false;
    *found = step < 0 ? i - volume->stride[axis] : i + volume->stride[axis];
    return true;
}

static double mean_of_neighbours(const struct volume *volume, const double *mean, size_t i)
{
    double sum = 0.0;
    size_t count = 0, other;
    for (int axis = 0; axis < 3; axis++)
        for (int step = -1; step <= 1; step += 2)
            if (neighbour(volume, i, axis, step, &other) && isfinite(mean[other])) {
                sum += mean[other];
                count++;
            }
    return count == 0 ? 0.0 : sum / (double) count;
}

static double find_threshold(const double *values, size_t n)
{
    g_autofree double *sorted = g_memdup2(values, n * sizeof *values);
    sort_doubles(sorted, n);
    size_t low = (size_t) (LOWER_QUANTILE * (double) n);
    size_t high = MIN((size_t) (UPPER_QUANTILE * (double) n), n - 1);
    size_t best = low;
    double largest = -1.0;
    for (size_t i = low; i < high; i++)
        if (sorted[i + 1] - sorted[i] > largest) {
            largest = sorted[i + 1] - sorted[i];
            best = i;
        }
    return best + 1 < n ? 0.5 * (sorted[best] + sorted[best + 1]) : sorted[best];
}

// Nothing is worn off at the edge of the grid: a head that is cut there goes on beyond it.
static bool survives(const struct volume *volume, const uint8_t *mask, size_t i)
{
    size_t other;
    for (int axis = 0; axis < 3; axis++)
        for (int step = -1; step <= 1; step += 2)
            if (neighbour(volume, i, axis, step, &other) && mask[other] == 0)
                return false;
    return true;
}

static bool is_reached(const struct volume *volume, const uint8_t *mask, size_t i)
{
    size_t other;
    for (int axis = 0; axis < 3; axis++)
        for (int step = -1; step <= 1; step += 2)
            if (neighbour(volume, i, axis, step, &other) && mask[other] != 0)
                return true;
    return false;
}

static void erode(const struct volume *volume, uint8_t *mask, int times)
{
    g_autofree uint8_t *before = g_malloc(volume->n);
    for (; times > 0; times--) {
        memcpy(before, mask, volume->n);
        for (size_t i = 0; i < volume->n; i++)
            mask[i] = before[i] != 0 && survives(volume, before, i);
    }
}

static void dilate(const struct volume *volume, uint8_t *mask, int times)
{
    g_autofree uint8_t *before = g_malloc(volume->n);
    for (; times > 0; times--) {
        memcpy(before, mask, volume->n);
        for (size_t i = 0; i < volume->n; i++)
            mask[i] = before[i] != 0 || is_reached(volume, before, i);
    }
}

// Labels what is connected to voxel `seed` by faces; returns how many voxels that is.
static size_t flood(const struct volume *volume, const uint8_t *mask, size_t seed, uint32_t label,
                    uint32_t *labels, size_t *queue)
{
    size_t n = 0, next = 0, other;
    labels[seed] = label;
    queue[n++] = seed;
    while (next < n) {
        size_t i = queue[next++];
        for (int axis = 0; axis < 3; axis++)
            for (int step = -1; step <= 1; step += 2) {
                bool joins = neighbour(volume, i, axis, step, &other) && mask[other] != 0 &&
                             labels[other] == 0;
                if (!joins)
                    continue;
                labels[other] = label;
                queue[n++] = other;
            }
    }
    return n;
}

static void keep_largest_part(const struct volume *volume, uint8_t *mask)
{
    g_autofree uint32_t *labels = g_new0(uint32_t, volume->n);
    g_autofree size_t *queue = g_new(size_t, volume->n);
    uint32_t n_labels = 0, best = 0;
    size_t largest = 0;
    for (size_t i = 0; i < volume->n; i++) {
        if (mask[i] == 0 || labels[i] != 0)
            continue;
        size_t size = flood(volume, mask, i, ++n_labels, labels, queue);
        if (size > largest) {
            largest = size;
            best = n_labels;
        }
    }
    for (size_t i = 0; i < volume->n; i++)
        mask[i] = mask[i] != 0 && labels[i] == best;
}

static size_t count_inside(const uint8_t *mask, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += mask[i] != 0;
    return count;
}

static void smooth_outline(const struct volume *volume, uint8_t *mask)
{
    g_autofree uint8_t *above = g_memdup2(mask, volume->n);
    erode(volume, mask, OPENING);
    if (count_inside(mask, volume->n) == 0) {
        memcpy(mask, above, volume->n);
        keep_largest_part(volume, mask);
        return;
    }
    keep_largest_part(volume, mask);
    dilate(volume, mask, 2 * OPENING);
    erode(volume, mask, OPENING);
}

// Whether at least half of the voxels that vary have a mean that is lost in their variation.
static bool mean_says_nothing(const struct automask_input *input, size_t n)
{
    size_t n_varying = 0, n_lost = 0;
    for (size_t i = 0; i < n; i++) {
        bool known = input->varies[i] != 0 && isfinite(input->mean[i]) && isfinite(input->sd[i]);
        n_varying += known;
        n_lost += known && fabs(input->mean[i]) < input->sd[i];
    }
    return n_varying > 0 && 2 * n_lost >= n_varying;
}

// Whether what is below the threshold is nearly as bright as what is above it.
static bool lacks_background(const double *values, size_t n, double threshold)
{
    double below = 0.0, above = 0.0;
    size_t n_below = 0;
    for (size_t i = 0; i < n; i++) {
        if (values[i] >= threshold)
            above += values[i];
        else {
            below += values[i];
            n_below++;
        }
    }
    size_t n_above = n - n_below;
    return n_below > 0 && n_above > 0 &&
           below / (double) n_below > LEAST_BACKGROUND * above / (double) n_above;
}

static size_t take_varying(const struct automask_input *input, size_t n, uint8_t *mask)
{
    for (size_t i = 0; i < n; i++)
        mask[i] = input->varies[i] != 0;
    return count_inside(mask, n);
}

size_t automask(const struct automask_input *input, uint8_t *mask, enum automask_basis *basis)
{
    struct volume volume = volume_of(input->dim);
    *basis = AUTOMASK_NO_MEAN;
    if (mean_says_nothing(input, volume.n))
        return take_varying(input, volume.n, mask);
    g_autofree double *values = g_new(double, volume.n);
    for (size_t i = 0; i < volume.n; i++)
        values[i] =
            isfinite(input->mean[i]) ? input->mean[i] : mean_of_neighbours(&volume, input->mean, i);
    double threshold = find_threshold(values, volume.n);
    *basis = AUTOMASK_NO_BACKGROUND;
    if (lacks_background(values, volume.n, threshold))
        return take_varying(input, volume.n, mask);
    *basis = AUTOMASK_MEAN;
    for (size_t i = 0; i < volume.n; i++)
        mask[i] = values[i] >= threshold;
    smooth_outline(&volume, mask);
    for (size_t i = 0; i < volume.n; i++)
        mask[i] = mask[i] != 0 && input->varies[i] != 0;
    return count_inside(mask, volume.n);
}
