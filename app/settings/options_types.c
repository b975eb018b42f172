// SPDX-License-Identifier: BSD-3-Clause
// What texts mean: each type reads its text into a value, or says what is wrong with it as the end
// of a sentence that begins with the place: `"0,1" is not a number`.
#include "app/settings/options.h"

#include "app/host/app_error.h"
#include "app/host/budget.h"
#include "app/pipelines/inputs/response.h"
#include "app/pipelines/inputs/values.h"
#include "deconv/nearest.h"
#include "solvers/methods.h"

#include <math.h>
#include <string.h>

/** Where a value goes. */
struct target {
    void *value;        // in the struct; enough of nothing where a text is only checked
    const char *folder; // of paths
    GPtrArray *values;  // takes what the value points to
};

// Memory that lives as long as the options.
static void *keep(struct target *target, void *memory)
{
    g_ptr_array_add(target->values, memory);
    return memory;
}

char *options_choices(const struct option *row)
{
    if (row->names != NULL)
        return row->names();
    return row->type == OPTION_METHOD ? methods_names(PROBLEM_TV) : g_strdup(row->choices);
}

static int index_of(const char *choices, const char *text)
{
    if (choices == NULL)
        return -1;
    g_auto(GStrv) words = g_strsplit(choices, "|", -1);
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return -1;
}

bool options_is_choice(const struct option *row, const char *text)
{
    return index_of(row->choices, text) >= 0;
}

static char *not_a_choice(const char *choices, const char *text)
{
    g_auto(GStrv) words = g_strsplit(choices, "|", -1);
    size_t n = g_strv_length(words);
    size_t nearest = nearest_name(text, (const char *const *) words, n);
    if (nearest == n)
        return g_strdup_printf("\"%s\" is none of %s", text, choices);
    return g_strdup_printf("\"%s\" is none of %s (did you mean %s?)", text, choices,
                           words[nearest]);
}

