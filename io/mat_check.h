// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/gz.h"

/**
 * Whether no array of a MATLAB file of version 5, nested ones included, says that it holds more
 * than its bytes can: what reads such files asks for memory by what it is told. The stream stands
 * behind the head of 128 bytes. Variables that are compressed are not looked into, nor is what is
 * sparse or no array; files of the other byte order (`MI` at byte 126) are not for this.
 */
bool mat_check(struct gz *stream);
