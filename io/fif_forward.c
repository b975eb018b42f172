// SPDX-License-Identifier: BSD-3-Clause
#include "io/fif_forward.h"

#include "io/bytes.h"
#include "io/fif_sensors.h"

#include <math.h>
#include <string.h>

enum {
    METHOD_MEG = 1,
    METHOD_EEG = 2,
    METHOD_BOTH = 3,
    ORIENTATION_FIXED = 1,
    ORIENTATION_FREE = 2,
    READ_BYTES = 1 << 20, // of the matrix at a time; more than a column has
    MOST_PARTS = 2,
};

static const double nearness_m = 1e-3;

static void source_space_clear(struct source_space *space)
{
    g_free(space->points);
    g_free(space->normals);
    g_free(space->in_use);
    g_free(space->vertex);
    g_free(space->nearest);
}

void fif_forward_free(struct forward *forward)
{
    if (forward == NULL)
        return;
    for (size_t i = 0; i < forward->n_spaces; i++)
        source_space_clear(&forward->space[i]);
    g_free(forward->path);
    g_strfreev(forward->names);
    g_free(forward->kinds);
    g_free(forward->gain);
    g_free(forward->space);
    g_ptr_array_unref(forward->warnings);
    g_free(forward);
}

static bool refuse(const struct fif *fif, GError **error, const char *message)
{
    io_error_set(error, IO_ERROR_INPUT, fif->path, "%s", message);
    return false;
}

// Source spaces.

/** The n finite numbers of a tag that has to be there, to be freed. */
static double *read_values(const struct fif *fif, size_t block, int32_t kind, size_t n,
                           const struct io_context *io, GError **error)
{
    const struct fif_tag *tag = fif_find(fif, block, kind);
    g_auto(owned_fif_numbers) numbers = {0};
    if (tag == NULL) {
        io_error_set(error, IO_ERROR_INPUT, fif->path, "source space: expected tag %d, found none",
                     kind);
        return NULL;
    }
    if (!fif_numbers(fif, tag, &numbers, io, error))
        return NULL;
    bool finite = true;
    for (size_t i = 0; i < numbers.n; i++)
        finite = finite && isfinite(numbers.values[i]);
    if (numbers.n == n && finite)
        return g_steal_pointer(&numbers.values);
    fif_refuse(fif, tag, error, "expected %zu finite numbers, found %zu%s", n, numbers.n,
               finite ? "" : ", some of them not finite");
    return NULL;
}

/** Rotates, and shifts where `shift`, points of three coordinates. */
static void transform_points(const float transform[3][4], bool shift, double *points, size_t n)
{
    for (double *p = points; p < points + 3 * n; p += 3) {
        double moved[3];
        for (size_t i = 0; i < 3; i++)
            moved[i] = (double) transform[i][0] * p[0] + (double) transform[i][1] * p[1] +
                       (double) transform[i][2] * p[2] + (shift ? (double) transform[i][3] : 0.0);
        memcpy(p, moved, sizeof moved);
    }
}

/** From the frame of the source space to that of the forward solution. */
static bool to_frame(const struct fif *fif, size_t block, const struct forward *forward,
                     struct source_space *space, GError **error)
{
    int32_t frame = FIF_FRAME_MRI;
    float transform[3][4];
    bool found = false;
    if (!fif_get_int(fif, block, FIF_COORD_FRAME, &frame, error))
        return false;
    if (frame == forward->frame)
        return true;
    size_t mri = fif_find_block(fif, 0, FIF_BLOCK_PARENT_MRI);
    if (mri != 0 && !fif_get_transform(fif, mri, frame, forward->frame, transform, &found, error))
        return false;
    if (!found) {
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "source space: expected a transform from frame %d to %d, found none", frame,
                     forward->frame);
        return false;
    }
    transform_points(transform, true, space->points, space->n_points);
    transform_points(transform, false, space->normals, space->n_points);
    return true;
}

