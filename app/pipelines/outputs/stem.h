// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/**
 * The name of the outputs of a recording: that of its file without `_bold.nii[.gz]` or
 * `.nii[.gz]` and without its `_desc-...` entity. Owned by the caller.
 */
char *stem_of(const char *path);
