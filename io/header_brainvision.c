// SPDX-License-Identifier: BSD-3-Clause
#include "io/header_brainvision.h"

#include "io/reader.h"
#include "io/text.h"

#include <math.h>
#include <string.h>

enum {
    LINE_BYTES = 64 << 10,
    MOST_CHANNELS = 65535,
    QUOTE_BYTES = 40, // of a value, in a message
};
static const double SHORTEST_US = 0.1; // 1e7 Hz
static const double LONGEST_US = 1e9;  // 1e-3 Hz

void header_brainvision_clear(struct brainvision_header *header)
{
    for (size_t c = 0; header->channel != NULL && c < header->n_channels; c++) {
        g_free(header->channel[c].name);
        g_free(header->channel[c].unit);
    }
    g_free(header->channel);
    g_free(header->data_file);
    g_free(header->marker_file);
    *header = (struct brainvision_header){0};
}

// The lines `key=value` of sections `[name]`, with `;` comments. GKeyFile refuses keys without a
// section, lines without `=` and text that is not UTF-8, and takes backslashes for escapes.

struct lines {
    const char *path;
    char *rest;          // what follows the line under way
    size_t number;       // of the line under way, from 1
    const char *section; // "" before the first
    const char *key;     //
    char *value;         //
};

/** The next line that is a key and a value; false at the end and at free text ([Comment]). */
static bool next_line(struct lines *lines)
{
    while (*lines->rest != '\0') {
        char *line = lines->rest;
        size_t n = strcspn(line, "\n");
        lines->rest += n + (line[n] == '\n');
        lines->number++;
        line[n] = '\0';
        g_strstrip(line);
        size_t last = strlen(line);
        if (line[0] == '[' && line[last - 1] == ']') {
            line[last - 1] = '\0';
            lines->section = line + 1;
            if (g_ascii_strcasecmp(lines->section, "Comment") == 0)
                return false;
            continue;
        }
        char *equals = strchr(line, '=');
        if (line[0] == ';' || equals == NULL)
            continue;
        *equals = '\0';
        lines->key = g_strchomp(line);
        lines->value = g_strchug(equals + 1);
        return true;
    }
    return false;
}

static bool is_line(const struct lines *lines, const char *section, const char *key)
{
    return g_ascii_strcasecmp(lines->section, section) == 0 &&
           g_ascii_strcasecmp(lines->key, key) == 0;
}

static bool refuse(const struct lines *lines, GError **error, const char *expected)
{
    g_autofree char *found = text_excerpt(lines->value, QUOTE_BYTES);
    io_error_set(error, IO_ERROR_INPUT, lines->path, "line %zu, %s: expected %s, found \"%s\"",
                 lines->number, lines->key, expected, found);
    return false;
}

static bool has_long_line(const char *text, size_t n)
{
    for (const char *at = text, *end = text + n; at < end;) {
        const char *stop = memchr(at, '\n', (size_t) (end - at));
        if (stop == NULL)
            stop = end;
        if (stop - at > LINE_BYTES)
            return true;
        at = stop + 1;
    }
    return false;
}

/** Whether the text says that it is in another code page than UTF-8. */
static bool names_other_codepage(const char *text)
{
    g_autofree char *copy = g_strdup(text);
    struct lines lines = {.rest = copy, .section = ""};
    while (next_line(&lines))
        if (is_line(&lines, "Common Infos", "Codepage"))
            return g_ascii_strcasecmp(lines.value, "UTF-8") != 0;
    return false;
}

/** The bytes of a header or marker file as UTF-8; to be freed. */
static char *decode(const char *path, const uint8_t *bytes, size_t n, GError **error)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf}; // of byte order
    if (n >= sizeof mark && memcmp(bytes, mark, sizeof mark) == 0) {
        bytes += sizeof mark;
        n -= sizeof mark;
    }
    g_autofree char *text = g_strndup((const char *) bytes, n);
    if (strlen(text) < n || has_long_line(text, n)) {
        io_error_set(error, IO_ERROR_INPUT, path,
                     "expected text in lines of at most 64 KiB, found %s",
                     strlen(text) < n ? "a NUL byte" : "a longer line");
        return NULL;
    }
    if (g_utf8_validate(text, (gssize) n, NULL) && !names_other_codepage(text))
        return g_steal_pointer(&text);
    return g_convert(text, (gssize) n, "UTF-8", "ISO-8859-1", NULL, NULL, NULL);
}