static bool read_in_use(const struct fif *fif, size_t block, struct source_space *space,
                        const struct io_context *io, GError **error)
{
    int32_t declared = 0;
    g_autofree double *in_use =
        read_values(fif, block, FIF_SOURCE_IN_USE, space->n_points, io, error);
    if (in_use == NULL || !fif_get_int(fif, block, FIF_N_IN_USE, &declared, error))
        return false;
    space->in_use = g_new(uint8_t, space->n_points);
    space->vertex = g_new(size_t, space->n_points);
    for (size_t i = 0; i < space->n_points; i++) {
        space->in_use[i] = in_use[i] != 0.0;
        if (space->in_use[i] != 0)
            space->vertex[space->n_in_use++] = i;
    }
    if (declared < 0 || (size_t) declared != space->n_in_use) {
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "source space: expected %d points in use, found %zu", declared,
                     space->n_in_use);
        return false;
    }
    return true;
}

static bool read_nearest(const struct fif *fif, size_t block, struct source_space *space,
                         const struct io_context *io, GError **error)
{
    const struct fif_tag *tag = fif_find(fif, block, FIF_SOURCE_NEAREST);
    if (tag == NULL)
        return true;
    g_autofree double *nearest =
        read_values(fif, block, FIF_SOURCE_NEAREST, space->n_points, io, error);
    if (nearest == NULL)
        return false;
    space->nearest = g_new(int32_t, space->n_points);
    for (size_t i = 0; i < space->n_points; i++) {
        if (!(nearest[i] >= 0.0 && nearest[i] < (double) space->n_points))
            return fif_refuse(fif, tag, error, "expected points 0 to %zu, found %g",
                              space->n_points - 1, nearest[i]);
        space->nearest[i] = (int32_t) nearest[i];
    }
    return true;
}

static bool read_space(const struct fif *fif, size_t block, const struct forward *forward,
                       struct source_space *space, const struct io_context *io, GError **error)
{
    int32_t type = SOURCE_SURFACE;
    int32_t n_points = 0;
    if (!fif_get_int(fif, block, FIF_SOURCE_TYPE, &type, error) ||
        !fif_get_int(fif, block, FIF_SOURCE_ID, &space->id, error) ||
        !fif_get_int(fif, block, FIF_N_POINTS, &n_points, error))
        return false;
    if (type < SOURCE_SURFACE || type > SOURCE_DISCRETE || n_points < 1)
        return refuse(fif, error,
                      "source space: expected a surface, volume or points, of 1 or more");
    space->type = (enum source_space_type) type;
    space->n_points = (size_t) n_points;
    size_t n = 3 * space->n_points;
    space->points = read_values(fif, block, FIF_SOURCE_POINTS, n, io, error);
    if (space->points == NULL)
        return false;
    space->normals = read_values(fif, block, FIF_SOURCE_NORMALS, n, io, error);
    return space->normals != NULL && read_in_use(fif, block, space, io, error) &&
           read_nearest(fif, block, space, io, error) &&
           to_frame(fif, block, forward, space, error);
}

static bool read_spaces(const struct fif *fif, struct forward *forward, const struct io_context *io,
                        GError **error)
{
    size_t n_sources = 0;
    for (size_t block = fif_find_block(fif, 0, FIF_BLOCK_SOURCE_SPACE); block != 0;
         block = fif_next_block(fif, 0, FIF_BLOCK_SOURCE_SPACE, block)) {
        forward->space = g_renew(struct source_space, forward->space, forward->n_spaces + 1);
        struct source_space *space = &forward->space[forward->n_spaces++];
        *space = (struct source_space){0};
        if (!read_space(fif, block, forward, space, io, error))
            return false;
        n_sources += space->n_in_use;
    }
    if (n_sources == forward->n_sources)
        return true;
    io_error_set(error, IO_ERROR_INPUT, fif->path,
                 "forward solution: expected %zu sources, found %zu points in use",
                 forward->n_sources, n_sources);
    return false;
}

// Sources that are too near to each other.

