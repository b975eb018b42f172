// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * A file's name as BIDS builds them: `sub-01_task-rest_desc-x_bold.nii.gz` is the entities sub-01,
 * task-rest and desc-x, the suffix bold, and the stem, which is all but the extension.
 */
struct bids_name {
    char **entities; // owned; NULL: no name of BIDS
    char *suffix;    // owned
    char *stem;      // owned; the name without its extension
    char *folder;    // owned
};
typedef struct bids_name owned_bids_name; // for g_auto(owned_bids_name)

/** Takes a path apart. */
struct bids_name bids_name_split(const char *path);
void bids_name_clear(struct bids_name *name);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_bids_name, bids_name_clear)

/**
 * The files `[ENTITIES_]SUFFIX.EXT` that apply to a recording by BIDS inheritance: in its folder
 * and in those above it, up to the root of its dataset (the folder with dataset_description.json;
 * without one its own folder alone), those whose entities the recording has. The nearest first, in
 * one folder the one with the most entities. free_entity: a prefix ("space-") that the recording
 * need not have, or NULL. Owned, of owned paths.
 */
GPtrArray *bids_name_inherit(const struct bids_name *recording, const char *suffix,
                             const char *extension, const char *free_entity);

/**
 * The folders from that of the recording up to the root of its dataset; its own alone where there
 * is no dataset around it. Owned, of owned paths.
 */
GPtrArray *bids_name_folders(const struct bids_name *recording);
