// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden.h"

#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"

#include <string.h>

// A file of golden_hrf/ and what must reproduce its columns: one response a column.
struct case_of_golden {
    const char *file;
    double tr_s;
    double tol;
    const char *specs[11]; // NULL-terminated
};

// Made by SPM12 @03ac947, nilearn @59fffa24b, nipy 0.5.0, pybold @54e5b07, hemolearn @58c3bcc,
// pyta @1f4a272 and AFNI @90ce18f (single precision).
static const struct case_of_golden cases[] = {
    {"spm12_spm_hrf_RT0.5", 0.5, 1e-14, {"spm"}},
    {"spm12_spm_hrf_RT0.735", 0.735, 1e-14, {"spm"}},
    {"spm12_spm_hrf_RT0.735_T8", 0.735, 1e-14, {"spm"}},
    {"spm12_spm_hrf_RT0.735_T16", 0.735, 1e-14, {"spm"}},
    {"spm12_spm_hrf_RT0.735_T32", 0.735, 1e-14, {"spm"}},
    {"spm12_spm_hrf_RT0.735_custom",
     0.735,
     1e-14,
     {"spm:delay=5,undershoot=15,dispersion=1.2,undershoot_dispersion=0.9,ratio=4,onset=1,"
      "length=40"}},
    {"spm12_spm_hrf_RT0.8", 0.8, 1e-14, {"spm"}},
    {"spm12_spm_hrf_RT1", 1.0, 1e-14, {"spm"}},
    {"spm12_spm_hrf_RT2", 2.0, 1e-14, {"spm"}},
    {"spm12_spm_hrf_RT2_T1", 2.0, 1e-14, {"spm"}},
    {"spm12_spm_hrf_RT2_T16", 2.0, 1e-14, {"spm"}},
    {"spm12_spm_hrf_RT2.4", 2.4, 1e-14, {"spm"}},
    {"spm12_get_bf_hrf_td_dd_dt0.0459375",
     0.0459375,
     2e-14,
     {"spm", "spm:derivative=time,orthogonal=yes", "spm:derivative=dispersion,orthogonal=yes"}},
    {"spm12_get_bf_hrf_td_dd_dt0.0625",
     0.0625,
     2e-14,
     {"spm", "spm:derivative=time,orthogonal=yes", "spm:derivative=dispersion,orthogonal=yes"}},
    {"spm12_get_bf_gamma_dt0.5_l32_o3",
     0.5,
     2e-14,
     {"spm-gamma", "spm-gamma:column=2", "spm-gamma:column=3"}},
    {"spm12_get_bf_fourier_hanning_dt0.5_l32_o3",
     0.5,
     2e-14,
     {"spm-fourier", "spm-fourier:column=2", "spm-fourier:column=3", "spm-fourier:column=4",
      "spm-fourier:column=5", "spm-fourier:column=6", "spm-fourier:column=7"}},
    {"spm12_get_bf_FIR_dt0.735_l22.05_o10",
     0.735,
     2e-14,
     {"fir:delay=0,width=2.205,length=21.4,norm=none",
      "fir:delay=2.205,width=2.205,length=21.4,norm=none",
      "fir:delay=4.41,width=2.205,length=21.4,norm=none",
      "fir:delay=6.615,width=2.205,length=21.4,norm=none",
      "fir:delay=8.82,width=2.205,length=21.4,norm=none",
      "fir:delay=11.025,width=2.205,length=21.4,norm=none",
      "fir:delay=13.23,width=2.205,length=21.4,norm=none",
      "fir:delay=15.435,width=2.205,length=21.4,norm=none",
      "fir:delay=17.64,width=2.205,length=21.4,norm=none",
      "fir:delay=19.845,width=2.205,length=21.4,norm=none"}},
    {"nipy_shipped_spm_bases_octave",
     0.01,
     1e-14,
     {"spm", "spm:derivative=time", "spm:derivative=dispersion"}},
    {"nipy_spmt_dt0.1", 0.1, 5e-12, {"nipy-spmt"}},
    {"nipy_spmt_dt0.735", 0.735, 5e-12, {"nipy-spmt"}},
    {"nipy_spmt_dt1.0", 1.0, 5e-12, {"nipy-spmt"}},
    {"nipy_dspmt_dt0.1", 0.1, 5e-12, {"nipy-dspmt"}},
    {"nipy_dspmt_dt0.735", 0.735, 5e-12, {"nipy-dspmt"}},
    {"nipy_dspmt_dt1.0", 1.0, 5e-12, {"nipy-dspmt"}},
    {"nipy_dspmt_dt2.0", 2.0, 5e-12, {"nipy-dspmt"}},
    {"nipy_ddspmt_dt0.1", 0.1, 5e-12, {"nipy-ddspmt"}},
    {"nipy_ddspmt_dt0.735", 0.735, 5e-12, {"nipy-ddspmt"}},
    {"nipy_ddspmt_dt1.0", 1.0, 5e-12, {"nipy-ddspmt"}},
    {"nipy_ddspmt_dt2.0", 2.0, 5e-12, {"nipy-ddspmt"}},
    {"nipy_glovert_dt0.1", 0.1, 5e-12, {"nipy-glovert"}},
    {"nipy_glovert_dt0.735", 0.735, 5e-12, {"nipy-glovert"}},
    {"nipy_glovert_dt1.0", 1.0, 5e-12, {"nipy-glovert"}},
    {"nipy_dglovert_dt0.1", 0.1, 5e-12, {"nipy-dglovert"}},
    {"nipy_dglovert_dt0.735", 0.735, 5e-12, {"nipy-dglovert"}},
    {"nipy_dglovert_dt1.0", 1.0, 5e-12, {"nipy-dglovert"}},
    {"nipy_dglovert_dt2.0", 2.0, 5e-12, {"nipy-dglovert"}},
    {"nipy_afnit_dt0.1", 0.1, 5e-12, {"nipy-afnit"}},
    {"nipy_afnit_dt0.735", 0.735, 5e-12, {"nipy-afnit"}},
    {"nipy_afnit_dt1.0", 1.0, 5e-12, {"nipy-afnit"}},
    // nilearn at oversampling N and repetition time TR is its grid of os=1 at TR / N.
    {"nilearn_spm_hrf_tr0.72_os1", 0.72, 1e-14, {"nilearn-spm:os=1"}},
    {"nilearn_spm_hrf_tr0.735_os1", 0.735, 1e-14, {"nilearn-spm:os=1"}},
    {"nilearn_spm_hrf_tr0.735_os1_len250TR_pySPFM",
     0.735,
     1e-14,
     {"nilearn-spm:os=1,length=183.75"}},
    {"nilearn_spm_hrf_tr0.735_os16", 0.0459375, 1e-14, {"nilearn-spm:os=1"}},
    {"nilearn_spm_hrf_tr0.735_os50", 0.0147, 1e-14, {"nilearn-spm:os=1"}},
    {"nilearn_spm_hrf_tr1.0_os1", 1.0, 1e-14, {"nilearn-spm:os=1"}},
    {"nilearn_spm_hrf_tr1.0_os50", 0.02, 1e-14, {"nilearn-spm:os=1"}},
    {"nilearn_spm_hrf_tr2.0_os1", 2.0, 1e-14, {"nilearn-spm:os=1"}},
    {"nilearn_spm_hrf_tr2.0_os16", 0.125, 1e-14, {"nilearn-spm:os=1"}},
    {"nilearn_spm_hrf_tr2.0_os50", 0.04, 1e-14, {"nilearn-spm:os=1"}},
    {"nilearn_spm_hrf_tr2.5_os1", 2.5, 1e-14, {"nilearn-spm:os=1"}},
    {"nilearn_spm_time_derivative_tr0.735_os1", 0.735, 1e-14, {"nilearn-spm:os=1,derivative=time"}},
    {"nilearn_spm_time_derivative_tr0.735_os50",
     0.0147,
     1e-14,
     {"nilearn-spm:os=1,derivative=time"}},
    {"nilearn_spm_time_derivative_tr2.0_os16", 0.125, 1e-14, {"nilearn-spm:os=1,derivative=time"}},
    {"nilearn_spm_time_derivative_tr2.0_os50", 0.04, 1e-14, {"nilearn-spm:os=1,derivative=time"}},
    {"nilearn_spm_dispersion_derivative_tr0.735_os1",
     0.735,
     2e-13,
     {"nilearn-spm:os=1,derivative=dispersion"}},
    {"nilearn_spm_dispersion_derivative_tr0.735_os50",
     0.0147,
     2e-13,
     {"nilearn-spm:os=1,derivative=dispersion"}},
    {"nilearn_spm_dispersion_derivative_tr2.0_os1",
     2.0,
     2e-13,
     {"nilearn-spm:os=1,derivative=dispersion"}},
    {"nilearn_spm_dispersion_derivative_tr2.0_os16",
     0.125,
     2e-13,
     {"nilearn-spm:os=1,derivative=dispersion"}},
    {"nilearn_spm_dispersion_derivative_tr2.0_os50",
     0.04,
     2e-13,
     {"nilearn-spm:os=1,derivative=dispersion"}},
    {"nilearn_glover_hrf_tr0.72_os1", 0.72, 1e-14, {"glover:os=1"}},
    {"nilearn_glover_hrf_tr0.735_os1", 0.735, 1e-14, {"glover:os=1"}},
    {"nilearn_glover_hrf_tr0.735_os16", 0.0459375, 1e-14, {"glover:os=1"}},
    {"nilearn_glover_hrf_tr0.735_os50", 0.0147, 1e-14, {"glover:os=1"}},
    {"nilearn_glover_hrf_tr1.0_os1", 1.0, 1e-14, {"glover:os=1"}},
    {"nilearn_glover_hrf_tr2.0_os1", 2.0, 1e-14, {"glover:os=1"}},
    {"nilearn_glover_hrf_tr2.0_os16", 0.125, 1e-14, {"glover:os=1"}},
    {"nilearn_glover_hrf_tr2.0_os50", 0.04, 1e-14, {"glover:os=1"}},
    {"nilearn_glover_hrf_tr2.5_os1", 2.5, 1e-14, {"glover:os=1"}},
    {"nilearn_glover_time_derivative_tr0.735_os1", 0.735, 1e-14, {"glover:os=1,derivative=time"}},
    {"nilearn_glover_time_derivative_tr0.735_os50", 0.0147, 1e-14, {"glover:os=1,derivative=time"}},
    {"nilearn_glover_time_derivative_tr2.0_os1", 2.0, 1e-14, {"glover:os=1,derivative=time"}},
    {"nilearn_glover_time_derivative_tr2.0_os16", 0.125, 1e-14, {"glover:os=1,derivative=time"}},
    {"nilearn_glover_dispersion_derivative_tr0.735_os1",
     0.735,
     2e-13,
     {"glover:os=1,derivative=dispersion"}},
    {"nilearn_glover_dispersion_derivative_tr0.735_os50",
     0.0147,
     2e-13,
     {"glover:os=1,derivative=dispersion"}},
    {"nilearn_glover_dispersion_derivative_tr2.0_os16",
     0.125,
     2e-13,
     {"glover:os=1,derivative=dispersion"}},
    {"nilearn_glover_dispersion_derivative_tr2.0_os50",
     0.04,
     2e-13,
     {"glover:os=1,derivative=dispersion"}},
    {"nilearn_fir_kernel_tr2.0_os4_delays0_1_2_5",
     0.5,
     1e-10,
     {"fir:delay=0,width=2,length=11.5", "fir:delay=2,width=2,length=11.5",
      "fir:delay=4,width=2,length=11.5", "fir:delay=10,width=2,length=11.5"}},
    {"pybold_spm_hrf_delta0.5_tr0.735_norm0", 0.735, 1e-14, {"pybold:delta=0.5,length=20"}},
    {"pybold_spm_hrf_delta0.5_tr0.735_norm1",
     0.735,
     1e-14,
     {"pybold:delta=0.5,normalised=yes,length=20"}},
    {"pybold_spm_hrf_delta0.5_tr1.0_norm0", 1.0, 1e-14, {"pybold:delta=0.5"}},
    {"pybold_spm_hrf_delta0.5_tr1.0_norm1", 1.0, 1e-14, {"pybold:delta=0.5,normalised=yes"}},
    {"pybold_spm_hrf_delta0.7_tr1.0_norm0", 1.0, 1e-14, {"pybold:delta=0.7"}},
    {"pybold_spm_hrf_delta0.7_tr1.0_norm1", 1.0, 1e-14, {"pybold:delta=0.7,normalised=yes"}},
    {"pybold_spm_hrf_delta1.0_tr0.735_norm0", 0.735, 1e-14, {"pybold:length=20"}},
    {"pybold_spm_hrf_delta1.0_tr0.735_norm1", 0.735, 1e-14, {"pybold:normalised=yes,length=20"}},
    {"pybold_spm_hrf_delta1.0_tr1.0_norm0", 1.0, 1e-14, {"pybold"}},
    {"pybold_spm_hrf_delta1.0_tr1.0_norm1", 1.0, 1e-14, {"pybold:normalised=yes"}},
    {"pybold_spm_hrf_delta1.0_tr2.0_norm0", 2.0, 1e-14, {"pybold"}},
    {"pybold_spm_hrf_delta1.0_tr2.0_norm1", 2.0, 1e-14, {"pybold:normalised=yes"}},
    {"pybold_spm_hrf_delta1.5_tr0.735_norm0", 0.735, 1e-14, {"pybold:delta=1.5,length=20"}},
    {"pybold_spm_hrf_delta1.5_tr0.735_norm1",
     0.735,
     1e-14,
     {"pybold:delta=1.5,normalised=yes,length=20"}},
    {"pybold_spm_hrf_delta2.0_tr0.735_norm0", 0.735, 1e-14, {"pybold:delta=2,length=20"}},
    {"pybold_spm_hrf_delta2.0_tr0.735_norm1",
     0.735,
     1e-14,
     {"pybold:delta=2,normalised=yes,length=20"}},
    {"hemolearn_delta_derivative_delta1.0_tr0.735_n40",
     0.735,
     1e-14,
     {"hemolearn:n=40,derivative=delta"}},
    {"hemolearn_delta_derivative_delta1.0_tr1.0_n30", 1.0, 1e-14, {"hemolearn:derivative=delta"}},
    {"hemolearn_delta_derivative_delta1.0_tr2.0_n30", 2.0, 1e-14, {"hemolearn:derivative=delta"}},
    {"hemolearn_double_gamma_hrf_tr0.735_n40", 0.735, 1e-14, {"hemolearn:n=40"}},
    {"hemolearn_double_gamma_hrf_tr1.0_n30", 1.0, 1e-14, {"hemolearn"}},
    {"hemolearn_double_gamma_hrf_tr2.0_n30", 2.0, 1e-14, {"hemolearn"}},
    {"hemolearn_scaled_hrf_delta0.5_tr0.735_n40", 0.735, 1e-14, {"hemolearn:n=40,delta=0.5"}},
    {"hemolearn_scaled_hrf_delta0.5_tr1.0_n30", 1.0, 1e-14, {"hemolearn:delta=0.5"}},
    {"hemolearn_scaled_hrf_delta0.5_tr2.0_n30", 2.0, 1e-14, {"hemolearn:delta=0.5"}},
    {"hemolearn_scaled_hrf_delta0.7_tr1.0_n30", 1.0, 1e-14, {"hemolearn:delta=0.7"}},
    {"hemolearn_scaled_hrf_delta0.7_tr2.0_n30", 2.0, 1e-14, {"hemolearn:delta=0.7"}},
    {"hemolearn_scaled_hrf_delta1.0_tr0.735_n40", 0.735, 1e-14, {"hemolearn:n=40"}},
    {"hemolearn_scaled_hrf_delta1.0_tr1.0_n30", 1.0, 1e-14, {"hemolearn"}},
    {"hemolearn_scaled_hrf_delta1.0_tr2.0_n30", 2.0, 1e-14, {"hemolearn"}},
    {"hemolearn_scaled_hrf_delta1.5_tr0.735_n40", 0.735, 1e-14, {"hemolearn:n=40,delta=1.5"}},
    {"hemolearn_scaled_hrf_delta1.5_tr1.0_n30", 1.0, 1e-14, {"hemolearn:delta=1.5"}},
    {"hemolearn_scaled_hrf_delta2.0_tr0.735_n40", 0.735, 1e-14, {"hemolearn:n=40,delta=2"}},
    {"hemolearn_scaled_hrf_delta2.0_tr1.0_n30", 1.0, 1e-14, {"hemolearn:delta=2"}},
    {"hemolearn_scaled_hrf_delta2.0_tr2.0_n30", 2.0, 1e-14, {"hemolearn:delta=2"}},
    {"ukb_protocol_hrf_tr0.735_n30", 0.735, 1e-14, {"pyta"}},
    {"causal_spm_tr2_h", 2.0, 1e-14, {"spm"}},
    {"afni_basis_dt0.1",
     0.1,
     2e-6,
     {"gam:length=40", "spmg1:length=40", "spmg2:length=40", "spmg3:length=40", "mion:length=40",
      "wav:length=40"}},
    {"afni_basis_dt0.735",
     0.735,
     2e-6,
     {"gam:length=40", "spmg1:length=40", "spmg2:length=40", "spmg3:length=40", "mion:length=40",
      "wav:length=40"}},
    {"afni_basis_dt1",
     1.0,
     2e-6,
     {"gam:length=40", "spmg1:length=40", "spmg2:length=40", "spmg3:length=40", "mion:length=40",
      "wav:length=40"}},
    // The second function of hemolearn's basis is its first by mistake; the third is a difference
    // over .001, which multiplies the rounding of its terms by 1000.
    {"hemolearn_hrf_3_basis_tr0.735_n40",
     0.735,
     5e-13,
     {"hemolearn:n=40", "hemolearn:n=40", "hemolearn:n=40,derivative=dispersion"}},
    {"hemolearn_hrf_3_basis_tr1.0_n30",
     1.0,
     5e-13,
     {"hemolearn", "hemolearn", "hemolearn:derivative=dispersion"}},
    {"hemolearn_hrf_3_basis_tr2.0_n30",
     2.0,
     5e-13,
     {"hemolearn", "hemolearn", "hemolearn:derivative=dispersion"}},
};

