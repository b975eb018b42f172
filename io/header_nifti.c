// SPDX-License-Identifier: BSD-3-Clause
#include "io/header_nifti.h"

#include <inttypes.h>
#include <math.h>
#include <nifti2_io.h>
#include <string.h>

// nifticlib gives structs, constants, byte swapping and the quaternion; it never sees a file, and
// its functions only see headers whose size is known to be right.

#define CONVERT(name, stored_type, held_type)                                                      \
    static size_t convert_##name(const uint8_t *stored, size_t n, void *samples)                   \
    {                                                                                              \
        __typeof__(held_type) *out = samples;                                                      \
        for (size_t i = 0; i < n; i++) {                                                           \
            stored_type value;                                                                     \
            memcpy(&value, stored + i * sizeof value, sizeof value);                               \
            out[i] = (held_type) value;                                                            \
        }                                                                                          \
        return 0;                                                                                  \
    }

CONVERT(u8, uint8_t, float)
CONVERT(i8, int8_t, float)
CONVERT(u16, uint16_t, float)
CONVERT(i16, int16_t, float)
CONVERT(u32, uint32_t, double)
CONVERT(i32, int32_t, double)
CONVERT(f32, float, float)
CONVERT(f64, double, double)

static size_t convert_i64(const uint8_t *stored, size_t n, void *samples)
{
    double *out = samples;
    size_t n_inexact = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t value;
        memcpy(&value, stored + i * sizeof value, sizeof value);
        out[i] = (double) value;
        n_inexact += out[i] >= 0x1p63 || (int64_t) out[i] != value;
    }
    return n_inexact;
}

static size_t convert_u64(const uint8_t *stored, size_t n, void *samples)
{
    double *out = samples;
    size_t n_inexact = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t value;
        memcpy(&value, stored + i * sizeof value, sizeof value);
        out[i] = (double) value;
        n_inexact += out[i] >= 0x1p64 || (uint64_t) out[i] != value;
    }
    return n_inexact;
}

static const struct nifti_type types[] = {
    {NIFTI_TYPE_UINT8, SAMPLE_FLOAT, "uint8", 1, convert_u8},
    {NIFTI_TYPE_INT8, SAMPLE_FLOAT, "int8", 1, convert_i8},
    {NIFTI_TYPE_UINT16, SAMPLE_FLOAT, "uint16", 2, convert_u16},
    {NIFTI_TYPE_INT16, SAMPLE_FLOAT, "int16", 2, convert_i16},
    {NIFTI_TYPE_UINT32, SAMPLE_DOUBLE, "uint32", 4, convert_u32},
    {NIFTI_TYPE_INT32, SAMPLE_DOUBLE, "int32", 4, convert_i32},
    {NIFTI_TYPE_UINT64, SAMPLE_DOUBLE, "uint64", 8, convert_u64},
    {NIFTI_TYPE_INT64, SAMPLE_DOUBLE, "int64", 8, convert_i64},
    {NIFTI_TYPE_FLOAT32, SAMPLE_FLOAT, "float32", 4, convert_f32},
    {NIFTI_TYPE_FLOAT64, SAMPLE_DOUBLE, "float64", 8, convert_f64},
};

const struct nifti_type *header_nifti_type(int code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].code == code)
            return &types[i];
    return NULL;
}

void header_nifti_widen(nifti_2_header *wide, const nifti_1_header *narrow)
{
    for (size_t i = 0; i < 8; i++) {
        wide->dim[i] = narrow->dim[i];
        wide->pixdim[i] = (double) narrow->pixdim[i];
    }
    for (size_t i = 0; i < 4; i++) {
        wide->srow_x[i] = (double) narrow->srow_x[i];
        wide->srow_y[i] = (double) narrow->srow_y[i];
        wide->srow_z[i] = (double) narrow->srow_z[i];
    }
    wide->dim_info = narrow->dim_info;
    wide->datatype = narrow->datatype;
    wide->bitpix = narrow->bitpix;
    wide->slice_start = narrow->slice_start;
    wide->slice_end = narrow->slice_end;
    wide->slice_code = (unsigned char) narrow->slice_code;
    wide->xyzt_units = (unsigned char) narrow->xyzt_units;
    wide->intent_code = narrow->intent_code;
    wide->qform_code = narrow->qform_code;
    wide->sform_code = narrow->sform_code;
    wide->scl_slope = (double) narrow->scl_slope;
    wide->scl_inter = (double) narrow->scl_inter;
    wide->slice_duration = (double) narrow->slice_duration;
    wide->toffset = (double) narrow->toffset;
    wide->quatern_b = (double) narrow->quatern_b;
    wide->quatern_c = (double) narrow->quatern_c;
    wide->quatern_d = (double) narrow->quatern_d;
    wide->qoffset_x = (double) narrow->qoffset_x;
    wide->qoffset_y = (double) narrow->qoffset_y;
    wide->qoffset_z = (double) narrow->qoffset_z;
}

