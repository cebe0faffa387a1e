#include "wolfssl/tls/tls_explain.h"

#include <string.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

const char plat_tls_too_many_certificates[] =
    "the server sends more certificates than this wolfSSL reads, it seems";

static const char *explain_alert(WOLFSSL *ssl)
{
    WOLFSSL_ALERT_HISTORY seen;
    if (wolfSSL_is_init_finished(ssl)) {
        return "the server ended the connection with an alert";
    }
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

/* Returns whether wolfSSL has declined a renegotiation: it answers a HelloRequest with this
 * alert, and continues if the server does. */
static bool declined_renegotiation(WOLFSSL *ssl)
{
    WOLFSSL_ALERT_HISTORY seen;
    return wolfSSL_is_init_finished(ssl) &&
           wolfSSL_get_alert_history(ssl, &seen) == WOLFSSL_SUCCESS &&
           seen.last_tx.code == no_renegotiation;
}

const char *plat_tls_explain_end(WOLFSSL *ssl)
{
    return declined_renegotiation(ssl)
               ? "the server insists on renegotiation, which is not supported"
               : "the peer closed the connection without a close_notify of TLS";
}

const char *plat_tls_explain(WOLFSSL *ssl, int error)
{
    if (declined_renegotiation(ssl)) {
        return plat_tls_explain_end(ssl);
    }
    switch (error) {
    case MAX_CHAIN_ERROR: return plat_tls_too_many_certificates;
    case ASN_PARSE_E: return "this wolfSSL cannot read the server's certificate";
    case HANDSHAKE_SIZE_ERROR:
        return "the server sends more bytes of certificates than this wolfSSL reads";
    case LENGTH_ERROR:
        return wolfSSL_is_init_finished(ssl) ? "a TLS record is longer than the protocol allows"
                                             : "the peer does not speak TLS";
    case ALGO_ID_E:
    case INVALID_PARAMETER:
        return "the server signs with a kind of key that this wolfSSL does not know";
    case VERSION_ERROR: return "no common version of TLS: 1.2 or 1.3 is needed";
    case MATCH_SUITE_ERROR: return "no safe cipher suite in common";
    case UNKNOWN_RECORD_TYPE:
    case UNKNOWN_HANDSHAKE_TYPE: return "the peer does not speak TLS";
    case FATAL_ERROR: return explain_alert(ssl);
    default: return wolfSSL_ERR_reason_error_string((unsigned long)error);
    }
}

bool plat_tls_is_http(const void *bytes, size_t len)
{
    static const char *const starts[] = { "HTTP/", "<!DOCTYPE", "<!doctype", "<html", "<HTML" };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t n = strlen(starts[i]);
        if (len >= n && memcmp(bytes, starts[i], n) == 0) {
            return true;
        }
    }
    return false;
}

/* Each release of wolfSSL checks more itself before it calls our verification. Since 5.6, for
 * example, it checks that a certificate which may sign others is a CA. */
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
