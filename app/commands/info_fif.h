// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/io_context.h"

#include <json-glib/json-glib.h>

/** A FIF file that is no recording: a forward solution or a noise covariance. */
struct info_fif;

/**
 * Reads it. NULL where it is neither, *error left as it was; and where it is one that cannot be
 * used, *error replaced by what is wrong with it.
 */
struct info_fif *info_fif_read(const char *path, const struct io_context *io, GError **error);
void info_fif_free(struct info_fif *info);
typedef struct info_fif owned_info_fif; // for g_autoptr(owned_info_fif)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_info_fif, info_fif_free)

void info_fif_print(const struct info_fif *info);
JsonObject *info_fif_json(const struct info_fif *info);
