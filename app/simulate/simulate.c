// SPDX-License-Identifier: BSD-3-Clause
#include "app/simulate/simulate.h"

#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "solvers/problem.h"
#include "solvers/random.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

// What random streams are for.
enum { DRAW_OPERATOR, DRAW_TRUTH, DRAW_NOISE, DRAW_TILT };

const char *const simulate_tv_laws[SIMULATE_TV_N_LAWS + 1] = {"blocks", "jumps", "dense", NULL};
const char *const simulate_lasso_laws[SIMULATE_LASSO_N_LAWS + 1] = {"coding", "noise", "leadfield",
                                                                    NULL};

struct simulate_tv simulate_tv_default(void)
{
    return (struct simulate_tv){.law = SIMULATE_TV_BLOCKS,
                                .n_series = 1000,
                                .n_observed = 250,
                                .n_unknown = 221,
                                .hrf = "spm",
                                .tr_s = 0.735,
                                .snr_db = NAN,
                                .ar1 = 0.4,
                                .sparsity = 0.05};
}

struct simulate_lasso simulate_lasso_default(void)
{
    return (struct simulate_lasso){.law = SIMULATE_LASSO_CODING,
                                   .n_series = 1000,
                                   .n_observed = 64,
                                   .n_unknown = 256,
                                   .snr_db = 10.0};
}

void simulation_free(struct simulation *simulation)
{
    if (simulation == NULL)
        return;
    g_free(simulation->x);
    g_free(simulation->truth);
    g_free(simulation->op);
    g_free(simulation->h);
    g_free(simulation);
}

static struct simulation *simulation_new(size_t n_series, size_t n_observed, size_t n_unknown)
{
    struct simulation *made = g_new0(struct simulation, 1);
    made->n_series = n_series;
    made->n_observed = n_observed;
    made->n_unknown = n_unknown;
    made->x = g_malloc0_n(n_series * n_observed, sizeof(double));
    made->truth = g_malloc0_n(n_series * n_unknown, sizeof(double));
    return made;
}

static void scale_by(double *values, size_t n, double factor)
{
    for (size_t i = 0; i < n; i++)
        values[i] *= factor;
}

static void unit_columns(double *matrix, size_t n_rows, size_t n_columns)
{
    for (size_t j = 0; j < n_columns; j++) {
        double norm = cblas_dnrm2((int) n_rows, matrix + j, (int) n_columns);
        cblas_dscal((int) n_rows, 1.0 / norm, matrix + j, (int) n_columns);
    }
}

static double *draw_gaussian_matrix(uint64_t seed, size_t n_rows, size_t n_columns)
{
    double *matrix = g_malloc_n(n_rows * n_columns, sizeof(double));
    struct random_stream stream = random_stream_of(seed, DRAW_OPERATOR, 0);
    random_normal(&stream, matrix, n_rows * n_columns);
    unit_columns(matrix, n_rows, n_columns);
    return matrix;
}

// Adds noise (n samples, drawn) to the signal in x, at the ratio of their energies asked for.
static void add_noise(double *x, const double *noise, size_t n, double snr_db)
{
    double signal = cblas_dnrm2((int) n, x, 1);
    double size = cblas_dnrm2((int) n, noise, 1);
    double factor = signal > 0.0 && size > 0.0 ? signal / size * pow(10.0, -snr_db / 20.0) : 1.0;
    cblas_daxpy((int) n, factor, noise, 1, x, 1);
}

// Signed blocks on a grid of tr_s seconds.
static void draw_blocks(struct random_stream *stream, double tr_s, double *u, size_t n)
{
    double end_s = (double) n * tr_s;
    double from_s = random_between(stream, 0.0, 20.0);
    while (from_s < end_s) {
        double to_s = from_s + random_between(stream, 5.0, 25.0);
        double sign = random_uniform(stream) < 0.3 ? -1.0 : 1.0;
        double height = sign * random_between(stream, 0.5, 1.5);
        size_t last = MIN((size_t) (to_s / tr_s), n);
        for (size_t t = (size_t) (from_s / tr_s); t < last; t++)
            u[t] = height;
        from_s = to_s + random_between(stream, 8.0, 30.0);
    }
}

// Jumps at places drawn with replacement, the first sample's included; u is their running sum.
static void draw_jumps(struct random_stream *stream, double sparsity, double *u, size_t n)
{
    size_t count = MAX(1, (size_t) (sparsity * (double) n));
    g_autofree size_t *places = g_new(size_t, count);
    g_autofree double *heights = g_new(double, count);
    for (size_t i = 0; i < count; i++)
        places[i] = random_below(stream, n);
    random_normal(stream, heights, count);
    for (size_t i = 0; i < count; i++)
        u[places[i]] = heights[i];
    for (size_t t = 1; t < n; t++)
        u[t] += u[t - 1];
}