// A finite number that is all of text.
static bool read_number(const char *text, double *value)
{
    char *end;
    *value = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

static bool is_inside(const struct option *row, double value)
{
    bool above = (row->flags & OPTION_ABOVE) != 0, below = (row->flags & OPTION_BELOW) != 0;
    return (above ? value > row->low : value >= row->low) &&
           (below ? value < row->high : value <= row->high);
}

static char *outside(const struct option *row, const char *text)
{
    g_autofree char *range = options_range(row);
    bool both = g_ascii_isdigit(*range) || *range == '-';
    return g_strdup_printf("%s is %s %s", text, both ? "outside" : "not", range);
}

static char *parse_number(const struct option *row, const char *text, struct target *target)
{
    double *value = target->value;
    if (!read_number(text, value))
        return g_strdup_printf("\"%s\" is not a number%s", text,
                               strchr(text, ',') != NULL || strchr(text, '#') != NULL
                                   ? " (use a point for decimals; comments go on their own line)"
                                   : "");
    return is_inside(row, *value) ? NULL : outside(row, text);
}

static char *parse_count(const struct option *row, const char *text, struct target *target)
{
    double number;
    if (row->choices != NULL && index_of(row->choices, text) >= 0) {
        *(size_t *) target->value = OPTION_NO_COUNT;
        return NULL;
    }
    if (!read_number(text, &number) || strspn(text, "+-0123456789") != strlen(text))
        return g_strdup_printf("\"%s\" is not a whole number%s%s", text,
                               row->choices == NULL ? "" : " or ",
                               row->choices == NULL ? "" : row->choices);
    if (!is_inside(row, number))
        return outside(row, text);
    *(size_t *) target->value = (size_t) number;
    return NULL;
}

static char *parse_choice(const struct option *row, const char *text, struct target *target)
{
    int *value = target->value;
    g_autofree char *choices = options_choices(row);
    *value = index_of(choices, text);
    return *value >= 0 ? NULL : not_a_choice(choices, text);
}

static char *parse_flag(G_GNUC_UNUSED const struct option *row, const char *text,
                        struct target *target)
{
    *(bool *) target->value = strcmp(text, "true") == 0;
    return index_of("true|false", text) >= 0 ? NULL : not_a_choice("true|false", text);
}

static char *parse_choices(const struct option *row, const char *text, struct target *target)
{
    unsigned *value = target->value;
    g_autofree char *choices = g_strconcat(row->choices, "|all", NULL);
    g_auto(GStrv) words = g_strsplit_set(text, ", ", -1);
    int all = index_of(choices, "all");
    *value = 0;
    for (char **word = words; *word != NULL; word++) {
        int index = index_of(choices, *word);
        if (**word == '\0')
            continue;
        if (index < 0)
            return not_a_choice(choices, *word);
        *value |= index == all ? (1U << all) - 1U : 1U << index;
    }
    return NULL;
}

static char *parse_text(G_GNUC_UNUSED const struct option *row, const char *text,
                        struct target *target)
{
    if (*text == '\0')
        return g_strdup("\"\" is empty");
    *(const char **) target->value = keep(target, g_strdup(text));
    return NULL;
}

static char *parse_method(const struct option *row, const char *text, struct target *target)
{
    g_autofree char *choices = options_choices(row);
    if (index_of(choices, text) < 0)
        return not_a_choice(choices, text);
    return parse_text(row, text, target);
}

static char *parse_response(const struct option *row, const char *text, struct target *target)
{
    if (*text == '\0')
        return parse_text(row, text, target);
    if (response_is_file(text)) {
        g_autofree char *path = options_resolve(target->folder, text);
        return parse_text(row, path, target);
    }
    // Any TR will do to see whether the model and its parameters are known.
    g_autoptr(GError) problem = NULL;
    g_autoptr(owned_hrf) hrf = hrf_new(text, 1.0, &problem);
    return hrf == NULL ? g_strdup_printf("\"%s\": %s", text, problem->message)
                       : parse_text(row, text, target);
}

// Both ends of A:B; one that is left out keeps its value.
static bool read_ends(const char *text, double *a, double *b)
{
    g_auto(GStrv) ends = g_strsplit(text, ":", -1);
    return g_strv_length(ends) == 2 && (*ends[0] == '\0' || read_number(ends[0], a)) &&
           (*ends[1] == '\0' || read_number(ends[1], b));
}

static char *parse_interval(const struct option *row, const char *text, struct target *target)
{
    struct interval *value = target->value;
    *value = (struct interval){keep(target, g_strdup(text)), -INFINITY, INFINITY};
    if (!read_ends(text, &value->from, &value->to))
        return g_strdup_printf("\"%s\" is not %s, two times in %s", text, row->metavar, row->unit);
    return value->from <= value->to ? NULL
                                    : g_strdup_printf("%s has its end before its beginning", text);
}

static char *parse_band(const struct option *row, const char *text, struct target *target)
{
    struct interval *value = target->value;
    *value = (struct interval){keep(target, g_strdup(text)), 0.0, INFINITY};
    if (!read_ends(text, &value->from, &value->to))
        return g_strdup_printf("\"%s\" is not %s, two frequencies in Hz", text, row->metavar);
    if (!(value->from >= 0.0 && value->from <= row->high && value->to > 0.0 &&
          (isinf(value->to) || value->to <= row->high)))
        return outside(row, text);
    return value->from < value->to ? NULL
                                   : g_strdup_printf("%s has its low end above its high one", text);
}

static char *parse_frames(const struct option *row, const char *text, struct target *target)
{
    double first = 0.0, count = 0.0;
    size_t n = strlen(text);
    if (strspn(text, "0123456789:") != n || strcmp(text, ":") == 0 ||
        !read_ends(text, &first, &count))
        return g_strdup_printf("\"%s\" is not A:N, a first frame and a count", text);
    if (first > row->high || count > row->high || (count < 1.0 && text[n - 1] != ':'))
        return outside(row, text);
    size_t *value = target->value;
    value[0] = (size_t) first;
    value[1] = (size_t) count;
    return NULL;
}

static char *parse_range(const struct option *row, const char *text, struct target *target)
{
    struct number_range *value = target->value;
    g_auto(GStrv) ends = g_strsplit(text, ":", -1);
    guint n = g_strv_length(ends);
    value->text = keep(target, g_strdup(text));
    if ((n != 1 && n != 2) || !read_number(ends[0], &value->least) ||
        !read_number(ends[n - 1], &value->most))
        return g_strdup_printf("\"%s\" is not a number, or two of them as LEAST:MOST", text);
    if (!is_inside(row, value->least) || !is_inside(row, value->most))
        return outside(row, text);
    return value->least <= value->most
               ? NULL
               : g_strdup_printf("%s has its least number above its most", text);
}

static char *parse_size(const struct option *row, const char *text, struct target *target)
{
    size_t *value = target->value;
    g_auto(GStrv) parts = g_strsplit(text, "x", 4);
    bool read = g_strv_length(parts) == 3;
    for (size_t d = 0; read && d < 3; d++) {
        struct target part = {.value = &value[d]};
        g_autofree char *problem = parse_count(row, parts[d], &part);
        read = problem == NULL;
    }
    g_autofree char *range = options_range(row);
    return read ? NULL
                : g_strdup_printf("\"%s\" is not %s, three whole numbers in %s", text, row->metavar,
                                  range);
}

static char *parse_bytes(G_GNUC_UNUSED const struct option *row, const char *text,
                         struct target *target)
{
    return budget_parse_size(text, target->value)
               ? NULL
               : g_strdup_printf("\"%s\" is not a size such as 8G or 500M", text);
}

// The values of CHOICE=V,...; INFINITY for those that are not named.
static char *parse_bounds(const struct option *row, const char *text, struct target *target)
{
    struct bounds *value = target->value;
    value->text = keep(target, g_strdup(text));
    for (size_t i = 0; i < BOUNDS_MOST; i++)
        value->most[i] = INFINITY;
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word != NULL; word++) {
        char *equals = strchr(*word, '=');
        g_autofree char *name = g_strndup(*word, strcspn(*word, "="));
        int index = index_of(row->choices, g_strstrip(name));
        if (index < 0 || equals == NULL || !read_number(equals + 1, &value->most[index]) ||
            !(value->most[index] > 0.0))
            return g_strdup_printf("\"%s\" is not KIND=V with a kind of %s and V above 0", *word,
                                   row->choices);
    }
    return *words == NULL ? g_strdup("\"\" is empty") : NULL;
}

