// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check_io.h"

#include "io/derivatives.h"

static void put(const char *folder, const char *name)
{
    g_free(write_file(folder, name, "", 0));
}

static void finds(const char *folder, char *(*find)(const char *run), const char *run,
                  const char *expected)
{
    g_autofree char *path = g_build_filename(folder, run, NULL);
    g_autofree char *found = find(path);
    g_autofree char *name = found == NULL ? NULL : g_path_get_basename(found);
    if (g_strcmp0(name, expected) != 0)
        fail_msg("%s: %s", run, name == NULL ? "none" : name);
}

// Names of fMRIPrep 20.1, 20.2, 23 and 25: in native space and in that of a template.
static void masks_and_confounds_are_found_by_their_entities(G_GNUC_UNUSED void **state)
{
    char *folder = temporary_folder();
    static const char *const files[] = {
        "sub-1_task-a_desc-confounds_regressors.tsv",
        "sub-1_task-a_desc-brain_mask.nii.gz",
        "sub-1_task-a_space-MNI152NLin2009cAsym_desc-brain_mask.nii.gz",
        "sub-1_task-a_space-MNI152NLin6Asym_res-2_desc-brain_mask.nii.gz",
        "sub-1_ses-b_task-a_run-1_desc-confounds_regressors.tsv",
        "sub-1_ses-b_task-a_run-1_desc-confounds_timeseries.tsv",
        "sub-1_ses-b_task-a_run-2_part-mag_desc-confounds_timeseries.tsv",
        "sub-1_ses-b_task-a_run-2_part-mag_desc-brain_mask.nii.gz",
        "sub-1_ses-b_task-a_run-1_desc-brain_mask.nii",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        put(folder, files[i]);
    const char *old = "sub-1_task-a_desc-confounds_regressors.tsv";
    finds(folder, derivatives_find_confounds, "sub-1_task-a_desc-preproc_bold.nii.gz", old);
    finds(folder, derivatives_find_confounds,
          "sub-1_task-a_space-MNI152NLin6Asym_res-2_desc-preproc_bold.nii.gz", old);
    finds(folder, derivatives_find_confounds, "sub-1_task-a_echo-2_desc-preproc_bold.nii.gz", old);
    finds(folder, derivatives_find_confounds, "sub-1_task-a_run-2_desc-preproc_bold.nii.gz", NULL);
    finds(folder, derivatives_find_confounds, "sub-1_task-b_desc-preproc_bold.nii.gz", NULL);
    finds(folder, derivatives_find_confounds,
          "sub-1_ses-b_task-a_run-1_space-T1w_desc-preproc_bold.nii.gz",
          "sub-1_ses-b_task-a_run-1_desc-confounds_timeseries.tsv");
    finds(folder, derivatives_find_confounds,
          "sub-1_ses-b_task-a_run-2_part-mag_desc-preproc_bold.nii.gz",
          "sub-1_ses-b_task-a_run-2_part-mag_desc-confounds_timeseries.tsv");

    finds(folder, derivatives_find_mask, "sub-1_task-a_desc-preproc_bold.nii.gz",
          "sub-1_task-a_desc-brain_mask.nii.gz");
    finds(folder, derivatives_find_mask,
          "sub-1_task-a_space-MNI152NLin6Asym_res-2_desc-preproc_bold.nii.gz",
          "sub-1_task-a_space-MNI152NLin6Asym_res-2_desc-brain_mask.nii.gz");
    finds(folder, derivatives_find_mask, "sub-1_task-a_space-T1w_desc-preproc_bold.nii.gz", NULL);
    finds(folder, derivatives_find_mask, "sub-1_task-a_echo-2_desc-preproc_bold.nii.gz",
          "sub-1_task-a_desc-brain_mask.nii.gz");
    finds(folder, derivatives_find_mask, "sub-1_ses-b_task-a_run-1_bold.nii.gz",
          "sub-1_ses-b_task-a_run-1_desc-brain_mask.nii");
    finds(folder, derivatives_find_mask, "filtered_func_data.nii.gz", NULL);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_and_confounds_are_found_by_their_entities),
    };
    return cmocka_run_group_tests_name("derivatives", tests, NULL, NULL);
}
