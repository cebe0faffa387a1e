#ifndef HUB_FRONT_CLIENT_H
#define HUB_FRONT_CLIENT_H

/**
 * @file
 * One client of the TLS front: its handshake, its CONNECT, its connection to the broker, and the
 * bytes between the two.
 *
 * Each direction buffers a limited number of bytes: one side is not read while the other one does
 * not accept bytes. If another protocol (WebSocket) is added, only the bytes of hub_tls_line_read
 * and hub_tls_line_write change.
 */

#include "base/list.h"
#include "front/packet_watch.h"
#include "front/tls_line.h"

/** Number of bytes that are forwarded at a time. */
#define HUB_FRONT_PLAIN (4 * HUB_TLS_CHUNK)

typedef struct hub_front_timing {
    int64_t login_ms;  /* time from the TCP connection to the CONNACK */
    int64_t linger_ms; /* time for a client to close, after the last byte was sent to it */
} hub_front_timing;

/** Called with one line for people, without a line end. */
typedef void (*hub_front_log)(void *user, const char *line);

typedef struct hub_front_setup {
    int epoll_fd;
    const char *broker_path; /* of the Unix socket */
    const char *secret;      /* of the envelopes */
    int notes_fd;            /* to the hub; -1: none */
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
    hub_list dialing; /* clients that the broker has not accepted yet */
    hub_list gone;    /* clients to be freed after the turn */
} hub_front_shared;

typedef enum hub_front_state {
    HUB_FRONT_HANDSHAKE = 0,
    HUB_FRONT_LOGIN,   /* reads the CONNECT */
    HUB_FRONT_DIALING, /* tries to connect to the broker */
    HUB_FRONT_ASKING,  /* waits for the CONNACK */
    HUB_FRONT_OPEN,
    HUB_FRONT_ENDING,    /* the client has closed, and the broker still sends */
    HUB_FRONT_LINGERING, /* everything was sent; waits until the client closes */
    HUB_FRONT_GONE
} hub_front_state;

/** One of the two ends of a client, as epoll reports it. */
typedef struct hub_front_end {
    struct hub_front_client *client;
    uint32_t events; /* events registered with epoll; 0: not registered */
    int fd;
} hub_front_end;

typedef struct hub_front_client {
    hub_front_shared *shared;
    hub_front_state state;
    uint64_t number;
    char peer[64]; /* address and port of the client */
    hub_tls_line line;
    hub_front_end device; /* the client's socket, which belongs to the line */
    hub_front_end broker; /* the Unix socket to the broker */
    hub_text connect;     /* the bytes received so far, up to the end of the CONNECT */
    hub_text to_broker;   /* bytes for the broker; the first `sent` of them were already sent */
    size_t sent;
    hub_packet_watch from_device;
    hub_packet_watch from_broker;
    size_t answered; /* bytes of the CONNACK that were seen */
    uint8_t refusal; /* the code for a CONNACK that refuses; 0: that of the broker */
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
hub_front_client *hub_front_client_new(hub_front_shared *shared, int fd, uint64_t number);
/** Call it when one of its sockets is ready. */
void hub_front_client_turn(hub_front_client *c, bool device, uint32_t events);
/** For a client in the list of dialing ones: tries again to connect to the broker. */
void hub_front_client_dial(hub_front_client *c);
/** Sets the code, from 1 to 5, with which the hub is about to refuse this login. */
void hub_front_client_refused(hub_front_client *c, uint8_t code);
/** Call it when its deadline has passed. */
void hub_front_client_late(hub_front_client *c);
/** Closes its sockets. The client must still be freed with hub_front_client_free. */
void hub_front_client_end(hub_front_client *c);
void hub_front_client_free(hub_front_client *c);

#endif
