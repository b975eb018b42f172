// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/**
 * The name of the outputs of a recording: that of its file without `.nii`, `.hdr` or `.img`, with
 * or without `.gz`, in any case, without the suffix `_bold` or `_cbv`, and without its `_desc-...`
 * entity. Owned by the caller.
 */
char *stem_of(const char *path);
