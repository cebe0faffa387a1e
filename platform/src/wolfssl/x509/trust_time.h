#ifndef PLAT_WOLFSSL_TRUST_TIME_H
#define PLAT_WOLFSSL_TRUST_TIME_H

/** @file How long the verification of a chain of certificates holds. */

#include <stdint.h>

/* Both in seconds since 1970. */
typedef struct plat_trust {
    int64_t judged_at_s;
    int64_t valid_until_s; /* inclusive: the first certificate of the chain expires */
} plat_trust;

/** The time by which certificates and sessions are judged, beyond 2038 as well. */
int64_t plat_trust_now_s(void);

#endif
