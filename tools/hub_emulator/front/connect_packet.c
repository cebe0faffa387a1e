#include "front/connect_packet.h"

#include <string.h>
#include <strings.h>

#define CONNECT_TYPE  0x10
#define FLAG_RESERVED 0x01
#define FLAG_WILL     0x04
#define FLAG_PASSWORD 0x40
#define FLAG_USER     0x80
#define LENGTH_MAX    4 /* largest number of bytes of a remaining length */

/* Protocol name and level of MQTT 3.1.1. */
static const uint8_t protocol[] = { 0, 4, 'M', 'Q', 'T', 'T', 4 };

#define FLAGS_OFFSET (sizeof protocol)
#define FIELDS_OFFSET                                                          \
    (sizeof protocol + 3) /* offset of the payload: after flags and keep-alive \
                           */

/* --- reading ----------------------------------------------------------- */

/* Reads the fixed header: type and remaining length. */
static hub_connect_kind read_header(hub_connect_packet *out, const uint8_t *bytes, size_t len)
{
    size_t remaining = 0;

    if (len > 0 && bytes[0] != CONNECT_TYPE) {
        return HUB_CONNECT_BROKEN;
    }
    for (size_t i = 0; i < LENGTH_MAX; i++) {
        if (len < i + 2) {
            return HUB_CONNECT_PART;
        }
        remaining |= (size_t)(bytes[i + 1] & 0x7F) << (7 * i);
        if (remaining > HUB_CONNECT_MAX - LENGTH_MAX - 1) {
            return HUB_CONNECT_BROKEN;
        }
        if ((bytes[i + 1] & 0x80) == 0) {
            out->body_at = i + 2;
            out->packet_len = out->body_at + remaining;
            return HUB_CONNECT_WHOLE;
        }
    }
    return HUB_CONNECT_BROKEN;
}

/* Reads the next field: two bytes of length and a text. Returns false if it does not fit. */
static bool read_field(hub_field *out, const uint8_t *packet, size_t end, size_t *at)
{
    if (end - *at < 2) {
        return false;
    }
    out->len = (size_t)packet[*at] << 8 | packet[*at + 1];
    out->at = *at + 2;
    if (end - out->at < out->len) {
        return false;
    }
    *at = out->at + out->len;
    return true;
}

/* The topic and the body of the Will. */
static bool read_will(const uint8_t *packet, size_t end, size_t *at)
{
    hub_field topic;
    hub_field body;

    return read_field(&topic, packet, end, at) && read_field(&body, packet, end, at);
}

static bool read_fields(hub_connect_packet *out, const uint8_t *packet)
{
    const uint8_t flags = packet[out->flags_at];
    const size_t end = out->packet_len;
    size_t at = out->body_at + FIELDS_OFFSET;

    out->has_user_name = (flags & FLAG_USER) != 0;
    out->has_password = (flags & FLAG_PASSWORD) != 0;
    if ((flags & FLAG_RESERVED) != 0 || !read_field(&out->client_id, packet, end, &at)) {
        return false;
    }
    out->middle.at = at;
    if ((flags & FLAG_WILL) != 0 && !read_will(packet, end, &at)) {
        return false;
    }
    if (out->has_user_name && !read_field(&out->user_name, packet, end, &at)) {
        return false;
    }
    out->middle.len = at - out->middle.at;
    if (out->has_password && !read_field(&out->password, packet, end, &at)) {
        return false;
    }
    return at == end;
}

hub_connect_kind hub_connect_read(hub_connect_packet *out, const uint8_t *bytes, size_t len)
{
    *out = (hub_connect_packet){ 0 };
    hub_connect_kind kind = read_header(out, bytes, len);
    if (kind != HUB_CONNECT_WHOLE) {
        return kind;
    }
    if (len < out->packet_len) {
        return HUB_CONNECT_PART;
    }
    const size_t body_len = out->packet_len - out->body_at;
    if (body_len < sizeof protocol ||
        memcmp(bytes + out->body_at, protocol, sizeof protocol) != 0) {
        return HUB_CONNECT_OTHER;
    }
    out->flags_at = out->body_at + FLAGS_OFFSET;
    return body_len >= FIELDS_OFFSET && read_fields(out, bytes) ? HUB_CONNECT_WHOLE
                                                                : HUB_CONNECT_BROKEN;
}

/* --- the service -------------------------------------------------------- */

bool hub_connect_is_for_provisioning(const hub_connect_packet *packet, const char *bytes)
{
    static const char mark[] = "/registrations/";
    const size_t mark_len = sizeof mark - 1;
    const char *user = bytes + packet->user_name.at;
    const char *slash = memchr(user, '/', packet->user_name.len);
    const size_t left = slash != NULL ? packet->user_name.len - (size_t)(slash - user) : 0;
    const size_t id_len = packet->client_id.len;

    return left > mark_len + id_len && memcmp(slash, mark, mark_len) == 0 &&
           strncasecmp(slash + mark_len, bytes + packet->client_id.at, id_len) == 0 &&
           slash[mark_len + id_len] == '/' &&
           memchr(bytes + packet->client_id.at, '/', id_len) == NULL;
}

/* --- writing ----------------------------------------------------------- */

static void add_length(hub_text *out, size_t len)
{
    const uint8_t prefix[] = { (uint8_t)(len >> 8), (uint8_t)len };

    hub_text_add(out, prefix, sizeof prefix);
}

static void add_remaining_length(hub_text *out, size_t len)
{
    do {
        const uint8_t more = len > 0x7F ? 0x80 : 0;
        const uint8_t digit = (uint8_t)((len & 0x7F) | more);
        hub_text_add(out, &digit, 1);
        len >>= 7;
    } while (len > 0);
}

bool hub_connect_forward(const hub_connect_packet *c, const uint8_t *packet, const char *prefix,
                         const void *password, size_t password_len, hub_text *out)
{
    static const uint8_t type = CONNECT_TYPE;
    const size_t id_len = strlen(prefix) + c->client_id.len;
    const uint8_t flags = packet[c->flags_at] | FLAG_PASSWORD;

    if (!c->has_user_name || password_len > HUB_FIELD_MAX || id_len > HUB_FIELD_MAX) {
        return false;
    }
    hub_text_add(out, &type, 1);
    add_remaining_length(out, FIELDS_OFFSET + 2 + id_len + c->middle.len + 2 + password_len);
    hub_text_add(out, packet + c->body_at, FLAGS_OFFSET);
    hub_text_add(out, &flags, 1);
    hub_text_add(out, packet + c->flags_at + 1, 2); /* keep-alive */
    add_length(out, id_len);
    hub_text_str(out, prefix);
    hub_text_add(out, packet + c->client_id.at, c->client_id.len);
    hub_text_add(out, packet + c->middle.at, c->middle.len);
    add_length(out, password_len);
    hub_text_add(out, password, password_len);
    return true;
}
