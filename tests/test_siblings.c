// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"

#include "io/recording.h"
#include "io/siblings.h"

// A dataset in a folder of its own, with a BrainVision recording of three channels whose samples
// are 0: what stands beside it is tried.

struct dataset {
    char *root;
    char *session; // root/sub-1/eeg
    char *path;    // of the recording
};

static void put(const char *folder, const char *name, const char *text)
{
    g_free(write_file(folder, name, text, strlen(text)));
}

static struct dataset make_dataset(bool is_dataset)
{
    struct dataset set = {.root = temporary_folder()};
    set.session = g_build_filename(set.root, "sub-1", "eeg", NULL);
    assert_int_equal(g_mkdir_with_parents(set.session, 0700), 0);
    if (is_dataset)
        put(set.root, "dataset_description.json", "{}");
    const char *header = "Brain Vision Data Exchange Header File Version 1.0\n"
                         "[Common Infos]\nDataFile=$b.eeg\nMarkerFile=$b.vmrk\n"
                         "NumberOfChannels=3\nSamplingInterval=10000\n"
                         "[Binary Infos]\nBinaryFormat=INT_16\n"
                         "[Channel Infos]\nCh1=Fz,,0.5,uV\nCh2=Cz,,0.5,uV\nCh3=X 3,,0.5,uV\n";
    put(set.session, "sub-1_task-a_eeg.vhdr", header);
    put(set.session, "sub-1_task-a_eeg.vmrk",
        "Brain Vision Data Exchange Marker File Version 1.0\n[Marker Infos]\nMk1=Stimulus,S "
        "1,3,1,0\n");
    const uint8_t zeros[600] = {0};
    g_free(write_file(set.session, "sub-1_task-a_eeg.eeg", zeros, sizeof zeros));
    set.path = g_build_filename(set.session, "sub-1_task-a_eeg.vhdr", NULL);
    return set;
}

static struct recording *open_recording(const struct dataset *set)
{
    struct io_context io = io_context_default();
    GError *error = NULL;
    struct recording *recording = recording_open(set->path, &io, &error);
    if (recording == NULL)
        print_error("%s\n", error->message);
    assert_non_null(recording);
    return recording;
}

static void remove_dataset(struct dataset *set)
{
    g_autofree char *subject = g_build_filename(set->root, "sub-1", NULL);
    remove_folder(set->session);
    g_rmdir(subject);
    remove_folder(set->root);
    g_free(set->path);
}

static void channels_get_names_types_and_status_but_no_scale(void **state)
{
    (void) state;
    struct dataset set = make_dataset(true);
    put(set.session, "sub-1_task-a_channels.tsv",
        "name\ttype\tunits\tscale\tstatus\nCz\tEEG\tV\t9\tbad\nX3\tEOG\tmV\t9\tgood\n"
        "Fz\tEEG\tV\t9\tn/a\n");
    g_autoptr(owned_recording) recording = open_recording(&set);
    const struct channel *channel = recording->sensors->channel;
    assert_true(!channel[0].bad && channel[1].bad && !channel[2].bad);
    assert_int_equal(channel[2].kind, CHANNEL_EOG); // spaces do not count
    assert_string_equal(channel[2].name, "X3");
    for (size_t c = 0; c < 3; c++) {
        assert_close(channel[c].gain, 0.5e-6, 1e-22);
        assert_string_equal(channel[c].unit, "V");
    }
    // The units are contradicted, once for all channels.
    assert_int_equal(recording->warnings->len, 1);
    const char *warning = recording->warnings->pdata[0];
    assert_non_null(strstr(warning,
                           "units of 3 channels are not the file's (Cz: \"V\", in the file "
                           "\"uV\")"));
    remove_dataset(&set);
}

