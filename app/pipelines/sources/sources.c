// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/sources/sources_map.h"
#include "app/pipelines/sources/sources_network.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

void sources_options_clear(struct sources_options *options)
{
    char *texts[] = {options->recording, options->forward,   options->noise_cov, options->folder,
                     options->events,    options->condition, options->epoch,     options->baseline,
                     options->bads,      options->orient,    options->model,     options->network,
                     options->reject,    options->band,      options->map};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
}

static bool refuse(GError **error, const char *option, const char *expected, const char *found)
{
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "%s: expected %s, found \"%s\"", option,
                expected, found);
    return false;
}

static bool plan_orientation(struct sources *sources, GError **error)
{
    const char *text = sources->options->orient;
    if (text == NULL)
        text = sources->model == MODEL_LASSO ? "fixed" : "loose=0.2";
    static const char expected[] = "fixed, free, or loose=W with 0 < W <= 1";
    sources->loose = 1.0;
    if (strcmp(text, "fixed") == 0)
        sources->orientation = ORIENTATION_FIXED;
    else if (strcmp(text, "free") == 0)
        sources->orientation = ORIENTATION_FREE;
    else if (strncmp(text, "loose", 5) == 0 && (text[5] == '\0' || text[5] == '=')) {
        char *end = NULL;
        sources->orientation = ORIENTATION_LOOSE;
        sources->loose = text[5] == '\0' ? 0.2 : g_ascii_strtod(text + 6, &end);
        if (end != NULL && (*end != '\0' || end == text + 6))
            return refuse(error, "--orient", expected, text);
    } else
        return refuse(error, "--orient", expected, text);
    if (!(sources->loose > 0.0 && sources->loose <= 1.0))
        return refuse(error, "--orient", expected, text);
    if (sources->model == MODEL_LASSO && sources->orientation != ORIENTATION_FIXED)
        return refuse(error, "--orient", "fixed with --model lasso", text);
    return true;
}

static bool plan_model(struct sources *sources, GError **error)
{
    static const char *const names[] = {"lasso", "l21", "irl21"};
    const char *text = sources->options->model;
    if (text == NULL)
        text = sources->network_file == NULL ? "l21" : "lasso";
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            sources->model = (enum source_model) i;
            return true;
        }
    }
    return refuse(error, "--model", "lasso, l21 or irl21", text);
}

static bool check_number(double value, double low, double high, const char *option, GError **error)
{
    if (value >= low && value <= high)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "%s: expected a number in %g..%g, found %g",
                option, low, high, value);
    return false;
}

bool sources_plan(struct sources *sources, GError **error)
{
    const struct sources_options *options = sources->options;
    if (!sources_plan_network(sources, error))
        return false;
    if (sources->network_file == NULL)
        sources->lambda = isnan(options->lambda) ? 0.5 : options->lambda;
    double bounds[SENSOR_KINDS], band_hz[2];
    return sources_plan_map(sources, error) &&
           sources_parse_reject(options->reject, bounds, error) &&
           sources_parse_band(options->band, band_hz, error) && plan_model(sources, error) &&
           plan_orientation(sources, error) &&
           check_number(sources->lambda, 1e-4, 1.0, "--lambda", error) &&
           check_number(options->depth, 0.0, 5.0, "--depth", error) &&
           check_number(options->tol, 1e-12, 1.0, "--tol", error);
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
    g_free(sources->channels.name);
    g_free(sources->channels.kind);
    channel_choice_free(sources->choice);
    projector_matrix_free(sources->projector);
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
