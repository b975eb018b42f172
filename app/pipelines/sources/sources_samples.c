// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/sources/sources_samples.h"

#include <string.h>

// The whitener is of the channels that were chosen; another condition has to have them too.
static bool check_channels(const struct sources *sources, size_t first, GError **error)
{
    const struct sensors *sensors = sources->recording->sensors;
    const struct part *a = &sensors->part[first], *b = &sensors->part[sensors->chosen];
    if (a->n_channels == b->n_channels &&
        memcmp(a->channel, b->channel, a->n_channels * sizeof *a->channel) == 0)
        return true;
    io_error_set(error, IO_ERROR_INPUT, sources->recording->path,
                 "expected the same channels in all conditions, found others in \"%s\"", b->name);
    return false;
}

// Adds the samples of the window, n_time x rank.
static void append_window(const struct sources *sources, GArray *values)
{
    size_t n_time = sources->window.n_time, rank = sources->whitener->rank;
    g_autofree double *rows = whitener_apply(sources->whitener, sources->window.data, n_time);
    guint before = values->len;
    g_array_set_size(values, before + (guint) (n_time * rank));
    double *samples = &g_array_index(values, double, before);
    for (size_t t = 0; t < n_time; t++)
        for (size_t i = 0; i < rank; i++)
            samples[t * rank + i] = rows[i * n_time + t];
}

static void clear_window(struct sources_window *window)
{
    g_clear_pointer(&window->data, g_free);
    g_clear_pointer(&window->condition, g_free);
}

static bool append_condition(struct sources *sources, size_t first, GArray *values, GError **error)
{
    if (!sources_choose_part(sources, error) || !check_channels(sources, first, error) ||
        !sources_read_window(sources, error))
        return false;
    size_t n = sources->window.n_time * sources->whitener->rank;
    if (n > (size_t) G_MAXINT - values->len) {
        io_error_set(error, IO_ERROR_MEMORY, sources->recording->path,
                     "expected a window that fits in memory (--tmin, --tmax), found %zu samples",
                     sources->window.n_time);
        return false;
    }
    append_window(sources, values);
    clear_window(&sources->window);
    return true;
}

// NULL-terminated: those named; else all averages; else nothing in particular.
static char **list_conditions(const struct sensors *sensors, char *const *conditions)
{
    if (conditions != NULL)
        return g_strdupv((char **) conditions);
    GPtrArray *names = g_ptr_array_new();
    for (size_t i = 0; i < sensors->n_parts && sensors->part[i].n_averaged > 0; i++)
        if (!sensors->is_epochs ||
            !g_ptr_array_find_with_equal_func(names, sensors->part[i].name, g_str_equal, NULL))
            g_ptr_array_add(names, g_strdup(sensors->part[i].name));
    g_ptr_array_add(names, NULL);
    return (char **) g_ptr_array_free(names, FALSE);
}

struct array *sources_samples(struct sources *sources, struct sources_options *options,
                              char *const *conditions, GError **error)
{
    const struct sensors *sensors = sources->recording->sensors;
    size_t first = sensors->chosen, rank = sources->whitener->rank;
    g_auto(GStrv) names = list_conditions(sensors, conditions);
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
    const char *asked = options->condition;
    size_t n = MAX(g_strv_length(names), 1); // none: the recording as it is
    for (size_t i = 0; i < n; i++) {
        options->condition = names[i];
        bool appended = append_condition(sources, first, values, error);
        options->condition = asked;
        if (!appended)
            return NULL;
    }
    struct array *samples = g_new0(struct array, 1);
    samples->n_rows = values->len / rank;
    samples->n_columns = rank;
    samples->values = (double *) (void *) g_array_free(g_steal_pointer(&values), FALSE);
    return samples;
}
