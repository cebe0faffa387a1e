#ifndef PLAT_RESULT_H
#define PLAT_RESULT_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Every fallible platform function returns one of these: zero, or a negative
 * code.  Append, never renumber.
 */
typedef enum plat_result {
    PLAT_OK = 0,
    PLAT_WOULD_BLOCK = -1, /* not an error: wait as the stream's poll says */
    PLAT_EOF = -2,         /* the peer closed in order */

    PLAT_ERR_DNS = -3,     /* the host name does not resolve */
    PLAT_ERR_CONNECT = -4, /* refused, unreachable: no address answered */
    PLAT_ERR_IO = -5,      /* an open connection broke */

    PLAT_ERR_TLS = -6,            /* handshake or record failure, unsafe suite or version */
    PLAT_ERR_CERT_UNTRUSTED = -7, /* no chain to a trusted root */
    PLAT_ERR_CERT_HOST = -8,      /* valid, but for another host */
    PLAT_ERR_CERT_DATE = -9,      /* expired, or not valid yet */
    PLAT_ERR_CERT = -10,          /* missing, weak, or not meant for a server */

    PLAT_ERR_TRUST_STORE = -11, /* the trusted roots cannot be read */
    PLAT_ERR_ENCODING = -12,    /* not base64 */
    PLAT_ERR_NO_SPACE = -13,    /* the output buffer is too small */
    PLAT_ERR_ARG = -14,
    PLAT_ERR_STATE = -15,
    PLAT_ERR_MEMORY = -16,
    PLAT_ERR_CRYPTO = -17, /* the crypto library failed, e.g. no entropy */

    PLAT_ERR_FULL = -18,          /* no space on the disk, or a store's own limit */
    PLAT_ERR_STORE = -19,         /* a store's file cannot be read or written */
    PLAT_ERR_STORE_VERSION = -20, /* of another version, purpose or owner */
    PLAT_ERR_STORE_DAMAGED = -21, /* not a store, or a damaged one */
    PLAT_ERR_STORE_BUSY = -22     /* another process has the store open */
} plat_result;

/** Static English text for logs.  Never NULL, also for unknown values. */
const char *plat_result_str(plat_result r);

#ifdef __cplusplus
}
#endif
#endif
