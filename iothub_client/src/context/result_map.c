#include "context/result_map.h"

iothub_result iothub_from_plat(plat_result r)
{
    switch (r) {
    case PLAT_OK:
    case PLAT_WOULD_BLOCK: return IOTHUB_OK;
    case PLAT_EOF:
    case PLAT_ERR_IO: return IOTHUB_ERR_NETWORK;
    case PLAT_ERR_DNS: return IOTHUB_ERR_DNS;
    case PLAT_ERR_CONNECT: return IOTHUB_ERR_CONNECT;
    case PLAT_ERR_TLS: return IOTHUB_ERR_TLS;
    case PLAT_ERR_CERT_UNTRUSTED: return IOTHUB_ERR_TLS_UNTRUSTED;
    case PLAT_ERR_CERT_HOST: return IOTHUB_ERR_TLS_HOST;
    case PLAT_ERR_CERT_DATE: return IOTHUB_ERR_TLS_DATE;
    case PLAT_ERR_CERT: return IOTHUB_ERR_TLS_CERT;
    case PLAT_ERR_TRUST_STORE: return IOTHUB_ERR_TRUST_STORE;
    case PLAT_ERR_ENCODING: return IOTHUB_ERR_KEY;
    case PLAT_ERR_NO_SPACE: return IOTHUB_ERR_NO_SPACE;
    case PLAT_ERR_ARG: return IOTHUB_ERR_ARG;
    case PLAT_ERR_STATE: return IOTHUB_ERR_STATE;
    case PLAT_ERR_MEMORY: return IOTHUB_ERR_MEMORY;
    case PLAT_ERR_CRYPTO: return IOTHUB_ERR_CRYPTO;
    case PLAT_ERR_FULL: return IOTHUB_ERR_NO_SPACE;
    case PLAT_ERR_STORE:
    case PLAT_ERR_STORE_VERSION:
    case PLAT_ERR_STORE_DAMAGED:
    case PLAT_ERR_STORE_BUSY: return IOTHUB_ERR_STORE;
    case PLAT_ERR_IDENTITY:
    case PLAT_ERR_PASSPHRASE: return IOTHUB_ERR_CREDENTIAL;
    case PLAT_ERR_SIGNER: return IOTHUB_ERR_SIGNER;
    case PLAT_ERR_IDENTITY_REFUSED: return IOTHUB_ERR_AUTH;
    case PLAT_ERR_WEBSOCKET: return IOTHUB_ERR_PROTOCOL;
    case PLAT_ERR_UNAVAILABLE: return IOTHUB_ERR_UNAVAILABLE;
    case PLAT_ERR_PROXY: return IOTHUB_ERR_PROXY;
    }
    return IOTHUB_ERR_NETWORK;
}

iothub_result iothub_from_mqc(mqc_result r)
{
    switch (r) {
    case MQC_OK: return IOTHUB_OK;
    case MQC_ERR_ARG: return IOTHUB_ERR_ARG;
    case MQC_ERR_STATE: return IOTHUB_ERR_STATE;
    case MQC_ERR_NO_SPACE: return IOTHUB_ERR_NO_SPACE;
    case MQC_ERR_TOO_BIG: return IOTHUB_ERR_TOO_BIG;
    case MQC_ERR_MALFORMED:
    case MQC_ERR_PROTOCOL: return IOTHUB_ERR_PROTOCOL;
    case MQC_ERR_TIMEOUT:
    case MQC_ERR_STALLED: return IOTHUB_ERR_TIMEOUT;
    case MQC_ERR_REFUSED: return IOTHUB_ERR_AUTH;
    }
    return IOTHUB_ERR_PROTOCOL;
}

iothub_result iothub_from_outcome(mqc_outcome outcome)
{
    switch (outcome) {
    case MQC_OUTCOME_SENT:
    case MQC_OUTCOME_ACKED:
    case MQC_OUTCOME_RELEASED: return IOTHUB_OK;
    case MQC_OUTCOME_EXPIRED: return IOTHUB_ERR_EXPIRED;
    case MQC_OUTCOME_DROPPED: return IOTHUB_ERR_DROPPED;
    case MQC_OUTCOME_DISCARDED: break;
    }
    return IOTHUB_ERR_CANCELLED;
}
