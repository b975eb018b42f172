// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/info_fif.h"

#include "app/command.h"
#include "app/commands/info_sensors.h"
#include "io/fif_covariance.h"
#include "io/fif_forward.h"
#include "io/fif_sensors.h"
#include "io/text.h"

#include <stdio.h>

struct info_fif {
    struct forward *forward;       // owned; or
    struct covariance *covariance; // owned
};

void info_fif_free(struct info_fif *info)
{
    if (info == NULL)
        return;
    fif_forward_free(info->forward);
    fif_covariance_free(info->covariance);
    g_free(info);
}

struct info_fif *info_fif_read(const char *path, const struct io_context *io, GError **error)
{
    g_autoptr(owned_gz) stream = gz_open(path, NULL);
    uint8_t head[FIF_HEADER_BYTES];
    size_t n = 0;
    if (stream == NULL || gz_read(stream, head, sizeof head, &n) != GZ_OK ||
        !fif_recognise(head, n))
        return NULL;
    gz_rewind(stream);
    g_autoptr(owned_fif) fif = fif_open(path, g_steal_pointer(&stream), io, NULL);
    enum fif_contents contents = fif == NULL ? FIF_CONTENTS_OTHER : fif_contents(fif);
    if (contents != FIF_CONTENTS_FORWARD && contents != FIF_CONTENTS_COVARIANCE)
        return NULL;
    g_clear_error(error);
    g_autoptr(owned_info_fif) info = g_new0(struct info_fif, 1);
    if (contents == FIF_CONTENTS_FORWARD)
        info->forward = fif_forward_of(fif, io, error);
    else
        info->covariance = fif_covariance_of(fif, io, error);
    return info->forward == NULL && info->covariance == NULL ? NULL : g_steal_pointer(&info);
}

static size_t count_kind(const struct forward *forward, enum channel_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < forward->n_channels; i++)
        n += forward->kinds[i] == kind;
    return n;
}

static const char *space_name(const struct source_space *space)
{
    if (space->type == SOURCE_VOLUME)
        return "volume";
    if (space->type == SOURCE_DISCRETE)
        return "points";
    return space->id == SOURCE_LEFT    ? "left hemisphere"
           : space->id == SOURCE_RIGHT ? "right hemisphere"
                                       : "surface";
}

static const char *frame_name(int32_t frame)
{
    return frame == FIF_FRAME_HEAD ? "head" : "mri";
}

static void print_forward(const struct forward *forward)
{
    g_autofree char *name = text_escape(forward->path);
    printf("%s\n  format       FIF forward solution%s\n", name,
           forward->compressed ? ", gzip" : "");
    printf("  channels     %zu", forward->n_channels);
    const char *separator = ": ";
    for (int kind = 0; kind < CHANNEL_KINDS; kind++) {
        size_t n = count_kind(forward, (enum channel_kind) kind);
        if (n == 0)
            continue;
        printf("%s%zu %s", separator, n, channel_kind_name((enum channel_kind) kind));
        separator = ", ";
    }
    printf("\n  sources      %zu, %s orientation (%zu columns)\n", forward->n_sources,
           forward->is_fixed ? "fixed" : "free", fif_forward_axes(forward) * forward->n_sources);
    printf("  frame        %s\n", frame_name(forward->frame));
    for (size_t i = 0; i < forward->n_spaces; i++) {
        const struct source_space *space = &forward->space[i];
        printf("  space        %s: %zu of %zu points in use%s\n", space_name(space),
               space->n_in_use, space->n_points, space->nearest != NULL ? ", with patches" : "");
    }
}

static void print_names(const char *title, char **names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        g_autofree char *name = text_escape(names[i]);
        printf("%s%s", i == 0 ? title : ", ", name);
    }
    if (names[0] != NULL)
        putchar('\n');
}

static void print_covariance(const struct covariance *covariance)
{
    g_autofree char *name = text_escape(covariance->path);
    printf("%s\n  format       FIF noise covariance%s\n", name,
           covariance->compressed ? ", gzip" : "");
    printf("  channels     %zu, %s\n", covariance->n,
           covariance->matrix != NULL ? "full" : "diagonal");
    if (covariance->n_free > 0)
        printf("  samples      %d\n", covariance->n_free);
    print_names("  bad          ", covariance->bads);
    info_projectors_print(covariance->projectors);
}

