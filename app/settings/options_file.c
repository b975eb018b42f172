// SPDX-License-Identifier: BSD-3-Clause
// Values from configuration files, --set and options. GKeyFile reads the values, but it has no
// line numbers, merges duplicate keys and stops at the first bad line; so a scan of our own comes
// first, which notes where every key stands and takes the bad lines out.
#include "app/settings/options.h"

#include "app/host/app_error.h"
#include "deconv/nearest.h"
#include "io/input.h"
#include "io/text.h"

#include <errno.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1 << 20, NOTES_MAX = 100 };

struct entry {
    guint line;
    char *group; // owned
    char *key;   // owned
};

struct scan {
    const char *path;   // borrowed
    GString *text;      // owned; the good lines
    GPtrArray *entries; // owned, of owned entries, in the order of the file
    GHashTable *places; // owned; the entry of an owned "GROUP\nKEY"
    GPtrArray *notes;   // owned, of owned notes
};
typedef struct scan owned_scan;

/** A problem and where it is, to be told in the order of the lines. */
struct note {
    guint line;
    char *text; // owned
};

static void entry_free(void *data)
{
    struct entry *entry = data;
    g_free(entry->group);
    g_free(entry->key);
    g_free(entry);
}

static void note_free(void *data)
{
    struct note *note = data;
    g_free(note->text);
    g_free(note);
}

static void scan_clear(struct scan *scan)
{
    g_string_free(scan->text, TRUE);
    g_hash_table_unref(scan->places);
    g_ptr_array_unref(scan->entries);
    g_ptr_array_unref(scan->notes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_scan, scan_clear)

static struct scan scan_new(const char *path)
{
    return (struct scan){.path = path,
                         .text = g_string_new(NULL),
                         .entries = g_ptr_array_new_with_free_func(entry_free),
                         .places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                         .notes = g_ptr_array_new_with_free_func(note_free)};
}

// A file with so many problems is no configuration: the rest of it is not looked at.
static bool is_full(const struct scan *scan)
{
    return scan->notes->len >= NOTES_MAX;
}

G_GNUC_PRINTF(3, 4)
static void add_note(struct scan *scan, guint line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    struct note *note = g_new0(struct note, 1);
    note->line = line;
    note->text = g_strdup_printf("%s:%u: %s", scan->path, line, text);
    g_ptr_array_add(scan->notes, note);
}

// Keys are the same whether their words are joined by - or _. Owned.
static char *place_of(const char *group, const char *key)
{
    g_autofree char *words = g_strdelimit(g_strdup(key), "-", '_');
    return g_strconcat(group, "\n", words, NULL);
}

static void scan_key(struct scan *scan, guint line, const char *group, const char *text)
{
    g_autofree char *key = g_strndup(text, strcspn(text, "="));
    g_strstrip(key);
    if (group == NULL) {
        add_note(scan, line, "expected a [group] before the first key");
        return;
    }
    if (*key == '\0') {
        add_note(scan, line, "expected \"key = value\", got \"%s\"", text);
        return;
    }
    g_autofree char *place = place_of(group, key);
    const struct entry *first = g_hash_table_lookup(scan->places, place);
    if (first != NULL) {
        add_note(scan, line, "[%s] %s given twice (first on line %u)", group, key, first->line);
        return;
    }
    struct entry *entry = g_new0(struct entry, 1);
    *entry = (struct entry){line, g_strdup(group), g_steal_pointer(&key)};
    g_ptr_array_add(scan->entries, entry);
    g_hash_table_insert(scan->places, g_steal_pointer(&place), entry);
    g_string_append_printf(scan->text, "%s\n", text);
}

static void scan_line(struct scan *scan, guint line, const char *text, char **group)
{
    size_t n = strlen(text);
    if (n == 0 || *text == '#')
        return;
    if (*text == '[' && n > 2 && text[n - 1] == ']') {
        g_free(*group);
        *group = g_strndup(text + 1, n - 2);
        g_string_append_printf(scan->text, "%s\n", text);
    } else if (strchr(text, '=') == NULL)
        add_note(scan, line, "expected \"key = value\", got \"%s\"", text);
    else
        scan_key(scan, line, *group, text);
}

static void scan_text(struct scan *scan, const char *text)
{
    g_autofree char *group = NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL && !is_full(scan); i++)
        scan_line(scan, i + 1, g_strstrip(lines[i]), &group);
}

// `unknown key "max_itr" in [solver] (did you mean [solver] max_iter?)`. Owned.
static char *explain_unknown(const struct options *options, const char *group, const char *key)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autofree const char **groups = g_new0(const char *, options->n + 1);
    for (size_t i = 0; i < options->n; i++) {
        groups[keys->len] = options_group(options->table, options->slots[i].row);
        if (groups[keys->len] != NULL)
            g_ptr_array_add(keys, options_key(options->slots[i].row));
    }
    g_autofree char *wanted = g_strdelimit(g_strdup(key), "-", '_');
    size_t nearest = nearest_name(wanted, (const char *const *) keys->pdata, keys->len);
    if (nearest < keys->len)
        return g_strdup_printf("unknown key \"%s\" in [%s] (did you mean [%s] %s?)", key, group,
                               groups[nearest], (char *) g_ptr_array_index(keys, nearest));
    return g_strdup_printf("unknown key \"%s\" in [%s]", key, group);
}

