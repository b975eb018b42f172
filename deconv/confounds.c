// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/confounds.h"

#include "deconv/hrf.h"
#include "deconv/nearest.h"

#include <math.h>
#include <string.h>

// The first N_MOTION of them are movement.
static const char *const basic[] = {"trans_x", "trans_y", "trans_z",      "rot_x",        "rot_y",
                                    "rot_z",   "csf",     "white_matter", "global_signal"};
static const char *const expansions[] = {"", "_derivative1", "_power2", "_derivative1_power2"};
enum { N_MOTION = 6, N_BASIC = 9, N_ACOMPCOR = 5 };

const char confounds_presets[] =
    "6p, 9p, 12p, 24p, 36p, acompcor, wmcsf, gsr, scrub:FD=MM, none, all";

// A selection under way: which columns of the table, in the order they were asked for.
struct selection {
    const struct confounds_table *table;
    char **names;    // owned; NULL-terminated, those of the table
    size_t *columns; // owned; at most n_columns
    size_t n;
    double scrub_mm; // 0: no censoring
};

static char **names_of(const struct confounds_table *table)
{
    char **names = g_new0(char *, table->n_columns + 1);
    for (size_t j = 0; j < table->n_columns; j++)
        names[j] = table->names == NULL ? g_strdup_printf("%zu", j + 1) : g_strdup(table->names[j]);
    return names;
}

static void add_column(struct selection *selection, size_t column)
{
    for (size_t i = 0; i < selection->n; i++)
        if (selection->columns[i] == column)
            return;
    selection->columns[selection->n++] = column;
}

static bool find_column(const struct selection *selection, const char *name, size_t *column)
{
    for (size_t j = 0; j < selection->table->n_columns; j++) {
        if (strcmp(selection->names[j], name) == 0) {
            *column = j;
            return true;
        }
    }
    return false;
}

static bool require_column(const struct selection *selection, const char *name, size_t *column,
                           GError **error);

static bool add_named(struct selection *selection, const char *name, GError **error)
{
    size_t column = 0;
    if (!require_column(selection, name, &column, error))
        return false;
    add_column(selection, column);
    return true;
}

// Columns that begin with the prefix, at most `most` of them; how many there were.
static size_t add_prefixed(struct selection *selection, const char *prefix, size_t most)
{
    size_t count = 0;
    for (size_t j = 0; j < selection->table->n_columns && count < most; j++) {
        if (!g_str_has_prefix(selection->names[j], prefix))
            continue;
        add_column(selection, j);
        count++;
    }
    return count;
}

// The first n_basic columns with the first n_expansions expansions of each.
static bool add_basic(struct selection *selection, size_t n_basic, size_t n_expansions,
                      GError **error)
{
    for (size_t i = 0; i < n_expansions * n_basic; i++) {
        g_autofree char *name = g_strconcat(basic[i % n_basic], expansions[i / n_basic], NULL);
        if (!add_named(selection, name, error))
            return false;
    }
    return true;
}

static bool add_6p(struct selection *selection, GError **error)
{
    // movement alone, as realignment writes it: FSL's .par, AFNI's .1D
    if (selection->table->names == NULL && selection->table->n_columns == N_MOTION)
        return add_prefixed(selection, "", N_MOTION) == N_MOTION;
    return add_basic(selection, N_MOTION, 1, error);
}

static bool add_9p(struct selection *selection, GError **error)
{
    return add_basic(selection, N_BASIC, 1, error);
}

static bool add_12p(struct selection *selection, GError **error)
{
    return add_basic(selection, N_MOTION, 2, error);
}

static bool add_24p(struct selection *selection, GError **error)
{
    return add_basic(selection, N_MOTION, 4, error);
}

static bool add_36p(struct selection *selection, GError **error)
{
    return add_basic(selection, N_BASIC, 4, error);
}

static bool add_acompcor(struct selection *selection, GError **error)
{
    if (add_prefixed(selection, "a_comp_cor_", N_ACOMPCOR) == 0)
        return add_named(selection, "a_comp_cor_00", error);
    add_prefixed(selection, "cosine", G_MAXSIZE);
    add_prefixed(selection, "non_steady_state_outlier", G_MAXSIZE);
    return true;
}