static char *parse_words(G_GNUC_UNUSED const struct option *row, const char *text,
                         struct target *target)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    char **kept = keep(target, g_new0(char *, g_strv_length(words) + 1));
    *(char ***) target->value = kept;
    for (size_t i = 0; words[i] != NULL; i++)
        if (*g_strstrip(words[i]) == '\0')
            return g_strdup_printf("\"%s\" is not %s, words between commas", text, row->metavar);
        else
            kept[i] = keep(target, g_strdup(words[i]));
    return NULL;
}

static char *parse_repeated(G_GNUC_UNUSED const struct option *row, const char *text,
                            struct target *target)
{
    g_autoptr(GPtrArray) parts = options_parts(text);
    char **kept = keep(target, g_new0(char *, parts->len + 1));
    *(char ***) target->value = kept;
    for (guint i = 0; i < parts->len; i++)
        kept[i] = keep(target, g_strcompress(g_ptr_array_index(parts, i)));
    return parts->len > 0 ? NULL : g_strdup("\"\" is empty");
}

// What stands behind the word of a choice that ends in :NAME or =NAME.
static char *parse_tail(const struct option *row, const char *choice, const char *text,
                        struct target *target)
{
    size_t n = strcspn(choice, ":=") + 1;
    struct word *value = target->value;
    if (strcmp(choice + n, "FILE") != 0) {
        struct target number = {.value = &value->number};
        return parse_number(row, text + n, &number);
    }
    g_autofree char *path = options_resolve(target->folder, text + n);
    value->path = keep(target, g_steal_pointer(&path));
    return text[n] == '\0' ? g_strdup_printf("\"%s\" has no file behind it", text) : NULL;
}

