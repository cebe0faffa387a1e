#ifndef BENCH_H
#define BENCH_H

/**
 * @file
 * A job, and what a client library under test (a peer) has to do for it.  bench.c holds the clock:
 * every peer gets the same jobs from the same loop and reports in the same line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure.h"

enum { BENCH_PAYLOAD_MAX = 64 * 1024 };

/** As the device client makes it for the device "bench" with two properties. */
#define BENCH_TOPIC  "devices/bench/messages/events/alert=false&source=bench"
#define BENCH_FILTER "devices/bench/messages/devicebound/#"

typedef enum bench_kind {
    BENCH_PUBLISH = 0,
    BENCH_RECEIVE,
    BENCH_LATENCY, /* one message at a time: publish, wait for its end */
    BENCH_IDLE     /* connections without messages */
} bench_kind;

typedef struct bench_job {
    bench_kind kind;
    const char *host;
    uint16_t port;
    const char *ca_file; /* NULL: plain TCP */
    unsigned long count; /* messages, of which the first tenth is not measured; or connections, of
                            which half are not */
    unsigned window;     /* messages published and not ended, at most */
    size_t size;         /* of a payload */
    unsigned qos;
    bool thread; /* the peer's thread drives the connection, where it has the choice */
} bench_job;

extern uint8_t bench_payload[BENCH_PAYLOAD_MAX];

/** Room for a full window of messages, 128 KB at least. */
size_t bench_window_bytes(const bench_job *job);

/* --- what a peer implements; a failure ends the program ------------------------------ */

typedef struct bench_peer bench_peer;

/** Connects with TCP_NODELAY, and subscribes to BENCH_FILTER for BENCH_RECEIVE. Blocks. */
bench_peer *peer_open(const bench_job *job, unsigned long number);

/** Publish one message.  False: not now; peer_turn first. */
bool peer_publish(bench_peer *p);

/**
 * Let the library work until something has happened.  A peer with a thread of its own has nothing
 * to do here but bench_wait(target).
 */
void peer_turn(bench_peer *p, unsigned long target);

void peer_close(bench_peer *p);

/* --- what bench.c has for it ---------------------------------------------------------- */

/** Called by a peer when `count` more messages have ended or were received; by any thread. */
void bench_ended(unsigned long count);

/** Sleep until target messages have ended. */
void bench_wait(unsigned long target);

#endif
