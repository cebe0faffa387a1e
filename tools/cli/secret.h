#ifndef CLI_SECRET_H
#define CLI_SECRET_H

/**
 * @file
 * Keeps keys and tokens out of messages and out of freed memory.
 */

#include <stdbool.h>
#include <stddef.h>

/**
 * Returns true if a message may repeat this argument. Returns false if it may be a key, a token or
 * a connection string: if it has '=', ';' or '&', a long run of letters and digits, control
 * characters, or more than 128 characters.
 */
bool cli_may_show(const char *text);

/** Returns text if cli_may_show(text), otherwise `instead`. */
const char *cli_shown(const char *text, const char *instead);

/**
 * Overwrites with '*' what looks like a secret in a text of a server: the values of
 * SharedAccessKey, SharedAccessSignature, sig, key, token and password, and long runs of base64.
 */
void cli_redact(char *text);

/** Overwrites size bytes and frees them. memory may be NULL. */
void cli_forget(void *memory, size_t size);

/** Does the same for a text that has no bytes after its NUL. text may be NULL. */
void cli_forget_text(char *text);

#endif
