// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden.h"

#include "deconv/clean.h"
#include "deconv/hrf.h"

static const struct {
    const char *file;
    size_t n_confounds; // the first ones of clean_input_confounds
    struct clean_options options;
} cases[] = {
    {"clean_detrend_only", 0, {.detrend = DETREND_LINEAR}},
    {"clean_ukb_bandpass_zscore",
     0,
     {.detrend = DETREND_LINEAR,
      .low_hz = 0.01,
      .high_hz = 0.1,
      .standardize = STANDARDIZE_ZSCORE}},
    {"clean_confounds_bandpass_zscore",
     2,
     {.detrend = DETREND_LINEAR,
      .low_hz = 0.01,
      .high_hz = 0.1,
      .standardize = STANDARDIZE_ZSCORE}},
    {"clean_confounds_only_nodetrend", 2, {.detrend = DETREND_NONE}},
    {"clean_highpass_butter_psc",
     0,
     {.detrend = DETREND_NONE, .low_hz = 0.008, .standardize = STANDARDIZE_PSC}},
    {"clean_lowpass_butter_psc",
     0,
     {.detrend = DETREND_LINEAR, .high_hz = 0.08, .standardize = STANDARDIZE_PSC}},
    {"clean_cosine_highpass_one_confound",
     1,
     {.detrend = DETREND_LINEAR_COSINE, .cosine_s = 100.0, .standardize = STANDARDIZE_ZSCORE}},
    // nilearn adds no cosines here, since a confound looks like one.
    {"clean_cosine_highpass_confounds",
     2,
     {.detrend = DETREND_LINEAR, .standardize = STANDARDIZE_ZSCORE}},
};

// Columns first .. of a table, column-major.
static double *columns_of(const struct golden *table, size_t first)
{
    double *columns = g_new(double, table->rows *(table->cols - first));
    for (size_t t = 0; t < table->rows; t++)
        for (size_t j = first; j < table->cols; j++)
            columns[(j - first) * table->rows + t] = golden_row(table, t)[j];
    return columns;
}

static struct clean *clean_with(size_t n, double tr_s, const struct clean_options *options)
{
    g_autoptr(GError) error = NULL;
    struct clean *clean = clean_new(n, tr_s, options, &error);
    assert_null(error);
    return clean;
}

static void series_are_cleaned_as_nilearn_does(void **state)
{
    (void) state;
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strdup_printf("golden_hrf/%s.csv", cases[i].file);
        g_autoptr(owned_golden) golden = golden_csv(name);
        g_autoptr(owned_golden) input = golden_csv("golden_hrf/clean_input_signals.csv");
        g_autoptr(owned_golden) confounds = golden_csv("golden_hrf/clean_input_confounds.csv");
        g_autofree double *y = columns_of(input, 1), *regressors = columns_of(confounds, 1);
        size_t n = input->rows, n_series = input->cols - 1;
        struct clean_options options = cases[i].options;
        options.confounds = regressors;
        options.n_confounds = cases[i].n_confounds;
        g_autoptr(owned_clean) clean = clean_new(n, 0.735, &options, NULL);
        struct block block = {n, n_series, n, y};
        clean_apply(clean, &block, ws);
        double scale = 0.0;
        for (size_t j = 0; j < n * n_series; j++)
            scale = fmax(scale, fabs(y[j]));
        for (size_t t = 0; t < golden->rows; t++)
            for (size_t v = 0; v < n_series; v++)
                assert_close(y[v * n + t], golden_row(golden, t)[v + 1], 2e-13 * scale);
    }
}