static bool add_all(struct selection *selection, GError **error G_GNUC_UNUSED)
{
    add_prefixed(selection, "", G_MAXSIZE);
    return true;
}

static bool add_gsr(struct selection *selection, GError **error)
{
    return add_named(selection, "global_signal", error);
}

static bool add_none(struct selection *selection G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    return true;
}

static bool add_wmcsf(struct selection *selection, GError **error)
{
    return add_named(selection, "csf", error) && add_named(selection, "white_matter", error);
}

static const struct preset {
    const char *name;
    bool (*add)(struct selection *selection, GError **error);
} presets[] = {
    {"12p", add_12p},   {"24p", add_24p},     {"36p", add_36p},           {"6p", add_6p},
    {"9p", add_9p},     {"all", add_all},     {"acompcor", add_acompcor}, {"gsr", add_gsr},
    {"none", add_none}, {"wmcsf", add_wmcsf},
};

// The names of columns and presets that are most like `name`.
static char *list_nearest(const struct selection *selection, const char *name)
{
    enum { N_NEAREST = 3 };
    size_t n_columns = selection->table->n_columns, nearest[N_NEAREST];
    g_autofree const char **names = g_new(const char *, n_columns + G_N_ELEMENTS(presets));
    for (size_t j = 0; j < n_columns; j++)
        names[j] = selection->names[j];
    for (size_t i = 0; i < G_N_ELEMENTS(presets); i++)
        names[n_columns + i] = presets[i].name;
    size_t n = nearest_names(name, names, n_columns + G_N_ELEMENTS(presets), nearest, N_NEAREST);
    GString *list = g_string_new(NULL);
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(list, "%s%s", i == 0 ? "" : ", ", names[nearest[i]]);
    return g_string_free(list, FALSE);
}

static bool require_column(const struct selection *selection, const char *name, size_t *column,
                           GError **error)
{
    if (find_column(selection, name, column))
        return true;
    g_autofree char *nearest = list_nearest(selection, name);
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_NAME,
                "%s: expected a column \"%s\", found none (nearest: %s)", selection->table->path,
                name, nearest);
    return false;
}

static bool parse_scrub(const char *item, double *scrub_mm, GError **error)
{
    char *end = NULL;
    const char *number = item + strlen("scrub:FD=");
    *scrub_mm = g_ascii_strtod(number, &end);
    if (end != number && *end == '\0' && *scrub_mm > 0.0 && isfinite(*scrub_mm))
        return true;
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                "confounds: \"%s\": expected scrub:FD=MM with MM above 0", item);
    return false;
}

static bool add_matching(struct selection *selection, const char *pattern, GError **error)
{
    size_t count = 0;
    for (size_t j = 0; j < selection->table->n_columns; j++) {
        if (!g_pattern_match_simple(pattern, selection->names[j]))
            continue;
        add_column(selection, j);
        count++;
    }
    if (count == 0)
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_NAME,
                    "%s: expected columns that match \"%s\", found none", selection->table->path,
                    pattern);
    return count > 0;
}

// Columns that begin with a word: an underscore or a digit follows it.
static bool add_begun(struct selection *selection, const char *word)
{
    size_t count = 0, n = strlen(word);
    for (size_t j = 0; n > 0 && selection->table->names != NULL && j < selection->table->n_columns;
         j++) {
        const char *name = selection->names[j];
        if (!g_str_has_prefix(name, word) || !(name[n] == '_' || g_ascii_isdigit(name[n])))
            continue;
        add_column(selection, j);
        count++;
    }
    return count > 0;
}

static bool add_item(struct selection *selection, const char *item, GError **error)
{
    size_t column = 0;
    if (find_column(selection, item, &column)) {
        add_column(selection, column);
        return true;
    }
    if (g_str_has_prefix(item, "scrub:FD="))
        return parse_scrub(item, &selection->scrub_mm, error) &&
               require_column(selection, "framewise_displacement", &column, error);
    for (size_t i = 0; i < G_N_ELEMENTS(presets); i++)
        if (strcmp(presets[i].name, item) == 0)
            return presets[i].add(selection, error);
    if (strpbrk(item, "*?") != NULL)
        return add_matching(selection, item, error);
    return add_begun(selection, item) || add_named(selection, item, error);
}

