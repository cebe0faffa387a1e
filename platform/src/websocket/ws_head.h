#ifndef PLAT_WS_HEAD_H
#define PLAT_WS_HEAD_H

/**
 * @file
 * Lines of the head of an HTTP answer (RFC 9112), read strictly.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The number of bytes that end a line. */
#define PLAT_WS_CRLF 2

/** What plat_ws_line_len returns if there is no line. */
#define PLAT_WS_INCOMPLETE ((size_t)-1)
#define PLAT_WS_MALFORMED  ((size_t)-2)

/** A header: name and value, without white space around them. */
typedef struct plat_ws_header {
    const char *name;
    const char *value;
    size_t name_len;
    size_t value_len;
} plat_ws_header;

/**
 * Returns the length of the line at the beginning of bytes, without its CRLF. PLAT_WS_INCOMPLETE:
 * it has no end yet. PLAT_WS_MALFORMED: it contains a control character, or an LF or CR alone.
 */
size_t plat_ws_line_len(const uint8_t *bytes, size_t len);

/** Returns the status of a status line of HTTP/1.1, 100 to 599; 0: it is not such a line. HTTP/1.0,
 * which has no upgrades, is accepted with any status but 101. */
int plat_ws_status_read(const uint8_t *line, size_t len);

/** Reads a header line. Returns false if it is not one, or continues the line before it. */
bool plat_ws_header_read(plat_ws_header *h, const uint8_t *line, size_t len);

/** Returns whether a header has this name, which is in lower case. */
bool plat_ws_header_is(const plat_ws_header *h, const char *name);

/** Returns whether the value is exactly this text. */
bool plat_ws_value_is(const plat_ws_header *h, const char *text);

/** Returns whether the value is this word, in any letter case. word is in lower case. */
bool plat_ws_value_is_word(const plat_ws_header *h, const char *word);

/** Returns whether the value is a list, separated by commas, that has this word. */
bool plat_ws_value_lists(const plat_ws_header *h, const char *word);

/** Returns the length of the token of HTTP at the beginning of a text. */
size_t plat_ws_token_len(const char *text, size_t len);

#endif
