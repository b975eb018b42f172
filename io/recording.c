// SPDX-License-Identifier: BSD-3-Clause
#include "io/recording.h"

#include "io/array.h"
#include "io/reader.h"
#include "io/siblings.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const struct reader *const table[] = {&reader_array,  &reader_brainvision, &reader_edf,
                                             &reader_eeglab, &reader_fif,         &reader_nifti,
                                             &reader_sndfile};

const struct reader *const *readers(size_t *n)
{
    *n = G_N_ELEMENTS(table);
    return table;
}

static struct recording *recording_new(const char *path)
{
    struct recording *recording = g_new0(struct recording, 1);
    recording->path = g_strdup(path);
    recording->scale = 1.0;
    recording->stored_unit = "";
    recording->warnings = g_ptr_array_new_with_free_func(g_free);
    recording->flags = g_ptr_array_new();
    return recording;
}

void recording_free(struct recording *recording)
{
    if (recording == NULL)
        return;
    if (recording->reader != NULL)
        recording->reader->close(recording);
    g_free(recording->path);
    g_free(recording->grid);
    sensors_free(recording->sensors);
    g_free(recording->samples.any);
    g_free(recording->voxel);
    g_ptr_array_unref(recording->warnings);
    g_ptr_array_unref(recording->flags);
    g_free(recording);
}

void recording_warn(struct recording *recording, const char *flag, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    io_warnings_add(recording->warnings, g_strdup_vprintf(format, arguments));
    va_end(arguments);
    if (!g_ptr_array_find_with_equal_func(recording->flags, flag, g_str_equal, NULL))
        g_ptr_array_add(recording->flags, (char *) flag);
}

bool recording_has_flag(const struct recording *recording, const char *flag)
{
    return g_ptr_array_find_with_equal_func(recording->flags, flag, g_str_equal, NULL);
}

/** What the first bytes of a file that is none of ours say it is; NULL: nothing known. */
static const char *name_stranger(const char *path, const uint8_t *head, size_t n_head)
{
    static const struct {
        const char *bytes;
        const char *name;
        size_t at;
    } kinds[] = {
        {"DICM", "DICOM (dcm2niix makes NIfTI of it)", 128},
        {"\x89HDF", "HDF5 (a MATLAB 7.3, MINC 2 or network file)", 0},
        {"CDF\x01", "netCDF (a MINC 1 file)", 0},
        {"MATLAB 5.0", "a MATLAB file", 0},
        {"PK\x03\x04", "a ZIP archive", 0},
        {"\xff\xff\xfe", "a FreeSurfer surface", 0},
        {PHILIPS_HEADER, "a Philips PAR header (dcm2niix makes NIfTI of it)", 0},
        {"TRACK", "fibres of TrackVis", 0},
        {"mrtrix tracks", "fibres of MRtrix", 0},
        {"mrtrix image", "an MRtrix image (mrconvert makes NIfTI of it)", 0},
        {"NRRD", "an NRRD image", 0},
        {"ObjectType", "a MetaImage", 0},
        {"Brain Vision Data Exchange Marker", "events of BrainVision: give the .vhdr", 0},
        {"BrainVision Data Exchange Marker", "events of BrainVision: give the .vhdr", 0},
    };
    static const struct {
        const char *ending;
        const char *name;
    } names[] = {{".cnt", "a Neuroscan or ANT recording (MNE-Python makes FIF of it)"},
                 {".con", "a KIT recording (MNE-Python makes FIF of it)"},
                 {".eeg", "the data of a BrainVision recording: give its .vhdr"},
                 {".eve", "a list of events: give it as --events of sources"},
                 {".fdt", "the data of an EEGLAB data set: give its .set"},
                 {".gdf", "a GDF recording (MNE-Python makes FIF of it)"},
                 {".meg4", "the data of a CTF recording (MNE-Python makes FIF of it)"},
                 {".sqd", "a KIT recording (MNE-Python makes FIF of it)"},
                 {".stc", "source estimates"},
                 {".vmrk", "the markers of a BrainVision recording: give its .vhdr"},
                 {".img", "the data of a pair: give its .hdr"},
                 {".img.gz", "the data of a pair: give its .hdr.gz"},
                 {".rec", "the data of a Philips PAR header (dcm2niix makes NIfTI of it)"},
                 {".eeg", "data of BrainVision: give the .vhdr"},
                 {".mgh", "an MGH image (mri_convert makes NIfTI of it)"},
                 {".mgz", "an MGH image (mri_convert makes NIfTI of it)"},
                 {".brik", "an AFNI data set (3dAFNItoNIFTI makes NIfTI of it)"},
                 {".head", "an AFNI data set (3dAFNItoNIFTI makes NIfTI of it)"}};
    g_autofree char *text = g_strndup((const char *) head, n_head);
    if (strstr(text, "<GIFTI") != NULL)
        return "GIFTI, a surface (images of voxels are taken)";
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        size_t n = strlen(kinds[i].bytes);
        if (n_head >= kinds[i].at + n && memcmp(head + kinds[i].at, kinds[i].bytes, n) == 0)
            return kinds[i].name;
    }
    g_autofree char *lower = g_ascii_strdown(path, -1);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_has_suffix(lower, names[i].ending))
            return names[i].name;
    return NULL;
}

