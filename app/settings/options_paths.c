// SPDX-License-Identifier: BSD-3-Clause
// Lists of files: in a configuration, `\` takes its meaning from the next character (\; \* \{ and
// so on), and \NNN is the byte of that octal number; names of any bytes can be written so.
#include "app/settings/options.h"

#include "app/host/app_error.h"
#include "app/pipelines/inputs/response.h"
#include "app/pipelines/outputs/stem.h"

#include <errno.h>
#include <glob.h>
#include <string.h>

static const char special[] = "\\;*?[]{}";

static bool stands_alone(const char *text, size_t i, size_t n)
{
    bool blank_end = text[i] == ' ' && (i == 0 || i == n - 1);
    return !blank_end && (unsigned char) text[i] >= 0x20 && text[i] != 0x7f;
}

// A literal text as configurations have it; `meant`: characters that need a backslash.
static char *escape(const char *literal, const char *meant)
{
    size_t n = strlen(literal);
    bool utf8 = g_utf8_validate(literal, -1, NULL);
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char) literal[i];
        if (!stands_alone(literal, i, n) || (byte >= 0x80 && !utf8))
            g_string_append_printf(out, "\\%03o", byte);
        else {
            if (strchr(meant, literal[i]) != NULL)
                g_string_append_c(out, '\\');
            g_string_append_c(out, literal[i]);
        }
    }
    return g_string_free(out, FALSE);
}

char *options_written(const struct option *row, const char *literal)
{
    return options_is_choice(row, literal) ? g_strdup(literal) : escape(literal, special);
}

void options_put_path(struct option_slot *slot, const char *path)
{
    g_autofree char *text = escape(path, special);
    options_put(slot, text, NULL);
}

// Without blanks around them.
GPtrArray *options_parts(const char *text)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);
    const char *begin = text;
    for (const char *at = text;; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        else if (*at == ';' || *at == '\0') {
            g_autofree char *part = g_strndup(begin, (gsize) (at - begin));
            g_strstrip(part);
            if (*part != '\0')
                g_ptr_array_add(parts, g_steal_pointer(&part));
            begin = at + 1;
            if (*at == '\0')
                return parts;
        }
    }
}

static void fill(char **text, const char *name, const char *literal)
{
    g_autofree char *value = escape(literal, special);
    g_autoptr(GString) out = g_string_new(*text);
    g_string_replace(out, name, value, 0);
    g_free(*text);
    *text = g_strdup(out->str);
}

static bool is_pattern(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\' && text[1] != '\0')
            text++;
        else if (strchr("*?[", *text) != NULL)
            return true;
    }
    return false;
}

// \NNN as a backslash and the byte itself, which is how glob wants it.
static char *without_octal(const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text != '\0'; text++) {
        g_string_append_c(out, *text);
        if (*text != '\\' || text[1] == '\0')
            continue;
        text++;
        bool octal =
            *text >= '0' && *text <= '3' && g_ascii_isdigit(text[1]) && g_ascii_isdigit(text[2]);
        g_string_append_c(
            out,
            octal ? (char) ((text[0] - '0') * 64 + (text[1] - '0') * 8 + (text[2] - '0')) : *text);
        text += octal ? 2 : 0;
    }
    return g_string_free(out, FALSE);
}

static bool add_matches(GPtrArray *paths, const char *pattern, GError **error)
{
    g_autofree char *plain = without_octal(pattern);
    glob_t found;
    int status = glob(plain, GLOB_ERR, NULL, &found);
    for (size_t i = 0; status == 0 && i < found.gl_pathc; i++)
        g_ptr_array_add(paths, g_strdup(found.gl_pathv[i]));
    if (status == 0 || status == GLOB_NOMATCH)
        globfree(&found);
    if (status != 0)
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: %s", pattern,
                    status == GLOB_NOMATCH ? "expected a file, none matches" : g_strerror(errno));
    return status == 0;
}

