// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/sources/sources.h"
#include "sources/lasso_window.h"

/** Reads the network that was asked for, if any, and chooses lambda. Errors: any. */
bool sources_plan_network(struct sources *sources, GError **error);

/**
 * Makes it for the leadfield. Error: APP_ERROR_INPUT where it was trained on another one, unless
 * --force-network.
 */
bool sources_form_network(struct sources *sources, GError **error);

/** The sources of all samples, with certified gaps; fills sources->network. NULL if stopped. */
struct lasso_window *sources_run_network(struct sources *sources, GError **error);

/** What it did, for the sidecar and `--json`. */
JsonObject *sources_network_json(const struct sources *sources);

void sources_network_clear(struct sources_network *network);