void header_nifti_narrow(nifti_1_header *narrow, const nifti_2_header *wide)
{
    for (size_t i = 0; i < 8; i++) {
        narrow->dim[i] = (short) wide->dim[i];
        narrow->pixdim[i] = (float) wide->pixdim[i];
    }
    for (size_t i = 0; i < 4; i++) {
        narrow->srow_x[i] = (float) wide->srow_x[i];
        narrow->srow_y[i] = (float) wide->srow_y[i];
        narrow->srow_z[i] = (float) wide->srow_z[i];
    }
    narrow->dim_info = wide->dim_info;
    narrow->datatype = (short) wide->datatype;
    narrow->bitpix = (short) wide->bitpix;
    narrow->slice_start = (short) wide->slice_start;
    narrow->slice_end = (short) wide->slice_end;
    narrow->slice_code = (char) wide->slice_code;
    narrow->xyzt_units = (char) wide->xyzt_units;
    narrow->qform_code = (short) wide->qform_code;
    narrow->sform_code = (short) wide->sform_code;
    narrow->scl_slope = (float) wide->scl_slope;
    narrow->scl_inter = (float) wide->scl_inter;
    narrow->slice_duration = (float) wide->slice_duration;
    narrow->toffset = (float) wide->toffset;
    narrow->quatern_b = (float) wide->quatern_b;
    narrow->quatern_c = (float) wide->quatern_c;
    narrow->quatern_d = (float) wide->quatern_d;
    narrow->qoffset_x = (float) wide->qoffset_x;
    narrow->qoffset_y = (float) wide->qoffset_y;
    narrow->qoffset_z = (float) wide->qoffset_z;
}

static void parse_version_1(struct nifti_header *h, const uint8_t *bytes)
{
    nifti_1_header raw;
    memcpy(&raw, bytes, sizeof raw);
    if (h->swapped)
        nifti_swap_as_nifti1(&raw);
    header_nifti_widen(&h->fields, &raw);
    memcpy(h->fields.magic, raw.magic, sizeof raw.magic);
    h->vox_offset = (double) raw.vox_offset;
}

static void parse_version_2(struct nifti_header *h, const uint8_t *bytes)
{
    memcpy(&h->fields, bytes, sizeof h->fields);
    if (h->swapped)
        nifti_swap_as_nifti2(&h->fields);
    h->vox_offset = (double) h->fields.vox_offset;
}

/** Bytes of the voxels; 0 where a dimension is invalid or the product does not fit. */
static uint64_t count_data_bytes(const struct nifti_header *h)
{
    if (h->type == NULL || h->fields.dim[0] < 1 || h->fields.dim[0] > 7)
        return 0;
    uint64_t bytes = h->type->n_bytes;
    for (int64_t i = 1; i <= MIN(h->fields.dim[0], 4); i++)
        if (h->fields.dim[i] < 1 ||
            __builtin_mul_overflow(bytes, (uint64_t) h->fields.dim[i], &bytes))
            return 0;
    return bytes;
}

static size_t header_size(int version)
{
    return version == 1 ? sizeof(nifti_1_header) : sizeof(nifti_2_header);
}