/** A number that takes the whole text, in [least, most]. */
static bool parse_number(const char *text, double least, double most, double *value)
{
    char *end = NULL;
    *value = g_ascii_strtod(text, &end);
    bool is_decimal = strspn(text, "0123456789+-.eE") == strlen(text);
    return is_decimal && end != text && *end == '\0' && *value >= least && *value <= most;
}

/** A file beside the header; $b is the header's own name without its extension. */
static bool parse_name(const struct lines *lines, char **name, GError **error)
{
    g_autofree char *own = g_path_get_basename(lines->path);
    g_autofree char *base = g_strdup(own);
    char *dot = strrchr(base, '.');
    if (dot != NULL)
        *dot = '\0';
    g_auto(GStrv) pieces = g_strsplit(lines->value, "$b", -1);
    g_autofree char *found = g_strjoinv(base, pieces);
    bool is_plain = *found != '\0' && strpbrk(found, "/\\") == NULL && strcmp(found, ".") != 0 &&
                    strcmp(found, "..") != 0 && strcmp(found, own) != 0;
    if (!is_plain)
        return refuse(lines, error, "the name of another file in the same folder");
    g_free(*name);
    *name = g_steal_pointer(&found);
    return true;
}

/** YES or NO. */
static bool parse_order(struct brainvision_header *header, const struct lines *lines,
                        GError **error)
{
    header->is_big_endian = g_ascii_strcasecmp(lines->value, "YES") == 0;
    return header->is_big_endian || g_ascii_strcasecmp(lines->value, "NO") == 0 ||
           refuse(lines, error, "YES or NO");
}

/** The same samples with their bytes the other way round. */
static const struct bytes_format *swapped(const struct bytes_format *format)
{
    static const struct bytes_format *const pairs[][2] = {{&bytes_float32_le, &bytes_float32_be},
                                                          {&bytes_int16_le, &bytes_int16_be},
                                                          {&bytes_int32_le, &bytes_int32_be},
                                                          {&bytes_uint16_le, &bytes_uint16_be}};
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
        if (pairs[i][0] == format)
            return pairs[i][1];
    return format;
}

