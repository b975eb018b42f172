// SPDX-License-Identifier: BSD-3-Clause
// What a continuous recording goes through before it is averaged.
#include "app/pipelines/sources/sources.h"

#include <math.h>
#include <string.h>

static bool parse_bound(const char *word, double bounds[SENSOR_KINDS])
{
    for (size_t k = 0; k < SENSOR_OTHER; k++) {
        const char *name = sensor_kind_name((enum sensor_kind) k);
        size_t n = strlen(name);
        if (strncmp(word, name, n) != 0 || word[n] != '=')
            continue;
        char *end = NULL;
        bounds[k] = g_ascii_strtod(word + n + 1, &end);
        return end != word + n + 1 && *end == '\0' && bounds[k] > 0.0;
    }
    return false;
}

bool sources_parse_reject(const char *text, double bounds[SENSOR_KINDS], GError **error)
{
    for (size_t k = 0; k < SENSOR_KINDS; k++)
        bounds[k] = INFINITY;
    if (text == NULL)
        return true;
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word != NULL; word++)
        if (!parse_bound(*word, bounds)) {
            g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                        "--reject: expected mag=V, grad=V or eeg=V with V > 0, found \"%s\"",
                        *word);
            return false;
        }
    return true;
}

static bool parse_edge(const char *word, double *hz)
{
    char *end = NULL;
    if (*word == '\0')
        return true;
    *hz = g_ascii_strtod(word, &end);
    return end != word && *end == '\0' && isfinite(*hz) && *hz >= 0.0;
}

bool sources_parse_band(const char *text, double band_hz[2], GError **error)
{
    band_hz[0] = 0.0;
    band_hz[1] = INFINITY;
    if (text == NULL)
        return true;
    g_auto(GStrv) words = g_strsplit(text, ":", -1);
    if (g_strv_length(words) == 2 && parse_edge(words[0], &band_hz[0]) &&
        parse_edge(words[1], &band_hz[1]) && band_hz[0] < band_hz[1])
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                "--band: expected LOW:HIGH in Hz, LOW < HIGH, found \"%s\"", text);
    return false;
}

struct filter_job {
    const struct band_pass *band;
    double *rows;
    size_t n_time;
};

static void filter_row(void *data, size_t i, struct workspace *ws)
{
    const struct filter_job *job = data;
    band_pass_apply(job->band, job->rows + i * job->n_time, job->n_time, ws);
}

void sources_filter(const struct sources *sources, double *rows, size_t n, size_t n_time)
{
    struct filter_job job = {.band = sources->band, .n_time = n_time};
    job.rows = rows;
    parallel_for(sources->host->team, n, filter_row, &job);
}