static const GPtrArray *warnings_of(const struct info_fif *info)
{
    return info->forward != NULL ? info->forward->warnings : info->covariance->warnings;
}

void info_fif_print(const struct info_fif *info)
{
    if (info->forward != NULL)
        print_forward(info->forward);
    else
        print_covariance(info->covariance);
    const GPtrArray *warnings = warnings_of(info);
    for (guint i = 0; i < warnings->len; i++)
        app_tell("  warning      %s\n", (char *) warnings->pdata[i]);
}

static JsonArray *texts_json(char **texts, size_t n)
{
    JsonArray *array = json_array_new();
    for (size_t i = 0; i < n; i++) {
        g_autofree char *valid = text_escape(texts[i]);
        json_array_add_string_element(array, valid);
    }
    return array;
}

static JsonArray *spaces_json(const struct forward *forward)
{
    JsonArray *array = json_array_new();
    for (size_t i = 0; i < forward->n_spaces; i++) {
        const struct source_space *space = &forward->space[i];
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "name", space_name(space));
        json_object_set_int_member(object, "id", space->id);
        json_object_set_int_member(object, "n_points", (gint64) space->n_points);
        json_object_set_int_member(object, "n_in_use", (gint64) space->n_in_use);
        json_object_set_boolean_member(object, "patches", space->nearest != NULL);
        json_array_add_object_element(array, object);
    }
    return array;
}

static void set_forward(JsonObject *object, const struct forward *forward)
{
    json_object_set_string_member(object, "format", "FIF forward solution");
    json_object_set_boolean_member(object, "compressed", forward->compressed);
    json_object_set_int_member(object, "n_channels", (gint64) forward->n_channels);
    JsonObject *kinds = json_object_new();
    for (int kind = 0; kind < CHANNEL_KINDS; kind++) {
        size_t n = count_kind(forward, (enum channel_kind) kind);
        if (n > 0)
            json_object_set_int_member(kinds, channel_kind_name((enum channel_kind) kind),
                                       (gint64) n);
    }
    json_object_set_object_member(object, "kinds", kinds);
    json_object_set_int_member(object, "n_sources", (gint64) forward->n_sources);
    json_object_set_string_member(object, "orientation", forward->is_fixed ? "fixed" : "free");
    json_object_set_string_member(object, "frame", frame_name(forward->frame));
    json_object_set_array_member(object, "spaces", spaces_json(forward));
    json_object_set_array_member(object, "names", texts_json(forward->names, forward->n_channels));
}

static void set_covariance(JsonObject *object, const struct covariance *covariance)
{
    json_object_set_string_member(object, "format", "FIF noise covariance");
    json_object_set_boolean_member(object, "compressed", covariance->compressed);
    json_object_set_int_member(object, "n_channels", (gint64) covariance->n);
    json_object_set_boolean_member(object, "diagonal", covariance->matrix == NULL);
    json_object_set_int_member(object, "n_free", covariance->n_free);
    json_object_set_array_member(object, "bads",
                                 texts_json(covariance->bads, g_strv_length(covariance->bads)));
    json_object_set_array_member(object, "projectors",
                                 info_projectors_json(covariance->projectors));
    json_object_set_array_member(object, "names", texts_json(covariance->names, covariance->n));
}

JsonObject *info_fif_json(const struct info_fif *info)
{
    JsonObject *object = json_object_new();
    const char *path = info->forward != NULL ? info->forward->path : info->covariance->path;
    g_autofree char *name = text_escape(path);
    json_object_set_string_member(object, "path", name);
    json_object_set_boolean_member(object, "usable", TRUE);
    if (info->forward != NULL)
        set_forward(object, info->forward);
    else
        set_covariance(object, info->covariance);
    const GPtrArray *warnings = warnings_of(info);
    json_object_set_array_member(object, "flags", json_array_new());
    json_object_set_array_member(object, "warnings",
                                 texts_json((char **) warnings->pdata, warnings->len));
    return object;
}
