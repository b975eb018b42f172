// SPDX-License-Identifier: BSD-3-Clause
#include "sources/whiten.h"

#include "sources/data_space.h"
#include "sources/eigen.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

G_DEFINE_QUARK(sources_error, sources_error)

#define DEPENDENT    1e-2 // of the largest singular value of the projection vectors
#define MUCH_REDUCED 0.9

static double norm_of(const double *v, size_t n)
{
    return cblas_dnrm2((int) n, v, 1);
}

// The entries of a vector on the chosen channels, normalised; how much of its norm that was.
static double restrict_vector(const struct projection *projection, const double *vector,
                              const struct channel_names *chosen, double *out)
{
    for (size_t i = 0; i < chosen->n; i++) {
        size_t from = channel_names_find(&projection->channels, chosen->name[i]);
        out[i] = from < projection->channels.n ? vector[from] : 0.0;
    }
    double whole = norm_of(vector, projection->channels.n), part = norm_of(out, chosen->n);
    if (part > 0.0)
        cblas_dscal((int) chosen->n, 1.0 / part, out, 1);
    return whole > 0.0 ? part / whole : 1.0;
}

// U of the columns of `vectors` (n x count), by the eigenvectors of their small Gram matrix:
// singular values are wanted to a hundredth of the largest only. What rounding leaves, a second
// pass takes.
static void orthonormalise(struct projector_matrix *projector, const double *vectors, size_t count)
{
    size_t n = projector->n;
    g_autofree double *gram = g_new(double, count *count);
    g_autofree double *values = g_new(double, count);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int) count, (int) count, (int) n, 1.0,
                vectors, (int) n, vectors, (int) n, 0.0, gram, (int) count);
    eigen_symmetric(gram, count, values);
    for (size_t k = count; k-- > 0;) {
        if (!(sqrt(fmax(values[k], 0.0)) > DEPENDENT * sqrt(values[count - 1])))
            break;
        double *u = projector->u + projector->n_vectors++ * n;
        cblas_dgemv(CblasColMajor, CblasNoTrans, (int) n, (int) count, 1.0, vectors, (int) n,
                    gram + k * count, 1, 0.0, u, 1);
        for (size_t j = 0; j + 1 < projector->n_vectors; j++) {
            const double *before = projector->u + j * n;
            cblas_daxpy((int) n, -cblas_ddot((int) n, before, 1, u, 1), before, 1, u, 1);
        }
        cblas_dscal((int) n, 1.0 / norm_of(u, n), u, 1);
    }
}

struct projector_matrix *projector_matrix_new(const struct projection *projections,
                                              size_t n_projections,
                                              const struct channel_names *chosen, GError **error)
{
    size_t most = 0, count = 0;
    for (size_t p = 0; p < n_projections; p++)
        most += projections[p].n_vectors;
    g_autoptr(owned_projector_matrix) projector = g_new0(struct projector_matrix, 1);
    *projector = (struct projector_matrix){
        .n = chosen->n, .u = g_new(double, chosen->n *most), .shrunk = g_ptr_array_new()};
    g_autofree double *vectors = g_new(double, chosen->n *most);
    for (size_t p = 0; p < n_projections; p++)
        for (size_t v = 0; v < projections[p].n_vectors; v++) {
            double *out = vectors + count * chosen->n;
            double kept = restrict_vector(&projections[p],
                                          projections[p].vectors + v * projections[p].channels.n,
                                          chosen, out);
            bool is_last = g_ptr_array_find(projector->shrunk, projections[p].name, NULL);
            if (kept < MUCH_REDUCED && kept > 0.0 && !projections[p].is_reference && !is_last)
                g_ptr_array_add(projector->shrunk, (char *) projections[p].name);
            count += kept > 0.0 && norm_of(out, chosen->n) > 0.0;
        }
    if (count > 0)
        orthonormalise(projector, vectors, count);
    if (projector->n_vectors >= chosen->n) {
        g_set_error(error, SOURCES_ERROR, SOURCES_ERROR_PROJECTIONS,
                    "%zu projections leave nothing of %zu channels", projector->n_vectors,
                    chosen->n);
        return NULL;
    }
    return g_steal_pointer(&projector);
}

void projector_matrix_free(struct projector_matrix *projector)
{
    if (projector == NULL)
        return;
    g_free(projector->u);
    if (projector->shrunk != NULL)
        g_ptr_array_unref(projector->shrunk);
    g_free(projector);
}

void projector_matrix_apply(const struct projector_matrix *projector, double *rows,
                            size_t n_columns)
{
    int n = (int) projector->n, k = (int) projector->n_vectors, columns = (int) n_columns;
    if (k == 0 || columns == 0)
        return;
    g_autofree double *parts = g_new(double, projector->n_vectors *n_columns);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, k, columns, n, 1.0, projector->u, n,
                rows, columns, 0.0, parts, columns);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, columns, k, -1.0, projector->u, n,
                parts, columns, 1.0, rows, columns);
}

