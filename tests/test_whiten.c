// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden_chain.h"

#include <cblas.h>
#include <string.h>

static void names_are_found_exactly_or_without_spaces(void **state)
{
    (void) state;
    static const char *const list[] = {"MEG 0113", "MEG0112", "EEG001", "EEG 001"};
    struct channel_names names = {4, list};
    assert_int_equal(channel_names_find(&names, "MEG 0113"), 0);
    assert_int_equal(channel_names_find(&names, "MEG0113"), 0);
    assert_int_equal(channel_names_find(&names, "MEG 0112"), 1);
    assert_int_equal(channel_names_find(&names, "EEG 001"), 3);
    assert_int_equal(channel_names_find(&names, " EEG0 01"), 2);
    assert_int_equal(channel_names_find(&names, "EEG 0011"), 4);
    assert_int_equal(channel_names_find(&names, ""), 4);
}

static void channels_are_chosen_in_the_order_of_the_recording(void **state)
{
    (void) state;
    static const char *const recording[] = {"E3", "M2", "S1", "E1", "E2", "M1", "M3"};
    static const enum sensor_kind kinds[] = {SENSOR_EEG, SENSOR_MAG,  SENSOR_OTHER, SENSOR_EEG,
                                             SENSOR_EEG, SENSOR_GRAD, SENSOR_GRAD};
    static const char *const noise[] = {"M1", "M2", "E1", "E2", "E3"};
    static const char *const forward[] = {"E1", "E3", "M 2", "M1", "M3", "S1"};
    static const char *const bads[] = {"E1", "nowhere"};
    struct channel_choice_input input = {.recording = {7, recording},
                                         .kind = kinds,
                                         .noise = {5, noise},
                                         .forward = {6, forward},
                                         .bads = {2, bads}};
    g_autoptr(owned_channel_choice) choice = channel_choice_new(&input);
    static const enum channel_fate fates[] = {CHANNEL_USED,
                                              CHANNEL_USED,
                                              CHANNEL_OF_ANOTHER_KIND,
                                              CHANNEL_BAD,
                                              CHANNEL_WITHOUT_LEADFIELD,
                                              CHANNEL_USED,
                                              CHANNEL_WITHOUT_NOISE};
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(choice->fate[i], fates[i]);
    assert_int_equal(choice->n, 3);
    static const size_t expected[3][3] = {{0, 4, 1}, {1, 1, 2}, {5, 0, 3}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(choice->recording[i], expected[i][0]);
        assert_int_equal(choice->noise[i], expected[i][1]);
        assert_int_equal(choice->forward[i], expected[i][2]);
    }
    assert_true(choice->kind[0] == SENSOR_EEG && choice->kind[2] == SENSOR_GRAD);
}

