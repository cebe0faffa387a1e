#ifndef TEST_SCRIPTED_STREAM_H
#define TEST_SCRIPTED_STREAM_H

/**
 * @file
 * A plat_stream without a network.  The test is the peer: it feeds the bytes that
 * recv gives and reads what send took, decides how far progress gets, and lets
 * any call fail.  A caller that breaks the contract of platform/stream.h (other
 * bytes after WOULD_BLOCK, a call in the wrong state) ends the test immediately.
 */

#include "platform/stream.h"

typedef enum scripted_call {
    SCRIPTED_OPEN = 0,
    SCRIPTED_PROGRESS,
    SCRIPTED_RECV,
    SCRIPTED_SEND,
    SCRIPTED_CLOSE, /* never fails */
    SCRIPTED_CALLS,
    SCRIPTED_ANY = SCRIPTED_CALLS /* for scripted_fail: each call that can fail */
} scripted_call;

typedef enum scripted_state {
    SCRIPTED_CLOSED = 0,
    SCRIPTED_OPENING,
    SCRIPTED_READY,
    SCRIPTED_FAILED /* until close; each call repeats the failure */
} scripted_state;

typedef struct scripted_bytes {
    uint8_t *ptr;
    size_t len;
    size_t cap;
} scripted_bytes;

typedef struct scripted_stream scripted_stream;
struct scripted_stream {
    plat_stream base;

    /* The script: the test sets these at any time. */
    plat_stage stall_at; /* progress never leaves this stage; PLAT_STAGE_OPEN: no stall */
    unsigned
        stage_calls; /* calls of progress that each stage needs; default 0: opens in one call */
    size_t recv_max; /* most bytes for one recv; 0: no limit */
    size_t send_max; /* most bytes for one send; 0: no limit */
    size_t
        send_room; /* bytes until send returns WOULD_BLOCK; default SIZE_MAX; the test refills it */
    plat_result recv_then; /* when all that was fed is read: WOULD_BLOCK (default), EOF, error */
    intptr_t fd;           /* what poll reports once open; default -1 */
    uint64_t peer_has;     /* bytes since open, for flow; default UINT64_MAX: all that were sent */
    size_t hidden;         /* bytes that arrived and recv does not give: the same */
    bool window_closed;    /* the peer reports that it has no room for pending bytes */
    bool resumed;          /* what the open stream reports about its TLS session */
    const char *failure_detail;
    void (*after)(scripted_stream *s, scripted_call call, plat_result r, void *user);
    void *user; /* after is called at the end of each call; it may feed or drain */

    /* What happened: the test reads these. */
    scripted_state state;
    plat_stage stage;
    unsigned calls[SCRIPTED_CALLS]; /* since init */
    char host[256];
    const char *borrowed_host;
    uint16_t port;
    uint64_t opened_at_ms;
    size_t last_send;  /* bytes that the last send took */
    size_t last_least; /* number of bytes that the last poll waited for */
    uint64_t rx_total; /* bytes fed since open, */
    uint64_t tx_total; /* and sent */

    /* Private. */
    scripted_bytes rx, tx, promised;
    size_t rx_read, tx_read;
    unsigned stage_done, fail_in;
    scripted_call fail_call;
    plat_result fail_with, failure;
};

void scripted_init(scripted_stream *s);

/** Free the memory.  deinit of the vtable only closes, so that tests can inspect the stream
 * afterwards. */
void scripted_free(scripted_stream *s);

/** Bytes from the peer.  Kept until read, or until the next open. */
void scripted_feed(scripted_stream *s, const void *bytes, size_t len);
size_t scripted_unread(const scripted_stream *s);

/** All that send took since the last open and scripted_drain; valid until the next call on s. */
const uint8_t *scripted_sent(const scripted_stream *s, size_t *len);

/** Forget the first len bytes of scripted_sent. */
void scripted_drain(scripted_stream *s, size_t len);

/** The nth next call (1: the next one) of this kind fails with r.  One failure at a time. */
void scripted_fail(scripted_stream *s, scripted_call call, unsigned nth, plat_result r);

/** The peer is gone: every later recv and send gives r, bytes not yet read are lost. */
void scripted_break(scripted_stream *s, plat_result r);

/** Whether a sleep that waits for the events in p would end immediately. */
bool scripted_is_ready(const scripted_stream *s, const plat_poll *p);

#endif
