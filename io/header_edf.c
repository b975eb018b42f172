// SPDX-License-Identifier: BSD-3-Clause
#include "io/header_edf.h"

#include "io/reader.h"
#include "io/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { RECORDS_NOT_KNOWN = -1 }; // the number of records of a recording that was not closed
static const double SLOWEST_HZ = 1e-3;
static const double FASTEST_HZ = 1e7;

/** A field: where it stands in the first 256 bytes, or after `at` bytes a signal. */
struct field {
    const char *name;
    size_t at;
    size_t width;
};

static const struct field header_bytes_field = {"header bytes", 184, 8};
static const struct field kind_field = {"reserved", 192, 44};
static const struct field records_field = {"records", 236, 8};
static const struct field duration_field = {"record duration", 244, 8};
static const struct field signals_field = {"signals", 252, 4};

static const struct field label_field = {"label", 0, 16};
static const struct field unit_field = {"unit", 96, 8};
static const struct field physical_min_field = {"physical minimum", 104, 8};
static const struct field physical_max_field = {"physical maximum", 112, 8};
static const struct field digital_min_field = {"digital minimum", 120, 8};
static const struct field digital_max_field = {"digital maximum", 128, 8};
static const struct field samples_field = {"samples a record", 216, 8};

static const uint8_t edf_magic[] = "0       ";
static const uint8_t bdf_magic[] = "\xff"
                                   "BIOSEMI";
enum { MAGIC_BYTES = 8 };

bool header_edf_recognise(const uint8_t *bytes, size_t n)
{
    if (n < EDF_HEAD_BYTES)
        return false;
    if (memcmp(bytes, bdf_magic, MAGIC_BYTES) == 0)
        return true;
    g_autofree char *size =
        text_decode(bytes + header_bytes_field.at, header_bytes_field.width, NULL);
    g_autofree char *signals = text_decode(bytes + signals_field.at, signals_field.width, NULL);
    guint64 n_bytes = g_ascii_strtoull(size, NULL, 10),
            n_signals = g_ascii_strtoull(signals, NULL, 10);
    return bytes[0] == '0' && n_signals > 0 && n_bytes == EDF_HEAD_BYTES * (n_signals + 1);
}

void header_edf_clear(struct edf_header *header)
{
    for (size_t s = 0; header->signal != NULL && s < header->n_signals; s++) {
        g_free(header->signal[s].label);
        g_free(header->signal[s].unit);
    }
    g_free(header->signal);
    header->signal = NULL;
}

size_t header_edf_sample_bytes(const struct edf_header *header)
{
    return header->is_bdf ? 3 : 2;
}

/** The header while it is parsed. */
struct parse {
    struct edf_header *header;
    struct recording *recording;
    const uint8_t *bytes;
    size_t signal; // number of the one under way, from 1; 0: the whole file
    GError **error;
};

static bool refuse(const struct parse *p, const struct field *field, const char *expected,
                   const char *found)
{
    g_autofree char *printable = text_escape(found);
    if (p->signal > 0)
        io_error_set(p->error, IO_ERROR_INPUT, p->recording->path,
                     "header: signal %zu, %s: expected %s, found \"%s\"", p->signal, field->name,
                     expected, printable);
    else
        io_error_set(p->error, IO_ERROR_INPUT, p->recording->path,
                     "header: %s: expected %s, found \"%s\"", field->name, expected, printable);
    return false;
}

/** The text of a field. To be freed. */
static char *field_text(const struct parse *p, const struct field *field)
{
    size_t at = field->at;
    if (p->signal > 0)
        at = EDF_HEAD_BYTES + field->at * p->header->n_signals + field->width * (p->signal - 1);
    return text_decode(p->bytes + at, field->width, NULL);
}

/** A number that takes the whole field; a comma does for the point. */
static bool number(const struct parse *p, const struct field *field, double *value)
{
    g_autofree char *text = field_text(p, field);
    g_autofree char *plain = g_strdelimit(g_strdup(text), ",", '.');
    char *end = plain;
    *value = g_ascii_strtod(plain, &end);
    bool is_decimal = strspn(plain, "0123456789+-.eE") == strlen(plain); // no nan, no 0x
    if (end == plain || *end != '\0' || !is_decimal || !isfinite(*value))
        return refuse(p, field, "a number", text);
    if (strchr(text, ',') != NULL)
        recording_warn(p->recording, "comma", "header: %s: a comma instead of the decimal point",
                       field->name);
    return true;
}

static bool integer(const struct parse *p, const struct field *field, double least, double most,
                    double *value)
{
    if (!number(p, field, value))
        return false;
    if (*value >= least && *value <= most && *value == floor(*value))
        return true;
    g_autofree char *text = field_text(p, field);
    g_autofree char *expected = g_strdup_printf("a whole number in %.0f..%.0f", least, most);
    return refuse(p, field, expected, text);
}

