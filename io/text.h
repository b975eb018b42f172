// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdbool.h>
#include <stddef.h>

/**
 * A copy of `text` that is valid UTF-8 and safe on a terminal: control characters (C0, C1, DEL),
 * bytes that are not UTF-8 and marks that reorder or break lines become \xNN or \u{NNNN}. For
 * everything that a message takes from a file, a name of a file included. To be freed.
 */
char *text_escape(const char *text);

/** text_escape of at most `n` bytes, with "..." where something was left out. To be freed. */
char *text_excerpt(const char *text, size_t n);

/**
 * The text in n bytes, up to the first NUL, without blanks at either end: UTF-8 as it is, else
 * taken for latin-1. *latin1 (may be NULL) is set where it was. To be freed.
 */
char *text_decode(const void *bytes, size_t n, bool *latin1);

/** Whether a name ends like that, in capitals or not. */
bool text_has_suffix(const char *name, const char *suffix);
