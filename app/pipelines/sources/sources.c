// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/sources/sources_map.h"
#include "app/pipelines/sources/sources_network.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

static bool plan_orientation(struct sources *sources, GError **error)
{
    static const enum source_orientation orientations[] = {ORIENTATION_FIXED, ORIENTATION_FREE,
                                                           ORIENTATION_LOOSE, ORIENTATION_LOOSE};
    const struct word *orient = &sources->options->orient;
    bool lasso = sources->model->solve == NULL;
    sources->orientation = orient->text != NULL ? orientations[orient->index]
                           : lasso              ? ORIENTATION_FIXED
                                                : ORIENTATION_LOOSE;
    sources->orient_by_space = orient->text == NULL && !lasso;
    sources->loose = sources->orientation != ORIENTATION_LOOSE ? 1.0
                     : orient->number > 0.0                    ? orient->number
                                                               : 0.2;
    if (!lasso || sources->orientation == ORIENTATION_FIXED)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                "--orient: expected fixed with --model %s, found \"%s\"", sources->model->name,
                orient->text);
    return false;
}

bool sources_plan_forward(struct sources *sources, GError **error)
{
    const struct word *orient = &sources->options->orient;
    if (!sources->forward->is_fixed || sources->orientation == ORIENTATION_FIXED)
        return true;
    if (orient->text != NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--orient: expected fixed, as the forward solution is, found \"%s\"",
                    orient->text);
        return false;
    }
    sources->orientation = ORIENTATION_FIXED;
    sources->orient_by_space = false;
    sources->loose = 1.0;
    host_warning(sources->host, "%s: of fixed orientation: sources are, too",
                 sources->forward->path);
    return true;
}

bool sources_plan(struct sources *sources, GError **error)
{
    const struct sources_options *options = sources->options;
    if (!sources_plan_network(sources, error))
        return false;
    bool network = sources->network_file != NULL;
    if (!network)
        sources->lambda = isnan(options->lambda) ? 0.5 : options->lambda;
    size_t n_models;
    const struct source_model *const *models = source_models(&n_models);
    sources->model = options->model >= 0 ? models[options->model]
                     : network           ? &source_model_lasso
                                         : &source_model_l21;
    return plan_orientation(sources, error);
}

const struct source_space *sources_space_of(const struct sources *sources, size_t k, size_t *vertex)
{
    const struct source_space *space = sources->forward->space;
    while (k >= space->n_in_use) {
        k -= space->n_in_use;
        space++;
    }
    *vertex = space->vertex[k];
    return space;
}

double sources_magnitude(const struct sources *sources, size_t i, size_t t)
{
    const struct source_estimate *estimate = sources->result.estimate;
    return cblas_dnrm2((int) estimate->n_orient, sources_amplitude(sources, i) + t,
                       (int) estimate->n_time);
}

void sources_clear(struct sources *sources)
{
    g_free(sources->stem);
    recording_free(sources->recording);
    fif_forward_free(sources->forward);
    fif_covariance_free(sources->covariance);
    params_file_free(sources->network_file);
    sources_network_clear(&sources->network);
    g_strfreev(sources->bads);
    g_strfreev(sources->sha256);
    if (sources->inputs != NULL)
        g_ptr_array_unref(sources->inputs);
    g_free(sources->channels.name);
    g_free(sources->channels.kind);
    channel_choice_free(sources->choice);
    projector_matrix_free(sources->projector);
    data_space_free(sources->space);
    band_pass_free(sources->band);
    whitener_free(sources->whitener);
    leadfield_free(sources->leadfield);
    g_free(sources->normals);
    g_free(sources->position);
    g_free(sources->window.data);
    g_free(sources->window.condition);
    g_free(sources->whitened);
    source_estimate_free(sources->result.estimate);
    g_free(sources->result.factors);
    g_free(sources->result.amplitude);
    g_free(sources->result.share);
}