static const struct case_of_golden block_cases[] = {
    {"afni_basis_dt0.1", 0.1, 5e-6, {"block:length=40", "block:q=5,length=40"}},
    {"afni_basis_dt0.735", 0.735, 5e-6, {"block:length=40", "block:q=5,length=40"}},
    {"afni_basis_dt1", 1.0, 5e-6, {"block:length=40", "block:q=5,length=40"}},
};

static void check_case(const struct case_of_golden *expected, size_t first_column)
{
    g_autofree char *name = g_strdup_printf("golden_hrf/%s.csv", expected->file);
    g_autoptr(owned_golden) golden = golden_csv(name);
    for (size_t column = 0; expected->specs[column] != NULL; column++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(owned_hrf) hrf = hrf_new(expected->specs[column], expected->tr_s, &error);
        assert_null(error);
        assert_int_equal(hrf->n, golden->rows);
        for (size_t k = 0; k < golden->rows; k++)
            check_close(hrf->h[k], golden_row(golden, k)[first_column + column], expected->tol,
                        expected->specs[column], expected->file, (int) k);
    }
}

static void golden_files_are_reproduced(void **state)
{
    (void) state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        check_case(&cases[i], 1);
    for (size_t i = 0; i < G_N_ELEMENTS(block_cases); i++)
        check_case(&block_cases[i], 7);
}

