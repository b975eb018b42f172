// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden.h"

#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "deconv/null.h"
#include "solvers/random.h"
#include "solvers/segment_active_set.h"
#include "solvers/sort.h"

#include <stdlib.h>

/** All that stands between noise and its probabilities. */
struct scene {
    size_t n_time;
    linop *op;                           // owned
    struct problem *problem;             // owned
    struct clean *clean;                 // owned
    struct noise_fit *fit;               // owned
    struct noise_prior *prior;           // owned
    struct segment_active_set *segments; // owned
    struct workspace *ws;                // owned
};

static struct scene scene_new(size_t n_time, double tr_s)
{
    struct scene s = {.n_time = n_time, .ws = workspace_new()};
    g_autoptr(owned_hrf) hrf = hrf_new("spm", tr_s, NULL);
    s.op = hrf_conv_new(hrf->h, hrf->n, n_time, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
    s.problem = problem_new_tv(s.op);
    struct clean_options clean = clean_options_default();
    s.clean = clean_new(n_time, tr_s, &clean, NULL);
    struct noise_fit_options options = {hrf->h, hrf->n, n_time, tr_s, 1.0 / clean.cosine_s, 0.0};
    s.fit = noise_fit_new(&options, NULL);
    s.segments = segment_active_set_new(s.op->filter, s.op->n_in, kernels_best());
    return s;
}

static void scene_clear(struct scene *s)
{
    segment_active_set_free(s->segments);
    noise_prior_free(s->prior);
    noise_fit_free(s->fit);
    clean_free(s->clean);
    problem_free(s->problem);
    linop_free(s->op);
    workspace_free(s->ws);
}

// Noise of variance 1 with this autocorrelation, not cleaned. Owned.
static double *draw_noise(const struct scene *s, size_t n, double ar, uint64_t seed)
{
    double *y = g_new(double, n * s->n_time);
    for (size_t v = 0; v < n; v++) {
        double *own = y + v * s->n_time;
        struct random_stream stream = random_stream_of(seed, 7, v);
        random_normal(&stream, own, s->n_time);
        for (size_t t = 1; t < s->n_time; t++)
            own[t] = ar * own[t - 1] + sqrt(1.0 - ar * ar) * own[t];
    }
    return y;
}

// Cleans n series, and fits the noise that they have.
static void fit_prior(struct scene *s, double *y, size_t n)
{
    struct block x = {s->n_time, n, s->n_time, NULL};
    x.data = y;
    clean_apply(s->clean, &x, s->ws);
    g_autofree float *likelihoods = g_new(float, n *noise_fit_n_models());
    noise_fit_likelihoods(s->fit, &x, likelihoods, s->ws);
    noise_prior_free(s->prior);
    s->prior = noise_prior_new(s->fit, likelihoods, n);
}

static struct null *make_null(const struct scene *s, size_t n_draws, size_t n_threads)
{
    struct null_source source = {s->clean, s->n_time, 0, s->problem, s->prior};
    struct null_options options = null_options_default();
    options.n_draws = n_draws;
    g_autoptr(owned_parallel) team = parallel_new(n_threads, NULL);
    return null_new(&source, &options, team);
}

static void noise_is_found_again(void **state)
{
    (void) state;
    enum { N_SERIES = 400 };
    static const struct {
        size_t n_time;
        double tr_s, tolerance;
    } runs[] = {{250, 2.0, 0.03}, {490, 0.735, 0.015}};
    static const double true_ar[] = {0.0, 0.2, 0.4};
    for (size_t r = 0; r < G_N_ELEMENTS(runs); r++)
        for (size_t i = 0; i < G_N_ELEMENTS(true_ar); i++) {
            struct scene s = scene_new(runs[r].n_time, runs[r].tr_s);
            g_autofree double *y = draw_noise(&s, N_SERIES, true_ar[i], 3);
            fit_prior(&s, y, N_SERIES);
            struct noise_estimate noise[N_SERIES];
            struct block x = {s.n_time, N_SERIES, s.n_time, y};
            noise_prior_estimate(s.prior, &x, noise, s.ws);
            double ar = 0.0, sigma = 0.0;
            for (size_t v = 0; v < N_SERIES; v++) {
                ar += noise[v].ar / N_SERIES;
                sigma += noise[v].sigma / N_SERIES;
            }
            assert_close(ar, true_ar[i], runs[r].tolerance);
            assert_close(sigma, 1.0, 0.05); // cleaned to a standard deviation of 1
            scene_clear(&s);
        }
}

// Activity twice as strong as the noise, half of the variance being a response: sigma is of the
// noise alone.
static void activity_is_no_noise(void **state)
{
    (void) state;
    enum { N_SERIES = 200 };
    struct scene s = scene_new(490, 0.735);
    g_autofree double *y = draw_noise(&s, N_SERIES, 0.3, 5);
    double u[490], response[490];
    for (size_t v = 0; v < N_SERIES; v++) {
        for (size_t t = 0; t < s.n_time; t++)
            u[t] = (t + 13 * v) / 27 % 2 == 0 ? 2.0 : 0.0; // blocks of 20 s
        linop_apply_series(s.op, u, response, s.ws);
        for (size_t t = 0; t < s.n_time; t++)
            y[v * s.n_time + t] += response[t];
    }
    fit_prior(&s, y, N_SERIES);
    struct noise_estimate noise[N_SERIES];
    struct block x = {s.n_time, N_SERIES, s.n_time, y};
    noise_prior_estimate(s.prior, &x, noise, s.ws);
    double sigma = 0.0, ar = 0.0;
    for (size_t v = 0; v < N_SERIES; v++) {
        sigma += noise[v].sigma / N_SERIES;
        ar += noise[v].ar / N_SERIES;
    }
    assert_true(sigma > 0.66 && sigma < 0.76); // 1 of 1.41
    assert_close(ar, 0.3, 0.05);
    scene_clear(&s);
}

static void zero_and_scaled_series(void **state)
{
    (void) state;
    struct scene s = scene_new(250, 2.0);
    g_autofree double *y = draw_noise(&s, 40, 0.3, 5);
    fit_prior(&s, y, 40);
    memset(y, 0, s.n_time * sizeof *y);
    memcpy(y + s.n_time, y + 2 * s.n_time, s.n_time * sizeof *y);
    for (size_t t = 0; t < s.n_time; t++)
        y[s.n_time + t] *= 1e-3;
    struct noise_estimate noise[3];
    struct block x = {s.n_time, 3, s.n_time, y};
    noise_prior_estimate(s.prior, &x, noise, s.ws);
    assert_true(noise[0].sigma == 0.0 && noise[0].ar == 0.0);
    assert_close(noise[1].sigma, 1e-3 * noise[2].sigma, 1e-12);
    assert_close(noise[1].ar, noise[2].ar, 1e-9);
    scene_clear(&s);
}

static void too_few_frequencies_are_refused(void **state)
{
    (void) state;
    double h[3] = {0.0, 1.0, 0.5};
    g_autoptr(GError) error = NULL;
    struct noise_fit_options options = {h, 3, 200, 2.0, 0.01, 0.03};
    assert_null(noise_fit_new(&options, &error));
    assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
}

/** What null series had. */
struct calibration {
    double with_jump; // share of series with a jump at 0.05
    double distance;  // of Kolmogorov and Smirnov, between p of lambda_max and a uniform law
};

static struct calibration calibrate(const struct scene *s, const struct null *null,
                                    const struct block *x)
{
    struct calibration found = {0};
    size_t n = x->n_series;
    g_autofree double *p = g_new(double, n);
    g_autofree struct noise_estimate *noise = g_new(struct noise_estimate, n);
    noise_prior_estimate(s->prior, x, noise, s->ws);
    for (size_t v = 0; v < n; v++) {
        double u[490], p_jump[490];
        struct jump jumps[490];
        const double *own = block_series(x, v);
        double lambda_max = problem_lambda_max(s->problem, own, s->ws);
        p[v] = null_p_largest(null, &noise[v], lambda_max);
        if (p[v] > NULL_SCREEN)
            continue;
        segment_active_set_solve(s->segments, own, null_lambda(null, &noise[v]), false, u, s->ws);
        found.with_jump += null_jumps(null, &noise[v], 0.05, u, s->n_time, jumps, p_jump) > 0;
    }
    found.with_jump /= (double) n;
    sort_doubles(p, n);
    for (size_t i = 0; i < n; i++) {
        double above = fabs(p[i] - (double) (i + 1) / (double) n);
        found.distance = fmax(found.distance, fmax(above, fabs(p[i] - (double) i / (double) n)));
    }
    return found;
}

// 2000 series of noise against 4000 draws. The bound of the distance is the point of 0.1 % of two
// samples; that of the share is four standard deviations around 0.05.
static void noise_stays_silent(void **state)
{
    (void) state;
    enum { N_SERIES = 2000, N_DRAWS = 4000 };
    static const double true_ar[] = {0.0, 0.2, 0.4};
    struct scene s = scene_new(490, 0.735);
    for (size_t i = 0; i < G_N_ELEMENTS(true_ar) + 1; i++) {
        bool drift = i == G_N_ELEMENTS(true_ar);
        g_autofree double *y = draw_noise(&s, N_SERIES, drift ? 0.0 : true_ar[i], 11);
        for (size_t j = 0; j < N_SERIES * s.n_time && drift; j++) {
            double t = (double) (j % s.n_time) + 0.5, k = (double) (j / s.n_time % 3) + 1.0;
            y[j] += 10.0 * cos(G_PI * t * k / (double) s.n_time);
        }
        fit_prior(&s, y, N_SERIES / 4);
        struct block rest = {s.n_time, N_SERIES - N_SERIES / 4, s.n_time,
                             y + N_SERIES / 4 * s.n_time};
        clean_apply(s.clean, &rest, s.ws);
        g_autoptr(owned_null) null = make_null(&s, N_DRAWS, 2);
        struct block x = {s.n_time, N_SERIES, s.n_time, y};
        struct calibration found = calibrate(&s, null, &x);
        assert_close(found.with_jump, 0.05, 4.0 * sqrt(0.05 * 0.95 * (1.0 / 2000 + 1.0 / 4000)));
        assert_close(found.distance, 0.0, 1.95 * sqrt(1.0 / 2000 + 1.0 / 4000));
    }
    scene_clear(&s);
}

static void the_same_for_any_number_of_threads(void **state)
{
    (void) state;
    struct scene s = scene_new(120, 2.0);
    g_autofree double *y = draw_noise(&s, 100, 0.3, 2);
    fit_prior(&s, y, 100);
    struct noise_estimate noise = {0.9, 0.23};
    double first[3] = {0.0};
    for (size_t n_threads = 1; n_threads <= 4; n_threads += 3) {
        g_autoptr(owned_null) null = make_null(&s, 100, n_threads);
        double found[3] = {null_lambda(null, &noise), null_p_largest(null, &noise, 9.0),
                           null_p_jump(null, &noise, 1.5)};
        if (n_threads == 1)
            memcpy(first, found, sizeof found);
        assert_memory_equal(first, found, sizeof found);
    }
    scene_clear(&s);
}

// p falls as what is tested grows, beyond the largest draw too; without a tail it ends at 1 /
// (n+1).
static void probabilities_fall(void **state)
{
    (void) state;
    struct scene s = scene_new(120, 2.0);
    g_autofree double *y = draw_noise(&s, 100, 0.3, 2);
    fit_prior(&s, y, 100);
    g_autoptr(owned_null) null = make_null(&s, 200, 1);
    struct noise_estimate noise = {1.0, 0.25}, none = {0.0, 0.0};
    double before = 1.0;
    for (int i = 0; i < 320; i++) {
        double p = null_p_largest(null, &noise, 0.25 * i);
        assert_true(p <= before && p > 0.0);
        before = p;
    }
    assert_true(before < 1e-12);
    assert_true(null_p_largest(null, &noise, 0.0) == 1.0);
    assert_true(null_p_largest(null, &none, 5.0) == 1.0);
    struct null_source source = {s.clean, s.n_time, 0, s.problem, s.prior};
    struct null_options options = null_options_default();
    options.n_draws = 99;
    options.has_tail = false;
    g_autoptr(owned_parallel) team = parallel_new(1, NULL);
    g_autoptr(owned_null) counted = null_new(&source, &options, team);
    assert_close(null_p_largest(counted, &noise, 1e6), 0.01, 1e-12);
    scene_clear(&s);
}

static void neighbours_of_one_sign_are_one_jump(void **state)
{
    (void) state;
    const double u[] = {1.0, 1.0, 2.0, 5.0, 5.0, 4.0, 4.5, 4.5, 4.5, 6.0};
    struct jump jumps[9];
    assert_int_equal(jumps_merge(u, G_N_ELEMENTS(u), jumps), 4);
    assert_close(jumps[0].size, 4.0, 1e-15);
    assert_close(jumps[0].place, (2.0 * 1.0 + 3.0 * 3.0) / 4.0, 1e-15);
    assert_int_equal(jumps_sample(&jumps[0], G_N_ELEMENTS(u)), 3);
    assert_close(jumps[1].size, -1.0, 1e-15);
    assert_close(jumps[2].size, 0.5, 1e-15); // the sign changes
    assert_close(jumps[3].place, 9.0, 1e-15);
    assert_int_equal(jumps_merge(u, 2, jumps), 0);
}

// scipy.stats.norm.isf and scipy.stats.false_discovery_control, 1.11
static void z_and_q_have_known_values(void **state)
{
    (void) state;
    assert_close(null_z(0.5), 0.0, 1e-9);
    assert_close(null_z(0.05), 1.6448536269514729, 1e-9);
    assert_close(null_z(0.95), -1.6448536269514729, 1e-9);
    assert_close(null_z(1e-10), 6.361340902404056, 1e-9);
    const double p[] = {0.01, 0.04, NAN, 0.03, 0.5};
    const double expected[] = {0.04, 0.16 / 3.0, NAN, 0.16 / 3.0, 0.5};
    double q[5];
    null_false_discovery(p, 5, q);
    for (size_t i = 0; i < 5; i++) {
        if (i == 2)
            assert_true(isnan(q[i]));
        else
            assert_close(q[i], expected[i], 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_found_again),
        cmocka_unit_test(activity_is_no_noise),
        cmocka_unit_test(zero_and_scaled_series),
        cmocka_unit_test(too_few_frequencies_are_refused),
        cmocka_unit_test(noise_stays_silent),
        cmocka_unit_test(the_same_for_any_number_of_threads),
        cmocka_unit_test(probabilities_fall),
        cmocka_unit_test(neighbours_of_one_sign_are_one_jump),
        cmocka_unit_test(z_and_q_have_known_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