void header_nifti_parse(struct nifti_header *h, const uint8_t *bytes, size_t n_bytes)
{
    *h = (struct nifti_header){.n_bytes = n_bytes};
    int32_t size = 0;
    if (n_bytes < sizeof size)
        return;
    memcpy(&size, bytes, sizeof size);
    h->sizeof_hdr = size;
    int32_t other = GINT32_FROM_BE(GINT32_TO_LE(size));
    h->swapped = other == sizeof(nifti_1_header) || other == sizeof(nifti_2_header);
    if (h->swapped)
        size = other;
    if (size == sizeof(nifti_1_header))
        h->version = 1;
    else if (size == sizeof(nifti_2_header))
        h->version = 2;
    if (h->version == 0 || n_bytes < header_size(h->version))
        return;
    if (h->version == 1)
        parse_version_1(h, bytes);
    else
        parse_version_2(h, bytes);
    size_t end = header_size(h->version);
    memcpy(h->extender, bytes + end, MIN(n_bytes - end, sizeof h->extender));
    h->type = header_nifti_type(h->fields.datatype);
    h->data_bytes = count_data_bytes(h);
}

uint64_t header_nifti_data_offset(const struct nifti_header *h)
{
    return (uint64_t) h->vox_offset;
}

size_t header_nifti_n_frames(const struct nifti_header *h)
{
    return h->fields.dim[0] >= 4 ? (size_t) h->fields.dim[4] : 1;
}

/** The shortest decimal that a NIfTI-1 header, which has floats, rounds to x: 0.72, not 0.72000003.
 */
static double shortest_decimal(double x)
{
    for (int digits = 6; digits < 9; digits++) {
        char format[8];
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        g_snprintf(format, sizeof format, "%%.%dg", digits);
        g_ascii_formatd(text, sizeof text, format, x);
        double decimal = g_ascii_strtod(text, NULL);
        if ((float) decimal == (float) x)
            return decimal;
    }
    return x;
}

/** Units of time in a second; 0: the header names none. */
static double units_per_second(const struct nifti_header *h)
{
    switch (XYZT_TO_TIME(h->fields.xyzt_units)) {
    case NIFTI_UNITS_SEC:
        return 1.0;
    case NIFTI_UNITS_MSEC:
        return 1e3;
    case NIFTI_UNITS_USEC:
        return 1e6;
    default:
        return 0.0;
    }
}

double header_nifti_interval_s(const struct nifti_header *h)
{
    double tr = h->fields.pixdim[4];
    double units = units_per_second(h);
    if (!(isfinite(tr) && tr > 0.0) || units == 0.0)
        return 0.0;
    return (h->version == 1 ? shortest_decimal(tr) : tr) / units;
}

double header_nifti_stored_interval(const struct nifti_header *h, const char **unit)
{
    double per_s = units_per_second(h);
    double tr = h->fields.pixdim[4];
    *unit = per_s == 1.0 ? "s" : per_s == 1e3 ? "ms" : per_s == 1e6 ? "us" : "";
    return h->version == 1 && isfinite(tr) ? shortest_decimal(tr) : tr;
}

static double seconds_of(const struct nifti_header *h, double time)
{
    double units = units_per_second(h);
    return units > 0.0 && isfinite(time) ? time / units : 0.0;
}

static double mm_per_unit(const struct nifti_header *h)
{
    switch (XYZT_TO_SPACE(h->fields.xyzt_units)) {
    case NIFTI_UNITS_METER:
        return 1e3;
    case NIFTI_UNITS_MICRON:
        return 1e-3;
    default:
        return 1.0;
    }
}

/** The geometry as it stands in the header, in mm and s; the codes too. */
static void take_geometry(const struct nifti_header *h, struct image_grid *grid)
{
    const nifti_2_header *f = &h->fields;
    const double quatern[] = {f->quatern_b, f->quatern_c, f->quatern_d};
    const double qoffset[] = {f->qoffset_x, f->qoffset_y, f->qoffset_z};
    const double *srow[] = {f->srow_x, f->srow_y, f->srow_z};
    double mm = mm_per_unit(h);
    for (size_t i = 0; i < 3; i++) {
        grid->dim[i] = f->dim[0] > (int64_t) i ? (size_t) f->dim[i + 1] : 1;
        grid->voxel_mm[i] = fabs(f->pixdim[i + 1]) * mm; // old converters flip by the sign
        grid->quatern[i] = quatern[i];
        grid->qoffset[i] = qoffset[i] * mm;
        for (size_t j = 0; j < 4; j++)
            grid->srow[i][j] = srow[i][j] * mm;
    }
    grid->qfac = f->pixdim[0] < 0.0 ? -1.0 : 1.0;
    grid->qform_code = MAX(f->qform_code, 0);
    grid->sform_code = MAX(f->sform_code, 0);
    grid->slice_code = f->slice_code;
    grid->slice_start = (int) CLAMP(f->slice_start, 0, G_MAXINT16);
    grid->slice_end = (int) CLAMP(f->slice_end, 0, G_MAXINT16);
    grid->slice_duration_s = seconds_of(h, f->slice_duration);
    grid->dim_info = (unsigned char) f->dim_info;
    grid->toffset_s = seconds_of(h, f->toffset);
}

