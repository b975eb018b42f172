// SPDX-License-Identifier: BSD-3-Clause
#include "app/host/warnings.h"

#include <string.h>

static void warning_free(void *data)
{
    struct warning *warning = data;
    g_free(warning->text);
    g_free(warning);
}

void warnings_init(struct warnings *warnings)
{
    warnings->all = g_ptr_array_new_with_free_func(warning_free);
}

void warnings_clear(struct warnings *warnings)
{
    if (warnings->all != NULL)
        g_ptr_array_unref(warnings->all);
    warnings->all = NULL;
}

static void append(struct warnings *warnings, const char *text, size_t count)
{
    struct warning *warning = g_new0(struct warning, 1);
    *warning = (struct warning){g_strdup(text), count};
    g_ptr_array_add(warnings->all, warning);
}

void warnings_copy(struct warnings *warnings, const struct warnings *from)
{
    warnings_init(warnings);
    for (guint i = 0; i < from->all->len; i++) {
        const struct warning *warning = g_ptr_array_index(from->all, i);
        append(warnings, warning->text, warning->count);
    }
}

static struct warning *find(const struct warnings *warnings, const char *text)
{
    for (guint i = 0; i < warnings->all->len; i++) {
        struct warning *warning = g_ptr_array_index(warnings->all, i);
        if (strcmp(warning->text, text) == 0)
            return warning;
    }
    return NULL;
}

void warnings_tell(struct warnings *warnings, const struct host *host, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    struct warning *warning = find(warnings, text);
    if (warning != NULL) {
        warning->count++;
        return;
    }
    append(warnings, text, 1);
    host_warning(host, "%s", text);
}

JsonArray *warnings_to_json(const struct warnings *warnings)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < warnings->all->len; i++) {
        const struct warning *warning = g_ptr_array_index(warnings->all, i);
        g_autofree char *text = g_utf8_make_valid(warning->text, -1);
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "text", text);
        json_object_set_int_member(object, "count", (gint64) warning->count);
        json_array_add_object_element(array, object);
    }
    return array;
}
