#include "features/c2d.h"

#include <assert.h>

#include "context/callbacks.h"
#include "hub/property_bag.h"
#include "iothub/memory_size.h"
#include "iothub/message.h"
#include "text/percent.h"

struct iothub_message {
    const topic_parts *topic;
    const mqc_message *mqtt;
    uint32_t delivery;
};

void c2d_init(iothub_c2d *f, iothub_context *context)
{
    *f = (iothub_c2d){ .context = context, .generation = context->generation - 1 };
}

/* Returns a delivery number. It combines the connection and the packet id, because the same id
 * on the next connection is another message. */
static uint32_t delivery_of(const iothub_c2d *f, uint16_t packet_id)
{
    return packet_id == 0 ? 0 : (f->context->generation & 0xFFFFu) << 16 | packet_id;
}

/* --- deferred messages -------------------------------------------------------------- */

uint32_t c2d_deferred(const iothub_c2d *f)
{
    return f->generation == f->context->generation ? f->deferred : 0;
}

/* Counts a message that is not accepted yet. The hub sends deferred messages of an earlier
 * connection again. */
static void defer(iothub_c2d *f)
{
    f->deferred = c2d_deferred(f) + 1;
    f->generation = f->context->generation;
    assert(c2d_valid(f));
}

static bool acknowledge(iothub_c2d *f, uint16_t packet_id)
{
    assert(c2d_valid(f));
    if (mqc_ack(f->context->engine, packet_id) != MQC_OK) {
        return false;
    }
    f->deferred--;
    return true;
}

static void count_accepted(iothub_c2d *f)
{
    f->accepted++;
    context_poke(f->context);
}

iothub_result c2d_accept(iothub_c2d *f, uint32_t delivery)
{
    const uint16_t packet_id = (uint16_t)(delivery & 0xFFFFu);

    assert(c2d_valid(f));
    if (delivery == 0) {
        return IOTHUB_OK;
    }
    if (f->generation != f->context->generation || delivery != delivery_of(f, packet_id)) {
        return context_refuse(f->context, IOTHUB_ERR_EXPIRED,
                              "message: its connection has ended; the hub sends it again");
    }
    if (!acknowledge(f, packet_id)) {
        return context_refuse(f->context, IOTHUB_ERR_STATE, "message: accepted before");
    }
    count_accepted(f);
    return IOTHUB_OK;
}

/* --- from the hub --------------------------------------------------------------------- */

static void on_deferred(iothub_c2d *f)
{
    if (c2d_deferred(f) == IOTHUB_UNACCEPTED_MAX) {
        callback_log_text(
            f->context, IOTHUB_LOG_WARNING, "c2d",
            "if one more message arrives, reading stops until a deferred one is accepted");
    }
}

/* Only a QoS 1 message can be deferred, because QoS 2 was acknowledged before. */
static void on_message(iothub_c2d *f, const topic_parts *p, const mqc_message *m)
{
    const uint16_t packet_id = m->qos == 1 ? m->packet_id : 0;
    const iothub_message message = { p, m, delivery_of(f, packet_id) };

    if (packet_id != 0) {
        defer(f);
    }
    if (callback_c2d(f->context, &message) != IOTHUB_ACCEPT) {
        on_deferred(f);
    } else if (packet_id == 0 || acknowledge(f, packet_id)) {
        count_accepted(f);
    }
}

bool c2d_on_message(iothub_c2d *f, const topic_parts *p, const mqc_message *m)
{
    assert(c2d_valid(f));
    f->received++;
    if (f->context->options.callbacks.c2d != NULL) {
        on_message(f, p, m);
        return true;
    }
    /* Acknowledges a message for a subscription of an earlier run. Otherwise it would occupy a
     * slot of the inbound table and delay all later acknowledgements until the connection ends
     * ([MQTT-4.5.0-2], section 4.6). */
    if (m->qos == 1) {
        (void)mqc_ack(f->context->engine, m->packet_id);
    }
    return false;
}

void c2d_on_oversize(iothub_c2d *f)
{
    f->oversize++;
}

#ifndef NDEBUG
bool c2d_valid(const iothub_c2d *f)
{
    /* The engine reads no further message until one of these is accepted. A deferred message has
     * been received but not accepted. */
    return f->deferred <= IOTHUB_UNACCEPTED_MAX && f->accepted <= f->received &&
           f->deferred <= f->received - f->accepted;
}
#endif

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

/* Decodes as much as fits, up to a NUL. Returns false if that is not everything. */
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
