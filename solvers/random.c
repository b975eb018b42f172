// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/random.h"

#include <glib.h>

void random_normal(struct random_stream *stream, double *out, size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        double radius = sqrt(-2.0 * log(random_uniform(stream)));
        double angle = 2.0 * G_PI * random_uniform(stream);
        out[i] = radius * cos(angle);
        if (i + 1 < n)
            out[i + 1] = radius * sin(angle);
    }
}
