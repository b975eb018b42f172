// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdbool.h>

/**
 * What a unit, as files write it (UTF-8), is in SI: "uV" and both letters mu of "µV" are 1e-6 of
 * "V", "fT/cm" is 1e-13 of "T/m". False: it is none of those that measure fields, voltages and
 * conductances, and is kept as it stands, with factor 1.
 */
bool units_to_si(const char *unit, double *factor, const char **si);
