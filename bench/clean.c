// SPDX-License-Identifier: BSD-3-Clause
// CPU time of cleaning a series, by what is asked for; medians of interleaved rounds.
// usage: clean [FRAMES [TR_S]]; without arguments 490 frames every 0.735 s

#include "deconv/clean.h"

#include "solvers/cpu_clock.h"
#include "solvers/median.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

enum { REPEATS = 31, ROUNDS = 20, N_CONFOUNDS = 24 };

static void fill(double *data, size_t n, double mean)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (size_t i = 0; i < n; i++)
        data[i] = mean + g_rand_double(rand);
}

static double time_once(const struct clean *clean, const double *data, struct block *y,
                        struct workspace *ws)
{
    double seconds = 0.0;
    for (size_t i = 0; i < ROUNDS; i++) {
        memcpy(y->data, data, y->n_time * y->n_series * sizeof(double));
        double begin = cpu_clock_s();
        clean_apply(clean, y, ws);
        seconds += cpu_clock_s() - begin;
    }
    return 1e6 * seconds / (double) (ROUNDS * y->n_series);
}

int main(int argc, char **argv)
{
    size_t n_time = argc > 1 ? g_ascii_strtoull(argv[1], NULL, 10) : 490;
    double tr_s = argc > 2 ? g_ascii_strtod(argv[2], NULL) : 0.735;
    g_autofree double *confounds = g_new(double, N_CONFOUNDS *n_time);
    g_autofree double *data = g_new(double, BLOCK_SERIES *n_time);
    g_autofree double *work = g_new(double, BLOCK_SERIES *n_time);
    fill(confounds, N_CONFOUNDS * n_time, 0.0);
    fill(data, BLOCK_SERIES * n_time, 1000.0);

    struct clean_options plain = clean_options_default();
    struct clean_options linear = {.detrend = DETREND_LINEAR, .standardize = STANDARDIZE_ZSCORE};
    struct clean_options with_confounds = plain;
    with_confounds.confounds = confounds;
    with_confounds.n_confounds = N_CONFOUNDS;
    struct clean_options filtered = linear;
    filtered.low_hz = 0.01;
    filtered.high_hz = 0.1;
    const struct {
        const char *name;
        const struct clean_options *options;
    } cases[] = {{"linear, z-score", &linear},
                 {"cosine:128, z-score", &plain},
                 {"cosine:128, 24 confounds, z-score", &with_confounds},
                 {"linear, band-pass, z-score", &filtered}};

    g_autoptr(owned_workspace) ws = workspace_new();
    struct clean *plans[G_N_ELEMENTS(cases)];
    double times[G_N_ELEMENTS(cases)][REPEATS];
    struct block y = {n_time, BLOCK_SERIES, n_time, work};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        plans[i] = clean_new(n_time, tr_s, cases[i].options, NULL);
    for (size_t r = 0; r < REPEATS; r++)
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
            times[i][r] = time_once(plans[i], data, &y, ws);
    printf("%zu frames every %g s\n%-36s %9s %9s\n", n_time, tr_s, "", "regressors", "us/series");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        printf("%-36s %9zu %9.2f\n", cases[i].name, clean_rank(plans[i]),
               median(times[i], REPEATS));
        clean_free(plans[i]);
    }
    return 0;
}
