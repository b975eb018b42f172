// SPDX-License-Identifier: BSD-3-Clause
#include "app/simulate/phantom.h"
#include "deconv/hrf.h"
#include "tests/check.h"

#include <string.h>

static struct phantom *draw(const struct phantom_law *law, size_t n_threads)
{
    g_autoptr(owned_parallel) team = parallel_new(n_threads, NULL);
    g_autoptr(GError) error = NULL;
    struct phantom *phantom = phantom_new(law, team, SIZE_MAX, &error);
    assert_null(error);
    return phantom;
}

static size_t n_samples(const struct phantom *phantom)
{
    return phantom->n_voxels * phantom->law.n_frames;
}

static void same_seed_gives_the_same_samples_on_any_team(void **state)
{
    (void) state;
    struct phantom_law law = phantom_law_default();
    law.n_frames = 60;
    g_autoptr(owned_phantom) one = draw(&law, 1);
    g_autoptr(owned_phantom) three = draw(&law, 3);
    assert_int_equal(one->n_voxels, three->n_voxels);
    assert_memory_equal(one->samples, three->samples, n_samples(one) * sizeof(float));
    law.seed = 1;
    g_autoptr(owned_phantom) other = draw(&law, 1);
    assert_memory_not_equal(one->samples, other->samples, n_samples(one) * sizeof(float));
    assert_memory_equal(one->tissue, other->tissue, 20 * 20 * 10);
}

// Signal and noise of an active voxel, in percent of its baseline.
static double measured_snr_db(const struct phantom *phantom, size_t slot, double baseline)
{
    const double *response = phantom->response[phantom->region[phantom->voxel[slot]] - 1];
    double signal2 = 0.0;
    double noise2 = 0.0;
    for (size_t t = 0; t < phantom->law.n_frames; t++) {
        double sample = phantom->samples[t * phantom->n_voxels + slot];
        double signal = phantom->amplitude[slot] * response[t];
        double noise = 100.0 * (sample / baseline - 1.0) - signal;
        signal2 += signal * signal;
        noise2 += noise * noise;
    }
    return 10.0 * log10(signal2 / noise2);
}

static void every_active_voxel_has_the_ratio_asked_for(void **state)
{
    (void) state;
    struct phantom_law law = phantom_law_default();
    law.drift_percent = 0.0;
    law.snr_db = -1.5;
    g_autoptr(owned_phantom) phantom = draw(&law, 2);
    size_t n_active = 0;
    for (size_t v = 0; v < phantom->n_voxels; v++) {
        if (phantom->region[phantom->voxel[v]] == 0)
            continue;
        // Grey or white matter or fluid: the baseline that fits, as the ratio is the same in all.
        double best = INFINITY;
        static const double tissues[] = {1.0, 0.85, 1.3};
        for (size_t i = 0; i < G_N_ELEMENTS(tissues); i++)
            best = fmin(best, fabs(measured_snr_db(phantom, v, tissues[i] * law.baseline) + 1.5));
        assert_close(best, 0.0, 1e-3);
        n_active++;
    }
    assert_true(n_active > 50);
}

static void noise_is_autoregressive(void **state)
{
    (void) state;
    struct phantom_law law = phantom_law_default();
    law.drift_percent = 0.0;
    law.ar1 = 0.6;
    g_autoptr(owned_phantom) phantom = draw(&law, 2);
    double product = 0.0;
    double square = 0.0;
    for (size_t v = 0; v < phantom->n_voxels; v++) {
        if (phantom->region[phantom->voxel[v]] != 0)
            continue;
        double mean = 0.0;
        for (size_t t = 0; t < law.n_frames; t++)
            mean += phantom->samples[t * phantom->n_voxels + v] / (double) law.n_frames;
        for (size_t t = 1; t < law.n_frames; t++) {
            double before = phantom->samples[(t - 1) * phantom->n_voxels + v] - mean;
            product += before * (phantom->samples[t * phantom->n_voxels + v] - mean);
            square += before * before;
        }
    }
    // About 800 series of 200 samples; centring takes off about (1 + 3 ar1) / 200.
    assert_close(product / square, 0.6, 0.025);
}

static void mask_has_exactly_the_voxels_asked_for(void **state)
{
    (void) state;
    struct phantom_law law = phantom_law_default();
    law.dim[0] = 30;
    law.n_frames = 5;
    law.n_voxels = 1234;
    g_autoptr(owned_phantom) phantom = draw(&law, 1);
    assert_int_equal(phantom->n_voxels, 1234);
    size_t n_slots = 0;
    for (size_t i = 0; i < 30 * 20 * 10; i++) {
        if (phantom->slot[i] == UINT32_MAX)
            continue;
        assert_int_equal(phantom->voxel[phantom->slot[i]], i);
        n_slots++;
    }
    assert_int_equal(n_slots, 1234);
}

