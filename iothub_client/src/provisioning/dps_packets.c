#include "provisioning/dps_packets.h"

#include <string.h>

#include "connection/wall_clock.h"
#include "hub/dps_topics.h"
#include "iothub/sas.h"
#include "iothub/version.h"
#include "provisioning/answer.h"
#include "text/percent.h"
#include "text/text_writer.h"

/* LOGIN_FRAME has the fixed header of CONNECT, its variable header and the lengths of three
 * texts. QUESTION_FRAME has the fixed header of PUBLISH and the length of the topic. */
enum { LOGIN_FRAME = 5 + 10 + 3 * 2, QUESTION_FRAME = 5 + 2 };

/* The parts of a SAS token besides its resource: names of fields, signature, expiry and policy. */
enum { SIGNATURE_FRAME = 256 };

/* The topics of a poll are the longest ones. */
enum { POLL_FRAME = 96 };

static const char *user_agent(const iothub_options *o)
{
    return o->user_agent != NULL ? o->user_agent : "iothub_device/" IOTHUB_VERSION_STRING;
}

static void put_user_name(iothub_text *t, const dps_request *r, const iothub_options *o)
{
    dps_put_resource(t, r->id_scope, r->registration_id);
    iothub_text_put(t, "/api-version=");
    iothub_text_put(t, r->options.api_version);
    iothub_text_put(t, "&ClientVersion=");
    iothub_percent_put(t, mqc_span_str(user_agent(o)));
}

/* A valid registration id contains no character that must be escaped, and neither does base64. */
static void put_body(iothub_text *t, const dps_request *r)
{
    iothub_text_put(t, "{\"registrationId\":\"");
    iothub_text_put_span(t, r->registration_id);
    iothub_text_put_char(t, '"');
    if (r->payload.len > 0) {
        iothub_text_put(t, ",\"payload\":");
        iothub_text_put_span(t, r->payload);
    }
    if (r->csr.len > 0) {
        iothub_text_put(t, ",\"csr\":\"");
        iothub_text_put_span(t, r->csr);
        iothub_text_put_char(t, '"');
    }
    iothub_text_put_char(t, '}');
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

dps_sizes dps_measure(const dps_request *r, const iothub_options *o)
{
    iothub_text resource;
    iothub_text user_name;
    iothub_text body;

    iothub_text_count(&resource);
    dps_put_resource(&resource, r->id_scope, r->registration_id);
    iothub_text_count(&user_name);
    put_user_name(&user_name, r, o);
    iothub_text_count(&body);
    put_body(&body, r);
    const size_t login = user_name.len + 3 * resource.len + SIGNATURE_FRAME;
    const size_t topic = POLL_FRAME + 3 * (size_t)DPS_OPERATION_ID_MAX;
    return (dps_sizes){
        .connect = LOGIN_FRAME + r->registration_id.len + login,
        .publish = QUESTION_FRAME + topic + body.len,
        .scratch = larger(login, topic + body.len) + 1,
    };
}

/* The token is the last text in the scratch buffer, so it can be built in place. */
static iothub_result put_token(const dps_request *r, const iothub_context *context, iothub_text *t,
                               mqc_span *token, iothub_error *error)
{
    char resource[IOTHUB_ID_SCOPE_MAX + IOTHUB_REGISTRATION_ID_MAX + 32];
    char *at = t->buf + t->len;
    iothub_text name;
    size_t len = 0;

    iothub_text_init(&name, resource, sizeof resource);
    dps_put_resource(&name, r->id_scope, r->registration_id);
    const iothub_sas_grant grant = {
        .resource = iothub_text_span(&name),
        .key = r->key,
        .policy = mqc_span_str("registration"),
        .expiry_s =
            (uint64_t)wall_clock_s(context_clock(context)) + context->options.sas_lifetime_s,
    };
    iothub_result result = iothub_sas_build(context->options.platform->crypto, &grant, at,
                                            t->cap - t->len, &len, error);
    *token = mqc_span_of(at, len);
    return result;
}

iothub_result dps_fill_connect(const dps_request *r, const iothub_context *context,
                               mqc_connect_options *c, iothub_error *error)
{
    iothub_text t;

    iothub_text_init(&t, context->scratch, context->scratch_len);
    memset(c, 0, sizeof *c);
    c->client_id = r->registration_id;
    put_user_name(&t, r, &context->options);
    c->username = iothub_text_span(&t);
    c->keep_alive_s = context->options.keep_alive_s;
    c->clean_session = true; /* the service supports only clean sessions */
    if (dps_request_identity(r) != NULL) {
        return IOTHUB_OK; /* the device is authenticated by TLS */
    }
    return put_token(r, context, &t, &c->password, error);
}

/* Ends the topic that was written into t and takes it as the topic of m. */
static void take_topic(const iothub_text *t, mqc_outgoing *m)
{
    *m = (mqc_outgoing){ .topic = iothub_text_span(t) };
}

void dps_fill_registration(const dps_request *r, const iothub_context *context, uint32_t rid,
                           mqc_outgoing *m)
{
    iothub_text t;

    iothub_text_init(&t, context->scratch, context->scratch_len);
    dps_topic_put_register(&t, rid);
    take_topic(&t, m);
    const size_t at = t.len;
    put_body(&t, r);
    m->payload = mqc_span_of(context->scratch + at, t.len - at);
}

void dps_fill_poll(const iothub_context *context, const char *operation_id, uint32_t rid,
                   mqc_outgoing *m)
{
    iothub_text t;

    iothub_text_init(&t, context->scratch, context->scratch_len);
    dps_topic_put_poll(&t, rid, mqc_span_str(operation_id));
    take_topic(&t, m);
}
