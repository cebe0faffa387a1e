#ifndef CLI_SECRET_H
#define CLI_SECRET_H

/** @file Keeps keys and tokens out of messages and out of freed memory. */

#include <stdbool.h>
#include <stddef.h>

/**
 * May a message repeat this word of a user? Not if it can hold a key, a token or a connection
 * string: with '=', ';' or '&' in it, a long run of letters and digits, control characters,
 * or more than 128 characters.
 */
bool cli_may_show(const char *text);

/** text if cli_may_show, otherwise `instead`. */
const char *cli_shown(const char *text, const char *instead);

/**
 * Overwrites with '*' what looks like a secret in a text of a server: the values of
 * SharedAccessKey, SharedAccessSignature, sig, key, token and password, and long runs of base64.
 */
void cli_redact(char *text);

/** Overwrites size bytes and frees them. NULL is fine. */
void cli_forget(void *memory, size_t size);

/** cli_forget for a text of which nothing lies behind its NUL. NULL is fine. */
void cli_forget_text(char *text);

#endif
