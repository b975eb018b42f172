// SPDX-License-Identifier: BSD-3-Clause
#include "app/host/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <nettle/sha2.h>
#include <unistd.h>

enum { PIECE_BYTES = 1 << 18 };

// As hexadecimal digits. Owned by the caller.
static char *digits_of(struct sha256_ctx *sha256)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(sha256, sizeof digest, digest);
    GString *text = g_string_sized_new(2 * sizeof digest + 1);
    for (size_t i = 0; i < sizeof digest; i++)
        g_string_append_printf(text, "%02x", digest[i]);
    return g_string_free(text, FALSE);
}

char *hash_file(const char *path, const atomic_bool *stop)
{
    int descriptor = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return NULL;
    struct sha256_ctx sha256;
    sha256_init(&sha256);
    g_autofree uint8_t *piece = g_malloc(PIECE_BYTES);
    ssize_t n;
    while ((n = read(descriptor, piece, PIECE_BYTES)) != 0) {
        if (n > 0)
            sha256_update(&sha256, (size_t) n, piece);
        if ((n < 0 && errno != EINTR) || (stop != NULL && atomic_load(stop)))
            break;
    }
    close(descriptor);
    return n == 0 ? digits_of(&sha256) : NULL;
}
