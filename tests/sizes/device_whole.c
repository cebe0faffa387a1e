/* A device in static memory that uses telemetry, C2D, the twin, methods, the log, and other
 * credentials, but neither a store nor a runner. */

#include <iothub/client.h>

#include "network.h"

static void on_log(iothub_log_level level, const char *module, const char *text, void *user)
{
    (void)level;
    (void)module;
    (void)text;
    (void)user;
}

static iothub_disposition on_c2d(iothub_client *c, const iothub_message *m, void *user)
{
    char value[32];
    size_t len;

    (void)c;
    (void)user;
    (void)iothub_message_property(m, "name", value, sizeof value, &len);
    return IOTHUB_ACCEPT;
}

static void on_desired(iothub_client *c, const iothub_desired *d, void *user)
{
    (void)d;
    (void)user;
    (void)iothub_twin_report(c, "{}", 2, NULL, NULL);
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    (void)user;
    (void)iothub_method_respond(c, &call->token, 200, "{}", 2, NULL, NULL);
    return IOTHUB_METHOD_TAKEN;
}

int main(void)
{
    static unsigned char memory[16384];
    const iothub_telemetry hello = { .body = "hello", .body_len = 5 };
    iothub_options options;
    iothub_stats stats;

    iothub_options_init(&options);
    options.platform = &no_platform;
    options.callbacks.log = on_log;
    options.callbacks.c2d = on_c2d;
    options.callbacks.desired = on_desired;
    options.callbacks.method = on_method;
    iothub_client *c = iothub_init(memory, sizeof memory,
                                   "HostName=hub.example;DeviceId=device;SharedAccessKey=c2VjcmV0",
                                   &options, NULL);
    (void)iothub_start(c);
    (void)iothub_send_telemetry(c, &hello, NULL);
    (void)iothub_twin_get(c, NULL, NULL);
    while (iothub_last_error(c)->code == IOTHUB_OK) {
        (void)iothub_wait(c, 1000);
        iothub_get_stats(c, &stats);
    }
    (void)iothub_stop(c, 1000);
    iothub_deinit(c);
    return iothub_result_str(IOTHUB_OK) == NULL;
}
