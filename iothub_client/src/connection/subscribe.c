#include "connection/subscribe.h"

#include <assert.h>
#include <string.h>

#include "context/callbacks.h"
#include "context/result_map.h"

enum { SUBACK_FAILURE = 0x80 }; /* the return code of a refusal (MQTT 3.1.1, section 3.9.3) */

/* SUBSCRIBE has a fixed header and a packet id, then a length and a QoS for each filter (MQTT
 * 3.1.1, section 3.8). */
enum { SUBSCRIBE_FRAME = 5 + 2, FILTER_FRAME = 2 + 1 };

void subscribe_init(iothub_subscribe *s, iothub_context *context)
{
    *s = (iothub_subscribe){ .context = context };
}

static unsigned bit_of(topic_feature feature)
{
    return 1u << feature;
}

/* Returns the features for which the application has callbacks. */
static unsigned wanted(const iothub_subscribe *s)
{
    const iothub_callbacks *callbacks = &s->context->options.callbacks;
    unsigned features = bit_of(TOPIC_FEATURE_TWIN_RESPONSE);

    if (callbacks->c2d != NULL) {
        features |= bit_of(TOPIC_FEATURE_C2D);
    }
    if (callbacks->desired != NULL) {
        features |= bit_of(TOPIC_FEATURE_DESIRED);
    }
    if (callbacks->method != NULL) {
        features |= bit_of(TOPIC_FEATURE_METHOD);
    }
    if (s->context->options.certificate != NULL) {
        features |= bit_of(TOPIC_FEATURE_CERTIFICATE);
    }
    return features;
}

/* --- filters --------------------------------------------------------------------------------- */

size_t subscribe_measure(const iothub_context *context)
{
    const topic_identity id = context_topics(context);
    iothub_text t;

    iothub_text_count(&t);
    for (int f = 0; f < TOPIC_FEATURE_COUNT; f++) {
        topic_put_filter(&t, &id, (topic_feature)f);
    }
    return SUBSCRIBE_FRAME + TOPIC_FEATURE_COUNT * FILTER_FRAME + t.len;
}

/* Writes the topic filters of some features, in the order of topic_feature. Their texts are in
 * the scratch buffer. */
static size_t put_filters(const iothub_subscribe *s, unsigned features, mqc_subscription *filters)
{
    const topic_identity id = context_topics(s->context);
    size_t used = 0;
    iothub_text t;

    iothub_text_init(&t, s->context->scratch, s->context->scratch_len);
    for (int f = 0; f < TOPIC_FEATURE_COUNT; f++) {
        if ((features & bit_of((topic_feature)f)) == 0) {
            continue;
        }
        size_t at = t.len;
        topic_put_filter(&t, &id, (topic_feature)f);
        filters[used].filter = mqc_span_of(s->context->scratch + at, t.len - at);
        filters[used].qos = f == TOPIC_FEATURE_C2D ? 1 : 0;
        used++;
    }
    return used;
}

/* --- SUBSCRIBE ------------------------------------------------------------------------------- */

static mqc_result subscribe(iothub_subscribe *s, unsigned features)
{
    mqc_subscription filters[TOPIC_FEATURE_COUNT];
    size_t used = put_filters(s, features, filters);

    mqc_result r = mqc_subscribe(s->context->engine, filters, used, NULL);
    if (r == MQC_OK) {
        s->asked |= (uint8_t)features;
        s->awaited = (uint8_t)features;
        s->unsubscribed &= (uint8_t)~features;
    }
    return r;
}

/* Resets the state for a new connection. Packets in flight were lost with the old one, so a kept
 * session may still have subscriptions for which UNSUBSCRIBE was sent. */
static void begin_connection(iothub_subscribe *s)
{
    s->asked |= s->leaving;
    s->awaited = 0;
    s->leaving = 0;
    s->unsubscribed = 0;
}

iothub_result subscribe_start(iothub_subscribe *s, iothub_error *error)
{
    begin_connection(s);
    mqc_result r = subscribe(s, wanted(s));
    assert(subscribe_valid(s));
    return r == MQC_OK
               ? IOTHUB_OK
               : iothub_fail(error, iothub_from_mqc(r), "SUBSCRIBE does not fit the buffers");
}

iothub_result subscribe_on_suback(iothub_subscribe *s, mqc_span return_codes, unsigned *features,
                                  iothub_error *error)
{
    const uint8_t *refused = memchr(return_codes.ptr, SUBACK_FAILURE, return_codes.len);

    assert(subscribe_valid(s));
    *features = s->awaited;
    s->awaited = 0;
    if (refused == NULL) {
        return IOTHUB_OK;
    }
    mqc_subscription filters[TOPIC_FEATURE_COUNT];
    /* The number matches, because the engine has checked it. */
    (void)put_filters(s, *features, filters);
    return iothub_fail_name(error, IOTHUB_ERR_REJECTED, "SUBACK: the hub refused the filter ",
                            filters[refused - return_codes.ptr].filter, "");
}

/* --- UNSUBSCRIBE ----------------------------------------------------------------------------- */

static void unsubscribe(iothub_subscribe *s, unsigned features)
{
    mqc_subscription filters[TOPIC_FEATURE_COUNT];
    mqc_span texts[TOPIC_FEATURE_COUNT];
    size_t used = put_filters(s, features, filters);

    for (size_t i = 0; i < used; i++) {
        texts[i] = filters[i].filter;
    }
    if (mqc_unsubscribe(s->context->engine, texts, used, NULL) == MQC_OK) {
        s->asked &= (uint8_t)~features;
        s->leaving = (uint8_t)features;
        s->unsubscribed |= (uint8_t)features;
    }
}

void subscribe_on_unsuback(iothub_subscribe *s)
{
    assert(subscribe_valid(s));
    s->leaving = 0;
}

/* --- changes while connected ----------------------------------------------------------------- */

bool subscribe_has(const iothub_subscribe *s, topic_feature feature)
{
    return (s->asked & ~(unsigned)s->awaited & bit_of(feature)) != 0;
}

bool subscribe_is_due(const iothub_subscribe *s)
{
    return s->asked != wanted(s);
}

/* At most one packet of each kind is in flight, so its answer belongs to the features of that
 * packet. The hub processes packets in order. */
void subscribe_update(iothub_subscribe *s)
{
    assert(subscribe_valid(s));
    const unsigned removed = s->asked & ~wanted(s);
    const unsigned added = wanted(s) & ~(unsigned)s->asked;

    if (removed != 0 && s->leaving == 0) {
        unsubscribe(s, removed);
    }
    if (added != 0 && s->awaited == 0) {
        (void)subscribe(s, added);
    }
    assert(subscribe_valid(s));
}

void subscribe_unwanted(iothub_subscribe *s, topic_feature feature, const char *text)
{
    context_count_ignored(s->context);
    callback_log_text(s->context, IOTHUB_LOG_WARNING, "session", text);
    if ((s->unsubscribed & bit_of(feature)) == 0) {
        s->asked |= (uint8_t)bit_of(feature);
        subscribe_update(s);
    }
}

#ifndef NDEBUG
bool subscribe_valid(const iothub_subscribe *s)
{
    const unsigned known = bit_of(TOPIC_FEATURE_COUNT) - 1;

    if (((s->asked | s->awaited | s->leaving | s->unsubscribed) & ~known) != 0) {
        return false;
    }
    /* Each feature of an UNSUBSCRIBE in flight must be unsubscribed, or subscribed again. */
    return (s->leaving & ~(unsigned)(s->unsubscribed | s->asked)) == 0;
}
#endif