static int compare_x(const void *a, const void *b)
{
    const double *p = *(const double *const *) a;
    const double *q = *(const double *const *) b;
    return (p[0] > q[0]) - (p[0] < q[0]);
}

/** Sources that have another within nearness_m further along x. */
static size_t count_near(const double *const *sorted, size_t n)
{
    size_t n_near = 0;
    for (size_t i = 0; i < n; i++) {
        bool near = false;
        for (size_t j = i + 1; j < n && !near && sorted[j][0] - sorted[i][0] < nearness_m; j++) {
            double d2 = 0.0;
            for (size_t k = 0; k < 3; k++)
                d2 += (sorted[j][k] - sorted[i][k]) * (sorted[j][k] - sorted[i][k]);
            near = d2 < nearness_m * nearness_m;
        }
        n_near += near;
    }
    return n_near;
}

static void check_distances(struct forward *forward)
{
    g_autofree const double **sources = g_new(const double *, forward->n_sources);
    size_t n = 0;
    for (size_t i = 0; i < forward->n_spaces; i++)
        for (size_t j = 0; j < forward->space[i].n_in_use; j++)
            sources[n++] = forward->space[i].points + 3 * forward->space[i].vertex[j];
    qsort(sources, n, sizeof(const double *), compare_x);
    size_t n_near = count_near(sources, n);
    if (n_near == 0)
        return;
    bool most = n_near > forward->n_sources / 2;
    g_ptr_array_add(forward->warnings,
                    g_strdup_printf("sources: %zu of %zu lie within a millimetre of another%s",
                                    n_near, forward->n_sources,
                                    most ? ": are positions in metres?" : ""));
}

// The matrix.

/** One forward block: MEG or EEG. */
struct part_of_forward {
    size_t block;
    int32_t method;
    char **names; // owned
    size_t n_channels;
    const struct fif_tag *gain;
};

/** What a forward block is, its shape checked. */
static bool read_part(const struct fif *fif, size_t block, struct part_of_forward *part,
                      struct forward *forward, const struct io_context *io, GError **error)
{
    int32_t orientation = ORIENTATION_FREE;
    int32_t frame = FIF_FRAME_HEAD;
    int32_t n_sources = 0;
    int32_t n_channels = 0;
    size_t matrix = fif_find_block(fif, block, FIF_BLOCK_NAMED_MATRIX);
    part->block = block;
    part->method = METHOD_BOTH;
    if (!fif_get_int(fif, block, FIF_INCLUDED_METHODS, &part->method, error) ||
        !fif_get_int(fif, block, FIF_SOURCE_ORIENTATION, &orientation, error) ||
        !fif_get_int(fif, block, FIF_COORD_FRAME, &frame, error) ||
        !fif_get_int(fif, block, FIF_N_POINTS, &n_sources, error) ||
        !fif_get_int(fif, block, FIF_NCHAN, &n_channels, error))
        return false;
    part->gain = matrix == 0 ? NULL : fif_find(fif, matrix, FIF_FORWARD_GAIN);
    if (matrix == 0 || part->gain == NULL ||
        !fif_get_names(fif, matrix, FIF_COL_NAMES, &part->names, io, error))
        return part->gain == NULL ? refuse(fif, error, "forward solution: expected a gain matrix")
                                  : false;
    if (orientation != ORIENTATION_FREE && orientation != ORIENTATION_FIXED)
        return refuse(fif, error, "forward solution: expected free or fixed orientation");
    if (frame != FIF_FRAME_HEAD && frame != FIF_FRAME_MRI)
        return refuse(fif, error, "forward solution: expected the head or MRI frame");
    size_t n_names = part->names == NULL ? 0 : g_strv_length(part->names);
    if (n_channels < 1 || (size_t) n_channels != n_names || n_sources < 1)
        return refuse(fif, error,
                      "forward solution: expected sources, and channels with a name each");
    bool is_first = forward->n_sources == 0;
    bool is_fixed = orientation == ORIENTATION_FIXED;
    if (!is_first && ((size_t) n_sources != forward->n_sources || frame != forward->frame ||
                      is_fixed != forward->is_fixed))
        return refuse(fif, error, "forward solution: expected MEG and EEG of the same sources");
    forward->is_fixed = is_fixed;
    forward->n_sources = (size_t) n_sources;
    forward->frame = frame;
    part->n_channels = n_names;
    return true;
}

