// SPDX-License-Identifier: BSD-3-Clause
#include "io/event_file.h"

#include "io/fif_sensors.h"
#include "io/text.h"
#include "io/tsv.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 3, MOST_COLUMNS = 4 };

static void clear(void *data)
{
    g_free(((struct sample_event *) data)->text);
}

static GArray *list_new(void)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(struct sample_event));
    g_array_set_clear_func(list, clear);
    return list;
}

bool event_file_recognise(const char *path)
{
    static const char *const suffixes[] = {".fif", ".fif.gz", ".eve", ".lst"};
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (text_has_suffix(path, suffixes[i]))
            return true;
    return text_has_suffix(path, "-eve.txt") || text_has_suffix(path, "_eve.txt");
}

// FIF.

/** Gives the events of a code its name, of "NAME:CODE;NAME:CODE". */
static void name_codes(GArray *list, const char *names)
{
    g_auto(GStrv) pairs = g_strsplit(names, ";", -1);
    for (size_t i = 0; pairs[i] != NULL; i++) {
        char *colon = strrchr(pairs[i], ':');
        char *end = NULL;
        gint64 code = colon == NULL ? 0 : g_ascii_strtoll(colon + 1, &end, 10);
        if (colon == NULL || end == colon + 1 || *end != '\0')
            continue;
        *colon = '\0';
        for (guint e = 0; e < list->len; e++) {
            struct sample_event *event = &g_array_index(list, struct sample_event, e);
            if (event->value == code && event->text == NULL)
                event->text = g_strdup(pairs[i]);
        }
    }
}

GArray *event_list_of_fif(const struct fif *fif, const struct io_context *io, GError **error)
{
    size_t block = fif_find_block(fif, 0, FIF_BLOCK_EVENTS);
    const struct fif_tag *tag = block == 0 ? NULL : fif_find(fif, block, FIF_EVENT_LIST);
    if (tag == NULL) {
        io_error_set(error, IO_ERROR_INPUT, fif->path, "expected a list of events, found %s",
                     fif_contents_name(fif_contents(fif)));
        return NULL;
    }
    g_auto(owned_fif_numbers) numbers = {0};
    g_autofree char *names = NULL;
    if (!fif_numbers(fif, tag, &numbers, io, error) ||
        !fif_get_string(fif, block, FIF_COMMENT, &names, io, error))
        return NULL;
    if (numbers.n % COLUMNS != 0) {
        fif_refuse(fif, tag, error,
                   "expected sample, code before and code of each event, found "
                   "%zu numbers",
                   numbers.n);
        return NULL;
    }
    GArray *list = list_new();
    for (size_t i = 0; i < numbers.n; i += COLUMNS) {
        struct sample_event event = {numbers.values[i], (int) numbers.values[i + 2], NULL};
        g_array_append_val(list, event);
    }
    if (names != NULL)
        name_codes(list, names);
    return list;
}

static GArray *read_fif(const char *path, const struct io_context *io, GError **error)
{
    struct gz *stream = gz_open(path, error);
    g_autoptr(owned_fif) fif = stream == NULL ? NULL : fif_open(path, stream, io, error);
    return fif == NULL ? NULL : event_list_of_fif(fif, io, error);
}

// Text.

/** The numbers of a line, at most MOST_COLUMNS; their count, MOST_COLUMNS + 1 where it is wrong. */
static size_t split_line(const char *line, double values[MOST_COLUMNS])
{
    size_t n = 0;
    while (*line != '\0') {
        char *end = NULL;
        double value = g_ascii_strtod(line, &end);
        bool is_number = end != line && isfinite(value) && (*end == '\0' || g_ascii_isspace(*end));
        if (!is_number || n == MOST_COLUMNS)
            return MOST_COLUMNS + 1;
        values[n++] = value;
        line = end + strspn(end, " \t\r");
    }
    return n;
}

static bool add_line(GArray *list, const char *path, size_t number, char *line, GError **error)
{
    line[strcspn(line, "#")] = '\0';
    g_strstrip(line);
    if (*line == '\0')
        return true;
    double values[MOST_COLUMNS] = {0.0};
    size_t n = split_line(line, values);
    double code = n < COLUMNS || n > MOST_COLUMNS ? (double) NAN : values[n - 1];
    if (!(fabs(code) <= G_MAXINT32) || code != floor(code) || values[0] != floor(values[0])) {
        g_autofree char *found = text_excerpt(line, 40);
        io_error_set(error, IO_ERROR_INPUT, path,
                     "line %zu: expected sample, code before and code, found \"%s\"", number,
                     found);
        return false;
    }
    struct sample_event event = {values[0], (int) code, NULL};
    g_array_append_val(list, event);
    return true;
}

static GArray *read_text(const char *path, const struct io_context *io, GError **error)
{
    g_autofree char *text = tsv_read_text(path, io, error);
    if (text == NULL)
        return NULL;
    g_autoptr(GArray) list = list_new();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++)
        if (!add_line(list, path, i + 1, lines[i], error))
            return NULL;
    return g_steal_pointer(&list);
}

GArray *event_file_read(const char *path, const struct io_context *io, GError **error)
{
    bool is_fif = text_has_suffix(path, ".fif") || text_has_suffix(path, ".fif.gz");
    return is_fif ? read_fif(path, io, error) : read_text(path, io, error);
}
