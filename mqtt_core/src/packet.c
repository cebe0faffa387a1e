#include "packet.h"

#include "mqtt_core/topic.h"

/* --- reading ------------------------------------------------------------- */

/* Tables 2.1 and 2.2 of MQTT 3.1.1, and the possible lengths of packets from a server. A PUBLISH
 * may have neither QoS 3, nor DUP with QoS 0. */
static const struct {
    uint16_t flags; /* bit n is set if the value n is valid */
    uint8_t least;
    bool exact;
} rules[16] = {
    [MQC_CONNECT] = { 1, 0, false },  [MQC_CONNACK] = { 1, 2, true },
    [MQC_PUBLISH] = { 0x3C3F, 3, 0 }, [MQC_PUBACK] = { 1, 2, true },
    [MQC_PUBREC] = { 1, 2, true },    [MQC_PUBREL] = { 1 << 2, 2, true },
    [MQC_PUBCOMP] = { 1, 2, true },   [MQC_SUBSCRIBE] = { 1 << 2, 0, false },
    [MQC_SUBACK] = { 1, 3, false },   [MQC_UNSUBSCRIBE] = { 1 << 2, 0, false },
    [MQC_UNSUBACK] = { 1, 2, true },  [MQC_PINGREQ] = { 1, 0, false },
    [MQC_PINGRESP] = { 1, 0, true },  [MQC_DISCONNECT] = { 1, 0, false },
};

/* The remaining length (section 2.2.3) has at most four bytes, and no more than needed. */
static mqc_result decode_remaining(mqc_span in, mqc_header *h)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++) {
        if (1 + i >= in.len) {
            return MQC_ERR_NO_SPACE;
        }
        uint8_t b = in.ptr[1 + i];
        value |= (uint32_t)(b & 0x7Fu) << (7 * i);
        if ((b & 0x80u) == 0) {
            h->remaining = value;
            h->len = (uint8_t)(2 + i);
            return b == 0 && i > 0 ? MQC_ERR_MALFORMED : MQC_OK;
        }
    }
    return MQC_ERR_MALFORMED;
}

mqc_result mqc_decode_header(mqc_span in, mqc_header *h)
{
    if (in.len == 0) {
        return MQC_ERR_NO_SPACE;
    }
    h->type = in.ptr[0] >> 4;
    h->flags = in.ptr[0] & 0x0Fu;
    if ((rules[h->type].flags >> h->flags & 1u) == 0) {
        return MQC_ERR_MALFORMED;
    }
    mqc_result r = decode_remaining(in, h);
    if (r != MQC_OK) {
        return r;
    }
    uint32_t least = rules[h->type].least;
    bool fits = rules[h->type].exact ? h->remaining == least : h->remaining >= least;
    return fits ? MQC_OK : MQC_ERR_MALFORMED;
}

/* By section 3.2.2, return codes above 5 are reserved, and a refusal has no session. */
mqc_result mqc_decode_connack(mqc_span body, uint8_t *return_code, bool *session_present)
{
    unsigned present = body.ptr[0];
    unsigned code = body.ptr[1];

    if (present > 1 || code > 5 || (code != 0 && present != 0)) {
        return MQC_ERR_MALFORMED;
    }
    *return_code = (uint8_t)code;
    *session_present = present != 0;
    return MQC_OK;
}

/* By section 3.3, the parts are the topic, the packet id if QoS > 0, and the payload. */
mqc_result mqc_decode_publish(uint8_t flags, mqc_span body, mqc_message *out)
{
    size_t head = mqc_publish_head_len(flags, body.ptr);

    if (head > body.len) {
        return MQC_ERR_MALFORMED;
    }
    mqc_publish_flags(flags, out);
    out->topic = mqc_span_of(body.ptr + 2, mqc_u16_at(body.ptr));
    out->packet_id = out->qos > 0 ? mqc_u16_at(body.ptr + head - 2) : (uint16_t)0;
    out->payload = mqc_span_of(body.ptr + head, body.len - head);
    out->payload_len = out->payload.len;
    bool valid = (out->qos == 0 || out->packet_id != 0) && mqc_topic_name_valid(out->topic);
    return valid ? MQC_OK : MQC_ERR_MALFORMED;
}

