#ifndef IOTHUB_RESULT_H
#define IOTHUB_RESULT_H

/**
 * @file
 * Result codes and error texts of the SDK.
 */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Every function of the SDK that can fail returns one of these codes: zero for success, or a
 * negative code that tells the caller what to do next.
 *
 * A code keeps its number in every later version.
 */
typedef enum iothub_result {
    IOTHUB_OK = 0, /**< Success. */

    /* The call was refused and changed nothing. */
    IOTHUB_ERR_ARG = -1,      /**< An argument is outside its documented range. */
    IOTHUB_ERR_STATE = -2,    /**< The call is not allowed in the current state. */
    IOTHUB_ERR_NO_SPACE = -3, /**< A queue or buffer is full; call again after iothub_process. */
    IOTHUB_ERR_TOO_BIG = -4,  /**< The data can never fit; calling again does not help. */
    IOTHUB_ERR_JSON = -5,     /**< The text is not JSON, or not the kind of JSON required here. */
    IOTHUB_ERR_MEMORY = -6,   /**< The heap is exhausted, or the memory passed is too small. */

    /* A connection string or token that a person must correct. */
    IOTHUB_ERR_PART_MISSING = -10,   /**< A required part is missing. */
    IOTHUB_ERR_PART_DUPLICATE = -11, /**< A part is given twice. */
    IOTHUB_ERR_PART_EMPTY = -12,     /**< A part has no value. */
    IOTHUB_ERR_PART_UNKNOWN = -13, /**< A part has an unknown name, or is not a Name=Value pair. */
    IOTHUB_ERR_PART_INVALID = -14, /**< A value is not valid, e.g. '#' in a device id. */
    IOTHUB_ERR_KEY = -15,          /**< The key is not base64. */
    IOTHUB_ERR_UNSUPPORTED = -16,  /**< The text is valid, but this version does not support it. */

    /* The connection failed. The client tries again unless the retry callback stops it. */
    IOTHUB_ERR_NETWORK = -20,       /**< An open connection broke, or the hub closed it. */
    IOTHUB_ERR_DNS = -21,           /**< The host name could not be resolved. */
    IOTHUB_ERR_CONNECT = -22,       /**< The TCP connection could not be made. */
    IOTHUB_ERR_TIMEOUT = -23,       /**< No answer arrived in time. */
    IOTHUB_ERR_TLS = -24,           /**< The TLS handshake failed, or a TLS record was bad. */
    IOTHUB_ERR_TLS_UNTRUSTED = -25, /**< The certificate does not lead to a trusted root. */
    IOTHUB_ERR_TLS_HOST = -26,      /**< The certificate is for another host. */
    IOTHUB_ERR_TLS_DATE = -27,      /**< The certificate has expired or is not valid yet; often
                                         the device's clock is wrong. */
    IOTHUB_ERR_TLS_CERT = -28,      /**< The certificate is missing, weak or not for a server. */
    IOTHUB_ERR_TRUST_STORE = -29,   /**< The trusted root certificates cannot be read. */
    IOTHUB_ERR_AUTH = -30,          /**< The hub refused the credential. */
    IOTHUB_ERR_TOKEN_EXPIRED = -31, /**< The ready-made token has expired, and there is no key to
                                         make a new one from; see iothub_set_token. */
    IOTHUB_ERR_NO_TIME = -32,       /**< The wall clock is not set, so no SAS token can be made. */
    IOTHUB_ERR_PROTOCOL = -33,      /**< The peer broke the rules of MQTT or of the hub. */
    IOTHUB_ERR_UNAVAILABLE = -34,   /**< The hub, or a proxy, is busy or throttles. */
    IOTHUB_ERR_PROXY = -35, /**< The proxy refused the connection, or the user and password, or
                                 broke its protocol. */

    /* How an accepted request ended. */
    IOTHUB_ERR_REJECTED = -40,  /**< The hub answered with a failure status. */
    IOTHUB_ERR_CANCELLED = -41, /**< The client was stopped before the request had ended. */
    IOTHUB_ERR_EXPIRED = -42,   /**< The time to live ended first. */
    IOTHUB_ERR_DROPPED = -43,   /**< Dropped to make room for newer messages, or by iothub_purge. */
    /**
     * No error: the client ended, and the message stays in the store, for the next client that
     * opens it.
     */
    IOTHUB_KEPT = -44,

    IOTHUB_ERR_CRYPTO = -50, /**< The crypto library failed, e.g. without entropy. */
    IOTHUB_ERR_STORE = -51,  /**< The store of telemetry failed; the error text gives the cause. */
    IOTHUB_ERR_CREDENTIAL = -52, /**< A client certificate or its private key cannot be used; the
                                      error text gives the cause. */
    IOTHUB_ERR_SIGNER = -53,     /**< A signer, such as a PKCS#11 token, could not use its key. */
    IOTHUB_ERR_NO_TOKEN = -54    /**< The application's token provider gave no token. */
} iothub_result;

/**
 * Describes a code in a few English words.
 *
 * @param r  any value, also one that is not a result code
 * @return a static text, never NULL
 */
const char *iothub_result_str(iothub_result r);

/**
 * A result code together with one line of text for people. The text names the part at fault and
 * never contains a key, a signature or a token.
 *
 * A function with a parameter of this type fills it when it fails and leaves it unchanged when it
 * succeeds. The caller may pass NULL.
 */
typedef struct iothub_error {
    iothub_result code; /**< What the function returned. */
    char text[156];     /**< The reason, NUL-terminated; a longer one is cut. */
} iothub_error;

#ifdef __cplusplus
}
#endif
#endif
