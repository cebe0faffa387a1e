#include "wolfssl/tls_explain.h"

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

static const char *explain_alert(WOLFSSL *ssl)
{
    WOLFSSL_ALERT_HISTORY seen;
    if (wolfSSL_get_alert_history(ssl, &seen) != WOLFSSL_SUCCESS) {
        return "the server refused the handshake";
    }
    switch (seen.last_rx.code) {
    case handshake_failure: return "the server refused: no safe cipher suite in common";
    case protocol_version: return "the server refused: TLS 1.2 or 1.3 is needed";
    case unrecognized_name: return "the server refused: it does not know this host name";
    default: return "the server refused the handshake";
    }
}

const char *plat_tls_explain(WOLFSSL *ssl, int error)
{
    switch (error) {
    case VERSION_ERROR: return "no common version of TLS: 1.2 or 1.3 is needed";
    case MATCH_SUITE_ERROR: return "no safe cipher suite in common";
    case UNKNOWN_RECORD_TYPE:
    case UNKNOWN_HANDSHAKE_TYPE: return "the peer does not speak TLS";
    case FATAL_ERROR: return explain_alert(ssl);
    default: return wolfSSL_ERR_reason_error_string((unsigned long)error);
    }
}

/*
 * Each release of wolfSSL finds more on its own, before it calls the judge: since 5.6 that a
 * certificate may sign others and is no CA, for one.
 */
bool plat_tls_blames_certificate(int error)
{
    switch (error) {
    case ASN_NO_SIGNER_E:
    case ASN_SELF_SIGNED_E:
    case SKID_E:
    case AKID_E:
    case KEYUSAGE_E:
    case EXTKEYUSAGE_E:
    case CERTPOLICIES_E:
    case ASN_PATHLEN_SIZE_E:
    case ASN_PATHLEN_INV_E:
    case ECC_CURVE_OID_E:
    case ASN_ECC_KEY_E:
    case RSA_KEY_SIZE_E:
    case ECC_KEY_SIZE_E:
    case MAX_CHAIN_ERROR:
    case PEER_KEY_ERROR:
    case ECC_PEERKEY_ERROR:
    case NO_PEER_CERT: return true;
    default: return error <= ASN_PARSE_E && error >= ASN_ALT_NAME_E;
    }
}
