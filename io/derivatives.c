// SPDX-License-Identifier: BSD-3-Clause
#include "io/derivatives.h"

#include "io/bids_name.h"

#include <string.h>

/** A kind of file beside a run. */
struct kind {
    const char *desc;           // "desc-..."
    const char *const *endings; // suffix and extension, the best first; ends with NULL
    const char *const *ignored; // what a run may have and such a file not, "echo-"; ends with NULL
};

static const char *const mask_endings[] = {"_mask.nii.gz", "_mask.nii", NULL};
static const char *const mask_ignored[] = {"desc-", "echo-", "part-", NULL};
static const struct kind masks = {"desc-brain", mask_endings, mask_ignored};

static const char *const confounds_endings[] = {"_timeseries.tsv", "_timeseries.tsv.gz",
                                                "_regressors.tsv", NULL};
static const char *const confounds_ignored[] = {"cohort-", "den-", "desc-",  "echo-", "hemi-",
                                                "part-",   "res-", "space-", NULL};
static const struct kind confounds = {"desc-confounds", confounds_endings, confounds_ignored};

static bool has(const struct bids_name *name, const char *entity)
{
    return g_strv_contains((const char *const *) name->entities, entity);
}

static bool is_ignored(const struct kind *kind, const char *entity)
{
    for (const char *const *prefix = kind->ignored; *prefix != NULL; prefix++)
        if (g_str_has_prefix(entity, *prefix))
            return true;
    return false;
}

/** Whether a file belongs to a run: they have the same entities but for those that are ignored. */
static bool belongs(const struct kind *kind, const struct bids_name *run,
                    const struct bids_name *file)
{
    if (file->entities == NULL || !has(file, kind->desc))
        return false;
    for (char **entity = file->entities; *entity != NULL; entity++)
        if (strcmp(*entity, kind->desc) != 0 && !has(run, *entity))
            return false;
    for (char **entity = run->entities; *entity != NULL; entity++)
        if (!is_ignored(kind, *entity) && !has(file, *entity))
            return false;
    return true;
}

/** The better of two names is the one with more entities, then the first by name. */
static bool is_better(const char *file, guint n, const char *best, guint most)
{
    return best == NULL || n > most || (n == most && strcmp(file, best) < 0);
}

static char *find_ending(const struct kind *kind, const struct bids_name *run, const char *ending)
{
    g_autofree char *best = NULL;
    guint most = 0;
    g_autoptr(GDir) dir = g_dir_open(run->folder, 0, NULL);
    if (dir == NULL)
        return NULL;
    for (const char *file = g_dir_read_name(dir); file != NULL; file = g_dir_read_name(dir)) {
        if (!g_str_has_suffix(file, ending))
            continue;
        g_auto(owned_bids_name) name = bids_name_split(file);
        guint n = name.entities == NULL ? 0 : g_strv_length(name.entities);
        if (!belongs(kind, run, &name) || !is_better(file, n, best, most))
            continue;
        most = n;
        g_free(best);
        best = g_strdup(file);
    }
    return best == NULL ? NULL : g_build_filename(run->folder, best, NULL);
}

static char *find(const struct kind *kind, const char *run)
{
    g_auto(owned_bids_name) name = bids_name_split(run);
    char *found = NULL;
    for (const char *const *ending = kind->endings;
         name.entities != NULL && found == NULL && *ending != NULL; ending++)
        found = find_ending(kind, &name, *ending);
    return found;
}

char *derivatives_find_mask(const char *run)
{
    return find(&masks, run);
}

char *derivatives_find_confounds(const char *run)
{
    return find(&confounds, run);
}
