#include "front/packet_watch.h"

#include <stdbool.h>
#include <string.h>

#define TYPE_MASK  0xF0
#define PUBLISH    0x30
#define PUBACK     0x40
#define QOS_MASK   0x06
#define LENGTH_MAX 4 /* largest number of bytes of a remaining length */

static const uint8_t system_start[] = { '$', 'S', 'Y', 'S' };

static void enter(hub_packet_watch *w, hub_packet_stage stage)
{
    w->stage = stage;
    w->digits = 0;
    w->number = 0;
}

/* Enters the rest of a packet; if that has no bytes, the next packet begins. */
static void enter_rest(hub_packet_watch *w)
{
    enter(w, w->left > 0 ? HUB_PACKET_REST : HUB_PACKET_TYPE);
}

static void enter_body(hub_packet_watch *w)
{
    switch (w->first & TYPE_MASK) {
    case PUBLISH: enter(w, w->left >= 2 ? HUB_PACKET_TOPIC_LENGTH : HUB_PACKET_BLIND); return;
    case PUBACK: enter(w, w->left >= 2 ? HUB_PACKET_ID : HUB_PACKET_BLIND); return;
    default: enter_rest(w); return;
    }
}

static void take_length(hub_packet_watch *w, uint8_t byte)
{
    w->left |= (uint32_t)(byte & 0x7F) << (7 * w->digits);
    w->digits++;
    if ((byte & 0x80) == 0) {
        enter_body(w);
    } else if (w->digits == LENGTH_MAX) {
        enter(w, HUB_PACKET_BLIND);
    }
}

/* Returns true when both bytes of a number were taken. */
static bool take_number(hub_packet_watch *w, uint8_t byte)
{
    w->number = (uint16_t)(w->number << 8 | byte);
    w->left--;
    return ++w->digits == 2;
}

static void leave_topic(hub_packet_watch *w)
{
    if ((w->first & QOS_MASK) == 0) {
        enter_rest(w);
    } else {
        enter(w, w->left >= 2 ? HUB_PACKET_ID : HUB_PACKET_BLIND);
    }
}

static void take_topic_length(hub_packet_watch *w, uint8_t byte)
{
    if (!take_number(w, byte)) {
        return;
    }
    w->topic = w->number;
    if (w->topic > w->left) {
        enter(w, HUB_PACKET_BLIND);
    } else if (w->topic == 0) {
        leave_topic(w);
    } else {
        enter(w, HUB_PACKET_TOPIC_START);
    }
}

static void skip_topic(hub_packet_watch *w, uint32_t count)
{
    w->topic -= count;
    w->left -= count;
    if (w->topic == 0) {
        leave_topic(w);
    }
}

static void take_topic_start(hub_packet_watch *w, uint8_t byte, hub_packet *out)
{
    if (byte != system_start[w->digits]) {
        enter(w, HUB_PACKET_TOPIC);
    } else if (++w->digits == sizeof system_start) {
        enter(w, HUB_PACKET_FORBIDDEN);
        out->kind = HUB_PACKET_SYSTEM;
        return;
    }
    skip_topic(w, 1);
}

static void take_id(hub_packet_watch *w, uint8_t byte, hub_packet *out)
{
    if (take_number(w, byte)) {
        out->kind = (w->first & TYPE_MASK) == PUBACK ? HUB_PACKET_PUBACK : HUB_PACKET_PUBLISH;
        out->id = w->number;
        enter_rest(w);
    }
}

/* Returns the number of bytes that can be skipped together; 0: this stage looks at each byte. */
static size_t pass_over(hub_packet_watch *w, size_t len)
{
    if (w->stage == HUB_PACKET_BLIND || w->stage == HUB_PACKET_FORBIDDEN) {
        return len;
    }
    if (w->stage == HUB_PACKET_REST) {
        uint32_t count = len < w->left ? (uint32_t)len : w->left;
        w->left -= count;
        enter_rest(w);
        return count;
    }
    if (w->stage == HUB_PACKET_TOPIC) {
        uint32_t count = len < w->topic ? (uint32_t)len : w->topic;
        skip_topic(w, count);
        return count;
    }
    return 0;
}

static void take_byte(hub_packet_watch *w, uint8_t byte, hub_packet *out)
{
    switch (w->stage) {
    case HUB_PACKET_TYPE:
        w->first = byte;
        w->left = 0;
        enter(w, HUB_PACKET_LENGTH);
        return;
    case HUB_PACKET_LENGTH: take_length(w, byte); return;
    case HUB_PACKET_TOPIC_LENGTH: take_topic_length(w, byte); return;
    case HUB_PACKET_TOPIC_START: take_topic_start(w, byte, out); return;
    case HUB_PACKET_ID: take_id(w, byte, out); return;
    case HUB_PACKET_TOPIC:
    case HUB_PACKET_REST:
    case HUB_PACKET_FORBIDDEN:
    case HUB_PACKET_BLIND: return;
    }
}

size_t hub_packet_watch_next(hub_packet_watch *w, const uint8_t *bytes, size_t len, hub_packet *out)
{
    size_t at = 0;

    *out = (hub_packet){ 0 };
    while (at < len && out->kind == HUB_PACKET_NONE) {
        size_t passed = pass_over(w, len - at);
        if (passed == 0) {
            take_byte(w, bytes[at], out);
            passed = 1;
        }
        at += passed;
    }
    return at;
}
