#ifndef PLAT_WOLFSSL_TLS_LOGIN_H
#define PLAT_WOLFSSL_TLS_LOGIN_H

/**
 * @file
 * The client certificate in the handshakes of one stream.  wolfSSL gets the certificates and the
 * public key for the time of a handshake.  Its "PK callbacks" ask us for the signature, so that a
 * private key is never copied into a connection.
 */

#include "wolfssl/identity/identity.h"

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

/** The use of an identity by one stream.  Written by tls_login.c only. */
typedef struct plat_tls_login {
    plat_identity *identity; /* with a reference; NULL: there is none */
    char *failure;           /* see failure_text.h; why the last handshake could not sign */
    plat_result result;      /* of the last signature: PLAT_OK unless one has failed */
} plat_tls_login;

/** Begins and ends a use.  init takes a reference to the identity; NULL: there is none. */
void plat_tls_login_init(plat_tls_login *l, plat_identity *identity);
void plat_tls_login_free(plat_tls_login *l);

/** Sets the callbacks of a context.  Connections without an identity never call them. */
void plat_tls_login_prepare(WOLFSSL_CTX *ctx);

/**
 * Before a handshake: makes a connection present the identity if the server asks for it.
 * @retval PLAT_ERR_MEMORY    no memory is left
 * @retval PLAT_ERR_IDENTITY  this wolfSSL cannot use the certificates or keys outside of it
 */
plat_result plat_tls_login_begin(plat_tls_login *l, WOLFSSL *ssl);

/** After a handshake: frees what it alone has needed. */
void plat_tls_login_end(const plat_tls_login *l, WOLFSSL *ssl);

/** Whether signing has failed since begin; then *why tells why. */
plat_result plat_tls_login_result(const plat_tls_login *l, const char **why);

/** Number of the identity, for the cache of sessions; 0: there is none. */
uint64_t plat_tls_login_number(const plat_tls_login *l);

#endif
