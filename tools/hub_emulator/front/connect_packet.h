#ifndef HUB_CONNECT_PACKET_H
#define HUB_CONNECT_PACKET_H

/**
 * @file
 * Reads the CONNECT packet of a client (MQTT 3.1.1, section 3.1) as far as the front needs it: the
 * positions of its fields, so that the password can be replaced. The broker checks their contents.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/**
 * A longer packet cannot be a CONNECT, which has a protocol name and five fields of up to 65,535
 * bytes.
 */
#define HUB_CONNECT_MAX (5 + 10 + 5 * 65537)
/** The longest field of a packet. */
#define HUB_FIELD_MAX 65535

typedef enum hub_connect_kind {
    HUB_CONNECT_PART = 0, /* more bytes are needed */
    HUB_CONNECT_WHOLE,
    HUB_CONNECT_OTHER, /* complete, but of another version of MQTT; only packet_len is set */
    HUB_CONNECT_BROKEN /* not a CONNECT, or its fields do not fit its length */
} hub_connect_kind;

/** A part of the packet, given by its position. */
typedef struct hub_field {
    size_t at;
    size_t len;
} hub_field;

typedef struct hub_connect_packet {
    size_t packet_len; /* length; the bytes after it belong to the next packet */
    size_t body_at;    /* offset of the variable header */
    size_t flags_at;
    hub_field client_id;
    hub_field middle; /* the Will and the user name, including their lengths */
    hub_field user_name;
    hub_field password;
    bool has_user_name;
    bool has_password;
} hub_connect_packet;

/** Reads the packet at the beginning of these bytes. *out is valid for WHOLE and OTHER. */
hub_connect_kind hub_connect_read(hub_connect_packet *out, const uint8_t *bytes, size_t len);

/**
 * Returns whether the client connects to the provisioning service instead of the hub: its user name
 * is {scope}/registrations/{client id}/... The packet is WHOLE.
 */
bool hub_connect_is_for_provisioning(const hub_connect_packet *c, const char *packet);

/**
 * Appends the packet with this password instead of its own, and with a prefix (which may be "")
 * before its client id. If the packet has no user name, or a field would become too long, it
 * returns false and appends nothing.
 */
bool hub_connect_forward(const hub_connect_packet *c, const uint8_t *packet, const char *prefix,
                         const void *password, size_t password_len, hub_text *out);

#endif
