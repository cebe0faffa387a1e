#include "pnp_sample.h"

#include <stdio.h>
#include <string.h>

enum { INTERVAL_MS = 5000 }; /* time between two readings */

static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    pnp_sample *s = user;

    (void)c;
    if (d->kind == IOTHUB_OP_TELEMETRY && d->result == IOTHUB_OK) {
        s->arrived++;
    } else if (d->kind == IOTHUB_OP_TWIN_REPORT) {
        printf("report: %s\n", iothub_result_str(d->result));
    }
}

void pnp_sample_init(pnp_sample *s, int argc, char **argv, const char *what_it_does,
                     const char *model_id)
{
    s->sample.count = 10;
    s->sample.duration_s = 60;
    sample_init(&s->sample, argc, argv, what_it_does);
    s->sample.options.model_id = model_id;
    s->sample.options.callbacks.done = on_done;
}

static void send_until_all_arrived(pnp_sample *s, iothub_client *c, pnp_send_reading *send_reading)
{
    const plat_clock *clock = s->sample.options.platform->clock;
    uint64_t next_ms = clock->monotonic_ms(clock);
    unsigned sent = 0;

    while (sample_goes_on(&s->sample) && s->arrived < s->sample.count) {
        if (sent < s->sample.count && clock->monotonic_ms(clock) >= next_ms) {
            if (send_reading(s, c, sent) != IOTHUB_OK) {
                (void)sample_fail(iothub_last_error(c)->text);
                return;
            }
            sent++;
            next_ms += INTERVAL_MS;
        }
        (void)iothub_wait(c, 100);
    }
}

int pnp_sample_run(pnp_sample *s, pnp_send_reading *send_reading)
{
    iothub_error error;
    iothub_client *c = iothub_new(s->sample.connection_string, &s->sample.options, &error);

    if (c == NULL) {
        return sample_fail(error.text);
    }
    (void)iothub_start(c);
    send_until_all_arrived(s, c, send_reading);
    sample_stop(&s->sample, c);
    iothub_free(c);
    return sample_exit_status(&s->sample, s->arrived >= s->sample.count);
}

void pnp_report(iothub_client *c, iothub_json_writer *w)
{
    if (iothub_json_writer_finish(w) != IOTHUB_OK) {
        (void)sample_fail(iothub_result_str(w->result));
    } else if (iothub_twin_report(c, w->buf, w->len, NULL, NULL) != IOTHUB_OK) {
        (void)sample_fail(iothub_last_error(c)->text);
    }
}

void pnp_respond(iothub_client *c, const iothub_method_call *call, int status, const char *json)
{
    if (iothub_method_respond(c, &call->token, status, json, strlen(json), NULL, NULL) !=
        IOTHUB_OK) {
        (void)sample_fail(iothub_last_error(c)->text);
    }
}

iothub_result pnp_send(iothub_client *c, const char *component, iothub_json_writer *w)
{
    iothub_result r = iothub_json_writer_finish(w);

    if (r == IOTHUB_OK) {
        const iothub_telemetry t = iothub_pnp_telemetry(component, w->buf, w->len);
        /* The text is copied, so the buffer need not stay valid. */
        r = iothub_send_telemetry(c, &t, NULL);
    }
    return r;
}