static bool parse_kind(const struct parse *p)
{
    struct edf_header *header = p->header;
    header->is_bdf = memcmp(p->bytes, bdf_magic, MAGIC_BYTES) == 0;
    if (!header->is_bdf && (p->bytes[0] != '0' || g_ascii_isdigit(p->bytes[1]))) {
        io_error_set(p->error, IO_ERROR_INPUT, p->recording->path,
                     "header: expected the version of EDF or BDF, found another");
        return false;
    }
    if (!header->is_bdf && memcmp(p->bytes, edf_magic, MAGIC_BYTES) != 0)
        recording_warn(p->recording, "version", "header: version: not 0 and spaces: taken for it");
    g_autofree char *kind = field_text(p, &kind_field);
    const char *letters = header->is_bdf ? "BDF+" : "EDF+";
    header->is_plus = g_str_has_prefix(kind, letters);
    header->is_interrupted = header->is_plus && kind[strlen(letters)] == 'D';
    return true;
}

bool header_edf_parse_head(struct edf_header *header, struct recording *recording,
                           const uint8_t *bytes, size_t n, GError **error)
{
    *header = (struct edf_header){0};
    struct parse p = {header, recording, bytes, 0, error};
    if (n < EDF_HEAD_BYTES) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "header: expected at least %d bytes, found %zu", EDF_HEAD_BYTES, n);
        return false;
    }
    double n_signals = 0.0;
    double n_bytes = 0.0;
    double n_records = 0.0;
    if (!parse_kind(&p) || !integer(&p, &signals_field, 1.0, 9999.0, &n_signals) ||
        !integer(&p, &header_bytes_field, 0.0, 1e8, &n_bytes) ||
        !integer(&p, &records_field, RECORDS_NOT_KNOWN, 1e8, &n_records) ||
        !number(&p, &duration_field, &header->record_s))
        return false;
    if (n_bytes != EDF_HEAD_BYTES * (n_signals + 1.0)) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "header: expected %.0f bytes for %.0f signals, found %.0f",
                     EDF_HEAD_BYTES * (n_signals + 1.0), n_signals, n_bytes);
        return false;
    }
    header->n_bytes = (size_t) n_bytes;
    header->n_signals = (size_t) n_signals;
    header->n_records = n_records < 0.0 ? UINT64_MAX : (uint64_t) n_records;
    return true;
}

/** The unit; Japanese programs write the two bytes of SJIS for the letter mu. */
static char *parse_unit(const struct parse *p)
{
    size_t at =
        EDF_HEAD_BYTES + unit_field.at * p->header->n_signals + unit_field.width * (p->signal - 1);
    static const uint8_t sjis_mu[] = {0x83, 0xca};
    if (memcmp(p->bytes + at, sjis_mu, sizeof sjis_mu) != 0)
        return field_text(p, &unit_field);
    g_autofree char *rest =
        text_decode(p->bytes + at + sizeof sjis_mu, unit_field.width - sizeof sjis_mu, NULL);
    return g_strconcat("\u00b5", rest, NULL);
}

static bool check_rate(const struct parse *p, const struct edf_signal *signal)
{
    double record_s = p->header->record_s;
    double rate_hz = (double) signal->n_samples / record_s;
    if (record_s > 0.0 && rate_hz >= SLOWEST_HZ && rate_hz <= FASTEST_HZ)
        return true;
    io_error_set(
        p->error, IO_ERROR_INPUT, p->recording->path,
        "header: signal %zu: expected a rate of 0.001 to 1e7 Hz, found %zu samples in %g s",
        p->signal, signal->n_samples, record_s);
    return false;
}

// A dummy between groups of electrodes ("-", as in CHB-MIT): both of its ranges are empty.
static bool is_dummy(const struct edf_signal *signal)
{
    return signal->digital_min == signal->digital_max &&
           (strcmp(signal->label, "-") == 0 || signal->physical_min == signal->physical_max);
}

static bool parse_range(const struct parse *p, struct edf_signal *signal)
{
    if (!number(p, &physical_min_field, &signal->physical_min) ||
        !number(p, &physical_max_field, &signal->physical_max) ||
        !integer(p, &digital_min_field, -1e9, 1e9, &signal->digital_min) ||
        !integer(p, &digital_max_field, -1e9, 1e9, &signal->digital_max))
        return false;
    if (is_dummy(signal)) {
        recording_warn(p->recording, "dummy",
                       "header: signal %zu: digital minimum and maximum are equal: a dummy of "
                       "zeros, marked bad",
                       p->signal);
        signal->physical_max = signal->physical_min = 0.0;
        signal->digital_max = signal->digital_min + 1.0;
        signal->is_dummy = true;
        return true;
    }
    if (!(signal->digital_max > signal->digital_min)) {
        io_error_set(p->error, IO_ERROR_INPUT, p->recording->path,
                     "header: signal %zu: expected a digital maximum above the minimum %.0f, "
                     "found %.0f",
                     p->signal, signal->digital_min, signal->digital_max);
        return false;
    }
    if (signal->physical_min == signal->physical_max)
        recording_warn(p->recording, "gain",
                       "header: signal %zu: physical minimum and maximum are equal: a gain of 0",
                       p->signal);
    return true;
}

