// SPDX-License-Identifier: BSD-3-Clause
#include "io/writer_nifti.h"

#include "io/gz.h"
#include "io/header_nifti.h"
#include "io/publish.h"

#include <math.h>
#include <string.h>

enum {
    MEMBER_BYTES = 8 << 20,
    TILE_SAMPLES = 8192,
    HEADER_BYTES = sizeof(nifti_2_header) + 4, // at most, with the extender
};

/** An image on its way out, cut into members. */
struct writer {
    const struct image *image;
    uint8_t header[HEADER_BYTES];
    size_t n_header;
    size_t n_voxels; // of a frame
    size_t sample_bytes;
    uint64_t n_bytes; // header and samples
    bool compress;
    int level;
    size_t first_member; // of the batch under way
    struct member *members;
};

struct member {
    uint8_t *raw;        // borrowed; MEMBER_BYTES
    uint8_t *compressed; // borrowed; gz_member_bound(MEMBER_BYTES), or NULL
    size_t n;            // of what is to be written
    bool overflow;       // a value does not fit int16
};

static void set_geometry(nifti_2_header *f, const struct image_grid *grid)
{
    for (size_t i = 0; i < 3; i++) {
        f->dim[i + 1] = (int64_t) grid->dim[i];
        f->pixdim[i + 1] = grid->voxel_mm[i];
    }
    for (size_t i = 0; i < 4; i++) {
        f->srow_x[i] = grid->srow[0][i];
        f->srow_y[i] = grid->srow[1][i];
        f->srow_z[i] = grid->srow[2][i];
    }
    f->pixdim[0] = grid->qfac < 0.0 ? -1.0 : 1.0;
    f->quatern_b = grid->quatern[0];
    f->quatern_c = grid->quatern[1];
    f->quatern_d = grid->quatern[2];
    f->qoffset_x = grid->qoffset[0];
    f->qoffset_y = grid->qoffset[1];
    f->qoffset_z = grid->qoffset[2];
    f->qform_code = grid->qform_code;
    f->sform_code = grid->sform_code;
    f->dim_info = (char) grid->dim_info;
    f->slice_code = grid->slice_code;
    f->slice_start = grid->slice_start;
    f->slice_end = grid->slice_end;
    f->slice_duration = grid->slice_duration_s;
    f->toffset = grid->toffset_s;
}

static void set_samples(nifti_2_header *f, const struct image *image)
{
    bool is_series = image->is_series || image->n_frames > 1;
    bool is_float = image->type == IMAGE_FLOAT32;
    f->dim[0] = is_series ? 4 : 3;
    f->dim[4] = (int64_t) image->n_frames;
    f->dim[5] = f->dim[6] = f->dim[7] = 1;
    f->pixdim[4] = is_series ? image->interval_s : 0.0;
    f->datatype = is_float ? NIFTI_TYPE_FLOAT32 : NIFTI_TYPE_INT16;
    f->bitpix = is_float ? 32 : 16;
    f->scl_slope = is_float ? 1.0 : image->scale;
    f->xyzt_units = SPACE_TIME_TO_XYZT(NIFTI_UNITS_MM, NIFTI_UNITS_SEC);
}

/** The header and four zero bytes: no extensions. Their size. */
static size_t make_header(const struct image *image, uint8_t bytes[HEADER_BYTES])
{
    nifti_2_header wide = {.sizeof_hdr = sizeof wide, .vox_offset = sizeof wide + 4};
    memcpy(wide.magic, "n+2\0\r\n\x1a\n", sizeof wide.magic);
    set_geometry(&wide, image->grid);
    set_samples(&wide, image);
    bool is_small = true;
    for (size_t i = 1; i <= 4; i++)
        is_small = is_small && wide.dim[i] <= G_MAXINT16;
    memset(bytes, 0, HEADER_BYTES);
    if (!is_small) {
        if (G_BYTE_ORDER == G_BIG_ENDIAN)
            nifti_swap_as_nifti2(&wide);
        memcpy(bytes, &wide, sizeof wide);
        return sizeof wide + 4;
    }
    nifti_1_header narrow = {.sizeof_hdr = sizeof narrow, .regular = 'r', .magic = "n+1"};
    header_nifti_narrow(&narrow, &wide);
    narrow.vox_offset = sizeof narrow + 4;
    if (G_BYTE_ORDER == G_BIG_ENDIAN)
        nifti_swap_as_nifti1(&narrow);
    memcpy(bytes, &narrow, sizeof narrow);
    return sizeof narrow + 4;
}

/** Whether all count values fit int16 once divided by the scale; NaN does not. */
static bool to_int16(const float *restrict values, size_t count, double scale,
                     int16_t *restrict out)
{
    const double round = 0x1.8p52; // adding and subtracting it rounds to the nearest, ties to even
    int fit = 1;
    for (size_t i = 0; i < count; i++) {
        double stored = ((double) values[i] / scale + round) - round;
        int fits = stored >= G_MININT16 && stored <= G_MAXINT16;
        out[i] = GINT16_TO_LE((int16_t) (int) (fits ? stored : 0.0));
        fit &= fits;
    }
    return fit;
}

static void to_float32(const float *values, size_t count, uint32_t *out)
{
    memcpy(out, values, count * sizeof *out);
    for (size_t i = 0; G_BYTE_ORDER == G_BIG_ENDIAN && i < count; i++)
        out[i] = GUINT32_TO_LE(out[i]);
}

