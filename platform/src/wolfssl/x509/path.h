#ifndef PLAT_WOLFSSL_PATH_H
#define PLAT_WOLFSSL_PATH_H

/**
 * @file
 * Finds a path from a server's certificate up to a trusted one (RFC 5280 section 6.1).  The search
 * is depth-first: for each certificate it tries all others that may have issued it.  It ends when
 * one path is good in all its parts, or when a fixed amount of work was done.
 */

#include "wolfssl/x509/certificate.h"
#include "wolfssl/x509/roots.h"

#define PLAT_PATH_PRESENTED  16          /* most certificates that a server may present */
#define PLAT_PATH_BYTES      (64 * 1024) /* most bytes of all these certificates */
#define PLAT_PATH_LONGEST    10          /* most certificates below the trusted one */
#define PLAT_PATH_SIGNATURES 32          /* most signatures that are checked in one search */
#define PLAT_PATH_COMPARISONS                                           \
    65536u /* most names and candidates that are compared in one search \
            */

/** The input of a search. */
typedef struct plat_path_task {
    /* The server's own certificate is the first; the others are in any order. */
    const plat_certificate *certs;
    const bool *readable;    /* for each certificate: whether it could be read */
    size_t count;            /* number of certificates, at most PLAT_PATH_PRESENTED */
    const plat_roots *roots; /* the trusted certificates */
    int64_t now_s;           /* time of the verification, in seconds since 1970 */
    uint32_t max_path_len;   /* most CAs below the trusted one that are not self-issued */
} plat_path_task;

/**
 * These functions decide whether a certificate may be used at its position in a path, without
 * looking at the others or at the host name. plat_path_check_ca is for a CA that the server
 * presents, plat_path_check_root for a trusted certificate, plat_path_check_own for the server's
 * own certificate.
 * @param[out] why after a failure: the reason, one line of static text
 */
plat_result plat_path_check_ca(const plat_certificate *c, int64_t now_s, const char **why);
plat_result plat_path_check_root(const plat_certificate *c, int64_t now_s, const char **why);
plat_result plat_path_check_own(const plat_certificate *c, int64_t now_s, const char **why);

/**
 * Searches for a good path.
 * @param[out] valid_until_s  after PLAT_OK: when the first certificate of the path expires
 * @param[out] why            after a failure: the reason of the path that came closest to a good
 * one
 */
plat_result plat_path_find(const plat_path_task *task, int64_t *valid_until_s, const char **why);

#endif
