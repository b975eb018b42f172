// SPDX-License-Identifier: BSD-3-Clause
#include "io/metadata.h"

#include "io/sidecar.h"

#include <math.h>
#include <string.h>

static const double TR_CONFLICT_S = 1e-3;

void metadata_free(struct metadata *metadata)
{
    if (metadata == NULL)
        return;
    if (metadata->json != NULL)
        json_object_unref(metadata->json);
    g_ptr_array_unref(metadata->sidecars);
    g_ptr_array_unref(metadata->warnings);
    g_free(metadata);
}

G_GNUC_PRINTF(2, 3)
static void warn(struct metadata *metadata, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(metadata->warnings, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

/** Whether what is wrong is only to be told, because the repetition time was given. */
static bool tolerate(struct metadata *metadata, double given_tr_s, GError *problem, GError **error)
{
    if (given_tr_s > 0.0) {
        warn(metadata, "left out: %s", problem->message);
        g_error_free(problem);
        return true;
    }
    g_propagate_error(error, problem);
    return false;
}

static bool read_sidecars(struct metadata *metadata, const char *image, const char *sidecar,
                          double given_tr_s, GError **error)
{
    GError *problem = NULL;
    if (sidecar == NULL)
        metadata->sidecars = sidecar_find(image);
    else {
        metadata->sidecars = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(metadata->sidecars, g_strdup(sidecar));
    }
    metadata->json = sidecar_read_merged(metadata->sidecars, &problem);
    return problem == NULL || tolerate(metadata, given_tr_s, problem, error);
}

static bool is_number(JsonNode *node, double *value)
{
    GType type =
        node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_NONE;
    if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
        return false;
    *value = json_node_get_double(node);
    return isfinite(*value);
}

/** The times of the frames, in seconds; NULL: there are none. To be freed. */
static double *volume_times(JsonObject *json, size_t *n)
{
    JsonNode *node = json_object_get_member(json, "VolumeTiming");
    if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node))
        return NULL;
    JsonArray *array = json_node_get_array(node);
    *n = json_array_get_length(array);
    g_autofree double *times_s = g_new(double, *n + 1);
    for (size_t i = 0; i < *n; i++)
        if (!is_number(json_array_get_element(array, (guint) i), &times_s[i]))
            return NULL;
    return g_steal_pointer(&times_s);
}

/** The step of VolumeTiming; 0 where there is none. Error: the steps are not equal. */
static bool volume_interval(const struct recording *recording, JsonObject *json, double *step_s,
                            GError **error)
{
    size_t n = 0;
    g_autofree double *times_s = volume_times(json, &n);
    *step_s = 0.0;
    if (times_s == NULL || n < 2)
        return true;
    if (n != recording->n_time) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "sidecar: VolumeTiming: expected a time for each of %zu frames, found %zu",
                     recording->n_time, n);
        return false;
    }
    double step = (times_s[n - 1] - times_s[0]) / (double) (n - 1), first = times_s[1] - times_s[0];
    for (size_t i = 1; i < n; i++) {
        double own = times_s[i] - times_s[i - 1];
        if (own > 0.0 && fabs(own - first) <= TR_CONFLICT_S)
            continue;
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "sidecar: VolumeTiming: expected frames at equal distances, found %g s at the "
                     "beginning, and %g s between frames %zu and %zu (sparse or clustered scans "
                     "cannot be deconvolved frame by frame; --tr S takes them as equal)",
                     first, own, i - 1, i);
        return false;
    }
    *step_s = step;
    return true;
}

/** "0.002 s in the header (2 labelled ms: seconds?)". To be freed. */
static char *describe_tr(const struct recording *recording, double tr_s, const char *source)
{
    double stored = recording->stored_interval;
    bool header = g_str_equal(source, "header");
    bool plausible = stored >= SHORTEST_TR_S && stored <= LONGEST_TR_S;
    if (header && plausible && !g_str_equal(recording->stored_unit, "s"))
        return g_strdup_printf("%g s in the header (%g labelled %s: seconds?)", tr_s, stored,
                               recording->stored_unit);
    bool thousandfold = tr_s > LONGEST_TR_S && tr_s <= 1e3 * LONGEST_TR_S;
    return g_strdup_printf("%g s in the %s%s", tr_s, source,
                           thousandfold ? " (milliseconds?)" : "");
}

/** What the header has instead of a repetition time. To be freed. */
static char *describe_absence(const struct recording *recording)
{
    double stored = recording->stored_interval;
    if (stored > 0.0 && *recording->stored_unit == '\0')
        return g_strdup_printf("%g without a unit in the header, and none in a sidecar", stored);
    return g_strdup_printf("none in a sidecar, and %g in the header", stored);
}

static bool set_tr_error(const struct recording *recording, const char *found, GError **error)
{
    io_error_set(error, IO_ERROR_INPUT, recording->path,
                 "repetition time: expected %g to %g s, found %s (--tr S gives it)", SHORTEST_TR_S,
                 LONGEST_TR_S, found);
    return false;
}

/** The header's interval in seconds, plausible or not; 0: it has none. */
static double header_interval(const struct recording *recording)
{
    double stored = recording->stored_interval;
    const char *unit = recording->stored_unit;
    double per_s = unit == NULL || *unit == '\0' ? 0.0
                   : *unit == 's'                ? 1.0
                   : *unit == 'm'                ? 1e3
                                                 : 1e6;
    return per_s > 0.0 && isfinite(stored) && stored > 0.0 ? stored / per_s : 0.0;
}

/** Where a repetition time may come from, the first that has one being the one. */
struct tr_source {
    const char *name;
    double tr_s; // 0: none
};

