#ifndef IOTHUB_RESULT_H
#define IOTHUB_RESULT_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Every fallible function of the SDK returns one of these: zero, or a negative
 * code that says what to do next.  Append, never renumber.
 */
typedef enum iothub_result {
    IOTHUB_OK = 0,

    /* The call was refused and changed nothing. */
    IOTHUB_ERR_ARG = -1,      /* an argument is outside its documented range */
    IOTHUB_ERR_STATE = -2,    /* not allowed now */
    IOTHUB_ERR_NO_SPACE = -3, /* queue or buffer full: process, then try again */
    IOTHUB_ERR_TOO_BIG = -4,  /* can never fit; do not retry */
    IOTHUB_ERR_JSON = -5,     /* not JSON, or not the kind of JSON wanted here */
    IOTHUB_ERR_MEMORY = -6,   /* no heap left, or the memory given is too small */

    /* A connection string or token that must be corrected by a person. */
    IOTHUB_ERR_PART_MISSING = -10,   /* a part that must be there is not */
    IOTHUB_ERR_PART_DUPLICATE = -11, /* a part stands twice */
    IOTHUB_ERR_PART_EMPTY = -12,     /* a part has no value */
    IOTHUB_ERR_PART_UNKNOWN = -13,   /* a part that nobody knows, or no Name=Value */
    IOTHUB_ERR_PART_INVALID = -14,   /* a value that cannot be right, e.g. '#' in a device id */
    IOTHUB_ERR_KEY = -15,            /* the key is not base64 */
    IOTHUB_ERR_UNSUPPORTED = -16,    /* valid, but not in this version of the SDK */

    /* The connection failed; the client goes on trying unless told otherwise. */
    IOTHUB_ERR_NETWORK = -20,       /* an open connection broke or was closed by the hub */
    IOTHUB_ERR_DNS = -21,           /* the host name does not resolve */
    IOTHUB_ERR_CONNECT = -22,       /* nobody answers at that address */
    IOTHUB_ERR_TIMEOUT = -23,       /* no answer in time */
    IOTHUB_ERR_TLS = -24,           /* handshake or record failure */
    IOTHUB_ERR_TLS_UNTRUSTED = -25, /* no chain to a trusted root */
    IOTHUB_ERR_TLS_HOST = -26,      /* the certificate is for another host */
    IOTHUB_ERR_TLS_DATE = -27,      /* expired or not yet valid: is the clock right? */
    IOTHUB_ERR_TLS_CERT = -28,      /* missing, weak, or not meant for a server */
    IOTHUB_ERR_TRUST_STORE = -29,   /* the trusted roots cannot be read */
    IOTHUB_ERR_AUTH = -30,          /* the hub refused the credential */
    IOTHUB_ERR_TOKEN_EXPIRED = -31, /* the given token has run out, and no key to make a new one */
    IOTHUB_ERR_NO_TIME = -32,       /* the wall clock is not set; no SAS token possible */
    IOTHUB_ERR_PROTOCOL = -33,      /* the peer broke the rules of MQTT or of the hub */
    IOTHUB_ERR_UNAVAILABLE = -34,   /* the hub is busy or throttles */

    /* How a request ended. */
    IOTHUB_ERR_REJECTED = -40,  /* the hub answered with a failure status */
    IOTHUB_ERR_CANCELLED = -41, /* the client was stopped first */
    IOTHUB_ERR_EXPIRED = -42,   /* its time to live ran out first */
    IOTHUB_ERR_DROPPED = -43,   /* given up to make room for newer ones, or by iothub_purge */
    IOTHUB_KEPT =
        -44, /* not an error: the client was stopped; the store has it for the next start */

    IOTHUB_ERR_CRYPTO = -50, /* the crypto library failed, e.g. no entropy */
    IOTHUB_ERR_STORE = -51   /* the store of telemetry failed: the text says how */
} iothub_result;

/** Static English text.  Never NULL, also for unknown values. */
const char *iothub_result_str(iothub_result r);

/**
 * A result with its story: one line for people that names the part at fault,
 * and never holds a key, a signature or a token.  Functions that take an
 * iothub_error fill it on failure and leave it alone on success; NULL is fine.
 */
typedef struct iothub_error {
    iothub_result code;
    char text[156];
} iothub_error;

#ifdef __cplusplus
}
#endif
#endif
