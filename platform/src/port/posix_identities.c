#include "platform/platform.h"

#include "wolfssl/identity/identity.h"

/* Apart from plat_posix, so that programs without client certificates do not link them. */
const plat_identities *plat_posix_identities(void)
{
    return &plat_wolfssl_identities;
}
