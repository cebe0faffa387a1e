#include "front/front_login.h"

#include <stdlib.h>
#include <string.h>

#include "hub/hub_dps.h"

static void add_envelope(const hub_front_login *l, const hub_connect_packet *packet,
                         const char *bytes, hub_text *out)
{
    const hub_envelope e = {
        .number = l->number,
        .peer = l->peer,
        .peer_len = strlen(l->peer),
        .chain = l->chain,
        .chain_len = l->chain_len,
        .password = packet->has_password ? bytes + packet->password.at : NULL,
        .password_len = packet->password.len,
    };

    hub_envelope_write(out, l->secret, &e);
}

/* Returns the prefix of the client id, on the heap. A device may be connected to the hub and to
 * the provisioning service at the same time under one client id, which the broker would regard
 * as one client. The number keeps the answers of one connection from reaching the next one. */
static char *client_prefix(const hub_front_login *l, const hub_connect_packet *packet,
                           const char *bytes)
{
    return hub_connect_is_for_provisioning(packet, bytes)
               ? hub_format(HUB_DPS_CLIENT_PREFIX "%llu ", (unsigned long long)l->number)
               : hub_strdup("");
}

bool hub_front_login_forward(const hub_front_login *l, const hub_connect_packet *packet,
                             const uint8_t *bytes, hub_text *out)
{
    const char *text = (const char *)bytes;
    hub_text password = { 0 };

    if (!packet->has_user_name) {
        hub_text_add(out, bytes, packet->packet_len);
        return true;
    }
    char *prefix = client_prefix(l, packet, text);
    add_envelope(l, packet, text, &password);
    bool ok = hub_connect_forward(packet, bytes, prefix, password.p, password.len, out);
    free(prefix);
    hub_text_free(&password);
    return ok;
}
