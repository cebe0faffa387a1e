/* Tests the packet decoder: decoded parts lie inside the packet. */

#include "fuzz.h"
#include "packet.h"

static bool inside(mqc_span part, mqc_span whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.len <= whole.len &&
                             (size_t)(part.ptr - whole.ptr) <= whole.len - part.len);
}

static void decode_publish(uint8_t flags, mqc_span body)
{
    mqc_message m;

    if (mqc_decode_publish(flags, body, &m) != MQC_OK) {
        return;
    }
    FUZZ_CHECK(inside(m.topic, body) && inside(m.payload, body));
    FUZZ_CHECK(m.topic.len > 0 && m.qos == mqc_publish_qos(flags));
    FUZZ_CHECK((m.packet_id != 0) == (m.qos > 0));
    FUZZ_CHECK(2 + m.topic.len + (m.qos > 0 ? 2u : 0) + m.payload.len == body.len);
}

static void decode_body(const mqc_header *h, mqc_span body)
{
    uint8_t code;
    bool present;
    uint16_t id;
    mqc_span codes;

    switch (h->type) {
    case MQC_PUBLISH: decode_publish(h->flags, body); break;
    case MQC_CONNACK:
        if (mqc_decode_connack(body, &code, &present) == MQC_OK) {
            FUZZ_CHECK(code <= 5 && !(present && code != 0));
        }
        break;
    case MQC_SUBACK:
        if (mqc_decode_suback(body, &id, &codes) == MQC_OK) {
            FUZZ_CHECK(id != 0 && codes.len == body.len - 2 && inside(codes, body));
        }
        break;
    default: break;
    }
}

/* Decodes each beginning of a header. What an incomplete header shows must be the same in the
 * complete one, unless that is refused. */
static void decode_header(mqc_span in)
{
    mqc_header whole;
    mqc_result last = MQC_ERR_NO_SPACE;

    for (size_t len = 0; len <= in.len && len <= 6; len++) {
        mqc_header h = { 0 };
        mqc_result r = mqc_decode_header(mqc_span_of(in.ptr, len), &h);
        FUZZ_CHECK(r == MQC_OK || r == MQC_ERR_NO_SPACE || r == MQC_ERR_MALFORMED);
        FUZZ_CHECK(last == MQC_ERR_NO_SPACE || r == last);
        last = r;
    }
    if (mqc_decode_header(in, &whole) == MQC_OK) {
        FUZZ_CHECK(whole.len >= 2 && whole.len <= 5 && whole.len <= in.len);
        FUZZ_CHECK(whole.remaining <= MQC_REMAINING_MAX);
        FUZZ_CHECK(mqc_packet_name(whole.type)[0] != '\0');
        if (whole.remaining <= in.len - whole.len) {
            decode_body(&whole, mqc_span_of(in.ptr + whole.len, whole.remaining));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode_header(mqc_span_of(data, size));
    return 0;
}
