#ifndef PLAT_WOLFSSL_CHAIN_H
#define PLAT_WOLFSSL_CHAIN_H

/**
 * @file
 * Verifies the certificates that a server presents.  There must be a path to a trusted certificate
 * as RFC 5280 section 6.1 describes it.  Each certificate of the path must have a strong key and
 * signature, be valid today and be meant for its purpose; the first one must name the host.
 *
 * If the server's own certificate is in the file of trusted certificates, byte by byte, it needs no
 * path.
 */

#include "wolfssl/x509/host_name.h"
#include "wolfssl/x509/roots.h"
#include "wolfssl/x509/trust_time.h"

#include <wolfssl/ssl.h>

/** The certificates that the server presents. */
typedef struct plat_chain {
    /* The server's own certificate is the first; the others are in any order. */
    const WOLFSSL_BUFFER_INFO *certs;
    size_t count;
    int64_t now_s; /* time of the verification, in seconds since 1970 */

    /* True only in tests, for the limit of RFC 5280 section 6.1.2 (k). Without it, only the
     * limits in path.h apply. */
    bool has_max_path_len;
    uint32_t max_path_len;
} plat_chain;

/** The result of a verification. */
typedef struct plat_chain_verdict {
    const char *why;  /* after a failure: the reason, one line of static text */
    plat_trust trust; /* after PLAT_OK: how long the verdict is valid */
} plat_chain_verdict;

/** Verifies a chain. The amount of work is limited, whatever the server presents (see path.h). */
plat_result plat_chain_verify(const plat_chain *chain, const plat_roots *roots,
                              const plat_host *host, plat_chain_verdict *out);

#endif
