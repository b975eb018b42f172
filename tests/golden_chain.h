// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// From the real files of the golden problems to their channels, whitener and leadfield.
#include "tests/golden_meeg.h"

#include "io/fif_covariance.h"
#include "io/fif_forward.h"
#include "io/recording.h"
#include "sources/leadfield.h"

struct golden_chain {
    struct recording *recording;
    struct covariance *noise;
    struct forward *forward;
    struct channel_choice *choice;
    const char **chosen; // names of the chosen, as the recording has them
    struct projector_matrix *projector;
    struct whitener *whitener;
};

static inline enum sensor_kind sensor_kind_of(enum channel_kind kind)
{
    switch (kind) {
    case CHANNEL_MAG:
        return SENSOR_MAG;
    case CHANNEL_GRAD:
        return SENSOR_GRAD;
    case CHANNEL_EEG:
        return SENSOR_EEG;
    default:
        return SENSOR_OTHER;
    }
}

static inline void golden_chain_choose(struct golden_chain *chain)
{
    static const char *const bads[] = {"MEG 2443", "EEG 053"};
    g_assert(chain->recording != NULL && chain->noise != NULL && chain->forward != NULL);
    const struct sensors *sensors = chain->recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    g_autofree const char **names = g_new(const char *, part->n_channels);
    g_autofree enum sensor_kind *kinds = g_new(enum sensor_kind, part->n_channels);
    for (size_t i = 0; i < part->n_channels; i++) {
        names[i] = sensors->channel[part->channel[i]].name;
        kinds[i] = sensor_kind_of(sensors->channel[part->channel[i]].kind);
    }
    struct channel_choice_input input = {
        .recording = {part->n_channels, names},
        .kind = kinds,
        .noise = {chain->noise->n, (const char *const *) chain->noise->names},
        .forward = {chain->forward->n_channels, (const char *const *) chain->forward->names},
        .bads = {2, bads}};
    chain->choice = channel_choice_new(&input);
    chain->chosen = g_new(const char *, chain->choice->n);
    for (size_t i = 0; i < chain->choice->n; i++)
        chain->chosen[i] = names[chain->choice->recording[i]];
}

// The projectors of the recording and of the covariance together.
static inline void golden_chain_project(struct golden_chain *chain)
{
    GPtrArray *lists[] = {chain->recording->sensors->projectors, chain->noise->projectors};
    g_autoptr(GArray) projections = g_array_new(FALSE, FALSE, sizeof(struct projection));
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < lists[l]->len; i++) {
            const struct projector *p = lists[l]->pdata[i];
            struct projection out = {
                p->name,
                p->reference,
                p->n_vectors,
                {g_strv_length(p->channels), (const char *const *) p->channels},
                p->vectors};
            g_array_append_val(projections, out);
        }
    struct channel_names chosen = {chain->choice->n, chain->chosen};
    chain->projector = projector_matrix_new((const struct projection *) (void *) projections->data,
                                            projections->len, &chosen, NULL);
    assert_non_null(chain->projector);
}

static inline void golden_chain_whiten(struct golden_chain *chain)
{
    const struct channel_choice *choice = chain->choice;
    g_autofree double *c = g_new(double, choice->n * choice->n);
    for (size_t i = 0; i < choice->n; i++)
        for (size_t j = 0; j < choice->n; j++)
            c[i * choice->n + j] =
                chain->noise->matrix[choice->noise[i] * chain->noise->n + choice->noise[j]];
    struct whitener_input input = {
        .n = choice->n, .kind = choice->kind, .covariance = c, .projector = chain->projector};
    chain->whitener = whitener_new(&input, NULL);
    assert_non_null(chain->whitener);
}

/** NULL where the files are absent. */
static inline struct golden_chain *golden_chain_read(void)
{
    g_autofree char *ave = shared_data("meeg/sample-ave.fif");
    g_autofree char *cov = shared_data("meeg/sample-cov.fif");
    g_autofree char *fwd = shared_data("meeg/sample-small-meg-eeg-fwd.fif");
    if (ave == NULL || cov == NULL || fwd == NULL)
        return NULL;
    struct io_context io = io_context_default();
    struct golden_chain *chain = g_new0(struct golden_chain, 1);
    chain->recording = recording_open(ave, &io, NULL);
    chain->noise = fif_covariance_read(cov, &io, NULL);
    chain->forward = fif_forward_read(fwd, &io, NULL);
    assert_true(chain->recording != NULL && chain->noise != NULL && chain->forward != NULL);
    golden_chain_choose(chain);
    golden_chain_project(chain);
    golden_chain_whiten(chain);
    return chain;
}

static inline void golden_chain_free(struct golden_chain *chain)
{
    if (chain == NULL)
        return;
    recording_free(chain->recording);
    fif_covariance_free(chain->noise);
    fif_forward_free(chain->forward);
    channel_choice_free(chain->choice);
    g_free(chain->chosen);
    projector_matrix_free(chain->projector);
    whitener_free(chain->whitener);
    g_free(chain);
}
typedef struct golden_chain owned_golden_chain;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_golden_chain, golden_chain_free)

/** Normals of all sources, in the order of the leadfield's positions. */
static inline double *golden_chain_normals(const struct golden_chain *chain)
{
    double *normals = g_new(double, 3 * chain->forward->n_sources);
    size_t first = 0;
    for (size_t s = 0; s < chain->forward->n_spaces; s++) {
        const struct source_space *space = &chain->forward->space[s];
        struct source_points points = {space->n_points, space->normals, space->n_in_use,
                                       space->vertex, space->nearest};
        leadfield_normals(&points, normals + 3 * first);
        first += space->n_in_use;
    }
    return normals;
}

static inline struct leadfield *golden_chain_leadfield(const struct golden_chain *chain,
                                                       enum source_orientation orientation,
                                                       double loose, double depth)
{
    const struct channel_choice *choice = chain->choice;
    size_t n_columns = 3 * chain->forward->n_sources;
    g_autofree double *gain = g_new(double, choice->n *n_columns);
    g_autofree double *normals = golden_chain_normals(chain);
    for (size_t j = 0; j < n_columns; j++)
        for (size_t i = 0; i < choice->n; i++)
            gain[j * choice->n + i] =
                chain->forward->gain[j * chain->forward->n_channels + choice->forward[i]];
    struct leadfield_input input = {.whitener = chain->whitener,
                                    .gain = gain,
                                    .n_positions = chain->forward->n_sources,
                                    .normals = normals,
                                    .orientation = orientation,
                                    .loose = loose,
                                    .depth = depth};
    struct leadfield *leadfield = leadfield_new(&input, NULL);
    assert_non_null(leadfield);
    return leadfield;
}
