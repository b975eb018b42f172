// SPDX-License-Identifier: BSD-3-Clause
// CPU time of the mixed norm and of the Lasso at each sample, on a simulated leadfield or on
// arrays.
//
// usage: bench_mixed_norm simulate POSITIONS ORIENT DIR   makes DIR/gain.npy and DIR/data.npy
//        bench_mixed_norm l21 DIR ORIENT FRACTION TOL     one problem: a line of JSON
//        bench_mixed_norm lasso DIR FRACTION THREADS      all samples: a line of JSON
// bench/mixed_norm_peers.py runs them side by side with MNE-Python and scikit-learn.
#include "sources/mixed_norm.h"
#include "bench/measure.h"
#include "io/array.h"
#include "solvers/parallel.h"
#include "sources/lasso_window.h"
#include "sources/time_reduction.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_SENSORS = 360, N_TIME = 85, N_DIPOLES = 12 };

// Point i of n on the unit sphere, nearly evenly.
static void sphere_point(size_t i, size_t n, double out[3])
{
    double z = 1.0 - (2.0 * (double) i + 1.0) / (double) n;
    double angle = (double) i * G_PI * (3.0 - sqrt(5.0));
    out[0] = sqrt(1.0 - z * z) * cos(angle);
    out[1] = sqrt(1.0 - z * z) * sin(angle);
    out[2] = z;
}

// What a dipole of unit moment q at 0.07 r gives along the radius of a sensor at 0.11 s; every
// third sensor sees its potential, scaled to the same size.
static double field(const double s[3], const double r[3], const double q[3], bool is_potential)
{
    double d[3], norm2 = 0.0;
    for (size_t i = 0; i < 3; i++) {
        d[i] = 0.11 * s[i] - 0.07 * r[i];
        norm2 += d[i] * d[i];
    }
    double scale = 1e-3 / (norm2 * sqrt(norm2));
    if (is_potential)
        return 0.5 * scale * (q[0] * d[0] + q[1] * d[1] + q[2] * d[2]);
    return scale * (s[0] * (q[1] * d[2] - q[2] * d[1]) + s[1] * (q[2] * d[0] - q[0] * d[2]) +
                    s[2] * (q[0] * d[1] - q[1] * d[0]));
}

// Orientation of a fixed source: a field of directions that turns smoothly, as on folds.
static void fold(const double r[3], double q[3])
{
    double angle = 9.0 * r[0] + 7.0 * r[1] * r[2];
    q[0] = cos(angle);
    q[1] = sin(angle);
    q[2] = cos(5.0 * r[1]);
    double norm = sqrt(1.0 + q[2] * q[2]);
    for (size_t i = 0; i < 3; i++)
        q[i] /= norm;
}

// G with its columns weighted for depth and trace(G G') = N_SENSORS, row-major as files have it.
static double *make_gain(size_t n_positions, size_t n_orient)
{
    size_t n = n_positions * n_orient;
    double *gain = g_new(double, N_SENSORS *n), total = 0.0;
    for (size_t j = 0; j < n; j++) {
        double r[3], q[3] = {0.0, 0.0, 0.0}, s[3], norm2 = 0.0;
        sphere_point(j / n_orient, n_positions, r);
        if (n_orient == 1)
            fold(r, q);
        else
            q[j % 3] = 1.0;
        for (size_t i = 0; i < N_SENSORS; i++) {
            sphere_point(i, N_SENSORS, s);
            gain[i * n + j] = field(s, r, q, i % 3 == 2);
            norm2 += gain[i * n + j] * gain[i * n + j];
        }
        double weight = pow(norm2, -0.4);
        for (size_t i = 0; i < N_SENSORS; i++)
            gain[i * n + j] *= weight;
        total += norm2 * weight * weight;
    }
    for (size_t i = 0; i < N_SENSORS * n; i++)
        gain[i] *= sqrt(N_SENSORS / total);
    return gain;
}

// Dipoles of damped oscillations, and white noise.
static double *make_data(const double *gain, size_t n_columns, size_t n_orient)
{
    GRand *rand = g_rand_new_with_seed(1);
    double *data = g_new0(double, N_SENSORS *N_TIME);
    for (size_t d = 0; d < N_DIPOLES; d++) {
        size_t k = (size_t) g_rand_int_range(rand, 0, (gint32) (n_columns / n_orient));
        for (size_t o = 0; o < n_orient; o++) {
            double size = 8.0 * g_rand_double_range(rand, -1.0, 1.0);
            for (size_t t = 0; t < N_TIME; t++) {
                double time = ((double) t - 30.0 - 3.0 * (double) d) / 10.0;
                double course =
                    size * exp(-0.5 * time * time) * cos(time * (1.0 + 0.2 * (double) d));
                for (size_t i = 0; i < N_SENSORS; i++)
                    data[i * N_TIME + t] += gain[i * n_columns + k * n_orient + o] * course;
            }
        }
    }
    for (size_t i = 0; i < N_SENSORS * N_TIME; i++)
        data[i] += 0.6 * sqrt(-2.0 * log(1.0 - g_rand_double(rand))) *
                   cos(2.0 * G_PI * g_rand_double(rand));
    g_rand_free(rand);
    return data;
}

