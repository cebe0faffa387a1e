#ifndef PLAT_WOLFSSL_PATH_H
#define PLAT_WOLFSSL_PATH_H

/**
 * @file
 * A path from a server's certificate up to a trusted one (RFC 5280 section 6.1): depth first
 * over everything that may have issued the one below, until one path is good in all its parts,
 * or a fixed amount of work is done.
 */

#include "wolfssl/x509/certificate.h"
#include "wolfssl/x509/roots.h"

#define PLAT_PATH_PRESENTED   16          /* certificates that a server may present, */
#define PLAT_PATH_BYTES       (64 * 1024) /* and their bytes in all */
#define PLAT_PATH_LONGEST     10          /* certificates below the trusted one */
#define PLAT_PATH_SIGNATURES  32          /* checks in all paths together */
#define PLAT_PATH_COMPARISONS 65536u      /* of names and candidates, likewise */

typedef struct plat_path_task {
    const plat_certificate *certs; /* the server's own first; the others in any order */
    const bool *readable;          /* which of them were read */
    size_t count;                  /* PLAT_PATH_PRESENTED at most */
    const plat_roots *roots;
    int64_t now_s;
    uint32_t max_path_len; /* CAs below the trusted one that are not self-issued */
} plat_path_task;

/**
 * Why a certificate cannot be used now, on its own: PLAT_OK, or the code and, in *why, a line of
 * static text.  The first is for a CA that is presented, the second for one that is trusted, the
 * third for the server's own certificate; none looks at host names.
 */
plat_result plat_path_judge_ca(const plat_certificate *c, int64_t now_s, const char **why);
plat_result plat_path_judge_root(const plat_certificate *c, int64_t now_s, const char **why);
plat_result plat_path_judge_own(const plat_certificate *c, int64_t now_s, const char **why);

/** PLAT_OK and when the first certificate of the path expires, or the best reason that was met. */
plat_result plat_path_find(const plat_path_task *task, int64_t *valid_until_s, const char **why);

#endif
