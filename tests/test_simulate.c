// SPDX-License-Identifier: BSD-3-Clause
#include "app/simulate/simulate.h"
#include "deconv/hrf.h"
#include "solvers/problem.h"
#include "tests/check.h"

#include <string.h>

static struct simulation *draw_tv(const struct simulate_tv *law)
{
    g_autoptr(GError) error = NULL;
    struct simulation *made = simulate_tv(law, &error);
    assert_null(error);
    return made;
}

// x (n_observed) = operator of the simulation times u.
static void apply(const struct simulation *made, bool full, const double *u, double *x)
{
    for (size_t t = 0; t < made->n_observed; t++) {
        x[t] = 0.0;
        for (size_t j = 0; made->op != NULL && j < made->n_unknown; j++)
            x[t] += made->op[t * made->n_unknown + j] * u[j];
        for (size_t k = 0; made->op == NULL && k < MIN(made->n_h, t + 1); k++)
            x[t] += t - k < made->n_unknown ? made->h[k] * u[t - k] : 0.0;
    }
    assert_true(made->op != NULL ||
                made->n_unknown == made->n_observed - (full ? made->n_h - 1 : 0));
}

// 10 log10 of the energies of A u and of the rest of series v; centred: without the rest's mean.
static double measured_snr_db(const struct simulation *made, bool full, bool centred, size_t v)
{
    size_t n = made->n_observed;
    const double *x = made->x + v * n;
    g_autofree double *signal = g_new(double, n);
    apply(made, full, made->truth + v * made->n_unknown, signal);
    double mean = 0.0;
    double signal2 = 0.0;
    double noise2 = 0.0;
    for (size_t t = 0; centred && t < n; t++)
        mean += (x[t] - signal[t]) / (double) n;
    for (size_t t = 0; t < n; t++) {
        signal2 += signal[t] * signal[t];
        noise2 += (x[t] - signal[t] - mean) * (x[t] - signal[t] - mean);
    }
    return 10.0 * log10(signal2 / noise2);
}

static void tv_series_have_the_ratio_and_the_scale_asked_for(void **state)
{
    (void) state;
    g_autoptr(owned_workspace) ws = workspace_new();
    for (enum simulate_tv_law kind = SIMULATE_TV_JUMPS; kind <= SIMULATE_TV_DENSE; kind++) {
        struct simulate_tv law = simulate_tv_default();
        law.law = kind;
        law.n_series = 20;
        law.n_observed = 120;
        law.n_unknown = 70;
        law.snr_db = 4.5;
        g_autoptr(owned_simulation) made = draw_tv(&law);
        bool full = kind == SIMULATE_TV_JUMPS;
        g_autofree double *columns = g_new0(double, made->n_observed * made->n_unknown);
        for (size_t j = 0; j < made->n_unknown; j++) {
            g_autofree double *e = g_new0(double, made->n_unknown);
            e[j] = 1.0;
            apply(made, full, e, columns + j * made->n_observed);
        }
        g_autoptr(linop) op = linop_new_dense(columns, made->n_observed, made->n_unknown);
        g_autoptr(owned_problem) problem = problem_new_tv(op);
        for (size_t v = 0; v < law.n_series; v++) {
            assert_close(measured_snr_db(made, full, false, v), 4.5, 1e-9);
            assert_close(problem_lambda_max(problem, made->x + v * made->n_observed, ws), 1.0,
                         1e-9);
        }
    }
}

static void blocks_are_standardised_and_drawn_at_a_ratio(void **state)
{
    (void) state;
    struct simulate_tv law = simulate_tv_default();
    law.n_series = 50;
    law.n_observed = 400;
    law.snr_db = 5.0;
    g_autoptr(owned_simulation) made = draw_tv(&law);
    for (size_t v = 0; v < law.n_series; v++) {
        const double *x = made->x + v * made->n_observed;
        double mean = 0.0;
        double square = 0.0;
        for (size_t t = 0; t < made->n_observed; t++) {
            mean += x[t] / (double) made->n_observed;
            square += x[t] * x[t] / (double) made->n_observed;
        }
        assert_close(mean, 0.0, 1e-12);
        assert_close(square, 1.0, 1e-12);
        // The noise's own mean is lost with the series': the ratio comes out a little higher.
        assert_close(measured_snr_db(made, false, true, v), 5.0, 0.3);
    }
}

