// SPDX-License-Identifier: BSD-3-Clause
// What is told of options: help, templates and dumps; and the words that GOption reads for them.
#include "app/settings/options.h"

#include "app/host/app_error.h"

#include <string.h>

char *options_range(const struct option *row)
{
    char low[G_ASCII_DTOSTR_BUF_SIZE], high[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(low, sizeof low, "%.15g", row->low);
    g_ascii_formatd(high, sizeof high, "%.15g", row->high);
    const char *unit = row->unit == NULL ? "" : row->unit, *blank = row->unit == NULL ? "" : " ";
    bool above = (row->flags & OPTION_ABOVE) != 0, below = (row->flags & OPTION_BELOW) != 0;
    if (row->high >= G_MAXDOUBLE)
        return g_strdup_printf("%s %s%s%s", above ? "above" : "from", low, blank, unit);
    if (!above)
        return g_strdup_printf("%s..%s%s%s", low, high, blank, unit);
    return g_strdup_printf("above %s and %s %s%s%s", low, below ? "below" : "at most", high, blank,
                           unit);
}

// "S" in --tr S.
static char *metavar_of(const struct option *row)
{
    return row->metavar != NULL ? g_strdup(row->metavar) : options_choices(row);
}

char *options_describe(const struct option *row)
{
    if ((row->type == OPTION_COUNT && row->choices == NULL) || row->type == OPTION_NUMBER)
        return options_range(row);
    if (row->type == OPTION_FLAG)
        return g_strdup("true|false");
    g_autofree char *values = row->type == OPTION_METHOD || row->type == OPTION_CHOICES
                                  ? options_choices(row)
                                  : metavar_of(row);
    return g_strconcat(values, row->unit == NULL ? "" : " ", row->unit, NULL);
}

char *options_help(const struct option *row)
{
    g_autofree char *methods = row->type == OPTION_METHOD ? options_choices(row) : g_strdup("");
    bool tells = row->fallback != NULL && row->type != OPTION_FLAG;
    return g_strconcat(row->help, *methods == '\0' ? "" : ": ", methods, tells ? " (default: " : "",
                       tells ? row->fallback : "", tells ? ")" : "", NULL);
}

static void append_group(GString *out, const char *name, const char **group)
{
    if (g_strcmp0(name, *group) != 0)
        g_string_append_printf(out, "\n[%s]\n", name);
    *group = name;
}

static void append_value(GString *out, const struct option *row, const char *value)
{
    g_autofree char *key = options_key(row);
    const char *text = value == NULL ? "" : value;
    g_string_append_printf(out, "%s =%s%s\n", key, *text == '\0' ? "" : " ", text);
}

char *options_template(const struct option_table *table)
{
    GString *out = g_string_new(
        "# Settings of `taut run`. A line is empty, a comment, a [group] or \"key = value\".\n"
        "# What is left out has the value shown here; a value left empty is not set.\n");
    g_autoptr(owned_options) options = options_new(table);
    const char *group = NULL;
    for (size_t i = 0; i < options->n; i++) {
        const struct option *row = options->slots[i].row;
        const char *name = options_group(table, row);
        if (name == NULL)
            continue;
        append_group(out, name, &group);
        g_autofree char *values = options_describe(row);
        g_string_append_printf(out, "# %s (%s)%s\n", row->help, values,
                               (row->flags & OPTION_REQUIRED) != 0 ? ", required" : "");
        append_value(out, row, row->fallback);
    }
    return g_string_free(out, FALSE);
}

char *options_dump(const struct options *options, const char *comment)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(comment == NULL ? "" : comment, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        g_string_append_printf(out, "# %s\n", *line);
    const char *group = NULL;
    for (size_t i = 0; i < options->n; i++) {
        const struct option_slot *slot = &options->slots[i];
        const char *name = options_group(options->table, slot->row);
        if (name == NULL)
            continue;
        append_group(out, name, &group);
        g_autofree char *value = options_quote(slot);
        append_value(out, slot->row, value);
    }
    return g_string_free(out, FALSE);
}

char *options_sha256(const struct options *options)
{
    g_autoptr(GString) all = g_string_new(NULL);
    for (size_t i = 0; i < options->n; i++) {
        const struct option_slot *slot = &options->slots[i];
        const char *group = options_group(options->table, slot->row);
        if (group == NULL)
            continue;
        g_autofree char *key = options_key(slot->row);
        g_autofree char *value = options_quote(slot);
        bool path = slot->row->type == OPTION_FILE && strchr(value, '/') != NULL;
        g_string_append_printf(all, "%s.%s=%s\n", group, key, path ? "(file)" : value);
    }
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, (gssize) all->len);
}

