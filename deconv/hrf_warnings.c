// SPDX-License-Identifier: BSD-3-Clause
// What is doubtful about a response.
#include "deconv/hrf.h"

#include <math.h>

// Where responses of the cortex have their peak and width, with room on both sides.
static const double SHORTEST_S = 2.0, LONGEST_S = 10.0;

/** Lines for the user, each with the name of the response before it. */
struct doubts {
    const struct hrf *hrf; // borrowed
    GStrvBuilder *lines;   // borrowed
};

G_GNUC_PRINTF(2, 3)
static void doubt(const struct doubts *doubts, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    const struct hrf *hrf = doubts->hrf;
    g_autofree char *line = g_strdup_printf("hrf: %s%s%s", hrf->model == NULL ? "" : hrf->name,
                                            hrf->model == NULL ? "" : ": ", text);
    g_strv_builder_add(doubts->lines, line);
}

// The sample of the largest absolute value, with its sign.
static double peak_of(const struct hrf *hrf)
{
    double peak = 0.0;
    for (size_t k = 0; k < hrf->n; k++)
        if (fabs(hrf->h[k]) > fabs(peak))
            peak = hrf->h[k];
    return peak;
}

// <a, b> / (||a|| ||b||) over n samples.
static double cosine(const double *a, const double *b, size_t n)
{
    double ab = 0.0, aa = 0.0, bb = 0.0;
    for (size_t k = 0; k < n; k++) {
        ab += a[k] * b[k];
        aa += a[k] * a[k];
        bb += b[k] * b[k];
    }
    return aa > 0.0 && bb > 0.0 ? ab / sqrt(aa * bb) : 0.0;
}

/** How well a known response fits one that is led forward by some frames. */
struct fit {
    const char *model;
    size_t n_late;
    double cosine;
};

static void try_fit(const struct hrf *hrf, const char *model, size_t n_late, struct fit *best)
{
    g_autoptr(owned_hrf) other = hrf_new(model, hrf->tr_s, NULL);
    size_t n = other == NULL ? 0 : MIN(other->n, hrf->n - n_late);
    double found = n < 3 ? -1.0 : cosine(hrf->h + n_late, other->h, n);
    if (found > best->cosine)
        *best = (struct fit){model, n_late, found};
}

// A kernel that was made late begins with zeros where known responses have one, and some frames
// earlier it is one of them.
static void doubt_start(const struct doubts *doubts)
{
    static const char *const known[] = {"glover", "nilearn-spm", "spm"};
    const struct hrf *hrf = doubts->hrf;
    double least = 1e-4 * fabs(peak_of(hrf));
    size_t n_zeros = 0;
    while (n_zeros < hrf->n && fabs(hrf->h[n_zeros]) <= least)
        n_zeros++;
    struct fit as_given = {NULL, 0, -1.0}, earlier = {NULL, 0, -1.0};
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        try_fit(hrf, known[i], 0, &as_given);
        for (size_t late = 1; late < n_zeros && late + 3 <= hrf->n; late++)
            try_fit(hrf, known[i], late, &earlier);
    }
    if (earlier.cosine > 0.9 && earlier.cosine > as_given.cosine)
        doubt(doubts,
              "the first %zu samples are 0 and %zu earlier it would be closer to \"%s\": it may be "
              "%zu %s (%g s) late",
              n_zeros, earlier.n_late, earlier.model, earlier.n_late,
              earlier.n_late == 1 ? "frame" : "frames", (double) earlier.n_late * hrf->tr_s);
}

// The third moment, over the time about its mean, of what has the sign of the peak, in standard
// deviations: positive where a response rises faster than it falls.
static double skewness_of(const struct hrf *hrf, double peak)
{
    double moments[4] = {0.0};
    for (size_t k = 0; k < hrf->n; k++) {
        double weight = fmax(hrf->h[k] / peak, 0.0), t = (double) k;
        for (size_t i = 0; i < G_N_ELEMENTS(moments); i++, weight *= t)
            moments[i] += weight;
    }
    double mean = moments[1] / moments[0], square = moments[2] / moments[0];
    double variance = square - mean * mean;
    double third = moments[3] / moments[0] - 3.0 * mean * square + 2.0 * mean * mean * mean;
    return variance > 0.0 ? third / (variance * sqrt(variance)) : 0.0;
}

// Whether the undershoot stands before the peak, or, without one, the slow end does.
static bool seems_reversed(const struct hrf *hrf, double peak)
{
    const double shallow = 0.05, backwards = -0.2;
    double before = 0.0, after = 0.0;
    bool is_after = false;
    for (size_t k = 0; k < hrf->n; k++) {
        double depth = -hrf->h[k] / peak;
        is_after |= depth == -1.0;
        if (is_after)
            after = fmax(after, depth);
        else
            before = fmax(before, depth);
    }
    if (fmax(before, after) > shallow)
        return before > 2.0 * after;
    return skewness_of(hrf, peak) < backwards;
}

static void doubt_ends(const struct doubts *doubts)
{
    const double small = 0.1;
    const struct hrf *hrf = doubts->hrf;
    double peak = peak_of(hrf), first = hrf->h[0] / peak, last = hrf->h[hrf->n - 1] / peak;
    bool begins = fabs(first) <= small, ends = fabs(last) <= small;
    if (hrf->before > small * fabs(peak))
        doubt(doubts,
              "before time 0 it has %.2g of its peak: it is not causal, and what comes before is "
              "left "
              "out",
              hrf->before / fabs(peak));
    else if (!begins)
        doubt(doubts,
              "it begins at %.2g of its peak: it is not causal, or its beginning is cut off",
              first);
    if (!ends && hrf->model == NULL)
        doubt(doubts, "it ends at %.2g of its peak: its end is cut off", last);
    if (begins && ends && hrf->model == NULL && seems_reversed(hrf, peak))
        doubt(doubts, "it is slow before its peak and fast after it: it may be reversed in time");
}

static void doubt_time(const struct doubts *doubts, const char *what, double seconds)
{
    if (isfinite(seconds) && !(seconds >= SHORTEST_S && seconds <= LONGEST_S))
        doubt(doubts, "%s %.3g s, expected %g to %g s%s", what, seconds, SHORTEST_S, LONGEST_S,
              doubts->hrf->model == NULL ? " (is it sampled at the repetition time?)" : "");
}

char **hrf_warnings(const struct hrf *hrf)
{
    GStrvBuilder *lines = g_strv_builder_new();
    const struct doubts doubts = {hrf, lines};
    const char *caution =
        hrf->model == NULL || hrf->model->caution == NULL ? NULL : hrf->model->caution(hrf->p);
    struct hrf_shape shape = hrf_measure(hrf);
    if (caution != NULL)
        doubt(&doubts, "%s", caution);
    else {
        doubt_time(&doubts, "its peak is at", shape.time_to_peak_s);
        doubt_time(&doubts, "its width at half of the peak is", shape.fwhm_s);
        doubt_ends(&doubts);
    }
    if (hrf->model == NULL)
        doubt_start(&doubts);
    char **warnings = g_strv_builder_end(lines);
    g_strv_builder_unref(lines);
    return warnings;
}