static bool qform_is_valid(const struct image_grid *grid)
{
    const double most = 1.0 + 1e-5; // of a unit quaternion, in floats
    double norm2 = 0.0;
    bool valid = true;
    for (size_t i = 0; i < 3; i++) {
        norm2 += grid->quatern[i] * grid->quatern[i];
        valid = valid && isfinite(grid->qoffset[i]) && isfinite(grid->voxel_mm[i]) &&
                grid->voxel_mm[i] > 0.0;
    }
    return valid && norm2 <= most;
}

/** Finite, with columns that span space. */
static bool is_invertible(const double a[3][4])
{
    double columns = 1.0;
    for (size_t j = 0; j < 3; j++)
        columns *= sqrt(a[0][j] * a[0][j] + a[1][j] * a[1][j] + a[2][j] * a[2][j]);
    double determinant = a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) -
                         a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
                         a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
    bool offset = isfinite(a[0][3]) && isfinite(a[1][3]) && isfinite(a[2][3]);
    return offset && isfinite(columns) && fabs(determinant) > 1e-9 * columns;
}

static void affine_of_qform(struct image_grid *grid)
{
    nifti_dmat44 m = nifti_quatern_to_dmat44(
        grid->quatern[0], grid->quatern[1], grid->quatern[2], grid->qoffset[0], grid->qoffset[1],
        grid->qoffset[2], grid->voxel_mm[0], grid->voxel_mm[1], grid->voxel_mm[2], grid->qfac);
    for (size_t i = 0; i < 3; i++)
        memcpy(grid->affine[i], m.m[i], sizeof grid->affine[i]);
}

/** The affine that the codes name; affine_ok where the part that rules it is valid. */
static void find_affine(struct image_grid *grid)
{
    memset(grid->affine, 0, sizeof grid->affine);
    grid->affine_ok = false;
    if (grid->sform_code > 0) {
        memcpy(grid->affine, grid->srow, sizeof grid->affine);
    } else if (grid->qform_code > 0) {
        if (!qform_is_valid(grid))
            return;
        affine_of_qform(grid);
    } else {
        for (size_t i = 0; i < 3; i++)
            grid->affine[i][i] = grid->voxel_mm[i];
    }
    grid->affine_ok = is_invertible((const double(*)[4]) grid->affine);
}

struct image_grid *header_nifti_grid(const struct nifti_header *h)
{
    struct image_grid *grid = g_new0(struct image_grid, 1);
    take_geometry(h, grid);
    find_affine(grid);
    // What is invalid is not passed on to outputs.
    if (!qform_is_valid(grid))
        grid->qform_code = 0;
    if (!is_invertible((const double(*)[4]) grid->srow))
        grid->sform_code = 0;
    return grid;
}

enum { LEAST_CIFTI_INTENT = 3000, MOST_CIFTI_INTENT = 3099 }; // NIFTI_INTENT_CONNECTIVITY...

// The guards, in the order of the table below. Each says what it found where its rule is broken.

#define FOUND(...) (g_snprintf(found, NIFTI_FOUND_BYTES, __VA_ARGS__), false)

static bool has_a_header(const struct nifti_subject *s, char *found)
{
    size_t n = s->header->n_bytes;
    return n >= sizeof(nifti_1_header) || FOUND("%zu", n);
}

static bool has_a_size(const struct nifti_subject *s, char *found)
{
    return s->header->version != 0 || FOUND("%" PRId32, s->header->sizeof_hdr);
}