// Rows of dt, six parameters less onset, and samples; SPM as recorded by nipy.
static void spm_parameters_are_those_of_spm(void **state)
{
    (void) state;
    size_t n_bytes = 0;
    g_autofree char *text = golden_file("golden_hrf/nipy_shipped_spm_hrfs_octave.csv", &n_bytes);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    size_t n_sets = 0;
    for (size_t i = 0; lines[i] != NULL; i++) {
        if (lines[i][0] == '#' || lines[i][0] == '\0')
            continue;
        g_auto(GStrv) fields = g_strsplit(lines[i], ",", -1);
        g_autofree char *spec = g_strdup_printf(
            "spm:delay=%s,undershoot=%s,dispersion=%s,undershoot_dispersion=%s,ratio=%s", fields[1],
            fields[2], fields[3], fields[4], fields[5]);
        g_autoptr(owned_hrf) hrf = hrf_new(spec, g_ascii_strtod(fields[0], NULL), NULL);
        assert_int_equal(hrf->n, g_strv_length(fields) - 6);
        for (size_t k = 0; k < hrf->n; k++)
            assert_close(hrf->h[k], g_ascii_strtod(fields[6 + k], NULL), 1e-14);
        n_sets++;
    }
    assert_int_equal(n_sets, 36);
}

