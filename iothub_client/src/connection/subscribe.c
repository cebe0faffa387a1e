#include "connection/subscribe.h"

#include <string.h>

#include "context/callbacks.h"
#include "context/result_map.h"

enum { SUBACK_FAILURE = 0x80 }; /* MQTT 3.1.1, section 3.9.3 */

void subscribe_init(iothub_subscribe *s, iothub_context *context)
{
    s->context = context;
}

/* The topic filters of the client; their texts are in the scratch buffer. */
static size_t put_filters(iothub_subscribe *s, mqc_subscription *filters)
{
    const iothub_callbacks *callbacks = &s->context->options.callbacks;
    const bool wanted[TOPIC_FEATURE_COUNT] = {
        [TOPIC_FEATURE_TWIN_RESPONSE] = true,
        [TOPIC_FEATURE_C2D] = callbacks->c2d != NULL,
        [TOPIC_FEATURE_DESIRED] = callbacks->desired != NULL,
        [TOPIC_FEATURE_METHOD] = callbacks->method != NULL,
    };
    const topic_identity id = context_topics(s->context);
    size_t used = 0;
    iothub_text t;

    iothub_text_init(&t, s->context->scratch, s->context->scratch_len);
    for (int f = 0; f < TOPIC_FEATURE_COUNT; f++) {
        if (!wanted[f]) {
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

iothub_result subscribe_start(iothub_subscribe *s, iothub_error *error)
{
    mqc_subscription filters[TOPIC_FEATURE_COUNT];
    size_t used = put_filters(s, filters);

    mqc_result r = mqc_subscribe(s->context->engine, filters, used, NULL);
    return r == MQC_OK
               ? IOTHUB_OK
               : iothub_fail(error, iothub_from_mqc(r), "SUBSCRIBE does not fit the buffers");
}

iothub_result subscribe_on_suback(iothub_subscribe *s, mqc_span return_codes, iothub_error *error)
{
    const uint8_t *refused = memchr(return_codes.ptr, SUBACK_FAILURE, return_codes.len);

    if (refused == NULL) {
        return IOTHUB_OK;
    }
    mqc_subscription filters[TOPIC_FEATURE_COUNT];
    (void)put_filters(s, filters); /* the engine has checked the number of codes */
    return iothub_fail_name(error, IOTHUB_ERR_REJECTED, "SUBACK: the hub refused the filter ",
                            filters[refused - return_codes.ptr].filter, "");
}

static bool unsubscribe(iothub_subscribe *s, topic_feature feature)
{
    const topic_identity id = context_topics(s->context);
    iothub_text t;

    iothub_text_init(&t, s->context->scratch, s->context->scratch_len);
    topic_put_filter(&t, &id, feature);
    const mqc_span filter = iothub_text_span(&t);
    return mqc_unsubscribe(s->context->engine, &filter, 1, NULL) == MQC_OK;
}

void subscribe_unwanted(iothub_subscribe *s, topic_feature feature, const char *text)
{
    const uint32_t bit = UINT32_C(1) << feature;

    context_count_ignored(s->context);
    callback_log_text(s->context, IOTHUB_LOG_WARNING, "session", text);
    if (s->generation != s->context->generation) {
        s->generation = s->context->generation;
        s->unsubscribed = 0;
    }
    if ((s->unsubscribed & bit) == 0 && unsubscribe(s, feature)) {
        s->unsubscribed |= bit;
    }
}
