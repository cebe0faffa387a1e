#include "iothub/result.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "iothub/client.h"
#include "iothub/version.h"

const char *iothub_version(void)
{
    return IOTHUB_VERSION_STRING;
}

/* All texts are in one array, one after the other. An array of pointers would increase the size
 * by half. */
#define EACH_RESULT(X)                                             \
    X(IOTHUB_OK, "ok")                                             \
    X(IOTHUB_ERR_ARG, "invalid argument")                          \
    X(IOTHUB_ERR_STATE, "not allowed in this state")               \
    X(IOTHUB_ERR_NO_SPACE, "no space, try again later")            \
    X(IOTHUB_ERR_TOO_BIG, "too big")                               \
    X(IOTHUB_ERR_JSON, "not valid JSON")                           \
    X(IOTHUB_ERR_MEMORY, "not enough memory")                      \
    X(IOTHUB_ERR_PART_MISSING, "a part is missing")                \
    X(IOTHUB_ERR_PART_DUPLICATE, "a part is given twice")          \
    X(IOTHUB_ERR_PART_EMPTY, "a part is empty")                    \
    X(IOTHUB_ERR_PART_UNKNOWN, "an unknown part")                  \
    X(IOTHUB_ERR_PART_INVALID, "a part is not valid")              \
    X(IOTHUB_ERR_KEY, "the key is not base64")                     \
    X(IOTHUB_ERR_UNSUPPORTED, "not supported in this version")     \
    X(IOTHUB_ERR_NETWORK, "connection lost")                       \
    X(IOTHUB_ERR_DNS, "host name does not resolve")                \
    X(IOTHUB_ERR_CONNECT, "cannot connect")                        \
    X(IOTHUB_ERR_TIMEOUT, "timed out")                             \
    X(IOTHUB_ERR_TLS, "TLS failed")                                \
    X(IOTHUB_ERR_TLS_UNTRUSTED, "certificate not trusted")         \
    X(IOTHUB_ERR_TLS_HOST, "certificate for another host")         \
    X(IOTHUB_ERR_TLS_DATE, "certificate expired or not yet valid") \
    X(IOTHUB_ERR_TLS_CERT, "certificate not acceptable")           \
    X(IOTHUB_ERR_TRUST_STORE, "trusted roots cannot be read")      \
    X(IOTHUB_ERR_AUTH, "credential refused by the hub")            \
    X(IOTHUB_ERR_TOKEN_EXPIRED, "token expired")                   \
    X(IOTHUB_ERR_NO_TIME, "wall clock not set")                    \
    X(IOTHUB_ERR_PROTOCOL, "protocol violation")                   \
    X(IOTHUB_ERR_UNAVAILABLE, "hub unavailable")                   \
    X(IOTHUB_ERR_PROXY, "refused by the proxy")                    \
    X(IOTHUB_ERR_REJECTED, "rejected by the hub")                  \
    X(IOTHUB_ERR_CANCELLED, "cancelled")                           \
    X(IOTHUB_ERR_EXPIRED, "time to live ended")                    \
    X(IOTHUB_ERR_DROPPED, "dropped to make room")                  \
    X(IOTHUB_KEPT, "kept in the store")                            \
    X(IOTHUB_ERR_CRYPTO, "crypto library failed")                  \
    X(IOTHUB_ERR_STORE, "the store failed")                        \
    X(IOTHUB_ERR_CREDENTIAL, "client certificate not usable")      \
    X(IOTHUB_ERR_SIGNER, "signing with the private key failed")    \
    X(IOTHUB_ERR_NO_TOKEN, "no token was provided")

#define CODE(code, text) code,
#define TEXT(code, text) text "\0"

static const int8_t codes[] = { EACH_RESULT(CODE) };
static const char texts[] = EACH_RESULT(TEXT) "unknown result";

const char *iothub_result_str(iothub_result r)
{
    const char *text = texts;

    for (size_t i = 0; i < sizeof codes && codes[i] != r; i++) {
        text += strlen(text) + 1;
    }
    return text;
}

const char *iothub_state_str(iothub_state s)
{
    switch (s) {
    case IOTHUB_STOPPED: return "stopped";
    case IOTHUB_RESOLVING: return "resolving";
    case IOTHUB_CONNECTING: return "connecting";
    case IOTHUB_SECURING: return "securing";
    case IOTHUB_LOGGING_IN: return "logging in";
    case IOTHUB_SUBSCRIBING: return "subscribing";
    case IOTHUB_CONNECTED: return "connected";
    case IOTHUB_RENEWING: return "renewing";
    case IOTHUB_STOPPING: return "stopping";
    case IOTHUB_WAITING: return "waiting";
    case IOTHUB_PROVISIONING: return "provisioning";
    }
    return "unknown";
}
