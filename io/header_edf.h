// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"

enum { EDF_HEAD_BYTES = 256 }; // before the fields of the signals, and of those a signal

/** What the header says of a signal. */
struct edf_signal {
    char *label;         // owned
    char *unit;          // owned
    double physical_min; // in the unit
    double physical_max; //
    double digital_min;  // integers
    double digital_max;  //
    size_t n_samples;    // a record
    size_t offset;       // of its samples in a record, bytes
    bool is_annotations; // text instead of samples
    bool has_time;       // samples, at a rate
    bool is_dummy;       // zeros, whatever is stored
};

/** The header of an EDF, EDF+, BDF or BDF+ file (Kemp et al. 1992, Kemp and Olivan 2003). */
struct edf_header {
    bool is_bdf;               // 24 bits a sample instead of 16
    bool is_plus;              // with annotations
    bool is_interrupted;       // EDF+D: records need not follow each other
    uint64_t n_records;        // that are there whole
    double record_s;           // 0: only where all signals are annotations
    size_t n_signals;          //
    size_t n_bytes;            // of the header
    size_t record_bytes;       //
    struct edf_signal *signal; // owned
};

/** Whether the first bytes of a file are those of a header: its version, and its size in bytes. */
bool header_edf_recognise(const uint8_t *bytes, size_t n);

void header_edf_clear(struct edf_header *header);

/** Bytes of a sample. */
size_t header_edf_sample_bytes(const struct edf_header *header);

/**
 * The first EDF_HEAD_BYTES of a file: what they say of the whole, so that n_bytes is known.
 * Oddities become warnings of the recording. Error: IO_ERROR_INPUT.
 */
bool header_edf_parse_head(struct edf_header *header, struct recording *recording,
                           const uint8_t *bytes, size_t n, GError **error);

/** The whole header, n_bytes of it; `n` of them are there. */
bool header_edf_parse_signals(struct edf_header *header, struct recording *recording,
                              const uint8_t *bytes, size_t n, GError **error);

/**
 * n_records against the bytes that follow the header: a recording that was not closed has -1
 * records, one that was cut has fewer than it says.
 */
bool header_edf_count_records(struct edf_header *header, struct recording *recording,
                              uint64_t data_bytes, GError **error);
