#ifndef BENCH_H
#define BENCH_H

/**
 * @file
 * Describes a job, and what a client library under test (a peer) must implement. bench.c measures:
 * it gives every peer the same jobs from the same loop, and prints the results in the same form.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure.h"

enum { BENCH_PAYLOAD_MAX = 64 * 1024 };

/** The topic that the device client uses for the device "bench" and two properties. */
#define BENCH_TOPIC  "devices/bench/messages/events/alert=false&source=bench"
#define BENCH_FILTER "devices/bench/messages/devicebound/#"

typedef enum bench_kind {
    BENCH_PUBLISH = 0,
    BENCH_RECEIVE,
    BENCH_LATENCY, /* publishes one message at a time and waits for its end */
    BENCH_IDLE     /* opens connections without messages */
} bench_kind;

typedef struct bench_job {
    bench_kind kind;
    const char *host;
    uint16_t port;
    const char *ca_file; /* certificates to trust; NULL: plain TCP */
    bool websocket;      /* WebSocket over TLS */
    /* Number of messages, of which the first tenth is not measured; or number of connections, of
     * which the first half is not measured. */
    unsigned long count;
    unsigned window; /* most messages that are published and not ended */
    size_t size;     /* bytes of a payload */
    unsigned qos;
    bool thread; /* a thread of the peer drives the connection, if the peer has a choice */
} bench_job;

extern uint8_t bench_payload[BENCH_PAYLOAD_MAX];

/** Returns room for a full window of messages, at least 128 KB. */
size_t bench_window_bytes(const bench_job *job);

/* --- what a peer implements; a failure ends the program ------------------------------ */

typedef struct bench_peer bench_peer;

/**
 * Opens a connection with TCP_NODELAY and, for BENCH_RECEIVE, subscribes to BENCH_FILTER. Blocks
 * until this is done.
 */
bench_peer *peer_open(const bench_job *job, unsigned long number);

/** Publishes one message. Returns false if that is not possible before the next peer_turn. */
bool peer_publish(bench_peer *p);

/**
 * Lets the library work until something has happened. A peer with a thread of its own only calls
 * bench_wait(target) here.
 */
void peer_turn(bench_peer *p, unsigned long target);

void peer_close(bench_peer *p);

/* --- what bench.c has for it ---------------------------------------------------------- */

/** A peer calls this, from any thread, when `count` more messages have ended or were received. */
void bench_ended(unsigned long count);

/** Sleeps until `target` messages have ended. */
void bench_wait(unsigned long target);

#endif