// nilearn compute_regressor: events as steps every TR / 50 from 24 s before the first frame on,
// filtered with the response on the same grid, and looked at in the frames.
static void regressors_are_those_of_nilearn(void **state)
{
    (void) state;
    enum { N = 100, OVERSAMPLING = 50, N_FINE = 5601, FIRST = 600 };
    static const double onsets_s[] = {10.0, 31.0, 52.5, 90.0},
                        durations_s[] = {0.0, 1.0, 5.0, 10.0};
    static const double amplitudes[] = {1.0, 1.0, 2.0, 0.5};
    static const char *const names[][2] = {{"glover", "glover:os=1"}, {"spm", "nilearn-spm:os=1"}};
    g_autofree double *events = g_new0(double, N_FINE), *filtered = g_new(double, N_FINE);
    for (size_t i = 0; i < G_N_ELEMENTS(onsets_s); i++) {
        // A step covers the times from its onset on, and one at least.
        double end_s = onsets_s[i] + fmax(durations_s[i], 0.02);
        for (size_t t = 0; t < N_FINE; t++) {
            double time_s = -24.0 + 0.04 * (double) t;
            if (time_s > onsets_s[i] - 1e-9 && time_s < end_s - 1e-9)
                events[t] += amplitudes[i];
        }
    }
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file =
            g_strdup_printf("golden_hrf/nilearn_regressor_%s_tr2.0.csv", names[i][0]);
        g_autoptr(owned_golden) golden = golden_csv(file);
        g_autoptr(owned_hrf) hrf = hrf_new(names[i][1], 2.0 / OVERSAMPLING, NULL);
        g_autoptr(linop) op =
            hrf_conv_new(hrf->h, hrf->n, N_FINE, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
        linop_apply_series(op, events, filtered, ws);
        for (size_t t = 0; t < N; t++)
            assert_close(filtered[FIRST + OVERSAMPLING * t], golden_row(golden, t)[1], 1e-10);
    }
}

