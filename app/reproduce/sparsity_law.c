// SPDX-License-Identifier: BSD-3-Clause
// How much longer a step may be on a support of zeta m columns: L_S / L of a Gaussian dictionary
// against ((1 + sqrt(3 zeta)) / (1 + sqrt 3))^2, the edge of Marchenko and Pastur.
#include "app/reproduce/samples.h"
#include "solvers/random.h"

#include <math.h>
#include <string.h>

enum { N_OUT = 200, N_IN = 600, N_FRACTIONS = 20 };

static const struct panel panels[] = {{"L_S / L on random supports", "ratio",
                                       "{/Symbol z}, share of the columns", "L_S / L", 0.0, false,
                                       false, false},
                                      {0}};

static double law(double zeta)
{
    double edge = (1.0 + sqrt(zeta * N_IN / N_OUT)) / (1.0 + sqrt((double) N_IN / N_OUT));
    return edge * edge;
}

// ||D_S||^2 of the first n_columns of a random order of the columns.
static double support_norm2(const double *matrix, const size_t *order, size_t n_columns)
{
    g_autofree double *part = g_new(double, N_OUT *n_columns);
    for (size_t j = 0; j < n_columns; j++)
        memcpy(part + j * N_OUT, matrix + order[j] * N_OUT, N_OUT * sizeof(double));
    g_autoptr(linop) op = linop_new_dense(part, N_OUT, n_columns);
    return op->norm2;
}

static void shuffle(size_t *order, size_t n, struct random_stream *stream)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n - 1; i > 0; i--) {
        size_t j = random_below(stream, i + 1);
        size_t keep = order[i];
        order[i] = order[j];
        order[j] = keep;
    }
}

static bool run(struct reproduction *r, GError **error)
{
    size_t n_draws = r->full ? 50 : 10;
    g_autofree double *matrix = samples_draw_dictionary(r->seed, N_OUT, N_IN);
    g_autoptr(linop) whole = linop_new_dense(matrix, N_OUT, N_IN);
    double worst = 0.0;
    reproduction_set(r, "dictionary", "%d x %d, columns uniform on the sphere", N_OUT, N_IN);
    reproduction_set(r, "draws", "%zu", n_draws);
    for (size_t k = 1; k <= N_FRACTIONS; k++) {
        double zeta = (double) k / N_FRACTIONS;
        for (size_t draw = 0; draw < n_draws; draw++) {
            size_t order[N_IN];
            struct random_stream stream = random_stream_of(r->seed, k, draw);
            shuffle(order, N_IN, &stream);
            double ratio =
                support_norm2(matrix, order, (size_t) (zeta * N_IN + 0.5)) / whole->norm2;
            reproduction_result(r, "random supports", zeta, draw, "ratio", ratio);
        }
        reproduction_result(r, "Marchenko-Pastur law", zeta, 0, "ratio", law(zeta));
        double mean = reproduction_mean(r, "random supports", zeta, "ratio");
        worst = fmax(worst, fabs(mean / law(zeta) - 1.0));
        host_progress(r->host, zeta);
        if (host_stopped(r->host, error))
            return false;
    }
    reproduction_check(r, "L_S / L is within 6 % of the law for zeta from 0.05 to 1", worst <= 0.06,
                       worst, 0.06);
    reproduction_note(r, "Gaussian dictionary of %d x %d, %zu random supports a point.", N_OUT,
                      N_IN, n_draws);
    return true;
}

const struct experiment reproduce_sparsity_law = {.id = "sparsity-law",
                                                  .title = "Structured supports allow longer steps",
                                                  .panels = panels,
                                                  .run = run};
