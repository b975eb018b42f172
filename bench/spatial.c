// SPDX-License-Identifier: BSD-3-Clause
// Deconvolution of a volume at once: iterations, gap, CPU and wall time, and what it found.
// usage: spatial X.f32 HRF.f64 T NX NY NZ group|laplacian|tv LAMBDA_T LAMBDA_S [RHO [THREADS
// [U.f32]]] X: series of T float32, one voxel after another, x fastest; HRF: float64 at the TR; no
// headers.

#include "deconv/spatial.h"
#include "bench/measure.h"
#include "deconv/hrf_conv.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool tell(void *data, const struct spatial_progress *progress)
{
    const double *begin = data;
    printf("%4zu iterations, %7.2f s CPU, gap %.2e, objective %.8g\n", progress->iteration,
           process_clock_s() - *begin, progress->relative_gap, progress->objective);
    return true;
}

static enum spatial_kind kind_of(const char *name)
{
    return strcmp(name, "tv") == 0          ? SPATIAL_TV
           : strcmp(name, "laplacian") == 0 ? SPATIAL_LAPLACIAN
                                            : SPATIAL_GROUP;
}

int main(int argc, char **argv)
{
    if (argc < 10) {
        fprintf(stderr, "usage: spatial X.f32 HRF.f64 T NX NY NZ group|laplacian|tv LAMBDA_T "
                        "LAMBDA_S [RHO [THREADS [U.f32]]]\n");
        return EXIT_FAILURE;
    }
    gsize n_x = 0, n_h = 0;
    g_autofree float *x = read_bytes(argv[1], &n_x);
    g_autofree double *h = read_bytes(argv[2], &n_h);
    size_t n_time = (size_t) atoi(argv[3]), dim[3];
    for (size_t i = 0; i < 3; i++)
        dim[i] = (size_t) atoi(argv[4 + i]);
    size_t n = dim[0] * dim[1] * dim[2] * n_time;
    g_assert(n_x == n * sizeof(float));
    g_autoptr(linop) op =
        hrf_conv_new(h, n_h / sizeof(double), n_time, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
    g_autoptr(owned_spatial_graph) graph = spatial_graph_of_mask(NULL, dim, SPATIAL_FACES);
    struct spatial_problem problem = {op,
                                      graph,
                                      x,
                                      kind_of(argv[7]),
                                      g_ascii_strtod(argv[8], NULL),
                                      g_ascii_strtod(argv[9], NULL)};
    struct spatial_options options = spatial_options_default();
    if (argc > 10)
        options.rho = g_ascii_strtod(argv[10], NULL);
    g_autoptr(owned_parallel) team = parallel_new(argc > 11 ? (size_t) atoi(argv[11]) : 1, NULL);
    g_autofree float *u = g_new0(float, n);
    double begin = process_clock_s(), wall = wall_clock_s();
    struct spatial_progress last;
    bool done = spatial_solve(&problem, &options, team, tell, &begin, u, &last);
    printf("%s after %zu iterations, %.2f s; %.0f MB besides data and activity\n",
           done ? "done" : "stopped", last.iteration, wall_clock_s() - wall,
           1e-6 * (double) spatial_bytes(&problem));
    if (argc > 12)
        g_file_set_contents(argv[12], (const char *) u, (gssize) (n * sizeof *u), NULL);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
