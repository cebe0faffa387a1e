#include "wolfssl/x509/trust_time.h"

#include <time.h>

/* wc_Time is not used, because its time_t ends in 2038 in a wolfSSL for 32 bits. */
int64_t plat_trust_now_s(void)
{
    return (int64_t)time(NULL);
}
