// SPDX-License-Identifier: BSD-3-Clause
// Whether a value is what its setting asks for. A problem is told as the end of a sentence that
// begins with the place: `"0,1" is not a number`.
#include "app/settings/settings.h"

#include "app/pipelines/inputs/response.h"
#include "deconv/nearest.h"

#include <math.h>
#include <string.h>

static bool has_choice(const char *choices, const char *text)
{
    if (choices == NULL)
        return false;
    g_auto(GStrv) words = g_strsplit(choices, "|", -1);
    return g_strv_contains((const char *const *) words, text);
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

static char *check_choice(const struct setting *row, const char *text)
{
    g_autofree char *choices = settings_choices(row);
    return has_choice(choices, text) ? NULL : not_a_choice(choices, text);
}

static char *check_choices(const struct setting *row, const char *text)
{
    g_autofree char *choices = g_strconcat(row->choices, "|all", NULL);
    g_auto(GStrv) words = g_strsplit_set(text, ", ", -1);
    for (char **word = words; *word != NULL; word++)
        if (**word != '\0' && !has_choice(choices, *word))
            return not_a_choice(choices, *word);
    return NULL;
}

// A finite number that is all of text.
static bool read_number(const char *text, double *value)
{
    char *end;
    *value = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

static char *outside(const struct setting *row, const char *text)
{
    char low[G_ASCII_DTOSTR_BUF_SIZE], high[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(low, sizeof low, "%.15g", row->low);
    g_ascii_formatd(high, sizeof high, "%.15g", row->high);
    const char *unit = row->unit == NULL ? "" : row->unit;
    if (row->high == G_MAXDOUBLE)
        return g_strdup_printf("%s is below %s", text, low);
    return g_strdup_printf("%s is outside %s..%s%s%s", text, low, high, *unit == '\0' ? "" : " ",
                           unit);
}

static char *check_number(const struct setting *row, const char *text)
{
    double value;
    if (!read_number(text, &value))
        return g_strdup_printf("\"%s\" is not a number%s", text,
                               strchr(text, ',') != NULL || strchr(text, '#') != NULL
                                   ? " (use a point for decimals; comments go on their own line)"
                                   : "");
    return value >= row->low && value <= row->high ? NULL : outside(row, text);
}

static char *check_count(const struct setting *row, const char *text)
{
    double value;
    if (!read_number(text, &value) || strspn(text, "+-0123456789") != strlen(text))
        return g_strdup_printf("\"%s\" is not a whole number", text);
    return value >= row->low && value <= row->high ? NULL : outside(row, text);
}

// Both ends of A:B; one that is left out keeps its value.
static bool read_ends(const char *text, double *a, double *b)
{
    g_auto(GStrv) ends = g_strsplit(text, ":", -1);
    if (g_strv_length(ends) != 2 || (*ends[0] == '\0' && *ends[1] == '\0'))
        return false;
    return (*ends[0] == '\0' || read_number(ends[0], a)) &&
           (*ends[1] == '\0' || read_number(ends[1], b));
}

static char *check_band(const struct setting *row, const char *text)
{
    double low = 0.0, high = row->high;
    if (!read_ends(text, &low, &high))
        return g_strdup_printf("\"%s\" is not LO:HI, two frequencies in Hz", text);
    if (!(low >= 0.0 && high > 0.0 && high <= row->high))
        return outside(row, text);
    return low < high ? NULL : g_strdup_printf("%s has its low end above its high one", text);
}

static char *check_frames(const struct setting *row, const char *text)
{
    double first = 0.0, count = 1.0;
    if (strspn(text, "0123456789:") != strlen(text) || !read_ends(text, &first, &count))
        return g_strdup_printf("\"%s\" is not A:N, a first frame and a count", text);
    return first <= row->high && count >= 1.0 && count <= row->high ? NULL : outside(row, text);
}

static char *check_detrend(const struct setting *row, const char *text)
{
    double period_s;
    if (has_choice(row->choices, text))
        return NULL;
    if (!g_str_has_prefix(text, "cosine:"))
        return g_strdup_printf("\"%s\" is none of %s", text, row->metavar);
    if (!read_number(text + strlen("cosine:"), &period_s) || !(period_s > 0.0))
        return g_strdup_printf("\"%s\" has no period in seconds after cosine:", text);
    return NULL;
}

static char *check_rule(const struct setting *row, const char *text)
{
    if (g_str_has_prefix(text, "map:") && strlen(text) > strlen("map:"))
        return NULL;
    g_autofree char *choices = g_strconcat(row->choices, "|map:FILE", NULL);
    return has_choice(row->choices, text) ? NULL : not_a_choice(choices, text);
}

static char *check_text(G_GNUC_UNUSED const struct setting *row, const char *text)
{
    return *text == '\0' ? g_strdup("\"\" is empty") : NULL;
}

static char *check_response(const struct setting *row, const char *text)
{
    if (*text == '\0' || response_is_file(text))
        return check_text(row, text);
    // Any TR will do to see whether the model and its parameters are known.
    g_autoptr(GError) problem = NULL;
    g_autoptr(owned_hrf) hrf = hrf_new(text, 1.0, &problem);
    return hrf == NULL ? g_strdup_printf("\"%s\": %s", text, problem->message) : NULL;
}

char *settings_check(const struct setting *row, const char *text)
{
    static char *(*const checks[])(const struct setting *row, const char *text) = {
        [SETTING_TYPE_BAND] = check_band,         [SETTING_TYPE_CHOICE] = check_choice,
        [SETTING_TYPE_CHOICES] = check_choices,   [SETTING_TYPE_COUNT] = check_count,
        [SETTING_TYPE_DETREND] = check_detrend,   [SETTING_TYPE_FILES] = check_text,
        [SETTING_TYPE_FLAG] = check_choice,       [SETTING_TYPE_FRAMES] = check_frames,
        [SETTING_TYPE_METHOD] = check_choice,     [SETTING_TYPE_NUMBER] = check_number,
        [SETTING_TYPE_RESPONSE] = check_response, [SETTING_TYPE_RULE] = check_rule,
        [SETTING_TYPE_TEXT] = check_text,
    };
    return checks[row->type](row, text);
}
