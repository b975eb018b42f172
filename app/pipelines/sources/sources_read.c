// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/sources/sources_gate.h"

#include <math.h>
#include <string.h>

static void warn_all(struct sources *sources, const char *path, const GPtrArray *warnings)
{
    for (guint i = 0; i < warnings->len; i++)
        host_warning(sources->host, "%s: %s", path, (const char *) warnings->pdata[i]);
}

static void add_bad(GPtrArray *bads, const char *name)
{
    if (!g_ptr_array_find_with_equal_func(bads, name, g_str_equal, NULL))
        g_ptr_array_add(bads, g_strdup(name));
}

static bool is_channel(const struct sources *sources, const char *name)
{
    if (sources->recording != NULL) {
        const struct sensors *sensors = sources->recording->sensors;
        return sensors_find(sensors, name) < sensors->n_channels;
    }
    struct channel_names names = {sources->channels.n, sources->channels.name};
    return channel_names_find(&names, name) < names.n;
}

// A name that is no channel is a slip of the user's, not a channel less.
static bool add_given_bads(const struct sources *sources, GPtrArray *bads, GError **error)
{
    char *const *bads_given = sources->options->bads;
    for (size_t i = 0; bads_given != NULL && bads_given[i] != NULL; i++) {
        const char *name = bads_given[i];
        if (!is_channel(sources, name)) {
            g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                        "--bads: expected names of channels, found \"%s\"", name);
            return false;
        }
        add_bad(bads, name);
    }
    return true;
}

static bool unite_bads(struct sources *sources, GError **error)
{
    g_autoptr(GPtrArray) bads = g_ptr_array_new_with_free_func(g_free);
    const struct sensors *sensors = sources->recording == NULL ? NULL : sources->recording->sensors;
    for (size_t i = 0; sensors != NULL && i < sensors->n_channels; i++)
        if (sensors->channel[i].bad)
            add_bad(bads, sensors->channel[i].name);
    for (size_t i = 0; sources->covariance->bads[i] != NULL; i++)
        add_bad(bads, sources->covariance->bads[i]);
    if (!add_given_bads(sources, bads, error))
        return false;
    g_ptr_array_add(bads, NULL);
    sources->bads = (char **) g_ptr_array_free(g_steal_pointer(&bads), FALSE);
    return true;
}

static enum sensor_kind sensor_kind_of(enum channel_kind kind)
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

static void channels_alloc(struct sources_channels *channels, size_t n)
{
    channels->n = n;
    channels->name = g_new(const char *, n);
    channels->kind = g_new(enum sensor_kind, n);
}

static void list_channels_of_recording(struct sources *sources)
{
    const struct sensors *sensors = sources->recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    channels_alloc(&sources->channels, part->n_channels);
    for (size_t i = 0; i < part->n_channels; i++) {
        sources->channels.name[i] = sensors->channel[part->channel[i]].name;
        sources->channels.kind[i] = sensor_kind_of(sensors->channel[part->channel[i]].kind);
    }
}

// The covariance knows names alone; what a channel measures is told by the forward solution.
static void list_channels_of_covariance(struct sources *sources)
{
    const struct covariance *covariance = sources->covariance;
    const struct forward *forward = sources->forward;
    struct channel_names known = {forward->n_channels, (const char *const *) forward->names};
    channels_alloc(&sources->channels, covariance->n);
    for (size_t i = 0; i < covariance->n; i++) {
        size_t at = channel_names_find(&known, covariance->names[i]);
        sources->channels.name[i] = covariance->names[i];
        sources->channels.kind[i] =
            at < known.n ? sensor_kind_of(forward->kinds[at]) : SENSOR_OTHER;
    }
}

static bool choose_channels(struct sources *sources, GError **error)
{
    struct channel_choice_input input = {
        .recording = {sources->channels.n, sources->channels.name},
        .kind = sources->channels.kind,
        .noise = {sources->covariance->n, (const char *const *) sources->covariance->names},
        .forward = {sources->forward->n_channels, (const char *const *) sources->forward->names},
        .bads = {g_strv_length(sources->bads), (const char *const *) sources->bads}};
    sources->choice = channel_choice_new(&input);
    if (sources->choice->n > 0)
        return true;
    const char *path =
        sources->recording == NULL ? sources->covariance->path : sources->recording->path;
    io_error_set(error, IO_ERROR_INPUT, path,
                 "channels: expected good MEG or EEG channels that are in the noise covariance and "
                 "in the forward solution, found none");
    return false;
}

static size_t count_usable(const struct sensors *sensors, const struct part *part)
{
    size_t n = 0;
    for (size_t i = 0; i < part->n_channels; i++)
        n += sensor_kind_of(sensors->channel[part->channel[i]].kind) != SENSOR_OTHER;
    return n;
}

static bool refuse_condition(const struct sources *sources, GError **error)
{
    const struct sensors *sensors = sources->recording->sensors;
    g_autoptr(GString) names = g_string_new(NULL);
    for (size_t i = 0; i < sensors->n_parts; i++)
        g_string_append_printf(names, "%s\"%s\"", i > 0 ? ", " : "", sensors->part[i].name);
    const char *found = sources->options->condition;
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "--condition: expected one of %s, found %s%s%s",
                names->str, found == NULL ? "none" : "\"", found == NULL ? "" : found,
                found == NULL ? "" : "\"");
    return false;
}

