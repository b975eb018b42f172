// SPDX-License-Identifier: BSD-3-Clause
#include "app/simulate/meeg_phantom.h"

#include "solvers/random.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double HEAD_M = 0.09;
static const double HELMET_M = 0.115;
static const double BASELINE_M = 0.0168;                 // of a planar gradiometer
static const double half_axes_m[] = {0.06, 0.07, 0.055}; // of the cortex
static const double CONDUCTIVITY = 0.33;                 // S/m
static const double RATE_HZ = 600.0;
static const double START_S = -0.1;

enum { N_TIME = 241, N_BACKGROUND = 400, MOST_TRIES = 10000 };
enum { DRAW_ACTIVE, DRAW_NOISE, DRAW_BACKGROUND };

/** Sensor noise of an average, and the share of the dipoles' that is added to it. */
static const struct {
    enum channel_kind kind;
    const char *unit;
    int coil_type;
    double noise;
} kinds[] = {
    {CHANNEL_MAG, "T", 3024, 2e-14},
    {CHANNEL_GRAD, "T/m", 3012, 5e-13},
    {CHANNEL_EEG, "V", 1, 2e-7},
};
static const double BACKGROUND = 2e-10; // A m, of each of the dipoles

struct meeg_law meeg_law_default(void)
{
    return (struct meeg_law){
        .n_positions = 8000, .n_sites = 102, .n_electrodes = 60, .n_active = 3, .snr_db = 0.0};
}

static size_t count_channels(const struct meeg_law *law)
{
    return 3 * law->n_sites + law->n_electrodes;
}

double meeg_phantom_bytes(const struct meeg_law *law)
{
    double n = (double) count_channels(law), m = (double) law->n_positions;
    return 8.0 * (n * (3.0 * m + 2.0 * n + N_TIME + 2.0 * N_BACKGROUND) + 20.0 * m);
}

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void cross(const double a[3], const double b[3], double out[3])
{
    out[0] = a[1] * b[2] - a[2] * b[1];
    out[1] = a[2] * b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[1] * b[0];
}

static void normalise(double a[3])
{
    cblas_dscal(3, 1.0 / sqrt(dot(a, a)), a, 1);
}

// B = mu0 / (4 pi F^2) (F q x r0 - <q x r0, r> grad F), Sarvas 1987, equation 25.
void meeg_dipole_field(const double r0[3], const double r[3], double field[9])
{
    double a[3], gradient[3];
    for (size_t i = 0; i < 3; i++)
        a[i] = r[i] - r0[i];
    double size_a = sqrt(dot(a, a)), size_r = sqrt(dot(r, r)), along = dot(a, r) / size_a;
    double f = size_a * (size_r * size_a + size_r * size_r - dot(r0, r));
    double of_r = size_a * size_a / size_r + along + 2.0 * size_a + 2.0 * size_r;
    double of_r0 = size_a + 2.0 * size_r + along;
    for (size_t i = 0; i < 3; i++)
        gradient[i] = of_r * r[i] - of_r0 * r0[i];
    for (size_t k = 0; k < 3; k++) {
        double q[3] = {0.0}, moment[3];
        q[k] = 1.0;
        cross(q, r0, moment);
        double share = dot(moment, r);
        for (size_t i = 0; i < 3; i++)
            field[3 * i + k] = 1e-7 / (f * f) * (f * moment[i] - share * gradient[i]);
    }
}

// With a = r - r0: V = 1 / (4 pi sigma) <q, 2 a / |a|^3 + (r + R a / |a|) / (R (R^2 - <r, r0> + R
// |a|))>, the derivative along q of the potential of a point source in the sphere.
void meeg_dipole_potential(const double r0[3], const double r[3], double potential[3])
{
    double a[3];
    for (size_t i = 0; i < 3; i++)
        a[i] = r[i] - r0[i];
    double size = sqrt(dot(a, a)), radius = sqrt(dot(r, r));
    double image = radius * (radius * radius - dot(r, r0) + radius * size);
    for (size_t i = 0; i < 3; i++)
        potential[i] = (2.0 * a[i] / pow(size, 3.0) + (r[i] + radius * a[i] / size) / image) /
                       (4.0 * G_PI * CONDUCTIVITY);
}

// Direction i of n, spread evenly over the sphere above the height `lowest`.
static void spread(size_t i, size_t n, double lowest, double direction[3])
{
    const double golden_angle = G_PI * (3.0 - sqrt(5.0));
    double z = 1.0 - (1.0 - lowest) * ((double) i + 0.5) / (double) n;
    double across = sqrt(1.0 - z * z), angle = golden_angle * (double) i;
    direction[0] = across * cos(angle);
    direction[1] = across * sin(angle);
    direction[2] = z;
}

