// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sources/leadfield.h"

/**
 * What a leadfield of fixed orientation is told by, as text for the file of a network: the sizes,
 * ||G||_F^2, and inner products of pairs of columns spread evenly over the positions. Rows of G are
 * unique up to a rotation of whitened space; these do not change with it.
 */
char *leadfield_identity(const struct leadfield *leadfield);

/** What differs, of a text and a leadfield, as "expected A, found B"; NULL: nothing does. */
char *leadfield_identity_differs(const char *text, const struct leadfield *leadfield);