static bool save(const char *folder, const char *name, const double *values, size_t n_columns,
                 GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    size_t shape[] = {N_SENSORS, n_columns};
    return array_write_npy(path, values, shape, 2, true, error);
}

static bool simulate(char **argv, GError **error)
{
    size_t n_orient = strtoul(argv[3], NULL, 10);
    size_t n = strtoul(argv[2], NULL, 10) * n_orient;
    g_autofree double *gain = make_gain(n / n_orient, n_orient);
    g_autofree double *data = make_data(gain, n, n_orient);
    return save(argv[4], "gain.npy", gain, n, error) &&
           save(argv[4], "data.npy", data, N_TIME, error);
}

struct arrays {
    struct array *data;
    size_t n_columns;
    double *gain; // owned, column-major
};

static bool load(const char *folder, struct arrays *arrays, GError **error)
{
    struct io_context io = io_context_default();
    g_autofree char *gain_path = g_build_filename(folder, "gain.npy", NULL);
    g_autofree char *data_path = g_build_filename(folder, "data.npy", NULL);
    g_autoptr(owned_array) gain = array_read(gain_path, &io, error);
    if (gain == NULL || (arrays->data = array_read(data_path, &io, error)) == NULL)
        return false;
    arrays->n_columns = gain->n_columns;
    arrays->gain = g_new(double, gain->n_rows * gain->n_columns);
    for (size_t i = 0; i < gain->n_rows; i++)
        for (size_t j = 0; j < gain->n_columns; j++)
            arrays->gain[j * gain->n_rows + i] = gain->values[i * gain->n_columns + j];
    return true;
}

static void unload(struct arrays *arrays)
{
    array_free(arrays->data);
    g_free(arrays->gain);
}

static bool solve_l21(char **argv, GError **error)
{
    struct arrays arrays = {0};
    if (!load(argv[2], &arrays, error))
        return false;
    size_t n_orient = strtoul(argv[3], NULL, 10);
    struct mixed_norm_options options = mixed_norm_options_default();
    options.tol = g_ascii_strtod(argv[5], NULL);
    g_autoptr(owned_workspace) ws = workspace_new();
    double start = process_clock_s();
    g_autoptr(owned_time_reduction) reduction =
        time_reduction_new(arrays.data->values, arrays.data->n_rows, arrays.data->n_columns);
    struct mixed_norm_input input = {
        arrays.gain, reduction->data, arrays.data->n_rows, arrays.n_columns / n_orient,
        n_orient,    reduction->rank};
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&input);
    g_autoptr(owned_source_estimate) x = source_estimate_new(n_orient, reduction->rank);
    double alpha = g_ascii_strtod(argv[4], NULL) * problem->alpha_max;
    double prepared = process_clock_s();
    struct mixed_norm_result found = mixed_norm_solve(problem, alpha, &options, x, ws);
    double end = process_clock_s();
    printf("{\"seconds\": %.5f, \"prepare\": %.5f, \"gap\": %.3g, \"active\": %zu, \"rounds\": "
           "%zu, \"passes\": %zu, \"newton\": %zu, \"objective\": %.12g}\n",
           end - start, prepared - start, found.relative_gap, x->n_active, found.n_rounds,
           found.n_passes, found.n_newton, found.objective);
    unload(&arrays);
    return true;
}

static bool solve_lasso(char **argv, GError **error)
{
    struct arrays arrays = {0};
    if (!load(argv[2], &arrays, error))
        return false;
    struct lasso_window_input input = {.gain = arrays.gain,
                                       .data = arrays.data->values,
                                       .n_sensors = arrays.data->n_rows,
                                       .n_columns = arrays.n_columns,
                                       .n_time = arrays.data->n_columns,
                                       .lambda = g_ascii_strtod(argv[3], NULL),
                                       .tol = 1e-6};
    g_autoptr(owned_parallel) team = parallel_new(strtoul(argv[4], NULL, 10), NULL);
    gint64 wall = g_get_monotonic_time();
    double start = process_clock_s(), worst = 0.0;
    g_autoptr(owned_lasso_window) window = lasso_window_solve(&input, team);
    double seconds = process_clock_s() - start;
    for (size_t t = 0; t < window->n_time; t++)
        worst = fmax(worst, window->results[t].relative_gap);
    printf("{\"cpu_ms_a_sample\": %.3f, \"wall_ms_a_sample\": %.3f, \"gap\": %.3g, \"nonzero\": "
           "%.1f}\n",
           1e3 * seconds / (double) window->n_time,
           1e-3 * (double) (g_get_monotonic_time() - wall) / (double) window->n_time, worst,
           (double) window->first[window->n_time] / (double) window->n_time);
    unload(&arrays);
    return true;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    bool done;
    if (argc == 5 && strcmp(argv[1], "simulate") == 0)
        done = simulate(argv, &error);
    else if (argc == 6 && strcmp(argv[1], "l21") == 0)
        done = solve_l21(argv, &error);
    else if (argc == 5 && strcmp(argv[1], "lasso") == 0)
        done = solve_lasso(argv, &error);
    else
        return 2;
    if (!done)
        fprintf(stderr, "bench_mixed_norm: %s\n", error->message);
    return done ? 0 : 1;
}
