// SPDX-License-Identifier: BSD-3-Clause
#include "app/reproduce/learning.h"

#include "io/array.h"

#include <string.h>

struct network *learning_train(struct reproduction *r, const struct samples *samples,
                               const struct lesson *lesson, size_t depth, double *seconds,
                               GError **error)
{
    struct network_size size = {.depth = depth, .n_inner = lesson->n_inner};
    g_autoptr(owned_network) network =
        network_new(lesson->network, lesson->variant, samples->problem, size, error);
    if (network == NULL)
        return NULL;
    struct train_options how = train_options_default(r->app->team);
    how.schedule = lesson->oneshot ? TRAIN_ONESHOT : TRAIN_RECURSIVE;
    how.optimiser = lesson->published ? TRAIN_DESCENT : TRAIN_LBFGS;
    how.safeguard = !lesson->published;
    how.max_iter = lesson->max_iter;
    g_autofree struct train_stage *stages = g_new0(struct train_stage, depth);
    gint64 begin_us = g_get_monotonic_time();
    train_network(network, &samples->train, NULL, &how, stages);
    if (seconds != NULL)
        *seconds = 1e-6 * (double) (g_get_monotonic_time() - begin_us);
    return app_stopped(r->app, error) ? NULL : g_steal_pointer(&network);
}

bool learning_curve(struct reproduction *r, const struct samples *train, const struct samples *test,
                    const struct lesson *lesson, struct curve *curve, GError **error)
{
    size_t depth = curve->steps[curve->n_steps - 1];
    g_autoptr(owned_network) network = learning_train(r, train, lesson, depth, NULL, error);
    if (network == NULL)
        return false;
    curve->method = lesson->label;
    samples_network_curve(r, test, network, !lesson->published, curve);
    return !app_stopped(r->app, error);
}

bool learning_read(struct reproduction *r, const char *path, size_t n_time, struct block *x,
                   GError **error)
{
    g_autoptr(owned_array) array = array_read(path, &r->app->io, error);
    if (array == NULL)
        return false;
    if (array->n_columns != n_time) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected rows of %zu numbers, found %zu", path, n_time, array->n_columns);
        return false;
    }
    *x = (struct block){n_time, array->n_rows, n_time, g_steal_pointer(&array->values)};
    return true;
}
