// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/gz.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Kinds of blocks that are read. */
enum fif_block_kind {
    FIF_BLOCK_MEAS = 100,
    FIF_BLOCK_MEAS_INFO = 101,
    FIF_BLOCK_RAW_DATA = 102,
    FIF_BLOCK_PROCESSED_DATA = 103,
    FIF_BLOCK_EVOKED = 104,
    FIF_BLOCK_ASPECT = 105,
    FIF_BLOCK_POINTS = 107,
    FIF_BLOCK_HPI_RESULT = 109,
    FIF_BLOCK_CONTINUOUS_DATA = 112,
    FIF_BLOCK_CH_INFO = 113,
    FIF_BLOCK_REFERENCE = 118,
    FIF_BLOCK_IAS_RAW_DATA = 119,
    FIF_BLOCK_BEM = 310,
    FIF_BLOCK_PROJ = 313,
    FIF_BLOCK_PROJ_ITEM = 314,
    FIF_BLOCK_MNE = 350,
    FIF_BLOCK_SOURCE_SPACE = 351,
    FIF_BLOCK_FORWARD = 352,
    FIF_BLOCK_PARENT_MRI = 353,
    FIF_BLOCK_PARENT_MEAS = 354,
    FIF_BLOCK_COV = 355,
    FIF_BLOCK_INVERSE = 356,
    FIF_BLOCK_NAMED_MATRIX = 357,
    FIF_BLOCK_BAD_CHANNELS = 359,
    FIF_BLOCK_EVENTS = 361,
    FIF_BLOCK_MORPH_MAP = 362,
    FIF_BLOCK_EPOCHS = 373,
    FIF_BLOCK_ICA = 374,
    FIF_BLOCK_SSS_INFO = 502,
    FIF_BLOCK_PROCESSING_HISTORY = 900,
    FIF_BLOCK_ANNOTATIONS = 3810,
};

/** Kinds of tags that are read or written. */
enum fif_kind {
    FIF_FILE_ID = 100,
    FIF_DIR_POINTER = 101,
    FIF_DIR = 102,
    FIF_BLOCK_ID = 103,
    FIF_BLOCK_START = 104,
    FIF_BLOCK_END = 105,
    FIF_FREE_LIST = 106,
    FIF_NOP = 108,
    FIF_REF_ROLE = 115,
    FIF_REF_FILE_NUM = 117,
    FIF_REF_FILE_NAME = 118,
    FIF_NCHAN = 200,
    FIF_SFREQ = 201,
    FIF_CH_INFO = 203,
    FIF_MEAS_DATE = 204,
    FIF_COMMENT = 206,
    FIF_NAVE = 207,
    FIF_FIRST_SAMPLE = 208,
    FIF_LAST_SAMPLE = 209,
    FIF_ASPECT_KIND = 210,
    FIF_LOWPASS = 219,
    FIF_COORD_TRANS = 222,
    FIF_HIGHPASS = 223,
    FIF_NAME = 233,
    FIF_LINE_FREQ = 235,
    FIF_CH_DACQ_NAME = 258,
    FIF_SSS_ORDER_IN = 266,
    FIF_SSS_COMPONENTS = 269,
    FIF_DATA_BUFFER = 300,
    FIF_DATA_SKIP = 301,
    FIF_EPOCH = 302,
    FIF_DATA_SKIP_SAMPLES = 303,
    FIF_PROJ_ITEM_KIND = 3411,
    FIF_PROJ_ITEM_TIME = 3412,
    FIF_PROJ_ITEM_NVEC = 3414,
    FIF_PROJ_ITEM_VECTORS = 3415,
    FIF_PROJ_ITEM_CH_NAMES = 3417,
    FIF_ROW_NAMES = 3502,
    FIF_COL_NAMES = 3503,
    FIF_N_ROWS = 3504,
    FIF_N_COLUMNS = 3505,
    FIF_COORD_FRAME = 3506,
    FIF_CH_NAMES = 3507,
    FIF_SOURCE_POINTS = 3510,
    FIF_SOURCE_NORMALS = 3511,
    FIF_N_POINTS = 3512,
    FIF_SOURCE_IN_USE = 3513,
    FIF_N_IN_USE = 3514,
    FIF_SOURCE_NEAREST = 3515,
    FIF_SOURCE_ID = 3517,
    FIF_SOURCE_TYPE = 3518,
    FIF_FORWARD_GAIN = 3520,
    FIF_SOURCE_ORIENTATION = 3521,
    FIF_INCLUDED_METHODS = 3522,
    FIF_COV_KIND = 3530,
    FIF_COV_DIM = 3531,
    FIF_COV = 3532,
    FIF_COV_DIAGONAL = 3533,
    FIF_COV_NFREE = 3536,
    FIF_PROJ_ITEM_ACTIVE = 3560,
    FIF_EVENT_LIST = 3561,
    FIF_CUSTOM_REFERENCE = 3567,
    FIF_ANNOTATION_ONSET = 3568,
    FIF_ANNOTATION_END = 3569,
};

