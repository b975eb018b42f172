// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/sources/sources_gate.h"
#include "app/pipelines/sources/sources_network.h"

#include "io/fif.h"

#include <cblas.h>
#include <string.h>

static struct channel_names names_of(char **names)
{
    return (struct channel_names){g_strv_length(names), (const char *const *) names};
}

static void add_projections(GArray *all, const GPtrArray *projectors)
{
    for (guint i = 0; i < projectors->len; i++) {
        const struct projector *projector = projectors->pdata[i];
        struct projection projection = {.name = projector->name,
                                        .is_reference = projector->reference,
                                        .n_vectors = projector->n_vectors,
                                        .channels = names_of(projector->channels),
                                        .vectors = projector->vectors};
        g_array_append_val(all, projection);
    }
}

bool sources_make_projector(struct sources *sources, GError **error)
{
    size_t n = sources->choice->n;
    const struct recording *recording = sources->recording;
    g_autofree const char **names = g_new(const char *, n);
    for (size_t i = 0; i < n; i++)
        names[i] = sources->channels.name[sources->choice->recording[i]];
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct projection));
    if (recording != NULL)
        add_projections(all, recording->sensors->projectors);
    add_projections(all, sources->covariance->projectors);
    struct channel_names chosen = {n, names};
    g_autofree double *ones = g_new(double, n);
    struct projection reference;
    if (sources_gate_reference(sources, &chosen, ones, &reference))
        g_array_append_val(all, reference);
    sources->n_projections = all->len;
    sources->projector = projector_matrix_new((const struct projection *) (void *) all->data,
                                              all->len, &chosen, error);
    if (sources->projector == NULL) {
        g_prefix_error(error, "%s: ", sources->covariance->path);
        return false;
    }
    for (guint i = 0; i < sources->projector->shrunk->len; i++)
        host_warning(sources->host,
                     "%s: projector %s: over 10 %% of a vector is on channels that are left out",
                     recording == NULL ? sources->covariance->path : recording->path,
                     (const char *) sources->projector->shrunk->pdata[i]);
    return true;
}

static bool make_whitener(struct sources *sources, GError **error)
{
    const struct covariance *covariance = sources->covariance;
    const struct channel_choice *choice = sources->choice;
    size_t n = choice->n;
    g_autofree double *matrix = g_new0(double, n *n);
    for (size_t i = 0; i < n; i++) {
        if (covariance->matrix == NULL) {
            matrix[i * n + i] = covariance->diagonal[choice->noise[i]];
            continue;
        }
        for (size_t j = 0; j < n; j++)
            matrix[i * n + j] =
                covariance->matrix[choice->noise[i] * covariance->n + choice->noise[j]];
    }
    struct whitener_input input = {.n = n,
                                   .kind = choice->kind,
                                   .covariance = matrix,
                                   .is_diagonal = covariance->matrix == NULL,
                                   .projector = sources->projector,
                                   .space = sources->space};
    sources->whitener = whitener_new(&input, error);
    return sources->whitener != NULL;
}

// Positions and normals of all sources; positions in head frame, normals in that of the columns.
static void find_positions(struct sources *sources)
{
    const struct forward *forward = sources->forward;
    sources->position = g_new(double, 3 * forward->n_sources);
    sources->normals = g_new0(double, 3 * forward->n_sources);
    size_t k = 0;
    for (size_t s = 0; s < forward->n_spaces; s++) {
        const struct source_space *space = &forward->space[s];
        struct source_points points = {space->n_points, space->normals, space->n_in_use,
                                       space->vertex, space->nearest};
        if (points.normals != NULL)
            leadfield_normals(&points, sources->normals + 3 * k);
        for (size_t i = 0; i < space->n_in_use; i++, k++)
            memcpy(sources->position + 3 * k, space->points + 3 * space->vertex[i],
                   3 * sizeof(double));
    }
    if (forward->frame == FIF_FRAME_MRI && forward->has_mri_to_head)
        leadfield_move_points(forward->mri_to_head, sources->position, forward->n_sources);
}

// Of each position whether it lies on a surface.
static bool *list_surfaces(const struct forward *forward)
{
    bool *is_surface = g_new0(bool, forward->n_sources + 1);
    size_t k = 0;
    for (size_t s = 0; s < forward->n_spaces; s++)
        for (size_t i = 0; i < forward->space[s].n_in_use; i++)
            is_surface[k++] = forward->space[s].type == SOURCE_SURFACE;
    return is_surface;
}

// Of fixed orientation each source has one column g: with normal n, those of x, y, z are taken as
// g n', so that along the normal they are g.
static double gain_of(const struct sources *sources, size_t channel, size_t column)
{
    const struct forward *forward = sources->forward;
    if (!forward->is_fixed)
        return forward->gain[column * forward->n_channels + channel];
    return forward->gain[column / 3 * forward->n_channels + channel] * sources->normals[column];
}

static bool make_leadfield(struct sources *sources, GError **error)
{
    const struct forward *forward = sources->forward;
    const struct channel_choice *choice = sources->choice;
    size_t n_columns = 3 * forward->n_sources;
    g_autofree double *gain = io_context_alloc(&sources->host->io, forward->path,
                                               choice->n * n_columns, sizeof *gain, error);
    if (gain == NULL)
        return false;
    for (size_t j = 0; j < n_columns; j++)
        for (size_t i = 0; i < choice->n; i++)
            gain[j * choice->n + i] = gain_of(sources, choice->forward[i], j);
    bool by_space = sources->orient_by_space && sources->orientation == ORIENTATION_LOOSE;
    g_autofree bool *is_surface = list_surfaces(forward);
    struct leadfield_input input = {.whitener = sources->whitener,
                                    .gain = gain,
                                    .n_positions = forward->n_sources,
                                    .normals = sources->normals,
                                    .orientation = sources->orientation,
                                    .loose = sources->loose,
                                    .is_surface = by_space ? is_surface : NULL,
                                    .depth = sources->options->depth};
    sources->leadfield = leadfield_new(&input, error);
    return sources->leadfield != NULL;
}

bool sources_form(struct sources *sources, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (!make_whitener(sources, &problem)) {
        g_prefix_error(&problem, "%s: ", sources->covariance->path);
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    sources_tell_rank(sources);
    find_positions(sources);
    if (!make_leadfield(sources, &problem)) {
        if (problem->domain != IO_ERROR)
            g_prefix_error(&problem, "%s: ", sources->forward->path);
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (sources->window.data != NULL)
        sources->whitened =
            whitener_apply(sources->whitener, sources->window.data, sources->window.n_time);
    sources_gate_scale(sources);
    return sources_form_network(sources, error);
}