static bool parse_signal(const struct parse *p, struct edf_signal *signal)
{
    signal->label = field_text(p, &label_field);
    signal->unit = parse_unit(p);
    signal->is_annotations = strcmp(signal->label, "EDF Annotations") == 0 ||
                             strcmp(signal->label, "BDF Annotations") == 0;
    double n_samples = 0.0;
    if (!integer(p, &samples_field, 1.0, 99999999.0, &n_samples))
        return false;
    signal->n_samples = (size_t) n_samples;
    signal->offset = p->header->record_bytes;
    p->header->record_bytes += signal->n_samples * header_edf_sample_bytes(p->header);
    signal->has_time = !signal->is_annotations && p->header->record_s > 0.0;
    return signal->is_annotations ||
           (parse_range(p, signal) && (!signal->has_time || check_rate(p, signal)));
}

// Records of 0 s are for annotations; a checksum beside them (ResMed) is no signal.
static bool judge_times(const struct edf_header *header, struct recording *recording,
                        GError **error)
{
    bool has_annotations = false;
    size_t timeless = 0;
    for (size_t s = header->n_signals; s-- > 0;) {
        has_annotations |= header->signal[s].is_annotations;
        if (!header->signal[s].is_annotations && !header->signal[s].has_time)
            timeless = s + 1;
    }
    struct parse p = {(struct edf_header *) header, recording, NULL, timeless, error};
    if (timeless > 0 && !has_annotations)
        return check_rate(&p, &header->signal[timeless - 1]);
    if (timeless > 0)
        recording_warn(recording, "timeless",
                       "header: records of 0 s: signals beside the annotations are left out");
    return true;
}

bool header_edf_parse_signals(struct edf_header *header, struct recording *recording,
                              const uint8_t *bytes, size_t n, GError **error)
{
    if (n < header->n_bytes) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "header: expected %zu bytes, found %zu", header->n_bytes, n);
        return false;
    }
    header->signal = g_new0(struct edf_signal, header->n_signals);
    header->record_bytes = 0; // at most 9999 * 99999999 * 3: no overflow in 64 bits
    for (size_t s = 0; s < header->n_signals; s++) {
        struct parse p = {header, recording, bytes, s + 1, error};
        if (!parse_signal(&p, &header->signal[s]))
            return false;
    }
    return judge_times(header, recording, error);
}

/** Whether the data are samples of the other width: a BDF header before EDF data, or the reverse.
 */
static bool has_other_width(const struct edf_header *header, uint64_t data_bytes)
{
    uint64_t width = header_edf_sample_bytes(header);
    uint64_t other = header->record_bytes / width * (header->is_bdf ? 2 : 3);
    uint64_t said = 0;
    return header->n_records != UINT64_MAX && header->n_records > 0 &&
           !__builtin_mul_overflow(header->n_records, other, &said) && data_bytes == said;
}

bool header_edf_count_records(struct edf_header *header, struct recording *recording,
                              uint64_t data_bytes, GError **error)
{
    if (has_other_width(header, data_bytes)) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "data: expected samples of %zu bytes, found a size of samples of %d",
                     header_edf_sample_bytes(header), header->is_bdf ? 2 : 3);
        return false;
    }
    uint64_t whole = data_bytes / header->record_bytes;
    uint64_t said = header->n_records;
    if (whole == 0) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "data: expected records of %zu bytes, found %" PRIu64 " bytes",
                     header->record_bytes, data_bytes);
        return false;
    }
    if (said == 0) // written at the start, and never again
        said = UINT64_MAX;
    header->n_records = MIN(said, whole);
    if (said == UINT64_MAX)
        recording_warn(recording, "records",
                       "the recording was not closed: %" PRIu64 " records by the file's size",
                       whole);
    if (said != UINT64_MAX && said > whole)
        recording_warn(recording, "cut",
                       "data: expected %" PRIu64 " records, found %" PRIu64 " whole ones", said,
                       whole);
    else if (said == UINT64_MAX && data_bytes % header->record_bytes != 0)
        recording_warn(recording, "cut", "data: the last record is cut: dropped");
    else if (said < whole || data_bytes % header->record_bytes != 0)
        recording_warn(recording, "excess", "data: %" PRIu64 " bytes after the last record",
                       data_bytes - header->n_records * header->record_bytes);
    return true;
}
