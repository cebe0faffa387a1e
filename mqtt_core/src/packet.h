#ifndef MQC_PACKET_H
#define MQC_PACKET_H

#include "mqtt_core/engine_struct.h"
#include "wire.h"

/* Encodes and decodes the control packets of MQTT 3.1.1 chapter 3 that a client needs. Decoders
 * return MQC_ERR_MALFORMED for an invalid packet; they expect a body of the length that
 * mqc_decode_header has accepted. Encoders expect checked arguments. */

typedef enum mqc_packet_type {
    MQC_CONNECT = 1,
    MQC_CONNACK,
    MQC_PUBLISH,
    MQC_PUBACK,
    MQC_PUBREC,
    MQC_PUBREL,
    MQC_PUBCOMP,
    MQC_SUBSCRIBE,
    MQC_SUBACK,
    MQC_UNSUBSCRIBE,
    MQC_UNSUBACK,
    MQC_PINGREQ,
    MQC_PINGRESP,
    MQC_DISCONNECT
} mqc_packet_type;

#define MQC_PUBLISH_RETAIN 0x01u
#define MQC_PUBLISH_DUP    0x08u

#define MQC_REMAINING_MAX 268435455u /* section 2.2.3 */
#define MQC_ACK_LEN       4
#define MQC_EMPTY_LEN     2
#define MQC_STRING_MAX    65535u

/* Returns the name of a packet type as in the specification, or "" for any other value. */
const char *mqc_packet_name(unsigned type);

static inline uint8_t mqc_publish_qos(uint8_t flags)
{
    return (uint8_t)((flags >> 1) & 3u);
}

/* Returns the bytes of a PUBLISH body before its payload, given the first two. */
static inline size_t mqc_publish_head_len(uint8_t flags, const uint8_t *body)
{
    return 2u + mqc_u16_at(body) + (mqc_publish_qos(flags) > 0 ? 2u : 0u);
}

static inline void mqc_publish_flags(uint8_t flags, mqc_message *out)
{
    out->qos = mqc_publish_qos(flags);
    out->retain = (flags & MQC_PUBLISH_RETAIN) != 0;
    out->dup = (flags & MQC_PUBLISH_DUP) != 0;
}

/* Reads a fixed header and checks the flags, and whether the type allows the remaining length.
 * MQC_ERR_NO_SPACE means that more bytes are needed; type and flags are then set if in.len > 0. */
mqc_result mqc_decode_header(mqc_span in, mqc_header *h);

mqc_result mqc_decode_connack(mqc_span body, uint8_t *return_code, bool *session_present);
mqc_result mqc_decode_publish(uint8_t flags, mqc_span body, mqc_message *out);
mqc_result mqc_decode_suback(mqc_span body, uint16_t *packet_id, mqc_span *return_codes);

void mqc_encode_connect(mqc_writer *w, const mqc_connect_options *o);

/* Returns the length of a whole packet, with its fixed header. */
static inline size_t mqc_packet_len(size_t remaining)
{
    return remaining + (remaining < 1u << 7    ? 2u
                        : remaining < 1u << 14 ? 3u
                        : remaining < 1u << 21 ? 4u
                                               : 5u);
}

/* The filters of a SUBSCRIBE if subs is set, otherwise of an UNSUBSCRIBE. */
typedef struct mqc_filters {
    const mqc_subscription *subs;
    const mqc_span *spans;
    size_t count;
} mqc_filters;

static inline mqc_span mqc_filter_at(const mqc_filters *f, size_t i)
{
    return f->subs != NULL ? f->subs[i].filter : f->spans[i];
}

void mqc_encode_filters(mqc_writer *w, const mqc_filters *f, uint16_t packet_id);

/* Encodes PUBACK, PUBREC, PUBREL or PUBCOMP. */
void mqc_encode_id(uint8_t packet[MQC_ACK_LEN], mqc_packet_type type, uint16_t packet_id);

/* Encodes PINGREQ or DISCONNECT. */
void mqc_encode_empty(uint8_t packet[MQC_EMPTY_LEN], mqc_packet_type type);

#endif