const char *sensor_group_name(enum sensor_group group)
{
    static const char *const names[SENSOR_GROUPS] = {"meg", "eeg"};
    return names[group];
}

enum sensor_group sensor_group_of(enum sensor_kind kind)
{
    return kind == SENSOR_EEG ? GROUP_EEG : GROUP_MEG;
}

double sensor_comparable_unit(enum sensor_kind kind)
{
    static const double scales[SENSOR_KINDS] = {
        [SENSOR_MAG] = 1e12, [SENSOR_GRAD] = 1e11, [SENSOR_EEG] = 1e5, [SENSOR_OTHER] = 1.0};
    return scales[kind];
}

// P C P on all channels.
static double *projected_covariance(const struct whitener_input *input)
{
    size_t n = input->n;
    double *c = g_memdup2(input->covariance, n * n * sizeof(double));
    projector_matrix_apply(input->projector, c, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            double lower = c[i * n + j];
            c[i * n + j] = c[j * n + i];
            c[j * n + i] = lower;
        }
    projector_matrix_apply(input->projector, c, n);
    return c;
}

// The channels of a group, and their part of the projected covariance.
struct group {
    size_t n;
    size_t *channel; // owned
    double *c;       // owned, n x n, symmetric
};

static struct group group_new(const struct whitener_input *input, const double *projected,
                              enum sensor_group which)
{
    struct group group = {.channel = g_new(size_t, input->n)};
    for (size_t i = 0; i < input->n; i++)
        if (sensor_group_of(input->kind[i]) == which)
            group.channel[group.n++] = i;
    group.c = g_new(double, group.n *group.n);
    for (size_t i = 0; i < group.n; i++)
        for (size_t j = 0; j < group.n; j++) {
            size_t a = group.channel[i], b = group.channel[j];
            group.c[i * group.n + j] =
                0.5 * (projected[a * input->n + b] + projected[b * input->n + a]);
        }
    return group;
}

static void group_clear(struct group *group)
{
    g_free(group->channel);
    g_free(group->c);
}

static double unit_of(const struct whitener_input *input, const struct group *group, size_t i)
{
    return sensor_comparable_unit(input->kind[group->channel[i]]);
}

// S C S, then its eigenvectors; owned.
static double *scaled_eigenvectors(const struct whitener_input *input, const struct group *group,
                                   double *values)
{
    double *scaled = g_new(double, group->n * group->n);
    for (size_t i = 0; i < group->n; i++)
        for (size_t j = 0; j < group->n; j++)
            scaled[i * group->n + j] =
                group->c[i * group->n + j] * unit_of(input, group, i) * unit_of(input, group, j);
    eigen_symmetric(scaled, group->n, values);
    return scaled;
}

static size_t rank_by_values(const struct whitener_input *input, const struct group *group)
{
    g_autofree double *values = g_new(double, group->n);
    g_free(scaled_eigenvectors(input, group, values));
    double largest = 0.0;
    for (size_t i = 0; i < group->n; i++)
        largest = fmax(largest, fabs(values[i]));
    size_t rank = 0;
    for (size_t i = 0; i < group->n; i++)
        rank += fabs(values[i]) > (double) group->n * DBL_EPSILON * largest;
    return rank;
}

// The trace of U U' on the channels of a group is the number of vectors that act on it.
static size_t rank_of_diagonal(const struct whitener_input *input, const struct group *group)
{
    const struct projector_matrix *projector = input->projector;
    size_t n_positive = 0;
    double trace = 0.0;
    for (size_t i = 0; i < group->n; i++) {
        n_positive += input->covariance[group->channel[i] * (input->n + 1)] > 0.0;
        for (size_t k = 0; k < projector->n_vectors; k++)
            trace += pow(projector->u[k * input->n + group->channel[i]], 2.0);
    }
    size_t n_vectors = (size_t) lround(trace);
    return n_positive > n_vectors ? n_positive - n_vectors : 0;
}

// V of the data's space on the channels of the group, n x rank; NULL: it cannot be told.
static double *basis_of(const struct whitener_input *input, const struct group *group,
                        enum sensor_group which)
{
    const struct data_space *space = input->space;
    size_t n = group->n, rank = space->rank[which];
    if (!space->has_basis[which] && input->is_diagonal)
        return NULL;
    double *basis = g_new(double, n *rank);
    if (space->has_basis[which]) {
        for (size_t r = 0; r < rank; r++)
            for (size_t i = 0; i < n; i++)
                basis[r * n + i] = space->basis[which][r * input->n + group->channel[i]];
        return basis;
    }
    g_autofree double *values = g_new(double, n);
    g_autofree double *vectors = scaled_eigenvectors(input, group, values);
    memcpy(basis, vectors + (n - rank) * n, n * rank * sizeof *basis);
    return basis;
}

