// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/solver.h"

#include <json-glib/json-glib.h>

/** Of some numbers; all 0 where there are none. */
struct spread {
    double min;
    double median;
    double max;
};

/** What came of many series. Spreads and means are over those that were solved, or nearly. */
struct outcome {
    size_t counts[SERIES_N_STATUS];
    size_t n_solved; // SERIES_SOLVED and SERIES_INACCURATE
    struct spread lambda;
    struct spread lambda_max;
    struct spread relative_gap;
    struct spread jumps;
    struct spread iterations;
    double objective_mean;
};

struct outcome outcome_of(const struct series_result *results, size_t n);

/** {"solved": n, "constant": n, "nonfinite": n, "inaccurate": n, "skipped": n}. */
JsonObject *outcome_status_json(const struct outcome *outcome);

enum spread_part { SPREAD_MIN = 1, SPREAD_MEDIAN = 2, SPREAD_MAX = 4 };

/** {"min": x, "median": x, "max": x}, those parts that are asked for. */
JsonObject *spread_json(const struct spread *spread, unsigned parts);
