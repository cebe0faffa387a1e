#ifndef FRONT_FIXTURE_H
#define FRONT_FIXTURE_H

/**
 * @file A TLS front with a fake broker, and clients for it. Calls wait for their result; what does
 * not happen fails the test after a long time.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/front.h"
#include "made_certificates.h"

#define FRONT_SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TLS_1_2      "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS_1_3      "NORMAL:-VERS-ALL:+VERS-TLS1.3"

typedef struct front_fixture {
    hub_front *front;
    char dir[64];
    int broker; /* the listening socket; -1: not there */
    int port;
    int refusals;                            /* our end of the socket for refusals */
    int descriptors;                         /* open ones without clients */
    gnutls_certificate_credentials_t nobody; /* of a client without a certificate */
} front_fixture;

/** login_ms and linger_ms as in hub_front_timing. */
void front_fixture_start(front_fixture *f, int64_t login_ms, int64_t linger_ms);
/** Waits until the front has closed everything of its clients, then stops it. */
void front_fixture_stop(front_fixture *f);
void front_fixture_listen(front_fixture *f);
/** The next client of the broker. */
int front_fixture_accept(const front_fixture *f);
/** Waits until only the descriptors of the front itself are open. */
void front_fixture_wait_quiet(const front_fixture *f);

/** Reads exactly len bytes. */
void read_all(int fd, void *buffer, size_t len);
void write_all(int fd, const void *data, size_t len);
/** True if the peer closes without sending anything more. */
bool ends(int fd);

typedef struct tls_client {
    int fd;
    gnutls_session_t session;
} tls_client;

/** A TCP connection to the front. */
int tcp_connect(const front_fixture *f);
/** Sets up TLS on a new connection, without a handshake. credentials NULL: no certificate. */
void tls_client_init(tls_client *c, const front_fixture *f, const char *priorities,
                     gnutls_certificate_credentials_t credentials);
/** The same, and the handshake succeeds. */
void tls_client_open(tls_client *c, const front_fixture *f, const char *priorities,
                     gnutls_certificate_credentials_t credentials);
void tls_client_send(tls_client *c, const void *data, size_t len);
void tls_client_receive(tls_client *c, void *buffer, size_t len);
/** True if the front closes without sending anything more. */
bool tls_client_ends(tls_client *c);
/** Closes TLS and TCP. */
void tls_client_close(tls_client *c);

/** A CONNECT of device1; password NULL: none. */
hub_text connect_of_device(const char *password);

#endif