static void censored_series_are_cleaned_as_nilearn_does(void **state)
{
    (void) state;
    enum { N = 250, N_SERIES = 3 };
    static const size_t gone[] = {0, 1, 2, 60, 61, 62, 63, 130, 200, 201};
    bool censored[N] = {false};
    for (size_t i = 0; i < G_N_ELEMENTS(gone); i++)
        censored[gone[i]] = true;
    g_autoptr(owned_golden) golden =
        golden_csv("golden_hrf/clean_scrub_bandpass_confounds_zscore.csv");
    g_autoptr(owned_golden) input = golden_csv("golden_hrf/clean_input_signals.csv");
    g_autoptr(owned_golden) confounds = golden_csv("golden_hrf/clean_input_confounds.csv");
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *y = columns_of(input, 1), *regressors = columns_of(confounds, 1);
    struct clean_options options = {.detrend = DETREND_LINEAR,
                                    .low_hz = 0.01,
                                    .high_hz = 0.1,
                                    .confounds = regressors,
                                    .n_confounds = 2,
                                    .censored = censored,
                                    .standardize = STANDARDIZE_ZSCORE};
    g_autoptr(owned_clean) clean = clean_new(N, 0.735, &options, NULL);
    struct block block = {N, N_SERIES, N, y};
    clean_apply(clean, &block, ws);
    size_t row = 0;
    for (size_t t = 0; t < N; t++) {
        for (size_t v = 0; v < N_SERIES; v++)
            assert_close(y[v * N + t], censored[t] ? 0.0 : golden_row(golden, row)[v + 1], 1e-12);
        row += !censored[t];
    }
    assert_int_equal(row, golden->rows);
}

// Without a filter the kept frames are regressed as if the others did not exist: what stood there
// changes nothing, and trends are those of the time that passes.
static void censored_frames_do_not_count(void **state)
{
    (void) state;
    enum { N = 100 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(21);
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t filtered = 0; filtered < 2; filtered++) {
        bool censored[N] = {[0] = true, [40] = true, [41] = true, [98] = true};
        double y[2 * N], confound[N];
        fill_normal(rand, y, N);
        fill_normal(rand, confound, N);
        for (size_t t = 0; t < N; t++)
            y[N + t] = censored[t] ? 1e6 : y[t];
        struct clean_options options = {.detrend = DETREND_LINEAR_COSINE,
                                        .cosine_s = 60.0,
                                        .low_hz = filtered ? 0.02 : 0.0,
                                        .confounds = confound,
                                        .n_confounds = 1,
                                        .censored = censored,
                                        .standardize = STANDARDIZE_ZSCORE};
        g_autoptr(owned_clean) clean = clean_with(N, 1.0, &options);
        struct block block = {N, 2, N, y};
        clean_apply(clean, &block, ws);
        assert_memory_equal(y, y + N, N * sizeof(double));
        double sum = 0.0, squares = 0.0;
        for (size_t t = 0; t < N; t++) {
            assert_true(!censored[t] || y[t] == 0.0);
            sum += y[t];
            squares += y[t] * y[t];
        }
        assert_close(sum, 0.0, 1e-12);
        assert_close(squares, N - 4 - 1.0, 1e-11);
        // A ramp in time leaves nothing, although the kept frames are not evenly spaced.
        for (size_t t = 0; t < N; t++)
            y[t] = 5.0 - 0.3 * (double) t;
        block.n_series = 1;
        clean_apply(clean, &block, ws);
        for (size_t t = 0; t < N; t++)
            assert_true(y[t] == 0.0);
    }
}

static double sd_of(const double *y, size_t n)
{
    double mean = 0.0, squares = 0.0;
    for (size_t t = 0; t < n; t++)
        mean += y[t] / (double) n;
    for (size_t t = 0; t < n; t++)
        squares += (y[t] - mean) * (y[t] - mean);
    return sqrt(squares / (double) (n - 1));
}

// The default: mean and cosines of 128 s and longer; at 2 s and 250 frames there are 7 of them.
static void slow_cosines_are_taken_out_and_no_others(void **state)
{
    (void) state;
    enum { N = 250 };
    g_autoptr(owned_workspace) ws = workspace_new();
    struct clean_options options = clean_options_default();
    options.standardize = STANDARDIZE_NONE;
    g_autoptr(owned_clean) clean = clean_with(N, 2.0, &options);
    assert_int_equal(clean_rank(clean), 8);
    assert_true(clean_centres(clean));
    for (size_t k = 0; k < 12; k++) {
        double y[N], expected[N];
        for (size_t t = 0; t < N; t++) {
            expected[t] = cos(G_PI / N * ((double) t + 0.5) * (double) k);
            y[t] = 300.0 + expected[t];
            if (k < 8)
                expected[t] = 0.0;
        }
        struct block block = block_of_series(y, N);
        clean_apply(clean, &block, ws);
        assert_close(max_abs_difference(y, expected, N), 0.0, 1e-12);
        if (k < 8)
            assert_true(y[0] == 0.0 && y[N - 1] == 0.0); // not their rounding
    }
}