static bool refuse_twins(const struct sources *sources, const char *condition, GError **error)
{
    const struct sensors *sensors = sources->recording->sensors;
    g_autoptr(GString) numbers = g_string_new(NULL);
    for (size_t i = 0; i < sensors->n_parts; i++)
        if (strcmp(sensors->part[i].name, condition) == 0)
            g_string_append_printf(numbers, "%s%zu", numbers->len > 0 ? ", " : "", i + 1);
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                "--condition: expected one average of that name, found several of \"%s\": "
                "numbers %s, which --condition takes too",
                condition, numbers->str);
    return false;
}

// The average of a name, or of a number from 1 where none has that name; n_parts: there is none.
// *n: how many have the name.
static size_t find_average(const struct sensors *sensors, const char *condition, size_t *n)
{
    size_t found = sensors->n_parts;
    *n = 0;
    for (size_t i = sensors->n_parts; i-- > 0;) {
        const struct part *part = &sensors->part[i];
        bool fits = condition == NULL ? !part->is_error : strcmp(part->name, condition) == 0;
        found = fits ? i : found;
        *n += fits;
    }
    guint64 number = 0;
    if (*n > 0 || condition == NULL ||
        !g_ascii_string_to_unsigned(condition, 10, 1, sensors->n_parts, &number, NULL))
        return found;
    *n = 1;
    return (size_t) number - 1;
}

static bool choose_average(struct sources *sources, size_t *best, GError **error)
{
    const struct sensors *sensors = sources->recording->sensors;
    const char *condition = sources->options->condition;
    size_t n = 0;
    *best = find_average(sensors, condition, &n);
    if (condition != NULL && n > 1)
        return refuse_twins(sources, condition, error);
    bool many = n > 1 && !sources->any_condition;
    if (n > 0 && !many && !sensors->part[*best].is_error)
        return true;
    if (n == 0 && condition == NULL)
        io_error_set(error, IO_ERROR_INPUT, sources->recording->path,
                     "expected averages, found their standard errors alone");
    else if (n > 0 && !many)
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--condition: expected an average, found the standard error of one, \"%s\"",
                    sensors->part[*best].name);
    else
        refuse_condition(sources, error);
    return false;
}

// Of parts that are no averages the one with most sensors, then samples.
bool sources_choose_part(struct sources *sources, GError **error)
{
    const struct sensors *sensors = sources->recording->sensors;
    size_t best = 0;
    // Epochs of one event or another have the same channels.
    if (sensors->part[0].n_averaged > 0 && !sensors->is_epochs) {
        if (!choose_average(sources, &best, error))
            return false;
    } else if (!sensors->is_epochs) {
        for (size_t i = 1; i < sensors->n_parts; i++) {
            size_t n = count_usable(sensors, &sensors->part[i]);
            size_t n_best = count_usable(sensors, &sensors->part[best]);
            if (n > n_best || (n == n_best && sensors->part[i].n_time > sensors->part[best].n_time))
                best = i;
        }
    }
    recording_choose(sources->recording, best);
    return true;
}

static bool open_recording(struct sources *sources, GError **error)
{
    sources->recording = recording_open(sources->options->recording, &sources->host->io, error);
    if (sources->recording == NULL)
        return false;
    warn_all(sources, sources->recording->path, sources->recording->warnings);
    if (sources->recording->sensors != NULL)
        return sources_choose_part(sources, error);
    io_error_set(error, IO_ERROR_INPUT, sources->recording->path,
                 "expected a recording of MEG or EEG sensors, found %s",
                 sources->recording->format);
    return false;
}

bool sources_choose_channels(struct sources *sources, GError **error)
{
    if (sources->recording != NULL)
        list_channels_of_recording(sources);
    else
        list_channels_of_covariance(sources);
    return unite_bads(sources, error) && sources_gate_units(sources, error) &&
           choose_channels(sources, error) && sources_gate(sources, error) &&
           sources_make_projector(sources, error) && sources_find_space(sources, error);
}

bool sources_read(struct sources *sources, GError **error)
{
    const struct sources_options *options = sources->options;
    const struct io_context *io = &sources->host->io;
    if (options->recording != NULL && !open_recording(sources, error))
        return false;
    sources->covariance = sources_noise_is_of_baseline(sources)
                              ? sources_noise_begin(sources, error)
                              : fif_covariance_read(options->noise_cov, io, error);
    if (sources->covariance == NULL)
        return false;
    warn_all(sources, sources->covariance->path, sources->covariance->warnings);
    sources->forward = fif_forward_read(options->forward, io, error);
    if (sources->forward == NULL)
        return false;
    warn_all(sources, sources->forward->path, sources->forward->warnings);
    if (!sources_plan_forward(sources, error))
        return false;
    return sources_choose_channels(sources, error);
}
