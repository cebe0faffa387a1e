#ifndef HUB_ENVELOPE_H
#define HUB_ENVELOPE_H

/**
 * @file What the TLS front knows about a client, in the place of the password of the CONNECT that
 * it forwards:
 *
 *     SECRET NUMBER PEER CHAIN +PASSWORD
 *
 * separated by single spaces. SECRET proves that the front wrote it; CHAIN is as
 * hub_client_chain_read takes it, or "-"; a "-" instead of +PASSWORD means that the client sent
 * none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/** Number of hexadecimal digits of the secret. */
#define HUB_ENVELOPE_SECRET_LEN 64

typedef struct hub_envelope {
    uint64_t number;  /* number of the connection in this run */
    const char *peer; /* such as "127.0.0.1:40000"; not NUL-terminated */
    size_t peer_len;
    const char *chain; /* not NUL-terminated; "" if there is none */
    size_t chain_len;
    const char *password; /* the rest of the text, NUL-terminated if it was read; NULL: none */
    size_t password_len;
} hub_envelope;

/** Makes a new secret of HUB_ENVELOPE_SECRET_LEN digits, on the heap. */
char *hub_envelope_secret(void);

/** Appends the envelope. */
void hub_envelope_write(hub_text *out, const char *secret, const hub_envelope *e);
/**
 * Reads an envelope. Returns false if the text is not an envelope with this secret. The members of
 * *out point into the text.
 */
bool hub_envelope_read(hub_envelope *out, const char *text, const char *secret);

#endif
