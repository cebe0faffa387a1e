#ifndef HUB_FRONT_CLIENT_H
#define HUB_FRONT_CLIENT_H

/**
 * @file
 * One client of the TLS front: its handshake, its CONNECT, its connection to the broker, and the
 * bytes between the two. On the HTTPS port, its first request decides whether it is such a client
 * with WebSocket below MQTT, or one of the HTTP server.
 *
 * Each direction buffers a limited number of bytes: one side is not read while the other one does
 * not accept bytes.
 */

#include "base/list.h"
#include "front/server_line.h"
#include "front/tls_line.h"
#include "front/traffic.h"
#include "front/websocket_line.h"

/** Number of bytes that are forwarded at a time. */
#define HUB_FRONT_PLAIN (4 * HUB_TLS_CHUNK)

typedef struct hub_front_timing {
    int64_t login_ms;  /* time from the TCP connection to the CONNACK, or to an HTTP request */
    int64_t linger_ms; /* time for a client to close, after the last byte was sent to it */
} hub_front_timing;

/** Called with one line for people, without a line end. */
typedef void (*hub_front_log)(void *user, const char *line);

typedef struct hub_front_setup {
    int epoll_fd;
    const char *broker_path; /* path of the Unix socket */
    const char *secret;      /* the secret in the envelopes */
    int calls_fd;            /* socket to the HTTP server (call.h); -1: none */
    int notes_fd;            /* socket to the hub; -1: none */
    hub_front_timing timing;
    hub_front_log log; /* may be NULL */
    void *user;
} hub_front_setup;

/** What all clients of a front share. */
typedef struct hub_front_shared {
    hub_front_setup setup;
    hub_tls_server tls;
    int64_t now_ms; /* current time, set before each turn */
    uint8_t plain[HUB_FRONT_PLAIN];
    hub_list waiting; /* clients with a deadline */
    hub_list dialing; /* clients that the broker or HTTP server has not accepted yet */
    hub_list gone;    /* clients to be freed after the turn */
} hub_front_shared;

/** What a port is for. */
typedef enum hub_front_service {
    HUB_FRONT_MQTTS = 0,
    HUB_FRONT_HTTPS, /* and WebSocket */
    HUB_FRONT_SERVICES
} hub_front_service;

/** The protocol of a connection, above TLS and WebSocket. */
typedef enum hub_front_carried {
    HUB_FRONT_CARRIES_MQTT = 0,
    HUB_FRONT_CARRIES_HTTP
} hub_front_carried;

typedef enum hub_front_state {
    HUB_FRONT_HANDSHAKE = 0,
    HUB_FRONT_REQUEST, /* reads the first HTTP request */
    HUB_FRONT_LOGIN,   /* reads the CONNECT */
    HUB_FRONT_DIALING, /* tries to connect to the server */
    HUB_FRONT_ASKING,  /* waits for the CONNACK */
    HUB_FRONT_OPEN,
    HUB_FRONT_ENDING,    /* the client has closed, and the server still sends */
    HUB_FRONT_LINGERING, /* everything was sent; waits until the client closes */
    HUB_FRONT_GONE
} hub_front_state;

/** One of the two ends of a client, as epoll reports it. */
typedef struct hub_front_end {
    struct hub_front_client *client;
    uint32_t events; /* events registered with epoll; 0: not registered */
    int fd;          /* -1: none */
} hub_front_end;

typedef struct hub_front_client {
    hub_front_shared *shared;
    hub_front_service service;
    hub_front_carried carries;
    hub_front_state state;
    uint64_t number;
    char peer[64]; /* address and port of the client */
    hub_tls_line line;
    hub_websocket *websocket; /* the WebSocket over the line, on the heap; NULL: none */
    hub_server_line server;   /* connection to the broker or the HTTP server */
    hub_front_end device_end; /* the end of the line in the event loop */
    hub_front_end server_end;
    hub_text start;      /* the bytes received so far, up to the end of request or CONNECT */
    hub_traffic traffic; /* of MQTT */
    int64_t deadline_ms;
    hub_link in_all;
    hub_link in_waiting;
    hub_link in_dialing;
    hub_link in_gone;
} hub_front_client;

/** Initialises it. The texts of the setup belong to the caller. tls must be opened separately. */
void hub_front_shared_init(hub_front_shared *shared, const hub_front_setup *setup);
/** Sets the monotonic time of the turn that begins. */
void hub_front_shared_now(hub_front_shared *shared, int64_t now_ms);

/**
 * Takes over a connected socket. Returns NULL and closes the socket if the client cannot be served.
 */
hub_front_client *hub_front_client_new(hub_front_shared *shared, hub_front_service service, int fd,
                                       uint64_t number);
/** Call it when one of its sockets is ready. */
void hub_front_client_turn(hub_front_client *c, bool device, uint32_t events);
/** Tries again to connect a client in the list `dialing` to the server. */
void hub_front_client_dial(hub_front_client *c);
/** Sets the code, from 1 to 5, with which the hub is about to refuse this login. */
void hub_front_client_refused(hub_front_client *c, uint8_t code);
/** Call it when its deadline has passed. */
void hub_front_client_late(hub_front_client *c);
/** Closes its sockets. The client must still be freed with hub_front_client_free. */
void hub_front_client_end(hub_front_client *c);
void hub_front_client_free(hub_front_client *c);

#endif