static bool select_columns(struct selection *selection, const char *text, GError **error)
{
    g_auto(GStrv) items = g_strsplit(text, ",", -1);
    for (size_t i = 0; items[i] != NULL; i++)
        if (!add_item(selection, g_strstrip(items[i]), error))
            return false;
    return true;
}

/* Values */

static double value_at(const struct confounds_table *table, size_t row, size_t column)
{
    return table->values[row * table->n_columns + column];
}

enum first_row { FIRST_ROW_NEEDED, FIRST_ROW_ZERO, FIRST_ROW_MEAN };

// What is missing in the first row of a column stands for: there is no frame before it.
static enum first_row first_row_of(const char *name)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    if (strstr(lower, "derivative") != NULL || strstr(lower, "_dt") != NULL)
        return FIRST_ROW_ZERO;
    static const char *const differences[] = {"displacement", "dvars", "rmsd"};
    for (size_t i = 0; i < G_N_ELEMENTS(differences); i++)
        if (strstr(lower, differences[i]) != NULL)
            return FIRST_ROW_MEAN;
    return FIRST_ROW_NEEDED;
}

static double mean_of_rest(const struct confounds_table *table, size_t column)
{
    double sum = 0.0;
    for (size_t row = 1; row < table->n_rows; row++)
        sum += value_at(table, row, column);
    return table->n_rows > 1 ? sum / (double) (table->n_rows - 1) : 0.0;
}

static bool refuse_text(const struct selection *selection, size_t column, GError **error)
{
    const struct confounds_table *table = selection->table;
    if (table->text == NULL || table->text[column] == NULL)
        return false;
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                "%s: column %s: expected numbers, found \"%s\"", table->path,
                selection->names[column], table->text[column]);
    return true;
}

// One column over all rows, with what stands for what is missing.
static bool fill_column(const struct selection *selection, size_t column, double *values,
                        GError **error)
{
    const struct confounds_table *table = selection->table;
    const char *name = selection->names[column];
    enum first_row first_row = first_row_of(name);
    if (refuse_text(selection, column, error))
        return false;
    for (size_t row = 0; row < table->n_rows; row++) {
        values[row] = value_at(table, row, column);
        if (isfinite(values[row]) || (row == 0 && first_row != FIRST_ROW_NEEDED))
            continue;
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "%s: column %s, row %zu (frame %zu): expected a number, found n/a", table->path,
                    name, row + 1, row);
        return false;
    }
    if (table->n_rows > 0 && !isfinite(values[0]))
        values[0] = first_row == FIRST_ROW_ZERO ? 0.0 : mean_of_rest(table, column);
    return true;
}

// One line about all that was missing; NULL: nothing was. Owned.
static char *note_missing(const struct selection *selection)
{
    g_autoptr(GString) means = g_string_new(NULL);
    size_t n_zero = 0, n_mean = 0;
    for (size_t i = 0; i < selection->n; i++) {
        size_t column = selection->columns[i];
        const char *name = selection->names[column];
        if (selection->table->n_rows == 0 || isfinite(value_at(selection->table, 0, column)))
            continue;
        if (first_row_of(name) == FIRST_ROW_ZERO)
            n_zero++;
        else
            g_string_append_printf(means, "%s%s", n_mean++ == 0 ? "" : ", ", name);
    }
    g_autoptr(GString) note = g_string_new("n/a in the first row: ");
    if (n_zero > 0)
        g_string_append_printf(note, "0 in %zu derivative%s", n_zero, n_zero == 1 ? "" : "s");
    if (n_mean > 0)
        g_string_append_printf(note, "%sthe column's mean in %s", n_zero > 0 ? ", " : "",
                               means->str);
    return n_zero + n_mean == 0 ? NULL : g_strdup(note->str);
}