static void inverted_and_double_responses_are_sums_of_others(void **state)
{
    (void) state;
    g_autoptr(owned_hrf) mion = hrf_new("mion", 1.0, NULL), mionn = hrf_new("mionn", 1.0, NULL);
    g_autoptr(owned_hrf) first = hrf_new("gam:p=7,q=0.6,length=20", 1.0, NULL);
    g_autoptr(owned_hrf) second = hrf_new("gam:p=9,q=1.1,length=20", 1.0, NULL);
    g_autoptr(owned_hrf) both =
        hrf_new("twogam:p1=7,q1=0.6,r=0.3,p2=9,q2=1.1,length=20", 1.0, NULL);
    for (size_t k = 0; k < mion->n; k++)
        assert_close(mionn->h[k], -mion->h[k], 0.0);
    for (size_t k = 0; k < both->n; k++)
        assert_close(both->h[k], first->h[k] - 0.3 * second->h[k], 1e-15);
    assert_close(hrf_measure(mionn).time_to_peak_s, hrf_measure(mion).time_to_peak_s, 0.0);
}

static void shapes_are_those_of_the_literature(void **state)
{
    (void) state;
    static const struct {
        const char *spec;
        double tr_s, peak_s, fwhm_s, undershoot_s, ratio;
    } expected[] = {
        {"spm", 2.0, 5.00, 5.26, 15.75, -0.089},    {"spm", 0.735, 5.00, 5.26, 15.75, -0.089},
        {"glover", 2.0, 5.0, 4.49, 12.3, -0.262},   {"gam", 1.0, 4.70, NAN, NAN, NAN},
        {"pyta", 0.735, 5.00, NAN, NAN, NAN},       {"scaled:delta=2", 1.0, 2.50, NAN, NAN, NAN},
        {"glover:os=1", 2.0, 6.562, NAN, NAN, NAN},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(owned_hrf) hrf = hrf_new(expected[i].spec, expected[i].tr_s, NULL);
        struct hrf_shape shape = hrf_measure(hrf);
        assert_close(shape.time_to_peak_s, expected[i].peak_s, 0.0061);
        if (isnan(expected[i].fwhm_s))
            continue;
        assert_close(shape.fwhm_s, expected[i].fwhm_s, 0.0051);
        assert_close(shape.undershoot_s, expected[i].undershoot_s, 0.051);
        assert_close(shape.undershoot_ratio, expected[i].ratio, 0.00051);
        assert_close(shape.sum, 1.0, 1e-14);
    }
}

