#include <stdio.h>

#include "engine_fixture.h"
#include "features/methods.h"

/* Tests the part of direct methods with its own struct only. */

static engine_fixture f;
static iothub_methods part;
static iothub_method_verdict verdict;
static iothub_method_token tokens[64];
static unsigned offered;

static iothub_method_verdict on_method(iothub_client *c, const iothub_method_call *call, void *user)
{
    (void)c;
    (void)user;
    tokens[offered++] = call->token;
    return verdict;
}

static void on_event(engine_fixture *fixture, const mqc_event *event)
{
    if (event->type == MQC_EVENT_DONE) {
        methods_on_done(&part, &event->u.done);
    } else if (event->type == MQC_EVENT_PUBLISH) {
        const topic_identity id = context_topics(&fixture->base.context);
        const topic_parts p = topic_parse(event->u.publish.topic, &id);
        assert_true(methods_on_call(&part, &p, event->u.publish.payload, false));
    }
}

static int setup(void **state)
{
    (void)state;
    engine_fixture_init(&f);
    f.base.context.options.callbacks.method = on_method;
    f.on_event = on_event;
    verdict = IOTHUB_METHOD_TAKEN;
    offered = 0;
    methods_init(&part, &f.base.context);
    engine_fixture_connect(&f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_fixture_free(&f);
    return 0;
}

static void call(const char *name)
{
    char topic[64];
    snprintf(topic, sizeof topic, "$iothub/methods/POST/%s/?$rid=r%u", name, offered + 1);
    fake_hub_send(f.wire, topic, "{}", 2, 0);
    engine_fixture_run(&f);
}

static iothub_result respond(unsigned n)
{
    return methods_respond(&part, &tokens[n], 200, mqc_span_of(NULL, 0), NULL, NULL);
}

static const char *last_answer(void)
{
    const fake_hub_publish *p = fake_hub_last(&f.hub, "$iothub/methods/res/");
    return p != NULL ? p->topic : "";
}

static void a_call_is_open_until_it_is_answered_or_300_seconds_have_passed(void **state)
{
    (void)state;
    assert_false(methods_open(&part));
    call("first");
    call("second");
    assert_true(methods_open(&part));
    assert_int_equal(respond(0), IOTHUB_OK);
    assert_int_equal(respond(0), IOTHUB_ERR_STATE);
    assert_true(methods_open(&part));
    fake_clock_advance(&f.base.platform.clock, 299999);
    assert_true(methods_open(&part));
    fake_clock_advance(&f.base.platform.clock, 1);
    assert_false(methods_open(&part));
    assert_int_equal(respond(1), IOTHUB_ERR_EXPIRED);
    engine_fixture_run(&f);
    assert_string_equal(last_answer(), "$iothub/methods/res/200/?$rid=r1");
    assert_int_equal(part.received, 2);
    assert_int_equal(part.answered, 1);
}

static void calls_end_with_their_connection(void **state)
{
    (void)state;
    call("lost");
    engine_fixture_cut(&f);
    assert_int_equal(respond(0), IOTHUB_ERR_EXPIRED);
    engine_fixture_connect(&f);
    assert_false(methods_open(&part));
    assert_int_equal(respond(0), IOTHUB_ERR_EXPIRED);
    call("next");
    assert_int_equal(respond(0), IOTHUB_ERR_EXPIRED);
    assert_int_equal(respond(1), IOTHUB_OK);
}

/* The log names the method and the client's own answer. */
static void what_the_client_answers_itself_is_logged_and_not_reported(void **state)
{
    (void)state;
    verdict = IOTHUB_METHOD_UNKNOWN;
    call("reboot");
    assert_string_equal(f.log, "methods: method reboot: unknown, answered 404\n");
    assert_string_equal(last_answer(), "$iothub/methods/res/404/?$rid=r1");
    assert_int_equal(f.done_count, 0);
    assert_int_equal(part.answered, 1);

    verdict = IOTHUB_METHOD_TAKEN;
    for (unsigned n = 0; n < METHODS_OPEN_MAX; n++) {
        call("busy");
    }
    f.log[0] = '\0';
    assert_int_equal(offered, METHODS_OPEN_MAX + 1);
    call("more");
    assert_int_equal(offered, METHODS_OPEN_MAX + 1);
    assert_string_equal(f.log,
                        "methods: method more: too many calls are open, answered with 503\n");
    assert_string_equal(last_answer(), "$iothub/methods/res/503/?$rid=r18");
    assert_int_equal(f.done_count, 0);
}

static void without_a_callback_a_call_is_left_to_others(void **state)
{
    (void)state;
    const topic_parts p = { .kind = TOPIC_METHOD,
                            .name = MQC_SPAN_LIT("m"),
                            .rid = MQC_SPAN_LIT("1") };

    f.base.context.options.callbacks.method = NULL;
    assert_false(methods_on_call(&part, &p, mqc_span_of(NULL, 0), false));
    assert_int_equal(part.received, 1);
    assert_false(methods_open(&part));
}

#ifndef NDEBUG
static bool is_seen(void (*spoil)(iothub_methods *f))
{
    iothub_methods bad = part;

    spoil(&bad);
    return !methods_valid(&bad);
}

static void number_of_the_future(iothub_methods *m)
{
    m->slots[0].call = m->last_call + 1;
}

static void number_given_twice(iothub_methods *m)
{
    m->slots[0].call = m->slots[1].call;
}

static void number_in_a_free_slot(iothub_methods *m)
{
    m->slots[METHODS_OPEN_MAX - 1].call = 1;
}

static void state_that_does_not_exist(iothub_methods *m)
{
    m->slots[1].state = METHOD_ANSWERED + 1;
}

static void fewer_numbers_than_calls(iothub_methods *m)
{
    m->last_call = 1;
}

static void more_numbers_than_calls(iothub_methods *m)
{
    m->last_call = 3;
}

static void more_answers_than_calls(iothub_methods *m)
{
    m->answered = 3;
}

static void each_member_that_is_wrong_is_seen(void **state)
{
    (void)state;
    call("first");
    call("second");
    assert_int_equal(respond(1), IOTHUB_OK);
    assert_true(methods_valid(&part));
    assert_true(is_seen(number_of_the_future));
    assert_true(is_seen(number_given_twice));
    assert_true(is_seen(number_in_a_free_slot));
    assert_true(is_seen(state_that_does_not_exist));
    assert_true(is_seen(fewer_numbers_than_calls));
    assert_true(is_seen(more_numbers_than_calls));
    assert_true(is_seen(more_answers_than_calls));
}
#endif

#define WITH_PART(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PART(a_call_is_open_until_it_is_answered_or_300_seconds_have_passed),
        WITH_PART(calls_end_with_their_connection),
        WITH_PART(what_the_client_answers_itself_is_logged_and_not_reported),
        WITH_PART(without_a_callback_a_call_is_left_to_others),
#ifndef NDEBUG
        WITH_PART(each_member_that_is_wrong_is_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
