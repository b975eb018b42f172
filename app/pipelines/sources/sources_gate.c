// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/sources/sources_gate.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#define SHARED_ENOUGH   0.8   // of the good channels of a group
#define HEAD_MOVED_MM   5.0   // between recording and forward solution
#define WHITENED_MOST   300.0 // rms of whitened data, noise: 1
#define WHITENED_LEAST  1e-3  // an average of a million trials
#define PARTS_ARE_NAMED 4     // channels in a message

static const char *path_of(const struct sources *sources)
{
    return sources->recording == NULL ? sources->covariance->path : sources->recording->path;
}

static const char *unit_of_kind(enum channel_kind kind)
{
    return kind == CHANNEL_EEG ? "V" : kind == CHANNEL_GRAD ? "T/m" : "T";
}

// A channel that is no sensor by its own word is left out; one that knows nothing is not.
static bool may_be_sensor(enum channel_kind kind)
{
    return kind == CHANNEL_MAG || kind == CHANNEL_GRAD || kind == CHANNEL_EEG ||
           kind == CHANNEL_MISC;
}

static bool is_in(char *const *names, size_t n, const char *name)
{
    struct channel_names list = {n, (const char *const *) names};
    return channel_names_find(&list, name) < n;
}

// The unit that a channel should have and has not; NULL: it has it, or does not count.
static const char *missed_unit(const struct sources *sources, const struct channel *channel)
{
    const struct forward *forward = sources->forward;
    struct channel_names known = {forward->n_channels, (const char *const *) forward->names};
    size_t at = channel_names_find(&known, channel->name);
    if (at == known.n || !may_be_sensor(channel->kind) ||
        is_in(sources->bads, g_strv_length(sources->bads), channel->name) ||
        !is_in(sources->covariance->names, sources->covariance->n, channel->name))
        return NULL;
    const char *unit = unit_of_kind(forward->kinds[at]);
    return strcmp(channel->unit, unit) == 0 ? NULL : unit;
}

bool sources_gate_units(const struct sources *sources, GError **error)
{
    if (sources->recording == NULL)
        return true;
    const struct sensors *sensors = sources->recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    const struct channel *first = NULL;
    const char *unit = NULL;
    g_autoptr(GString) names = g_string_new(NULL);
    size_t n = 0;
    for (size_t i = 0; i < part->n_channels; i++) {
        const struct channel *channel = &sensors->channel[part->channel[i]];
        const char *missed = missed_unit(sources, channel);
        if (missed == NULL)
            continue;
        if (n < PARTS_ARE_NAMED)
            g_string_append_printf(names, "%s%s", n > 0 ? ", " : "", channel->name);
        first = n == 0 ? channel : first;
        unit = n == 0 ? missed : unit;
        n++;
    }
    if (first == NULL)
        return true;
    if (n > PARTS_ARE_NAMED)
        g_string_append_printf(names, " and %zu others", n - PARTS_ARE_NAMED);
    const char *found = *first->unit != '\0' ? first->unit : first->stored_unit;
    io_error_set(error, IO_ERROR_INPUT, sources->recording->path,
                 "channels: %s: expected values in %s, found %s%s%s (units in *_channels.tsv tell, "
                 "--bads leaves channels out)",
                 names->str, unit, *found == '\0' ? "no unit" : "\"", found,
                 *found == '\0' ? "" : "\"");
    return false;
}

// Shared channels.

static bool is_of_group(enum sensor_kind kind, enum sensor_group group)
{
    return kind != SENSOR_OTHER && (kind == SENSOR_EEG) == (group == GROUP_EEG);
}

