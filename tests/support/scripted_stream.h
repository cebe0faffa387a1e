#ifndef TEST_SCRIPTED_STREAM_H
#define TEST_SCRIPTED_STREAM_H

/**
 * @file
 * A plat_stream without a network. The test plays the peer: it provides the bytes that recv
 * returns, reads the bytes that send accepted, decides how far progress gets, and can make any call
 * fail. A caller that breaks the contract of platform/stream.h (other bytes after WOULD_BLOCK, a
 * call in the wrong state) ends the test immediately.
 */

#include "platform/stream.h"

typedef enum scripted_call {
    SCRIPTED_OPEN = 0,
    SCRIPTED_PROGRESS,
    SCRIPTED_RECV,
    SCRIPTED_SEND,
    SCRIPTED_CLOSE, /* never fails */
    SCRIPTED_CALLS,
    SCRIPTED_ANY = SCRIPTED_CALLS /* means any call that can fail; only for scripted_fail */
} scripted_call;

typedef enum scripted_state {
    SCRIPTED_CLOSED = 0,
    SCRIPTED_OPENING,
    SCRIPTED_READY,
    SCRIPTED_FAILED /* lasts until close is called; each call returns the same failure again */
} scripted_state;

typedef struct scripted_bytes {
    uint8_t *ptr;
    size_t len;
    size_t cap;
} scripted_bytes;

typedef struct scripted_stream scripted_stream;
struct scripted_stream {
    plat_stream base;

    /* The script. The test may set these members at any time. */
    plat_stage stall_at; /* progress never gets past this stage; PLAT_STAGE_OPEN: no limit */
    /* Calls of progress that each stage needs; 0 (the default): the first call opens the stream. */
    unsigned stage_calls;
    size_t recv_max; /* largest number of bytes that one recv returns; 0: no limit */
    size_t send_max; /* largest number of bytes that one send accepts; 0: no limit */
    /* Bytes that send still accepts before it returns WOULD_BLOCK; default SIZE_MAX; the test may
     * raise it. */
    size_t send_room;
    /* What recv returns when no bytes are left: WOULD_BLOCK (default), EOF or an error. */
    plat_result recv_then;
    intptr_t fd; /* the descriptor that poll reports for an open stream; default -1 */
    /* Bytes that the peer has acknowledged since open (see flow); default UINT64_MAX: everything
     * sent. */
    uint64_t peer_has;
    size_t hidden; /* bytes that flow reports as arrived but that recv does not return yet */
    /* If true, flow reports that the peer's window is closed, so pending bytes cannot be sent. */
    bool window_closed;
    bool resumed; /* whether the open stream reports that its TLS session was resumed */
    /* The identity of the last call of set_identity. Unlike a real stream, this one takes no
     * reference to it. */
    plat_identity *identity;
    const char *failure_detail;
    void (*after)(scripted_stream *s, scripted_call call, plat_result r, void *user);
    /* Passed to `after`, which is called at the end of each call and may feed or drain. */
    void *user;

    /* What has happened. The test reads these members. */
    scripted_state state;
    plat_stage stage;
    unsigned calls[SCRIPTED_CALLS]; /* number of calls of each function since init */
    char host[256];
    const char *borrowed_host;
    uint16_t port;
    uint64_t opened_at_ms;
    size_t last_send;  /* number of bytes that the last send accepted */
    size_t last_least; /* number of bytes that the last call of poll waited for */
    uint64_t rx_total; /* number of bytes fed since open */
    uint64_t tx_total; /* number of bytes sent since the stream was opened */

    /* Private. */
    scripted_bytes rx, tx, promised;
    size_t rx_read, tx_read;
    unsigned stage_done, fail_in;
    scripted_call fail_call;
    plat_result fail_with, failure;
};

void scripted_init(scripted_stream *s);

/**
 * Frees the memory. The deinit function of the stream only closes it, so that a test can inspect it
 * afterwards.
 */
void scripted_free(scripted_stream *s);

/**
 * Adds bytes that the peer sends. They are kept until they are read or the stream is opened again.
 */
void scripted_feed(scripted_stream *s, const void *bytes, size_t len);
size_t scripted_unread(const scripted_stream *s);

/**
 * Returns all bytes that send has accepted since the last open or scripted_drain. Valid until the
 * next call on s.
 */
const uint8_t *scripted_sent(const scripted_stream *s, size_t *len);

/** Removes the first len bytes of what scripted_sent returns. */
void scripted_drain(scripted_stream *s, size_t len);

/**
 * Makes the nth call of this kind from now (1: the next one) fail with r. Only one such failure can
 * be set at a time.
 */
void scripted_fail(scripted_stream *s, scripted_call call, unsigned nth, plat_result r);

/**
 * Breaks the connection: all later calls of recv and send return r, and bytes that were not read
 * are lost.
 */
void scripted_break(scripted_stream *s, plat_result r);

/** Returns true if a sleep that waits for the events in p would end immediately. */
bool scripted_is_ready(const scripted_stream *s, const plat_poll *p);

#endif
