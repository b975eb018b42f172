// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/train/training_leadfield.h"

#include "app/pipelines/sources/sources_samples.h"
#include "solvers/random.h"
#include "sources/leadfield_identity.h"

#include <string.h>

// White noise in whitened space: what sensors record where there is no source.
static struct array *draw_samples(size_t n, size_t rank, uint64_t seed)
{
    struct array *x = g_new0(struct array, 1);
    *x = (struct array){.n_rows = n, .n_columns = rank, .values = g_new(double, n *rank)};
    for (size_t v = 0; v < n; v++) {
        struct random_stream stream = random_stream_of(seed, 0, v);
        random_normal(&stream, x->values + v * rank, rank);
    }
    return x;
}

static struct array *read_samples(struct training *training, const char *path, size_t rank,
                                  GError **error)
{
    g_autoptr(owned_array) x = array_read(path, &training->host->io, error);
    if (x == NULL)
        return NULL;
    if (x->n_columns == rank)
        return g_steal_pointer(&x);
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                "%s: expected rows of %zu whitened samples, the rank of the noise covariance, "
                "found %zu columns",
                path, rank, x->n_columns);
    return NULL;
}

/** The recording at path, on the channels of its own; its samples, and the leadfield on them. */
static bool form(struct sources *sources, struct training *training, const char *recording,
                 GError **error)
{
    struct sources_options *options = &training->options.leadfield;
    options->recording = recording;
    options->condition =
        training->options.conditions == NULL ? NULL : training->options.conditions[0];
    *sources = (struct sources){.host = training->host,
                                .options = options,
                                .model = &source_model_lasso,
                                .orientation = ORIENTATION_FIXED,
                                .loose = 1.0,
                                .any_condition = true};
    return sources_read(sources, error) && sources_form(sources, error);
}

static struct array *read_data(struct training *training, struct sources *sources, GError **error)
{
    const struct training_options *options = &training->options;
    size_t rank = sources->whitener->rank;
    if (sources->recording != NULL)
        return sources_samples(sources, &training->options.leadfield, options->conditions, error);
    if (options->data != NULL)
        return read_samples(training, options->data, rank, error);
    return draw_samples(options->n_samples, rank, options->seed);
}

// Samples of another recording are in the same whitened space if its leadfield is the same array.
static struct array *read_validation(struct training *training, const struct leadfield *leadfield,
                                     GError **error)
{
    const char *path = training->options.validation;
    if (array_recognise_file(path))
        return read_samples(training, path, leadfield->n_sensors, error);
    g_auto(owned_sources) other = {0};
    if (!form(&other, training, path, error))
        return NULL;
    size_t n = leadfield->n_sensors;
    if (other.leadfield->n_sensors == n && memcmp(leadfield->gain, other.leadfield->gain,
                                                  n * leadfield->n_positions * sizeof(double)) == 0)
        return read_data(training, &other, error);
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                "%s: expected the channels and projectors of --data, found others", path);
    return NULL;
}

bool training_read_leadfield(struct training *training, GError **error)
{
    const struct training_options *options = &training->options;
    bool recording = options->data != NULL && !array_recognise_file(options->data);
    enum problem_kind kind;
    g_auto(owned_sources) sources = {0};
    if (!network_problem(options->network, &kind, error))
        return false;
    if (kind != PROBLEM_LASSO) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--forward: expected a network of the Lasso (slista), found %s",
                    options->network);
        return false;
    }
    if (!form(&sources, training, recording ? options->data : NULL, error))
        return false;
    const struct leadfield *leadfield = sources.leadfield;
    training->op = linop_new_dense(leadfield->gain, leadfield->n_sensors, leadfield->n_positions);
    training->leadfield = leadfield_identity(leadfield);
    training->train.x = read_data(training, &sources, error);
    if (training->train.x == NULL)
        return false;
    if (options->validation != NULL)
        training->validation.x = read_validation(training, leadfield, error);
    return options->validation == NULL || training->validation.x != NULL;
}
