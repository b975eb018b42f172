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
