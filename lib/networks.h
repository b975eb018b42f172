// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "lib/internal.h"

#include "unrolled/network.h"

struct taut_network {
    struct network *network;     // owned
    const taut_problem *problem; // borrowed
};

/** What a pass through all layers and back takes, roughly from above. */
double lib_network_bytes(const taut_network *network, const taut_host *host, size_t n_series);
