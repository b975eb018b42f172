// SPDX-License-Identifier: BSD-3-Clause
#include "app/host/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

enum { PIECE_BYTES = 1 << 18 };

char *hash_file(const char *path, const atomic_bool *stop)
{
    int descriptor = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return NULL;
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree guchar *piece = g_malloc(PIECE_BYTES);
    ssize_t n;
    while ((n = read(descriptor, piece, PIECE_BYTES)) != 0) {
        if (n > 0)
            g_checksum_update(checksum, piece, n);
        if ((n < 0 && errno != EINTR) || (stop != NULL && atomic_load(stop)))
            break;
    }
    close(descriptor);
    return n == 0 ? g_strdup(g_checksum_get_string(checksum)) : NULL;
}
