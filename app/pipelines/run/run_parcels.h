// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/run/run.h"

/** Reads the labels and their names, where there is an atlas; the voxels with one are inside. */
bool run_plan_atlas(struct run_plan *plan, GError **error);

/** The samples of voxels, which were read, become those of parcels, run->parcels. */
bool run_pool(struct run *run, GError **error);

/** "atlas-X" of the outputs' names: the entity of the file's name, or what it has of letters and
 * digits. Owned. */
char *run_atlas_entity(const struct run_options *options);

/** The table of a 4-D image: a row a frame, a column a parcel. Owned. */
char *run_parcels_table(const struct run *run, size_t n_frames,
                        double (*sample)(const struct run *run, size_t t, size_t v));

/** The name of a parcel: by the table of labels, else its number. Owned. */
char *run_parcel_name(const struct run *run, size_t parcel);
