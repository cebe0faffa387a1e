#ifndef PLAT_WS_CLOSE_H
#define PLAT_WS_CLOSE_H

/**
 * @file
 * Status codes of close frames (RFC 6455 section 7.4).
 */

#include <stddef.h>
#include <stdint.h>

/** The status codes that this side sends. */
enum {
    PLAT_WS_CLOSE_NORMAL = 1000,
    PLAT_WS_CLOSE_PROTOCOL = 1002,
    PLAT_WS_CLOSE_NOT_BINARY = 1003,
    PLAT_WS_CLOSE_NONE = 1005, /* the frame has no code; it is never sent */
    PLAT_WS_CLOSE_NOT_UTF8 = 1007,
    PLAT_WS_CLOSE_TOO_BIG = 1009
};

/**
 * Reads the content of a received close frame.
 * @param[out] code  its status code, or PLAT_WS_CLOSE_NONE; after a violation the code to answer
 * with
 * @return NULL, or a text that describes how the frame violates the protocol
 */
const char *plat_ws_close_read(const uint8_t *content, size_t len, uint16_t *code);

/** Returns the meaning of a status code in a few words; "" if it has none. */
const char *plat_ws_close_text(uint16_t code);

#endif
