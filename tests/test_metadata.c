// SPDX-License-Identifier: BSD-3-Clause
#include "tests/nifti_maker.h"

#include "io/metadata.h"

#include <unistd.h>

// A run of 6 frames in a dataset, sub-1/func/sub-1_task-a_bold.nii, with what stands beside it.

struct dataset {
    char *root;
    char *folder; // root/sub-1/func
    char *path;   // of the image
};

static void put_text(const char *folder, const char *name, const char *text)
{
    g_free(write_file(folder, name, text, strlen(text)));
}

static struct dataset make_dataset(double pixdim4, int units)
{
    struct dataset set = {.root = temporary_folder()};
    set.folder = g_build_filename(set.root, "sub-1", "func", NULL);
    assert_int_equal(g_mkdir_with_parents(set.folder, 0700), 0);
    put_text(set.root, "dataset_description.json", "{}");
    struct maker maker = maker_new(1, false);
    set_field(&maker, F_PIXDIM, 4, pixdim4);
    set_field(&maker, F_XYZT_UNITS, 0, 2 + units);
    append_samples(&maker, 'i', 2);
    set.path = maker_write(&maker, set.folder, "sub-1_task-a_bold.nii");
    return set;
}

static void remove_dataset(struct dataset *set)
{
    g_autofree char *subject = g_build_filename(set->root, "sub-1", NULL);
    remove_folder(set->folder);
    g_rmdir(subject);
    remove_folder(set->root);
    g_free(set->path);
}

static struct metadata *gather(const struct dataset *set, double given_tr_s, GError **error)
{
    struct io_context io = io_context_default();
    g_autoptr(owned_recording) recording = recording_open(set->path, &io, error);
    assert_non_null(recording);
    return metadata_new(recording, NULL, given_tr_s, error);
}

enum { SECONDS = 8, MILLISECONDS = 16, MICROSECONDS = 24, NO_UNIT = 0 };

static void the_time_is_inherited_and_the_nearest_counts(G_GNUC_UNUSED void **state)
{
    struct dataset set = make_dataset(1, SECONDS);
    GError *error = NULL;
    put_text(set.root, "task-a_bold.json", "{\"RepetitionTime\": 2.5, \"EchoTime\": 0.03}");
    put_text(set.root, "task-b_bold.json", "{\"RepetitionTime\": 9}");
    g_autoptr(owned_metadata) top = gather(&set, 0, &error);
    assert_null(error);
    assert_close(top->tr_s, 2.5, 0);
    assert_string_equal(top->source, "sidecar");
    assert_int_equal(top->sidecars->len, 1);
    assert_int_equal(top->warnings->len, 1); // the header's 1 s
    assert_non_null(strstr(top->warnings->pdata[0], "2.5 s by the sidecar, and 1 s by the header"));

    put_text(set.folder, "sub-1_task-a_bold.json", "{\"RepetitionTime\": 2}");
    put_text(set.folder, "task-a_bold.json", "{\"RepetitionTime\": 4, \"FlipAngle\": 70}");
    g_autoptr(owned_metadata) all = gather(&set, 0, &error);
    assert_close(all->tr_s, 2, 0);
    assert_int_equal(all->sidecars->len, 3);
    assert_close(json_object_get_double_member(all->json, "EchoTime"), 0.03, 0);
    assert_close(json_object_get_double_member(all->json, "FlipAngle"), 70, 0);
    g_autoptr(owned_metadata) given = gather(&set, 3, &error);
    assert_close(given->tr_s, 3, 0);
    assert_string_equal(given->source, "option");
    assert_int_equal(given->warnings->len, 2);
    remove_dataset(&set);
}

