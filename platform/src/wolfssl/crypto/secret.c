#include "wolfssl/crypto/secret.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/memory.h>

/* A compiler may leave out a memset before free, but not writes through a volatile pointer. */
void plat_wipe(void *bytes, size_t len)
{
    volatile unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++) {
        at[i] = 0;
    }
}

void plat_secret_free(void *bytes, size_t len)
{
    if (bytes != NULL) {
        plat_wipe(bytes, len);
        wolfSSL_Free(bytes);
    }
}
