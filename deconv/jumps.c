// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/jumps.h"

#include <math.h>

size_t jumps_merge(const double *u, size_t n, struct jump *jumps)
{
    size_t count = 0, last = 0; // last: the sample of the last change
    for (size_t i = 1; i < n; i++) {
        double size = u[i] - u[i - 1];
        if (size == 0.0)
            continue;
        struct jump *before = &jumps[count - (count > 0)];
        if (count > 0 && last + 1 == i && before->size * size > 0.0) {
            double sum = before->size + size;
            before->place += (size / sum) * ((double) i - before->place);
            before->size = sum;
        } else {
            jumps[count++] = (struct jump){(double) i, size};
        }
        last = i;
    }
    return count;
}

size_t jumps_sample(const struct jump *jump, size_t n)
{
    double sample = fmin(fmax(round(jump->place), 1.0), (double) n - 1.0);
    return (size_t) sample;
}