/** Types of payloads. */
enum fif_type {
    FIF_TYPE_VOID = 0,
    FIF_TYPE_BYTE = 1,
    FIF_TYPE_INT16 = 2,
    FIF_TYPE_INT32 = 3,
    FIF_TYPE_FLOAT = 4,
    FIF_TYPE_DOUBLE = 5,
    FIF_TYPE_UINT16 = 7,
    FIF_TYPE_UINT32 = 8,
    FIF_TYPE_STRING = 10,
    FIF_TYPE_PACKED_INT16 = 16,
    FIF_TYPE_COMPLEX_FLOAT = 20,
    FIF_TYPE_COMPLEX_DOUBLE = 21,
    FIF_TYPE_OLD_PACK = 23, // offset and scale as floats, then 16 bit integers
    FIF_TYPE_CH_INFO = 30,
    FIF_TYPE_ID = 31,
    FIF_TYPE_TRANSFORM = 35,
    FIF_TYPE_MATRIX = 0x40000000, // or'ed with the type of an entry
};

/** Coordinate frames. */
enum fif_frame { FIF_FRAME_DEVICE = 1, FIF_FRAME_HEAD = 4, FIF_FRAME_MRI = 5 };

enum {
    FIF_HEADER_BYTES = 16, // of a tag: kind, type, size, next
    FIF_MAX_DEPTH = 64,    // of blocks
    FIF_MAX_CHANNELS = 65535,
};

/** One tag, its payload left where it is. */
struct fif_tag {
    int32_t kind;
    int32_t type;
    uint32_t size;   // bytes of the payload
    uint32_t block;  // the innermost one it stands in
    uint64_t offset; // of the payload
};

/** A block has the tags [first, end), those of the blocks in it among them. */
struct fif_block {
    int32_t kind;
    uint32_t parent;   // 0 for the outermost
    uint32_t last;     // blocks (this, last] are inside it
    uint32_t n_depth;  // 1 for the outermost
    size_t first, end; // tags
};

/**
 * The tags and the tree of blocks of a FIF file: an index, from one walk along the links. Block 0
 * is the file. Payloads are read when asked for; a compressed file is held in memory, decompressed.
 *
 * Tags are looked for in a block alone, never in those inside it: a measurement may hold another
 * one (of the head position), with channels and a rate of its own.
 */
struct fif {
    char *path;              // owned; for messages
    struct gz *stream;       // owned; NULL: in memory
    uint8_t *owned_bytes;    // owned; of a compressed file
    const uint8_t *bytes;    // borrowed; NULL: in `stream`
    uint64_t size;           //
    size_t n_members;        // of gzip
    struct fif_tag *tag;     // owned, in the order of the file
    size_t n_tags;           //
    struct fif_block *block; // owned, in the order of their beginnings
    size_t n_blocks;         //
    GPtrArray *warnings;     // owned, of owned strings, without the path
};

/** Whether bytes begin as a FIF file does. */
bool fif_recognise(const uint8_t *head, size_t n_head);

/**
 * Walks a file; takes the stream over. Every link has to lead on, past its own tag, inside the
 * file; payloads have to lie inside; at most FIF_MAX_DEPTH blocks in one another. What is wrong and
 * does no harm (no end tag, a directory that leads nowhere, a last data buffer cut short) is a
 * warning. Errors: IO_ERROR_INPUT, _MEMORY, _CANCELLED.
 */
struct fif *fif_open(const char *path, struct gz *stream, const struct io_context *io,
                     GError **error);

/** The same of bytes in memory, borrowed, not compressed; path is for messages. */
struct fif *fif_of_bytes(const char *path, const void *bytes, size_t n, const struct io_context *io,
                         GError **error);

void fif_free(struct fif *fif);
typedef struct fif owned_fif; // for g_autoptr(owned_fif)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_fif, fif_free)

/** A copy of the warnings, to be freed with g_ptr_array_unref. */
GPtrArray *fif_copy_warnings(const struct fif *fif);