static bool has_a_whole_header(const struct nifti_subject *s, char *found)
{
    const struct nifti_header *h = s->header;
    return h->n_bytes >= header_size(h->version) || FOUND("%zu", h->n_bytes);
}

static bool has_the_magic(const struct nifti_subject *s, char *found)
{
    const struct nifti_header *h = s->header;
    char expected[8] = {'n', s->is_pair ? 'i' : '+', h->version == 1 ? '1' : '2', '\0'};
    const char *m = h->fields.magic;
    bool known = m[0] == 'n' && (m[1] == '+' || m[1] == 'i') && (m[2] == '1' || m[2] == '2');
    if (memcmp(m, expected, 4) == 0)
        return true;
    if (known && m[3] == '\0')
        return FOUND("%s in a %d-byte header of a %s", m, h->version == 1 ? 348 : 540,
                     s->is_pair ? ".hdr/.img pair" : "single file");
    bool is_analyze = h->version == 1 && m[0] == '\0';
    if (is_analyze)
        return FOUND("none: an ANALYZE 7.5 image, which does not say where left is (convert it)");
    const uint8_t *u = (const uint8_t *) m;
    return FOUND("bytes %02x %02x %02x %02x", u[0], u[1], u[2], u[3]);
}

static bool has_the_magic_tail(const struct nifti_subject *s, char *found)
{
    static const uint8_t tail[] = {0x0d, 0x0a, 0x1a, 0x0a};
    const uint8_t *u = (const uint8_t *) s->header->fields.magic + 4;
    return s->header->version == 1 || memcmp(u, tail, sizeof tail) == 0 ||
           FOUND("%02x %02x %02x %02x", u[0], u[1], u[2], u[3]);
}

static bool has_1_to_7_dims(const struct nifti_subject *s, char *found)
{
    int64_t n = s->header->fields.dim[0];
    return (n >= 1 && n <= 7) || FOUND("%" PRId64, n);
}

static bool has_positive_dims(const struct nifti_subject *s, char *found)
{
    const int64_t *dim = s->header->fields.dim;
    for (int64_t i = 1; i <= dim[0]; i++)
        if (dim[i] < 1 || dim[i] > G_MAXINT32)
            return FOUND("dim[%d] = %" PRId64, (int) i, dim[i]);
    return true;
}

static bool has_3_or_4_dims(const struct nifti_subject *s, char *found)
{
    const int64_t *dim = s->header->fields.dim;
    int intent = s->header->fields.intent_code;
    if (intent >= LEAST_CIFTI_INTENT && intent <= MOST_CIFTI_INTENT)
        return FOUND("CIFTI, of surfaces and structures (wb_command -cifti-separate makes volumes "
                     "of it)");
    if (dim[0] >= 5 && dim[4] == 1 && dim[5] > 1)
        return FOUND("dim[4] = 1, dim[5] = %" PRId64 ": frames in the fifth dimension, as AFNI "
                     "has buckets",
                     dim[5]);
    for (int64_t i = 5; i <= dim[0]; i++)
        if (dim[i] != 1)
            return FOUND("dim[%d] = %" PRId64, (int) i, dim[i]);
    return true;
}

static bool has_a_real_type(const struct nifti_subject *s, char *found)
{
    int code = s->header->fields.datatype;
    return s->header->type != NULL || FOUND("%s (%d)", nifti_datatype_to_string(code), code);
}

static bool has_a_countable_size(const struct nifti_subject *s, char *found)
{
    const struct nifti_header *h = s->header;
    return h->data_bytes != 0 ||
           FOUND("%" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64, h->fields.dim[1],
                 h->fields.dim[2], h->fields.dim[3], h->fields.dim[4]);
}

static bool has_the_bits(const struct nifti_subject *s, char *found)
{
    const struct nifti_header *h = s->header;
    return h->fields.bitpix == (int) h->type->n_bytes * 8 ||
           FOUND("%d for %s", h->fields.bitpix, h->type->name);
}