static const struct reader *find_reader(const char *path, struct gz *stream, GError **error)
{
    uint8_t head[1024];
    size_t n_head = 0;
    enum gz_status status = gz_read(stream, head, sizeof head, &n_head);
    if (status == GZ_IO) { // other failures are the reader's to judge
        io_error_set(error, IO_ERROR_INPUT, path, "cannot read: %s", gz_describe(stream, status));
        return NULL;
    }
    gz_rewind(stream);
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (table[i]->recognise(path, head, n_head))
            return table[i];
    const char *stranger = name_stranger(path, head, n_head);
    io_error_set(error, IO_ERROR_INPUT, path,
                 "expected a NIfTI image (.nii, .nii.gz, .hdr), an array (.npy, .csv, .tsv, .txt) "
                 "or a sensor recording (.bdf, .edf, .fif, .set, .vhdr, .wav, ...), found %s",
                 stranger == NULL ? "none of them" : stranger);
    return NULL;
}

/** Warns of events outside the samples. */
static void judge_events(struct recording *recording)
{
    const struct sensors *sensors = recording->sensors;
    double end_s = 0.0;
    for (size_t i = 0; i < sensors->n_parts; i++) {
        const struct part *part = &sensors->part[i];
        if (part->n_channels > 0)
            end_s = fmax(end_s, part->start_s + (double) part->n_time / part->rate_hz);
    }
    size_t n_outside = 0;
    for (guint i = 0; i < sensors->events->len; i++) {
        double onset_s = g_array_index(sensors->events, struct event, i).onset_s;
        n_outside += onset_s < 0.0 || onset_s > end_s;
    }
    if (end_s > 0.0 && n_outside > 0)
        recording_warn(recording, "events", "events: %zu of %u lie outside the samples", n_outside,
                       sensors->events->len);
}

static struct recording *open_stream(const char *path, struct gz *opened,
                                     const struct io_context *io, GError **error)
{
    g_autoptr(owned_gz) stream = opened;
    const struct reader *reader = stream == NULL ? NULL : find_reader(path, stream, error);
    if (reader == NULL)
        return NULL;
    g_autoptr(owned_recording) recording = recording_new(path);
    recording->reader = reader;
    if (!reader->open(recording, g_steal_pointer(&stream), io, error))
        return NULL;
    if (recording->sensors == NULL)
        return g_steal_pointer(&recording);
    if (!siblings_apply(recording, io, error))
        return NULL;
    sensors_sort_events(recording->sensors);
    judge_events(recording);
    return g_steal_pointer(&recording);
}

struct recording *recording_open(const char *path, const struct io_context *io, GError **error)
{
    return open_stream(path, gz_open(path, error), io, error);
}

struct recording *recording_open_bytes(const char *name, const void *bytes, size_t n,
                                       const struct io_context *io, GError **error)
{
    return open_stream(name, gz_open_bytes(bytes, n), io, error);
}

static size_t sample_bytes(const struct recording *recording)
{
    return recording->type == SAMPLE_FLOAT ? sizeof(float) : sizeof(double);
}

size_t recording_bytes(const struct recording *recording, size_t n_series)
{
    size_t bytes = 0;
    size_t frame = 0;
    bool overflow = __builtin_mul_overflow(n_series, sample_bytes(recording), &frame) ||
                    __builtin_mul_overflow(frame, recording->n_time, &bytes);
    return overflow ? G_MAXSIZE : bytes;
}

/** The runs of non-zero bytes of a mask; their number, and themselves unless `runs` is NULL. */
static size_t find_runs(const uint8_t *mask, size_t n, struct series_run *runs)
{
    size_t n_runs = 0;
    for (size_t v = 0; v < n; v++) {
        if (mask[v] == 0)
            continue;
        size_t first = v;
        while (v < n && mask[v] != 0)
            v++;
        if (runs != NULL)
            runs[n_runs] = (struct series_run){first, v - first};
        n_runs++;
    }
    return n_runs;
}

/** The runs to be read, all where mask is NULL. To be freed. */
static struct series_run *select_runs(const struct recording *recording, const uint8_t *mask,
                                      size_t *n_runs, const struct io_context *io, GError **error)
{
    *n_runs = mask == NULL ? 1 : find_runs(mask, recording->n_series, NULL);
    struct series_run *runs = io_context_alloc(io, recording->path, *n_runs, sizeof *runs, error);
    if (runs != NULL && mask == NULL)
        runs[0] = (struct series_run){0, recording->n_series};
    else if (runs != NULL)
        find_runs(mask, recording->n_series, runs);
    return runs;
}

