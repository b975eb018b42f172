// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden_chain.h"

#include <cblas.h>
#include <string.h>

static void check_equal(const double *a, const double *b, size_t n, double tol)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(b[i]));
    assert_true(max_abs_difference(a, b, n) <= tol * largest);
}

static void axes_are_orthonormal_and_end_with_the_normal(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(1);
    for (int i = 0; i < 200; i++) {
        double normal[3], axes[9];
        fill_normal(rand, normal, 3);
        if (i < 2)
            normal[0] = normal[1] = 0.0;
        if (i < 2)
            normal[2] = i == 0 ? 1.0 : -1.0;
        double norm = cblas_dnrm2(3, normal, 1);
        for (size_t c = 0; c < 3; c++)
            normal[c] /= norm;
        leadfield_axes(normal, axes);
        for (size_t a = 0; a < 3; a++)
            for (size_t b = 0; b < 3; b++)
                assert_close(cblas_ddot(3, axes + 3 * a, 1, axes + 3 * b, 1), a == b ? 1.0 : 0.0,
                             1e-14);
        assert_memory_equal(axes + 6, normal, sizeof normal);
    }
    g_rand_free(rand);
}

static void points_turn_and_move_vectors_turn_only(void **state)
{
    (void) state;
    static const float transform[3][4] = {{0, -1, 0, 5}, {1, 0, 0, 6}, {0, 0, 1, 7}};
    double point[] = {1, 2, 3}, vector[] = {1, 2, 3};
    leadfield_move_points(transform, point, 1);
    leadfield_turn_vectors(transform, vector, 1);
    static const double moved[] = {3, 7, 10}, turned[] = {-2, 1, 3};
    assert_memory_equal(point, moved, sizeof moved);
    assert_memory_equal(vector, turned, sizeof turned);
}

static void normals_are_those_of_patches(void **state)
{
    (void) state;
    // sources 1 and 4; point 4's patch is its own, source 1 is no value of nearest: the next, 3
    static const double normals[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, -1};
    static const int32_t nearest[] = {0, 3, 3, 0, 4};
    static const size_t vertex[] = {1, 4};
    struct source_points points = {5, normals, 2, vertex, nearest};
    double out[6];
    leadfield_normals(&points, out);
    const double half = sqrt(0.5), patches[] = {0, half, half, 0, 0, -1};
    assert_true(max_abs_difference(out, patches, 6) <= 1e-15);
    points.nearest = NULL;
    leadfield_normals(&points, out);
    static const double own[] = {0, 1, 0, 0, 0, -1};
    assert_memory_equal(out, own, sizeof own);
}

static void a_source_after_all_patches_has_the_last(void **state)
{
    (void) state;
    static const double normals[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    static const int32_t nearest[] = {0, 0, 1};
    static const size_t vertex[] = {2};
    struct source_points points = {3, normals, 1, vertex, nearest};
    double out[3];
    leadfield_normals(&points, out);
    assert_memory_equal(out, normals + 6, sizeof out);
}

// Four channels that are white already, two positions, of which the second is not seen.
struct small {
    struct whitener whitener;
    double identity[16], gain[24];
    struct leadfield_input input;
};

static void small_init(struct small *small)
{
    static const double normals[] = {0, 0, 1, 0, 1, 0};
    *small = (struct small){0};
    for (size_t i = 0; i < 4; i++)
        small->identity[5 * i] = 1.0;
    for (size_t i = 0; i < 12; i++)
        small->gain[i] = cos((double) (i * i));
    small->whitener = (struct whitener){.n = 4, .rank = 4, .matrix = small->identity};
    small->input = (struct leadfield_input){.whitener = &small->whitener,
                                            .gain = small->gain,
                                            .n_positions = 2,
                                            .normals = normals,
                                            .orientation = ORIENTATION_LOOSE,
                                            .loose = 0.2,
                                            .depth = 0.8};
}

static void a_position_that_nothing_sees_has_finite_weights(void **state)
{
    (void) state;
    struct small small;
    small_init(&small);
    g_autoptr(owned_leadfield) g = leadfield_new(&small.input, NULL);
    assert_close(cblas_ddot(24, g->gain, 1, g->gain, 1), 4.0, 1e-12);
    for (size_t j = 0; j < 3; j++) {
        assert_close(g->weight[3 + j], g->weight[j], 1e-12);
        assert_true(isfinite(g->weight[j]) && g->weight[j] > 0.0);
    }
    assert_close(g->weight[0], sqrt(0.2) * g->weight[2], 1e-12);
    assert_close(g->weight[1], g->weight[0], 1e-15);
}

static void geometry_that_is_not_there_is_refused(void **state)
{
    (void) state;
    struct small small;
    small_init(&small);
    g_autoptr(GError) error = NULL;
    small.input.normals = NULL;
    assert_null(leadfield_new(&small.input, &error));
    assert_true(g_error_matches(error, SOURCES_ERROR, SOURCES_ERROR_GEOMETRY));
    g_clear_error(&error);
    small.input.orientation = ORIENTATION_FREE;
    g_autoptr(owned_leadfield) g = leadfield_new(&small.input, &error);
    assert_non_null(g);
    memset(small.gain, 0, sizeof small.gain);
    assert_null(leadfield_new(&small.input, &error));
    assert_true(g_error_matches(error, SOURCES_ERROR, SOURCES_ERROR_GEOMETRY));
}

static double *gram_of(const double *gain, size_t n_rows, size_t n)
{
    double *gram = g_new(double, n *n);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int) n, (int) n, (int) n_rows, 1.0, gain,
                (int) n_rows, gain, (int) n_rows, 0.0, gram, (int) n);
    return gram;
}