static void warn_of_few(const struct sources *sources, enum sensor_group group,
                        enum channel_fate missing, const char *path, size_t n_in_file)
{
    size_t n_good = 0, n_missing = 0;
    for (size_t i = 0; i < sources->channels.n; i++) {
        enum channel_fate fate = sources->choice->fate[i];
        if (!is_of_group(sources->channels.kind[i], group) || fate == CHANNEL_BAD)
            continue;
        n_good++;
        n_missing += fate == missing;
    }
    if (n_missing == 0 || (double) (n_good - n_missing) >= SHARED_ENOUGH * (double) n_good)
        return;
    host_warning(sources->host,
                 "%s: channels: has %zu of the %zu good %s channels of the recording (and %zu in "
                 "all): the others are left out",
                 path, n_good - n_missing, n_good, sensor_group_name(group), n_in_file);
}

static void check_shared_channels(const struct sources *sources)
{
    if (sources->recording == NULL)
        return;
    for (size_t g = 0; g < SENSOR_GROUPS; g++) {
        if (!sources_noise_is_of_baseline(sources))
            warn_of_few(sources, (enum sensor_group) g, CHANNEL_WITHOUT_NOISE,
                        sources->covariance->path, sources->covariance->n);
        warn_of_few(sources, (enum sensor_group) g, CHANNEL_WITHOUT_LEADFIELD,
                    sources->forward->path, sources->forward->n_channels);
    }
}

// MEG.

static size_t count_group(const struct sources *sources, enum sensor_group group)
{
    size_t n = 0;
    for (size_t i = 0; i < sources->choice->n; i++)
        n += is_of_group(sources->choice->kind[i], group);
    return n;
}

static bool check_compensation(const struct sources *sources, GError **error)
{
    const struct sensors *sensors = sources->recording->sensors;
    const struct forward *forward = sources->forward;
    if (sensors->compensation_grade == forward->compensation_grade)
        return true;
    io_error_set(error, IO_ERROR_INPUT, forward->path,
                 "compensation: expected grade %d, that of %s, found grade %d: one has to be "
                 "computed for the other",
                 sensors->compensation_grade, sources->recording->path,
                 forward->compensation_grade);
    return false;
}

// How far a point 9 cm above the middle of the helmet lies from itself in the other head.
static void check_head(const struct sources *sources)
{
    const struct sensors *sensors = sources->recording->sensors;
    const struct forward *forward = sources->forward;
    if (!sensors->has_device_to_head || !forward->has_device_to_head)
        return;
    double a[3] = {0.0, 0.0, 0.09}, b[3] = {0.0, 0.0, 0.09}, distance2 = 0.0;
    leadfield_move_points(sensors->device_to_head, a, 1);
    leadfield_move_points(forward->device_to_head, b, 1);
    for (size_t i = 0; i < 3; i++)
        distance2 += (a[i] - b[i]) * (a[i] - b[i]);
    if (1e3 * sqrt(distance2) > HEAD_MOVED_MM)
        host_warning(sources->host,
                     "%s: head: its sensors lie %.0f mm from where they are in %s (device to head "
                     "transforms differ)",
                     forward->path, 1e3 * sqrt(distance2), sources->recording->path);
}

// EEG.

static bool is_reference(const struct projector *projector)
{
    return projector->reference || strcmp(projector->name, "Average EEG reference") == 0;
}

static bool has_reference(const struct sources *sources)
{
    bool found = false;
    const GPtrArray *lists[] = {
        sources->recording == NULL ? NULL : sources->recording->sensors->projectors,
        sources->covariance->projectors};
    for (size_t l = 0; l < G_N_ELEMENTS(lists); l++)
        for (guint i = 0; lists[l] != NULL && i < lists[l]->len; i++)
            found = found || is_reference(lists[l]->pdata[i]);
    return found;
}

static bool check_custom_reference(const struct sources *sources, GError **error)
{
    const char *path = sources->recording->path;
    int custom = sources->recording->sensors->custom_reference;
    bool asked = sources->options->reference != REFERENCE_DEFAULT;
    if (custom == REFERENCE_AS_RECORDED || (custom == REFERENCE_CUSTOM && asked))
        return true;
    if (custom == REFERENCE_CUSTOM)
        io_error_set(error, IO_ERROR_INPUT, path,
                     "reference: expected EEG as recorded or with an average reference projector, "
                     "found a custom reference (--reference average, if one potential was "
                     "subtracted from all channels)");
    else
        io_error_set(error, IO_ERROR_INPUT, path,
                     "reference: expected potentials, found EEG of current source density");
    return false;
}