// The size of the cortex in a direction, of that of its ellipsoid.
static double wave(const double d[3])
{
    return 1.0 + 0.04 * sin(17.0 * d[0] + 5.0 * d[2]) * sin(15.0 * d[1]) * cos(13.0 * d[2]);
}

static void place_point(const double direction[3], double point[3])
{
    double size = wave(direction);
    for (size_t i = 0; i < 3; i++)
        point[i] = size * half_axes_m[i] * direction[i];
}

// By the tangents, as differences.
static void place_normal(const double direction[3], double normal[3])
{
    const double step = 1e-5;
    double other[3] = {0.0}, along[2][3], tangents[2][3], point[3];
    other[fabs(direction[0]) < 0.5 ? 0 : 1] = 1.0;
    cross(direction, other, along[0]);
    normalise(along[0]);
    cross(direction, along[0], along[1]);
    place_point(direction, point);
    for (size_t k = 0; k < 2; k++) {
        double moved[3];
        for (size_t i = 0; i < 3; i++)
            moved[i] = direction[i] + step * along[k][i];
        normalise(moved);
        place_point(moved, tangents[k]);
        for (size_t i = 0; i < 3; i++)
            tangents[k][i] -= point[i];
    }
    cross(tangents[0], tangents[1], normal);
    normalise(normal);
}

static void space_alloc(struct source_space *space, int32_t id, size_t n)
{
    *space = (struct source_space){.type = SOURCE_SURFACE,
                                   .id = id,
                                   .points = g_new(double, 3 * n),
                                   .normals = g_new(double, 3 * n),
                                   .in_use = g_new(uint8_t, n),
                                   .vertex = g_new(size_t, n)};
}

static void make_cortex(struct forward *forward, size_t n)
{
    forward->n_spaces = 2;
    forward->space = g_new(struct source_space, 2);
    forward->n_sources = n;
    space_alloc(&forward->space[0], SOURCE_LEFT, n);
    space_alloc(&forward->space[1], SOURCE_RIGHT, n);
    for (size_t i = 0; i < n; i++) {
        double direction[3];
        spread(i, n, -0.6, direction);
        struct source_space *space = &forward->space[direction[0] < 0.0 ? 0 : 1];
        size_t at = space->n_points++;
        place_point(direction, space->points + 3 * at);
        place_normal(direction, space->normals + 3 * at);
        space->in_use[at] = 1;
        space->vertex[at] = at;
        space->n_in_use++;
    }
}

static void name_channel(struct channel *channel, const char *name, size_t kind, const double at[3])
{
    *channel = (struct channel){.name = g_strdup(name),
                                .kind = kinds[kind].kind,
                                .unit = g_strdup(kinds[kind].unit),
                                .stored_unit = g_strdup(kinds[kind].unit),
                                .gain = 1.0,
                                .coil_type = kinds[kind].coil_type};
    for (size_t i = 0; i < 3; i++)
        channel->loc[i] = (float) at[i];
}

/** Where a site of the helmet is, and which way its gradiometers look. */
struct site {
    double at[3];
    double radial[3];
    double tangent[2][3];
};

static struct site site_of(size_t i, size_t n)
{
    struct site site;
    double up[3] = {0.0, 0.0, 1.0};
    spread(i, n, -0.25, site.radial);
    if (fabs(site.radial[2]) > 0.99)
        up[1] = 1.0;
    cross(up, site.radial, site.tangent[0]);
    normalise(site.tangent[0]);
    cross(site.radial, site.tangent[0], site.tangent[1]);
    for (size_t k = 0; k < 3; k++)
        site.at[k] = HELMET_M * site.radial[k];
    return site;
}

static void place_electrode(size_t i, size_t n, double at[3])
{
    spread(i, n, -0.1, at);
    cblas_dscal(3, HEAD_M, at, 1);
}

static struct projector *new_reference(const struct sensors *sensors, size_t first)
{
    size_t n = sensors->n_channels - first;
    struct projector *projector = g_new0(struct projector, 1);
    *projector = (struct projector){.name = g_strdup("Average EEG reference"),
                                    .reference = true,
                                    .n_vectors = 1,
                                    .channels = g_new0(char *, n + 1),
                                    .vectors = g_new(double, n)};
    for (size_t i = 0; i < n; i++) {
        projector->channels[i] = g_strdup(sensors->channel[first + i].name);
        projector->vectors[i] = 1.0 / sqrt((double) n);
    }
    return projector;
}

