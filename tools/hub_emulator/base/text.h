#ifndef HUB_TEXT_H
#define HUB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * @file
 * Functions for memory on the heap and for text that grows. They never return NULL: without memory
 * they print an error and abort, which is acceptable for a tool.
 */

void hub_out_of_memory(void) __attribute__((noreturn));
void *hub_calloc(size_t count, size_t size);
void *hub_realloc(void *old, size_t size);
char *hub_strdup(const char *s);
/** Returns a copy with a NUL at its end. */
char *hub_memdup(const void *data, size_t len);
/** Frees the text in the field and replaces it by a copy of `text`, which may be NULL. */
void hub_replace(char **field, const char *text);
char *hub_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Text that grows. After something was added, a NUL always follows it. */
typedef struct hub_text {
    char *p;
    size_t len;
    size_t cap;
} hub_text;

void hub_text_add(hub_text *t, const void *data, size_t len);
void hub_text_str(hub_text *t, const char *s);
/** Appends a whole number in decimal digits. */
void hub_text_whole(hub_text *t, uint64_t number);
void hub_text_printf(hub_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Shortens the text to its first len bytes and keeps the memory. */
void hub_text_cut(hub_text *t, size_t len);
void hub_text_free(hub_text *t);

/** Writes a time, given in milliseconds since 1970, as 2026-11-20T10:11:12.345Z. */
#define HUB_TIME_SIZE 32
void hub_time_text(int64_t ms, char out[HUB_TIME_SIZE]);

/** Writes it as Fri, 20 Nov 2026 10:11:12 GMT (RFC 9110, section 5.6.7). */
void hub_time_http(int64_t ms, char out[HUB_TIME_SIZE]);
/** Writes it as 11/20/2026 10:11:12 AM, the form that the hub uses in headers of messages. */
void hub_time_header(int64_t ms, char out[HUB_TIME_SIZE]);

/** Returns whether the bytes are well-formed UTF-8 without U+0000. */
bool hub_utf8_valid(const void *data, size_t len);
/** Returns whether the text is well-formed UTF-8 without control characters. */
bool hub_utf8_plain(const char *text);

#endif
