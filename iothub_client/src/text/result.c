#include "iothub/result.h"

#include "iothub/client.h"
#include "iothub/version.h"

const char *iothub_version(void)
{
    return IOTHUB_VERSION_STRING;
}

const char *iothub_result_str(iothub_result r)
{
    switch (r) { /* no default: -Wswitch finds the code somebody forgot */
    case IOTHUB_OK: return "ok";
    case IOTHUB_ERR_ARG: return "invalid argument";
    case IOTHUB_ERR_STATE: return "not allowed in this state";
    case IOTHUB_ERR_NO_SPACE: return "no space, try again later";
    case IOTHUB_ERR_TOO_BIG: return "too big";
    case IOTHUB_ERR_JSON: return "not valid JSON";
    case IOTHUB_ERR_MEMORY: return "not enough memory";
    case IOTHUB_ERR_PART_MISSING: return "a part is missing";
    case IOTHUB_ERR_PART_DUPLICATE: return "a part is given twice";
    case IOTHUB_ERR_PART_EMPTY: return "a part is empty";
    case IOTHUB_ERR_PART_UNKNOWN: return "an unknown part";
    case IOTHUB_ERR_PART_INVALID: return "a part is not valid";
    case IOTHUB_ERR_KEY: return "the key is not base64";
    case IOTHUB_ERR_UNSUPPORTED: return "not supported in this version";
    case IOTHUB_ERR_NETWORK: return "connection lost";
    case IOTHUB_ERR_DNS: return "host name does not resolve";
    case IOTHUB_ERR_CONNECT: return "cannot connect";
    case IOTHUB_ERR_TIMEOUT: return "timed out";
    case IOTHUB_ERR_TLS: return "TLS failed";
    case IOTHUB_ERR_TLS_UNTRUSTED: return "certificate not trusted";
    case IOTHUB_ERR_TLS_HOST: return "certificate for another host";
    case IOTHUB_ERR_TLS_DATE: return "certificate expired or not yet valid";
    case IOTHUB_ERR_TLS_CERT: return "certificate not acceptable";
    case IOTHUB_ERR_TRUST_STORE: return "trusted roots cannot be read";
    case IOTHUB_ERR_AUTH: return "credential refused by the hub";
    case IOTHUB_ERR_TOKEN_EXPIRED: return "token expired";
    case IOTHUB_ERR_NO_TIME: return "wall clock not set";
    case IOTHUB_ERR_PROTOCOL: return "protocol violation";
    case IOTHUB_ERR_UNAVAILABLE: return "hub unavailable";
    case IOTHUB_ERR_REJECTED: return "rejected by the hub";
    case IOTHUB_ERR_CANCELLED: return "cancelled";
    case IOTHUB_ERR_EXPIRED: return "time to live over";
    case IOTHUB_ERR_DROPPED: return "given up to make room";
    case IOTHUB_KEPT: return "kept in the store";
    case IOTHUB_ERR_CRYPTO: return "crypto library failed";
    case IOTHUB_ERR_STORE: return "the store failed";
    }
    return "unknown result";
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
    }
    return "unknown";
}