static const char *const letters[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

static void projections_are_taken_out_once(void **state)
{
    (void) state;
    // the second repeats the first; the last has a channel that is not chosen
    static const double first[] = {1, 1, 0, 0, 0, 2, 0, 0}, third[] = {3e-5, 0, 4e-5, 0};
    static const char *const others[] = {"c", "z", "d", "y"};
    const struct projection projections[] = {
        {"one", false, 1, {8, letters}, first},
        {"again", false, 1, {8, letters}, first},
        {"part", false, 1, {4, others}, third},
    };
    struct channel_names chosen = {8, letters};
    g_autoptr(owned_projector_matrix) p = projector_matrix_new(projections, 3, &chosen, NULL);
    assert_int_equal(p->n_vectors, 2);
    assert_int_equal(p->shrunk->len, 0);
    double rows[8][3];
    for (size_t i = 0; i < 8; i++)
        for (size_t t = 0; t < 3; t++)
            rows[i][t] = sin((double) (3 * i + t));
    projector_matrix_apply(p, &rows[0][0], 3);
    for (size_t t = 0; t < 3; t++) {
        assert_close(rows[0][t] + rows[1][t] + 2.0 * rows[5][t], 0.0, 1e-14);
        assert_close(3.0 * rows[2][t] + 4.0 * rows[3][t], 0.0, 1e-14);
        assert_close(rows[4][t], sin((double) (12 + t)), 1e-14);
    }
}

// Unit vectors at an angle a have the singular values sqrt(1 +- cos a), of ratio tan(a / 2).
static void directions_are_one_below_a_hundredth(void **state)
{
    (void) state;
    static const double ratios[] = {0.0099, 0.0101};
    for (size_t i = 0; i < 2; i++) {
        double angle = 2.0 * atan(ratios[i]);
        double vectors[16] = {1.0, [8] = cos(angle), [9] = sin(angle)};
        const struct projection both = {"both", false, 2, {8, letters}, vectors};
        struct channel_names chosen = {8, letters};
        g_autoptr(owned_projector_matrix) p = projector_matrix_new(&both, 1, &chosen, NULL);
        assert_int_equal(p->n_vectors, 1 + i);
    }
}

static void a_projection_that_loses_much_is_named(void **state)
{
    (void) state;
    static const double vector[] = {1, 1, 1, 1, 1, 1, 1, 1};
    const struct projection projections[] = {
        {"field", false, 1, {8, letters}, vector},
        {"reference", true, 1, {8, letters}, vector},
    };
    struct channel_names chosen = {4, letters};
    g_autoptr(owned_projector_matrix) p = projector_matrix_new(projections, 2, &chosen, NULL);
    assert_int_equal(p->n_vectors, 1);
    assert_int_equal(p->shrunk->len, 1);
    assert_string_equal(p->shrunk->pdata[0], "field");
}

static void projections_that_leave_nothing_are_refused(void **state)
{
    (void) state;
    static const double vectors[] = {1, 0, 0, 1};
    const struct projection projection = {"all", false, 2, {2, letters}, vectors};
    struct channel_names chosen = {2, letters};
    g_autoptr(GError) error = NULL;
    assert_null(projector_matrix_new(&projection, 1, &chosen, &error));
    assert_true(g_error_matches(error, SOURCES_ERROR, SOURCES_ERROR_PROJECTIONS));
}

// A random covariance of 3 magnetometers, 3 gradiometers and 2 EEG channels, in their units.
static const enum sensor_kind eight[] = {SENSOR_GRAD, SENSOR_MAG, SENSOR_EEG,  SENSOR_GRAD,
                                         SENSOR_MAG,  SENSOR_MAG, SENSOR_GRAD, SENSOR_EEG};

static void make_covariance(double c[64], size_t n_samples)
{
    static const double units[SENSOR_KINDS] = {1e-13, 1e-12, 1e-6, 1.0};
    GRand *rand = g_rand_new_with_seed(1);
    memset(c, 0, 64 * sizeof(double));
    for (size_t s = 0; s < n_samples; s++) {
        double x[8];
        fill_normal(rand, x, 8);
        for (size_t i = 0; i < 8 && s == 0; i++)
            x[i] *= 1e-5; // a direction of little noise
        for (size_t i = 0; i < 8; i++)
            for (size_t j = 0; j < 8; j++)
                c[8 * i + j] += x[i] * x[j] * units[eight[i]] * units[eight[j]];
    }
    g_rand_free(rand);
}

static bool same_group(size_t i, size_t j)
{
    return (eight[i] == SENSOR_EEG) == (eight[j] == SENSOR_EEG);
}

// W P C P W', without the block between MEG and EEG.
static void check_white(const struct whitener *w, const double *c, double tol)
{
    for (size_t a = 0; a < w->rank; a++)
        for (size_t b = 0; b < w->rank; b++) {
            double sum = 0.0;
            for (size_t i = 0; i < 8; i++)
                for (size_t j = 0; j < 8; j++)
                    if (same_group(i, j))
                        sum += w->matrix[a * 8 + i] * c[8 * i + j] * w->matrix[b * 8 + j];
            assert_close(sum, a == b ? 1.0 : 0.0, tol);
        }
}

static void whitened_noise_is_white(void **state)
{
    (void) state;
    double c[64];
    make_covariance(c, 50);
    static const double vectors[] = {1, 0, 0, 1, 0, 0, 2, 0};
    const struct projection projection = {"grad", false, 1, {8, letters}, vectors};
    struct channel_names chosen = {8, letters};
    for (size_t n_projections = 0; n_projections < 2; n_projections++) {
        g_autoptr(owned_projector_matrix) p =
            projector_matrix_new(&projection, n_projections, &chosen, NULL);
        struct whitener_input input = {.n = 8, .kind = eight, .covariance = c, .projector = p};
        g_autoptr(owned_whitener) w = whitener_new(&input, NULL);
        assert_int_equal(w->n_of_group[GROUP_MEG], 6);
        assert_int_equal(w->rank_of_group[GROUP_MEG], 6 - n_projections);
        assert_int_equal(w->rank_of_group[GROUP_EEG], 2);
        check_white(w, c, 1e-9);
        // what the projector takes out does not come through
        double gone[8] = {1e-12, 0, 0, 1e-12, 0, 0, 2e-12, 0};
        g_autofree double *out = whitener_apply(w, gone, 1);
        double norm = cblas_dnrm2((int) w->rank, out, 1);
        assert_true(n_projections == 0 ? norm > 1e-3 : norm < 1e-9);
    }
}

static void a_projection_across_groups_is_taken_out(void **state)
{
    (void) state;
    double c[64];
    make_covariance(c, 50);
    static const double vector[] = {1, 0, 1, 1, 0, 0, 0, 2};
    const struct projection projection = {"both", false, 1, {8, letters}, vector};
    struct channel_names chosen = {8, letters};
    g_autoptr(owned_projector_matrix) p = projector_matrix_new(&projection, 1, &chosen, NULL);
    struct whitener_input input = {.n = 8, .kind = eight, .covariance = c, .projector = p};
    g_autoptr(owned_whitener) w = whitener_new(&input, NULL);
    g_autofree double *out = whitener_apply(w, vector, 1);
    double largest = cblas_dnrm2((int) (w->rank * w->n), w->matrix, 1);
    assert_true(cblas_dnrm2((int) w->rank, out, 1) <= 1e-12 * largest);
}

static void the_rank_is_that_of_the_samples(void **state)
{
    (void) state;
    double c[64];
    make_covariance(c, 4); // 4 directions for 6 MEG channels
    struct channel_names chosen = {8, letters};
    g_autoptr(owned_projector_matrix) p = projector_matrix_new(NULL, 0, &chosen, NULL);
    struct whitener_input input = {.n = 8, .kind = eight, .covariance = c, .projector = p};
    g_autoptr(owned_whitener) w = whitener_new(&input, NULL);
    assert_int_equal(w->rank_of_group[GROUP_MEG], 4);
    assert_int_equal(w->rank, 6);
    check_white(w, c, 1e-5);
}

static void variances_alone_have_the_rank_that_projections_leave(void **state)
{
    (void) state;
    double c[64] = {0};
    for (size_t i = 0; i < 8; i++)
        c[9 * i] = eight[i] == SENSOR_EEG ? 1e-12 : 1e-24;
    c[9 * 3] = 0.0;
    static const double vectors[] = {1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1};
    const struct projection projection = {"two", false, 2, {8, letters}, vectors};
    struct channel_names chosen = {8, letters};
    g_autoptr(owned_projector_matrix) p = projector_matrix_new(&projection, 1, &chosen, NULL);
    struct whitener_input input = {
        .n = 8, .kind = eight, .covariance = c, .is_diagonal = true, .projector = p};
    g_autoptr(owned_whitener) w = whitener_new(&input, NULL);
    assert_int_equal(w->rank_of_group[GROUP_MEG], 4);
    assert_int_equal(w->rank_of_group[GROUP_EEG], 1);
}

static void noise_of_rank_zero_is_refused(void **state)
{
    (void) state;
    double c[64];
    make_covariance(c, 50);
    for (size_t i = 0; i < 64; i++)
        if (eight[i / 8] == SENSOR_EEG || eight[i % 8] == SENSOR_EEG)
            c[i] = 0.0;
    struct channel_names chosen = {8, letters};
    g_autoptr(owned_projector_matrix) p = projector_matrix_new(NULL, 0, &chosen, NULL);
    struct whitener_input input = {.n = 8, .kind = eight, .covariance = c, .projector = p};
    g_autoptr(GError) error = NULL;
    assert_null(whitener_new(&input, &error));
    assert_true(g_error_matches(error, SOURCES_ERROR, SOURCES_ERROR_RANK));
    assert_non_null(strstr(error->message, "eeg"));
}

static void the_golden_channels_and_ranks(void **state)
{
    (void) state;
    g_autoptr(owned_golden_chain) chain = golden_chain_read();
    if (chain == NULL)
        skip();
    g_autofree char *path = shared_data("golden_meeg/channels.txt");
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strstrip(text), "\n", -1);
    assert_int_equal(chain->choice->n, 364);
    assert_int_equal(g_strv_length(lines), 364);
    for (size_t i = 0; i < 364; i++)
        assert_string_equal(chain->chosen[i], g_strstrip(lines[i]));
    assert_int_equal(chain->projector->n_vectors, 4);
    assert_int_equal(chain->whitener->n_of_group[GROUP_MEG], 305);
    assert_int_equal(chain->whitener->rank_of_group[GROUP_MEG], 302);
    assert_int_equal(chain->whitener->rank_of_group[GROUP_EEG], 58);
}

