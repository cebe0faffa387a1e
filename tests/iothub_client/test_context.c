#include "context_fixture.h"
#include "fake_threads.h"

static context_fixture f;

static int setup(void **state)
{
    (void)state;
    context_fixture_init(&f);
    f.platform.platform.threads = &fake_threads;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    context_drop_lock(&f.context);
    context_fixture_free(&f);
    return 0;
}

static void requests_are_numbered_from_one_and_never_zero(void **state)
{
    (void)state;
    iothub_op op = 0;

    for (iothub_op n = 1; n < 100; n++) {
        assert_int_equal(context_next_op(&f.context), n);
        /* Returns the same number again, because it was not taken. */
        assert_int_equal(context_next_op(&f.context), n);
        context_take_op(&f.context, n, &op);
        assert_int_equal(op, n);
    }
    f.context.last_op = UINT32_MAX - 1;
    assert_int_equal(context_next_op(&f.context), UINT32_MAX);
    context_take_op(&f.context, UINT32_MAX, NULL);
    assert_int_equal(context_next_op(&f.context), 1);
}

static void a_turn_takes_what_asked_for_it(void **state)
{
    (void)state;
    assert_false(context_begin_turn(&f.context));
    assert_true(context_in_callback(&f.context));
    context_poke(&f.context);
    context_end_turn(&f.context);
    assert_false(context_in_callback(&f.context));
    /* context_poke in the previous turn asked for this one. */
    assert_true(context_begin_turn(&f.context));
    context_end_turn(&f.context);
    assert_false(context_begin_turn(&f.context));
    context_end_turn(&f.context);
}

static void refusals_have_the_text_of_their_queue(void **state)
{
    (void)state;
    const iothub_error *e = context_error(&f.context);

    assert_int_equal(context_refuse(&f.context, IOTHUB_ERR_ARG, "100 % wrong: %s"), IOTHUB_ERR_ARG);
    assert_int_equal(e->code, IOTHUB_ERR_ARG);
    /* The text is copied and not used as a format. */
    assert_string_equal(e->text, "100 % wrong: %s");
    assert_int_equal(context_refuse_mqc(&f.context, MQC_ERR_NO_SPACE, "telemetry"),
                     IOTHUB_ERR_NO_SPACE);
    assert_non_null(strstr(e->text, "telemetry: "));
    assert_non_null(strstr(e->text, "before iothub_start"));
    context_end_connection(&f.context);
    assert_int_equal(f.context.generation, 1);
    (void)context_refuse_mqc(&f.context, MQC_ERR_NO_SPACE, "telemetry");
    assert_non_null(strstr(e->text, "process and try again"));
    assert_int_equal(context_refuse_size(&f.context, "report", 900, "request_size", 512),
                     IOTHUB_ERR_TOO_BIG);
    assert_string_equal(e->text,
                        "report: too big: 900 bytes and the topic do not fit request_size (512)");
}

static void a_client_that_is_being_ended_takes_nothing(void **state)
{
    (void)state;
    const mqc_outgoing m = { .lane = IOTHUB_LANE_TELEMETRY };

    context_begin_end(&f.context);
    assert_true(context_in_callback(&f.context));
    /* Refused before the engine is used, which does not exist here. */
    assert_int_equal(context_publish(&f.context, &m), MQC_ERR_STATE);
    assert_int_equal(context_refuse_mqc(&f.context, MQC_ERR_STATE, "telemetry"), IOTHUB_ERR_STATE);
    assert_string_equal(context_error(&f.context)->text, "telemetry: the client is being ended");
}

static void the_gateway_is_dialled_if_there_is_one(void **state)
{
    (void)state;
    assert_string_equal(context_host(&f.context), "hub.example");
    f.context.identity.gateway_host_name = mqc_span_str("edge.local");
    assert_string_equal(context_host(&f.context), "edge.local");
}