static void choose_tr(struct metadata *metadata, const struct tr_source *sources, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!(sources[i].tr_s > 0.0))
            continue;
        if (metadata->source == NULL) {
            metadata->tr_s = sources[i].tr_s;
            metadata->source = sources[i].name;
        } else if (fabs(sources[i].tr_s - metadata->tr_s) > TR_CONFLICT_S)
            warn(metadata, "TR is %g s by the %s, and %g s by the %s: taking the former",
                 metadata->tr_s, metadata->source, sources[i].tr_s, sources[i].name);
    }
}

static bool check_tr(struct metadata *metadata, const struct recording *recording, GError **error)
{
    if (metadata->source == NULL) {
        g_autofree char *found = describe_absence(recording);
        return set_tr_error(recording, found, error);
    }
    bool given = g_str_equal(metadata->source, "option");
    if (!given && !(metadata->tr_s >= SHORTEST_TR_S && metadata->tr_s <= LONGEST_TR_S)) {
        g_autofree char *found = describe_tr(recording, metadata->tr_s, metadata->source);
        return set_tr_error(recording, found, error);
    }
    if (g_str_equal(metadata->source, "header") && metadata->tr_s == 1.0)
        warn(metadata, "TR is exactly 1 s by the header and in no sidecar: many programs write "
                       "that when they do not know it (--tr S gives it)");
    return true;
}

/** The repetition time of the side-cars; 0 where they have none. */
static bool sidecar_tr(const struct recording *recording, JsonObject *json, double *tr_s,
                       GError **error)
{
    GError *problem = NULL;
    double timing_s = 0.0;
    *tr_s = 0.0;
    if (json == NULL)
        return true;
    if (!sidecar_interval(json, tr_s, &problem)) {
        io_error_set(error, IO_ERROR_INPUT, recording->path, "sidecar: %s (--tr S gives it)",
                     problem->message);
        g_error_free(problem);
        return false;
    }
    if (!volume_interval(recording, json, &timing_s, error))
        return false;
    if (*tr_s == 0.0)
        *tr_s = timing_s;
    return true;
}

struct metadata *metadata_new(const struct recording *recording, const char *sidecar,
                              double given_tr_s, GError **error)
{
    g_autoptr(owned_metadata) metadata = g_new0(struct metadata, 1);
    metadata->warnings = g_ptr_array_new_with_free_func(g_free);
    if (!read_sidecars(metadata, recording->path, sidecar, given_tr_s, error))
        return NULL;
    double sidecar_s = 0.0;
    GError *problem = NULL;
    if (!sidecar_tr(recording, metadata->json, &sidecar_s, &problem) &&
        !tolerate(metadata, given_tr_s, problem, error))
        return NULL;
    const struct tr_source sources[] = {
        {"option", given_tr_s}, {"sidecar", sidecar_s}, {"header", header_interval(recording)}};
    choose_tr(metadata, sources, G_N_ELEMENTS(sources));
    return check_tr(metadata, recording, error) ? g_steal_pointer(&metadata) : NULL;
}

/* What outputs carry on */

/** Whether all of a value is numbers and truths. */
static bool is_plain(JsonNode *node)
{
    double number = 0.0;
    if (JSON_NODE_HOLDS_ARRAY(node)) {
        JsonArray *array = json_node_get_array(node);
        for (guint i = 0; i < json_array_get_length(array); i++)
            if (!is_number(json_array_get_element(array, i), &number))
                return false;
        return true;
    }
    return is_number(node, &number) ||
           (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN);
}

/** Whether a value is an axis of the image as BIDS has them: i, j, k, with or without a minus. */
static bool is_axis(JsonNode *node)
{
    static const char *const axes[] = {"i", "i-", "j", "j-", "k", "k-", NULL};
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING &&
           g_strv_contains(axes, json_node_get_string(node));
}

static double number_of(const struct metadata *metadata, const char *name)
{
    double value = 0.0;
    if (metadata->json != NULL)
        is_number(json_object_get_member(metadata->json, name), &value);
    return value;
}

void metadata_carry(const struct metadata *metadata, size_t n_skipped, JsonObject *to)
{
    static const char *const names[] = {"AcquisitionDuration",
                                        "DelayAfterTrigger",
                                        "DelayTime",
                                        "EchoTime",
                                        "EffectiveEchoSpacing",
                                        "FlipAngle",
                                        "MagneticFieldStrength",
                                        "MultibandAccelerationFactor",
                                        "NumberOfVolumesDiscardedByScanner",
                                        "PhaseEncodingDirection",
                                        "SliceEncodingDirection",
                                        "SliceTiming",
                                        "SliceTimingCorrected",
                                        "StartTime",
                                        "TotalReadoutTime"};
    for (size_t i = 0; metadata->json != NULL && i < G_N_ELEMENTS(names); i++) {
        JsonNode *node = json_object_get_member(metadata->json, names[i]);
        if (node != NULL && (is_plain(node) || is_axis(node)))
            json_object_set_member(to, names[i], json_node_copy(node));
    }
    bool has_start = json_object_has_member(to, "StartTime");
    if (has_start || n_skipped > 0)
        json_object_set_double_member(to, "StartTime",
                                      number_of(metadata, "StartTime") +
                                          (double) n_skipped * metadata->tr_s);
    double discarded = number_of(metadata, "NumberOfVolumesDiscardedByUser");
    if (discarded > 0.0 || n_skipped > 0)
        json_object_set_int_member(to, "NumberOfVolumesDiscardedByUser",
                                   (gint64) fmax(discarded, 0.0) + (gint64) n_skipped);
}
