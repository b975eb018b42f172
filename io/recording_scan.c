// SPDX-License-Identifier: BSD-3-Clause
#include "io/reader.h"

#include <math.h>
#include <string.h>

enum { SCAN_BYTES = 16 << 20 }; // what a scan may keep of its own accord
enum { SCAN_VARIES = 1, SCAN_NONFINITE = 2 };

struct scan {
    enum sample_type type;
    struct recording_summary *summary;
    double *sum;       // borrowed: of what is stored, one a series; or NULL
    double *squares;   // borrowed: of what is stored less the first frame; or NULL; with state
    uint8_t *state;    // owned: SCAN_... of each series; NULL: not kept
    void *first_frame; // owned: of the sample type; with state
};

// The loops over samples, for either type. They are written with integers where sums and extremes
// are taken: compilers make vectors of those without leave to reorder floating point.

/** Of some samples: how many are not finite, and, where none is, the smallest and the largest. */
struct extremes {
    size_t n_nonfinite;
    double low;
    double high;
};

/** Integers in the order of the numbers whose bits they are; its own inverse. */
#define IN_ORDER(bits, largest) ((bits) ^ ((bits) < 0 ? (largest) : 0))

#define DEFINE_LOOPS(name, type, integer, largest, exponent)                                       \
    static struct extremes extremes_##name(const type *restrict x, size_t n)                       \
    {                                                                                              \
        integer low = (largest);                                                                   \
        integer high = -(largest) -1;                                                              \
        integer n_nonfinite = 0;                                                                   \
        for (size_t i = 0; i < n; i++) {                                                           \
            integer bits;                                                                          \
            memcpy(&bits, &x[i], sizeof bits);                                                     \
            n_nonfinite += (bits & (exponent)) == (exponent);                                      \
            integer ordered = IN_ORDER(bits, largest);                                             \
            low = MIN(low, ordered);                                                               \
            high = MAX(high, ordered);                                                             \
        }                                                                                          \
        type ends[2];                                                                              \
        integer bits[2] = {IN_ORDER(low, largest), IN_ORDER(high, largest)};                       \
        memcpy(ends, bits, sizeof ends);                                                           \
        return (struct extremes){(size_t) n_nonfinite, (double) ends[0], (double) ends[1]};        \
    }                                                                                              \
    static void mark_varying_##name(const type *restrict x, const type *restrict first,            \
                                    uint8_t *restrict state, size_t n)                             \
    {                                                                                              \
        for (size_t i = 0; i < n; i++)                                                             \
            state[i] |= x[i] == first[i] ? 0 : SCAN_VARIES;                                        \
    }                                                                                              \
    static void add_##name(const type *restrict x, double *restrict sum, size_t n)                 \
    {                                                                                              \
        for (size_t i = 0; i < n; i++)                                                             \
            sum[i] += (double) x[i];                                                               \
    }                                                                                              \
    static void add_squares_##name(const type *restrict x, const type *restrict first,             \
                                   double *restrict squares, size_t n)                             \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            double difference = (double) x[i] - (double) first[i];                                 \
            squares[i] += difference * difference;                                                 \
        }                                                                                          \
    }

DEFINE_LOOPS(float, float, int32_t, INT32_MAX, INT32_C(0x7f800000))
DEFINE_LOOPS(double, double, int64_t, INT64_MAX, INT64_C(0x7ff0000000000000))

static double sample_at(const struct scan *scan, const void *samples, size_t i)
{
    return scan->type == SAMPLE_FLOAT ? (double) ((const float *) samples)[i]
                                      : ((const double *) samples)[i];
}

static void widen(struct recording_summary *summary, double low, double high)
{
    // Written so that the first sample replaces NaN.
    if (!(summary->minimum <= low))
        summary->minimum = low;
    if (!(summary->maximum >= high))
        summary->maximum = high;
}

/** Samples of which some are not finite, one by one. */
static void scan_slowly(struct scan *scan, size_t first, size_t count, const void *samples)
{
    for (size_t i = 0; i < count; i++) {
        double x = sample_at(scan, samples, i);
        if (isfinite(x))
            widen(scan->summary, x, x);
        else if (scan->state != NULL)
            scan->state[first + i] |= SCAN_NONFINITE;
    }
}

static bool scan_take(void *data, size_t t, size_t first, size_t count, const void *samples)
{
    struct scan *scan = data;
    bool is_float = scan->type == SAMPLE_FLOAT;
    struct extremes extremes =
        is_float ? extremes_float(samples, count) : extremes_double(samples, count);
    scan->summary->n_nonfinite_samples += extremes.n_nonfinite;
    if (extremes.n_nonfinite > 0)
        scan_slowly(scan, first, count, samples);
    else
        widen(scan->summary, extremes.low, extremes.high);

    if (scan->sum != NULL && is_float)
        add_float(samples, scan->sum + first, count);
    else if (scan->sum != NULL)
        add_double(samples, scan->sum + first, count);
    if (scan->state == NULL)
        return true;

    size_t size = is_float ? sizeof(float) : sizeof(double);
    char *kept = (char *) scan->first_frame + first * size;
    if (t == 0)
        memcpy(kept, samples, count * size);
    if (is_float)
        mark_varying_float(samples, (const float *) (void *) kept, scan->state + first, count);
    else
        mark_varying_double(samples, (const double *) (void *) kept, scan->state + first, count);
    if (scan->squares != NULL && is_float)
        add_squares_float(samples, (const float *) (void *) kept, scan->squares + first, count);
    else if (scan->squares != NULL)
        add_squares_double(samples, (const double *) (void *) kept, scan->squares + first, count);
    return true;
}

