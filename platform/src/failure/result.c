#include "platform/result.h"

const char *plat_result_str(plat_result r)
{
    switch (r) { /* no default, so that -Wswitch reports a missing code */
    case PLAT_OK: return "ok";
    case PLAT_WOULD_BLOCK: return "would block";
    case PLAT_EOF: return "closed by the peer";
    case PLAT_ERR_DNS: return "host name does not resolve";
    case PLAT_ERR_CONNECT: return "cannot connect";
    case PLAT_ERR_IO: return "connection broken";
    case PLAT_ERR_TLS: return "TLS failed";
    case PLAT_ERR_CERT_UNTRUSTED: return "certificate not trusted";
    case PLAT_ERR_CERT_HOST: return "certificate for another host";
    case PLAT_ERR_CERT_DATE: return "certificate expired or not yet valid";
    case PLAT_ERR_CERT: return "certificate not acceptable";
    case PLAT_ERR_TRUST_STORE: return "trusted roots cannot be read";
    case PLAT_ERR_ENCODING: return "not base64";
    case PLAT_ERR_NO_SPACE: return "no space";
    case PLAT_ERR_ARG: return "invalid argument";
    case PLAT_ERR_STATE: return "not allowed in this state";
    case PLAT_ERR_MEMORY: return "out of memory";
    case PLAT_ERR_CRYPTO: return "crypto library failed";
    case PLAT_ERR_FULL: return "no space left in the store";
    case PLAT_ERR_STORE: return "the store cannot be read or written";
    case PLAT_ERR_STORE_VERSION: return "a store of another version or owner";
    case PLAT_ERR_STORE_DAMAGED: return "not a store, or a damaged one";
    case PLAT_ERR_STORE_BUSY: return "another process uses the store";
    case PLAT_ERR_IDENTITY: return "client certificate or its key not usable";
    case PLAT_ERR_PASSPHRASE: return "passphrase of the private key wrong or missing";
    case PLAT_ERR_SIGNER: return "signing with the private key failed";
    case PLAT_ERR_IDENTITY_REFUSED: return "client certificate refused or missing";
    case PLAT_ERR_WEBSOCKET: return "WebSocket refused or its protocol broken";
    case PLAT_ERR_UNAVAILABLE: return "server or proxy busy";
    case PLAT_ERR_PROXY: return "refused by the proxy";
    }
    return "unknown result";
}