/** The samples [first, first + count) of the image, in its order; false if one does not fit. */
static bool fill_samples(const struct writer *writer, uint64_t first, size_t count, void *out)
{
    const struct image *image = writer->image;
    float tile[TILE_SAMPLES];
    char *at = out;
    bool fit = true;
    while (count > 0) {
        size_t t = (size_t) (first / writer->n_voxels);
        size_t v = (size_t) (first % writer->n_voxels);
        size_t n = MIN(MIN(count, writer->n_voxels - v), TILE_SAMPLES);
        image->fill(image->data, t, v, n, tile);
        if (image->type == IMAGE_FLOAT32)
            to_float32(tile, n, (uint32_t *) (void *) at);
        else
            fit = to_int16(tile, n, image->scale, (int16_t *) (void *) at) && fit;
        at += n * writer->sample_bytes;
        first += n;
        count -= n;
    }
    return fit;
}

/** The bytes of member number first_member + i. Runs on any thread. */
static void make_member(void *data, size_t i)
{
    const struct writer *writer = data;
    struct member *member = &writer->members[i];
    uint64_t begin = (uint64_t) (writer->first_member + i) * MEMBER_BYTES;
    size_t n = (size_t) MIN(writer->n_bytes - begin, MEMBER_BYTES);
    size_t n_header = begin == 0 ? writer->n_header : 0;
    memcpy(member->raw, writer->header, n_header);
    uint64_t first = (begin + n_header - writer->n_header) / writer->sample_bytes;
    size_t count = (n - n_header) / writer->sample_bytes;
    member->overflow = !fill_samples(writer, first, count, member->raw + n_header);
    member->n = n;
    if (member->compressed != NULL)
        member->n = gz_member(member->raw, n, writer->level, member->compressed);
}

static bool write_batch(const struct writer *writer, size_t n, const char *path,
                        struct publish *output, GError **error)
{
    for (size_t i = 0; i < n; i++) {
        const struct member *member = &writer->members[i];
        if (member->overflow) {
            io_error_set(error, IO_ERROR_OUTPUT, path,
                         "cannot write: a value does not fit int16 with scale %g",
                         writer->image->scale);
            return false;
        }
        const uint8_t *bytes = member->compressed != NULL ? member->compressed : member->raw;
        if (!publish_write(output, bytes, member->n, error))
            return false;
    }
    return true;
}

static bool write_members(struct writer *writer, size_t batch, const char *path,
                          struct publish *output, const struct io_context *io, GError **error)
{
    size_t n_members = (size_t) ((writer->n_bytes + MEMBER_BYTES - 1) / MEMBER_BYTES);
    for (size_t done = 0; done < n_members; done += batch) {
        size_t n = MIN(batch, n_members - done);
        writer->first_member = done;
        if (!io_context_go_on(io, (double) done / (double) n_members) ||
            !io_context_run(io, n, make_member, writer))
            return io_error_stopped(error, path);
        if (!write_batch(writer, n, path, output, error))
            return false;
    }
    return publish_commit(output, error);
}

static bool set_up(struct writer *writer, const char *path, const struct image *image,
                   const struct io_context *io, GError **error)
{
    const size_t *dim = image->grid->dim;
    uint64_t n_samples = image->n_frames;
    bool overflow = false;
    for (size_t i = 0; i < 3; i++)
        overflow = overflow || __builtin_mul_overflow(n_samples, dim[i], &n_samples);
    writer->image = image;
    writer->sample_bytes = image->type == IMAGE_FLOAT32 ? sizeof(float) : sizeof(int16_t);
    writer->n_voxels = dim[0] * dim[1] * dim[2];
    writer->n_header = make_header(image, writer->header);
    overflow = overflow ||
               __builtin_mul_overflow(n_samples, writer->sample_bytes, &writer->n_bytes) ||
               __builtin_add_overflow(writer->n_bytes, writer->n_header, &writer->n_bytes);
    writer->compress = g_str_has_suffix(path, ".nii.gz");
    writer->level = io->compression;
    if (overflow || n_samples == 0 || !(writer->compress || g_str_has_suffix(path, ".nii"))) {
        io_error_set(error, IO_ERROR_OUTPUT, path,
                     "cannot write: expected a name in .nii or .nii.gz and a size below 2^64");
        return false;
    }
    return true;
}

// The next member's samples are aligned.
static size_t compressed_room(void)
{
    size_t bound = gz_member_bound(MEMBER_BYTES);
    return bound + -bound % 64;
}

static size_t members_at_once(uint64_t n_bytes, size_t n_threads)
{
    uint64_t n_members = (n_bytes + MEMBER_BYTES - 1) / MEMBER_BYTES;
    return (size_t) MIN((uint64_t) MAX(n_threads, 1), n_members);
}

size_t writer_nifti_memory(uint64_t n_bytes, size_t n_threads)
{
    return members_at_once(n_bytes, n_threads) * (MEMBER_BYTES + compressed_room());
}

bool writer_nifti_write(const char *path, const struct image *image, bool overwrite,
                        const struct io_context *io, GError **error)
{
    struct writer writer = {0};
    if (!set_up(&writer, path, image, io, error))
        return false;
    g_autoptr(owned_publish) output = publish_new(path, overwrite, error);
    if (output == NULL)
        return false;
    size_t batch = members_at_once(writer.n_bytes, io->n_threads);
    size_t compressed_bytes = writer.compress ? compressed_room() : 0;
    g_autofree uint8_t *memory =
        io_context_alloc(io, path, batch, MEMBER_BYTES + compressed_bytes, error);
    if (memory == NULL)
        return false;
    g_autofree struct member *members = g_new0(struct member, batch);
    for (size_t i = 0; i < batch; i++) {
        members[i].raw = memory + i * (MEMBER_BYTES + compressed_bytes);
        members[i].compressed = writer.compress ? members[i].raw + MEMBER_BYTES : NULL;
    }
    writer.members = members;
    return write_members(&writer, batch, path, output, io, error);
}