struct option_words *option_words_new(const struct options *options)
{
    struct option_words *words = g_new0(struct option_words, 1);
    size_t n = words->n = options->n;
    words->entries = g_new0(GOptionEntry, n + 1);
    words->text = g_new0(char *, n);
    words->list = g_new0(char **, n);
    words->flag = g_new0(gboolean, n);
    words->help = g_new0(char *, 2 * n);
    GOptionEntry *entry = words->entries;
    for (size_t i = 0; i < n; i++) {
        const struct option *row = options->slots[i].row;
        if (row->name == NULL || (row->flags & OPTION_ARGUMENT) != 0)
            continue;
        bool flag = row->type == OPTION_FLAG, list = row->type == OPTION_REPEATED;
        words->help[2 * i] = options_help(row);
        words->help[2 * i + 1] = flag ? NULL : metavar_of(row);
        // Not ..._ARG_STRING, which refuses names of files that are not in the locale's encoding.
        *entry++ = (GOptionEntry){.long_name = row->name,
                                  .short_name = row->letter,
                                  .arg = flag   ? G_OPTION_ARG_NONE
                                         : list ? G_OPTION_ARG_FILENAME_ARRAY
                                                : G_OPTION_ARG_FILENAME,
                                  .arg_data = flag   ? (void *) &words->flag[i]
                                              : list ? (void *) &words->list[i]
                                                     : (void *) &words->text[i],
                                  .description = words->help[2 * i],
                                  .arg_description = words->help[2 * i + 1]};
    }
    return words;
}

void option_words_free(struct option_words *words)
{
    if (words == NULL)
        return;
    for (size_t i = 0; i < words->n; i++) {
        g_free(words->text[i]);
        g_strfreev(words->list[i]);
        g_free(words->help[2 * i]);
        g_free(words->help[2 * i + 1]);
    }
    g_free(words->entries);
    g_free(words->text);
    g_free(words->list);
    g_free(words->flag);
    g_free(words->help);
    g_free(words);
}

bool options_take_words(struct options *options, const struct option_words *words, GError **error)
{
    for (size_t i = 0; i < options->n; i++)
        if (options->slots[i].row->type == OPTION_CONFIG && words->text[i] != NULL &&
            !options_load(options, words->text[i], error))
            return false;
    for (size_t i = 0; i < options->n; i++) {
        struct option_slot *slot = &options->slots[i];
        if (words->flag[i])
            options_give(options, slot, "true");
        else if (words->list[i] != NULL)
            options_give_all(options, slot, g_strv_length(words->list[i]), words->list[i]);
        else if (words->text[i] != NULL)
            options_give(options, slot, words->text[i]);
    }
    if (options->table->given != NULL)
        options->table->given(options);
    return true;
}

bool options_take_arguments(struct options *options, int n, char *const *arguments, GError **error)
{
    int taken = 0;
    for (size_t i = 0; i < options->n && taken < n; i++) {
        struct option_slot *slot = &options->slots[i];
        if ((slot->row->flags & OPTION_ARGUMENT) == 0)
            continue;
        bool list = slot->row->type == OPTION_REPEATED;
        if (list)
            options_give_all(options, slot, (size_t) (n - taken), arguments + taken);
        else
            options_give(options, slot, arguments[taken]);
        taken = list ? n : taken + 1;
    }
    if (taken < n)
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "%s: unexpected argument \"%s\"",
                    options->table->command, arguments[taken]);
    return taken == n;
}

void options_list(const struct option_table *table, GString *out)
{
    g_autoptr(owned_options) options = options_new(table);
    for (size_t i = 0; i < options->n; i++) {
        const struct option *row = options->slots[i].row;
        bool argument = (row->flags & OPTION_ARGUMENT) != 0, flag = row->type == OPTION_FLAG;
        if (row->name == NULL && !argument)
            continue;
        g_autofree char *values = flag ? NULL : metavar_of(row);
        g_autofree char *choices = flag ? NULL : options_choices(row);
        g_autofree char *help = options_help(row);
        const char *cells[] = {table->command,
                               table->kind,
                               argument ? NULL : "--",
                               row->letter != 0 ? (const char[]){'-', row->letter, '\0'} : NULL,
                               values,
                               choices,
                               help};
        for (size_t k = 0; k < G_N_ELEMENTS(cells); k++)
            g_string_append_printf(out, "%s%s%s", k == 0 ? "" : "\t",
                                   cells[k] == NULL ? "" : cells[k],
                                   k == 2 && !argument ? row->name : "");
        g_string_append_c(out, '\n');
    }
}