static void correlate(double *noise, size_t n, double ar1)
{
    double fresh = sqrt(1.0 - ar1 * ar1);
    for (size_t t = 1; t < n; t++)
        noise[t] = ar1 * noise[t - 1] + fresh * noise[t];
}

static void standardise(double *x, double *truth, size_t n)
{
    double mean = 0.0;
    double square = 0.0;
    for (size_t t = 0; t < n; t++)
        mean += x[t] / (double) n;
    for (size_t t = 0; t < n; t++)
        square += (x[t] - mean) * (x[t] - mean);
    double scale = square > 0.0 ? sqrt((double) n / square) : 1.0;
    for (size_t t = 0; t < n; t++)
        x[t] = (x[t] - mean) * scale;
    scale_by(truth, n, scale);
}

// One series: truth, its image under the operator, noise, scale.
static void draw_tv_series(const struct simulate_tv *law, const struct problem *problem, size_t v,
                           double *x, double *truth, struct workspace *ws)
{
    size_t n = problem->op->n_out;
    struct random_stream stream = random_stream_of(law->seed, DRAW_TRUTH, v);
    struct random_stream noise_stream = random_stream_of(law->seed, DRAW_NOISE, v);
    bool blocks = law->law == SIMULATE_TV_BLOCKS;
    if (blocks)
        draw_blocks(&stream, law->tr_s, truth, problem->op->n_in);
    else
        draw_jumps(&stream, law->sparsity, truth, problem->op->n_in);
    linop_apply_series(problem->op, truth, x, ws);

    size_t mark = workspace_mark(ws);
    double *noise = WORKSPACE_ALLOC(ws, double, n);
    double drawn_db = random_between(&noise_stream, 0.0, 10.0);
    random_normal(&noise_stream, noise, n);
    if (blocks)
        correlate(noise, n, law->ar1);
    add_noise(x, noise, n, isnan(law->snr_db) ? drawn_db : law->snr_db);
    workspace_release(ws, mark);
    if (blocks) {
        standardise(x, truth, n);
        return;
    }
    double lambda_max = problem_lambda_max(problem, x, ws);
    if (!(lambda_max > 0.0)) // a single unknown: nothing can jump
        return;
    scale_by(x, n, 1.0 / lambda_max);
    scale_by(truth, problem->op->n_in, 1.0 / lambda_max);
}

static double *transposed(const double *matrix, size_t n_rows, size_t n_columns)
{
    double *result = g_malloc_n(n_rows * n_columns, sizeof(double));
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < n_columns; j++)
            result[j * n_rows + i] = matrix[i * n_columns + j];
    return result;
}

// The operator of a law, and its matrix or its response in `made`.
static linop *draw_tv_operator(const struct simulate_tv *law, struct simulation *made,
                               GError **error)
{
    if (law->law == SIMULATE_TV_DENSE) {
        made->op = draw_gaussian_matrix(law->seed, law->n_observed, law->n_unknown);
        g_autofree double *columns = transposed(made->op, law->n_observed, law->n_unknown);
        return linop_new_dense(columns, law->n_observed, law->n_unknown);
    }
    g_autoptr(owned_hrf) hrf = hrf_new(law->hrf, law->tr_s, error);
    if (hrf == NULL)
        return NULL;
    made->h = g_memdup2(hrf->h, hrf->n * sizeof(double));
    made->n_h = hrf->n;
    bool full = law->law == SIMULATE_TV_JUMPS;
    return hrf_conv_new(hrf->h, hrf->n, law->n_observed, full ? HRF_CONV_FULL : HRF_CONV_CAUSAL,
                        HRF_CONV_AUTO, error);
}

struct simulation *simulate_tv(const struct simulate_tv *law, GError **error)
{
    struct simulation op_parts = {0};
    g_autoptr(linop) op = draw_tv_operator(law, &op_parts, error);
    if (op == NULL) {
        g_free(op_parts.h);
        return NULL;
    }
    struct simulation *made = simulation_new(law->n_series, op->n_out, op->n_in);
    made->op = op_parts.op;
    made->h = op_parts.h;
    made->n_h = op_parts.n_h;
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t v = 0; v < law->n_series; v++)
        draw_tv_series(law, problem, v, made->x + v * op->n_out, made->truth + v * op->n_in, ws);
    return made;
}

static void normalise(double v[3])
{
    double norm = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    for (size_t d = 0; d < 3; d++)
        v[d] /= norm;
}

// Point i of n, spread evenly over a sphere (Fibonacci lattice), from height z = 1 down to `low`.
static void sphere_point(size_t i, size_t n, double low, double point[3])
{
    double z = 1.0 - (1.0 - low) * ((double) i + 0.5) / (double) n;
    double angle = (double) i * G_PI * (3.0 - sqrt(5.0));
    double ring = sqrt(1.0 - z * z);
    point[0] = ring * cos(angle);
    point[1] = ring * sin(angle);
    point[2] = z;
}

