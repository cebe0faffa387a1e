#include <string.h>

#include "context/callbacks.h"
#include "internal.h"

/* What the client listens to; the texts stand in the scratch buffer. */
static size_t put_filters(iothub_client *c, mqc_subscription *filters)
{
    const bool wanted[TOPIC_FEATURE_COUNT] = {
        [TOPIC_FEATURE_TWIN_RESPONSE] = true,
        [TOPIC_FEATURE_C2D] = c->context.options.callbacks.c2d != NULL,
        [TOPIC_FEATURE_DESIRED] = c->context.options.callbacks.desired != NULL,
        [TOPIC_FEATURE_METHOD] = c->context.options.callbacks.method != NULL,
    };
    const topic_identity id = context_topics(&c->context);
    size_t used = 0;
    iothub_text t;

    iothub_text_init(&t, c->context.scratch, c->context.scratch_len);
    for (int f = 0; f < TOPIC_FEATURE_COUNT; f++) {
        if (!wanted[f]) {
            continue;
        }
        size_t at = t.len;
        topic_put_filter(&t, &id, (topic_feature)f);
        filters[used].filter = mqc_span_of(c->context.scratch + at, t.len - at);
        filters[used].qos = f == TOPIC_FEATURE_C2D ? 1 : 0;
        used++;
    }
    return used;
}

mqc_result subscribe_start(iothub_client *c)
{
    mqc_subscription filters[TOPIC_FEATURE_COUNT];
    size_t used = put_filters(c, filters);

    return mqc_subscribe(c->context.engine, filters, used, &c->session.subscribe_id);
}

static void unsubscribe(iothub_client *c, topic_feature feature)
{
    const topic_identity id = context_topics(&c->context);
    iothub_text t;

    iothub_text_init(&t, c->context.scratch, c->context.scratch_len);
    topic_put_filter(&t, &id, feature);
    const mqc_span filter = iothub_text_span(&t);
    if (mqc_unsubscribe(c->context.engine, &filter, 1, NULL) == MQC_OK) {
        c->session.unsubscribed |= (uint16_t)(1u << feature);
        context_poke(&c->context);
    }
}

void subscribe_unwanted(iothub_client *c, topic_feature feature, const char *text)
{
    context_count_ignored(&c->context);
    callback_log_text(&c->context, IOTHUB_LOG_WARNING, "session", text);
    if (((unsigned)c->session.unsubscribed >> feature & 1u) == 0) {
        unsubscribe(c, feature);
    }
}

subscribe_answer subscribe_on_suback(iothub_client *c, uint16_t packet_id, mqc_span return_codes,
                                     iothub_error *error)
{
    const uint8_t *refused = memchr(return_codes.ptr, 0x80, return_codes.len);

    if (packet_id != c->session.subscribe_id) {
        return SUBSCRIBE_IGNORED;
    }
    if (refused != NULL) { /* the engine has checked that there is one code for each */
        mqc_subscription filters[TOPIC_FEATURE_COUNT];
        (void)put_filters(c, filters);
        (void)iothub_fail_name(error, IOTHUB_ERR_REJECTED, "SUBACK: the hub refused the filter ",
                               filters[refused - return_codes.ptr].filter, "");
        return SUBSCRIBE_REFUSED;
    }
    return SUBSCRIBE_DONE;
}
