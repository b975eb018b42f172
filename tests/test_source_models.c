// SPDX-License-Identifier: BSD-3-Clause
// What every model of the table has to keep, whoever adds one: on the field of one source, with a
// little noise.
#include "tests/check.h"

#include "sources/models.h"

#include <math.h>
#include <string.h>

enum { N_SENSORS = 20, N_POSITIONS = 60, N_TIME = 9, PLACE = 17 };

struct scene {
    double *gain;
    double data[N_SENSORS * N_TIME];
    struct mixed_norm_input input;
    struct mixed_norm *problem;
    struct workspace *ws;
};

static void setup(struct scene *s, size_t n_orient)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(23);
    size_t n_columns = N_POSITIONS * n_orient;
    s->gain = g_new(double, N_SENSORS *n_columns);
    fill_normal(rand, s->gain, N_SENSORS * n_columns);
    fill_normal(rand, s->data, N_SENSORS * N_TIME);
    for (size_t i = 0; i < N_SENSORS; i++)
        for (size_t t = 0; t < N_TIME; t++) {
            double field = s->gain[PLACE * n_orient * N_SENSORS + i] * sin(1.0 + (double) t);
            s->data[i * N_TIME + t] = 5.0 * field + 0.1 * s->data[i * N_TIME + t];
        }
    s->input =
        (struct mixed_norm_input){s->gain, s->data, N_SENSORS, N_POSITIONS, n_orient, N_TIME};
    s->problem = mixed_norm_new(&s->input);
    s->ws = workspace_new();
}

static void teardown(struct scene *s)
{
    workspace_free(s->ws);
    mixed_norm_free(s->problem);
    g_free(s->gain);
}

static struct source_estimate *solve(const struct scene *s, const struct source_model *model,
                                     double ratio, struct source_model_result *result)
{
    struct source_estimate *estimate = source_estimate_new(s->input.n_orient, N_TIME);
    *result = model->solve(s->problem, ratio, 1e-6, estimate, s->ws);
    return estimate;
}

typedef void check(struct scene *s, const struct source_model *model);

static void for_each_model(check *check_model)
{
    size_t n;
    const struct source_model *const *models = source_models(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t n_orient = 1; n_orient <= 3 && models[i]->solve != NULL; n_orient += 2) {
            struct scene s;
            setup(&s, n_orient);
            check_model(&s, models[i]);
            teardown(&s);
        }
}

static void models_have_names_of_their_own(void **state)
{
    (void) state;
    size_t n;
    const struct source_model *const *models = source_models(&n);
    g_autofree char *names = source_models_names();
    g_auto(GStrv) words = g_strsplit(names, "|", -1);
    assert_int_equal(g_strv_length(words), n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(words[i], models[i]->name);
        assert_true(strlen(models[i]->summary) > 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(models[i]->name, models[j]->name);
    }
}

static void has_nothing_at_alpha_max(struct scene *s, const struct source_model *model)
{
    struct source_model_result result;
    g_autoptr(owned_source_estimate) estimate = solve(s, model, 1.0, &result);
    assert_int_equal(estimate->n_active, 0);
    assert_true(result.converged);
    assert_close(result.objective, 0.5 * s->problem->data_norm2, 1e-9 * s->problem->data_norm2);
}

static void no_model_finds_sources_at_alpha_max(void **state)
{
    (void) state;
    for_each_model(has_nothing_at_alpha_max);
}

static double strength(const struct source_estimate *estimate, size_t i)
{
    double sum = 0.0;
    for (size_t k = 0; k < estimate->n_orient * estimate->n_time; k++)
        sum += pow(source_estimate_rows(estimate, i)[k], 2.0);
    return sqrt(sum);
}

static void finds_the_source(struct scene *s, const struct source_model *model)
{
    struct source_model_result result;
    g_autoptr(owned_source_estimate) estimate = solve(s, model, 0.3, &result);
    assert_true(result.converged && result.n_passes > 0);
    assert_true(result.objective >= 0.0 && result.objective < 0.5 * s->problem->data_norm2);
    assert_true(estimate->n_active > 0);
    size_t best = 0;
    for (size_t i = 0; i < estimate->n_active; i++)
        if (!(strength(estimate, i) <= strength(estimate, best)))
            best = i;
    if (estimate->position[best] != PLACE)
        fail_msg("%s: expected the strongest source at %d, found it at %zu", model->name, PLACE,
                 estimate->position[best]);
    double alpha = 0.3 * s->problem->alpha_max;
    struct mixed_norm_certificate certificate = mixed_norm_certify(&s->input, estimate, alpha);
    assert_true(certificate.explained > 0.0 && certificate.explained <= 1.0);
    assert_true(result.relative_gap >= 0.0 && result.relative_gap <= 1e-6);
    if (model->is_mixed_norm) {
        assert_true(certificate.relative_gap <= 1e-6);
        assert_close(result.objective, certificate.objective, 1e-9 * certificate.objective);
    }
}

static void every_model_finds_the_only_source(void **state)
{
    (void) state;
    for_each_model(finds_the_source);
}

static void turns_with_the_data(struct scene *s, const struct source_model *model)
{
    struct source_model_result result;
    g_autoptr(owned_source_estimate) first = solve(s, model, 0.3, &result);
    g_autoptr(owned_source_estimate) again = solve(s, model, 0.3, &result);
    struct scene turned = *s;
    for (size_t i = 0; i < N_SENSORS * N_TIME; i++)
        turned.data[i] = -s->data[i];
    turned.input.data = turned.data;
    turned.problem = mixed_norm_new(&turned.input);
    g_autoptr(owned_source_estimate) other = solve(&turned, model, 0.3, &result);
    assert_int_equal(again->n_active, first->n_active);
    assert_int_equal(other->n_active, first->n_active);
    for (size_t i = 0; i < first->n_active; i++)
        for (size_t k = 0; k < first->n_orient * N_TIME; k++) {
            double x = source_estimate_rows(first, i)[k];
            assert_close(source_estimate_rows(again, i)[k], x, 0.0);
            assert_close(source_estimate_rows(other, i)[k], -x, 1e-12 * (1.0 + fabs(x)));
        }
    mixed_norm_free(turned.problem);
}

static void every_model_is_repeatable_and_odd(void **state)
{
    (void) state;
    for_each_model(turns_with_the_data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_finds_the_only_source),
        cmocka_unit_test(every_model_is_repeatable_and_odd),
        cmocka_unit_test(models_have_names_of_their_own),
        cmocka_unit_test(no_model_finds_sources_at_alpha_max),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
