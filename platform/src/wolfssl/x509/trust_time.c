#include "wolfssl/x509/trust_time.h"

#include <time.h>

/* Not wc_Time: in a wolfSSL for 32 bits, time_t ends in 2038. */
int64_t plat_trust_now_s(void)
{
    return (int64_t)time(NULL);
}
