// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** A table of confounds as it stands in a file; all borrowed. */
struct confounds_table {
    const char *path;         // for messages
    size_t n_rows;            // one a frame
    size_t n_columns;         //
    const double *values;     // row-major; NaN for "n/a"
    const char *const *names; // n_columns; NULL: they are called "1", "2", ...
    const char *const *text;  // n_columns: of each the first field that is no number, else NULL;
                              // NULL: there is none in the table
};

/** The columns that were asked for, over the frames that are kept. */
struct confounds {
    size_t n_frames;
    size_t n_columns;
    double *values;      // owned; column-major
    char **names;        // owned; NULL-terminated
    bool have_cosines;   // cosine columns are among them
    size_t n_non_steady; // frames at the beginning that the table marks as not steady
    bool *censored;      // owned; one a frame, by "scrub"; NULL without it
    size_t n_censored;   //
    char **notes;        // owned; NULL-terminated: what was done about "n/a", without the path
};

/** The names of the presets, "6p, 9p, ...", for messages; static. */
extern const char confounds_presets[];

/** Frames at the beginning that the table marks as not steady (non_steady_state_outlier*). */
size_t confounds_count_non_steady(const struct confounds_table *table);

/**
 * Selects columns of a table and the frames [first, first + count) of it.
 *
 * selection: items separated by commas, each a column, a pattern of names with * and ?, what some
 * names begin with (up to an underscore or a digit), or one of
 *   6p       trans_x, trans_y, trans_z, rot_x, rot_y, rot_z; of a table of six columns without
 * names all 9p       6p, wmcsf, gsr 12p      6p and their _derivative1 24p      12p and _power2,
 * _derivative1_power2 36p      9p, and their _derivative1, _power2, _derivative1_power2 acompcor
 * the first five a_comp_cor_*, with cosine* and non_steady_state_outlier*, which were taken out
 * before these components were computed wmcsf    csf, white_matter gsr      global_signal
 *   scrub:FD=MM  no columns: censors frames whose framewise_displacement is above MM, and those
 *            after them
 *   none, all
 * Of non_steady_state_outlier*, those are left out whose frame is not kept. What is missing (NaN)
 * may stand in the first row of derivatives, where it becomes 0, and of columns of framewise
 * displacement or DVARS, where it becomes the column's mean.
 * Error: DECONV_ERROR_NAME for an unknown column, with the nearest ones; DECONV_ERROR_VALUE for
 * n_rows != n_frames and for other cells of selected columns that are not finite.
 */
struct confounds *confounds_select(const struct confounds_table *table, const char *selection,
                                   size_t n_frames, size_t first, size_t count, GError **error);

void confounds_free(struct confounds *confounds);
typedef struct confounds owned_confounds; // for g_autoptr(owned_confounds)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_confounds, confounds_free)