static void the_uk_biobank_response_has_its_sum_and_peak(void **state)
{
    (void) state;
    g_autoptr(owned_hrf) hrf = hrf_new("pyta", 0.735, NULL);
    assert_int_equal(hrf->n, 30);
    assert_close(hrf_measure(hrf).sum, 1.1528846161, 1e-10);
    assert_close(hrf->h[7], 0.175075, 5e-7);
}

static void a_response_is_made_again_from_its_parameters(void **state)
{
    (void) state;
    size_t n = 0;
    const struct hrf_model *const *models = hrf_models(&n);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            assert_true(strcmp(models[i - 1]->name, models[i]->name) < 0);
        g_autoptr(owned_hrf) first = hrf_new(models[i]->name, 1.1, NULL);
        assert_non_null(first);
        g_autofree char *spec = g_strdup_printf("%s:%s", first->name, first->parameters);
        g_autoptr(owned_hrf) again = hrf_new(spec, 1.1, NULL);
        assert_non_null(again);
        assert_string_equal(again->parameters, first->parameters);
        assert_int_equal(again->n, first->n);
        assert_memory_equal(again->h, first->h, first->n * sizeof(double));
    }
}

// pyta's grid loses a millisecond a frame where (int) (TR / .001) truncates; ours never.
static void own_models_are_sampled_at_whole_frames(void **state)
{
    (void) state;
    size_t n_late = 0;
    for (int ms = 300; ms <= 3000; ms++) {
        double tr_s = ms / 1000.0;
        g_autoptr(owned_hrf) pyta = hrf_new("pyta", tr_s, NULL);
        g_autoptr(owned_hrf) own = hrf_new("scaled", tr_s, NULL);
        n_late += pyta->grid.step_s < tr_s - 0.0009;
        assert_true(own->grid.step_s == tr_s);
    }
    assert_int_equal(n_late, 337);
}

static void the_derivative_by_delta_is_the_limit_of_differences(void **state)
{
    (void) state;
    g_autoptr(owned_hrf) slow = hrf_new("scaled:delta=0.9999", 1.0, NULL);
    g_autoptr(owned_hrf) fast = hrf_new("scaled:delta=1.0001", 1.0, NULL);
    g_autoptr(owned_hrf) slope = hrf_new("hemolearn:derivative=delta", 1.0, NULL);
    for (size_t k = 0; k < slope->n; k++)
        assert_close((fast->h[k] - slow->h[k]) / 0.0002, slope->h[k], 3e-4);
}

static void normalisation_is_what_was_asked(void **state)
{
    (void) state;
    g_autoptr(owned_hrf) peak = hrf_new("spm:norm=peak", 2.0, NULL);
    double largest = 0.0;
    for (size_t k = 0; k < peak->n; k++)
        largest = fmax(largest, peak->h[k]);
    assert_close(largest, 1.0, 0.0);
    g_autoptr(owned_hrf) sum = hrf_new("gam:norm=sum", 0.8, NULL);
    assert_close(hrf_measure(sum).sum, 1.0, 1e-15);
    g_autoptr(owned_hrf) none = hrf_new("spm:norm=none,length=20", 1.0, NULL);
    assert_int_equal(none->n, 21);
    double expected = exp(-5.0) * (pow(5.0, 5.0) / 120.0 - pow(5.0, 15.0) / 1307674368000.0 / 6.0);
    assert_close(none->h[5], expected, 1e-15);
    // floor(length / TR) + 1, where length / TR is a whole number but for rounding.
    g_autoptr(owned_hrf) whole = hrf_new("spm:length=0.3", 0.1, NULL);
    assert_int_equal(whole->n, 4);
}

