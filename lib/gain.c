// SPDX-License-Identifier: BSD-3-Clause
#include "lib/internal.h"

#include "sources/leadfield.h"

#include <math.h>
#include <string.h>

_Static_assert((int) TAUT_EEG == (int) SENSOR_EEG && (int) TAUT_GRAD == (int) SENSOR_GRAD,
               "sensors are those of the sources");
_Static_assert((int) TAUT_FREE == (int) ORIENTATION_FREE &&
                   (int) TAUT_LOOSE == (int) ORIENTATION_LOOSE,
               "orientations are those of the sources");

void taut_noise_init(taut_noise *noise)
{
    *noise = (taut_noise){.size = sizeof *noise};
}

void taut_forward_init(taut_forward *forward)
{
    *forward = (taut_forward){
        .size = sizeof *forward, .orientation = TAUT_LOOSE, .loose = 0.2, .depth = 0.8};
}

static int fail_of(const char *name, const GError *why, taut_error *error)
{
    return lib_fail(error, TAUT_BAD_VALUE, "%s: %s", name, why->message);
}

static int check_count(size_t n, const char *name, double most, taut_error *error)
{
    if (n < 1 || (double) n > most)
        return lib_fail(error, TAUT_BAD_VALUE, "%s: expected 1 to %.0f, found %zu", name, most, n);
    return TAUT_OK;
}

static int check_noise(const taut_noise *noise, taut_error *error)
{
    static const taut_host anybody = {.size = sizeof anybody, .n_threads = 1};
    int code = check_count(noise->n, "sensors", 1e5, error);
    double n = (double) noise->n;
    if (code == TAUT_OK && (double) noise->n_projections > 1e5)
        code = check_count(noise->n_projections, "projections", 1e5, error);
    if (code == TAUT_OK)
        code =
            lib_reserve(&anybody, 8.0 * n * (6.0 * n + 2.0 * (double) noise->n_projections), error);
    if (code == TAUT_OK)
        code = lib_check_numbers(noise->covariance, noise->n * noise->n, "covariance", -INFINITY,
                                 false, error);
    if (code == TAUT_OK && noise->n_projections > 0)
        code = lib_check_numbers(noise->projections, noise->n * noise->n_projections, "projections",
                                 -INFINITY, false, error);
    if (code == TAUT_OK)
        code = lib_require(noise->sensor, "sensor", error);
    for (size_t i = 0; code == TAUT_OK && i < noise->n; i++)
        if (noise->sensor[i] < TAUT_MAG || noise->sensor[i] > TAUT_EEG)
            code = lib_fail(error, TAUT_BAD_VALUE,
                            "sensor: entry %zu: expected TAUT_MAG, TAUT_GRAD or TAUT_EEG, found %d",
                            i, noise->sensor[i]);
    return code;
}

// P of the rows of projections, all of which are about these sensors in this order.
static struct projector_matrix *projector_of(const taut_noise *noise, GError **error)
{
    g_autofree char *memory = g_malloc(noise->n * 24);
    g_autofree const char **names = g_new(const char *, noise->n);
    for (size_t i = 0; i < noise->n; i++) {
        g_snprintf(memory + i * 24, 24, "%zu", i);
        names[i] = memory + i * 24;
    }
    struct channel_names channels = {noise->n, names};
    struct projection projection = {.name = "projections",
                                    .n_vectors = noise->n_projections,
                                    .channels = channels,
                                    .vectors = noise->projections};
    return projector_matrix_new(&projection, 1, &channels, error);
}

int taut_whitener(const taut_noise *noise, double *whitener, size_t *rank, taut_error *error)
{
    taut_noise taken;
    taut_noise_init(&taken);
    int code = lib_require(noise, "noise", error);
    if (code == TAUT_OK)
        code = lib_require(whitener, "whitener", error);
    if (code == TAUT_OK)
        code = lib_require(rank, "rank", error);
    if (code == TAUT_OK)
        code = lib_take_struct(&taken, sizeof taken, noise, "noise", error);
    if (code == TAUT_OK)
        code = check_noise(&taken, error);
    if (code != TAUT_OK)
        return code;
    g_autoptr(GError) why = NULL;
    g_autoptr(owned_projector_matrix) projector = projector_of(&taken, &why);
    if (projector == NULL)
        return fail_of("projections", why, error);
    g_autofree enum sensor_kind *kind = g_new(enum sensor_kind, taken.n);
    for (size_t i = 0; i < taken.n; i++)
        kind[i] = (enum sensor_kind) taken.sensor[i];
    struct whitener_input input = {.n = taken.n,
                                   .kind = kind,
                                   .covariance = taken.covariance,
                                   .is_diagonal = taken.is_diagonal != 0,
                                   .projector = projector};
    g_autoptr(owned_whitener) made = whitener_new(&input, &why);
    if (made == NULL)
        return fail_of("covariance", why, error);
    memcpy(whitener, made->matrix, made->rank * made->n * sizeof *whitener);
    *rank = made->rank;
    return TAUT_OK;
}

