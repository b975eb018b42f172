// SPDX-License-Identifier: BSD-3-Clause
#include "sources/data_space.h"

#include "sources/eigen.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#define ROUNDING         (1.0 / 16777216.0) // of a float, relative
#define ROUNDING_MARGIN  100.0              // of powers
#define LEAST_GAP        1000.0             // between eigenvalues
#define SAMPLES_A_SENSOR 2

const char *rank_origin_name(enum rank_origin origin)
{
    static const char *const names[] = {
        [RANK_OF_PROJECTIONS] = "projections",
        [RANK_OF_SEPARATION] = "signal-space separation",
        [RANK_OF_EIGENVALUES] = "eigenvalues",
    };
    return names[origin];
}

// The channels of a group on their own, in comparable units.
struct group_data {
    size_t n;
    size_t *channel;    // owned
    double *moments;    // owned, n x n; then its eigenvectors
    double *eigenvalue; // owned, ascending
    double rounding;    // what is no signal
    size_t n_projected; // directions that projections took
};

static void group_data_clear(struct group_data *group)
{
    g_free(group->channel);
    g_free(group->moments);
    g_free(group->eigenvalue);
}

// The trace of U U' on the channels is the number of vectors that act on them.
static size_t count_projected(const struct data_space_input *input, const struct group_data *group)
{
    double trace = 0.0;
    for (size_t i = 0; i < group->n; i++)
        for (size_t k = 0; k < input->projector->n_vectors; k++)
            trace += pow(input->projector->u[k * input->n + group->channel[i]], 2.0);
    return MIN((size_t) lround(trace), group->n);
}

// P on the channels of a group: what data may be of which nothing is known.
static void set_projector(const struct data_space_input *input, struct group_data *group)
{
    size_t n = group->n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double value = i == j ? 1.0 : 0.0;
            for (size_t k = 0; k < input->projector->n_vectors; k++) {
                const double *u = input->projector->u + k * input->n;
                value -= u[group->channel[i]] * u[group->channel[j]];
            }
            group->moments[i * n + j] = value;
        }
}

static void set_moments(const struct data_space_input *input, const double *projected,
                        struct group_data *group)
{
    size_t n = group->n, n_samples = input->n_samples;
    g_autofree double *rows = g_new(double, n *n_samples);
    double power = 0.0;
    for (size_t i = 0; i < n; i++) {
        size_t c = group->channel[i];
        double unit = sensor_comparable_unit(input->kind[c]);
        const double *stored = input->rows + c * n_samples;
        power = fmax(power, cblas_ddot((int) n_samples, stored, 1, stored, 1) * unit * unit);
        for (size_t t = 0; t < n_samples; t++)
            rows[i * n_samples + t] = unit * projected[c * n_samples + t];
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int) n, (int) n, (int) n_samples,
                1.0 / (double) n_samples, rows, (int) n_samples, rows, (int) n_samples, 0.0,
                group->moments, (int) n);
    double spread = 1.0 + sqrt((double) n / (double) n_samples);
    group->rounding =
        ROUNDING_MARGIN * ROUNDING * ROUNDING * power / (double) n_samples * spread * spread;
}

static struct group_data group_data_of(const struct data_space_input *input,
                                       const double *projected, enum sensor_group which)
{
    struct group_data group = {.channel = g_new(size_t, input->n)};
    for (size_t i = 0; i < input->n; i++)
        if (sensor_group_of(input->kind[i]) == which)
            group.channel[group.n++] = i;
    group.moments = g_new(double, group.n *group.n);
    group.eigenvalue = g_new(double, group.n);
    group.n_projected = count_projected(input, &group);
    if (group.n > 0 && input->n_samples > 0) {
        set_moments(input, projected, &group);
        eigen_symmetric(group.moments, group.n, group.eigenvalue);
    }
    return group;
}

// Eigenvalues above rounding, if a gap parts them from it; else 0.
static size_t rank_of_gap(const struct group_data *group, size_t n_samples)
{
    size_t n = group->n, r = 0;
    if (n_samples < SAMPLES_A_SENSOR * n)
        return 0;
    for (size_t k = 0; k < n; k++)
        r += group->eigenvalue[k] > group->rounding;
    if (r == 0 || r == n)
        return 0;
    double next = fmax(group->eigenvalue[n - r - 1], 0.0);
    return group->eigenvalue[n - r] > LEAST_GAP * next ? r : 0;
}

static void set_rank(const struct data_space_input *input, const struct group_data *group,
                     enum sensor_group which, struct data_space *space)
{
    space->rank[which] = group->n - group->n_projected;
    space->origin[which] = RANK_OF_PROJECTIONS;
    size_t sss = which == GROUP_MEG && input->sss_rank > group->n_projected
                     ? input->sss_rank - group->n_projected
                     : 0;
    if (sss > 0 && sss < space->rank[which]) {
        space->rank[which] = sss;
        space->origin[which] = RANK_OF_SEPARATION;
    }
    size_t gap = rank_of_gap(group, input->n_samples);
    if (gap > 0 && gap < space->rank[which]) {
        space->rank[which] = gap;
        space->origin[which] = RANK_OF_EIGENVALUES;
    }
}

// The directions of most power; where projections tell all, those that they leave.
static void set_basis(const struct data_space_input *input, struct group_data *group,
                      enum sensor_group which, struct data_space *space)
{
    size_t n = group->n, rank = space->rank[which];
    space->basis[which] = g_new0(double, input->n *MAX(rank, 1));
    if (n == 0 || rank == 0)
        return;
    if (!data_space_is_reduced(space, which)) {
        set_projector(input, group);
        eigen_symmetric(group->moments, n, group->eigenvalue);
        space->has_basis[which] = true;
    } else {
        space->has_basis[which] =
            input->n_samples > rank && group->eigenvalue[n - rank] > group->rounding;
    }
    for (size_t r = 0; r < rank && space->has_basis[which]; r++)
        for (size_t i = 0; i < n; i++)
            space->basis[which][r * input->n + group->channel[i]] =
                group->moments[(n - 1 - r) * n + i];
}

// Samples less their means, projected.
static double *project(const struct data_space_input *input)
{
    size_t n_samples = input->n_samples;
    double *rows = g_new(double, input->n *n_samples + 1);
    for (size_t i = 0; i < input->n; i++) {
        const double *stored = input->rows + i * n_samples;
        double mean = 0.0;
        for (size_t t = 0; t < n_samples; t++)
            mean += stored[t] / (double) n_samples;
        for (size_t t = 0; t < n_samples; t++)
            rows[i * n_samples + t] = stored[t] - mean;
    }
    projector_matrix_apply(input->projector, rows, n_samples);
    return rows;
}

struct data_space *data_space_new(const struct data_space_input *input)
{
    struct data_space *space = g_new0(struct data_space, 1);
    space->n = input->n;
    g_autofree double *projected = project(input);
    for (size_t which = 0; which < SENSOR_GROUPS; which++) {
        struct group_data group = group_data_of(input, projected, (enum sensor_group) which);
        set_rank(input, &group, (enum sensor_group) which, space);
        set_basis(input, &group, (enum sensor_group) which, space);
        group_data_clear(&group);
    }
    return space;
}

void data_space_free(struct data_space *space)
{
    if (space == NULL)
        return;
    for (size_t which = 0; which < SENSOR_GROUPS; which++)
        g_free(space->basis[which]);
    g_free(space);
}

bool data_space_is_reduced(const struct data_space *space, enum sensor_group group)
{
    return space->origin[group] != RANK_OF_PROJECTIONS;
}
