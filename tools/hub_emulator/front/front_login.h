#ifndef HUB_FRONT_LOGIN_H
#define HUB_FRONT_LOGIN_H

/**
 * @file
 * How the front changes the CONNECT of a client before the broker receives it.
 */

#include "front/connect_packet.h"
#include "front/envelope.h"

/** What the front knows about the client. */
typedef struct hub_front_login {
    uint64_t number;    /* number of the connection */
    const char *secret; /* the secret in the envelopes */
    const char *peer;
    const char *chain; /* the chain in the form that hub_client_chain_read takes */
    size_t chain_len;
} hub_front_login;

/**
 * Appends the CONNECT at the beginning of these bytes with an envelope instead of its password. One
 * without a user name is appended as it is; the hub refuses it, since it has no envelope. Returns
 * false and appends nothing if the envelope is too long for a password.
 */
bool hub_front_login_forward(const hub_front_login *l, const hub_connect_packet *packet,
                             const uint8_t *bytes, hub_text *out);

#endif