static void mistakes_are_named(void **state)
{
    (void) state;
    static const struct {
        const char *spec;
        int code;
        const char *message;
    } expected[] = {
        {"glovr", DECONV_ERROR_NAME, "hrf: \"glovr\" is no model (did you mean \"glover\"?)"},
        {"qqqqqqq", DECONV_ERROR_NAME, "hrf: \"qqqqqqq\" is no model; `taut hrf` lists them"},
        {"", DECONV_ERROR_NAME, "hrf: \"\" is no model; `taut hrf` lists them"},
        {"spm:dealy=3", DECONV_ERROR_NAME,
         "hrf: spm: no parameter \"dealy\" (did you mean \"delay\"?)"},
        {"scaled:xyzzyplugh=1", DECONV_ERROR_NAME,
         "hrf: scaled: no parameter \"xyzzyplugh\" (it takes delta, ratio, length, norm)"},
        {"spm:delay=x", DECONV_ERROR_VALUE, "hrf: spm: delay = \"x\" is not a number"},
        {"spm:delay", DECONV_ERROR_VALUE, "hrf: spm: expected parameter=value, got \"delay\""},
        {"spm:delay=nan", DECONV_ERROR_VALUE,
         "hrf: spm: delay = nan is outside 0.1..100 (delay of the response, s)"},
        {"spm:norm=max", DECONV_ERROR_VALUE, "hrf: spm: norm = \"max\" is none of none|peak|sum"},
        {"block:q=6", DECONV_ERROR_VALUE, "hrf: block: q = \"6\" is none of 4|5"},
        {"fir:delay=0.4,width=0.2", DECONV_ERROR_VALUE, NULL},
        {"spm:length=0.5", DECONV_ERROR_VALUE, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(hrf_new(expected[i].spec, 2.0, &error));
        assert_true(g_error_matches(error, DECONV_ERROR, expected[i].code));
        if (expected[i].message != NULL)
            assert_string_equal(error->message, expected[i].message);
    }
    static const double bad_tr_s[] = {0.0, -1.0, NAN, INFINITY};
    for (size_t i = 0; i < G_N_ELEMENTS(bad_tr_s); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(hrf_new("spm", bad_tr_s[i], &error));
        assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
    }
}

static void files_are_checked(void **state)
{
    (void) state;
    static const double zeros[] = {0.0, 0.0, 0.0};
    static const double bad[] = {0.0, NAN, 1.0};
    static const double good[] = {0.0, 2.0, 1.0};
    const double *samples[] = {zeros, bad, good};
    static const size_t counts[] = {3, 3, 1};
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(hrf_new_from_samples(samples[i], counts[i], 1.0, &error));
        assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
    }
    g_autoptr(owned_hrf) hrf = hrf_new_from_samples(good, 3, 1.5, NULL);
    assert_memory_equal(hrf->h, good, sizeof good);
    assert_close(hrf_measure(hrf).time_to_peak_s, 1.5, 0.0);
    assert_true(hrf_normalise(hrf, HRF_NORM_SUM, NULL));
    assert_close(hrf->h[1], 2.0 / 3.0, 1e-15);
}

static void times_of_a_file_are_resampled(void **state)
{
    (void) state;
    static const double times_s[] = {0.5, 1.0, 3.0}, h[] = {1.0, 2.0, 0.0};
    g_autoptr(owned_hrf) hrf = hrf_new_from_times(times_s, h, 3, 0.75, NULL);
    static const double expected[] = {0.0, 1.5, 1.5, 0.75, 0.0};
    assert_int_equal(hrf->n, 5);
    for (size_t k = 0; k < 5; k++)
        assert_close(hrf->h[k], expected[k], 1e-15);
    static const double falling[] = {0.5, 1.0, 1.0};
    g_autoptr(GError) error = NULL;
    assert_null(hrf_new_from_times(falling, h, 3, 0.75, &error));
    assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
}

static size_t count_warnings(const struct hrf *hrf)
{
    g_auto(GStrv) warnings = hrf_warnings(hrf);
    return g_strv_length(warnings);
}

