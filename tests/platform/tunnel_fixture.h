#ifndef TEST_TUNNEL_FIXTURE_H
#define TEST_TUNNEL_FIXTURE_H

/**
 * @file
 * A proxy that follows a script, and a stream that is opened through it.
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/platform.h"

#define HOST "hub.example"
enum { PORT = 8883, WHOLE = 1 << 20 };

/* What the scripted proxy sends. Each part is sent after the client has sent something. */
typedef struct script {
    const char *parts[3]; /* after the last part, the proxy echoes all further bytes */
    size_t lens[3];
    size_t cut; /* the proxy closes the connection after this many bytes */
    bool hangs; /* it does not close then, but sends nothing more */
    bool in_bytes;
} script;

typedef struct proxy {
    int listener;
    uint16_t port;
    pthread_t thread;
    script script;
    char request[4096]; /* everything that the client has sent before the echo */
    size_t request_len;
} proxy;

static const char connected[] = "HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n";
static const char no_method[] = { 5, 0 };
static const char by_user[] = { 5, 2 };
static const char user_is_right[] = { 1, 0 };
static const char socks_done[] = { 5, 0, 0, 1, 127, 0, 0, 1, 1, 1 };

/** A script of an HTTP proxy that connects, and then echoes. */
script http_script(void);
/** A script of a SOCKS proxy without authentication. */
script socks_script(void);

/** Starts a proxy on a thread of its own, which serves one connection after the other. */
void proxy_start(proxy *p, const script *s);
void proxy_stop(proxy *p);

/** The time of the platform. */
uint64_t now(void);

/**
 * Makes a stream through a proxy on the loopback interface. There can be one at a time.
 * @param user  user and password with "@", or ""
 */
plat_stream *make_stream(const char *scheme, const char *user, uint16_t port);
/** Sleeps as an event loop would. */
void sleep_for(plat_stream *s, bool want_send);
/** Opens the stream, or returns why it could not be opened. */
plat_result open_stream(plat_stream *s, plat_stage *stage);
void send_all(plat_stream *s, const uint8_t *bytes, size_t len);
void receive_all(plat_stream *s, uint8_t *bytes, size_t len);
/** Checks that the open stream is echoed. */
void assert_echoes(plat_stream *s);

#endif