static void the_log_may_run_inside_itself(void **state)
{
    (void)state;
    assert_false(context_set_logging(&f.context, true));
    assert_true(context_set_logging(&f.context, true));
    assert_true(context_set_logging(&f.context, false));
    assert_false(f.context.logging);
}

/* Only a client with a runner has a lock. fake_threads fails the test if the lock is taken
 * twice. */
static void the_lock_exists_for_a_runner_and_opens_for_its_calls(void **state)
{
    (void)state;
    context_enter(&f.context);
    context_leave(&f.context);
    assert_false(context_open_lock(&f.context));
    assert_int_equal(context_make_lock(&f.context), PLAT_OK);
    assert_false(context_has_runner(&f.context));

    const plat_thread *t = &f.context.lock->thread;
    context_enter(&f.context);
    assert_true(fake_threads_held(t));
    /* False, because without a runner no other thread uses the client. */
    assert_false(context_open_lock(&f.context));
    assert_true(lock_take_runner(f.context.lock));
    assert_true(context_has_runner(&f.context));
    bool opened = context_open_lock(&f.context);
    assert_true(opened);
    assert_false(fake_threads_held(t));
    context_close_lock(&f.context, opened);
    assert_true(fake_threads_held(t));
    lock_drop_runner(f.context.lock);
    context_leave(&f.context);
    assert_false(fake_threads_held(t));
}

static void the_time_is_that_of_the_platform(void **state)
{
    (void)state;
    const mqc_time before = context_now(&f.context);

    fake_clock_advance(&f.platform.clock, 1234);
    assert_int_equal(context_now(&f.context), before + 1234);
    assert_ptr_equal(context_clock(&f.context), &f.platform.clock.base);
}

#ifndef NDEBUG
static void members_that_disagree_are_seen(void **state)
{
    (void)state;
    iothub_context *c = &f.context;
    iothub_lock other;
    char scratch[8];

    assert_true(context_valid(c));
    c->closing = true; /* callbacks would run outside a turn */
    assert_false(context_valid(c));
    c->processing = true;
    assert_true(context_valid(c));
    c->closing = c->processing = false;

    c->scratch_len = 4;
    assert_false(context_valid(c));
    c->scratch_len = 0;
    c->events_len = 4;
    assert_false(context_valid(c));
    context_set_scratch(c, scratch + 4, 4, 4);
    assert_true(context_valid(c));

    for (int s = IOTHUB_STOPPED; s <= IOTHUB_PROVISIONING; s++) {
        const bool connects = s != IOTHUB_STOPPED && s < IOTHUB_WAITING;
        c->state = (iothub_state)s;
        c->generation = 0;
        assert_int_equal(context_valid(c), !connects);
        c->generation = 1;
        assert_true(context_valid(c));
    }
    c->state = IOTHUB_STOPPED;

    assert_int_equal(context_make_lock(c), PLAT_OK);
    assert_true(context_valid(c));
    other = c->lock_memory;
    c->lock = &other;
    assert_false(context_valid(c));
    c->joined = true; /* the lock of another context */
    assert_true(context_valid(c));
    c->joined = false;
    c->lock = &c->lock_memory;
    c->lock_memory.driver = &other; /* a driver that is not the runner */
    assert_false(context_valid(c));
    c->lock_memory.driver = NULL;
}
#endif

#define WITH_CONTEXT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CONTEXT(requests_are_numbered_from_one_and_never_zero),
        WITH_CONTEXT(a_turn_takes_what_asked_for_it),
        WITH_CONTEXT(refusals_have_the_text_of_their_queue),
        WITH_CONTEXT(a_client_that_is_being_ended_takes_nothing),
        WITH_CONTEXT(the_gateway_is_dialled_if_there_is_one),
        WITH_CONTEXT(the_log_may_run_inside_itself),
        WITH_CONTEXT(the_lock_exists_for_a_runner_and_opens_for_its_calls),
        WITH_CONTEXT(the_time_is_that_of_the_platform),
#ifndef NDEBUG
        WITH_CONTEXT(members_that_disagree_are_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
