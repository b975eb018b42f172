// SPDX-License-Identifier: BSD-3-Clause
// The fields of dipoles in a sphere, by laws that their formulas were not taken from.
#include "app/simulate/meeg_phantom.h"
#include "tests/check.h"

#include <string.h>

static const double sensor[] = {0.03, -0.05, 0.1};
static const double dipole[] = {0.02, 0.03, 0.04};
static const double moment[] = {0.6, -0.5, 0.3};

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void field_at(const double r[3], const double q[3], double b[3])
{
    double field[9];
    meeg_dipole_field(dipole, r, field);
    for (size_t i = 0; i < 3; i++)
        b[i] = dot(field + 3 * i, q);
}

// d B_i / d r_j at the sensor.
static void derivative_at(const double r[3], double derivative[9])
{
    const double step = 1e-6;
    for (size_t j = 0; j < 3; j++) {
        double after[3], before[3], b[2][3];
        memcpy(after, r, sizeof after);
        memcpy(before, r, sizeof before);
        after[j] += step;
        before[j] -= step;
        field_at(after, moment, b[0]);
        field_at(before, moment, b[1]);
        for (size_t i = 0; i < 3; i++)
            derivative[3 * i + j] = (b[0][i] - b[1][i]) / (2.0 * step);
    }
}

// No currents flow outside: B is the gradient of a harmonic function there.
static void fields_have_neither_sources_nor_curl_outside(void **state)
{
    (void) state;
    double d[9], size = 0.0;
    derivative_at(sensor, d);
    for (size_t i = 0; i < 9; i++)
        size = fmax(size, fabs(d[i]));
    assert_close(d[0] + d[4] + d[8], 0.0, 1e-7 * size);
    assert_close(d[1], d[3], 1e-7 * size);
    assert_close(d[2], d[6], 1e-7 * size);
    assert_close(d[5], d[7], 1e-7 * size);
}

// Currents in the sphere give no radial field: that of the dipole alone is left, by Biot and
// Savart.
static void radial_fields_are_those_of_the_dipole_alone(void **state)
{
    (void) state;
    double b[3], a[3];
    field_at(sensor, moment, b);
    for (size_t i = 0; i < 3; i++)
        a[i] = sensor[i] - dipole[i];
    const double *q = moment;
    double curl[] = {q[1] * a[2] - q[2] * a[1], q[2] * a[0] - q[0] * a[2],
                     q[0] * a[1] - q[1] * a[0]};
    double alone = 1e-7 * dot(curl, sensor) / pow(dot(a, a), 1.5);
    assert_close(dot(b, sensor), alone, 1e-12 * fabs(alone));
}

static void radial_dipoles_are_silent(void **state)
{
    (void) state;
    double b[3], other[3];
    field_at(sensor, dipole, b);
    field_at(sensor, moment, other);
    for (size_t i = 0; i < 3; i++)
        assert_close(b[i], 0.0, 1e-15 * fabs(other[0]));
}

// V = 1 / (4 pi sigma R^2) sum_n (2 n + 1) / n f^(n - 1) (n q_r P_n + q_t cos(phi) P_n^1), f the
// depth of a dipole on the z axis (Frank 1952).
static void potentials_are_their_series(void **state)
{
    (void) state;
    const double radius = 0.09, height = 0.05, angle = 0.7, turn = 0.4, sigma = 0.33;
    double r0[] = {0.0, 0.0, height};
    double r[] = {radius * sin(angle) * cos(turn), radius * sin(angle) * sin(turn),
                  radius * cos(angle)};
    double found[3], x = cos(angle), f = height / radius, power = 1.0;
    double before = 1.0, p = x; // P_(n-1), P_n
    double radial = 0.0, tangential = 0.0;
    meeg_dipole_potential(r0, r, found);
    for (int n = 1; n < 200; n++) {
        double slope = n * (before - x * p) / (1.0 - x * x); // P_n'
        radial += (2 * n + 1) * power * p;
        tangential += (2 * n + 1) / (double) n * power * sin(angle) * slope;
        double next = ((2 * n + 1) * x * p - n * before) / (n + 1);
        before = p;
        p = next;
        power *= f;
    }
    double unit = 1.0 / (4.0 * G_PI * sigma * radius * radius);
    assert_close(found[2], unit * radial, 1e-12 * unit * radial);
    assert_close(found[0], unit * tangential * cos(turn), 1e-12 * unit * tangential);
    assert_close(found[1], unit * tangential * sin(turn), 1e-12 * unit * tangential);
}

static struct meeg_phantom *small_phantom(void)
{
    struct meeg_law law = meeg_law_default();
    law.n_positions = 500;
    law.n_sites = 12;
    law.n_electrodes = 8;
    return meeg_phantom_new(&law);
}

static void normals_are_across_the_cortex(void **state)
{
    (void) state;
    g_autoptr(owned_meeg_phantom) phantom = small_phantom();
    for (size_t s = 0; s < 2; s++) {
        const struct source_space *space = &phantom->forward->space[s];
        for (size_t i = 0; i < space->n_points; i++) {
            const double *normal = space->normals + 3 * i, *point = space->points + 3 * i;
            assert_close(dot(normal, normal), 1.0, 1e-12);
            assert_true(dot(normal, point) > 0.0);
            assert_true(dot(point, point) < 0.08 * 0.08);
        }
    }
    assert_int_equal(phantom->forward->space[0].n_points + phantom->forward->space[1].n_points,
                     500);
}

// The mean square of the noise of each channel, over the samples before the first source.
static void noise_is_that_of_the_covariance(void **state)
{
    (void) state;
    g_autoptr(owned_meeg_phantom) phantom = small_phantom();
    size_t n = phantom->forward->n_channels, n_time = 48;
    double ratio = 0.0;
    for (size_t i = 0; i < n; i++) {
        double square = 0.0;
        for (size_t t = 0; t < n_time; t++)
            square += pow(phantom->samples[t * n + i], 2.0) / (double) n_time;
        ratio += square / phantom->covariance->diagonal[i] / (double) n;
    }
    assert_close(ratio, 1.0, 0.2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_have_neither_sources_nor_curl_outside),
        cmocka_unit_test(radial_fields_are_those_of_the_dipole_alone),
        cmocka_unit_test(radial_dipoles_are_silent),
        cmocka_unit_test(potentials_are_their_series),
        cmocka_unit_test(normals_are_across_the_cortex),
        cmocka_unit_test(noise_is_that_of_the_covariance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