static char *parse_word(const struct option *row, const char *text, struct target *target)
{
    struct word *value = target->value;
    *value = (struct word){.text = keep(target, g_strdup(text)), .index = -1};
    g_auto(GStrv) choices = g_strsplit(row->choices, "|", -1);
    for (int i = 0; choices[i] != NULL; i++) {
        size_t n = strcspn(choices[i], ":=");
        bool has_tail = choices[i][n] != '\0';
        value->index = i;
        if (!has_tail && strcmp(choices[i], text) == 0)
            return NULL;
        if (has_tail && strncmp(choices[i], text, n + 1) == 0)
            return parse_tail(row, choices[i], text, target);
    }
    return not_a_choice(row->choices, text);
}

/** What a type is: how large its value is, how it is read, what it is where nothing is given. */
static const struct {
    size_t size;
    char *(*parse)(const struct option *row, const char *text, struct target *target);
    const void *none; // NULL: zeros
} types[OPTION_N_TYPES] = {
    [OPTION_BAND] = {sizeof(struct interval), parse_band, NULL},
    [OPTION_BOUNDS] = {sizeof(struct bounds), parse_bounds, NULL},
    [OPTION_BYTES] = {sizeof(size_t), parse_bytes, NULL},
    [OPTION_CHOICE] = {sizeof(int), parse_choice, &(const int){-1}},
    [OPTION_CHOICES] = {sizeof(unsigned), parse_choices, NULL},
    [OPTION_CONFIG] = {sizeof(char *), parse_text, NULL},
    [OPTION_COUNT] = {sizeof(size_t), parse_count, &(const size_t){OPTION_NO_COUNT}},
    [OPTION_FILE] = {sizeof(char *), parse_text, NULL},
    [OPTION_FLAG] = {sizeof(bool), parse_flag, NULL},
    [OPTION_FRAMES] = {2 * sizeof(size_t), parse_frames, NULL},
    [OPTION_INTERVAL] = {sizeof(struct interval), parse_interval, NULL},
    [OPTION_METHOD] = {sizeof(char *), parse_method, NULL},
    [OPTION_NUMBER] = {sizeof(double), parse_number, &(const double){NAN}},
    [OPTION_RANGE] = {sizeof(struct number_range), parse_range, NULL},
    [OPTION_REPEATED] = {sizeof(char **), parse_repeated, NULL},
    [OPTION_RESPONSE] = {sizeof(char *), parse_response, NULL},
    [OPTION_SIZE] = {3 * sizeof(size_t), parse_size, NULL},
    [OPTION_TEXT] = {sizeof(char *), parse_text, NULL},
    [OPTION_WORD] = {sizeof(struct word), parse_word, &(const struct word){.index = -1}},
    [OPTION_WORDS] = {sizeof(char **), parse_words, NULL},
};

char *options_check(const struct option *row, const char *text)
{
    double nowhere[16]; // larger than every value
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    struct target target = {.value = nowhere, .values = values};
    char *problem = types[row->type].parse(row, text, &target);
    return problem != NULL || row->check == NULL ? problem : row->check(text);
}

static void set_none(const struct option *row, void *value)
{
    if (types[row->type].none != NULL)
        memcpy(value, types[row->type].none, types[row->type].size);
    else
        memset(value, 0, types[row->type].size);
}

static bool fill_file(const struct option_slot *slot, struct target *target, GError **error)
{
    g_autoptr(GPtrArray) paths = options_paths(slot, NULL, error);
    if (paths == NULL)
        return false;
    if (paths->len != 1) {
        g_autofree char *key = options_key(slot->row);
        return app_refuse(error, "%s: expected one path, found %u", key, paths->len);
    }
    *(const char **) target->value = keep(target, g_strdup(g_ptr_array_index(paths, 0)));
    return true;
}

bool options_fill(struct options *options, void *values, GError **error)
{
    for (size_t i = 0; i < options->n; i++) {
        const struct option_slot *slot = &options->slots[i];
        const struct option *row = slot->row;
        struct target target = {(char *) values + slot->offset, slot->folder, options->values};
        if (slot->text == NULL) {
            set_none(row, target.value);
            continue;
        }
        bool is_file = row->type == OPTION_FILE && !options_is_choice(row, slot->text);
        if (is_file && !fill_file(slot, &target, error))
            return false;
        g_autofree char *problem =
            is_file ? NULL : types[row->type].parse(row, slot->text, &target);
        g_assert(problem == NULL); // it was checked
    }
    return true;
}
