/*
 * Direct methods: the cloud calls the device and waits for the answer.
 *
 *     methods --count 2
 *     iothub service method device1 ping '{"x":1}'       answered immediately
 *     iothub service method device1 selftest             answered a second later
 *     iothub service method device1 nonsense             404
 */

#include <stdio.h>
#include <string.h>

#include "sample.h"

typedef struct app {
    sample
        sample; /* must be the first member: the callbacks of sample.c receive the same pointer */
    unsigned answered;
    iothub_method_token selftest; /* the call that is answered later */
    uint64_t selftest_ready_ms;   /* time at which the self-test is finished; 0: none is running */
} app;

static uint64_t now_ms(const app *a)
{
    const plat_clock *clock = a->sample.options.platform->clock;
    return clock->monotonic_ms(clock);
}

static void answer(iothub_client *c, const iothub_method_token *token, const char *json)
{
    if (iothub_method_respond(c, token, 200, json, strlen(json), NULL, NULL) != IOTHUB_OK) {
        (void)sample_fail(iothub_last_error(c)->text);
    }
}

static bool is(mqc_span name, const char *text)
{
    return mqc_span_eq(name, mqc_span_str(text));
}

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    app *a = user;

    sample_print("called: %.*s %.*s", (int)call->name.len, (const char *)call->name.ptr,
                 (int)call->payload.len, (const char *)call->payload.ptr);
    if (is(call->name, "ping")) {
        answer(c, &call->token, "{\"pong\":true}");
        return IOTHUB_METHOD_TAKEN;
    }
    if (is(call->name, "selftest") && a->selftest_ready_ms == 0) {
        a->selftest =
            call->token; /* the callback must not block: copy the token and answer later */
        a->selftest_ready_ms = now_ms(a) + 1000;
        return IOTHUB_METHOD_TAKEN;
    }
    return IOTHUB_METHOD_UNKNOWN; /* the client answers 404 */
}

/* Called when the answer was sent. */
static void on_done(iothub_client *c, const iothub_done *d, void *user)
{
    app *a = user;

    (void)c;
    if (d->result == IOTHUB_OK) {
        a->answered++;
        printf("answered\n");
    }
}

int main(int argc, char **argv)
{
    app a = { .sample = { .count = 2, .duration_s = 60 } };
    iothub_error error;

    sample_init(&a.sample, argc, argv, "Answer the direct methods \"ping\" and \"selftest\".");
    a.sample.options.callbacks.method = on_method;
    a.sample.options.callbacks.done = on_done;

    iothub_client *c = iothub_new(a.sample.connection_string, &a.sample.options, &error);
    if (c == NULL) {
        return sample_fail(error.text);
    }
    (void)iothub_start(c);
    while (sample_goes_on(&a.sample) && a.answered < a.sample.count) {
        if (a.selftest_ready_ms != 0 && now_ms(&a) >= a.selftest_ready_ms) {
            answer(c, &a.selftest, "{\"passed\":true}");
            a.selftest_ready_ms = 0;
        }
        (void)iothub_wait(c, 100);
    }

    sample_stop(&a.sample, c);
    iothub_free(c);
    return sample_exit_status(&a.sample, a.answered >= a.sample.count);
}
