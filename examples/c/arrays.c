// SPDX-License-Identifier: BSD-3-Clause
/*
 * Series of numbers in, their activity out: raw float64, one series after the other.
 *
 *     cc arrays.c $(pkg-config --cflags --libs taut) -o arrays
 *     ./arrays 250 < x.f64 > u.f64
 */
#include <stdio.h>
#include <stdlib.h>
#include <taut.h>

int main(int argc, char **argv)
{
    size_t n_time = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, n_h = 100, n = 0;
    double h[100], *x = malloc(n_time * sizeof(double)), *u = x, ratio = 0.1;
    taut_error error;
    taut_options options;
    taut_options_init(&options);
    options.rule = "ratio"; /* lambda is a tenth of each series' lambda_max */
    if (x == NULL || taut_hrf("spm", 2.0, h, &n_h, &error) != TAUT_OK)
        return 1;
    taut_problem *problem = taut_problem_tv_filter(h, n_h, n_time, 0, &error);
    int code = problem == NULL ? error.code : TAUT_OK;
    if (code == TAUT_OK && (u = malloc(n_time * sizeof(double))) == NULL)
        code = TAUT_NO_MEMORY;
    for (; code == TAUT_OK && fread(x, sizeof(double), n_time, stdin) == n_time; n++) {
        taut_array from = taut_array_of(x, 1, n_time), to = taut_array_of(u, 1, n_time);
        taut_result result;
        code = taut_solve(problem, &options, NULL, &from, &ratio, &to, &result, &error);
        if (code == TAUT_OK && fwrite(u, sizeof(double), n_time, stdout) != n_time)
            code = TAUT_STOPPED;
        if (code == TAUT_OK)
            fprintf(stderr, "gap %.0e, %d jumps\n", result.relative_gap, (int) result.n_jumps);
    }
    if (code != TAUT_OK)
        fprintf(stderr, "%s\n", code == TAUT_STOPPED ? "cannot write" : error.message);
    taut_problem_free(problem);
    return code != TAUT_OK;
}