// Each is refused, naming it, without a time that is given; with one it is told.
static void what_cannot_be_read_is_refused_unless_the_time_is_given(G_GNUC_UNUSED void **state)
{
    static const char *const texts[][2] = {
        {"", "found"},
        {"{\"RepetitionTime\": 2.0, \"EchoTime\": NaN}", "expected JSON"},
        {"{\"RepetitionTime\": 2.0, \"InstitutionName\": \"Universit\xe4t\"}", "UTF-8"},
        {"\xef\xbb\xbf{\"RepetitionTime\": 2.0}", "byte order mark"},
        {"{\"RepetitionTime\": 2.0, \"InstitutionAddress\": \"200\nRochester\"}", "line break"},
        {"{\"RepetitionTime\": 2.0,", "expected JSON"},
        {"[2.0]", "JSON object"},
        {"{\"RepetitionTime\": 2000}", "RepetitionTime"},
        {"{\"RepetitionTime\": 0.002}", "0.002 s in the sidecar"},
        {"{\"VolumeTiming\": [0, 2, 4]}", "6 frames, found 3"},
    };
    struct dataset set = make_dataset(2, SECONDS);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        GError *error = NULL;
        put_text(set.folder, "sub-1_task-a_bold.json", texts[i][0]);
        assert_null(gather(&set, 0, &error));
        assert_true(g_error_matches(error, IO_ERROR, IO_ERROR_INPUT));
        assert_non_null(strstr(error->message, "sub-1_task-a_bold"));
        if (strstr(error->message, texts[i][1]) == NULL)
            fail_msg("%s", error->message);
        g_clear_error(&error);
        g_autoptr(owned_metadata) given = gather(&set, 2, &error);
        assert_null(error);
        assert_close(given->tr_s, 2, 0);
        assert_int_equal(given->warnings->len, 1);
    }
    remove_dataset(&set);
}

static void a_dangling_link_is_refused(G_GNUC_UNUSED void **state)
{
    struct dataset set = make_dataset(2, SECONDS);
    GError *error = NULL;
    g_autofree char *link = g_build_filename(set.folder, "sub-1_task-a_bold.json", NULL);
    assert_int_equal(symlink(".git/annex/objects/x.json", link), 0);
    assert_null(gather(&set, 0, &error));
    assert_non_null(strstr(error->message, "sub-1_task-a_bold.json: annexed file not present"));
    g_clear_error(&error);
    remove_dataset(&set);
}

