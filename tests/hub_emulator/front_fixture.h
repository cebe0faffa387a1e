#ifndef FRONT_FIXTURE_H
#define FRONT_FIXTURE_H

/**
 * @file
 * A TLS front with a fake broker, and clients for it. Calls wait for their result; if it does not
 * come for a long time, the test fails.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/envelope.h"
#include "front/front.h"
#include "made_certificates.h"

#define FRONT_SECRET "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TLS_1_2      "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS_1_3      "NORMAL:-VERS-ALL:+VERS-TLS1.3"

typedef struct front_fixture {
    hub_front *front;
    char dir[64];
    int broker; /* the broker's listening socket; -1: closed */
    int port;
    int notes;       /* the test's end of the socket between front and hub */
    int descriptors; /* number of open descriptors while there are no clients */
    gnutls_certificate_credentials_t nobody; /* credentials of a client without a certificate */
} front_fixture;

/** Starts a front. login_ms and linger_ms are those of hub_front_timing. */
void front_fixture_start(front_fixture *f, int64_t login_ms, int64_t linger_ms);
/** Waits until the front has closed all connections of its clients, then stops it. */
void front_fixture_stop(front_fixture *f);
void front_fixture_listen(front_fixture *f);
/** Returns the socket of the broker's next client. */
int front_fixture_accept(const front_fixture *f);
/** Waits until only the front's own descriptors are open. */
void front_fixture_wait_quiet(const front_fixture *f);

/** Reads exactly len bytes. */
void read_all(int fd, void *buffer, size_t len);
void write_all(int fd, const void *data, size_t len);
/** Waits until poll(2) reports one of these events. Returns false if none occurs within ms. */
bool wait_for(int fd, short events, int ms);
/** Returns whether the peer closes without sending more bytes. */
bool ends(int fd);

typedef struct tls_client {
    int fd;
    gnutls_session_t session;
} tls_client;

/** Makes a TCP connection to the front. */
int tcp_connect(const front_fixture *f);
/**
 * Sets up TLS on a new connection, without a handshake. If credentials is NULL, the client has no
 * certificate.
 */
void tls_client_init(tls_client *c, const front_fixture *f, const char *priorities,
                     gnutls_certificate_credentials_t credentials);
/** Does the same and completes the handshake, which must succeed. */
void tls_client_open(tls_client *c, const front_fixture *f, const char *priorities,
                     gnutls_certificate_credentials_t credentials);
void tls_client_send(tls_client *c, const void *data, size_t len);
void tls_client_receive(tls_client *c, void *buffer, size_t len);
/** Returns whether the front closes without sending more bytes. */
bool tls_client_ends(tls_client *c);
/** Closes TLS and TCP. */
void tls_client_close(tls_client *c);

/**
 * Reads the CONNECT that the broker receives. Returns the password in it, into which *e points and
 * which the caller frees.
 */
char *front_fixture_read_connect(int broker, hub_envelope *e, uint64_t expected_number);
/** Logs a client in, and returns the broker's end of its connection. */
int front_fixture_open_pair(const front_fixture *f, tls_client *c, const char *priorities);
void front_fixture_close_pair(tls_client *c, int broker);

/** Returns a CONNECT of device1; password is NULL if it has none. */
hub_text connect_of_device(const char *password);

#endif
