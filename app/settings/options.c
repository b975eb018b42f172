// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings/options.h"

#include "app/host/app_error.h"
#include "io/text.h"

#include <string.h>

struct options *options_new(const struct option_table *table)
{
    struct options *options = g_new0(struct options, 1);
    options->table = table;
    for (const struct option_part *part = table->parts; part->rows != NULL; part++)
        for (const struct option *row = part->rows; row->help != NULL; row++)
            options->n++;
    options->slots = g_new0(struct option_slot, options->n);
    struct option_slot *slot = options->slots;
    for (const struct option_part *part = table->parts; part->rows != NULL; part++)
        for (const struct option *row = part->rows; row->help != NULL; row++)
            *slot++ = (struct option_slot){
                .row = row, .offset = part->offset + row->offset, .text = g_strdup(row->fallback)};
    options->problems = g_ptr_array_new_with_free_func(g_free);
    options->values = g_ptr_array_new_with_free_func(g_free);
    return options;
}

struct options *options_copy(const struct options *options)
{
    struct options *copy = options_new(options->table);
    for (size_t i = 0; i < options->n; i++)
        options_put(&copy->slots[i], options->slots[i].text, options->slots[i].folder);
    return copy;
}

void options_free(struct options *options)
{
    if (options == NULL)
        return;
    for (size_t i = 0; i < options->n; i++) {
        g_free(options->slots[i].text);
        g_free(options->slots[i].folder);
    }
    g_free(options->slots);
    g_ptr_array_unref(options->problems);
    g_ptr_array_unref(options->values);
    g_free(options);
}

const char *options_group(const struct option_table *table, const struct option *row)
{
    if ((row->flags & OPTION_NO_KEY) != 0 || (row->key == NULL && row->name == NULL))
        return NULL;
    return row->group != NULL ? row->group : table->group;
}

char *options_key(const struct option *row)
{
    return row->key != NULL ? g_strdup(row->key) : g_strdelimit(g_strdup(row->name), "-", '_');
}

struct option_slot *options_find_key(const struct options *options, const char *group,
                                     const char *key)
{
    for (size_t i = 0; i < options->n; i++) {
        const struct option *row = options->slots[i].row;
        if (g_strcmp0(options_group(options->table, row), group) != 0)
            continue;
        g_autofree char *own = options_key(row);
        g_autofree char *wanted = g_strdelimit(g_strdup(key), "-", '_');
        if (strcmp(own, wanted) == 0)
            return &options->slots[i];
    }
    return NULL;
}

struct option_slot *options_find(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->n; i++) {
        const struct option *row = options->slots[i].row;
        if (g_strcmp0(row->name, name) == 0)
            return &options->slots[i];
    }
    return NULL;
}

struct option_slot *options_each(const struct options *options)
{
    for (size_t i = 0; i < options->n; i++)
        if ((options->slots[i].row->flags & OPTION_EACH) != 0)
            return &options->slots[i];
    return NULL;
}

void options_put(struct option_slot *slot, const char *text, const char *folder)
{
    char *copies[] = {g_strdup(text), g_strdup(folder)};
    g_free(slot->text);
    g_free(slot->folder);
    slot->text = copies[0];
    slot->folder = copies[1];
}

void options_tell(struct options *options, const char *where, const char *problem)
{
    g_autofree char *line = g_strdup_printf("%s: %s", where, problem);
    g_ptr_array_add(options->problems, text_escape(line));
}

bool options_is_written(const struct option *row)
{
    return row->type == OPTION_FILE || row->type == OPTION_REPEATED;
}

// "--lambda-rule", or the command whose argument it is.
static char *place_of(const struct options *options, const struct option *row)
{
    return (row->flags & OPTION_ARGUMENT) != 0
               ? g_strdup(options->table->command)
               : g_strdup_printf("--%s", row->name != NULL ? row->name : row->key);
}

void options_give_all(struct options *options, struct option_slot *slot, size_t n,
                      char *const *literals)
{
    const struct option *row = slot->row;
    g_autoptr(GString) all = g_string_new(NULL);
    for (size_t i = 0; i < n; i++) {
        g_autofree char *text =
            options_is_written(row) ? options_written(row, literals[i]) : g_strdup(literals[i]);
        g_string_append_printf(all, "%s%s", i > 0 ? "; " : "", text);
    }
    g_autofree char *where = place_of(options, row);
    g_autofree char *problem = options_check(row, all->str);
    if (problem != NULL)
        options_tell(options, where, problem);
    else
        options_put(slot, all->str, NULL);
}

void options_give(struct options *options, struct option_slot *slot, const char *literal)
{
    options_give_all(options, slot, 1, (char *const[]){(char *) literal});
}

// "-o DIR", "--data X.npy", "BOLD".
static char *usage_of(const struct option *row)
{
    g_autofree char *choices = options_choices(row);
    const char *metavar = row->metavar != NULL ? row->metavar : choices;
    if ((row->flags & OPTION_ARGUMENT) != 0)
        return g_strdup(metavar);
    return row->letter != 0 ? g_strdup_printf("-%c %s", row->letter, metavar)
                            : g_strdup_printf("--%s %s", row->name, metavar);
}

static bool is_missing(const struct option_slot *slot)
{
    return (slot->row->flags & OPTION_REQUIRED) != 0 && slot->text == NULL;
}

// All that a command line lacks, in one line; of arguments all, if there are too few.
static bool check_required(const struct options *options, GError **error)
{
    const unsigned argument = OPTION_ARGUMENT | OPTION_REQUIRED;
    g_autoptr(GString) usage = g_string_new(NULL);
    const char *help = NULL;
    unsigned missing = 0;
    size_t n = 0;
    for (size_t i = 0; i < options->n; i++)
        missing |= is_missing(&options->slots[i]) ? options->slots[i].row->flags : 0;
    for (size_t i = 0; i < options->n; i++) {
        const struct option *row = options->slots[i].row;
        bool among = (missing & row->flags & argument) == argument;
        if (!among && !is_missing(&options->slots[i]))
            continue;
        g_autofree char *word = usage_of(row);
        g_string_append_printf(usage, "%s%s", n == 0 ? "" : among ? " " : ", ", word);
        help = row->help;
        n++;
    }
    if (n == 0)
        return true;
    g_autofree char *what = g_strdup_printf(" (%s)", help);
    return app_refuse(error, "%s: expected %s%s", options->table->command, usage->str,
                      n == 1 ? what : "");
}

bool options_end(const struct options *options, const char *path, GError **error)
{
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < options->problems->len; i++)
        g_string_append_printf(all, "%s\n", (char *) g_ptr_array_index(options->problems, i));
    g_autofree char *file = path == NULL ? NULL : text_escape(path);
    for (size_t i = 0; i < options->n && path != NULL; i++) {
        const struct option *row = options->slots[i].row;
        const char *group = options_group(options->table, row);
        if (!is_missing(&options->slots[i]) || group == NULL)
            continue;
        g_autofree char *key = options_key(row);
        g_string_append_printf(all, "%s: [%s] %s is required (%s)\n", file, group, key, row->help);
    }
    if (all->len == 0)
        return path != NULL || check_required(options, error);
    g_string_truncate(all, all->len - 1);
    g_set_error_literal(error, APP_ERROR, APP_ERROR_CONFIG, all->str);
    return false;
}
