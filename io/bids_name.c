// SPDX-License-Identifier: BSD-3-Clause
#include "io/bids_name.h"

#include <string.h>

enum { MOST_LEVELS = 8 }; // from a recording up to the root of its dataset

void bids_name_clear(struct bids_name *name)
{
    g_strfreev(name->entities);
    g_free(name->suffix);
    g_free(name->stem);
    g_free(name->folder);
}

static bool is_entity(const char *text)
{
    const char *dash = strchr(text, '-');
    return dash != NULL && dash > text && dash[1] != '\0';
}

static bool has_ending(const char *text, const char *ending)
{
    size_t n = strlen(text), n_ending = strlen(ending);
    return n > n_ending && g_ascii_strcasecmp(text + n - n_ending, ending) == 0;
}

struct bids_name bids_name_split(const char *path)
{
    struct bids_name name = {.folder = g_path_get_dirname(path)};
    g_autofree char *base = g_path_get_basename(path);
    if (has_ending(base, ".gz"))
        base[strlen(base) - strlen(".gz")] = '\0';
    char *point = strrchr(base, '.');
    if (point != NULL)
        *point = '\0';
    name.stem = g_steal_pointer(&base);
    g_auto(GStrv) pieces = g_strsplit(name.stem, "_", -1);
    guint n = g_strv_length(pieces);
    bool all = n >= 2;
    for (guint i = 0; i + 1 < n; i++)
        all = all && is_entity(pieces[i]);
    if (!all || is_entity(pieces[n - 1]))
        return name;
    name.suffix = g_steal_pointer(&pieces[n - 1]);
    name.entities = g_steal_pointer(&pieces);
    return name;
}

/** A file that applies, and how many entities it shares with the recording. */
struct candidate {
    char *file; // owned
    guint n_shared;
};

static void free_candidate(void *data)
{
    struct candidate *candidate = data;
    g_free(candidate->file);
    g_free(candidate);
}

/** The most entities first; of two that have as many, the first by name. */
static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = *(struct candidate *const *) a;
    const struct candidate *y = *(struct candidate *const *) b;
    if (x->n_shared != y->n_shared)
        return x->n_shared > y->n_shared ? -1 : 1;
    return strcmp(x->file, y->file);
}

/** What is asked for beside a recording. */
struct wanted {
    const struct bids_name *recording;
    const char *suffix;
    const char *extension;
    const char *free_entity;
};

/** How many entities a file shares with the recording, and one more; 0: it does not apply. */
static guint rate(const struct wanted *wanted, const char *file)
{
    if (!g_str_has_suffix(file, wanted->extension))
        return 0;
    g_auto(owned_bids_name) candidate = bids_name_split(file);
    bool bare = strcmp(candidate.stem, wanted->suffix) == 0; // for the whole dataset
    if (bare)
        return 1;
    if (candidate.entities == NULL || strcmp(candidate.suffix, wanted->suffix) != 0)
        return 0;
    guint n = 1;
    for (char **entity = candidate.entities; *entity != NULL; entity++, n++) {
        bool has = g_strv_contains((const char *const *) wanted->recording->entities, *entity);
        bool is_free =
            wanted->free_entity != NULL && g_str_has_prefix(*entity, wanted->free_entity);
        if (!has && !is_free)
            return 0;
    }
    return n;
}

static void add_from_folder(GPtrArray *found, const struct wanted *wanted, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    if (dir == NULL)
        return;
    g_autoptr(GPtrArray) candidates = g_ptr_array_new_with_free_func(free_candidate);
    for (const char *file = g_dir_read_name(dir); file != NULL; file = g_dir_read_name(dir)) {
        guint n_shared = rate(wanted, file);
        if (n_shared == 0)
            continue;
        struct candidate *candidate = g_new(struct candidate, 1);
        *candidate = (struct candidate){g_strdup(file), n_shared};
        g_ptr_array_add(candidates, candidate);
    }
    g_ptr_array_sort(candidates, compare_candidates);
    for (guint i = 0; i < candidates->len; i++) {
        const struct candidate *candidate = candidates->pdata[i];
        g_ptr_array_add(found, g_build_filename(folder, candidate->file, NULL));
    }
}

GPtrArray *bids_name_folders(const struct bids_name *recording)
{
    GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *folder = g_canonicalize_filename(recording->folder, NULL);
    for (size_t level = 0; level < MOST_LEVELS; level++) {
        g_autofree char *mark = g_build_filename(folder, "dataset_description.json", NULL);
        g_autofree char *parent = g_path_get_dirname(folder);
        g_ptr_array_add(folders, g_strdup(folder));
        if (g_file_test(mark, G_FILE_TEST_EXISTS))
            return folders;
        if (strcmp(parent, folder) == 0)
            break;
        g_free(folder);
        folder = g_steal_pointer(&parent);
    }
    g_ptr_array_set_size(folders, 1); // no dataset around it
    return folders;
}

GPtrArray *bids_name_inherit(const struct bids_name *recording, const char *suffix,
                             const char *extension, const char *free_entity)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) folders = bids_name_folders(recording);
    const struct wanted wanted = {recording, suffix, extension, free_entity};
    for (guint i = 0; i < folders->len; i++)
        add_from_folder(found, &wanted, folders->pdata[i]);
    return found;
}