/* Section 3.9. */
mqc_result mqc_decode_suback(mqc_span body, uint16_t *packet_id, mqc_span *return_codes)
{
    *packet_id = mqc_u16_at(body.ptr);
    *return_codes = mqc_span_of(body.ptr + 2, body.len - 2);
    for (size_t i = 2; i < body.len; i++) {
        if (body.ptr[i] > 2 && body.ptr[i] != 0x80) {
            return MQC_ERR_MALFORMED;
        }
    }
    return *packet_id != 0 ? MQC_OK : MQC_ERR_MALFORMED;
}

/* --- writing --------------------------------------------------------------- */

static void put_header(mqc_writer *w, unsigned first, size_t remaining)
{
    mqc_w_u8(w, first);
    do {
        unsigned digit = (unsigned)(remaining & 0x7Fu);
        remaining >>= 7;
        mqc_w_u8(w, remaining != 0 ? digit | 0x80u : digit);
    } while (remaining != 0);
}

static void put_string(mqc_writer *w, mqc_span s)
{
    mqc_w_u16(w, s.len);
    mqc_w_bytes(w, s.ptr, s.len);
}

/* Section 3.1.2.3. */
static unsigned connect_flags(const mqc_connect_options *o)
{
    unsigned flags = o->clean_session ? 0x02u : 0;

    if (o->will.topic.ptr != NULL) {
        flags |= 0x04u | (unsigned)o->will.qos << 3 | (o->will.retain ? 0x20u : 0);
    }
    if (o->password.ptr != NULL) {
        flags |= 0x40u;
    }
    if (o->username.ptr != NULL) {
        flags |= 0x80u;
    }
    return flags;
}

static void put_connect_body(mqc_writer *w, const mqc_connect_options *o)
{
    static const uint8_t protocol[] = { 0, 4, 'M', 'Q', 'T', 'T', 4 };

    mqc_w_bytes(w, protocol, sizeof protocol);
    mqc_w_u8(w, connect_flags(o));
    mqc_w_u16(w, o->keep_alive_s);
    put_string(w, o->client_id);
    if (o->will.topic.ptr != NULL) {
        put_string(w, o->will.topic);
        put_string(w, o->will.payload);
    }
    if (o->username.ptr != NULL) {
        put_string(w, o->username);
    }
    if (o->password.ptr != NULL) {
        put_string(w, o->password);
    }
}

void mqc_encode_connect(mqc_writer *w, const mqc_connect_options *o)
{
    mqc_writer measure = { NULL, 0, 0 };

    put_connect_body(&measure, o);
    put_header(w, MQC_CONNECT << 4, measure.at);
    put_connect_body(w, o);
}

static void put_filters_body(mqc_writer *w, const mqc_filters *f, uint16_t packet_id)
{
    mqc_w_u16(w, packet_id);
    for (size_t i = 0; i < f->count; i++) {
        put_string(w, mqc_filter_at(f, i));
        if (f->subs != NULL) {
            mqc_w_u8(w, f->subs[i].qos);
        }
    }
}

void mqc_encode_filters(mqc_writer *w, const mqc_filters *f, uint16_t packet_id)
{
    mqc_writer measure = { NULL, 0, 0 };

    put_filters_body(&measure, f, packet_id);
    put_header(w, (f->subs != NULL ? MQC_SUBSCRIBE * 16u : MQC_UNSUBSCRIBE * 16u) + 2u, measure.at);
    put_filters_body(w, f, packet_id);
}

void mqc_encode_id(uint8_t packet[MQC_ACK_LEN], mqc_packet_type type, uint16_t packet_id)
{
    const unsigned flags = type == MQC_PUBREL ? 2 : 0;

    packet[0] = (uint8_t)(type * 16u | flags);
    packet[1] = MQC_ACK_LEN - 2;
    packet[2] = (uint8_t)(packet_id >> 8);
    packet[3] = (uint8_t)packet_id;
}

void mqc_encode_empty(uint8_t packet[MQC_EMPTY_LEN], mqc_packet_type type)
{
    packet[0] = (uint8_t)(type * 16u);
    packet[1] = 0;
}
