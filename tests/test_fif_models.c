// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"
#include "tests/meeg_truth.h"

#include "io/fif_covariance.h"
#include "io/fif_forward.h"

// Forward solutions and covariances. The numbers of real files are those of MNE-Python 1.3.0.

static double sum_of_squares(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

struct space_truth {
    size_t n_in_use;
    int32_t id;
    size_t first_vertex[5];
    size_t last_vertex;
    double points[3];
    double normals[3];
};

static void check_space(const struct source_space *space, const struct space_truth *truth)
{
    assert_int_equal(space->n_points, 1026);
    assert_int_equal(space->id, truth->id);
    assert_int_equal(space->type, SOURCE_SURFACE);
    assert_int_equal(space->n_in_use, truth->n_in_use);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(space->vertex[i], truth->first_vertex[i]);
    assert_int_equal(space->vertex[space->n_in_use - 1], truth->last_vertex);
    for (size_t d = 0; d < 3; d++) {
        double points = 0.0;
        double normals = 0.0;
        for (size_t i = 0; i < space->n_in_use; i++) {
            points += space->points[3 * space->vertex[i] + d];
            normals += space->normals[3 * space->vertex[i] + d];
        }
        assert_close(points, truth->points[d], 1e-5);
        assert_close(normals, truth->normals[d], 1e-5);
    }
    assert_non_null(space->nearest);
}

/** The rows of the gain against truth.tsv, by the SHA-256 of their floats. */
static void check_gain(const struct forward *forward, const char *file)
{
    g_autoptr(GPtrArray) rows = truth_rows(file);
    assert_int_equal(rows->len, forward->n_channels);
    for (size_t i = 0; i < forward->n_channels; i++) {
        char **row = rows->pdata[i];
        assert_string_equal(forward->names[i], row[TRUTH_NAME]);
        assert_string_equal(channel_kind_name(forward->kinds[i]), row[TRUTH_TYPE]);
        g_autoptr(GChecksum) hash = g_checksum_new(G_CHECKSUM_SHA256);
        for (size_t j = 0; j < 3 * forward->n_sources; j++) {
            float number = (float) forward->gain[j * forward->n_channels + i];
            uint32_t bits;
            memcpy(&bits, &number, sizeof bits);
            bits = GUINT32_TO_LE(bits);
            g_checksum_update(hash, (const guchar *) &bits, sizeof bits);
        }
        assert_string_equal(g_checksum_get_string(hash), row[TRUTH_SHA256]);
    }
}

static const struct {
    const char *name;
    size_t n_sources;
    double norm;
    const char *near; // of the warning of sources next to each other
    struct space_truth space[2];
} forwards[] = {
    {"meeg/sample-small-meg-eeg-fwd.fif",
     498,
     17509.16796875,
     NULL,
     {{246,
       SOURCE_LEFT,
       {8, 12, 14, 24, 27},
       1022,
       {-8.172084095584792, 5.625561895373556, 17.612951638201327},
       {-1.5738391175205184, 5.075974552992409, 3.821690102210879}},
      {252,
       SOURCE_RIGHT,
       {1, 2, 5, 18, 26},
       1021,
       {6.140174318823781, 4.990976968692647, 18.60140330660777},
       {3.23175748481953, 3.5599920201511743, 4.36986371326492}}}},
    {"meeg/sample-all-meg-eeg-fwd.fif",
     1984,
     34942.8046875,
     "3 of 1984",
     {{989,
       SOURCE_LEFT,
       {1, 4, 7, 8, 9},
       1025,
       {-33.03017418736351, 21.767177408331325, 71.28858447935583},
       {-10.317139434213074, 8.047479778129198, 15.435455473473464}},
      {995,
       SOURCE_RIGHT,
       {0, 1, 2, 4, 5},
       1025,
       {24.14545807367339, 19.3509750571354, 73.5193931142264},
       {12.156102216792789, 5.682108992568987, 21.238209791842397}}}},
};

static void forward_solutions_are_those_of_other_readers(void **state)
{
    (void) state;
    struct io_context io = io_context_default();
    for (size_t i = 0; i < G_N_ELEMENTS(forwards); i++) {
        g_autofree char *path = shared_data(forwards[i].name);
        if (path == NULL)
            skip();
        g_autoptr(owned_forward) forward = fif_forward_read(path, &io, NULL);
        assert_non_null(forward);
        assert_int_equal(forward->n_channels, 366);
        assert_int_equal(forward->n_sources, forwards[i].n_sources);
        assert_int_equal(forward->frame, FIF_FRAME_HEAD);
        assert_int_equal(forward->n_spaces, 2);
        assert_int_equal(forward->warnings->len, forwards[i].near == NULL ? 0 : 1);
        if (forwards[i].near != NULL)
            assert_non_null(strstr(forward->warnings->pdata[0], forwards[i].near));
        double norm = sqrt(sum_of_squares(forward->gain, 366 * 3 * forward->n_sources));
        assert_close(norm, forwards[i].norm, 1e-7 * norm);
        for (size_t s = 0; s < 2; s++)
            check_space(&forward->space[s], &forwards[i].space[s]);
        check_gain(forward, forwards[i].name + strlen("meeg/"));
        assert_true(forward->has_mri_to_head);
        assert_close((double) forward->mri_to_head[1][2], 0.582954407, 1e-7);
    }
}

static void covariances_are_those_of_other_readers(void **state)
{
    (void) state;
    g_autofree char *path = shared_data("meeg/sample-cov.fif");
    if (path == NULL)
        skip();
    struct io_context io = io_context_default();
    g_autoptr(owned_covariance) covariance = fif_covariance_read(path, &io, NULL);
    assert_non_null(covariance);
    size_t n = covariance->n;
    assert_int_equal(n, 366);
    assert_int_equal(covariance->n_free, 2904);
    assert_string_equal(covariance->names[0], "MEG 0113");
    assert_string_equal(covariance->names[n - 1], "EEG 060");
    double trace = 0.0;
    for (size_t i = 0; i < n; i++) {
        trace += covariance->diagonal[i];
        assert_true(covariance->diagonal[i] == covariance->matrix[i * n + i]);
        for (size_t j = 0; j < i; j++)
            assert_true(covariance->matrix[i * n + j] == covariance->matrix[j * n + i]);
    }
    assert_close(trace, 1.5445865128107427e-09, 1e-22);
    assert_close(sqrt(sum_of_squares(covariance->matrix, n * n)), 5.246789519417666e-10, 1e-22);
    assert_close(covariance->matrix[0], 3.501279266539161e-23, 1e-37);
    assert_close(covariance->matrix[n * n - 1], 1.9072635380722415e-11, 1e-25);
    assert_close(covariance->matrix[1], 6.87212229725353e-24, 1e-38);
    static const char *const names[] = {"PCA-v1", "PCA-v2", "PCA-v3", "Average EEG reference"};
    assert_int_equal(covariance->projectors->len, 4);
    for (guint i = 0; i < 4; i++) {
        const struct projector *projector = covariance->projectors->pdata[i];
        assert_string_equal(projector->name, names[i]);
        assert_true(projector->active);
    }
    assert_null(covariance->bads[0]);
}

static void a_file_of_another_kind_is_refused(void **state)
{
    (void) state;
    g_autofree char *path = shared_data("meeg/sample-cov.fif");
    g_autofree char *forward_path = shared_data("meeg/sample-small-meg-eeg-fwd.fif");
    if (path == NULL || forward_path == NULL)
        skip();
    struct io_context io = io_context_default();
    GError *error = NULL;
    assert_null(fif_forward_read(path, &io, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "found a noise covariance");
    assert_null(fif_covariance_read(forward_path, &io, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "found a forward solution");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_solutions_are_those_of_other_readers),
        cmocka_unit_test(covariances_are_those_of_other_readers),
        cmocka_unit_test(a_file_of_another_kind_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
