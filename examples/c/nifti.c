// SPDX-License-Identifier: BSD-3-Clause
/*
 * A run of float32 in, its activity out, by nifticlib.
 *
 *     cc nifti.c -I/usr/include/nifti $(pkg-config --cflags --libs taut) -lnifti2 -lznz -lz -o
 * nifti
 *     ./nifti run_bold.nii.gz activity.nii.gz
 */
#include <nifti2_io.h>
#include <stdio.h>
#include <stdlib.h>
#include <taut.h>

static int deconvolve(nifti_image *run, taut_error *error)
{
    size_t n_time = (size_t) run->nt, n_voxels = (size_t) run->nvox / n_time, n_h = 1000;
    double *values = malloc((size_t) run->nvox * sizeof(double)), h[1000];
    double *lambda = malloc(n_voxels * sizeof(double));
    taut_problem *problem = NULL;
    int code = values == NULL || lambda == NULL ? TAUT_NO_MEMORY
                                                : taut_hrf("spm", run->dt, h, &n_h, error);
    if (code == TAUT_OK) {
        problem = taut_problem_tv_filter(h, n_h, n_time, 0, error);
        code = problem == NULL ? error->code : TAUT_OK;
    }
    for (size_t i = 0; code == TAUT_OK && i < n_time * n_voxels; i++)
        values[i] = ((float *) run->data)[i];
    for (size_t v = 0; code == TAUT_OK && v < n_voxels; v++)
        lambda[v] = 0.1; /* of each lambda_max */
    /* Frame after frame, as in the file: a series has its samples n_voxels apart. */
    taut_array x = {values, n_voxels, n_time, 1, (ptrdiff_t) n_voxels, TAUT_FLOAT64, 0}, u = x;
    u.data = run->data;
    u.type = TAUT_FLOAT32;
    taut_options options;
    taut_options_init(&options);
    options.rule = "ratio";
    if (code == TAUT_OK)
        code = taut_clean(NULL, run->dt, NULL, &x, error); /* cosines of 128 s, z-score */
    if (code == TAUT_OK)
        code = taut_solve(problem, &options, NULL, &x, lambda, &u, NULL, error);
    taut_problem_free(problem);
    free(lambda);
    free(values);
    return code;
}

int main(int argc, char **argv)
{
    taut_error error = {TAUT_NO_MEMORY, "no memory"};
    nifti_image *run = argc == 3 ? nifti_image_read(argv[1], 1) : NULL;
    if (run == NULL || run->datatype != DT_FLOAT32 || run->nt < 2) {
        fprintf(stderr, "usage: nifti RUN ACTIVITY, the run 4-D and of float32\n");
        return 2;
    }
    int code = deconvolve(run, &error);
    if (code != TAUT_OK)
        fprintf(stderr, "%s\n", error.message);
    else if (nifti_set_filenames(run, argv[2], 0, 1) != 0)
        code = 1;
    else
        nifti_image_write(run);
    nifti_image_free(run);
    return code != TAUT_OK;
}