static void count_series(const struct recording *recording, const struct scan *scan,
                         uint8_t *varies)
{
    struct recording_summary *summary = scan->summary;
    for (size_t v = 0; scan->state != NULL && v < recording->n_series; v++) {
        bool nonfinite = (scan->state[v] & SCAN_NONFINITE) != 0;
        bool moves = (scan->state[v] & SCAN_VARIES) != 0;
        summary->n_nonfinite += nonfinite;
        summary->n_constant += !nonfinite && !moves;
        if (varies != NULL)
            varies[v] = moves;
    }
    if (recording->n_time == 1) {
        summary->n_nonfinite = summary->n_nonfinite_samples;
        summary->n_constant = recording->n_series - summary->n_nonfinite;
    }
}

/** From sums of squares about the first frame to standard deviations, as stored. */
static void finish_squares(const struct recording *recording, const struct scan *scan)
{
    double n = (double) recording->n_time;
    for (size_t v = 0; scan->squares != NULL && v < recording->n_series; v++) {
        double difference = scan->sum[v] - n * sample_at(scan, scan->first_frame, v);
        double sum = scan->squares[v] - difference * difference / n;
        // written so that NaN stays
        double variance = sum < 0.0 ? 0.0 : sum / (n - 1.0);
        scan->squares[v] = fabs(recording->scale) * sqrt(variance);
    }
}

/** From what is stored to values. */
static void scale(const struct recording *recording, const struct scan *scan)
{
    struct recording_summary *summary = scan->summary;
    double *mean = scan->sum;
    for (size_t v = 0; mean != NULL && v < recording->n_series; v++)
        mean[v] = recording->scale * (mean[v] / (double) recording->n_time) + recording->offset;
    double low = recording->scale * summary->minimum + recording->offset;
    double high = recording->scale * summary->maximum + recording->offset;
    summary->minimum = recording->scale < 0.0 ? high : low;
    summary->maximum = recording->scale < 0.0 ? low : high;
}

/** What a scan keeps of each series while it passes. */
static bool begin(struct scan *scan, const struct recording *recording,
                  const struct recording_moments *moments, const struct io_context *io,
                  GError **error)
{
    size_t n = recording->n_series;
    size_t size = scan->type == SAMPLE_FLOAT ? sizeof(float) : sizeof(double);
    bool asked = moments != NULL && moments->varies != NULL;
    bool keep = asked || (recording->n_time > 1 && n <= SCAN_BYTES / (size + 1));
    scan->summary->series_counted = keep || recording->n_time == 1;
    scan->sum = moments == NULL ? NULL : moments->mean;
    scan->squares = !asked ? NULL : moments->sd;
    g_assert(scan->squares == NULL || scan->sum != NULL);
    if (keep) {
        scan->state = io_context_alloc(io, recording->path, n, 1, error);
        if (scan->state == NULL)
            return false;
        scan->first_frame = io_context_alloc(io, recording->path, n, size, error);
        if (scan->first_frame == NULL)
            return false;
        memset(scan->state, 0, n);
    }
    for (size_t v = 0; scan->sum != NULL && v < n; v++)
        scan->sum[v] = 0.0;
    for (size_t v = 0; scan->squares != NULL && v < n; v++)
        scan->squares[v] = 0.0;
    return true;
}

static bool pass(struct scan *scan, struct recording *recording,
                 const struct recording_moments *moments, const struct io_context *io,
                 GError **error)
{
    if (!begin(scan, recording, moments, io, error))
        return false;
    struct series_run all = {0, recording->n_series};
    struct selection selection = {&all, 1, 0, recording->n_time};
    struct frame_sink sink = {scan_take, scan};
    struct io_context bounded = *io;
    bounded.n_threads = MIN(io->n_threads, 2); // what streams ahead is sized by threads
    if (!recording->reader->frames(recording, &selection, &sink, &bounded, error))
        return false;
    count_series(recording, scan, moments == NULL ? NULL : moments->varies);
    finish_squares(recording, scan);
    scale(recording, scan);
    return true;
}

bool recording_scan(struct recording *recording, struct recording_summary *summary,
                    const struct recording_moments *moments, const struct io_context *io,
                    GError **error)
{
    g_assert(recording->samples.any == NULL);
    *summary =
        (struct recording_summary){.n_series = recording->n_series, .minimum = NAN, .maximum = NAN};
    struct scan scan = {.type = recording->type, .summary = summary};
    bool done = pass(&scan, recording, moments, io, error);
    g_free(scan.state);
    g_free(scan.first_frame);
    return done;
}
