#ifndef PLAT_WOLFSSL_TRUST_TIME_H
#define PLAT_WOLFSSL_TRUST_TIME_H

/** @file How long the verification of a chain of certificates is trusted. */

#include <stdint.h>

/** How long a verification is trusted. Both times are seconds since 1970. */
typedef struct plat_trust {
    int64_t verified_at_s; /* when the chain was verified */
    int64_t valid_until_s; /* the last second before the first certificate of the chain expires */
} plat_trust;

/** Returns the current time for certificates and sessions. It is correct beyond 2038, too. */
int64_t plat_trust_now_s(void);

#endif
