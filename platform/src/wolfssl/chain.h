#ifndef PLAT_WOLFSSL_CHAIN_H
#define PLAT_WOLFSSL_CHAIN_H

/**
 * @file
 * Whether to believe the certificates that a server presents: an unbroken chain to
 * a trusted root, each link strong, valid today and meant for its purpose, the
 * first one for this very host.
 */

#include "wolfssl/host_name.h"
#include "wolfssl/roots.h"
#include "wolfssl_trust.h"

#include <wolfssl/ssl.h>

typedef struct plat_chain {
    const WOLFSSL_BUFFER_INFO *certs; /* the server's own first, the others in any order */
    size_t count;
    int64_t now_s; /* the time of the judgement, in seconds since 1970 */
} plat_chain;

typedef struct plat_chain_verdict {
    const char *why;  /* not PLAT_OK: one line of static text */
    plat_trust trust; /* PLAT_OK: until when it holds */
} plat_chain_verdict;

plat_result plat_chain_verify(const plat_chain *chain, const plat_roots *roots,
                              const plat_host *host, plat_chain_verdict *out);

#endif
