/*
 * Telemetry: sends messages to the hub and prints when the hub has acknowledged each one.
 *
 *     export IOTHUB_DEVICE_CONNECTION_STRING="HostName=...;DeviceId=...;SharedAccessKey=..."
 *     telemetry --count 5
 */

#include <stdio.h>

#include "sample.h"

/* Most messages whose end is printed one by one; if there are more, only the sum is printed. */
enum { SHOWN = 100 };

typedef struct app {
    sample
        sample; /* must be the first member: the callbacks of sample.c receive the same pointer */
    unsigned sent;
    unsigned arrived;
    unsigned lost;
} app;

/* Called exactly once for each message that was accepted. */
static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    app *a = user;

    (void)c;
    if (d->result == IOTHUB_OK) {
        a->arrived++;
        if (a->sample.count <= SHOWN) {
            printf("message %u is at the hub\n", d->op);
        }
    } else {
        a->lost++;
        printf("message %u: %s\n", d->op, iothub_result_str(d->result));
    }
}

static iothub_result send_reading(iothub_client *c, unsigned number)
{
    /* Properties let the hub route messages without reading the body. */
    double temperature = 20.0 + number % 10 / 2.0;
    const iothub_property properties[] = {
        { "temperatureAlert", temperature > 23 ? "true" : "false" },
    };
    char body[80];
    int len =
        snprintf(body, sizeof body, "{\"number\":%u,\"temperature\":%.1f}", number, temperature);
    const iothub_telemetry message = {
        .body = body,
        .body_len = (size_t)len,
        .content_type = "application/json",
        .content_encoding = "utf-8",
        .properties = properties,
        .property_count = 1,
    };

    /* The message is copied, so body need not stay valid. */
    return iothub_send_telemetry(c, &message, NULL);
}

/* Sends as many messages as the queue accepts. Returns false if a message is refused for another
 * reason. */
static bool send_more(app *a, iothub_client *c)
{
    iothub_result r = IOTHUB_OK;

    while (r == IOTHUB_OK && a->sent < a->sample.count) {
        r = send_reading(c, a->sent + 1);
        a->sent += r == IOTHUB_OK ? 1 : 0;
    }
    /* NO_SPACE means that it can be tried again later. */
    return r == IOTHUB_OK || r == IOTHUB_ERR_NO_SPACE;
}

/* Waits until the hub has acknowledged all messages. */
static void run(app *a, iothub_client *c)
{
    while (sample_goes_on(&a->sample) && a->arrived + a->lost < a->sample.count) {
        if (!send_more(a, c)) {
            (void)sample_fail(iothub_last_error(c)->text);
            return;
        }
        (void)iothub_wait(c, 200);
    }
}

int main(int argc, char **argv)
{
    app a = { .sample = { .count = 5, .duration_s = 60 } };
    iothub_error error;

    sample_init(&a.sample, argc, argv, "Send telemetry to an IoT Hub.");
    a.sample.options.callbacks.done = on_done;

    iothub_client *c = iothub_new(a.sample.connection_string, &a.sample.options, &error);
    if (c == NULL) {
        return sample_fail(error.text);
    }
    (void)iothub_start(c);
    run(&a, c);

    sample_stop(&a.sample, c);
    iothub_free(c);
    printf("%u messages arrived\n", a.arrived);
    return sample_exit_status(&a.sample, a.arrived == a.sample.count);
}