void fif_warn(struct fif *fif, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** How numbers of a type of FIF are stored; NULL for types that are no real numbers here. */
const struct bytes_format *fif_format(int32_t type);

/** Sets IO_ERROR_INPUT `PATH: tag KIND at OFFSET: MESSAGE`; returns false. */
bool fif_refuse(const struct fif *fif, const struct fif_tag *tag, GError **error,
                const char *format, ...) G_GNUC_PRINTF(4, 5);

/**
 * The next block of a kind inside `inside`, at any depth, after the block `after` (`inside` itself
 * to begin); 0 where there is none.
 */
size_t fif_next_block(const struct fif *fif, size_t inside, int32_t kind, size_t after);

/** The first block of a kind inside another, or 0. */
size_t fif_find_block(const struct fif *fif, size_t inside, int32_t kind);

/** The next tag of a kind right in a block after `after` (NULL to begin), or NULL. */
const struct fif_tag *fif_next(const struct fif *fif, size_t block, int32_t kind,
                               const struct fif_tag *after);

/** The first tag of a kind right in a block, or NULL. */
const struct fif_tag *fif_find(const struct fif *fif, size_t block, int32_t kind);

/** n bytes of the file, which has to have them. Error: IO_ERROR_INPUT. */
bool fif_read(const struct fif *fif, uint64_t offset, void *bytes, size_t n, GError **error);

/** A payload, to be freed; NULL and IO_ERROR_INPUT or _MEMORY. */
uint8_t *fif_payload(const struct fif *fif, const struct fif_tag *tag, const struct io_context *io,
                     GError **error);

// What a tag of a block holds, if it is there: where it is not, *value stays as it was. False:
// it is there and is not what it has to be.

bool fif_get_int(const struct fif *fif, size_t block, int32_t kind, int32_t *value, GError **error);

/** Any one number, NaN and infinities too. */
bool fif_get_real(const struct fif *fif, size_t block, int32_t kind, double *value, GError **error);

/** From Latin-1 to UTF-8, up to a NUL; a value that was there is freed. */
bool fif_get_string(const struct fif *fif, size_t block, int32_t kind, char **value,
                    const struct io_context *io, GError **error);

/** A list of names separated by colons; NULL-terminated. */
bool fif_get_names(const struct fif *fif, size_t block, int32_t kind, char ***value,
                   const struct io_context *io, GError **error);

/** The transform between two frames, if a tag 222 of the block has it, in either direction. */
bool fif_get_transform(const struct fif *fif, size_t block, int32_t from, int32_t to,
                       float transform[3][4], bool *found, GError **error);

/** Numbers, and their shape where they are a matrix: n_rows x n_columns, row-major. */
struct fif_numbers {
    double *values; // owned
    size_t n;
    size_t n_rows; // 1 where it is no matrix
    size_t n_columns;
    bool is_packed; // in the file, as integers on a line
};
typedef struct fif_numbers owned_fif_numbers; // for g_auto(owned_fif_numbers)
void fif_numbers_clear(struct fif_numbers *numbers);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_fif_numbers, fif_numbers_clear)

/** The shape alone, without values, and how an entry stands in the file. */
struct bytes_format;
bool fif_shape(const struct fif *fif, const struct fif_tag *tag, struct fif_numbers *shape,
               const struct bytes_format **format, GError **error);

/** All numbers of a tag. */
bool fif_numbers(const struct fif *fif, const struct fif_tag *tag, struct fif_numbers *numbers,
                 const struct io_context *io, GError **error);

/** A record of a channel. */
struct fif_channel {
    int32_t kind;
    double range;
    double cal;
    int32_t coil_type;
    float loc[12];
    int32_t unit;
    char *short_name; // owned; UTF-8, as lists of names have it, at most 16 characters
    char *name;       // owned; the full one
};

struct fif_channels {
    struct fif_channel *channel; // owned
    size_t n;
};

/**
 * The channels of a block, in order, with their long names if it has any. Their number has to be
 * that of tag 200; range and cal are finite.
 */
struct fif_channels *fif_channels(const struct fif *fif, size_t block, const struct io_context *io,
                                  GError **error);
void fif_channels_free(struct fif_channels *channels);
typedef struct fif_channels owned_fif_channels; // for g_autoptr(owned_fif_channels)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_fif_channels, fif_channels_free)

/** Puts full names for short ones in a NULL-terminated list; channels may be NULL. */
void fif_lengthen_names(const struct fif_channels *channels, char **names);