/** The floats of one part into its rows of every column. */
static bool read_gain(const struct fif *fif, const struct part_of_forward *part, size_t first_row,
                      struct forward *forward, const struct io_context *io, GError **error)
{
    struct fif_numbers shape;
    const struct bytes_format *format = NULL;
    if (!fif_shape(fif, part->gain, &shape, &format, error))
        return false;
    size_t n_columns = fif_forward_axes(forward) * forward->n_sources;
    if (shape.is_packed || shape.n_rows != n_columns || shape.n_columns != part->n_channels)
        return fif_refuse(fif, part->gain, error, "expected %zu x %zu, found %zu x %zu", n_columns,
                          part->n_channels, shape.n_rows, shape.n_columns);
    size_t column_bytes = part->n_channels * format->n_bytes;
    g_assert(column_bytes > 0); // there are channels
    size_t n_most = MAX(READ_BYTES / column_bytes, 1);
    g_autofree uint8_t *bytes = g_malloc(n_most * column_bytes);
    for (size_t j = 0; j < n_columns;) {
        size_t n = MIN(n_most, n_columns - j);
        if (!fif_read(fif, part->gain->offset + j * column_bytes, bytes, n * column_bytes, error))
            return false;
        for (size_t i = 0; i < n; i++)
            format->convert(bytes + i * column_bytes, part->n_channels,
                            forward->gain + (j + i) * forward->n_channels + first_row);
        j += n;
        if (!io_context_go_on(io, (double) j / (double) n_columns))
            return io_error_stopped(error, fif->path);
    }
    return true;
}

/** Whether all entries are finite: a sum of x - x is 0 only then. */
static bool all_finite(const double *x, size_t n)
{
    double sum[4] = {0.0};
    for (size_t i = 0; i < n; i++)
        sum[i % 4] += x[i] - x[i];
    return sum[0] + sum[1] + sum[2] + sum[3] == 0.0;
}

static bool read_gains(const struct fif *fif, const struct part_of_forward *parts, size_t n_parts,
                       struct forward *forward, const struct io_context *io, GError **error)
{
    size_t n_columns = fif_forward_axes(forward) * forward->n_sources;
    forward->gain =
        io_context_alloc(io, fif->path, n_columns, forward->n_channels * sizeof(double), error);
    if (forward->gain == NULL)
        return false;
    size_t first_row = 0;
    for (size_t p = 0; p < n_parts; p++) {
        if (!read_gain(fif, &parts[p], first_row, forward, io, error))
            return false;
        first_row += parts[p].n_channels;
    }
    if (!all_finite(forward->gain, n_columns * forward->n_channels))
        return refuse(fif, error, "forward solution: expected finite gains");
    return true;
}

/** Names and kinds of channels; kinds stand with the measurement they were computed for. */
static bool set_channels(const struct fif *fif, const struct part_of_forward *parts, size_t n_parts,
                         struct forward *forward, const struct io_context *io, GError **error)
{
    size_t parent = fif_find_block(fif, 0, FIF_BLOCK_PARENT_MEAS);
    if (parent == 0)
        return refuse(fif, error, "forward solution: expected a description of channels");
    g_autoptr(owned_fif_channels) channels = fif_channels(fif, parent, io, error);
    if (channels == NULL)
        return false;
    bool mixed = false;
    forward->compensation_grade = fif_compensation_grade(channels, &mixed);
    if (mixed)
        g_ptr_array_add(forward->warnings,
                        g_strdup("channels: MEG channels are compensated to different grades"));
    if (!fif_get_transform(fif, parent, FIF_FRAME_DEVICE, FIF_FRAME_HEAD, forward->device_to_head,
                           &forward->has_device_to_head, error))
        return false;
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < channels->n; i++) {
        g_hash_table_insert(by_name, channels->channel[i].short_name, &channels->channel[i]);
        g_hash_table_insert(by_name, channels->channel[i].name, &channels->channel[i]);
    }
    forward->names = g_new0(char *, forward->n_channels + 1);
    forward->kinds = g_new(enum channel_kind, forward->n_channels);
    size_t n = 0;
    for (size_t p = 0; p < n_parts; p++)
        for (size_t i = 0; i < parts[p].n_channels; i++, n++) {
            const struct fif_channel *record = g_hash_table_lookup(by_name, parts[p].names[i]);
            if (record == NULL)
                return refuse(fif, error,
                              "forward solution: expected a description of every channel");
            forward->names[n] = g_strdup(record->name);
            forward->kinds[n] = fif_channel_kind(record);
        }
    return true;
}