// G' M, n_columns x n_time, row-major.
static double *product_of(const double *gain, const double *data, size_t n_rows, size_t n_columns,
                          size_t n_time)
{
    double *out = g_new(double, n_columns *n_time);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) n_columns, (int) n_time,
                (int) n_rows, 1.0, gain, (int) n_rows, data, (int) n_time, 0.0, out, (int) n_time);
    return out;
}

struct pair {
    struct leadfield *leadfield;
    struct golden_case *golden;
    double *ours, *theirs; // G' M
};

static bool pair_read(struct pair *pair, const char *name, enum source_orientation orientation)
{
    g_autoptr(owned_golden_chain) chain = golden_chain_read();
    if (chain == NULL)
        return false;
    pair->leadfield = golden_chain_leadfield(chain, orientation, 0.2, 0.8);
    pair->golden = golden_case_read(name);
    g_autoptr(owned_array) data = golden_array("data_physical.npy");
    g_autofree double *m = whitener_apply(chain->whitener, data->values, 85);
    size_t n = pair->golden->n_columns;
    assert_int_equal(n, pair->leadfield->n_positions * pair->leadfield->n_orient);
    pair->ours = product_of(pair->leadfield->gain, m, 360, n, 85);
    pair->theirs = product_of(pair->golden->gain, pair->golden->data, 360, n, 85);
    g_autoptr(owned_array) weight = golden_of(name, "source_weighting.npy");
    check_equal(pair->leadfield->weight, weight->values, n, 1e-6);
    return true;
}

static void pair_clear(struct pair *pair)
{
    leadfield_free(pair->leadfield);
    golden_case_free(pair->golden);
    g_free(pair->ours);
    g_free(pair->theirs);
}

static void check_products(const char *name, enum source_orientation orientation)
{
    struct pair pair;
    if (!pair_read(&pair, name, orientation)) {
        skip();
        return;
    }
    size_t n = pair.golden->n_columns;
    check_equal(pair.ours, pair.theirs, n * 85, 1e-6);
    g_autofree double *ours = gram_of(pair.leadfield->gain, 360, n);
    g_autofree double *theirs = gram_of(pair.golden->gain, 360, n);
    check_equal(ours, theirs, n * n, 1e-6);
    pair_clear(&pair);
}

static void the_golden_fixed_leadfield_up_to_a_rotation(void **state)
{
    (void) state;
    check_products("small_fixed", ORIENTATION_FIXED);
}

static void the_golden_free_leadfield_up_to_a_rotation(void **state)
{
    (void) state;
    check_products("small_free", ORIENTATION_FREE);
}

// Tangents may be turned in their plane: axes' G_k' M is a vector in head frame that does not
// depend on them, once tangents and normal have the same weight.
static void the_golden_loose_leadfield_up_to_its_tangents(void **state)
{
    (void) state;
    struct pair pair;
    if (!pair_read(&pair, "small_loose", ORIENTATION_LOOSE)) {
        skip();
        return;
    }
    g_autofree double *axes = golden_numbers("small_loose/source_axes.npy", 498 * 9);
    double largest = 0.0, worst = 0.0, alpha_max[2] = {0.0, 0.0};
    for (size_t k = 0; k < 498; k++) {
        const double *ours = pair.ours + 3 * 85 * k, *theirs = pair.theirs + 3 * 85 * k;
        alpha_max[0] = fmax(alpha_max[0], cblas_dnrm2(255, ours, 1));
        alpha_max[1] = fmax(alpha_max[1], cblas_dnrm2(255, theirs, 1));
        for (size_t t = 0; t < 85; t++)
            for (size_t c = 0; c < 3; c++) {
                double a = 0.0, b = 0.0;
                for (size_t o = 0; o < 3; o++) {
                    a += ours[o * 85 + t] * pair.leadfield->axes[9 * k + 3 * o + c];
                    b += theirs[o * 85 + t] * axes[9 * k + 3 * o + c];
                }
                largest = fmax(largest, fabs(b));
                worst = fmax(worst, fabs(a - b));
            }
    }
    assert_true(worst <= 1e-6 * largest);
    assert_close(alpha_max[0], 18.31200458961497, 1e-6 * alpha_max[1]);
    pair_clear(&pair);
}

static void the_golden_normals_of_patches(void **state)
{
    (void) state;
    g_autoptr(owned_golden_chain) chain = golden_chain_read();
    if (chain == NULL)
        skip();
    g_autoptr(owned_array) golden = golden_of("small_fixed", "source_normals.npy");
    g_autofree double *normals = golden_chain_normals(chain);
    check_equal(normals, golden->values, 498 * 3, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_that_nothing_sees_has_finite_weights),
        cmocka_unit_test(a_source_after_all_patches_has_the_last),
        cmocka_unit_test(axes_are_orthonormal_and_end_with_the_normal),
        cmocka_unit_test(geometry_that_is_not_there_is_refused),
        cmocka_unit_test(normals_are_those_of_patches),
        cmocka_unit_test(points_turn_and_move_vectors_turn_only),
        cmocka_unit_test(the_golden_fixed_leadfield_up_to_a_rotation),
        cmocka_unit_test(the_golden_free_leadfield_up_to_a_rotation),
        cmocka_unit_test(the_golden_loose_leadfield_up_to_its_tangents),
        cmocka_unit_test(the_golden_normals_of_patches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
