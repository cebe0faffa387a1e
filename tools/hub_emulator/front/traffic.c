#include "front/traffic.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "hub/note.h"

#define CONNACK_LEN  4
#define NOTE_WAIT_MS 1000
#define REFUSAL_MIN  1 /* codes of a CONNACK, MQTT 3.1.1, section 3.2.2.3 */
#define REFUSAL_MAX  5

void hub_traffic_init(hub_traffic *t, uint64_t number, int notes_fd)
{
    *t = (hub_traffic){ .number = number, .notes_fd = notes_fd };
}

/* The hub must receive the note before the broker receives the bytes. The socket of the hub is
 * full for a moment at most, unless the hub hangs; then the hub misses an acknowledgement, and
 * delivers the message again. */
static void tell_hub(const hub_traffic *t, hub_note_kind kind, uint16_t packet_id)
{
    const hub_note m = { .number = t->number, .kind = kind, .value = packet_id };
    struct pollfd ready = { .fd = t->notes_fd, .events = POLLOUT };
    bool again = ready.fd >= 0;

    while (again && send(ready.fd, &m, sizeof m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        again = errno == EAGAIN && poll(&ready, 1, NOTE_WAIT_MS) == 1;
    }
}

size_t hub_traffic_from_device(hub_traffic *t, const uint8_t *data, size_t len)
{
    size_t at = 0;
    hub_packet packet;

    while (at < len) {
        at += hub_packet_watch_next(&t->from_device, data + at, len - at, &packet);
        if (packet.kind == HUB_PACKET_PUBACK) {
            tell_hub(t, HUB_NOTE_ACKNOWLEDGED, packet.id);
        } else if (packet.kind == HUB_PACKET_SYSTEM) {
            return at;
        }
    }
    return len;
}

bool hub_traffic_is_forbidden(const hub_traffic *t)
{
    return t->from_device.stage == HUB_PACKET_FORBIDDEN;
}

void hub_traffic_refuse(hub_traffic *t, uint32_t code)
{
    if (code >= REFUSAL_MIN && code <= REFUSAL_MAX) {
        t->refusal = (uint8_t)code;
    }
}

bool hub_traffic_is_answered(const hub_traffic *t)
{
    return t->answered == CONNACK_LEN;
}

/* The first packet of the broker is the CONNACK. If it refuses, its code is replaced by that of
 * the hub. */
static void watch_connack(hub_traffic *t, uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len && t->answered < CONNACK_LEN; i++) {
        if (t->answered == CONNACK_LEN - 1 && data[i] != 0 && t->refusal != 0) {
            data[i] = t->refusal;
        }
        t->answered++;
    }
}

void hub_traffic_from_broker(hub_traffic *t, uint8_t *data, size_t len)
{
    size_t at = 0;
    hub_packet packet;

    watch_connack(t, data, len);
    while (at < len) {
        at += hub_packet_watch_next(&t->from_broker, data + at, len - at, &packet);
        if (packet.kind == HUB_PACKET_PUBLISH) {
            tell_hub(t, HUB_NOTE_SENT, packet.id);
        }
    }
}
