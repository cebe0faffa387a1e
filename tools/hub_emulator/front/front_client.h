#ifndef HUB_FRONT_CLIENT_H
#define HUB_FRONT_CLIENT_H

/**
 * @file
 * One client of the TLS front: its state, its two ends in the event loop, its deadlines, and how it
 * ends. front_relay.h forwards its bytes.
 */

#include "base/list.h"
#include "front/client_faults.h"
#include "front/front_end.h"
#include "front/opening.h"
#include "front/server_line.h"
#include "front/traffic.h"

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
    hub_list late;    /* clients to which something is sent later, because of a fault */
    hub_list gone;    /* clients to be freed after the turn */
    hub_front_faults faults;
} hub_front_shared;

/** The protocol of a connection, above TLS and WebSocket. */
typedef enum hub_front_carried {
    HUB_FRONT_CARRIES_MQTT = 0,
    HUB_FRONT_CARRIES_HTTP
} hub_front_carried;

typedef enum hub_front_state {
    HUB_FRONT_OPENING = 0, /* the beginning, up to the CONNECT or the HTTP request */
    HUB_FRONT_DIALING,     /* tries to connect to the server */
    HUB_FRONT_ASKING,      /* waits for the CONNACK */
    HUB_FRONT_OPEN,
    HUB_FRONT_ENDING,    /* the client has closed, and the server still sends */
    HUB_FRONT_DRAINING,  /* the server has closed, and bytes that it has sent are held for later */
    HUB_FRONT_LINGERING, /* everything was sent; waits until the client closes */
    HUB_FRONT_GONE
} hub_front_state;

typedef struct hub_front_client {
    hub_front_shared *shared;
    hub_front_carried carries;
    hub_front_state state;
    uint64_t number;
    char peer[64]; /* address and port of the client */
    hub_device_line line;
    hub_server_line server;   /* connection to the broker or the HTTP server */
    hub_front_end device_end; /* the end of the line in the event loop */
    hub_front_end server_end;
    hub_opening opening;
    hub_traffic traffic;       /* of MQTT */
    hub_client_faults *faults; /* faults of this connection, on the heap; NULL: none */
    int64_t due_ms;            /* time at which a client in the list `late` has something to send */
    int64_t deadline_ms;
    hub_link in_all;
    hub_link in_waiting;
    hub_link in_dialing;
    hub_link in_late;
    hub_link in_gone;
} hub_front_client;

/** Initialises it. The texts of the setup belong to the caller. tls must be opened separately. */
void hub_front_shared_init(hub_front_shared *shared, const hub_front_setup *setup);
/** Takes a note of the hub about the next connections. */
void hub_front_shared_order(hub_front_shared *shared, const hub_note *order);
/** Sets the monotonic time of the turn that begins. */
void hub_front_shared_now(hub_front_shared *shared, int64_t now_ms);

/**
 * Takes over a connected socket. Returns NULL and closes the socket if the client cannot be served.
 */
hub_front_client *hub_front_client_new(hub_front_shared *shared, hub_front_service service, int fd,
                                       uint64_t number);
/** Call it when its deadline has passed. */
void hub_front_client_late(hub_front_client *c);
/** Closes its sockets. The client must still be freed with hub_front_client_free. */
void hub_front_client_end(hub_front_client *c);
void hub_front_client_free(hub_front_client *c);

/* For front_relay.c: */

/** Logs a line about the client, for people. */
void hub_front_client_report(const hub_front_client *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Returns HUB_FRONT_PLAIN bytes of memory for a turn, which all clients share. */
uint8_t *hub_front_client_buffer(const hub_front_client *c);
/** Returns whether bytes go in both directions. */
bool hub_front_client_is_between(const hub_front_client *c);
/** Returns whether bytes of the client can be handled now. */
bool hub_front_client_wants_device(const hub_front_client *c);
/** Returns the number of bytes of the server that are held for later. */
size_t hub_front_client_held(const hub_front_client *c);
/** Lets epoll watch both ends for what is wanted now. */
void hub_front_client_watch(hub_front_client *c);
/** Sets the time at which something is to be sent. */
void hub_front_client_set_due(hub_front_client *c, int64_t ms);
void hub_front_client_enter(hub_front_client *c, hub_front_state state);
void hub_front_client_carry(hub_front_client *c, hub_front_carried carries);
/** Causes a fault of this connection. */
void hub_front_client_fault(hub_front_client *c, const hub_note *order);
void hub_front_client_close_server(hub_front_client *c);
/** The client has closed: the server receives the rest of the bytes and the end. */
void hub_front_client_device_ended(hub_front_client *c);
/** Closes TCP in the direction to the client if everything was sent. */
void hub_front_client_half_close(hub_front_client *c);
/** Ends the output: after what was written, nothing more is sent to the client. */
void hub_front_client_end_output(hub_front_client *c);
/** Does the same after the end of TLS and of WebSocket. */
void hub_front_client_finish(hub_front_client *c);
/** Closes both ends, the one of the client by a reset. */
void hub_front_client_reset(hub_front_client *c);
/** Reads bytes of a client that has nothing more to say, and drops them. */
void hub_front_client_drop_rest(hub_front_client *c);

#endif
