// SPDX-License-Identifier: BSD-3-Clause
// Reading and writing an image of the size of a UK Biobank run (88 x 88 x 64 x 490 int16, 486 MB)
// against zlib and the floor: decompression alone and copying. Medians of interleaved repeats.
// usage: nifti FOLDER [REPEATS]; FOLDER needs 3 GB and is left empty

#include "bench/measure.h"
#include "io/gz.h"
#include "io/recording.h"
#include "io/writer_nifti.h"
#include "solvers/median.h"
#include "solvers/parallel.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

enum { NX = 88, NY = 88, NZ = 64, N_VOXELS = NX * NY * NZ, N_FRAMES = 490 };
enum { MOST_REPEATS = 15 };

// A head: an ellipsoid of 150,000 voxels with a steep edge, noise inside and out.

static bool is_inside(size_t voxel)
{
    size_t row = voxel / NX;
    size_t slice = row / NY;
    double x = ((double) (voxel % NX) - 0.5 * (NX - 1)) / 37.0;
    double y = ((double) (row % NY) - 0.5 * (NY - 1)) / 38.0;
    double z = ((double) slice - 0.5 * (NZ - 1)) / 25.5;
    return x * x + y * y + z * z < 1.0;
}

/** Near normal noise from a counter: the sum of four uniform 16-bit numbers (splitmix64). */
static double noise(uint64_t counter)
{
    uint64_t z = (counter + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    double sum = (double) (z & 0xffff) + (double) (z >> 16 & 0xffff) + (double) (z >> 32 & 0xffff) +
                 (double) (z >> 48);
    return (sum / 65536.0 - 2.0) * sqrt(3.0);
}

// Images come from tables, so that making them costs little beside writing them. A table is far
// longer than the window of deflate.

enum { N_NOISE = 1 << 20, PLATEAU = 20, N_PLATEAUS = N_FRAMES / PLATEAU + 2 };

struct tables {
    float *mean;    // of each voxel
    float *sd;      //
    float *noise;   // N_NOISE
    float *plateau; // N_PLATEAUS x N_VOXELS: 0 outside
};

static void fill_bold(void *data, size_t t, size_t first, size_t count, float *values)
{
    const struct tables *tables = data;
    const float *n = tables->noise;
    for (size_t i = 0; i < count; i++) {
        size_t v = first + i;
        float value = tables->mean[v] + tables->sd[v] * n[(t * 79193 + v) & (N_NOISE - 1)];
        values[i] = (float) lrintf(fabsf(value));
    }
}

/** What a solution looks like: plateaus of 20 frames inside, zero outside. */
static void fill_plateaus(void *data, size_t t, size_t first, size_t count, float *values)
{
    const struct tables *tables = data;
    for (size_t i = 0; i < count; i++) {
        size_t v = first + i;
        values[i] = tables->plateau[(t + v % PLATEAU) / PLATEAU * N_VOXELS + v];
    }
}

static struct tables make_tables(void)
{
    struct tables tables = {g_new(float, N_VOXELS), g_new(float, N_VOXELS), g_new(float, N_NOISE),
                            g_new0(float, (size_t) N_PLATEAUS *N_VOXELS)};
    for (size_t i = 0; i < N_NOISE; i++)
        tables.noise[i] = (float) noise(i);
    for (size_t v = 0; v < N_VOXELS; v++) {
        tables.mean[v] = is_inside(v) ? 9000.0f : 200.0f;
        tables.sd[v] = is_inside(v) ? 75.0f : 20.0f;
        for (size_t p = 0; p < N_PLATEAUS && is_inside(v); p++)
            tables.plateau[p * N_VOXELS + v] = (float) noise(p * N_VOXELS + v);
    }
    return tables;
}

static void free_tables(struct tables *tables)
{
    g_free(tables->mean);
    g_free(tables->sd);
    g_free(tables->noise);
    g_free(tables->plateau);
}

struct bench {
    const char *folder;
    struct image_grid grid;
    uint8_t *mask;
    struct tables tables;
    struct io_context io; // of the run under way
};

static char *path_of(const struct bench *bench, const char *name)
{
    return g_build_filename(bench->folder, name, NULL);
}

static void stop(GError *error)
{
    fprintf(stderr, "nifti: %s\n", error->message);
    exit(1);
}

static void write_image(struct bench *bench, const char *name, enum image_type type,
                        void (*fill)(void *, size_t, size_t, size_t, float *))
{
    g_autofree char *path = path_of(bench, name);
    struct image image = {.grid = &bench->grid,
                          .n_frames = N_FRAMES,
                          .interval_s = 0.735,
                          .type = type,
                          .scale = 1.0,
                          .fill = fill,
                          .data = &bench->tables};
    GError *error = NULL;
    if (!writer_nifti_write(path, &image, true, &bench->io, &error))
        stop(error);
}

/** One gzip member by zlib, as nibabel and dcm2niix leave it. */
static void compress_by_zlib(struct bench *bench, const char *from, const char *to, int level)
{
    g_autofree char *source = path_of(bench, from);
    g_autofree char *target = path_of(bench, to);
    g_autofree char *mode = g_strdup_printf("wb%d", level);
    GError *error = NULL;
    g_autoptr(owned_gz) in = gz_open(source, &error);
    if (in == NULL)
        stop(error);
    gzFile out = gzopen(target, mode);
    gzbuffer(out, 1 << 20);
    enum { CHUNK = 1 << 20 };
    g_autofree char *chunk = g_malloc(CHUNK);
    size_t n = CHUNK;
    while (n == CHUNK) {
        gz_read(in, chunk, CHUNK, &n);
        gzwrite(out, chunk, (unsigned) n);
    }
    gzclose(out);
}

static void read_masked(struct bench *bench, const char *name)
{
    g_autofree char *path = path_of(bench, name);
    GError *error = NULL;
    g_autoptr(owned_recording) recording = recording_open(path, &bench->io, &error);
    if (recording == NULL ||
        !recording_read(recording, bench->mask, 0, N_FRAMES, &bench->io, &error))
        stop(error);
}

static void read_single(struct bench *bench)
{
    read_masked(bench, "single.nii.gz");
}

static void read_members(struct bench *bench)
{
    read_masked(bench, "members.nii.gz");
}

static void read_plain(struct bench *bench)
{
    read_masked(bench, "plain.nii");
}

static void scan_single(struct bench *bench)
{
    g_autofree char *path = path_of(bench, "single.nii.gz");
    GError *error = NULL;
    struct recording_summary summary;
    g_autoptr(owned_recording) recording = recording_open(path, &bench->io, &error);
    if (recording == NULL || !recording_scan(recording, &summary, NULL, &bench->io, &error))
        stop(error);
}

/** The floor of reading: everything is decompressed (and checked) and nothing is done with it. */
static void inflate_only(struct bench *bench)
{
    g_autofree char *path = path_of(bench, "single.nii.gz");
    GError *error = NULL;
    g_autoptr(owned_gz) in = gz_open(path, &error);
    enum { CHUNK = 1 << 20 };
    g_autofree char *chunk = g_malloc(CHUNK);
    size_t n = CHUNK;
    while (n == CHUNK)
        gz_read(in, chunk, CHUNK, &n);
}

static void inflate_by_zlib(struct bench *bench)
{
    g_autofree char *path = path_of(bench, "single.nii.gz");
    gzFile in = gzopen(path, "rb");
    gzbuffer(in, 1 << 20);
    enum { CHUNK = 1 << 20 };
    g_autofree char *chunk = g_malloc(CHUNK);
    while (gzread(in, chunk, CHUNK) > 0)
        continue;
    gzclose(in);
}

/** The floor of writing: every value is made, and nothing is done with it. */
static void fill_only(struct bench *bench)
{
    enum { TILE = 8192 };
    float tile[TILE];
    for (size_t t = 0; t < N_FRAMES; t++)
        for (size_t v = 0; v < N_VOXELS; v += TILE)
            fill_plateaus(&bench->tables, t, v, MIN(TILE, N_VOXELS - v), tile);
}

static void write_int16(struct bench *bench)
{
    write_image(bench, "out.nii.gz", IMAGE_INT16, fill_bold);
}

static void write_float32(struct bench *bench)
{
    write_image(bench, "out.nii.gz", IMAGE_FLOAT32, fill_plateaus);
}

static void write_float32_plain(struct bench *bench)
{
    write_image(bench, "out.nii", IMAGE_FLOAT32, fill_plateaus);
}

static void zlib_float32(struct bench *bench)
{
    compress_by_zlib(bench, "out.nii", "zlib.gz", 1);
}

static void zlib_int16(struct bench *bench)
{
    compress_by_zlib(bench, "plain.nii", "zlib.gz", 1);
}

struct run {
    const char *name;
    void (*body)(struct bench *bench);
    size_t n_threads;
    const char *output; // whose size is shown, or NULL
};

static const struct run runs[] = {
    {"inflate alone, one member", inflate_only, 1, "single.nii.gz"},
    {"inflate alone, zlib", inflate_by_zlib, 1, "single.nii.gz"},
    {"read, one member", read_single, 1, "single.nii.gz"},
    {"read, one member", read_single, 2, "single.nii.gz"},
    {"read, members of 8 MiB", read_members, 1, "members.nii.gz"},
    {"read, members of 8 MiB", read_members, 2, "members.nii.gz"},
    {"read, plain", read_plain, 1, "plain.nii"},
    {"scan, one member", scan_single, 1, "single.nii.gz"},
    {"scan, one member", scan_single, 2, "single.nii.gz"},
    {"make float32, write nothing", fill_only, 1, "out.nii"},
    {"write float32, plain", write_float32_plain, 1, "out.nii"},
    {"write float32", write_float32, 1, "out.nii.gz"},
    {"write float32", write_float32, 2, "out.nii.gz"},
    {"write float32, zlib level 1", zlib_float32, 1, "zlib.gz"},
    {"write int16", write_int16, 1, "out.nii.gz"},
    {"write int16", write_int16, 2, "out.nii.gz"},
    {"write int16, zlib level 1", zlib_int16, 1, "zlib.gz"},
};

struct call {
    void (*body)(void *data, size_t i);
    void *data;
};

static void call_body(void *data, size_t index, struct workspace *ws)
{
    (void) ws;
    const struct call *call = data;
    call->body(call->data, index);
}

static bool run_on_team(void *team, size_t n, void (*body)(void *data, size_t i), void *data)
{
    struct call call = {body, data};
    return parallel_for(team, n, call_body, &call);
}

static void print_row(const struct bench *bench, const struct run *run, double *wall, double *cpu,
                      size_t n)
{
    g_autofree char *path = path_of(bench, run->output);
    GStatBuf status = {0};
    g_stat(path, &status);
    printf("%-32s %zu  %6.2f %6.2f  %8.1f\n", run->name, run->n_threads, median(wall, n),
           median(cpu, n), (double) status.st_size / 1e6);
}

static void measure(struct bench *bench, size_t n_repeats)
{
    static double wall[G_N_ELEMENTS(runs)][MOST_REPEATS];
    static double cpu[G_N_ELEMENTS(runs)][MOST_REPEATS];
    for (size_t repeat = 0; repeat < n_repeats; repeat++)
        for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
            g_autoptr(owned_parallel) team = parallel_new(runs[i].n_threads, NULL);
            bench->io.n_threads = runs[i].n_threads;
            bench->io.run = runs[i].n_threads > 1 ? run_on_team : NULL;
            bench->io.team = team;
            double w = wall_clock_s();
            double c = process_clock_s();
            runs[i].body(bench);
            wall[i][repeat] = wall_clock_s() - w;
            cpu[i][repeat] = process_clock_s() - c;
            if (repeat + 1 == n_repeats)
                print_row(bench, &runs[i], wall[i], cpu[i], n_repeats);
        }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: nifti FOLDER [REPEATS]\n");
        return 2;
    }
    struct bench bench = {.folder = argv[1], .io = io_context_default()};
    bench.grid = (struct image_grid){.dim = {NX, NY, NZ}, .voxel_mm = {2.4, 2.4, 2.4}, .qfac = 1};
    bench.tables = make_tables();
    bench.mask = g_new0(uint8_t, N_VOXELS);
    size_t n_inside = 0;
    for (size_t v = 0; v < N_VOXELS; v++)
        n_inside += bench.mask[v] = is_inside(v);
    write_image(&bench, "plain.nii", IMAGE_INT16, fill_bold);
    write_image(&bench, "members.nii.gz", IMAGE_INT16, fill_bold);
    compress_by_zlib(&bench, "plain.nii", "single.nii.gz", 6);
    printf("%d x %d x %d x %d int16, %zu voxels in the mask, gzip by %s\n", NX, NY, NZ, N_FRAMES,
           n_inside, gz_library());
    printf("%-32s %s %6s %6s  %8s\n", "", "threads", "wall s", "CPU s", "file MB");
    measure(&bench, CLAMP(argc > 2 ? (size_t) atoi(argv[2]) : 3, 1, MOST_REPEATS));
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("peak %ld MB\n", usage.ru_maxrss >> 10);
    static const char *const names[] = {"plain.nii",  "members.nii.gz", "single.nii.gz",
                                        "out.nii.gz", "out.nii",        "zlib.gz"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = path_of(&bench, names[i]);
        g_unlink(path);
    }
    g_free(bench.mask);
    free_tables(&bench.tables);
    return 0;
}