static bool parse_format(struct brainvision_header *header, const struct lines *lines,
                         GError **error)
{
    static const struct {
        const char *name;
        const struct bytes_format *format;
    } formats[] = {
        {"IEEE_FLOAT_32", &bytes_float32_le},
        {"INT_16", &bytes_int16_le},
        {"INT_32", &bytes_int32_le},
        {"UINT_16", &bytes_uint16_le},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (g_ascii_strcasecmp(lines->value, formats[i].name) == 0)
            header->format = formats[i].format;
    return header->format != NULL ||
           refuse(lines, error, "IEEE_FLOAT_32, INT_16, INT_32 or UINT_16");
}

static bool parse_common(struct brainvision_header *header, const struct lines *lines,
                         GError **error)
{
    double number = 0.0;
    const char *value = lines->value;
    if (is_line(lines, "Common Infos", "DataFile"))
        return parse_name(lines, &header->data_file, error);
    if (is_line(lines, "Common Infos", "MarkerFile"))
        return *value == '\0' || parse_name(lines, &header->marker_file, error);
    if (is_line(lines, "Common Infos", "DataFormat"))
        return g_ascii_strcasecmp(value, "BINARY") == 0 || refuse(lines, error, "BINARY");
    if (is_line(lines, "Common Infos", "DataType"))
        return g_ascii_strcasecmp(value, "TIMEDOMAIN") == 0 || refuse(lines, error, "TIMEDOMAIN");
    if (is_line(lines, "Common Infos", "DataOrientation")) {
        header->is_vectorized = g_ascii_strcasecmp(value, "VECTORIZED") == 0;
        return header->is_vectorized || g_ascii_strcasecmp(value, "MULTIPLEXED") == 0 ||
               refuse(lines, error, "MULTIPLEXED or VECTORIZED");
    }
    if (is_line(lines, "Common Infos", "SamplingInterval"))
        return parse_number(value, SHORTEST_US, LONGEST_US, &header->interval_us) ||
               refuse(lines, error, "0.1 to 1e9 us");
    if (is_line(lines, "Common Infos", "NumberOfChannels")) {
        if (header->channel != NULL || !parse_number(value, 1.0, MOST_CHANNELS, &number) ||
            number != floor(number))
            return refuse(lines, error, "a whole number in 1..65535, once");
        header->n_channels = (size_t) number;
        header->channel = g_new0(struct brainvision_channel, header->n_channels);
    }
    return true;
}

/** Commas inside a field are written \1. To be freed. */
static char *unescape(const char *field)
{
    g_auto(GStrv) pieces = g_strsplit(field, "\\1", -1);
    return g_strstrip(g_strjoinv(",", pieces));
}

/** ChN=name,reference,resolution,unit */
static bool parse_channel(struct brainvision_header *header, const struct lines *lines,
                          GError **error)
{
    double number = 0.0;
    bool is_there =
        parse_number(lines->key + strlen("Ch"), 1.0, (double) header->n_channels, &number) &&
        number == floor(number);
    if (!is_there || header->channel[(size_t) number - 1].name != NULL)
        return refuse(lines, error, "each channel of NumberOfChannels once");
    struct brainvision_channel *channel = &header->channel[(size_t) number - 1];
    g_auto(GStrv) fields = g_strsplit(lines->value, ",", 5);
    guint n = g_strv_length(fields);
    channel->name = n > 0 ? unescape(fields[0]) : g_strdup("");
    channel->unit = n > 3 ? g_strdup(g_strstrip(fields[3])) : g_strdup("");
    if (*channel->unit == '\0') {
        g_free(channel->unit);
        channel->unit = g_strdup("uV");
    }
    channel->resolution = 1.0;
    if (n <= 2 || *g_strstrip(fields[2]) == '\0')
        return true;
    return parse_number(fields[2], -G_MAXDOUBLE, G_MAXDOUBLE, &channel->resolution) ||
           refuse(lines, error, "a resolution");
}

static bool parse_line(struct brainvision_header *header, const struct lines *lines, GError **error)
{
    if (is_line(lines, "Binary Infos", "BinaryFormat"))
        return parse_format(header, lines, error);
    if (is_line(lines, "Binary Infos", "UseBigEndianOrder"))
        return parse_order(header, lines, error);
    if (g_ascii_strcasecmp(lines->section, "Channel Infos") == 0 &&
        g_ascii_strncasecmp(lines->key, "Ch", 2) == 0)
        return parse_channel(header, lines, error);
    return parse_common(header, lines, error);
}

/** Whether all that is needed was there. */
static bool check(const struct brainvision_header *header, const char *path, GError **error)
{
    const char *missing = NULL;
    if (header->n_channels == 0)
        missing = "NumberOfChannels";
    else if (!(header->interval_us > 0.0))
        missing = "SamplingInterval";
    else if (header->format == NULL)
        missing = "BinaryFormat";
    if (missing != NULL) {
        io_error_set(error, IO_ERROR_INPUT, path, "%s: expected in the header, found nothing",
                     missing);
        return false;
    }
    for (size_t c = 0; c < header->n_channels; c++) {
        if (header->channel[c].name != NULL)
            continue;
        io_error_set(error, IO_ERROR_INPUT, path,
                     "[Channel Infos]: expected %zu channels, found none for number %zu",
                     header->n_channels, c + 1);
        return false;
    }
    return true;
}

/** Whether the first line is that of the format. */
static bool has_first_line(const char *text)
{
    return g_str_has_prefix(text, "Brain Vision") || g_str_has_prefix(text, "BrainVision");
}

static bool refuse_first_line(const char *path, GError **error)
{
    io_error_set(error, IO_ERROR_INPUT, path,
                 "line 1: expected \"Brain Vision\", found other text");
    return false;
}

bool header_brainvision_parse(struct brainvision_header *header, struct recording *recording,
                              const uint8_t *bytes, size_t n, GError **error)
{
    const char *path = recording->path;
    *header = (struct brainvision_header){0};
    if (n > BRAINVISION_HEADER_BYTES) {
        io_error_set(error, IO_ERROR_INPUT, path, "header: expected at most 1 MiB, found more");
        return false;
    }
    g_autofree char *text = decode(path, bytes, n, error);
    if (text == NULL)
        return false;
    if (!has_first_line(text))
        return refuse_first_line(path, error);
    struct lines lines = {.path = path, .rest = text, .section = ""};
    while (next_line(&lines))
        if (!parse_line(header, &lines, error))
            return false;
    if (header->is_big_endian && header->format != NULL)
        header->format = swapped(header->format);
    return check(header, path, error);
}

int brainvision_code(const char *description)
{
    const char *digits = description + (g_ascii_isalpha(*description) ? 1 : 0);
    double number = 0.0;
    digits += strspn(digits, " ");
    bool is_number = g_ascii_isdigit(*digits) && parse_number(digits, 0.0, G_MAXINT, &number);
    return is_number ? (int) number : 0;
}

/** What follows a marker New Segment was recorded some time after what is before it. */
static void add_break(struct recording *recording, double position)
{
    struct part *part = &recording->sensors->part[0];
    if (position > 1.0 && position <= (double) part->n_time && position == floor(position))
        part_add_hole(part, (size_t) position - 1, 0);
}

/** MkN=type,description,position,length,channel[,date]: positions count samples from 1. */
static bool parse_marker(struct recording *recording, const struct lines *lines, double rate_hz)
{
    g_auto(GStrv) fields = g_strsplit(lines->value, ",", 6);
    double position = 1.0;
    double length = 0.0;
    guint n = g_strv_length(fields);
    if (n < 2)
        return false;
    if (n > 2 && *fields[2] != '\0' && !parse_number(fields[2], 0.0, 0x1p53, &position))
        return false;
    if (n > 3 && *fields[3] != '\0' && !parse_number(fields[3], 0.0, 0x1p53, &length))
        return false;
    g_autofree char *type = unescape(fields[0]);
    g_autofree char *description = unescape(fields[1]);
    g_autofree char *text = g_strconcat(type, "/", description, NULL);
    sensors_add_event(recording->sensors, (position - 1.0) / rate_hz, length / rate_hz, text,
                      brainvision_code(description));
    if (g_ascii_strcasecmp(type, "New Segment") == 0)
        add_break(recording, position);
    return true;
}

bool header_brainvision_parse_markers(struct recording *recording, const char *path,
                                      const uint8_t *bytes, size_t n, double rate_hz,
                                      GError **error)
{
    g_autofree char *text = decode(path, bytes, n, error);
    if (text == NULL)
        return false;
    bool is_whole = has_first_line(text);
    if (!is_whole && strstr(text, "[Marker Infos]") == NULL)
        return refuse_first_line(path, error);
    if (!is_whole)
        recording_warn(recording, "markers", "markers: the first line of the file is missing");
    struct lines lines = {.path = path, .rest = text, .section = ""};
    while (next_line(&lines))
        if (g_ascii_strcasecmp(lines.section, "Marker Infos") == 0 &&
            g_ascii_strncasecmp(lines.key, "Mk", 2) == 0 &&
            !parse_marker(recording, &lines, rate_hz))
            recording_warn(recording, "markers",
                           "markers: some have no position or length that can be read: left out");
    return true;
}
