// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/confounds.h"

#include "deconv/hrf.h"
#include "deconv/nearest.h"

#include <math.h>
#include <string.h>

static const char *const motion[] = {"trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"};
static const char *const motion_suffixes[] = {"", "_derivative1", "_power2", "_derivative1_power2"};
enum { N_MOTION = 6, N_ACOMPCOR = 5 };

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

static bool add_motion(struct selection *selection, size_t n_suffixes, GError **error)
{
    for (size_t i = 0; i < n_suffixes * N_MOTION; i++) {
        g_autofree char *name =
            g_strconcat(motion[i % N_MOTION], motion_suffixes[i / N_MOTION], NULL);
        if (!add_named(selection, name, error))
            return false;
    }
    return true;
}

static bool add_6p(struct selection *selection, GError **error)
{
    return add_motion(selection, 1, error);
}

static bool add_12p(struct selection *selection, GError **error)
{
    return add_motion(selection, 2, error);
}

static bool add_24p(struct selection *selection, GError **error)
{
    return add_motion(selection, 4, error);
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
    {"12p", add_12p}, {"24p", add_24p}, {"6p", add_6p},     {"acompcor", add_acompcor},
    {"all", add_all}, {"gsr", add_gsr}, {"none", add_none}, {"wmcsf", add_wmcsf},
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
    return add_named(selection, item, error);
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

// What "n/a" in the first row of a column stands for: fMRIPrep has no frame before it.
static enum first_row first_row_of(const char *name)
{
    if (strstr(name, "_derivative1") != NULL)
        return FIRST_ROW_ZERO;
    static const char *const differences[] = {"framewise_displacement", "dvars", "std_dvars",
                                              "rmsd"};
    for (size_t i = 0; i < G_N_ELEMENTS(differences); i++)
        if (strcmp(name, differences[i]) == 0)
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

// One column over all rows, with what stands for n/a.
static bool fill_column(const struct selection *selection, size_t column, double *values,
                        GStrvBuilder *notes, GError **error)
{
    const struct confounds_table *table = selection->table;
    const char *name = selection->names[column];
    enum first_row first_row = first_row_of(name);
    for (size_t row = 0; row < table->n_rows; row++) {
        values[row] = value_at(table, row, column);
        if (isfinite(values[row]) || (row == 0 && first_row != FIRST_ROW_NEEDED))
            continue;
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "%s: column %s, row %zu (frame %zu): expected a number, found n/a", table->path,
                    name, row + 1, row);
        return false;
    }
    if (table->n_rows == 0 || isfinite(values[0]))
        return true;
    values[0] = first_row == FIRST_ROW_ZERO ? 0.0 : mean_of_rest(table, column);
    g_autofree char *note =
        g_strdup_printf("column %s: n/a in the first row became %s", name,
                        first_row == FIRST_ROW_ZERO ? "0" : "the mean of the column");
    g_strv_builder_add(notes, note);
    return true;
}

static bool fill_columns(const struct selection *selection, struct confounds *confounds,
                         size_t first, GError **error)
{
    g_autoptr(GStrvBuilder) notes = g_strv_builder_new();
    g_autofree double *column = g_new(double, selection->table->n_rows);
    confounds->n_columns = selection->n;
    confounds->values = g_new(double, selection->n * confounds->n_frames);
    confounds->names = g_new0(char *, selection->n + 1);
    for (size_t i = 0; i < selection->n; i++) {
        const char *name = selection->names[selection->columns[i]];
        if (!fill_column(selection, selection->columns[i], column, notes, error))
            return false;
        memcpy(confounds->values + i * confounds->n_frames, column + first,
               confounds->n_frames * sizeof(double));
        confounds->names[i] = g_strdup(name);
        confounds->have_cosines |= g_str_has_prefix(name, "cosine");
    }
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
    g_autoptr(GStrvBuilder) unused = g_strv_builder_new();
    if (!fill_column(selection, column, displacement, unused, error))
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

static bool is_set_in_frame(const struct selection *selection, size_t row)
{
    for (size_t j = 0; j < selection->table->n_columns; j++)
        if (g_str_has_prefix(selection->names[j], "non_steady_state_outlier") &&
            value_at(selection->table, row, j) != 0.0)
            return true;
    return false;
}

static size_t count_non_steady(const struct selection *selection)
{
    size_t row = 0;
    while (row < selection->table->n_rows && is_set_in_frame(selection, row))
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
    confounds->n_non_steady = count_non_steady(&chosen);
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
