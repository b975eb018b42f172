// SPDX-License-Identifier: BSD-3-Clause
// CPU time that each rule for lambda takes a series, on blocks of activity seen through SPM's
// response in noise; medians of interleaved rounds.
// usage: lambda_rule [FRAMES [TR_S]]; without arguments 250 frames every 0.735 s

#include "deconv/lambda_rule.h"
#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "solvers/cpu_clock.h"
#include "solvers/median.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>

enum { REPEATS = 11, N_SERIES = 64 };

static void fill(const linop *op, struct block *x, struct workspace *ws)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autofree double *u = g_new(double, op->n_in);
    for (size_t v = 0; v < x->n_series; v++) {
        size_t width = 10 + v % 30;
        for (size_t i = 0; i < op->n_in; i++)
            u[i] = (double) (i / width % 2);
        linop_apply_series(op, u, block_series(x, v), ws);
        for (size_t t = 0; t < x->n_time; t++)
            block_series(x, v)[t] += g_rand_double(rand) - 0.5;
    }
}

int main(int argc, char **argv)
{
    size_t n_time = argc > 1 ? g_ascii_strtoull(argv[1], NULL, 10) : 250;
    double tr_s = argc > 2 ? g_ascii_strtod(argv[2], NULL) : 0.735;
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_hrf) hrf = hrf_new("spm", tr_s, NULL);
    g_autoptr(linop) op =
        hrf_conv_new(hrf->h, hrf->n, n_time, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    g_autofree double *data = g_new(double, N_SERIES *n_time);
    struct block x = {n_time, N_SERIES, n_time, data};
    fill(op, &x, ws);

    static const enum lambda_kind kinds[] = {LAMBDA_RATIO, LAMBDA_UT, LAMBDA_MAD, LAMBDA_BIC,
                                             LAMBDA_AIC};
    struct lambda_rule *rules[G_N_ELEMENTS(kinds)];
    double times[G_N_ELEMENTS(kinds)][REPEATS], ratio[G_N_ELEMENTS(kinds)] = {0.0};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        rules[i] = lambda_rule_new(problem, kinds[i], 0.1, NULL);
    for (size_t r = 0; r < REPEATS; r++) {
        for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
            struct lambda_choice choices[N_SERIES];
            double begin = cpu_clock_s();
            lambda_rule_apply(rules[i], &x, NULL, choices, ws);
            times[i][r] = 1e6 * (cpu_clock_s() - begin) / N_SERIES;
            ratio[i] = 0.0;
            for (size_t v = 0; v < N_SERIES; v++)
                ratio[i] += choices[v].ratio / N_SERIES;
        }
    }
    printf("%zu frames every %g s, %zu samples of the response\n", n_time, tr_s, hrf->n);
    printf("%-6s %9s %11s\n", "rule", "us/series", "mean ratio");
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        printf("%-6s %9.1f %11.4f\n", lambda_kind_names[kinds[i]], median(times[i], REPEATS),
               ratio[i]);
        lambda_rule_free(rules[i]);
    }
    return 0;
}