// A frame that is not kept needs no column of its own.
static bool is_unused_outlier(const struct selection *selection, size_t column, size_t first,
                              size_t count)
{
    if (!g_str_has_prefix(selection->names[column], "non_steady_state_outlier"))
        return false;
    for (size_t t = 0; t < count; t++)
        if (value_at(selection->table, first + t, column) != 0.0)
            return false;
    return true;
}

static bool fill_columns(const struct selection *selection, struct confounds *confounds,
                         size_t first, GError **error)
{
    size_t n_frames = confounds->n_frames;
    g_autofree double *column = g_new(double, selection->table->n_rows);
    g_autoptr(GStrvBuilder) notes = g_strv_builder_new();
    g_autofree char *note = note_missing(selection);
    confounds->values = g_new(double, selection->n *n_frames);
    confounds->names = g_new0(char *, selection->n + 1);
    for (size_t i = 0; i < selection->n; i++) {
        const char *name = selection->names[selection->columns[i]];
        if (!fill_column(selection, selection->columns[i], column, error))
            return false;
        if (is_unused_outlier(selection, selection->columns[i], first, n_frames))
            continue;
        size_t at = confounds->n_columns++;
        memcpy(confounds->values + at * n_frames, column + first, n_frames * sizeof(double));
        confounds->names[at] = g_strdup(name);
        confounds->have_cosines |= g_str_has_prefix(name, "cosine");
    }
    if (note != NULL)
        g_strv_builder_add(notes, note);
    confounds->notes = g_strv_builder_end(notes);
    return true;
}

// Frames of too much motion, and the frame after each.
static bool censor(const struct selection *selection, struct confounds *confounds, size_t first,
                   GError **error)
{
    size_t column = 0;
    if (selection->scrub_mm == 0.0)
        return true;
    if (!require_column(selection, "framewise_displacement", &column, error))
        return false;
    g_autofree double *displacement = g_new0(double, selection->table->n_rows);
    if (!fill_column(selection, column, displacement, error))
        return false;
    if (selection->table->n_rows > 0 && isnan(value_at(selection->table, 0, column)))
        displacement[0] = 0.0;
    confounds->censored = g_new0(bool, confounds->n_frames);
    for (size_t t = 0; t < confounds->n_frames; t++) {
        size_t row = first + t;
        confounds->censored[t] = displacement[row] > selection->scrub_mm ||
                                 (row > 0 && displacement[row - 1] > selection->scrub_mm);
        confounds->n_censored += confounds->censored[t];
    }
    return true;
}

static bool is_set_in_frame(const struct confounds_table *table, size_t row)
{
    for (size_t j = 0; j < table->n_columns; j++)
        if (g_str_has_prefix(table->names[j], "non_steady_state_outlier") &&
            value_at(table, row, j) > 0.0)
            return true;
    return false;
}

size_t confounds_count_non_steady(const struct confounds_table *table)
{
    size_t row = 0;
    while (table->names != NULL && row < table->n_rows && is_set_in_frame(table, row))
        row++;
    return row;
}

struct confounds *confounds_select(const struct confounds_table *table, const char *selection,
                                   size_t n_frames, size_t first, size_t count, GError **error)
{
    if (table->n_rows != n_frames) {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "%s: expected a row for each of %zu frames, found %zu rows", table->path,
                    n_frames, table->n_rows);
        return NULL;
    }
    g_assert(first + count <= n_frames);
    g_auto(GStrv) names = names_of(table);
    g_autofree size_t *columns = g_new(size_t, table->n_columns);
    struct selection chosen = {.table = table, .names = names, .columns = columns};
    g_autoptr(owned_confounds) confounds = g_new0(struct confounds, 1);
    confounds->n_frames = count;
    if (!select_columns(&chosen, selection, error) ||
        !fill_columns(&chosen, confounds, first, error) ||
        !censor(&chosen, confounds, first, error))
        return NULL;
    confounds->n_non_steady = confounds_count_non_steady(table);
    return g_steal_pointer(&confounds);
}

void confounds_free(struct confounds *confounds)
{
    if (confounds == NULL)
        return;
    g_free(confounds->values);
    g_strfreev(confounds->names);
    g_free(confounds->censored);
    g_strfreev(confounds->notes);
    g_free(confounds);
}
