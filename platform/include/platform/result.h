#ifndef PLAT_RESULT_H
#define PLAT_RESULT_H

/**
 * @file
 * The result codes of the platform layer.
 */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Result of each platform function that can fail: zero, or a negative code.  New codes are
 * appended; the number of a code never changes.
 */
typedef enum plat_result {
    PLAT_OK = 0,           /**< Success. */
    PLAT_WOULD_BLOCK = -1, /**< No error: wait for what the stream's poll function reports. */
    PLAT_EOF = -2,         /**< The peer has closed the connection in order; no record was found. */

    PLAT_ERR_DNS = -3,     /**< The host name does not resolve. */
    PLAT_ERR_CONNECT = -4, /**< No address answered: refused or unreachable. */
    PLAT_ERR_IO = -5,      /**< An open connection broke. */

    PLAT_ERR_TLS = -6,            /**< A TLS handshake or record failed, or the server insists on an
                                       unsafe cipher suite or version. */
    PLAT_ERR_CERT_UNTRUSTED = -7, /**< The server's certificates lead to no trusted root. */
    PLAT_ERR_CERT_HOST = -8,      /**< The server's certificate is valid, but for another host. */
    PLAT_ERR_CERT_DATE = -9,      /**< A certificate has expired, or is not valid yet. */
    PLAT_ERR_CERT = -10,          /**< A certificate is missing, weak, or not meant for a server. */

    PLAT_ERR_TRUST_STORE = -11, /**< The file of trusted roots cannot be read. */
    PLAT_ERR_ENCODING = -12,    /**< The text is not base64. */
    PLAT_ERR_NO_SPACE = -13,    /**< The output buffer is too small. */
    PLAT_ERR_ARG = -14,         /**< An argument is invalid. */
    PLAT_ERR_STATE = -15,       /**< The call is not allowed in this state. */
    PLAT_ERR_MEMORY = -16,      /**< No memory, descriptor or thread is left. */
    PLAT_ERR_CRYPTO = -17,      /**< The crypto library failed; for example, there is no entropy. */

    PLAT_ERR_FULL = -18,  /**< No space is left on the disk, or the store's limit is reached. */
    PLAT_ERR_STORE = -19, /**< A store's file cannot be read or written. */
    PLAT_ERR_STORE_VERSION = -20, /**< The store is of another version, purpose or owner. */
    PLAT_ERR_STORE_DAMAGED = -21, /**< The file is not a store, or the store is damaged. */
    PLAT_ERR_STORE_BUSY = -22,    /**< Another process has the store open. */

    PLAT_ERR_IDENTITY = -23,   /**< A client certificate or its private key cannot be used. */
    PLAT_ERR_PASSPHRASE = -24, /**< The private key is encrypted, and the passphrase is wrong or
                                    missing. */
    PLAT_ERR_SIGNER = -25,     /**< A signer could not use its private key. */
    PLAT_ERR_IDENTITY_REFUSED =
        -26, /**< The server refuses the client certificate, or requires one. */

    PLAT_ERR_WEBSOCKET = -27,   /**< The server refuses the WebSocket, or breaks its protocol. */
    PLAT_ERR_UNAVAILABLE = -28, /**< A server or proxy is busy: it answers with HTTP status 429 or
                                     5xx. */
    PLAT_ERR_PROXY = -29 /**< The proxy refuses the connection, or the user and password, or breaks
                              its protocol. */
} plat_result;

/**
 * Describes a result code in English, for logs.
 *
 * @param r  any value
 * @return a static text of a few words; never NULL, also for an unknown value
 */
const char *plat_result_str(plat_result r);

#ifdef __cplusplus
}
#endif
#endif
