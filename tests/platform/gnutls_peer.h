#ifndef TEST_GNUTLS_PEER_H
#define TEST_GNUTLS_PEER_H

/**
 * @file
 * A TLS server of GnuTLS at the other end of the scripted wire of tls_fixture.h. It asks for a
 * client certificate.
 */

#include <gnutls/gnutls.h>

#include "tls_fixture.h"

/** How the server behaves. */
typedef struct gnutls_peer_config {
    const char *versions; /* priority text such as "+VERS-TLS1.3"; NULL: TLS 1.2 and 1.3 */
    /* Priority text such as "-SIGN-ALL:+SIGN-RSA-SHA256"; NULL: the default of GnuTLS. */
    const char *signatures;
    bool rsa;             /* the server's own certificate has an RSA key, not an EC key */
    bool demand;          /* a client without a certificate is refused */
    const pki_cert *root; /* root of the clients' certificates; NULL: any certificate is accepted */
    int alert;            /* if it is not 0, every client is refused with this alert */
} gnutls_peer_config;

/** The server. Only one can exist at a time. */
typedef struct gnutls_peer {
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
    gnutls_peer_config config;
    bool done;              /* the handshake is complete */
    int failure;            /* GnuTLS' error code of a failed handshake; 0: none */
    unsigned presented;     /* number of certificates that the client has presented */
    gnutls_datum_t tickets; /* key of the session tickets, which is kept from server to server */
} gnutls_peer;

/**
 * Starts a server and connects the stream s to it. Returns when both are done or one has failed.
 */
plat_result gnutls_peer_connect(gnutls_peer *p, const gnutls_peer_config *config);

/** Sends bytes from the server to the client and back. */
void gnutls_peer_echo(gnutls_peer *p);

/** Closes both ends. */
void gnutls_peer_disconnect(gnutls_peer *p);

/** Begins to issue session tickets; gnutls_peer_free ends that. */
void gnutls_peer_keep_tickets(gnutls_peer *p);
void gnutls_peer_free(gnutls_peer *p);

#endif
