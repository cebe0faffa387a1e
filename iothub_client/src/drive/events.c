
#include "connection/certificate_hook.h"
#include "context/callbacks.h"
#include "drive/client.h"

/* Passes the events of the engine to the parts that handle them. */

static void on_c2d(iothub_client *c, const topic_parts *p, const mqc_message *m)
{
    if (!c2d_on_message(&c->c2d, p, m)) {
        subscribe_unwanted(&c->session.subscribe, TOPIC_FEATURE_C2D,
                           "acknowledged a message, since there is no c2d callback");
    }
}

static void on_desired(iothub_client *c, const topic_parts *p, mqc_span json,
                       const iothub_error *fault)
{
    if (!twin_on_desired(&c->twin, p, json, fault)) {
        subscribe_unwanted(&c->session.subscribe, TOPIC_FEATURE_DESIRED,
                           "ignored a desired change, since there is no desired callback");
    }
}

static void on_call(iothub_client *c, const topic_parts *p, mqc_span payload, bool oversize)
{
    if (!methods_on_call(&c->methods, p, payload, oversize)) {
        subscribe_unwanted(&c->session.subscribe, TOPIC_FEATURE_METHOD,
                           "ignored a method call, since there is no method callback");
    }
}

/* The hub does not send such answers to a client that has not subscribed to them. */
static void on_certificate(iothub_client *c, const topic_parts *p, mqc_span json,
                           const iothub_error *fault)
{
    const certificate_ops *ops = certificate_ops_of(&c->context);

    if (ops != NULL) {
        ops->on_answer(c->context.options.certificate, p, json, fault);
    } else {
        context_count_ignored(&c->context);
    }
}

static void on_message(iothub_client *c, const mqc_message *m)
{
    const topic_identity id = context_topics(&c->context);
    const topic_parts p = topic_parse(m->topic, &id);

    /* QoS 2 messages are acknowledged immediately. A hub does not send them, and the engine
     * would not deliver one a second time, so the application cannot defer it. */
    if (m->qos == 2 || (m->qos == 1 && p.kind != TOPIC_C2D)) {
        (void)mqc_ack(c->context.engine, m->packet_id);
    }
    switch (p.kind) {
    case TOPIC_C2D: on_c2d(c, &p, m); return;
    case TOPIC_TWIN_RESPONSE: twin_on_response(&c->twin, &p, m->payload, NULL); return;
    case TOPIC_DESIRED: on_desired(c, &p, m->payload, NULL); return;
    case TOPIC_METHOD: on_call(c, &p, m->payload, false); return;
    case TOPIC_CERTIFICATE: on_certificate(c, &p, m->payload, NULL); return;
    case TOPIC_UNKNOWN: break;
    }
    callback_log(&c->context, IOTHUB_LOG_WARNING, "loop", "ignored a message on topic %.*s",
                 IOTHUB_SPAN_VALUES(m->topic));
    context_count_ignored(&c->context);
}

static const char *name_of(topic_kind kind)
{
    switch (kind) {
    case TOPIC_C2D: return "skipped a cloud-to-device message";
    case TOPIC_TWIN_RESPONSE: return "a twin document";
    case TOPIC_DESIRED: return "a desired change";
    case TOPIC_METHOD: return "a method call";
    case TOPIC_CERTIFICATE: return "a certificate";
    case TOPIC_UNKNOWN: break;
    }
    return "skipped a message";
}

/* Makes a text such as "a twin document of 9000 bytes: larger than rx_size (1024)". */
static void explain(const iothub_client *c, topic_kind kind, size_t len, iothub_error *error)
{
    (void)iothub_fail(error, IOTHUB_ERR_TOO_BIG, "%s of %zu bytes: larger than rx_size (%zu)",
                      name_of(kind), len, c->context.options.rx_size);
}

static void on_oversize(iothub_client *c, const mqc_message *m)
{
    const topic_identity id = context_topics(&c->context);
    const topic_parts p = topic_parse(m->topic, &id); /* the topic is empty if it was too long */
    iothub_error why;

    explain(c, p.kind, m->payload_len, &why);
    callback_log_text(&c->context, IOTHUB_LOG_ERROR, "loop", why.text);
    if (m->qos > 0) { /* without an acknowledgement the hub would repeat it forever */
        (void)mqc_ack(c->context.engine, m->packet_id);
    }
    switch (p.kind) {
    case TOPIC_TWIN_RESPONSE: twin_on_response(&c->twin, &p, mqc_span_of(NULL, 0), &why); return;
    case TOPIC_DESIRED: on_desired(c, &p, mqc_span_of(NULL, 0), &why); return;
    case TOPIC_METHOD: on_call(c, &p, mqc_span_of(NULL, 0), true); return;
    case TOPIC_CERTIFICATE: on_certificate(c, &p, mqc_span_of(NULL, 0), &why); return;
    case TOPIC_C2D: c2d_on_oversize(&c->c2d); return;
    case TOPIC_UNKNOWN: break;
    }
    if (m->topic.len == 0) {
        c2d_on_oversize(&c->c2d);
    } else {
        context_count_ignored(&c->context);
    }
}

/* The lane shows what kind of publish has ended, because each lane has one purpose. */
static void on_done(iothub_client *c, const mqc_done *m)
{
    if (m->kind == IOTHUB_OP_OF_CLIENT) {
        return;
    }
    switch (m->lane) {
    case IOTHUB_LANE_TELEMETRY: telemetry_on_done(&c->telemetry, m); break;
    case IOTHUB_LANE_TWIN: twin_on_done(&c->twin, m); break;
    default: methods_on_done(&c->methods, m); break;
    }
}

static void on_subscribed(iothub_client *c, mqc_span return_codes)
{
    if (session_on_suback(&c->session, return_codes)) {
        twin_on_connected(&c->twin);
    }
}

void event_take(iothub_client *c, const mqc_event *ev)
{
    switch (ev->type) {
    case MQC_EVENT_CONNECTED: session_on_connack(&c->session, ev->u.connack.session_present); break;
    case MQC_EVENT_REFUSED: session_on_refusal(&c->session, ev->u.connack.return_code); break;
    case MQC_EVENT_PUBLISH: on_message(c, &ev->u.publish); break;
    case MQC_EVENT_OVERSIZE: on_oversize(c, &ev->u.publish); break;
    case MQC_EVENT_DONE: on_done(c, &ev->u.done); break;
    case MQC_EVENT_SUBSCRIBED: on_subscribed(c, ev->u.suback.return_codes); break;
    case MQC_EVENT_UNSUBSCRIBED: session_on_unsuback(&c->session); break;
    }
}