// Sites as on a helmet of Neuromag: MEG SSS1 the magnetometer, MEG SSS2 and SSS3 the gradiometers.
static struct sensors *make_sensors(const struct meeg_law *law)
{
    struct sensors *sensors = sensors_new(count_channels(law));
    size_t at = 0;
    for (size_t s = 0; s < law->n_sites; s++) {
        struct site site = site_of(s, law->n_sites);
        for (size_t k = 0; k < 3; k++) {
            g_autofree char *name = g_strdup_printf("MEG %03zu%zu", s + 1, k + 1);
            name_channel(&sensors->channel[at++], name, k == 0 ? 0 : 1, site.at);
        }
    }
    for (size_t e = 0; e < law->n_electrodes; e++) {
        double place[3];
        place_electrode(e, law->n_electrodes, place);
        g_autofree char *name = g_strdup_printf("EEG %03zu", e + 1);
        name_channel(&sensors->channel[at++], name, 2, place);
    }
    if (law->n_electrodes > 1)
        g_ptr_array_add(sensors->projectors, new_reference(sensors, 3 * law->n_sites));
    struct part *part = sensors->part = g_new0(struct part, 1);
    sensors->n_parts = 1;
    *part = (struct part){.name = g_strdup("simulated"),
                          .channel = g_new(size_t, at),
                          .n_channels = at,
                          .rate_hz = RATE_HZ,
                          .start_s = START_S,
                          .n_time = N_TIME,
                          .n_averaged = 1};
    for (size_t i = 0; i < at; i++)
        part->channel[i] = i;
    return sensors;
}

// The radial field of dipoles at r0, along x, y and z, at a place near a site.
static void radial_field(const double r0[3], const struct site *site, const double *tangent,
                         double distance, double out[3])
{
    double r[3], field[9];
    for (size_t i = 0; i < 3; i++)
        r[i] = site->at[i] + (tangent == NULL ? 0.0 : distance * tangent[i]);
    meeg_dipole_field(r0, r, field);
    for (size_t k = 0; k < 3; k++)
        out[k] = site->radial[0] * field[k] + site->radial[1] * field[3 + k] +
                 site->radial[2] * field[6 + k];
}

// The three columns of a position, n apart.
static void fill_columns(const struct meeg_law *law, const double r0[3], double *columns, size_t n)
{
    size_t row = 0;
    for (size_t s = 0; s < law->n_sites; s++) {
        struct site site = site_of(s, law->n_sites);
        double field[3], before[3];
        radial_field(r0, &site, NULL, 0.0, field);
        for (size_t k = 0; k < 3; k++)
            columns[k * n + row] = field[k];
        for (size_t g = 0; g < 2; g++) {
            radial_field(r0, &site, site.tangent[g], 0.5 * BASELINE_M, field);
            radial_field(r0, &site, site.tangent[g], -0.5 * BASELINE_M, before);
            for (size_t k = 0; k < 3; k++)
                columns[k * n + row + g + 1] = (field[k] - before[k]) / BASELINE_M;
        }
        row += 3;
    }
    for (size_t e = 0; e < law->n_electrodes; e++, row++) {
        double at[3], potential[3];
        place_electrode(e, law->n_electrodes, at);
        meeg_dipole_potential(r0, at, potential);
        for (size_t k = 0; k < 3; k++)
            columns[k * n + row] = potential[k];
    }
}

static const double *point_of(const struct forward *forward, size_t position)
{
    size_t n_left = forward->space[0].n_points;
    return position < n_left ? forward->space[0].points + 3 * position
                             : forward->space[1].points + 3 * (position - n_left);
}

static const double *normal_of(const struct forward *forward, size_t position)
{
    size_t n_left = forward->space[0].n_points;
    return position < n_left ? forward->space[0].normals + 3 * position
                             : forward->space[1].normals + 3 * (position - n_left);
}

static struct forward *make_forward(const struct meeg_law *law, const struct sensors *sensors)
{
    struct forward *forward = g_new0(struct forward, 1);
    size_t n = sensors->n_channels;
    forward->path = g_strdup("");
    forward->warnings = g_ptr_array_new_with_free_func(g_free);
    forward->n_channels = n;
    forward->names = g_new0(char *, n + 1);
    forward->kinds = g_new(enum channel_kind, n);
    forward->frame = FIF_FRAME_HEAD;
    for (size_t i = 0; i < n; i++) {
        forward->names[i] = g_strdup(sensors->channel[i].name);
        forward->kinds[i] = sensors->channel[i].kind;
    }
    make_cortex(forward, law->n_positions);
    forward->gain = g_new(double, 3 * law->n_positions * n);
    for (size_t p = 0; p < law->n_positions; p++)
        fill_columns(law, point_of(forward, p), forward->gain + 3 * p * n, n);
    return forward;
}