static void misuse_is_warned_of(void **state)
{
    (void) state;
    static const struct {
        const char *spec;
        size_t n;
    } expected[] = {{"spm", 0},    {"spm:derivative=time", 1}, {"block", 1}, {"glover:os=1", 1},
                    {"glover", 0}, {"glover:os=50", 0},        {"spmg2", 1}, {"pyta", 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(owned_hrf) hrf = hrf_new(expected[i].spec, 2.0, NULL);
        assert_int_equal(count_warnings(hrf), expected[i].n);
    }
    // The same kernels from a file: only the late one is suspect.
    g_autoptr(owned_hrf) late = hrf_new("nilearn-spm:os=1", 2.0, NULL);
    g_autoptr(owned_hrf) file = hrf_new_from_samples(late->h, late->n, 2.0, NULL);
    assert_int_equal(count_warnings(file), 1);
    g_autoptr(owned_hrf) right = hrf_new("spm", 2.0, NULL);
    g_autoptr(owned_hrf) right_file = hrf_new_from_samples(right->h, right->n, 2.0, NULL);
    assert_int_equal(count_warnings(right_file), 0);
}

// The words of all warnings about samples of a file, every tr_s seconds. Owned.
static char *doubts_of(const double *h, size_t n, double tr_s)
{
    g_autoptr(owned_hrf) hrf = hrf_new_from_samples(h, n, tr_s, NULL);
    g_auto(GStrv) warnings = hrf_warnings(hrf);
    return g_strjoinv("; ", warnings);
}

static void a_doubtful_file_is_named_for_what_it_is(void **state)
{
    (void) state;
    static const char *const models[] = {"gam", "glover", "spm", "twogam"};
    static const double times_s[] = {0.5, 1.0, 2.0};
    for (size_t i = 0; i < G_N_ELEMENTS(models) * G_N_ELEMENTS(times_s); i++) {
        double tr_s = times_s[i % G_N_ELEMENTS(times_s)], h[128] = {0.0};
        g_autoptr(owned_hrf) hrf = hrf_new(models[i / G_N_ELEMENTS(times_s)], tr_s, NULL);
        size_t n = hrf->n, late = (size_t) (8.0 / tr_s);
        g_autofree char *right = doubts_of(hrf->h, n, tr_s);
        assert_string_equal(right, "");
        for (size_t k = 0; k < n; k++)
            h[k] = hrf->h[n - 1 - k];
        g_autofree char *reversed = doubts_of(h, n, tr_s);
        assert_non_null(strstr(reversed, "reversed in time"));
        memset(h, 0, sizeof h);
        memcpy(h + late, hrf->h, n * sizeof *h);
        g_autofree char *shifted = doubts_of(h, n + late, tr_s);
        assert_non_null(strstr(shifted, "its peak is at"));
        if (g_str_equal(hrf->name, "glover") || g_str_equal(hrf->name, "spm"))
            assert_non_null(strstr(shifted, "(8 s) late"));
        g_autofree char *cut = doubts_of(hrf->h + (size_t) (4.0 / tr_s), n / 2, tr_s);
        assert_non_null(strstr(cut, "not causal"));
        g_autofree char *short_ = doubts_of(hrf->h, (size_t) (6.0 / tr_s) + 1, tr_s);
        assert_non_null(strstr(short_, "its end is cut off"));
        g_autofree char *slow = doubts_of(hrf->h, n, 20.0 * tr_s);
        assert_non_null(strstr(slow, "sampled at the repetition time?"));
    }
}

static void what_comes_before_time_0_is_left_out_and_told(void **state)
{
    (void) state;
    double times_s[40], h[40];
    g_autoptr(owned_hrf) spm = hrf_new("spm", 1.0, NULL);
    for (size_t late = 0; late < 2; late++) {
        for (size_t i = 0; i < 40; i++) {
            times_s[i] = (double) i - 4.0;
            size_t k = i + 3 * late; // the peak before time 0, or in its place
            h[i] = k >= 4 && k - 4 < spm->n ? spm->h[k - 4] : 0.0;
        }
        g_autoptr(owned_hrf) hrf = hrf_new_from_times(times_s, h, 30, 1.0, NULL);
        g_auto(GStrv) warnings = hrf_warnings(hrf);
        g_autofree char *all = g_strjoinv("; ", warnings);
        assert_close(hrf->h[3], spm->h[3 + 3 * late], 1e-15);
        assert_int_equal(strstr(all, "before time 0") != NULL, late == 1);
    }
}

static void parameters_may_be_separated_by_colons(void **state)
{
    (void) state;
    g_autoptr(owned_hrf) commas = hrf_new("spm:delay=5,norm=peak", 2.0, NULL);
    g_autoptr(owned_hrf) colons = hrf_new("spm:delay=5:norm=peak", 2.0, NULL);
    assert_string_equal(commas->parameters, colons->parameters);
    assert_memory_equal(commas->h, colons->h, commas->n * sizeof *commas->h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_files_are_reproduced),
        cmocka_unit_test(spm_parameters_are_those_of_spm),
        cmocka_unit_test(regressors_are_those_of_nilearn),
        cmocka_unit_test(inverted_and_double_responses_are_sums_of_others),
        cmocka_unit_test(shapes_are_those_of_the_literature),
        cmocka_unit_test(the_uk_biobank_response_has_its_sum_and_peak),
        cmocka_unit_test(a_response_is_made_again_from_its_parameters),
        cmocka_unit_test(own_models_are_sampled_at_whole_frames),
        cmocka_unit_test(the_derivative_by_delta_is_the_limit_of_differences),
        cmocka_unit_test(normalisation_is_what_was_asked),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(files_are_checked),
        cmocka_unit_test(times_of_a_file_are_resampled),
        cmocka_unit_test(misuse_is_warned_of),
        cmocka_unit_test(a_doubtful_file_is_named_for_what_it_is),
        cmocka_unit_test(what_comes_before_time_0_is_left_out_and_told),
        cmocka_unit_test(parameters_may_be_separated_by_colons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
