// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/median.h"

#include <math.h>

static void exchange(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

// Parts values[first..last] at a pivot: returns j < last with nothing larger than the pivot up to j
// and nothing smaller after it (Hoare 1961).
static size_t part(double *values, size_t first, size_t last)
{
    double pivot = values[first + (last - first) / 2];
    size_t i = first, j = last;
    for (;; i++, j--) {
        while (values[i] < pivot)
            i++;
        while (values[j] > pivot)
            j--;
        if (i >= j)
            return j;
        exchange(&values[i], &values[j]);
    }
}

// Moves the value of rank k to place k, none larger before it and none smaller after.
static double select_rank(double *values, size_t n, size_t k)
{
    size_t first = 0, last = n - 1;
    while (first < last) {
        size_t middle = part(values, first, last);
        if (k <= middle)
            last = middle;
        else
            first = middle + 1;
    }
    return values[k];
}

double median(double *values, size_t n)
{
    if (n == 0)
        return NAN;
    double upper = select_rank(values, n, n / 2);
    if (n % 2 == 1)
        return upper;
    double lower = values[0];
    for (size_t i = 1; i < n / 2; i++)
        lower = values[i] > lower ? values[i] : lower;
    return 0.5 * (lower + upper);
}
