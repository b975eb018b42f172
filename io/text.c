// SPDX-License-Identifier: BSD-3-Clause
#include "io/text.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

static bool is_safe(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT: // reorders text, among others
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_UNASSIGNED:
        return false;
    default:
        return true;
    }
}

static char *escape(const char *text, size_t n, const char *ending)
{
    GString *out = g_string_sized_new(n + 8);
    for (const char *p = text, *end = text + n; p < end;) {
        gunichar c = g_utf8_get_char_validated(p, end - p);
        bool valid = c != (gunichar) -1 && c != (gunichar) -2;
        if (valid && is_safe(c)) {
            g_string_append_unichar(out, c);
        } else if (valid && c >= 0x80) {
            g_string_append_printf(out, "\\u{%04x}", c);
        } else {
            g_string_append_printf(out, "\\x%02x", (unsigned char) *p);
        }
        p = valid ? g_utf8_next_char(p) : p + 1;
    }
    g_string_append(out, ending);
    return g_string_free(out, FALSE);
}

char *text_escape(const char *text)
{
    return escape(text, strlen(text), "");
}

char *text_excerpt(const char *text, size_t n)
{
    size_t length = strlen(text);
    return length <= n ? escape(text, length, "") : escape(text, n, "...");
}

char *text_decode(const void *bytes, size_t n, bool *latin1)
{
    const char *text = bytes;
    n = strnlen(text, n);
    bool is_utf8 = g_utf8_validate(text, (gssize) n, NULL);
    if (latin1 != NULL && !is_utf8)
        *latin1 = true;
    char *decoded = is_utf8 ? g_strndup(text, n)
                            : g_convert(text, (gssize) n, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
    return g_strstrip(decoded);
}

bool text_has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), n_suffix = strlen(suffix);
    return n >= n_suffix && g_ascii_strcasecmp(name + n - n_suffix, suffix) == 0;
}