static int check_weights(const taut_forward *forward, taut_error *error)
{
    if (forward->orientation < TAUT_FIXED || forward->orientation > TAUT_FREE)
        return lib_fail(error, TAUT_BAD_VALUE,
                        "orientation: expected TAUT_FIXED, TAUT_LOOSE or TAUT_FREE, found %d",
                        forward->orientation);
    if (!(forward->loose > 0.0 && forward->loose <= 1.0))
        return lib_fail(error, TAUT_BAD_VALUE,
                        "loose: expected a number above 0, at most 1, found %g", forward->loose);
    return lib_check_numbers(&forward->depth, 1, "depth", 0.0, false, error);
}

// Unit vectors, to what their files round.
static int check_normals(const taut_forward *forward, taut_error *error)
{
    if (forward->normals == NULL)
        return forward->orientation == TAUT_FREE ? TAUT_OK : lib_require(NULL, "normals", error);
    for (size_t k = 0; k < forward->n_positions; k++) {
        const double *n = forward->normals + 3 * k;
        double norm = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
        if (!(fabs(norm - 1.0) < 1e-3))
            return lib_fail(error, TAUT_BAD_VALUE,
                            "normals: position %zu: expected a vector of length 1, found %g", k,
                            norm);
    }
    return TAUT_OK;
}

static int check_forward(const taut_forward *forward, const taut_host *host, taut_error *error)
{
    int code = check_count(forward->n_sensors, "sensors", 1e5, error);
    if (code == TAUT_OK)
        code = check_count(forward->n_positions, "positions", G_MAXINT / 16, error);
    if (code == TAUT_OK && (forward->rank < 1 || forward->rank > forward->n_sensors))
        code = lib_fail(error, TAUT_BAD_VALUE, "rank: expected 1 to %zu, found %zu",
                        forward->n_sensors, forward->rank);
    if (code == TAUT_OK)
        code = check_weights(forward, error);
    double columns = 3.0 * (double) forward->n_positions;
    if (code == TAUT_OK)
        code = lib_reserve(
            host, 8.0 * columns * ((double) forward->n_sensors + (double) forward->rank + 8.0),
            error);
    if (code == TAUT_OK)
        code = lib_check_numbers(forward->whitener, forward->rank * forward->n_sensors, "whitener",
                                 -INFINITY, false, error);
    if (code == TAUT_OK)
        code = lib_check_numbers(forward->gain, forward->n_sensors * 3 * forward->n_positions,
                                 "gain", -INFINITY, false, error);
    return code == TAUT_OK ? check_normals(forward, error) : code;
}

int taut_gain(const taut_forward *forward, const taut_host *host, double *gain, double *weight,
              double *axes, taut_error *error)
{
    taut_forward taken;
    taut_host runs_on;
    taut_forward_init(&taken);
    int code = lib_require(forward, "forward", error);
    if (code == TAUT_OK)
        code = lib_take_struct(&taken, sizeof taken, forward, "forward", error);
    if (code == TAUT_OK)
        code = lib_take_host(&runs_on, host, error);
    if (code == TAUT_OK)
        code = lib_require(gain, "gain", error);
    if (code == TAUT_OK)
        code = check_forward(&taken, &runs_on, error);
    if (code != TAUT_OK)
        return code;
    struct whitener whitener = {
        .n = taken.n_sensors, .rank = taken.rank, .matrix = (double *) taken.whitener};
    struct leadfield_input input = {.whitener = &whitener,
                                    .gain = taken.gain,
                                    .n_positions = taken.n_positions,
                                    .normals = taken.normals,
                                    .orientation = (enum source_orientation) taken.orientation,
                                    .loose = taken.loose,
                                    .depth = taken.depth};
    g_autoptr(GError) why = NULL;
    g_autoptr(owned_leadfield) made = leadfield_new(&input, &why);
    if (made == NULL)
        return fail_of("gain", why, error);
    size_t n_columns = made->n_positions * made->n_orient;
    memcpy(gain, made->gain, made->n_sensors * n_columns * sizeof *gain);
    if (weight != NULL)
        memcpy(weight, made->weight, n_columns * sizeof *weight);
    if (axes != NULL)
        memcpy(axes, made->axes, 3 * n_columns * sizeof *axes);
    return TAUT_OK;
}
