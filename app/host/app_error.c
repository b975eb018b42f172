// SPDX-License-Identifier: BSD-3-Clause
#include "app/host/app_error.h"

G_DEFINE_QUARK(app_error, app_error)