// 4096 and what is added to it differ by 12 bits: all that a series may lose.
static void a_large_mean_costs_no_more_than_its_own_rounding(void **state)
{
    (void) state;
    enum { N = 250 };
    g_autoptr(owned_workspace) ws = workspace_new();
    struct clean_options options = clean_options_default();
    options.standardize = STANDARDIZE_NONE;
    g_autoptr(owned_clean) clean = clean_with(N, 2.0, &options);
    for (size_t k = 8; k < 40; k++) {
        double y[N], expected[N];
        for (size_t t = 0; t < N; t++) {
            y[t] = 4096.0 + cos(G_PI / N * ((double) t + 0.5) * (double) k);
            expected[t] = y[t] - 4096.0;
        }
        struct block block = block_of_series(y, N);
        clean_apply(clean, &block, ws);
        assert_close(max_abs_difference(y, expected, N), 0.0, 2e-12);
    }
}

static void cosines_of_the_confounds_replace_ours(void **state)
{
    (void) state;
    struct clean_options options = clean_options_default();
    options.confounds_have_cosines = true;
    g_autoptr(owned_clean) clean = clean_with(250, 2.0, &options);
    assert_int_equal(clean_rank(clean), 1);
}

static void standardised_series_have_mean_0_and_deviation_1(void **state)
{
    (void) state;
    enum { N = 173, N_SERIES = 11 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    g_autoptr(owned_workspace) ws = workspace_new();
    struct clean_options options = clean_options_default();
    g_autoptr(owned_clean) clean = clean_with(N, 0.735, &options);
    double y[N_SERIES * N];
    fill_normal(rand, y, N_SERIES * N);
    for (size_t i = 0; i < N_SERIES * N; i++)
        y[i] = 1000.0 + 10.0 * y[i];
    struct block block = {N, N_SERIES, N, y};
    clean_apply(clean, &block, ws);
    for (size_t v = 0; v < N_SERIES; v++) {
        double mean = 0.0;
        for (size_t t = 0; t < N; t++)
            mean += y[v * N + t] / N;
        assert_close(mean, 0.0, 1e-15);
        assert_close(sd_of(y + v * N, N), 1.0, 1e-14);
    }
}

static void percent_signal_is_of_the_mean_before(void **state)
{
    (void) state;
    enum { N = 6 };
    static const enum detrend detrends[] = {DETREND_NONE, DETREND_CONSTANT, DETREND_LINEAR};
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t i = 0; i < G_N_ELEMENTS(detrends); i++) {
        struct clean_options options = {.detrend = detrends[i], .standardize = STANDARDIZE_PSC};
        g_autoptr(owned_clean) clean = clean_with(N, 2.0, &options);
        // A series of mean 0 has no percent.
        double y[2 * N] = {-202.0, -198.0, -198.0, -198.0, -198.0, -202.0,
                           5.0,    -5.0,   0.0,    0.0,    -5.0,   5.0};
        struct block block = {N, 2, N, y};
        clean_apply(clean, &block, ws);
        double mean = (-202.0 * 2.0 - 198.0 * 4.0) / N;
        for (size_t t = 0; t < N; t++) {
            double raw = t == 0 || t == N - 1 ? -202.0 : -198.0;
            assert_close(y[t], 100.0 * (raw - mean) / fabs(mean), 1e-12);
            assert_close(y[N + t], 0.0, 0.0);
        }
    }
}

