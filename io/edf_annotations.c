// SPDX-License-Identifier: BSD-3-Clause
#include "io/edf_annotations.h"

#include "io/text.h"

#include <math.h>
#include <string.h>

enum { TEXT_END = 0x14, DURATION_BEGIN = 0x15, NUMBER_BYTES = 32 };

/** A number that takes all of [begin, end). */
static bool parse_seconds(const uint8_t *begin, const uint8_t *end, double *seconds)
{
    char text[NUMBER_BYTES];
    size_t n = (size_t) (end - begin);
    if (n == 0 || n >= sizeof text)
        return false;
    memcpy(text, begin, n);
    text[n] = '\0';
    char *rest = text;
    *seconds = g_ascii_strtod(text, &rest);
    return strspn(text, "0123456789+-.eE") == n && *rest == '\0' && isfinite(*seconds);
}

/** The onset and the duration before the first text of a list; NULL: no list, else its texts. */
static const uint8_t *parse_times(const uint8_t *begin, const uint8_t *end, double *onset_s,
                                  double *duration_s)
{
    const uint8_t *text = memchr(begin, TEXT_END, (size_t) (end - begin));
    if (text == NULL)
        return NULL;
    const uint8_t *duration = memchr(begin, DURATION_BEGIN, (size_t) (text - begin));
    *duration_s = 0.0;
    if (duration != NULL && !parse_seconds(duration + 1, text, duration_s))
        return NULL;
    bool has_onset = parse_seconds(begin, duration != NULL ? duration : text, onset_s);
    return has_onset && *duration_s >= 0.0 ? text + 1 : NULL;
}

static void parse_list(struct edf_annotations *result, struct sensors *sensors,
                       const uint8_t *begin, const uint8_t *end, bool is_first)
{
    double onset_s = 0.0;
    double duration_s = 0.0;
    const uint8_t *text = parse_times(begin, end, &onset_s, &duration_s);
    if (text == NULL) {
        result->malformed = true;
        return;
    }
    if (is_first && text < end && *text == TEXT_END) {
        result->has_time = true;
        result->time_s = onset_s;
    }
    while (text < end) {
        const uint8_t *stop = memchr(text, TEXT_END, (size_t) (end - text));
        size_t n = (size_t) ((stop == NULL ? end : stop) - text);
        g_autofree char *decoded = text_decode(text, n, &result->latin1);
        if (*decoded != '\0')
            sensors_add_event(sensors, onset_s, duration_s, decoded, 0);
        result->malformed = result->malformed || stop == NULL;
        text += n + 1;
    }
}

struct edf_annotations edf_annotations_parse(struct sensors *sensors, const uint8_t *bytes,
                                             size_t n)
{
    struct edf_annotations result = {0};
    const uint8_t *end = bytes + n;
    bool is_first = true;
    for (const uint8_t *at = bytes; at < end;) {
        const uint8_t *stop = memchr(at, 0, (size_t) (end - at));
        if (stop == NULL)
            stop = end;
        if (stop > at)
            parse_list(&result, sensors, at, stop, is_first);
        is_first = false;
        at = stop + 1;
    }
    return result;
}