static double share_of_region(const struct phantom *phantom, size_t r)
{
    size_t count = 0;
    for (size_t v = 0; v < phantom->n_voxels; v++)
        count += phantom->region[phantom->voxel[v]] == r + 1;
    return (double) count / (double) phantom->n_voxels;
}

// A small brain has everything that a large one has, in proportion.
static void anatomy_scales_with_the_mask(void **state)
{
    (void) state;
    struct phantom_law law = phantom_law_default();
    law.n_frames = 5;
    law.dim[0] = law.dim[1] = 40;
    law.dim[2] = 30;
    g_autoptr(owned_phantom) large = draw(&law, 1);
    law.n_voxels = large->n_voxels / 6;
    g_autoptr(owned_phantom) small = draw(&law, 1);
    for (size_t r = 0; r < PHANTOM_N_REGIONS; r++)
        assert_close(share_of_region(small, r) / share_of_region(large, r), 1.0, 0.2);
}

static void noise_is_drawn_from_the_seed(void **state)
{
    (void) state;
    struct phantom_law law = phantom_law_default();
    law.drift_percent = 0.0;
    law.n_frames = 20;
    g_autoptr(owned_phantom) first = draw(&law, 1);
    law.seed = 5;
    g_autoptr(owned_phantom) second = draw(&law, 1);
    for (size_t v = 0; v < first->n_voxels; v++)
        if (first->region[first->voxel[v]] == 0)
            assert_true(first->samples[v] != second->samples[v]);
}

static void regions_differ_in_their_events(void **state)
{
    (void) state;
    struct phantom_law law = phantom_law_default();
    law.tr_s = 1.0;
    law.n_frames = 600;
    g_autoptr(owned_phantom) phantom = draw(&law, 1);
    size_t n_voxels[PHANTOM_N_REGIONS + 1] = {0};
    for (size_t v = 0; v < phantom->n_voxels; v++)
        n_voxels[phantom->region[phantom->voxel[v]]]++;
    for (size_t r = 0; r < PHANTOM_N_REGIONS; r++) {
        size_t n_on = 0;
        size_t n_events = 0;
        for (size_t t = 1; t < law.n_frames; t++) {
            n_on += phantom->activity[r][t] > 0.0;
            n_events += phantom->activity[r][t] > 0.0 && phantom->activity[r][t - 1] == 0.0;
        }
        double mean_s = (double) n_on / (double) n_events;
        double from_s = fmax(phantom_regions[r].duration_s[0], law.tr_s);
        double to_s = fmax(phantom_regions[r].duration_s[1], law.tr_s);
        assert_true(n_voxels[r + 1] >= 5);
        assert_true(n_events >= 5);
        assert_true(mean_s <= to_s + 0.6);
        assert_true(phantom_regions[r].spike_share > 0.0 || mean_s >= from_s - 0.6);
    }
}

static void what_cannot_be_drawn_is_refused(void **state)
{
    (void) state;
    g_autoptr(owned_parallel) team = parallel_new(1, NULL);
    struct phantom_law law = phantom_law_default();
    g_autoptr(GError) memory = NULL;
    assert_null(phantom_new(&law, team, 1000, &memory));
    assert_true(g_error_matches(memory, IO_ERROR, IO_ERROR_MEMORY));

    law.n_voxels = 20 * 20 * 10 + 1;
    g_autoptr(GError) voxels = NULL;
    assert_null(phantom_new(&law, team, SIZE_MAX, &voxels));
    assert_true(g_error_matches(voxels, IO_ERROR, IO_ERROR_INPUT));

    law.n_voxels = 0;
    law.hrf = "none such";
    g_autoptr(GError) response = NULL;
    assert_null(phantom_new(&law, team, SIZE_MAX, &response));
    assert_true(g_error_matches(response, DECONV_ERROR, DECONV_ERROR_NAME));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anatomy_scales_with_the_mask),
        cmocka_unit_test(every_active_voxel_has_the_ratio_asked_for),
        cmocka_unit_test(mask_has_exactly_the_voxels_asked_for),
        cmocka_unit_test(noise_is_autoregressive),
        cmocka_unit_test(noise_is_drawn_from_the_seed),
        cmocka_unit_test(regions_differ_in_their_events),
        cmocka_unit_test(same_seed_gives_the_same_samples_on_any_team),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