static bool check_reference(struct sources *sources, GError **error)
{
    if (sources->recording != NULL && !check_custom_reference(sources, error))
        return false;
    bool has = has_reference(sources);
    sources->has_reference = has;
    bool wanted = sources->options->reference != REFERENCE_NONE;
    sources->adds_reference = wanted && !has;
    if (sources->recording == NULL)
        return true;
    size_t n = count_group(sources, GROUP_EEG);
    if (sources->adds_reference)
        host_warning(sources->host,
                     "%s: reference: EEG has no average reference: applied as a projector over %zu "
                     "channels (--reference none leaves it out)",
                     path_of(sources), n);
    else if (!has)
        host_warning(sources->host,
                     "%s: reference: EEG has no average reference, as asked for: the forward "
                     "solution has to be of the same reference",
                     path_of(sources));
    return true;
}

const char *sources_reference_text(const struct sources *sources)
{
    if (count_group(sources, GROUP_EEG) == 0)
        return NULL;
    return sources->has_reference    ? "average, a projector of the files"
           : sources->adds_reference ? "average, a projector that was added"
                                     : "as recorded";
}

bool sources_gate_reference(const struct sources *sources, const struct channel_names *names,
                            double *vector, struct projection *projection)
{
    if (!sources->adds_reference)
        return false;
    for (size_t i = 0; i < names->n; i++)
        vector[i] = sources->choice->kind[i] == SENSOR_EEG ? 1.0 : 0.0;
    *projection = (struct projection){.name = "Average EEG reference",
                                      .is_reference = true,
                                      .n_vectors = 1,
                                      .channels = *names,
                                      .vectors = vector};
    return true;
}

// Source spaces.

static void check_orientation(struct sources *sources)
{
    const struct forward *forward = sources->forward;
    size_t n_surface = 0;
    for (size_t s = 0; s < forward->n_spaces; s++)
        if (forward->space[s].type == SOURCE_SURFACE)
            n_surface += forward->space[s].n_in_use;
    size_t n_others = forward->n_sources - n_surface;
    if (n_others == 0)
        return;
    if (sources->orient_by_space) {
        if (n_surface == 0)
            sources->orientation = ORIENTATION_FREE;
        host_info(sources->host,
                  "%s: orientation: free at %zu positions of volumes or points, which have no "
                  "surface",
                  forward->path, n_others);
    } else if (sources->orientation != ORIENTATION_FREE) {
        host_warning(sources->host,
                     "%s: orientation: %s at %zu positions of volumes or points, whose normals "
                     "mean nothing (--orient free)",
                     forward->path, sources->orientation == ORIENTATION_FIXED ? "fixed" : "loose",
                     n_others);
    }
}

bool sources_gate(struct sources *sources, GError **error)
{
    check_shared_channels(sources);
    check_orientation(sources);
    if (count_group(sources, GROUP_EEG) > 0 && !check_reference(sources, error))
        return false;
    if (sources->recording == NULL || count_group(sources, GROUP_MEG) == 0)
        return true;
    check_head(sources);
    return check_compensation(sources, error);
}

void sources_gate_scale(const struct sources *sources)
{
    size_t n = sources->whitener->rank * sources->window.n_time;
    if (sources->whitened == NULL || n == 0)
        return;
    double rms = cblas_dnrm2((int) n, sources->whitened, 1) / sqrt((double) n);
    if (rms > WHITENED_LEAST && rms < WHITENED_MOST)
        return;
    host_warning(sources->host,
                 "%s: whitened data have an rms of %.3g where noise has 1: are data and noise "
                 "covariance in one unit%s?",
                 path_of(sources), rms, rms > 1.0 ? ", and levels taken out (--baseline)" : "");
}
