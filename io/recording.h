// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/io_context.h"
#include "io/sensors.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

/** The grid of an image, with all that an output of the same geometry must keep. */
struct image_grid {
    size_t dim[3];           // voxels, x fastest
    double voxel_mm[3];      //
    double affine[3][4];     // voxel index -> mm: sform, else qform, else voxel sizes
    bool affine_ok;          // finite and invertible
    int qform_code;          // as in the file, 0 where invalid
    int sform_code;          //
    double quatern[3];       // b, c, d
    double qoffset[3];       //
    double qfac;             // -1 or 1
    double srow[3][4];       //
    int slice_code;          //
    int slice_start;         //
    int slice_end;           //
    double slice_duration_s; //
    int dim_info;            // packed axes of frequency, phase and slice
    double toffset_s;        //
};

/** The slowest run: a repetition time above that is taken for one in another unit. */
#define LONGEST_INTERVAL_S 20.0

enum sample_type { SAMPLE_FLOAT, SAMPLE_DOUBLE };

/**
 * What a file holds: n_series series of n_time samples, one every interval_s seconds.
 *
 * Made by recording_open from the header alone; recording_read adds the samples. Samples stand
 * time-major, sample (t, v) at t * n_series + v, as stored: value = scale * stored + offset (for
 * integers this keeps the conversion exact in double). Integers up to 16 bit and float32 of images
 * are held as float, everything else as double.
 *
 * Series of a sensor recording are the channels of its chosen part, each with a gain and offset of
 * its own instead of scale and offset.
 */
struct recording {
    char *path;              // owned
    const char *format;      // "NIfTI-1", "NIfTI-2", "npy", ... static
    const char *datatype;    // "int16", ... as stored; static
    bool compressed;         // gzip
    size_t n_members;        // of gzip, once an image was read to its end; else 0
    size_t n_time;           //
    size_t n_series;         // before recording_read: all of the file's
    double interval_s;       // 0: not known
    double stored_interval;  // images: as it stands in the header, plausible or not
    const char *stored_unit; // images: its unit, "s", "ms", "us"; "" where none is named; static
    struct image_grid *grid; // owned; images only, else NULL
    struct sensors *sensors; // owned; sensor recordings only, else NULL
    double scale;            //
    double offset;           //
    enum sample_type type;   //
    union {
        float *f;
        double *d;
        void *any;
    } samples;                   // owned; NULL until recording_read
    const char *const *names;    // of the series of a table of text, borrowed; else NULL
    size_t *voxel;               // owned; after recording_read: of each series its place in the
                                 // grid, or in the channels of the chosen part; else NULL
    GPtrArray *warnings;         // owned; of owned strings, without the path
    GPtrArray *flags;            // owned; static words: "tr", "affine", "nonfinite", "short", ...
    const struct reader *reader; // static
    void *source;                // owned by the reader
};

/**
 * Opens a file and checks its header by every guard that needs no samples.
 * Error: IO_ERROR_INPUT, with a message `PATH: WHERE: expected, found` of one line.
 */
struct recording *recording_open(const char *path, const struct io_context *io, GError **error);

/**
 * recording_open of what a file of this name would hold: the bytes have to stay until the
 * recording is freed. Other files that it names, or that stand beside it, are looked for on the
 * disk, relative to the name.
 */
struct recording *recording_open_bytes(const char *name, const void *bytes, size_t n,
                                       const struct io_context *io, GError **error);

/** Whether one of recording->flags is this word. */
bool recording_has_flag(const struct recording *recording, const char *flag);

/** Bytes that recording_read of n_series series would hold. */
size_t recording_bytes(const struct recording *recording, size_t n_series);

/**
 * Reads the samples of the series where mask is non-zero (mask: one byte a series of the file;
 * NULL: all), streaming, frames [first, first + count). Afterwards n_series and n_time are those
 * read. A gzip stream is read to its trailer. Error: IO_ERROR_INPUT, _MEMORY or _CANCELLED.
 */
bool recording_read(struct recording *recording, const uint8_t *mask, size_t first, size_t count,
                    const struct io_context *io, GError **error);

/** What a pass over all samples found. */
struct recording_summary {
    size_t n_series;
    bool series_counted;        // false: too many series to keep track of in bounded memory
    size_t n_constant;          // series that are finite and do not vary
    size_t n_nonfinite;         // series with a NaN or infinity
    size_t n_nonfinite_samples; // always counted
    double minimum;             // of the finite samples, scaled; NaN where there is none
    double maximum;
};

/** Of each series, owned by the caller; NULL where it is not wanted. */
struct recording_moments {
    double *mean;    // over frames
    double *sd;      // with n - 1; only with `varies`
    uint8_t *varies; // whether it does
};

/**
 * Reads everything, to the end of the stream, in at most 64 MiB whatever the file declares (and
 * n_series times 5 or 9 bytes where moments are asked for). Samples that lose digits in double are
 * a warning and the flag "inexact". moments: n_series of each, or NULL.
 * The recording may be read afterwards.
 */
bool recording_scan(struct recording *recording, struct recording_summary *summary,
                    const struct recording_moments *moments, const struct io_context *io,
                    GError **error);

/** Where the blocks of recording_pass go. */
struct block_sink {
    /**
     * The frames [first, first + n_frames) of all series, time-major, as stored, in their order.
     * False: stop; with an error, or without where the pass is to say that it was stopped.
     */
    bool (*take)(void *data, size_t first, size_t n_frames, const double *frames, GError **error);
    void *data;
};

/**
 * All samples of a recording of doubles in blocks of n_block frames (the last may be shorter): out
 * of memory where they have been read, else streamed from the file in bounded memory. May be
 * called again. Error: as recording_read, or the sink's.
 */
bool recording_pass(struct recording *recording, size_t n_block, const struct block_sink *sink,
                    const struct io_context *io, GError **error);

/** The values of a frame of a sensor recording, from what is stored; values may be stored. */
void recording_frame_values(const struct recording *recording, const double *stored,
                            double *values);

/**
 * Makes another part of a sensor recording its series: n_series, n_time and interval_s follow, and
 * samples that were read are dropped.
 */
void recording_choose(struct recording *recording, size_t part);

/** The values of frame t of the series [first, first + count) in double, scaled. */
void recording_values(const struct recording *recording, size_t t, size_t first, size_t count,
                      double *values);

void recording_free(struct recording *recording);
typedef struct recording owned_recording; // for g_autoptr(owned_recording)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_recording, recording_free)

/** How far apart, in mm, voxels of the same index lie at most in two grids of the same dimensions.
 */
double image_grid_distance(const struct image_grid *a, const struct image_grid *b);

/** Whether two grids have the same dimensions; with affines (to tolerance_mm) where both are ok. */
bool image_grid_equal(const struct image_grid *a, const struct image_grid *b, double tolerance_mm);
