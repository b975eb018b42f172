// SPDX-License-Identifier: BSD-3-Clause
// What every model of the table of responses has to keep, and every rule for lambda: the tests go
// over the tables, so that a new one is met without a line written for it.
#include "tests/check.h"

#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "deconv/lambda_rule.h"

#include <string.h>

static const double intervals_s[] = {0.1, 0.735, 1.0, 2.0, 3.0};

static struct hrf *sampled(const char *spec, double tr_s)
{
    g_autoptr(GError) error = NULL;
    struct hrf *hrf = hrf_new(spec, tr_s, &error);
    if (hrf == NULL)
        fail_msg("%s at %g s: %s", spec, tr_s, error->message);
    return hrf;
}

static void models_are_found_by_their_names_in_order(void **state)
{
    (void) state;
    size_t n = 0;
    const struct hrf_model *const *models = hrf_models(&n);
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(hrf_model_find(models[i]->name, NULL), models[i]);
        assert_true(i == 0 || strcmp(models[i - 1]->name, models[i]->name) < 0);
        assert_true(strlen(models[i]->summary) > 0 && strlen(models[i]->source) > 0);
        assert_true(models[i]->n_parameters <= HRF_MAX_PARAMETERS);
        assert_non_null(models[i]->sample);
    }
}

static void defaults_are_within_their_ranges(void **state)
{
    (void) state;
    size_t n = 0;
    const struct hrf_model *const *models = hrf_models(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < models[i]->n_parameters; j++) {
            const struct hrf_parameter *p = &models[i]->parameters[j];
            size_t n_choices = 0;
            while (p->choices != NULL && p->choices[n_choices] != NULL)
                n_choices++;
            assert_true(strlen(p->name) > 0 && strlen(p->meaning) > 0);
            if (p->choices == NULL)
                assert_true(p->min <= p->value && p->value <= p->max);
            else
                assert_true(p->value >= 0.0 && p->value < (double) n_choices);
        }
}

static void samples_are_finite_and_not_all_zero(void **state)
{
    (void) state;
    size_t n = 0;
    const struct hrf_model *const *models = hrf_models(&n);
    for (size_t i = 0; i < n * G_N_ELEMENTS(intervals_s); i++) {
        double tr_s = intervals_s[i / n];
        const char *name = models[i % n]->name;
        g_autoptr(GError) error = NULL;
        g_autoptr(owned_hrf) hrf = hrf_new(name, tr_s, &error);
        if (hrf == NULL) { // no sample meets it at this interval, and it says so
            assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
            assert_true(strstr(error->message, name) != NULL && tr_s != 1.0);
            continue;
        }
        double largest = 0.0;
        for (size_t k = 0; k < hrf->n; k++) {
            assert_true(isfinite(hrf->h[k]));
            largest = fmax(largest, fabs(hrf->h[k]));
        }
        assert_true(hrf->n >= 2 && largest > 0.0);
        assert_close(hrf->tr_s, tr_s, 0.0);
    }
}

// "NAME:PARAMETERS" of a response makes the same response, bit for bit.
static void a_response_is_made_again_from_what_it_says(void **state)
{
    (void) state;
    size_t n = 0;
    const struct hrf_model *const *models = hrf_models(&n);
    for (size_t i = 0; i < n; i++) {
        g_autoptr(owned_hrf) hrf = sampled(models[i]->name, 0.735);
        g_autofree char *spec = g_strdup_printf("%s:%s", hrf->name, hrf->parameters);
        g_autoptr(owned_hrf) again = sampled(spec, 0.735);
        assert_int_equal(again->n, hrf->n);
        assert_memory_equal(again->h, hrf->h, hrf->n * sizeof(double));
    }
}

static void a_value_outside_its_range_is_refused_by_name(void **state)
{
    (void) state;
    size_t n = 0;
    const struct hrf_model *const *models = hrf_models(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < models[i]->n_parameters; j++) {
            const struct hrf_parameter *p = &models[i]->parameters[j];
            g_autoptr(GError) error = NULL;
            g_autofree char *spec = g_strdup_printf("%s:%s=1e300", models[i]->name, p->name);
            assert_null(hrf_new(spec, 1.0, &error));
            assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
            assert_non_null(strstr(error->message, p->name));
        }
}

static void norms_are_what_they_say(void **state)
{
    (void) state;
    size_t n = 0;
    const struct hrf_model *const *models = hrf_models(&n);
    for (size_t i = 0; i < n; i++) {
        g_autofree char *spec = g_strdup_printf("%s:norm=peak", models[i]->name);
        g_autoptr(owned_hrf) hrf = sampled(spec, 0.735);
        double peak = 0.0;
        for (size_t k = 0; k < hrf->n; k++)
            peak = fmax(peak, fabs(hrf->h[k]));
        assert_close(peak, 1.0, 1e-15);
    }
}

static struct lambda_choice choice_of(const struct problem *problem, enum lambda_kind kind,
                                      const double *y)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(owned_lambda_rule) rule = lambda_rule_new(problem, kind, 0.3, &error);
    assert_null(error);
    struct block x = {problem->op->n_out, 1, problem->op->n_out, (double *) y};
    double given = 0.7;
    struct lambda_choice choice;
    lambda_rule_apply(rule, &x, kind == LAMBDA_MAP ? &given : NULL, &choice, ws);
    return choice;
}

// Scaling a series scales what is chosen for it, but for the rules that are given a value.
static void every_rule_chooses_in_the_measure_of_the_series(void **state)
{
    (void) state;
    enum { N = 120 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(2);
    g_autoptr(owned_hrf) hrf = sampled("spm", 1.0);
    g_autoptr(linop) op = hrf_conv_new(hrf->h, hrf->n, N, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    double y[N], larger[N];
    fill_normal(rand, y, N);
    for (size_t t = 0; t < N; t++) {
        y[t] += t / 30 % 2 == 0 ? 3.0 : 0.0;
        larger[t] = 8.0 * y[t];
    }
    for (int kind = 0; kind < LAMBDA_N_KINDS; kind++) {
        struct lambda_choice one = choice_of(problem, (enum lambda_kind) kind, y);
        struct lambda_choice other = choice_of(problem, (enum lambda_kind) kind, larger);
        bool is_given = kind == LAMBDA_FIXED || kind == LAMBDA_MAP;
        if (!(one.lambda > 0.0 && isfinite(one.lambda)))
            fail_msg("%s: %g", lambda_kind_names[kind], one.lambda);
        assert_close(one.ratio, one.lambda / one.lambda_max, 1e-15);
        assert_close(other.lambda_max, 8.0 * one.lambda_max, 1e-12 * other.lambda_max);
        assert_close(other.lambda, (is_given ? 1.0 : 8.0) * one.lambda, 1e-9 * other.lambda);
        assert_true(isnan(one.sigma) == !lambda_kind_uses_noise((enum lambda_kind) kind));
    }
    assert_null(lambda_kind_names[LAMBDA_N_KINDS]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_found_by_their_names_in_order),
        cmocka_unit_test(defaults_are_within_their_ranges),
        cmocka_unit_test(samples_are_finite_and_not_all_zero),
        cmocka_unit_test(a_response_is_made_again_from_what_it_says),
        cmocka_unit_test(a_value_outside_its_range_is_refused_by_name),
        cmocka_unit_test(norms_are_what_they_say),
        cmocka_unit_test(every_rule_chooses_in_the_measure_of_the_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
