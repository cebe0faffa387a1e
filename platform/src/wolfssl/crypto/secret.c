#include "wolfssl/crypto/secret.h"

#include "memory/wipe_memory.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/memory.h>

void plat_secret_free(void *bytes, size_t len)
{
    if (bytes != NULL) {
        plat_wipe(bytes, len);
        wolfSSL_Free(bytes);
    }
}