// The part with the folder of its file before it, still as written.
static char *with_folder(const char *folder, const char *part)
{
    if (folder == NULL || strcmp(folder, ".") == 0 || *part == '/')
        return g_strdup(part);
    g_autofree char *written = escape(folder, special);
    return g_strconcat(written, "/", part, NULL);
}

// What stands for parts of the path of a recording.
static void fill_in(char **part, const char *recording)
{
    g_autofree char *stem = stem_of(recording);
    g_autofree char *absolute = g_canonicalize_filename(recording, NULL);
    g_autofree char *above = g_path_get_dirname(absolute);
    fill(part, "{stem}", stem);
    fill(part, "{folder}", above);
    static const char *const names[] = {"{up1}", "{up2}", "{up3}"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = g_path_get_basename(above);
        fill(part, names[i], name);
        char *parent = g_path_get_dirname(above);
        g_free(above);
        above = parent;
    }
}

GPtrArray *options_paths(const struct option_slot *slot, const char *recording, GError **error)
{
    g_autoptr(GPtrArray) parts = options_parts(slot->text);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < parts->len; i++) {
        char **part = (char **) &g_ptr_array_index(parts, i);
        if (recording != NULL)
            fill_in(part, recording);
        g_autofree char *path = with_folder(slot->folder, *part);
        if (!is_pattern(path))
            g_ptr_array_add(paths, g_strcompress(path));
        else if (!add_matches(paths, path, error))
            return NULL;
    }
    return g_steal_pointer(&paths);
}

char *options_resolve(const char *folder, const char *path)
{
    if (folder == NULL || strcmp(folder, ".") == 0 || g_path_is_absolute(path))
        return g_strdup(path);
    return g_build_filename(folder, path, NULL);
}

static char *absolute_list(const struct option_slot *slot)
{
    g_autoptr(GPtrArray) parts = options_parts(slot->text);
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *current = g_get_current_dir();
    g_autofree char *here = escape(current, special);
    for (guint i = 0; i < parts->len; i++) {
        g_autofree char *path = with_folder(slot->folder, g_ptr_array_index(parts, i));
        g_autofree char *absolute = g_canonicalize_filename(path, here);
        g_string_append_printf(out, "%s%s", i > 0 ? "; " : "", absolute);
    }
    return g_strdup(out->str);
}

static char *absolute_path(const char *folder, const char *path)
{
    g_autofree char *resolved = options_resolve(folder, path);
    g_autofree char *absolute = g_canonicalize_filename(resolved, NULL);
    return escape(absolute, "\\");
}

// Where the path of a word such as map:FILE begins; NULL where it has none.
static const char *path_of_word(const struct option *row, const char *text)
{
    g_auto(GStrv) choices = g_strsplit(row->choices, "|", -1);
    for (char **choice = choices; *choice != NULL; choice++) {
        size_t n = strcspn(*choice, ":=");
        if ((*choice)[n] != '\0' && strcmp(*choice + n + 1, "FILE") == 0 &&
            strncmp(*choice, text, n + 1) == 0)
            return text + n + 1;
    }
    return NULL;
}

char *options_quote(const struct option_slot *slot)
{
    const struct option *row = slot->row;
    const char *text = slot->text;
    if (text == NULL)
        return g_strdup("");
    if (row->type == OPTION_FILE)
        return options_is_choice(row, text) ? g_strdup(text) : absolute_list(slot);
    if (row->type == OPTION_REPEATED)
        return g_strdup(text);
    if (row->type == OPTION_RESPONSE && response_is_file(text))
        return absolute_path(slot->folder, text);
    const char *path = row->type == OPTION_WORD ? path_of_word(row, text) : NULL;
    if (path == NULL)
        return escape(text, "\\");
    g_autofree char *word = g_strndup(text, (gsize) (path - text));
    g_autofree char *absolute = absolute_path(slot->folder, path);
    return g_strconcat(word, absolute, NULL);
}