// The direction of the current at a place: tangential, turning from one fold to the next, with a
// little tilt drawn for each source.
static void dipole_direction(uint64_t seed, size_t j, const double at[3], double q[3])
{
    double tilt[3];
    struct random_stream stream = random_stream_of(seed, DRAW_TILT, j);
    random_normal(&stream, tilt, 3);
    for (size_t d = 0; d < 3; d++)
        q[d] = sin(9.0 * at[(d + 1) % 3] + 2.0 * (double) d) + 0.2 * tilt[d];
    double along = q[0] * at[0] + q[1] * at[1] + q[2] * at[2];
    for (size_t d = 0; d < 3; d++)
        q[d] -= along * at[d];
    normalise(q);
}

// The radial field at a sensor on the unit sphere times 1.25 of a dipole q at radius r0 inside a
// conducting sphere: (q x r0) . s / |s - r0|^3; volume currents make no radial field.
static double radial_field(const double sensor[3], const double at[3], const double q[3])
{
    const double sensor_radius = 1.25;
    const double source_radius = 0.85;
    double cross[3] = {q[1] * at[2] - q[2] * at[1], q[2] * at[0] - q[0] * at[2],
                       q[0] * at[1] - q[1] * at[0]};
    double dot = 0.0;
    double distance2 = 0.0;
    for (size_t d = 0; d < 3; d++) {
        double apart = sensor_radius * sensor[d] - source_radius * at[d];
        dot += cross[d] * sensor[d];
        distance2 += apart * apart;
    }
    return dot / (distance2 * sqrt(distance2));
}

static double *draw_leadfield(uint64_t seed, size_t n_sensors, size_t n_sources)
{
    double *matrix = g_malloc_n(n_sensors * n_sources, sizeof(double));
    for (size_t j = 0; j < n_sources; j++) {
        double at[3];
        double q[3];
        sphere_point(j, n_sources, -0.6, at);
        dipole_direction(seed, j, at, q);
        for (size_t i = 0; i < n_sensors; i++) {
            double sensor[3];
            sphere_point(i, n_sensors, -0.4, sensor);
            matrix[i * n_sources + j] = radial_field(sensor, at, q);
        }
    }
    unit_columns(matrix, n_sensors, n_sources);
    return matrix;
}

static void draw_coefficients(const struct simulate_lasso *law, size_t v, double *z)
{
    struct random_stream stream = random_stream_of(law->seed, DRAW_TRUTH, v);
    if (law->law == SIMULATE_LASSO_CODING) {
        random_normal(&stream, z, law->n_unknown);
    } else if (law->law == SIMULATE_LASSO_LEADFIELD) {
        size_t n_active = 1 + random_below(&stream, 5);
        for (size_t i = 0; i < n_active; i++)
            random_normal(&stream, z + random_below(&stream, law->n_unknown), 1);
    }
}

// x = D z + noise, both divided by ||D' x||_inf.
static void draw_lasso_series(const struct simulate_lasso *law, const double *matrix, size_t v,
                              double *x, double *z, double *scratch)
{
    int n = (int) law->n_observed;
    int m = (int) law->n_unknown;
    struct random_stream stream = random_stream_of(law->seed, DRAW_NOISE, v);
    draw_coefficients(law, v, z);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, n, m, 1.0, matrix, m, z, 1, 0.0, x, 1);
    random_normal(&stream, scratch, law->n_observed);
    if (law->law == SIMULATE_LASSO_NOISE)
        memcpy(x, scratch, law->n_observed * sizeof *x);
    if (law->law == SIMULATE_LASSO_LEADFIELD)
        add_noise(x, scratch, law->n_observed, law->snr_db);
    cblas_dgemv(CblasRowMajor, CblasTrans, n, m, 1.0, matrix, m, x, 1, 0.0, scratch, 1);
    double largest = fabs(scratch[cblas_idamax(m, scratch, 1)]);
    scale_by(x, law->n_observed, 1.0 / largest);
    scale_by(z, law->n_unknown, 1.0 / largest);
}

struct simulation *simulate_lasso(const struct simulate_lasso *law)
{
    struct simulation *made = simulation_new(law->n_series, law->n_observed, law->n_unknown);
    made->op = law->law == SIMULATE_LASSO_LEADFIELD
                   ? draw_leadfield(law->seed, law->n_observed, law->n_unknown)
                   : draw_gaussian_matrix(law->seed, law->n_observed, law->n_unknown);
    g_autofree double *scratch = g_new(double, MAX(law->n_observed, law->n_unknown));
    for (size_t v = 0; v < law->n_series; v++)
        draw_lasso_series(law, made->op, v, made->x + v * law->n_observed,
                          made->truth + v * law->n_unknown, scratch);
    return made;
}
