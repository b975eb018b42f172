// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/**
 * A value as JSON text, to be freed. pretty: a member a line, indented by two blanks.
 *
 * Numbers have the fewest digits that are read back as the same double; what JSON cannot say, NaN
 * and infinities, is null. json-glib's own generator writes 1e-8 as 1e-08.0, which is no JSON.
 */
char *json_text(JsonNode *node, bool pretty);

/**
 * Whether n bytes may be given to json-glib's parser, which calls itself for every level (a
 * million brackets end the program), takes comments and other quotes than JSON has, and tells what
 * it does not like in the file's own words. NULL, or what was expected and found instead (static).
 */
const char *json_text_check(const char *text, size_t n, size_t most_levels);