static bool has_an_offset(const struct nifti_subject *s, char *found)
{
    const struct nifti_header *h = s->header;
    double least = s->is_pair ? 0.0 : (double) (header_size(h->version) + sizeof h->extender);
    double at = h->vox_offset;
    bool valid = isfinite(at) && at == floor(at) && at >= least && at < 0x1p53;
    return valid || FOUND("%g", at);
}

static bool has_its_data(const struct nifti_subject *s, char *found)
{
    uint64_t limit = gz_size_limit(s->data);
    uint64_t end = 0;
    bool overflow =
        __builtin_add_overflow(header_nifti_data_offset(s->header), s->header->data_bytes, &end);
    if (!overflow && end <= limit)
        return true;
    uint64_t size = gz_file_size(s->data);
    if (gz_is_compressed(s->data))
        return FOUND("%" PRIu64 " declared in %" PRIu64 " compressed", s->header->data_bytes, size);
    return FOUND("a file of %" PRIu64 " for %" PRIu64 " from %" PRIu64 " on", size,
                 s->header->data_bytes, header_nifti_data_offset(s->header));
}

static bool has_a_valid_slope(const struct nifti_subject *s, char *found)
{
    const struct nifti_header *h = s->header;
    bool scaled = h->fields.scl_slope != 0.0 && !isnan(h->fields.scl_slope);
    if (!scaled || (isfinite(h->fields.scl_slope) && isfinite(h->fields.scl_inter)))
        return true;
    return FOUND("%g and %g", h->fields.scl_slope, h->fields.scl_inter);
}

static bool has_a_slope(const struct nifti_subject *s, char *found)
{
    return !isnan(s->header->fields.scl_slope) || FOUND("NaN: values are taken as stored");
}

static bool is_gzip_as_named(const struct nifti_subject *s, char *found)
{
    size_t n = strlen(s->path);
    bool named = n > 3 && g_ascii_strcasecmp(s->path + n - 3, ".gz") == 0;
    bool compressed = gz_is_compressed(s->data);
    if (named == compressed)
        return true;
    return FOUND(compressed ? "gzip without .gz in its name" : "plain data under a .gz name");
}

static bool has_an_interval(const struct nifti_subject *s, char *found)
{
    const struct nifti_header *h = s->header;
    double interval_s = header_nifti_interval_s(h);
    if (header_nifti_n_frames(h) == 1 || (interval_s > 0.0 && interval_s <= LONGEST_INTERVAL_S))
        return true;
    if (units_per_second(h) == 0.0)
        return FOUND("%g without a unit of time", h->fields.pixdim[4]);
    return FOUND("%g s", h->fields.pixdim[4] / units_per_second(h));
}

static bool has_an_affine(const struct nifti_subject *s, char *found)
{
    struct image_grid grid;
    take_geometry(s->header, &grid);
    find_affine(&grid);
    if (grid.affine_ok)
        return true;
    return FOUND("invalid %s", grid.sform_code > 0   ? "sform"
                               : grid.qform_code > 0 ? "qform"
                                                     : "voxel sizes");
}

static bool has_positive_voxels(const struct nifti_subject *s, char *found)
{
    const double *pixdim = s->header->fields.pixdim;
    for (size_t i = 1; i <= 3; i++)
        if (pixdim[i] < 0.0)
            return FOUND("%g, taken without its sign", pixdim[i]);
    return true;
}

static bool has_a_qform(const struct nifti_subject *s, char *found)
{
    struct image_grid grid;
    take_geometry(s->header, &grid);
    bool matters = grid.sform_code > 0 && grid.qform_code > 0;
    return !matters || qform_is_valid(&grid) || FOUND("another beside the sform");
}

/** Walks a chain of extensions over the next n bytes; what is wrong with it, or NULL. */
static const char *walk_extensions(struct gz *gz, uint64_t n, bool swapped, bool *odd_size)
{
    enum { LEAST = 16 }; // fewer bytes than that at the end are padding
    while (n >= LEAST) {
        uint32_t head[2];
        size_t n_read = 0;
        if (gz_read(gz, head, sizeof head, &n_read) != GZ_OK)
            return "one cut short";
        int64_t size = (int32_t) (swapped ? GUINT32_SWAP_LE_BE(head[0]) : head[0]);
        if (size < LEAST)
            return "one of fewer than 16 bytes";
        if ((uint64_t) size > n)
            return "one that runs into the data";
        *odd_size = *odd_size || size % LEAST != 0;
        n -= (uint64_t) size;
        if (gz_skip(gz, (uint64_t) size - sizeof head) != GZ_OK)
            return "one cut short";
    }
    return NULL;
}