/** MEG first; at most one of each. */
static bool sort_parts(const struct fif *fif, struct part_of_forward *parts, size_t n_parts,
                       GError **error)
{
    if (n_parts < MOST_PARTS)
        return true;
    bool both = (parts[0].method == METHOD_MEG && parts[1].method == METHOD_EEG) ||
                (parts[0].method == METHOD_EEG && parts[1].method == METHOD_MEG);
    if (!both)
        return refuse(fif, error, "forward solution: expected one of MEG and one of EEG");
    if (parts[0].method == METHOD_EEG) {
        struct part_of_forward eeg = parts[0];
        parts[0] = parts[1];
        parts[1] = eeg;
    }
    return true;
}

static bool read_all(const struct fif *fif, struct part_of_forward parts[MOST_PARTS],
                     struct forward *forward, const struct io_context *io, GError **error)
{
    size_t n_parts = 0;
    for (size_t block = fif_find_block(fif, 0, FIF_BLOCK_FORWARD); block != 0;
         block = fif_next_block(fif, 0, FIF_BLOCK_FORWARD, block)) {
        if (n_parts == MOST_PARTS)
            return refuse(fif, error, "forward solution: expected one of MEG and one of EEG");
        if (!read_part(fif, block, &parts[n_parts], forward, io, error))
            return false;
        forward->n_channels += parts[n_parts++].n_channels;
    }
    if (n_parts == 0) {
        io_error_set(error, IO_ERROR_INPUT, fif->path, "expected a forward solution, found %s",
                     fif_contents_name(fif_contents(fif)));
        return false;
    }
    size_t mri = fif_find_block(fif, 0, FIF_BLOCK_PARENT_MRI);
    return sort_parts(fif, parts, n_parts, error) &&
           (mri == 0 ||
            fif_get_transform(fif, mri, FIF_FRAME_MRI, FIF_FRAME_HEAD, forward->mri_to_head,
                              &forward->has_mri_to_head, error)) &&
           read_spaces(fif, forward, io, error) &&
           set_channels(fif, parts, n_parts, forward, io, error) &&
           read_gains(fif, parts, n_parts, forward, io, error);
}

struct forward *fif_forward_of(const struct fif *fif, const struct io_context *io, GError **error)
{
    g_autoptr(owned_forward) forward = g_new0(struct forward, 1);
    forward->path = g_strdup(fif->path);
    forward->compressed = fif->owned_bytes != NULL;
    forward->warnings = fif_copy_warnings(fif);
    struct part_of_forward parts[MOST_PARTS] = {{0}};
    bool ok = read_all(fif, parts, forward, io, error);
    for (size_t p = 0; p < MOST_PARTS; p++)
        g_strfreev(parts[p].names);
    if (!ok)
        return NULL;
    check_distances(forward);
    return g_steal_pointer(&forward);
}

struct forward *fif_forward_read(const char *path, const struct io_context *io, GError **error)
{
    struct gz *stream = gz_open(path, error);
    g_autoptr(owned_fif) fif = stream == NULL ? NULL : fif_open(path, stream, io, error);
    return fif == NULL ? NULL : fif_forward_of(fif, io, error);
}
