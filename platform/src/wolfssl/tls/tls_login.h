#ifndef PLAT_WOLFSSL_TLS_LOGIN_H
#define PLAT_WOLFSSL_TLS_LOGIN_H

/**
 * @file
 * The client certificate in the handshakes of one stream. wolfSSL gets the certificates and the
 * public key for the time of a handshake. Its "PK callbacks" ask us for the signature, so a private
 * key is never copied into a connection.
 */

#include "wolfssl/identity/identity.h"

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

/** The use of an identity by one stream. Only tls_login.c writes it. */
typedef struct plat_tls_login {
    plat_identity *identity; /* holds a reference; NULL if there is none */
    char *failure;           /* why the last handshake could not sign; see failure_text.h */
    plat_result result;      /* result of the last signature; PLAT_OK unless it has failed */
} plat_tls_login;

/** Begin and end a use. init takes a reference to the identity, which may be NULL. */
void plat_tls_login_init(plat_tls_login *l, plat_identity *identity);
void plat_tls_login_free(plat_tls_login *l);

/** Sets the callbacks of a context. wolfSSL never calls them for connections without an identity.
 */
void plat_tls_login_prepare(WOLFSSL_CTX *ctx);

/**
 * Call it before a handshake. It makes a connection present the identity if the server asks for it.
 * @retval PLAT_ERR_MEMORY  no memory is left
 * @retval PLAT_ERR_IDENTITY  this wolfSSL cannot use the certificates, or keys outside of it
 */
plat_result plat_tls_login_begin(plat_tls_login *l, WOLFSSL *ssl);

/** Call it after a handshake. It frees what only the handshake has needed. */
void plat_tls_login_end(const plat_tls_login *l, WOLFSSL *ssl);

/** Returns PLAT_OK unless signing has failed since begin; then *why gives the reason. */
plat_result plat_tls_login_result(const plat_tls_login *l, const char **why);

/** Returns the number of the identity, for the cache of sessions; 0 if there is none. */
uint64_t plat_tls_login_number(const plat_tls_login *l);

#endif
