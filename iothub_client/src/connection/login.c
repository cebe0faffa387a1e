#include "connection/login.h"

#include <string.h>

#include "context/result_map.h"
#include "iothub/sas.h"
#include "iothub/version.h"
#include "text/percent.h"

#define API_VERSION         "2021-04-12"
#define PREVIEW_API_VERSION "2025-08-01-preview" /* has certificate requests */

static bool is_module(const iothub_context *context)
{
    return context->identity.module_id.len > 0;
}

/* "{host}/{device}[/{module}]/?api-version=..&DeviceClientType=..[&model-id=..]" */
static void put_user_name(iothub_text *t, const iothub_context *context)
{
    const iothub_options *o = &context->options;

    iothub_text_put_span(t, context->identity.host_name);
    iothub_text_put_char(t, '/');
    iothub_text_put_span(t, context->identity.device_id);
    if (is_module(context)) {
        iothub_text_put_char(t, '/');
        iothub_text_put_span(t, context->identity.module_id);
    }
    iothub_text_put(t, "/?api-version=");
    iothub_text_put(t, o->certificate != NULL ? PREVIEW_API_VERSION : API_VERSION);
    iothub_text_put(t, "&DeviceClientType=");
    iothub_percent_put(t, mqc_span_str(o->user_agent != NULL
                                           ? o->user_agent
                                           : "iothub_device/" IOTHUB_VERSION_STRING));
    if (o->model_id != NULL) {
        iothub_text_put(t, "&model-id=");
        iothub_percent_put(t, mqc_span_str(o->model_id));
    }
}

/* Writes "{device}/{module}". The client id of a device is taken from the connection string
 * unchanged. */
static void put_client_id(iothub_text *t, const iothub_context *context)
{
    if (is_module(context)) {
        iothub_text_put_span(t, context->identity.device_id);
        iothub_text_put_char(t, '/');
        iothub_text_put_span(t, context->identity.module_id);
    }
}

/* Returns the text that was written after position `from`. */
static mqc_span since(const iothub_text *t, size_t from)
{
    return mqc_span_of(t->buf + from, t->len - from);
}

/* Fills in the options of CONNECT. Their texts are in the scratch buffer. */
static iothub_result fill_connect(const iothub_context *context, const iothub_credential *c,
                                  mqc_connect_options *o, iothub_error *error)
{
    iothub_text t;

    iothub_text_init(&t, context->scratch, context->scratch_len);
    memset(o, 0, sizeof *o);
    put_client_id(&t, context);
    o->client_id = is_module(context) ? since(&t, 0) : context->identity.device_id;
    size_t user_name_at = t.len;
    put_user_name(&t, context);
    o->username = since(&t, user_name_at);
    if (t.overflow) {
        return iothub_fail(error, IOTHUB_ERR_TOO_BIG,
                           "the user name is too long: model_id or user_agent");
    }
    o->keep_alive_s = context->options.keep_alive_s;
    o->clean_session = context->options.clean_session;
    o->ack_timeout_ms = context->options.ack_timeout_ms;
    o->stall_timeout_ms = context->options.stall_timeout_ms;
    return c->type->put_password(context, c, &t, &o->password, error);
}

iothub_result login_queue(const iothub_context *context, const iothub_credential *c,
                          bool reports_flow, mqc_time now, iothub_error *error)
{
    mqc_connect_options o;

    iothub_result filled = fill_connect(context, c, &o, error);
    if (filled != IOTHUB_OK) {
        return filled;
    }
    o.reports_flow = reports_flow;
    mqc_result r = mqc_connect(context->engine, &o, now);
    return r == MQC_OK ? IOTHUB_OK
                       : iothub_fail(error, iothub_from_mqc(r), "CONNECT does not fit its buffer");
}

/* Bytes of the fixed header, the variable header, and the lengths of three texts (MQTT 3.1.1,
 * sections 2.2 and 3.1). */
enum { CONNECT_FRAME = 5 + 10 + 3 * 2 };

/* Returns the scratch space that a check of a token needs, in which the buffer holds the resource
 * twice. */
static size_t check_size(const iothub_context *context)
{
    const iothub_connection_string cs = hub_names_as_string(&context->identity);
    char resource[IOTHUB_SAS_RESOURCE_SIZE];

    (void)iothub_sas_resource(&cs, resource, sizeof resource);
    return 2 * (strlen(resource) + 1);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

login_size login_measure(const iothub_context *context, const iothub_credential *list, size_t count)
{
    login_size size = { 0, 0 };
    iothub_text t;

    iothub_text_count(&t);
    put_client_id(&t, context);
    put_user_name(&t, context);
    for (size_t i = 0; i < count; i++) {
        const iothub_credential *c = &list[i];
        const bool watched = c->kind != IOTHUB_CREDENTIAL_KEY;
        const size_t password = c->type != NULL ? c->type->password_size(context, c) : 0;
        const size_t scratch = watched ? larger(t.len + 1, check_size(context)) : t.len + password;
        size.connect = larger(size.connect, password);
        size.scratch = larger(size.scratch, scratch);
    }
    size.connect +=
        CONNECT_FRAME + (is_module(context) ? 0 : context->identity.device_id.len) + t.len;
    return size;
}