static const char *check_extensions(const struct nifti_subject *s, bool *odd_size)
{
    enum { MOST_MIB = 64 };
    const struct nifti_header *h = s->header;
    *odd_size = false;
    uint64_t begin = header_size(h->version) + sizeof h->extender;
    if (h->extender[0] == 0 || h->n_bytes < begin)
        return NULL;
    if (s->is_pair && gz_is_compressed(s->head))
        return NULL; // the length of the header's stream is not known
    uint64_t end = s->is_pair ? gz_file_size(s->head) : header_nifti_data_offset(h);
    if (end - begin > (uint64_t) MOST_MIB << 20)
        return "more than 64 MiB of them";
    gz_rewind(s->head);
    if (gz_skip(s->head, begin) != GZ_OK)
        return "one cut short";
    return walk_extensions(s->head, end - begin, h->swapped, odd_size);
}

static bool has_valid_extensions(const struct nifti_subject *s, char *found)
{
    bool odd_size;
    const char *what = check_extensions(s, &odd_size);
    return what == NULL || FOUND("%s", what);
}

static bool has_even_extensions(const struct nifti_subject *s, char *found)
{
    bool odd_size;
    check_extensions(s, &odd_size);
    return !odd_size || FOUND("another");
}

static const struct nifti_guard guards[] = {
    {"header", GUARD_REFUSE, "header: expected 348 bytes or more", has_a_header},
    {"sizeof_hdr", GUARD_REFUSE, "sizeof_hdr: expected 348 or 540", has_a_size},
    {"header2", GUARD_REFUSE, "header: expected 540 bytes or more", has_a_whole_header},
    {"magic", GUARD_REFUSE, "magic: expected that of NIfTI (n+1, ni1, n+2, ni2)", has_the_magic},
    {"magic_tail", GUARD_REFUSE, "magic: expected 0d 0a 1a 0a at its end", has_the_magic_tail},
    {"dim0", GUARD_REFUSE, "dim[0]: expected 1 to 7", has_1_to_7_dims},
    {"dim", GUARD_REFUSE, "dim: expected 1 to 2147483647", has_positive_dims},
    {"dim5", GUARD_REFUSE, "dim: expected 3 or 4 dimensions", has_3_or_4_dims},
    {"datatype", GUARD_REFUSE, "datatype: expected real numbers", has_a_real_type},
    {"size", GUARD_REFUSE, "dim: expected a size below 2^64 bytes", has_a_countable_size},
    {"bitpix", GUARD_WARN, "bitpix: expected that of the datatype", has_the_bits},
    {"vox_offset", GUARD_REFUSE, "vox_offset: expected a whole number after the header",
     has_an_offset},
    {"extension", GUARD_REFUSE, "extensions: expected them whole before the data",
     has_valid_extensions},
    {"extension_size", GUARD_WARN, "extensions: expected sizes that are multiples of 16",
     has_even_extensions},
    {"data_size", GUARD_REFUSE, "data: expected as many bytes as the header declares",
     has_its_data},
    {"scl_slope", GUARD_REFUSE, "scl_slope, scl_inter: expected finite numbers", has_a_valid_slope},
    {"scl_nan", GUARD_WARN, "scl_slope: expected a number", has_a_slope},
    {"gzip_name", GUARD_WARN, "name: expected .gz for gzip and for nothing else", is_gzip_as_named},
    {"tr", GUARD_FLAG, "TR: expected more than 0 and at most 20 s", has_an_interval},
    {"pixdim", GUARD_WARN, "voxel sizes: expected above 0", has_positive_voxels},
    {"affine", GUARD_FLAG, "affine: expected one that is finite and invertible", has_an_affine},
    {"qform", GUARD_WARN, "qform: expected a unit quaternion and positive voxel sizes",
     has_a_qform},
};

const struct nifti_guard *header_nifti_guards(size_t *n)
{
    *n = G_N_ELEMENTS(guards);
    return guards;
}
