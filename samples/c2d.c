/*
 * Cloud-to-device messages: the hub keeps them while the device is offline, and deletes each one
 * only after the device has accepted it.
 *
 *     c2d --count 1
 *     iothub service c2d device1 "hello" --property colour=blue        (on the other side)
 */

#include <stdio.h>

#include "sample.h"

typedef struct app {
    sample
        sample; /* must be the first member: the callbacks of sample.c receive the same pointer */
    unsigned received;
} app;

static iothub_disposition on_message(iothub_client *c, const iothub_message *m, void *user)
{
    app *a = user;
    mqc_span body = iothub_message_body(m);
    iothub_property_cursor p = { .offset = 0 };

    (void)c;
    a->received++;
    sample_print("message %u: %.*s", a->received, (int)body.len, (const char *)body.ptr);
    while (iothub_message_next_property(m, &p)) {
        sample_print("  %s = %s", p.name, p.value);
    }
    /* An application that stores the message first returns IOTHUB_DEFER here, and calls
     * iothub_message_accept after the message was stored. */
    return IOTHUB_ACCEPT;
}

int main(int argc, char **argv)
{
    app a = { .sample = { .count = 1, .duration_s = 60 } };
    iothub_error error;

    sample_init(&a.sample, argc, argv, "Receive cloud-to-device messages.");
    a.sample.options.callbacks.c2d = on_message;

    iothub_client *c = iothub_new(a.sample.connection_string, &a.sample.options, &error);
    if (c == NULL) {
        return sample_fail(error.text);
    }
    (void)iothub_start(c);
    while (sample_goes_on(&a.sample) && a.received < a.sample.count) {
        (void)iothub_wait(c, 200);
    }

    sample_stop(&a.sample, c);
    iothub_free(c);
    return sample_exit_status(&a.sample, a.received >= a.sample.count);
}