// C <- T C T', T = S^-1 V V' S.
static void confine(const struct whitener_input *input, struct group *group, const double *basis,
                    size_t rank)
{
    int n = (int) group->n, r = (int) rank;
    g_autofree double *t = g_new(double, group->n * group->n);
    g_autofree double *tc = g_new(double, group->n * group->n);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, n, n, r, 1.0, basis, n, basis, n, 0.0, t,
                n);
    for (size_t i = 0; i < group->n; i++)
        for (size_t j = 0; j < group->n; j++)
            t[j * group->n + i] *= unit_of(input, group, j) / unit_of(input, group, i);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0, t, n, group->c, n, 0.0, tc,
                n);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, n, n, n, 1.0, tc, n, t, n, 0.0, group->c,
                n);
    for (size_t i = 0; i < group->n; i++)
        for (size_t j = 0; j < i; j++) {
            double mean = 0.5 * (group->c[i * group->n + j] + group->c[j * group->n + i]);
            group->c[i * group->n + j] = group->c[j * group->n + i] = mean;
        }
}

// The lower of the ranks of noise and data; C becomes what the data can have of it.
static size_t rank_with_data(const struct whitener_input *input, struct group *group,
                             enum sensor_group which, size_t rank)
{
    if (input->space == NULL || !data_space_is_reduced(input->space, which) ||
        input->space->rank[which] >= rank)
        return rank;
    g_autofree double *basis = basis_of(input, group, which);
    if (basis == NULL)
        return rank;
    confine(input, group, basis, input->space->rank[which]);
    return input->space->rank[which];
}

// diag(e^-1/2) V' of the rank largest eigenvalues, into rows of W.
static void set_rows(const struct group *group, size_t rank, size_t n, double *rows)
{
    g_autofree double *values = g_new(double, group->n);
    eigen_symmetric(group->c, group->n, values);
    for (size_t r = 0; r < rank; r++) {
        size_t k = group->n - 1 - r;
        double scale = values[k] > 0.0 ? 1.0 / sqrt(values[k]) : 0.0;
        for (size_t i = 0; i < group->n; i++)
            rows[r * n + group->channel[i]] = scale * group->c[k * group->n + i];
    }
}

// W P: as (P W')' row by row, P being symmetric.
static void project_rows(const struct projector_matrix *projector, double *rows, size_t n_rows)
{
    for (size_t r = 0; r < n_rows; r++)
        projector_matrix_apply(projector, rows + r * projector->n, 1);
}

struct whitener *whitener_new(const struct whitener_input *input, GError **error)
{
    g_autoptr(owned_whitener) whitener = g_new0(struct whitener, 1);
    whitener->n = input->n;
    whitener->matrix = g_new0(double, input->n * input->n);
    g_autofree double *projected = projected_covariance(input);
    for (size_t which = 0; which < SENSOR_GROUPS; which++) {
        struct group group = group_new(input, projected, (enum sensor_group) which);
        size_t rank = 0;
        if (group.n > 0)
            rank = input->is_diagonal ? rank_of_diagonal(input, &group)
                                      : rank_by_values(input, &group);
        whitener->n_of_group[which] = group.n;
        whitener->rank_of_noise[which] = rank;
        rank = rank_with_data(input, &group, (enum sensor_group) which, rank);
        whitener->rank_of_group[which] = rank;
        if (rank > 0)
            set_rows(&group, rank, input->n, whitener->matrix + whitener->rank * input->n);
        whitener->rank += rank;
        size_t n = group.n;
        group_clear(&group);
        if (n > 0 && rank == 0) {
            g_set_error(error, SOURCES_ERROR, SOURCES_ERROR_RANK,
                        "the noise covariance of %zu %s channels has rank 0", n,
                        sensor_group_name((enum sensor_group) which));
            return NULL;
        }
    }
    project_rows(input->projector, whitener->matrix, whitener->rank);
    return g_steal_pointer(&whitener);
}

void whitener_free(struct whitener *whitener)
{
    if (whitener == NULL)
        return;
    g_free(whitener->matrix);
    g_free(whitener);
}

double *whitener_apply(const struct whitener *whitener, const double *rows, size_t n_columns)
{
    double *out = g_new0(double, whitener->rank *n_columns);
    if (whitener->rank > 0 && n_columns > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) whitener->rank,
                    (int) n_columns, (int) whitener->n, 1.0, whitener->matrix, (int) whitener->n,
                    rows, (int) n_columns, 0.0, out, (int) n_columns);
    return out;
}