static void units_of_the_table_count_where_the_file_has_none(void **state)
{
    (void) state;
    static const struct {
        const char *in_file, *row;
        double gain;
        const char *unit;
        enum channel_kind kind;
        size_t n_warnings;
    } cases[] = {
        {"?", "Fz\tEEG\tuV", 0.5e-6, "V", CHANNEL_EEG, 1},
        {"?", "Fz\tn/a\tmV", 0.5e-3, "V", CHANNEL_EEG, 1},
        {"?", "Fz\tMISC\tmV", 0.5e-3, "V", CHANNEL_MISC, 1},
        {"?", "Fz\tEEG\tcups", 0.5, "?", CHANNEL_EEG, 0},
        {"?", "Fz\tEEG\tn/a", 0.5, "?", CHANNEL_EEG, 0},
        {"mV", "Fz\tEEG\tmV", 0.5e-3, "V", CHANNEL_EEG, 0},
        {"mV", "Fz\tEEG\tV", 0.5e-3, "V", CHANNEL_EEG, 1},
        {"mV", "Fz\tEEG\tT", 0.5e-3, "V", CHANNEL_EEG, 1},
        {"", "Fz\tEEG\tuV", 0.5e-6, "V", CHANNEL_EEG, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct dataset set = make_dataset(true);
        g_autofree char *header =
            g_strconcat("Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\n"
                        "DataFile=$b.eeg\nNumberOfChannels=1\nSamplingInterval=10000\n"
                        "[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\nCh1=Fz,,0.5,",
                        cases[i].in_file, "\n", NULL);
        g_autofree char *table = g_strconcat("name\ttype\tunits\n", cases[i].row, "\n", NULL);
        put(set.session, "sub-1_task-a_eeg.vhdr", header);
        put(set.session, "sub-1_task-a_channels.tsv", table);
        g_autoptr(owned_recording) recording = open_recording(&set);
        const struct channel *channel = recording->sensors->channel;
        assert_close(channel->gain, cases[i].gain, 1e-15 * cases[i].gain);
        assert_string_equal(channel->unit, cases[i].unit);
        assert_int_equal(channel->kind, cases[i].kind);
        size_t n = 0;
        for (guint w = 0; w < recording->warnings->len; w++)
            n += strstr(recording->warnings->pdata[w], "channels.tsv: units of 1 ") != NULL;
        assert_int_equal(n, cases[i].n_warnings);
        remove_dataset(&set);
    }
}

static void rows_of_other_names_rename_channels_by_their_place(void **state)
{
    (void) state;
    struct dataset set = make_dataset(true);
    put(set.session, "sub-1_task-a_channels.tsv", "name\ttype\nFz\tEEG\nPz\tMISC\nOz\tTRIG\n");
    g_autoptr(owned_recording) recording = open_recording(&set);
    assert_string_equal(recording->sensors->channel[1].name, "Pz");
    assert_string_equal(recording->sensors->channel[2].name, "Oz");
    assert_int_equal(recording->sensors->channel[2].kind, CHANNEL_STIM);
    remove_dataset(&set);
}

static void names_that_no_channel_has_are_warned_of(void **state)
{
    (void) state;
    struct dataset set = make_dataset(true);
    put(set.session, "sub-1_task-a_channels.tsv", "name\tstatus\nFz\tbad\nPz\tbad\n");
    g_autoptr(owned_recording) recording = open_recording(&set);
    assert_true(recording_has_flag(recording, "siblings"));
    assert_true(recording->sensors->channel[0].bad && !recording->sensors->channel[1].bad);
    remove_dataset(&set);
}

static void events_take_the_place_of_markers(void **state)
{
    (void) state;
    struct dataset set = make_dataset(true);
    g_autoptr(owned_recording) before = open_recording(&set);
    assert_int_equal(before->sensors->events->len, 1);
    put(set.session, "sub-1_task-a_events.tsv",
        "onset\tduration\ttrial_type\tvalue\n0.5\t0.25\tleft\t7\n0.1\tn/a\tn/a\t3\nn/a\t0\tx\t1\n");
    g_autoptr(owned_recording) recording = open_recording(&set);
    const GArray *events = recording->sensors->events;
    assert_int_equal(events->len, 2);
    const struct event *first = &g_array_index(events, struct event, 0);
    const struct event *second = &g_array_index(events, struct event, 1);
    assert_close(first->onset_s, 0.1, 0.0);
    assert_string_equal(first->text, "3");
    assert_int_equal(first->value, 3);
    assert_close(second->onset_s, 0.5, 0.0);
    assert_close(second->duration_s, 0.25, 0.0);
    assert_string_equal(second->text, "left");
    assert_int_equal(second->value, 7);
    assert_true(recording_has_flag(recording, "siblings")); // a row without an onset
    remove_dataset(&set);
}

static void positions_are_in_metres(void **state)
{
    (void) state;
    struct dataset set = make_dataset(true);
    put(set.session, "sub-1_electrodes.tsv",
        "name\tx\ty\tz\nFz\t1\t-20\t30.5\nCz\tn/a\tn/a\tn/a\n");
    g_autoptr(owned_recording) without = open_recording(&set);
    assert_true(recording_has_flag(without, "siblings")); // no unit
    assert_close(without->sensors->channel[0].loc[0], 0.0, 0.0);
    put(set.session, "sub-1_space-CapTrak_coordsystem.json", "{\"EEGCoordinateUnits\": \"mm\"}");
    g_autoptr(owned_recording) recording = open_recording(&set);
    const float *loc = recording->sensors->channel[0].loc;
    assert_close(loc[0], 1e-3, 1e-9);
    assert_close(loc[1], -20e-3, 1e-9);
    assert_close(loc[2], 30.5e-3, 1e-9);
    remove_dataset(&set);
}

static void the_nearest_of_inherited_files_counts(void **state)
{
    (void) state;
    struct dataset set = make_dataset(true);
    put(set.root, "task-a_eeg.json", "{\"PowerLineFrequency\": 60}");
    put(set.root, "task-b_eeg.json", "{\"PowerLineFrequency\": 400}"); // of another task
    put(set.root, "task-a_channels.tsv", "name\tstatus\nFz\tbad\n");
    g_autoptr(owned_recording) far = open_recording(&set);
    assert_close(far->sensors->line_hz, 60.0, 0.0);
    assert_true(far->sensors->channel[0].bad);
    put(set.session, "sub-1_task-a_eeg.json", "{\"PowerLineFrequency\": 50}");
    put(set.session, "sub-1_channels.tsv", "name\tstatus\nCz\tbad\n");
    put(set.session, "sub-1_task-a_channels.tsv", "name\tstatus\nX 3\tbad\n"); // more entities
    g_autoptr(owned_recording) near = open_recording(&set);
    assert_close(near->sensors->line_hz, 50.0, 0.0);
    const struct channel *channel = near->sensors->channel;
    assert_true(!channel[0].bad && !channel[1].bad && channel[2].bad);
    remove_dataset(&set);
}

static void nothing_is_inherited_where_there_is_no_dataset(void **state)
{
    (void) state;
    struct dataset set = make_dataset(false);
    put(set.root, "task-a_channels.tsv", "name\tstatus\nFz\tbad\n");
    g_autoptr(owned_recording) recording = open_recording(&set);
    assert_false(recording->sensors->channel[0].bad);
    remove_dataset(&set);
}

static void malformed_siblings_are_left_out_with_a_warning(void **state)
{
    (void) state;
    const char *const names[] = {"sub-1_task-a_channels.tsv", "sub-1_task-a_events.tsv",
                                 "sub-1_task-a_eeg.json"};
    const char *const texts[] = {"name\tstatus\nFz\n", "", "[1"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        struct dataset set = make_dataset(true);
        put(set.session, names[i], texts[i]);
        g_autoptr(owned_recording) recording = open_recording(&set);
        assert_true(recording_has_flag(recording, "siblings"));
        remove_dataset(&set);
    }
}

static void a_rate_that_disagrees_is_warned_of(void **state)
{
    (void) state;
    struct dataset set = make_dataset(true);
    put(set.session, "sub-1_task-a_eeg.json", "{\"SamplingFrequency\": 200}");
    g_autoptr(owned_recording) recording = open_recording(&set);
    assert_true(recording_has_flag(recording, "rate"));
    assert_close(recording->interval_s, 0.01, 0.0);
    remove_dataset(&set);
}

static void tables_are_named_after_the_entities(void **state)
{
    (void) state;
    const char *const names[][2] = {{"a/sub-1_task-x_eeg.edf", "a/sub-1_task-x_events.tsv"},
                                    {"sub-1_meg.fif.gz", "./sub-1_events.tsv"},
                                    {"rec.wav", "./rec_events.tsv"},
                                    {"out_eeg.wav", "./out_eeg_events.tsv"}};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = siblings_table_path(names[i][0], "events");
        assert_string_equal(path, names[i][1]);
    }
}

static void every_kind_has_a_type_that_is_read_back(void **state)
{
    (void) state;
    for (int k = 0; k < CHANNEL_KINDS; k++) {
        enum channel_kind kind = CHANNEL_KINDS;
        assert_true(siblings_channel_kind(siblings_channel_type((enum channel_kind) k), &kind));
        assert_int_equal(kind, k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_get_names_types_and_status_but_no_scale),
        cmocka_unit_test(units_of_the_table_count_where_the_file_has_none),
        cmocka_unit_test(rows_of_other_names_rename_channels_by_their_place),
        cmocka_unit_test(names_that_no_channel_has_are_warned_of),
        cmocka_unit_test(events_take_the_place_of_markers),
        cmocka_unit_test(positions_are_in_metres),
        cmocka_unit_test(the_nearest_of_inherited_files_counts),
        cmocka_unit_test(nothing_is_inherited_where_there_is_no_dataset),
        cmocka_unit_test(malformed_siblings_are_left_out_with_a_warning),
        cmocka_unit_test(a_rate_that_disagrees_is_warned_of),
        cmocka_unit_test(tables_are_named_after_the_entities),
        cmocka_unit_test(every_kind_has_a_type_that_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
