// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <math.h>

/** Values of options that are more than a number; their text is borrowed. */

/** "T0:T1" or "LO:HI"; an end that was left out is infinite, but 0 as the low one of a band. */
struct interval {
    const char *text; // as given; NULL: not given
    double from;
    double to;
};

/** The interval, with the ends of the data for those that were left out. */
static inline void interval_within(const struct interval *given, const double ends[2],
                                   double found[2])
{
    found[0] = isinf(given->from) ? ends[0] : given->from;
    found[1] = isinf(given->to) ? ends[1] : given->to;
}

enum { BOUNDS_MOST = 8 };

/** "mag=4e-12,eeg=1e-4": INFINITY for a kind that is not named. */
struct bounds {
    const char *text; // as given; NULL: not given
    double most[BOUNDS_MOST];
};

/** "R" or "LEAST:MOST". */
struct number_range {
    const char *text; // as given; NULL: not given
    double least;
    double most;
};

/** One of some words, "cosine:128" or "map:FILE": with a number or a path behind it. */
struct word {
    const char *text; // as given; NULL: not given
    int index;        // among the choices; -1: not given
    double number;    // 0 where the word has none
    const char *path; // NULL where the word has none
};
