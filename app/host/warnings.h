// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"

#include <json-glib/json-glib.h>

struct warning {
    char *text;   // owned
    size_t count; // how often
};

/** What a job warned of, each text once, in the order of their first time. */
struct warnings {
    GPtrArray *all; // owned, of owned struct warning
};

void warnings_init(struct warnings *warnings);
void warnings_clear(struct warnings *warnings);

/** Begins with those of another list, without telling them again. */
void warnings_copy(struct warnings *warnings, const struct warnings *from);

/** Counts a text, and tells the host of it the first time. */
void warnings_tell(struct warnings *warnings, const struct host *host, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/** [{"text": "...", "count": 1}, ...]. */
JsonArray *warnings_to_json(const struct warnings *warnings);