// W' W of rows x n matrices; unique, where W is not.
static double *square_of(const double *w, size_t n_rows, size_t n)
{
    double *square = g_new(double, n *n);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int) n, (int) n, (int) n_rows, 1.0, w,
                (int) n, w, (int) n, 0.0, square, (int) n);
    return square;
}

static void check_equal(const double *a, const double *b, size_t n, double tol)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(b[i]));
    assert_true(max_abs_difference(a, b, n) <= tol * largest);
}

static void the_golden_whitener_up_to_a_rotation(void **state)
{
    (void) state;
    g_autoptr(owned_golden_chain) chain = golden_chain_read();
    if (chain == NULL)
        skip();
    g_autoptr(owned_array) w = golden_array("whitener.npy");
    g_autoptr(owned_array) data = golden_array("data_physical.npy");
    g_autoptr(owned_array) white = golden_array("data_whitened.npy");
    g_autofree double *ours = square_of(chain->whitener->matrix, 360, 364);
    g_autofree double *golden = square_of(w->values, 360, 364);
    check_equal(ours, golden, 364 * 364, 1e-6);
    g_autofree double *m = whitener_apply(chain->whitener, data->values, 85);
    g_autofree double *our_power = square_of(m, 360, 85);
    g_autofree double *golden_power = square_of(white->values, 360, 85);
    check_equal(our_power, golden_power, 85 * 85, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_projection_across_groups_is_taken_out),
        cmocka_unit_test(directions_are_one_below_a_hundredth),
        cmocka_unit_test(a_projection_that_loses_much_is_named),
        cmocka_unit_test(channels_are_chosen_in_the_order_of_the_recording),
        cmocka_unit_test(names_are_found_exactly_or_without_spaces),
        cmocka_unit_test(noise_of_rank_zero_is_refused),
        cmocka_unit_test(projections_are_taken_out_once),
        cmocka_unit_test(projections_that_leave_nothing_are_refused),
        cmocka_unit_test(the_golden_channels_and_ranks),
        cmocka_unit_test(the_golden_whitener_up_to_a_rotation),
        cmocka_unit_test(the_rank_is_that_of_the_samples),
        cmocka_unit_test(variances_alone_have_the_rank_that_projections_leave),
        cmocka_unit_test(whitened_noise_is_white),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
