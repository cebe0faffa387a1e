/*
 * A module of IoT Edge: forwards the messages of its inputs to an output, answers a method, and
 * without inputs sends a message of its own now and then.
 *
 * IoT Edge starts it with everything that it needs in the environment, and signs its tokens.
 * Without an Edge device, the variables of the vendor's simulator do the same against the emulator:
 *
 *     EdgeHubConnectionString='HostName=localhost;DeviceId=edge1;ModuleId=module1;SharedAccessKey=...'
 *     EdgeModuleCACertificateFile=ca.crt
 *     module --count 3
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

#include <iothub/edge.h>

typedef struct app {
    sample
        sample; /* must be the first member: the callbacks of sample.c receive the same pointer */
    unsigned sent; /* messages that the gateway has acknowledged */
} app;

static iothub_disposition on_input(iothub_client *c, const iothub_message *m, void *user)
{
    const mqc_span input = iothub_message_input(m);
    const mqc_span body = iothub_message_body(m);
    const iothub_telemetry t = { .body = body.ptr, .body_len = body.len, .output = "output1" };

    (void)user;
    sample_print("%.*s: %.*s", (int)input.len, (const char *)input.ptr, (int)body.len,
                 (const char *)body.ptr);
    /* A message that cannot be queued now is not accepted, so the gateway sends it again. */
    return iothub_send_telemetry(c, &t, NULL) == IOTHUB_OK ? IOTHUB_ACCEPT : IOTHUB_DEFER;
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    static const char answer[] = "{\"pong\":true}";

    (void)user;
    if (call->name.len != 4 || memcmp(call->name.ptr, "ping", 4) != 0) {
        return IOTHUB_METHOD_UNKNOWN;
    }
    (void)iothub_method_respond(c, &call->token, 200, answer, strlen(answer), NULL, NULL);
    return IOTHUB_METHOD_TAKEN;
}

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    app *a = user;

    (void)c;
    if (d->kind == IOTHUB_OP_TELEMETRY && d->result == IOTHUB_OK) {
        sample_print("sent %u", ++a->sent);
    }
}

static void send_reading(iothub_client *c, unsigned number)
{
    char body[64];
    const iothub_telemetry t = {
        .body = body,
        .body_len = (size_t)snprintf(body, sizeof body, "{\"n\":%u}", number),
        .content_type = "application/json",
        .content_encoding = "utf-8",
        .output = "output1",
    };

    (void)iothub_send_telemetry(c, &t, NULL);
}

static int run(app *a, iothub_edge *edge)
{
    unsigned queued = 0;
    iothub_error error;

    iothub_edge_configure(edge, &a->sample.options);
    iothub_client *c = iothub_new(iothub_edge_connection_string(edge), &a->sample.options, &error);
    if (c == NULL) {
        return sample_fail(error.text);
    }
    (void)iothub_start(c);
    while (sample_goes_on(&a->sample) && a->sent < a->sample.count) {
        if (queued == a->sent) {
            send_reading(c, ++queued);
        }
        (void)iothub_wait(c, 200);
    }
    sample_stop(&a->sample, c);
    iothub_free(c);
    return sample_exit_status(&a->sample, a->sent >= a->sample.count);
}

int main(int argc, char **argv)
{
    app a = { .sample = { .count = 3, .duration_s = 60, .is_module = true } };
    iothub_edge_options from;
    iothub_error error;
    plat_http *http;

    sample_init(&a.sample, argc, argv, "Run as a module of IoT Edge.");
    a.sample.options.callbacks.c2d = on_input;
    a.sample.options.callbacks.method = on_method;
    a.sample.options.callbacks.done = on_done;
    if (plat_curl_http_new(&http) != PLAT_OK) {
        return sample_fail("no memory is left");
    }
    iothub_edge_options_init(&from);
    from.platform = a.sample.options.platform;
    from.http = http;
    from.environment = getenv;
    iothub_edge *edge = iothub_edge_open(&from, &error);
    const int status = edge != NULL ? run(&a, edge) : sample_fail(error.text);
    iothub_edge_close(edge);
    http->ops->free(http);
    return status;
}
