// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/gz.h"
#include "io/recording.h"

#include <nifti2_io.h>

/** A stored sample type of NIfTI that holds real numbers. */
struct nifti_type {
    int code;
    enum sample_type held_as;
    const char *name; // "int16"
    size_t n_bytes;
    /**
     * Converts n samples of this machine's byte order into float or double; how many of them
     * lost digits (64-bit integers above 2^53).
     */
    size_t (*convert)(const uint8_t *stored, size_t n, void *samples);
};

/** The type of a datatype code; NULL: not one that holds real numbers. */
const struct nifti_type *header_nifti_type(int code);

/** A header of either version, in this machine's byte order, with what follows from it. */
struct nifti_header {
    size_t n_bytes;                // of the header that were there
    int32_t sizeof_hdr;            // as in the file, in this machine's byte order
    int version;                   // 1, 2, or 0: not a NIfTI header
    bool swapped;                  // the file has the other byte order than this machine
    _Alignas(8)                    // nifticlib packs its structs; arrays in them are used as such
        nifti_2_header fields;     // of version 1 too, which has the same but for their types
    double vox_offset;             // of version 1 it is a float: NaN, half a byte, ...
    uint8_t extender[4];           // behind the header
    const struct nifti_type *type; // NULL: unknown
    uint64_t data_bytes;           // 0: an invalid dimension, or 2^64 and more
};

/** Reads a header from the first bytes of a file; never fails: the guards judge it. */
void header_nifti_parse(struct nifti_header *header, const uint8_t *bytes, size_t n_bytes);

/** Bytes that header_nifti_parse looks at, at most. */
enum { NIFTI_HEADER_BYTES = 540 + 4 };

/** A header of version 1 as one of version 2, and back; sizeof_hdr, magic, vox_offset are not. */
void header_nifti_widen(nifti_2_header *wide, const nifti_1_header *narrow);
void header_nifti_narrow(nifti_1_header *narrow, const nifti_2_header *wide);

/** What a guard looks at. */
struct nifti_subject {
    const char *path;
    bool is_pair;                      // by name: .hdr with .img
    const struct nifti_header *header; //
    struct gz *head;                   // stream of the header
    struct gz *data;                   // stream of the voxels: the same, or the .img
};

enum guard_level { GUARD_REFUSE, GUARD_WARN, GUARD_FLAG };

/** A rule that a file has to keep before a voxel of it is read. */
struct nifti_guard {
    const char *id;
    enum guard_level level;
    const char *text; // "WHERE: expected ..."
    /** Whether it is kept; if not, `found` (NIFTI_FOUND_BYTES) says what was found. */
    bool (*holds)(const struct nifti_subject *subject, char *found);
};
enum { NIFTI_FOUND_BYTES = 160 };

/** The table of guards, in the order in which they are tried. */
const struct nifti_guard *header_nifti_guards(size_t *n);

/** Where the voxels begin in their stream. */
uint64_t header_nifti_data_offset(const struct nifti_header *header);

size_t header_nifti_n_frames(const struct nifti_header *header);

/** Seconds between frames; 0 where the header does not say it in a unit of time. */
double header_nifti_interval_s(const struct nifti_header *header);

/** The same as it is stored, in *unit: "s", "ms", "us", or "" where none is named (static). */
double header_nifti_stored_interval(const struct nifti_header *header, const char **unit);

/** The grid of a header that passed the guards. To be freed. */
struct image_grid *header_nifti_grid(const struct nifti_header *header);
