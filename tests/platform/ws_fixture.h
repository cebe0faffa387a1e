#ifndef TEST_WS_FIXTURE_H
#define TEST_WS_FIXTURE_H

/**
 * @file
 * The other side of a WebSocket: answers to an upgrade, frames of a server, and a reader for the
 * frames of the client. It shares no code with what it tests.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/platform.h"
#include "scripted_stream.h"

enum { OP_CONTINUATION = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

/** Bytes that grow; free ptr. */
typedef struct ws_bytes {
    uint8_t *ptr;
    size_t len;
} ws_bytes;

void ws_append(ws_bytes *b, const void *bytes, size_t len);

/**
 * Appends a frame of a server.
 * @param first  the first byte: FIN bit, reserved bits and opcode
 */
void ws_put_frame(ws_bytes *b, unsigned first, const void *content, size_t len);

/** Appends a close frame with a code and a reason. */
void ws_put_close(ws_bytes *b, unsigned code, const char *reason);

/** A frame of the client. */
typedef struct ws_frame {
    unsigned opcode;
    uint8_t mask[4];
    uint8_t *content; /* unmasked; freed by the caller */
    size_t len;
} ws_frame;

/**
 * Reads the first frame of the client and returns its size in bytes, or 0 if it is incomplete. A
 * frame that is not final, not masked, or whose length is not in the shortest form fails the test.
 */
size_t ws_read_frame(const uint8_t *bytes, size_t len, ws_frame *out);

/** Writes the value of Sec-WebSocket-Accept for a request, NUL-terminated. */
void ws_accept_of(const char *request, char accept[29]);

/** Returns an answer that accepts the request; the caller frees it. */
char *ws_good_answer(const char *request);

/** Returns a copy of a text in which the first `what` is replaced; the caller frees it. */
char *ws_replaced(const char *text, const char *what, const char *with);

/** Feeds a text to the client. */
void ws_feed_text(scripted_stream *s, const char *text);

/** Returns what the client has sent, NUL-terminated, and removes it; the caller frees it. */
char *ws_take_sent(scripted_stream *s);

#endif
