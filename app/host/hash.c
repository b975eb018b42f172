// SPDX-License-Identifier: BSD-3-Clause
#include "app/host/hash.h"

#include "app/host/app_error.h"

#include <errno.h>
#include <fcntl.h>
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

static char *fail(const char *path, GError **error)
{
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: cannot read: %s", path, g_strerror(errno));
    return NULL;
}

char *hash_file(const char *path, const atomic_bool *stop, GError **error)
{
    int descriptor = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return fail(path, error);
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
    int reason = errno;
    close(descriptor);
    if (n == 0)
        return digits_of(&sha256);
    errno = reason;
    if (n < 0)
        return fail(path, error);
    g_set_error_literal(error, APP_ERROR, APP_ERROR_STOPPED, "stopped");
    return NULL;
}
