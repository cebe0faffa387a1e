#ifndef PLAT_WOLFSSL_CHAIN_H
#define PLAT_WOLFSSL_CHAIN_H

/**
 * @file
 * Whether to believe the certificates that a server presents: a path to a trusted certificate as
 * RFC 5280 section 6.1 has it, each link strong, valid today and meant for its purpose, the
 * first one for this very host.
 *
 * A certificate that stands in the file of trusted ones itself, byte by byte, needs no path.
 */

#include "wolfssl/x509/host_name.h"
#include "wolfssl/x509/roots.h"
#include "wolfssl/x509/trust_time.h"

#include <wolfssl/ssl.h>

typedef struct plat_chain {
    const WOLFSSL_BUFFER_INFO *certs; /* the server's own first, the others in any order */
    size_t count;
    int64_t now_s; /* the time of the judgement, in seconds since 1970 */

    /** RFC 5280 section 6.1.2 (k), for tests: otherwise only the bounds in path.h hold. */
    bool has_max_path_len;
    uint32_t max_path_len;
} plat_chain;

typedef struct plat_chain_verdict {
    const char *why;  /* not PLAT_OK: one line of static text */
    plat_trust trust; /* PLAT_OK: until when it holds */
} plat_chain_verdict;

/** The work is bounded, whatever is presented (path.h). */
plat_result plat_chain_verify(const plat_chain *chain, const plat_roots *roots,
                              const plat_host *host, plat_chain_verdict *out);

#endif