static bool ends_in_escape(const char *raw)
{
    size_t n = 0, length = strlen(raw);
    while (n < length && raw[length - 1 - n] == '\\')
        n++;
    return n % 2 == 1;
}

// Sets a value that was written as configurations have it; returns what is wrong with it. Owned.
static char *set_written(struct option_slot *slot, const char *raw, const char *folder)
{
    const struct option *row = slot->row;
    if (*raw == '\0' && row->fallback == NULL) { // as the template has it: not set
        options_put(slot, NULL, NULL);
        return NULL;
    }
    if (ends_in_escape(raw))
        return g_strdup_printf("\"%s\" ends in the middle of an escape", raw);
    g_autofree char *text = options_is_written(row) ? g_strdup(raw) : g_strcompress(raw);
    char *problem = options_check(row, text);
    if (problem != NULL)
        return problem;
    options_put(slot, text, folder);
    return NULL;
}

static void take_entry(struct options *options, struct scan *scan, const struct entry *entry,
                       GKeyFile *values, const char *folder)
{
    struct option_slot *slot = options_find_key(options, entry->group, entry->key);
    if (slot == NULL) {
        g_autofree char *unknown = explain_unknown(options, entry->group, entry->key);
        add_note(scan, entry->line, "%s", unknown);
        return;
    }
    g_autofree char *raw = g_key_file_get_value(values, entry->group, entry->key, NULL);
    g_autofree char *problem = set_written(slot, raw == NULL ? "" : raw, folder);
    if (problem != NULL)
        add_note(scan, entry->line, "%s = %s", entry->key, problem);
}

static int compare_lines(const void *a, const void *b)
{
    const struct note *x = *(struct note *const *) a, *y = *(struct note *const *) b;
    return (x->line > y->line) - (x->line < y->line);
}

static void tell_notes(struct options *options, struct scan *scan)
{
    g_ptr_array_sort(scan->notes, compare_lines);
    for (guint i = 0; i < scan->notes->len; i++) {
        const struct note *note = g_ptr_array_index(scan->notes, i);
        g_ptr_array_add(options->problems, text_escape(note->text));
    }
    if (is_full(scan))
        g_ptr_array_add(options->problems,
                        g_strdup_printf("%s: as many problems as are told at once: the rest of it "
                                        "was not looked at",
                                        scan->path));
}

static bool read_text(const char *path, char **text, GError **error)
{
    size_t n = 0;
    *text = input_text(path, FILE_BYTES_MAX, &n, error);
    if (*text == NULL || strlen(*text) == n)
        return *text != NULL;
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                "%s: expected a configuration, found bytes that are no text", path);
    return false;
}

bool options_load(struct options *options, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    if (!read_text(path, &text, error))
        return false;
    g_auto(owned_scan) scan = scan_new(path);
    scan_text(&scan, text);
    g_autoptr(GKeyFile) values = g_key_file_new();
    g_autoptr(GError) problem = NULL;
    if (!g_key_file_load_from_data(values, scan.text->str, scan.text->len, G_KEY_FILE_NONE,
                                   &problem))
        add_note(&scan, 1, "%s", problem->message);
    if (scan.text->len == 0 && scan.notes->len == 0 && options->table->group != NULL)
        add_note(&scan, 1, "expected the group [%s], found none", options->table->group);
    g_autofree char *folder = g_path_get_dirname(path);
    for (guint i = 0; i < scan.entries->len && !is_full(&scan); i++)
        take_entry(options, &scan, g_ptr_array_index(scan.entries, i), values, folder);
    tell_notes(options, &scan);
    return true;
}

static bool has_group(const struct option_table *table, const char *group)
{
    for (const struct option_part *part = table->parts; part->rows != NULL; part++)
        for (const struct option *row = part->rows; row->help != NULL; row++)
            if (g_strcmp0(options_group(table, row), group) == 0)
                return true;
    return false;
}

const struct option_table *options_table_of(const char *path,
                                            const struct option_table *const *tables,
                                            GError **error)
{
    g_autofree char *text = NULL;
    if (!read_text(path, &text, error))
        return NULL;
    g_auto(owned_scan) scan = scan_new(path);
    scan_text(&scan, text);
    const struct entry *first = scan.entries->len == 0 ? NULL : scan.entries->pdata[0];
    for (size_t i = 0; first != NULL && tables[i] != NULL; i++)
        if (has_group(tables[i], first->group))
            return tables[i];
    return tables[0];
}

void options_assign(struct options *options, const char *assignment)
{
    g_autofree char *where = g_strdup_printf("--set %s", assignment);
    const char *equals = strchr(assignment, '=');
    const char *point = strchr(assignment, '.');
    if (equals == NULL || point == NULL || point > equals) {
        options_tell(options, where, "expected GROUP.KEY=VALUE");
        return;
    }
    g_autofree char *group = g_strndup(assignment, (gsize) (point - assignment));
    g_autofree char *key = g_strndup(point + 1, (gsize) (equals - point - 1));
    struct option_slot *slot = options_find_key(options, group, key);
    g_autofree char *problem =
        slot == NULL ? explain_unknown(options, group, key) : set_written(slot, equals + 1, NULL);
    if (problem != NULL)
        options_tell(options, where, problem);
}
