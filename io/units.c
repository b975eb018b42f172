// SPDX-License-Identifier: BSD-3-Clause
#include "io/units.h"

#include <glib.h>
#include <string.h>

static const struct {
    const char *text;
    double factor;
    const char *si;
} units[] = {
    {"S", 1.0, "S"},        {"T", 1.0, "T"},        {"T/m", 1.0, "T/m"},
    {"V", 1.0, "V"},        {"fT", 1e-15, "T"},     {"fT/cm", 1e-13, "T/m"},
    {"fT/m", 1e-15, "T/m"}, {"mS", 1e-3, "S"},      {"mV", 1e-3, "V"},
    {"nS", 1e-9, "S"},      {"nT", 1e-9, "T"},      {"nT/m", 1e-9, "T/m"},
    {"nV", 1e-9, "V"},      {"pT", 1e-12, "T"},     {"pT/cm", 1e-10, "T/m"},
    {"pT/m", 1e-12, "T/m"}, {"pV", 1e-12, "V"},     {"uS", 1e-6, "S"},
    {"uV", 1e-6, "V"},      {"\u00b5S", 1e-6, "S"}, {"\u00b5V", 1e-6, "V"},
    {"\u03bcS", 1e-6, "S"}, {"\u03bcV", 1e-6, "V"},
};

bool units_to_si(const char *unit, double *factor, const char **si)
{
    *factor = 1.0;
    *si = unit;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (strcmp(units[i].text, unit) != 0)
            continue;
        *factor = units[i].factor;
        *si = units[i].si;
        return true;
    }
    return false;
}
