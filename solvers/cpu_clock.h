// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/** Processor time that this thread has used, in seconds. */
double cpu_clock_s(void);