static void series_that_do_not_vary_become_zero(void **state)
{
    (void) state;
    enum { N = 60 };
    static const enum detrend detrends[] = {DETREND_NONE, DETREND_CONSTANT, DETREND_LINEAR,
                                            DETREND_COSINE};
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t i = 0; i < G_N_ELEMENTS(detrends) * 3; i++) {
        struct clean_options options = {.detrend = detrends[i / 3],
                                        .cosine_s = 128.0,
                                        .standardize = (enum standardize)(i % 3)};
        g_autoptr(owned_clean) clean = clean_with(N, 2.0, &options);
        double y[N];
        for (size_t t = 0; t < N; t++)
            y[t] = 12345.678;
        struct block block = block_of_series(y, N);
        clean_apply(clean, &block, ws);
        for (size_t t = 0; t < N; t++)
            assert_true(y[t] == 0.0);
    }
}

static void the_place_in_a_block_changes_no_byte(void **state)
{
    (void) state;
    enum { N = 121, N_SERIES = 37 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *y = g_new(double, N_SERIES *N), *confounds = g_new(double, 3 * N);
    fill_normal(rand, confounds, 3 * N);
    struct clean_options options = {.detrend = DETREND_LINEAR,
                                    .low_hz = 0.01,
                                    .high_hz = 0.1,
                                    .confounds = confounds,
                                    .n_confounds = 3,
                                    .standardize = STANDARDIZE_ZSCORE};
    g_autoptr(owned_clean) clean = clean_with(N, 2.0, &options);
    fill_normal(rand, y, N_SERIES * N);
    g_autofree double *alone = g_memdup2(y, N_SERIES * N * sizeof(double));
    struct block block = {N, N_SERIES, N, y};
    clean_apply(clean, &block, ws);
    for (size_t v = 0; v < N_SERIES; v++) {
        struct block one = block_of_series(alone + v * N, N);
        clean_apply(clean, &one, ws);
        assert_memory_equal(alone + v * N, y + v * N, N * sizeof(double));
    }
}

// The gain of a Butterworth filter is 1 / (1 + x^10), x the frequency in its own measure; a wide
// band has two real poles, a narrow one has none.
static void the_filter_has_the_gain_of_its_formula(void **state)
{
    (void) state;
    enum { N = 20000, MIDDLE = 10000, LENGTH = 4000 };
    static const struct {
        double low_hz, high_hz;
    } bands[] = {{0.01, 0.1}, {0.1, 0.11}, {0.02, 0.4}, {0.05, 0.0}, {0.0, 0.15}};
    static const double frequencies_hz[] = {0.0125, 0.05, 0.105, 0.25};
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *y = g_new(double, N);
    for (size_t i = 0; i < G_N_ELEMENTS(bands) * G_N_ELEMENTS(frequencies_hz); i++) {
        double low_hz = bands[i / 4].low_hz, high_hz = bands[i / 4].high_hz,
               f = frequencies_hz[i % 4];
        struct clean_options options = {.low_hz = low_hz, .high_hz = high_hz};
        g_autoptr(owned_clean) clean = clean_with(N, 1.0, &options);
        for (size_t t = 0; t < N; t++)
            y[t] = sin(2.0 * G_PI * f * (double) t);
        struct block block = block_of_series(y, N);
        clean_apply(clean, &block, ws);

        double w = tan(G_PI * f), low = tan(G_PI * low_hz), high = tan(G_PI * high_hz);
        double x = w / high;
        if (low_hz > 0.0)
            x = high_hz > 0.0 ? (w * w - low * high) / (w * (high - low)) : low / w;
        double gain = 1.0 / (1.0 + pow(x, 10.0)), worst = 0.0;
        for (size_t t = MIDDLE; t < MIDDLE + LENGTH; t++)
            worst = fmax(worst, fabs(y[t] - gain * sin(2.0 * G_PI * f * (double) t)));
        assert_close(worst, 0.0, 1e-8);
    }
}

static void dependent_confounds_are_dropped(void **state)
{
    (void) state;
    enum { N = 80, N_CONFOUNDS = 6 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    double confounds[N_CONFOUNDS * N];
    fill_normal(rand, confounds, 2 * N);
    for (size_t t = 0; t < N; t++) {
        confounds[2 * N + t] = 3.0 * confounds[t] - confounds[N + t];    // of the first two
        confounds[3 * N + t] = 400.0;                                    // of the trends
        confounds[4 * N + t] = 400.0 * (double) t - 1000.0;              // of the trends
        confounds[5 * N + t] = confounds[t] + 500.0 + 0.01 * (double) t; // of both
    }
    struct clean_options options = {
        .detrend = DETREND_LINEAR, .confounds = confounds, .n_confounds = N_CONFOUNDS};
    g_autoptr(owned_clean) clean = clean_with(N, 1.0, &options);
    assert_int_equal(clean_rank(clean), 4);
    assert_int_equal(clean_n_dropped(clean), 4);
    options.low_hz = 0.01;
    options.high_hz = 0.2;
    g_autoptr(owned_clean) filtered = clean_with(N, 1.0, &options);
    assert_int_equal(clean_rank(filtered), 4);
    assert_int_equal(clean_n_dropped(filtered), 4);
}

static void confounds_are_taken_out(void **state)
{
    (void) state;
    enum { N = 90 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(9);
    g_autoptr(owned_workspace) ws = workspace_new();
    double confounds[2 * N], y[N];
    fill_normal(rand, confounds, 2 * N);
    struct clean_options options = {.detrend = DETREND_COSINE,
                                    .cosine_s = 60.0,
                                    .confounds = confounds,
                                    .n_confounds = 2,
                                    .standardize = STANDARDIZE_ZSCORE};
    g_autoptr(owned_clean) clean = clean_with(N, 1.0, &options);
    assert_int_equal(clean_rank(clean), 1 + 3 + 2);
    for (size_t t = 0; t < N; t++)
        y[t] = 7.0 + 2.0 * confounds[t] - 3.0 * confounds[N + t];
    struct block block = block_of_series(y, N);
    clean_apply(clean, &block, ws);
    for (size_t t = 0; t < N; t++)
        assert_true(y[t] == 0.0);
    fill_normal(rand, y, N);
    clean_apply(clean, &block, ws);
    for (size_t j = 0; j < 2; j++) {
        double sum = 0.0;
        for (size_t t = 0; t < N; t++)
            sum += y[t] * confounds[j * N + t];
        assert_close(sum, 0.0, 1e-12);
    }
}

static void mistakes_are_named(void **state)
{
    enum { N_SETTINGS = 4 };
    (void) state;
    static const double confounds[20] = {[13] = NAN};
    static const struct {
        size_t n_time;
        struct clean_options options;
        const char *message;
    } expected[] = {
        // of the settings
        {50, {.detrend = DETREND_COSINE}, "detrend: expected a period above 0 s, got 0"},
        {50, {.low_hz = -1.0}, "bandpass: expected frequencies of 0 Hz or more, got -1 and 0"},
        {50,
         {.low_hz = 0.1, .high_hz = 0.1},
         "bandpass: the lower edge, 0.1 Hz, is not below the upper, 0.1 Hz"},
        {50,
         {.low_hz = 0.3, .high_hz = 0.4},
         "bandpass: nothing is left between 0.3 Hz and the Nyquist frequency, 0.25 Hz"},
        // of the data, from N_SETTINGS on
        {33, {.low_hz = 0.01, .high_hz = 0.1}, "bandpass: expected more than 33 frames, got 33"},
        {18, {.low_hz = 0.01}, "bandpass: expected more than 18 frames, got 18"},
        {10,
         {.confounds = confounds, .n_confounds = 2},
         "confounds: column 1, frame 3: not a finite number"},
        {20,
         {.detrend = DETREND_COSINE, .cosine_s = 4.4},
         "detrend: expected fewer than 18 regressors for 20 frames, got 19"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(clean_new(expected[i].n_time, 2.0, &expected[i].options, &error));
        int code = i < N_SETTINGS ? DECONV_ERROR_VALUE : DECONV_ERROR_DATA;
        assert_true(g_error_matches(error, DECONV_ERROR, code));
        assert_string_equal(error->message, expected[i].message);
    }
}

static void a_rank_above_half_of_the_frames_is_told(void **state)
{
    (void) state;
    struct clean_options options = {.detrend = DETREND_COSINE, .cosine_s = 8.0};
    g_autoptr(owned_clean) half = clean_with(21, 2.0, &options);
    assert_int_equal(clean_rank(half), 11);
    assert_string_equal(clean_warnings(half)[0],
                        "11 regressors, trends included, are taken out of 21 frames: more than "
                        "half of what may vary");
    options.cosine_s = 9.0;
    g_autoptr(owned_clean) fewer = clean_with(21, 2.0, &options);
    assert_int_equal(clean_rank(fewer), 10);
    assert_null(clean_warnings(fewer)[0]);
}

static void an_edge_above_nyquist_is_lowered(void **state)
{
    (void) state;
    struct clean_options options = {.low_hz = 0.01, .high_hz = 0.3};
    g_autoptr(owned_clean) clean = clean_with(50, 2.0, &options);
    const char *const *warnings = clean_warnings(clean);
    assert_string_equal(warnings[0], "bandpass: 0.3 Hz is lowered to the Nyquist frequency, "
                                     "0.25 Hz at a repetition time of 2 s");
    assert_null(warnings[1]);
}

static void nothing_is_allocated_after_the_first_block(void **state)
{
    (void) state;
    enum { N = 250, N_SERIES = BLOCK_SERIES };
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *y = g_new0(double, N *N_SERIES);
    struct clean_options options = clean_options_default();
    options.low_hz = 0.01;
    g_autoptr(owned_clean) clean = clean_with(N, 1.0, &options);
    struct block block = {N, N_SERIES, N, y};
    clean_apply(clean, &block, ws);
    size_t capacity = workspace_capacity(ws);
    for (size_t i = 0; i < 3; i++)
        clean_apply(clean, &block, ws);
    assert_int_equal(workspace_capacity(ws), capacity);
}

// More of them than are put through QR: 125 of 16 s or longer.
static void many_cosines_are_taken_out_and_no_others(void **state)
{
    (void) state;
    enum { N = 1000 };
    g_autoptr(owned_workspace) ws = workspace_new();
    struct clean_options options = {.detrend = DETREND_COSINE, .cosine_s = 16.0};
    g_autoptr(owned_clean) clean = clean_with(N, 1.0, &options);
    assert_int_equal(clean_rank(clean), 126);
    for (size_t k = 0; k <= 130; k++) {
        double y[N];
        struct block block = block_of_series(y, N);
        for (size_t t = 0; t < N; t++)
            y[t] = cos(G_PI / N * ((double) t + 0.5) * (double) k);
        clean_apply(clean, &block, ws);
        for (size_t t = 0; t < N; t++) {
            double whole = cos(G_PI / N * ((double) t + 0.5) * (double) k);
            assert_close(y[t], k <= 125 ? 0.0 : whole, 1e-12);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_are_cleaned_as_nilearn_does),
        cmocka_unit_test(censored_series_are_cleaned_as_nilearn_does),
        cmocka_unit_test(censored_frames_do_not_count),
        cmocka_unit_test(slow_cosines_are_taken_out_and_no_others),
        cmocka_unit_test(many_cosines_are_taken_out_and_no_others),
        cmocka_unit_test(a_large_mean_costs_no_more_than_its_own_rounding),
        cmocka_unit_test(cosines_of_the_confounds_replace_ours),
        cmocka_unit_test(standardised_series_have_mean_0_and_deviation_1),
        cmocka_unit_test(percent_signal_is_of_the_mean_before),
        cmocka_unit_test(series_that_do_not_vary_become_zero),
        cmocka_unit_test(the_place_in_a_block_changes_no_byte),
        cmocka_unit_test(the_filter_has_the_gain_of_its_formula),
        cmocka_unit_test(dependent_confounds_are_dropped),
        cmocka_unit_test(confounds_are_taken_out),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_rank_above_half_of_the_frames_is_told),
        cmocka_unit_test(an_edge_above_nyquist_is_lowered),
        cmocka_unit_test(nothing_is_allocated_after_the_first_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
