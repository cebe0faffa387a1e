#include "wolfssl/tls/tls_explain.h"

#include <string.h>

#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

const char plat_tls_too_many_certificates[] =
    "the server seems to send more certificates than this wolfSSL can read";

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

/* Alerts of RFC 8446 section 6.2. Some releases of wolfSSL do not name all of them. */
enum {
    ALERT_BAD_CERTIFICATE = 42,
    ALERT_UNSUPPORTED_CERTIFICATE = 43,
    ALERT_CERTIFICATE_REVOKED = 44,
    ALERT_CERTIFICATE_EXPIRED = 45,
    ALERT_CERTIFICATE_UNKNOWN = 46,
    ALERT_UNKNOWN_CA = 48,
    ALERT_ACCESS_DENIED = 49,
    ALERT_DECRYPT_ERROR = 51,
    ALERT_CERTIFICATE_REQUIRED = 116
};

static const char *explain_own_certificate(int alert)
{
    switch (alert) {
    case ALERT_BAD_CERTIFICATE: return "the server refuses the client certificate as bad";
    case ALERT_UNSUPPORTED_CERTIFICATE:
        return "the server does not support the kind of the client certificate";
    case ALERT_CERTIFICATE_REVOKED: return "the server says that the client certificate is revoked";
    case ALERT_CERTIFICATE_EXPIRED:
        return "the server says that the client certificate has expired, or is not valid yet";
    case ALERT_CERTIFICATE_UNKNOWN: return "the server does not accept the client certificate";
    case ALERT_UNKNOWN_CA:
        return "the server does not know the issuer of the client certificate; an intermediate "
               "certificate may be missing in the chain";
    case ALERT_ACCESS_DENIED: return "the server denies access to the client certificate";
    case ALERT_DECRYPT_ERROR:
        return "the server says that the signature with the client's key is wrong";
    case ALERT_CERTIFICATE_REQUIRED: return "the server requires a client certificate";
    default: return NULL;
    }
}

/* TLS 1.2 has no alert for a missing certificate.  A server that has shown its own certificate has
 * already chosen the cipher suite, so that cannot be what it refuses. */
static bool misses_certificate(WOLFSSL *ssl, plat_tls_progress progress, int alert)
{
    return !progress.presented && progress.accepted && alert == handshake_failure &&
           !wolfSSL_is_init_finished(ssl);
}

bool plat_tls_explain_refusal(WOLFSSL *ssl, plat_tls_progress progress, const char **why)
{
    WOLFSSL_ALERT_HISTORY seen;
    if (wolfSSL_get_alert_history(ssl, &seen) != WOLFSSL_SUCCESS) {
        return false;
    }
    const int alert = seen.last_rx.code;
    if (misses_certificate(ssl, progress, alert)) {
        *why = "the server refused the handshake; it seems to require a client certificate";
        return true;
    }
    if (!progress.presented && alert != ALERT_CERTIFICATE_REQUIRED) {
        return false;
    }
    *why = explain_own_certificate(alert);
    return *why != NULL;
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