static void an_implausible_header_is_refused_with_what_it_may_mean(G_GNUC_UNUSED void **state)
{
    static const struct {
        double pixdim4;
        int units;
        const char *says;
    } cases[] = {
        {2, MILLISECONDS, "0.002 s in the header (2 labelled ms: seconds?)"},
        {2, MICROSECONDS, "2e-06 s in the header (2 labelled us: seconds?)"},
        {0.0499, SECONDS, "0.0499 s in the header"},
        {1500, SECONDS, "1500 s in the header (milliseconds?)"},
        {2, NO_UNIT, "2 without a unit in the header"},
        {0, SECONDS, "0 in the header"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct dataset set = make_dataset(cases[i].pixdim4, cases[i].units);
        GError *error = NULL;
        assert_null(gather(&set, 0, &error));
        assert_true(g_error_matches(error, IO_ERROR, IO_ERROR_INPUT));
        if (strstr(error->message, cases[i].says) == NULL)
            fail_msg("%s", error->message);
        g_clear_error(&error);
        g_autoptr(owned_metadata) given = gather(&set, 0.04, &error);
        assert_close(given->tr_s, 0.04, 0);
        remove_dataset(&set);
    }
}

static void plausible_headers_are_taken(G_GNUC_UNUSED void **state)
{
    static const struct {
        double pixdim4, tr_s;
        int units;
        guint n_warnings;
    } cases[] = {{2, 2, SECONDS, 0},   {720, 0.72, MILLISECONDS, 0}, {0.05, 0.05, SECONDS, 0},
                 {20, 20, SECONDS, 0}, {1, 1, SECONDS, 1},           {1000, 1, MILLISECONDS, 1}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct dataset set = make_dataset(cases[i].pixdim4, cases[i].units);
        GError *error = NULL;
        g_autoptr(owned_metadata) metadata = gather(&set, 0, &error);
        assert_null(error);
        assert_close(metadata->tr_s, cases[i].tr_s, 1e-15);
        assert_string_equal(metadata->source, "header");
        assert_int_equal(metadata->warnings->len, cases[i].n_warnings);
        assert_null(metadata->json);
        remove_dataset(&set);
    }
}

static void frames_at_unequal_distances_are_refused(G_GNUC_UNUSED void **state)
{
    struct dataset set = make_dataset(2, SECONDS);
    GError *error = NULL;
    put_text(set.folder, "sub-1_task-a_bold.json", "{\"VolumeTiming\": [0, 2, 4, 9, 11, 13]}");
    assert_null(gather(&set, 0, &error));
    assert_io_error(&error, IO_ERROR_INPUT,
                    "VolumeTiming: expected frames at equal distances, found 2 s at the beginning, "
                    "and 5 s between frames 2 and 3");
    put_text(set.folder, "sub-1_task-a_bold.json", "{\"VolumeTiming\": [0, -2, -4, -6, -8, -10]}");
    assert_null(gather(&set, 0, &error));
    assert_io_error(&error, IO_ERROR_INPUT, "found -2 s at the beginning");
    put_text(set.folder, "sub-1_task-a_bold.json",
             "{\"VolumeTiming\": [1, 4, 7, 10.0002, 13, 16]}");
    g_autoptr(owned_metadata) metadata = gather(&set, 0, &error);
    assert_null(error);
    assert_close(metadata->tr_s, 3, 1e-12);
    assert_string_equal(metadata->source, "sidecar");
    remove_dataset(&set);
}

static void outputs_carry_what_their_readers_expect(G_GNUC_UNUSED void **state)
{
    struct dataset set = make_dataset(2, SECONDS);
    GError *error = NULL;
    put_text(set.folder, "sub-1_task-a_bold.json",
             "{\"RepetitionTime\": 2, \"StartTime\": 1.0, \"SliceTimingCorrected\": true,"
             " \"DelayTime\": 0.5, \"EchoTime\": [0.01, 0.03], \"SliceEncodingDirection\": \"k-\","
             " \"NumberOfVolumesDiscardedByUser\": 3, \"PatientName\": \"X\","
             " \"PhaseEncodingDirection\": \"John Doe\", \"FlipAngle\": \"John Doe\"}");
    g_autoptr(owned_metadata) metadata = gather(&set, 0, &error);
    g_autoptr(JsonObject) out = json_object_new();
    metadata_carry(metadata, 10, out);
    assert_close(json_object_get_double_member(out, "StartTime"), 21, 0);
    assert_int_equal(json_object_get_int_member(out, "NumberOfVolumesDiscardedByUser"), 13);
    assert_true(json_object_get_boolean_member(out, "SliceTimingCorrected"));
    assert_close(json_object_get_double_member(out, "DelayTime"), 0.5, 0);
    assert_int_equal(json_array_get_length(json_object_get_array_member(out, "EchoTime")), 2);
    assert_string_equal(json_object_get_string_member(out, "SliceEncodingDirection"), "k-");
    assert_false(json_object_has_member(out, "PatientName"));
    assert_false(json_object_has_member(out, "PhaseEncodingDirection"));
    assert_false(json_object_has_member(out, "FlipAngle"));
    assert_int_equal(json_object_get_size(out), 6);

    put_text(set.folder, "sub-1_task-a_bold.json", "{\"RepetitionTime\": 2}");
    g_autoptr(owned_metadata) plain = gather(&set, 0, &error);
    g_autoptr(JsonObject) nothing = json_object_new();
    metadata_carry(plain, 0, nothing);
    assert_int_equal(json_object_get_size(nothing), 0);
    metadata_carry(plain, 4, nothing);
    assert_close(json_object_get_double_member(nothing, "StartTime"), 8, 0);
    assert_int_equal(json_object_get_int_member(nothing, "NumberOfVolumesDiscardedByUser"), 4);
    remove_dataset(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_is_inherited_and_the_nearest_counts),
        cmocka_unit_test(what_cannot_be_read_is_refused_unless_the_time_is_given),
        cmocka_unit_test(a_dangling_link_is_refused),
        cmocka_unit_test(an_implausible_header_is_refused_with_what_it_may_mean),
        cmocka_unit_test(plausible_headers_are_taken),
        cmocka_unit_test(frames_at_unequal_distances_are_refused),
        cmocka_unit_test(outputs_carry_what_their_readers_expect),
    };
    return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