static void dense_columns_have_norm_one(void **state)
{
    (void) state;
    for (enum simulate_lasso_law kind = 0; kind < SIMULATE_LASSO_N_LAWS; kind++) {
        struct simulate_lasso law = simulate_lasso_default();
        law.law = kind;
        law.n_series = 7;
        g_autoptr(owned_simulation) made = simulate_lasso(&law);
        for (size_t j = 0; j < made->n_unknown; j++) {
            double square = 0.0;
            for (size_t i = 0; i < made->n_observed; i++)
                square += pow(made->op[i * made->n_unknown + j], 2.0);
            assert_close(square, 1.0, 1e-12);
        }
        for (size_t v = 0; v < law.n_series; v++) {
            double largest = 0.0;
            for (size_t j = 0; j < made->n_unknown; j++) {
                double product = 0.0;
                for (size_t i = 0; i < made->n_observed; i++)
                    product +=
                        made->op[i * made->n_unknown + j] * made->x[v * made->n_observed + i];
                largest = fmax(largest, fabs(product));
            }
            assert_close(largest, 1.0, 1e-12);
        }
    }
}

static void neighbouring_sources_of_a_leadfield_correlate(void **state)
{
    (void) state;
    struct simulate_lasso law = simulate_lasso_default();
    law.law = SIMULATE_LASSO_LEADFIELD;
    law.n_series = 10;
    law.n_observed = 100;
    law.n_unknown = 1500;
    law.snr_db = 12.0;
    g_autoptr(owned_simulation) made = simulate_lasso(&law);
    // The nearest column by content: on a lattice of spirals it is not the next by index.
    size_t n_close = 0;
    for (size_t j = 0; j < 100; j++) {
        double best = 0.0;
        for (size_t k = 0; k < made->n_unknown; k++) {
            double product = 0.0;
            for (size_t i = 0; k != j && i < made->n_observed; i++)
                product += made->op[i * made->n_unknown + j] * made->op[i * made->n_unknown + k];
            best = fmax(best, fabs(product));
        }
        n_close += best > 0.9;
    }
    assert_true(n_close > 90);
    for (size_t v = 0; v < law.n_series; v++)
        assert_close(measured_snr_db(made, false, false, v), 12.0, 1e-9);
}

static void same_seed_gives_the_same_series(void **state)
{
    (void) state;
    struct simulate_tv law = simulate_tv_default();
    law.n_series = 5;
    g_autoptr(owned_simulation) first = draw_tv(&law);
    law.n_series = 3; // series do not depend on how many are drawn
    g_autoptr(owned_simulation) second = draw_tv(&law);
    assert_memory_equal(first->x, second->x, 3 * first->n_observed * sizeof(double));
    law.seed = 1;
    g_autoptr(owned_simulation) other = draw_tv(&law);
    assert_memory_not_equal(other->x, second->x, 3 * first->n_observed * sizeof(double));
}

static void response_longer_than_the_series_is_refused(void **state)
{
    (void) state;
    struct simulate_tv law = simulate_tv_default();
    law.law = SIMULATE_TV_JUMPS;
    law.n_observed = 10;
    g_autoptr(GError) error = NULL;
    assert_null(simulate_tv(&law, &error));
    assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_standardised_and_drawn_at_a_ratio),
        cmocka_unit_test(dense_columns_have_norm_one),
        cmocka_unit_test(neighbouring_sources_of_a_leadfield_correlate),
        cmocka_unit_test(response_longer_than_the_series_is_refused),
        cmocka_unit_test(same_seed_gives_the_same_series),
        cmocka_unit_test(tv_series_have_the_ratio_and_the_scale_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