struct store {
    char *samples;
    size_t n_series;
    size_t sample_bytes;
};

static bool store_take(void *data, size_t t, size_t first, size_t count, const void *samples)
{
    const struct store *store = data;
    size_t at = (t * store->n_series + first) * store->sample_bytes;
    memcpy(store->samples + at, samples, count * store->sample_bytes);
    return true;
}

static size_t *list_voxels(const struct recording *recording, const struct selection *selection,
                           size_t n, const struct io_context *io, GError **error)
{
    size_t *voxel = io_context_alloc(io, recording->path, n, sizeof *voxel, error);
    if (voxel == NULL)
        return NULL;
    size_t at = 0;
    for (size_t i = 0; i < selection->n_runs; i++)
        for (size_t j = 0; j < selection->runs[i].count; j++)
            voxel[at++] = selection->runs[i].first + j;
    return voxel;
}

bool recording_read(struct recording *recording, const uint8_t *mask, size_t first, size_t count,
                    const struct io_context *io, GError **error)
{
    g_assert(recording->samples.any == NULL);
    g_assert(first <= recording->n_time && count <= recording->n_time - first);
    size_t n_runs = 0;
    g_autofree struct series_run *runs = select_runs(recording, mask, &n_runs, io, error);
    if (runs == NULL)
        return false;
    struct selection selection = {runs, n_runs, first, count};
    size_t n_series = 0;
    for (size_t i = 0; i < n_runs; i++)
        n_series += runs[i].count;
    size_t frame = n_series * sample_bytes(recording);
    g_autofree void *samples = io_context_alloc(io, recording->path, count, frame, error);
    if (samples == NULL)
        return false;
    g_autofree size_t *voxel = NULL;
    if (recording->grid != NULL || recording->sensors != NULL) {
        voxel = list_voxels(recording, &selection, n_series, io, error);
        if (voxel == NULL)
            return false;
    }
    struct store store = {samples, n_series, sample_bytes(recording)};
    struct frame_sink sink = {store_take, &store};
    if (!recording->reader->frames(recording, &selection, &sink, io, error))
        return false;
    recording->n_time = count;
    recording->n_series = n_series;
    recording->samples.any = g_steal_pointer(&samples);
    recording->voxel = g_steal_pointer(&voxel);
    return true;
}

void recording_choose(struct recording *recording, size_t part)
{
    struct sensors *sensors = recording->sensors;
    g_assert(sensors != NULL && part < sensors->n_parts);
    sensors->chosen = part;
    recording->n_series = sensors->part[part].n_channels;
    recording->n_time = sensors->part[part].n_time;
    double rate_hz = sensors->part[part].rate_hz;
    recording->interval_s = rate_hz > 0.0 ? 1.0 / rate_hz : 0.0;
    g_clear_pointer(&recording->samples.any, g_free);
    g_clear_pointer(&recording->voxel, g_free);
}

static void physical_values(const struct recording *recording, size_t first, size_t count,
                            double *values)
{
    const struct sensors *sensors = recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    for (size_t i = 0; i < count; i++) {
        size_t series = recording->voxel[first + i];
        const struct channel *channel = &sensors->channel[part->channel[series]];
        values[i] = channel->gain * values[i] + channel->offset;
    }
}

void recording_values(const struct recording *recording, size_t t, size_t first, size_t count,
                      double *values)
{
    size_t at = t * recording->n_series + first;
    for (size_t i = 0; i < count; i++) {
        double stored = recording->type == SAMPLE_FLOAT ? (double) recording->samples.f[at + i]
                                                        : recording->samples.d[at + i];
        values[i] = recording->scale * stored + recording->offset;
    }
    if (recording->sensors != NULL)
        physical_values(recording, first, count, values);
}

static void corner_of(const struct image_grid *grid, unsigned corner, double mm[3])
{
    for (size_t i = 0; i < 3; i++) {
        mm[i] = grid->affine[i][3];
        for (size_t j = 0; j < 3; j++)
            if ((corner >> j & 1) != 0)
                mm[i] += grid->affine[i][j] * (double) (grid->dim[j] - 1);
    }
}

double image_grid_distance(const struct image_grid *a, const struct image_grid *b)
{
    double most = 0.0; // at a corner, for affine maps
    for (unsigned corner = 0; corner < 8; corner++) {
        double p[3];
        double q[3];
        corner_of(a, corner, p);
        corner_of(b, corner, q);
        double d2 = (p[0] - q[0]) * (p[0] - q[0]) + (p[1] - q[1]) * (p[1] - q[1]) +
                    (p[2] - q[2]) * (p[2] - q[2]);
        most = !(d2 <= most * most) ? sqrt(d2) : most; // NaN stays
    }
    return most;
}

bool image_grid_equal(const struct image_grid *a, const struct image_grid *b, double tolerance_mm)
{
    for (size_t i = 0; i < 3; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return !a->affine_ok || !b->affine_ok || image_grid_distance(a, b) <= tolerance_mm;
}
