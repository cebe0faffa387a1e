#include "context/callbacks.h"
#include "hub/property_bag.h"
#include "internal.h"
#include "iothub/message.h"
#include "text/percent.h"

struct iothub_message {
    const topic_parts *topic;
    const mqc_message *mqtt;
    uint32_t delivery;
};

/* A delivery number combines the connection and the packet id, since the same id on the next
 * connection is another message. */
static uint32_t delivery_of(const iothub_client *c, uint16_t packet_id)
{
    return packet_id == 0 ? 0 : (c->context.generation & 0xFFFFu) << 16 | packet_id;
}

static void accept(iothub_client *c, uint16_t packet_id)
{
    if (packet_id == 0 || mqc_ack(c->context.engine, packet_id) == MQC_OK) {
        c->deferred -= packet_id != 0;
        c->c2d_counts.accepted++;
        context_poke(&c->context);
    }
}

/* Acknowledges a message for a subscription of an earlier run. Otherwise it would occupy a slot
 * of the inbound table and delay all later acknowledgements until the connection ends
 * ([MQTT-4.5.0-2], section 4.6). */
static void acknowledge_unwanted(iothub_client *c, uint16_t packet_id)
{
    if (packet_id != 0) {
        (void)mqc_ack(c->context.engine, packet_id);
    }
    subscribe_unwanted(&c->session.subscribe, TOPIC_FEATURE_C2D,
                       "acknowledged a message, since there is no c2d callback");
}

uint32_t c2d_deferred(const iothub_client *c)
{
    return c->deferred_generation == c->context.generation ? c->deferred : 0;
}

void c2d_on_message(iothub_client *c, const topic_parts *p, const mqc_message *m)
{
    uint16_t packet_id = m->qos == 1 ? m->packet_id : 0; /* loop.c has acknowledged QoS 2 */
    const iothub_message message = { p, m, delivery_of(c, packet_id) };

    c->c2d_counts.received++;
    if (c->context.options.callbacks.c2d == NULL) {
        acknowledge_unwanted(c, packet_id);
        return;
    }
    c->deferred = c2d_deferred(c);
    c->deferred_generation = c->context.generation;
    c->deferred += packet_id != 0;
    if (callback_c2d(&c->context, &message) == IOTHUB_ACCEPT) {
        accept(c, packet_id);
    } else if (c->deferred == IOTHUB_UNACCEPTED_MAX) {
        callback_log_text(
            &c->context, IOTHUB_LOG_WARNING, "c2d",
            "if one more message arrives, reading stops until a deferred one is accepted");
    }
}

iothub_result c2d_accept(iothub_client *c, uint32_t delivery)
{
    uint16_t packet_id = (uint16_t)(delivery & 0xFFFFu);

    if (delivery == 0) {
        return IOTHUB_OK;
    }
    if (delivery != delivery_of(c, packet_id) || !life_has_stream(c->context.state)) {
        return context_refuse(&c->context, IOTHUB_ERR_EXPIRED,
                              "message: its connection is gone, the hub sends it again");
    }
    if (mqc_ack(c->context.engine, packet_id) != MQC_OK) {
        return context_refuse(&c->context, IOTHUB_ERR_STATE, "message: accepted before");
    }
    c->deferred--;
    c->c2d_counts.accepted++;
    context_poke(&c->context);
    return IOTHUB_OK;
}

/* --- reading ------------------------------------------------------------------ */

mqc_span iothub_message_body(const iothub_message *m)
{
    return m != NULL ? m->mqtt->payload : mqc_span_of(NULL, 0);
}

mqc_span iothub_message_input(const iothub_message *m)
{
    return m != NULL ? m->topic->input : mqc_span_of(NULL, 0);
}

bool iothub_message_is_repeat(const iothub_message *m)
{
    return m != NULL && m->mqtt->dup;
}

uint32_t iothub_message_delivery(const iothub_message *m)
{
    return m != NULL ? m->delivery : 0;
}

iothub_result iothub_message_property(const iothub_message *m, const char *name, char *out,
                                      size_t cap, size_t *len)
{
    iothub_bag_pair pair;
    size_t n = 0;

    if (m == NULL || name == NULL || out == NULL || cap == 0) {
        return IOTHUB_ERR_ARG;
    }
    if (!iothub_bag_find(m->topic->bag, mqc_span_str(name), &pair) || !pair.has_value) {
        return IOTHUB_ERR_PART_MISSING;
    }
    iothub_result r = iothub_percent_decode(pair.value, out, cap - 1, &n);
    if (r != IOTHUB_OK) {
        return r;
    }
    out[n] = '\0';
    if (len != NULL) {
        *len = n;
    }
    return IOTHUB_OK;
}

/* Decodes as much as fits, up to a NUL. False if that is not everything. */
static bool decode_some(mqc_span encoded, char *out, size_t cap)
{
    size_t n = 0;
    uint8_t byte = 1;

    while (encoded.len > 0 && n + 1 < cap && iothub_percent_take(&encoded, &byte) && byte != 0) {
        out[n++] = (char)byte;
    }
    out[n] = '\0';
    return encoded.len == 0 && byte != 0;
}

bool iothub_message_next_property(const iothub_message *m, iothub_property_cursor *cursor)
{
    iothub_bag_pair pair;

    if (m == NULL || cursor == NULL) {
        return false;
    }
    mqc_span bag = m->topic->bag;
    if (cursor->offset > bag.len) {
        return false;
    }
    mqc_span rest = mqc_span_of(bag.ptr + cursor->offset, bag.len - cursor->offset);
    if (!iothub_bag_next(&rest, &pair)) {
        return false;
    }
    cursor->offset = bag.len - rest.len;
    bool name_whole = decode_some(pair.name, cursor->name, sizeof cursor->name);
    bool value_whole = decode_some(pair.value, cursor->value, sizeof cursor->value);
    cursor->has_value = pair.has_value;
    cursor->truncated = !name_whole || !value_whole;
    return true;
}