// What a dipole along the normal gives at the sensors.
static void field_of(const struct forward *forward, size_t position, double *field)
{
    size_t n = forward->n_channels;
    cblas_dgemv(CblasColMajor, CblasNoTrans, (int) n, 3, 1.0, forward->gain + 3 * position * n,
                (int) n, normal_of(forward, position), 1, 0.0, field, 1);
}

static double noise_of(enum channel_kind kind)
{
    size_t k = 0;
    while (kinds[k].kind != kind)
        k++;
    return kinds[k].noise;
}

// The fields of dipoles of noise, n_channels x N_BACKGROUND.
static double *make_background(const struct forward *forward)
{
    double *fields = g_new(double, N_BACKGROUND * forward->n_channels);
    for (size_t k = 0; k < N_BACKGROUND; k++) {
        double *field = fields + k * forward->n_channels;
        field_of(forward, k * forward->n_sources / N_BACKGROUND, field);
        cblas_dscal((int) forward->n_channels, BACKGROUND, field, 1);
    }
    return fields;
}

static struct covariance *make_covariance(const struct forward *forward,
                                          const struct sensors *sensors, const double *background)
{
    size_t n = forward->n_channels;
    struct covariance *covariance = g_new0(struct covariance, 1);
    covariance->path = g_strdup("");
    covariance->n = n;
    covariance->names = g_strdupv(forward->names);
    covariance->bads = g_new0(char *, 1);
    covariance->warnings = g_ptr_array_new_with_free_func(g_free);
    covariance->projectors = g_ptr_array_new_with_free_func((GDestroyNotify) projector_free);
    if (sensors->projectors->len > 0)
        g_ptr_array_add(
            covariance->projectors,
            new_reference(
                sensors,
                n - g_strv_length(((struct projector *) sensors->projectors->pdata[0])->channels)));
    covariance->matrix = g_new(double, n *n);
    covariance->diagonal = g_new(double, n);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, (int) n, (int) n, N_BACKGROUND, 1.0,
                background, (int) n, background, (int) n, 0.0, covariance->matrix, (int) n);
    for (size_t i = 0; i < n; i++) {
        double noise = noise_of(forward->kinds[i]);
        covariance->matrix[i * n + i] += noise * noise;
        covariance->diagonal[i] = covariance->matrix[i * n + i];
    }
    return covariance;
}

// Whether it is 3 cm or more from those before it.
static bool is_apart(const struct meeg_phantom *phantom, size_t position, size_t n_before)
{
    const double *at = point_of(phantom->forward, position);
    for (size_t i = 0; i < n_before; i++) {
        const double *other = point_of(phantom->forward, phantom->active[i].position);
        double apart[3] = {at[0] - other[0], at[1] - other[1], at[2] - other[2]};
        if (dot(apart, apart) < 0.03 * 0.03)
            return false;
    }
    return true;
}

static int compare_sources(const void *a, const void *b)
{
    size_t left = ((const struct meeg_source *) a)->position;
    size_t right = ((const struct meeg_source *) b)->position;
    return (left > right) - (left < right);
}

// What sensors see of a unit dipole, in units of their noise.
static double visibility(const struct meeg_phantom *phantom, size_t position)
{
    const struct forward *forward = phantom->forward;
    g_autofree double *field = g_new(double, forward->n_channels);
    field_of(forward, position, field);
    for (size_t i = 0; i < forward->n_channels; i++)
        field[i] /= noise_of(forward->kinds[i]);
    return cblas_dnrm2((int) forward->n_channels, field, 1);
}

// Apart from each other, as far as there is room, and seen about equally well by the sensors; peaks
// one after the other.
static void draw_active(struct meeg_phantom *phantom)
{
    const struct meeg_law *law = &phantom->law;
    struct random_stream stream = random_stream_of(law->seed, DRAW_ACTIVE, 0);
    phantom->active = g_new0(struct meeg_source, law->n_active);
    for (size_t i = 0; i < law->n_active; i++) {
        size_t position = random_below(&stream, law->n_positions);
        for (size_t t = 0; t < MOST_TRIES && !is_apart(phantom, position, i); t++)
            position = random_below(&stream, law->n_positions);
        phantom->active[i] = (struct meeg_source){
            .position = position,
            .peak_s = 0.06 + 0.12 * (double) i / (double) law->n_active,
            .peak_amplitude = random_between(&stream, 0.8, 1.2) / visibility(phantom, position)};
    }
    qsort(phantom->active, law->n_active, sizeof *phantom->active, compare_sources);
}

