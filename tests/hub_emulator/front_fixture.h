#ifndef FRONT_FIXTURE_H
#define FRONT_FIXTURE_H

/**
 * @file
 * A TLS front with a fake broker and a fake HTTP server, and clients for it. Calls wait for their
 * result; if it does not come for a long time, the test fails.
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
    int ports[HUB_FRONT_SERVICES];
    int notes;       /* the test's end of the socket between front and hub */
    int calls;       /* the test's end of the socket between front and HTTP server */
    int descriptors; /* number of open descriptors while there are no clients */
    gnutls_certificate_credentials_t nobody; /* credentials of a client without a certificate */
} front_fixture;

/**
 * How clients of MQTT connect: to the MQTT port, or by WebSocket to the HTTPS port. The functions
 * for clients below do what is necessary.
 */
typedef enum front_transport { FRONT_OVER_TLS = 0, FRONT_OVER_WEBSOCKET } front_transport;

/** Chooses the transport by the arguments of a test program: "websocket", or none. */
void front_fixture_choose(int argc, char **argv);

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
    bool framed;       /* true after an upgrade */
    size_t frame_left; /* bytes of the payload of the current frame that were not read yet */
} tls_client;

/** Makes a TCP connection to a port of the front. */
int tcp_connect_to(const front_fixture *f, hub_front_service service);
/** Makes a TCP connection to the port of the transport. */
int tcp_connect(const front_fixture *f);
/** More bytes than all buffers between the two ends of a connection can hold. */
#define FRONT_FULL ((size_t)64 << 20)
/** Returns byte number i of what the next two functions send. */
uint8_t front_pattern(size_t i);
/** Sends until all buffers are full. Returns the number of bytes, FRONT_FULL if there is no end. */
size_t front_fill(int fd);
/** Does the same over TLS. The last record may have been sent in part. */
size_t front_fill_tls(tls_client *c);
/**
 * Sets up TLS on a new connection, without a handshake. If credentials is NULL, the client has no
 * certificate.
 */
void tls_client_init(tls_client *c, const front_fixture *f, const char *priorities,
                     gnutls_certificate_credentials_t credentials);
/** Does the same at a port of the front. */
void tls_client_init_to(tls_client *c, const front_fixture *f, hub_front_service service,
                        const char *priorities, gnutls_certificate_credentials_t credentials);
/** Completes the handshake, and the upgrade of the transport; both must succeed. */
void tls_client_begin(tls_client *c);
/** Makes a new connection, and completes handshake and upgrade. */
void tls_client_open(tls_client *c, const front_fixture *f, const char *priorities,
                     gnutls_certificate_credentials_t credentials);
/** Sends bytes; after an upgrade, as one binary frame. */
void tls_client_send(tls_client *c, const void *data, size_t len);
/** Receives exactly len bytes. After an upgrade, they may be in any number of frames. */
void tls_client_receive(tls_client *c, void *buffer, size_t len);
/** Sends and receives bytes of TLS. */
void tls_client_send_raw(tls_client *c, const void *data, size_t len);
void tls_client_receive_raw(tls_client *c, void *buffer, size_t len);
/** Appends a frame with a mask to a text; `first` are its first eight bits. */
void add_frame(hub_text *out, uint8_t first, const void *data, size_t len);
/** Returns whether the front closes without sending more bytes, except for a close of WebSocket. */
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