static double course(const struct meeg_source *source, size_t t)
{
    double from_peak = START_S + (double) t / RATE_HZ - source->peak_s;
    return source->peak_amplitude * exp(-0.5 * from_peak * from_peak / (0.015 * 0.015));
}

// Adds the active sources, scaled to the signal to noise ratio.
static void add_signal(struct meeg_phantom *phantom)
{
    size_t n = phantom->forward->n_channels, n_active = phantom->law.n_active;
    g_autofree double *fields = g_new(double, n *n_active);
    g_autofree double *signal = g_new0(double, n *N_TIME);
    double square = 0.0;
    for (size_t i = 0; i < n_active; i++)
        field_of(phantom->forward, phantom->active[i].position, fields + i * n);
    for (size_t t = 0; t < N_TIME; t++)
        for (size_t i = 0; i < n_active; i++)
            cblas_daxpy((int) n, course(&phantom->active[i], t), fields + i * n, 1, signal + t * n,
                        1);
    for (size_t i = 0; i < n * N_TIME; i++) {
        double whitened = signal[i] / noise_of(phantom->forward->kinds[i % n]);
        square += whitened * whitened / (double) (n * N_TIME);
    }
    double scale = sqrt(pow(10.0, phantom->law.snr_db / 10.0) / square);
    cblas_daxpy((int) (n * N_TIME), scale, signal, 1, phantom->samples, 1);
    for (size_t i = 0; i < n_active; i++)
        phantom->active[i].peak_amplitude *= scale;
}

static void draw_noise(struct meeg_phantom *phantom, const double *background)
{
    size_t n = phantom->forward->n_channels;
    phantom->samples = g_new(double, n *N_TIME);
    g_autofree double *strength = g_new(double, N_BACKGROUND);
    for (size_t t = 0; t < N_TIME; t++) {
        double *sample = phantom->samples + t * n;
        struct random_stream stream = random_stream_of(phantom->law.seed, DRAW_NOISE, t);
        struct random_stream dipoles = random_stream_of(phantom->law.seed, DRAW_BACKGROUND, t);
        random_normal(&stream, sample, n);
        random_normal(&dipoles, strength, N_BACKGROUND);
        for (size_t i = 0; i < n; i++)
            sample[i] *= noise_of(phantom->forward->kinds[i]);
        cblas_dgemv(CblasColMajor, CblasNoTrans, (int) n, N_BACKGROUND, 1.0, background, (int) n,
                    strength, 1, 1.0, sample, 1);
    }
}

struct meeg_phantom *meeg_phantom_new(const struct meeg_law *law)
{
    struct meeg_phantom *phantom = g_new0(struct meeg_phantom, 1);
    phantom->law = *law;
    phantom->sensors = make_sensors(law);
    phantom->forward = make_forward(law, phantom->sensors);
    g_autofree double *background = make_background(phantom->forward);
    phantom->covariance = make_covariance(phantom->forward, phantom->sensors, background);
    draw_active(phantom);
    draw_noise(phantom, background);
    add_signal(phantom);
    return phantom;
}

void meeg_phantom_free(struct meeg_phantom *phantom)
{
    if (phantom == NULL)
        return;
    fif_forward_free(phantom->forward);
    fif_covariance_free(phantom->covariance);
    sensors_free(phantom->sensors);
    g_free(phantom->samples);
    g_free(phantom->active);
    g_free(phantom);
}

char *meeg_phantom_truth(const struct meeg_phantom *phantom)
{
    const struct forward *forward = phantom->forward;
    size_t n_left = forward->space[0].n_points;
    GString *text = g_string_new(
        "column\themisphere\tvertex\tx\ty\tz\torientation\tpeak_amplitude\tpeak_time\n");
    for (size_t i = 0; i < phantom->law.n_active; i++) {
        const struct meeg_source *source = &phantom->active[i];
        bool left = source->position < n_left;
        const double *at = point_of(forward, source->position);
        const double *normal = normal_of(forward, source->position);
        g_string_append_printf(
            text, "%zu\t%s\t%zu\t%.6f\t%.6f\t%.6f\t%.6f,%.6f,%.6f\t%.6g\t%.6f\n", source->position,
            left ? "lh" : "rh", left ? source->position : source->position - n_left, at[0], at[1],
            at[2], normal[0], normal[1], normal[2], source->peak_amplitude, source->peak_s);
    }
    return g_string_free(text, FALSE);
}
