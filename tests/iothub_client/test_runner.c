#include <stdlib.h>

#include "runner_rig.h"

/* --- sleeping and waking -------------------------------------------------------------- */

static void a_request_is_sent_immediately_while_no_time_passes(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    rig_connect(r);

    for (unsigned tag = 1; tag <= 100; tag++) {
        rig_await_asleep(r);
        assert_int_equal(rig_send(r, tag, "lone"), IOTHUB_OK);
        rig_await_dones(r, tag);
        assert_int_equal(r->last_result, IOTHUB_OK);
    }

    rig_free(r);
}

static void a_client_without_a_deadline_sleeps_until_a_request(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    rig_start(r);
    rig_await_asleep(r);
    assert_int_equal(r->timeout_ms, -1);

    assert_int_equal(rig_send(r, 1, "never sent"), IOTHUB_OK);
    assert_int_equal(iothub_stop(r->f.client, 0), IOTHUB_OK);
    rig_await_dones(r, 1);

    assert_int_equal(r->last_result, IOTHUB_ERR_CANCELLED);
    rig_free(r);
}

static void every_kind_of_request_wakes_the_runner(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    rig_connect(r);
    iothub_client *c = r->f.client;

    rig_await_asleep(r);
    rig_note(r, 1);
    assert_int_equal(iothub_twin_get(c, rig_tag(1), NULL), IOTHUB_OK);
    rig_await_dones(r, 1);
    rig_await_asleep(r);
    rig_note(r, 2);
    assert_int_equal(iothub_twin_report(c, "{}", 2, rig_tag(2), NULL), IOTHUB_OK);
    rig_await_dones(r, 2);
    rig_await_asleep(r);
    assert_int_equal(iothub_stop(c, 1000), IOTHUB_OK);
    rig_await_state(r, IOTHUB_STOPPED);
    rig_await_asleep(r);
    assert_int_equal(iothub_start(c), IOTHUB_OK);
    rig_await_state(r, IOTHUB_CONNECTED);

    rig_free(r);
}

static void a_wait_cut_short_wakes_the_runner(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    r->f.hub.return_code = 3;
    rig_start(r);
    assert_int_equal(iothub_start(r->f.client), IOTHUB_OK);
    rig_await_state(r, IOTHUB_WAITING);
    rig_await_asleep(r);

    r->f.hub.return_code = 0;
    assert_int_equal(iothub_reconnect_now(r->f.client), IOTHUB_OK);
    rig_await_state(r, IOTHUB_CONNECTED); /* the clock does not move, so no delay was needed */

    rig_free(r);
}

static pthread_t writer;
static pthread_t teller;

static void note_writer(runner_rig *r, scripted_stream *s, const fake_hub_publish *p)
{
    (void)r;
    (void)s;
    (void)p;
    writer = pthread_self();
}

static void note_teller(runner_rig *r, const iothub_done *d)
{
    (void)r;
    (void)d;
    teller = pthread_self();
}

static void a_lone_request_leaves_on_the_thread_that_makes_it_and_ends_on_the_runners(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    r->on_publish = note_writer;
    r->on_done = note_teller;
    rig_connect(r);

    for (unsigned tag = 1; tag <= 1000; tag++) {
        rig_await_asleep(r);
        assert_int_equal(rig_send(r, tag, "lone"), IOTHUB_OK);
        rig_await_dones(r, tag);
        assert_true(tag == 1 || pthread_equal(writer, pthread_self()));
        assert_false(pthread_equal(teller, pthread_self()));
    }

    rig_free(r);
}

static void what_the_stream_did_not_take_the_runner_sends_when_it_does(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    rig_connect(r);

    for (unsigned tag = 1; tag <= 100; tag++) {
        rig_set_room(r, tag % 10);
        assert_int_equal(rig_send(r, tag, "in two pieces"), IOTHUB_OK);
        rig_set_room(r, SIZE_MAX);
        rig_await_dones(r, tag);
    }

    rig_free(r);
}

enum { PERIODS = 500, KEEP_ALIVE_S = 240 };

static unsigned pings;
static unsigned sleeps; /* number of sleeps when the last ping arrived */

static void count_pings(runner_rig *r)
{
    if (pings < PERIODS) {
        pings = r->f.hub.pings;
        sleeps = r->sleeps;
    }
}

static bool periods_are_over(const runner_rig *r)
{
    (void)r;
    return pings >= PERIODS;
}

static size_t (*real_take_wakes)(plat_thread *t);
static unsigned takes;

static size_t counted_take_wakes(plat_thread *t)
{
    takes++;
    return real_take_wakes(t);
}

/* Each call is a system call. */
static void count_takes(iothub_options *o)
{
    static plat_threads threads;
    plat_platform *platform = (plat_platform *)(uintptr_t)o->platform;
    threads = *platform->threads;
    real_take_wakes = threads.take_wakes;
    takes = 0;
    threads.take_wakes = counted_take_wakes;
    platform->threads = &threads;
}

static void an_idle_client_wakes_up_for_its_keep_alive_only(void **state)
{
    (void)state;
    runner_rig *r = rig_new(count_takes);
    pings = 0;
    r->on_sleep = count_pings;
    rig_connect(r);
    rig_await_asleep(r);
    unsigned before = r->sleeps;

    (void)pthread_mutex_lock(&r->lock);
    r->leap = true;
    (void)pthread_mutex_unlock(&r->lock);
    rig_note(r, 1);
    /* The request wakes the runner, which begins to leap. */
    assert_int_equal(iothub_twin_get(r->f.client, rig_tag(1), NULL), IOTHUB_OK);
    rig_await(r, periods_are_over);

    (void)pthread_mutex_lock(&r->lock);
    r->leap = false;
    (void)pthread_mutex_unlock(&r->lock);
    assert_in_range(sleeps - before, PERIODS, PERIODS + 2);
    /* Calls caused by the requests that woke the runner, not by its deadlines. */
    assert_in_range(takes, 1, 10);
    rig_free(r);
}

/* cmocka cannot fail a test from another thread, so a fault ends the program. */
static plat_threads plain_threads;
static pthread_t holder;
static bool held;

static void checked_lock(plat_thread *t)
{
    plain_threads.lock(t);
    if (held) {
        abort();
    }
    held = true;
    holder = pthread_self();
}

static void checked_unlock(plat_thread *t)
{
    if (!held || !pthread_equal(holder, pthread_self())) {
        abort();
    }
    held = false;
    plain_threads.unlock(t);
}

static void check_locks(iothub_options *o)
{
    static plat_threads threads;
    plat_platform *platform = (plat_platform *)(uintptr_t)o->platform;
    plain_threads = threads = *platform->threads;
    threads.lock = checked_lock;
    threads.unlock = checked_unlock;
    platform->threads = &threads;
}

static void each_thread_gives_back_only_a_lock_that_it_holds(void **state)
{
    (void)state;
    runner_rig *r = rig_new(check_locks);
    rig_connect(r);
    for (unsigned tag = 1; tag <= 50; tag++) {
        assert_int_equal(rig_send(r, tag, "x"), IOTHUB_OK);
        if (tag % 10 == 0) {
            rig_await_dones(r, tag);
            rig_await_asleep(r);
        }
    }
    assert_int_equal(iothub_runner_stop(r->f.client), IOTHUB_OK);
    assert_false(held);
    rig_free(r);
}

/* --- who drives --------------------------------------------------------------------------- */

static void while_it_runs_no_other_thread_may_drive(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    rig_connect(r);
    rig_await_asleep(r);
    iothub_client *c = r->f.client;
    iothub_error error;
    iothub_poll p;

    assert_int_equal(iothub_process(c), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(c)->text, "runner"));
    assert_int_equal(iothub_wait(c, 1000), IOTHUB_ERR_STATE);
    iothub_poll_info(c, &p);
    assert_int_equal(p.timeout_ms, -1);
    assert_int_equal(p.fds[0].fd, -1);
    assert_int_equal(iothub_runner_start(c, &error), IOTHUB_ERR_STATE);
    assert_non_null(strstr(error.text, "iothub_runner_start"));

    rig_free(r);
}

static void once_stopped_the_client_is_driven_by_hand_again(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    rig_connect(r);

    assert_int_equal(iothub_runner_stop(r->f.client), IOTHUB_OK);
    assert_int_equal(iothub_runner_stop(r->f.client), IOTHUB_ERR_STATE);
    assert_int_equal(iothub_get_state(r->f.client), IOTHUB_CONNECTED);
    assert_int_equal(rig_send(r, 1, "by hand"), IOTHUB_OK);
    fixture_run(&r->f);
    assert_int_equal(r->dones, 1);

    rig_free(r);
}

static void to_stop_what_never_ran_is_refused(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);

    assert_int_equal(iothub_runner_stop(r->f.client), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(r->f.client)->text, "no runner"));

    rig_free(r);
}

static void runners_come_and_go_a_thousand_times(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    rig_connect(r);
    assert_int_equal(iothub_runner_stop(r->f.client), IOTHUB_OK);

    for (unsigned tag = 1; tag <= 1000; tag++) {
        /* Sent before the start, during the run, or left over for the next run. */
        if (tag % 3 == 0) {
            assert_int_equal(rig_send(r, tag, "early"), IOTHUB_OK);
        }
        rig_start(r);
        if (tag % 3 == 1) {
            assert_int_equal(rig_send(r, tag, "on time"), IOTHUB_OK);
            rig_await_dones(r, tag);
        }
        assert_int_equal(iothub_runner_stop(r->f.client), IOTHUB_OK);
        if (tag % 3 == 2) {
            assert_int_equal(rig_send(r, tag, "late"), IOTHUB_OK);
        }
    }

    fixture_run(&r->f);
    assert_int_equal(r->dones, 1000);
    rig_free(r);
}

/* --- ends --------------------------------------------------------------------------------- */

static void a_stop_of_the_client_comes_to_its_end_first(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    rig_connect(r);

    for (unsigned tag = 1; tag <= 50; tag++) {
        assert_int_equal(rig_send(r, tag, "before the end"), IOTHUB_OK);
    }
    assert_int_equal(iothub_stop(r->f.client, 10000), IOTHUB_OK);
    assert_int_equal(iothub_runner_stop(r->f.client), IOTHUB_OK);

    assert_int_equal(iothub_get_state(r->f.client), IOTHUB_STOPPED);
    assert_int_equal(r->dones, 50);
    assert_int_equal(r->last_result, IOTHUB_OK);
    assert_int_equal(r->f.hub.disconnects, 1);
    rig_free(r);
}

static void freeing_the_client_stops_its_runner(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    rig_connect(r);
    r->f.hub.mute_publish = true;

    for (unsigned tag = 1; tag <= 50; tag++) {
        assert_int_equal(rig_send(r, tag, "no answer comes"), IOTHUB_OK);
    }

    rig_free(r); /* checks that each request has ended once */
}

/* --- from callbacks --------------------------------------------------------------------------- */

static void try_what_is_refused(runner_rig *r, const iothub_done *d)
{
    iothub_client *c = r->f.client;
    iothub_error error;

    (void)d;
    assert_int_equal(iothub_runner_stop(c), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(c)->text, "callback"));
    assert_int_equal(iothub_runner_start(c, &error), IOTHUB_ERR_STATE);
    assert_int_equal(iothub_process(c), IOTHUB_ERR_STATE);
    assert_int_equal(iothub_wait(c, 0), IOTHUB_ERR_STATE);
}

static void callbacks_neither_start_nor_stop_a_runner(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    r->on_done = try_what_is_refused;
    rig_connect(r);

    assert_int_equal(rig_send(r, 1, "x"), IOTHUB_OK);
    rig_await_dones(r, 1);

    rig_free(r);
}

static void start_a_runner(runner_rig *r, const iothub_done *d)
{
    iothub_error error;

    (void)d;
    assert_int_equal(iothub_runner_start(r->f.client, &error), IOTHUB_ERR_STATE);
    assert_non_null(strstr(error.text, "callback"));
}

static void a_callback_of_iothub_process_starts_none(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    r->on_done = start_a_runner;
    fixture_connect(&r->f);

    assert_int_equal(rig_send(r, 1, "x"), IOTHUB_OK);
    fixture_run(&r->f);

    assert_int_equal(r->dones, 1);
    rig_free(r);
}

static void *send_from_elsewhere(void *arg)
{
    runner_rig *r = arg;

    assert_int_equal(rig_send(r, 2, "from another thread"), IOTHUB_OK);
    return NULL;
}

static void wait_for_another_thread(runner_rig *r, const iothub_done *d)
{
    pthread_t other;

    if (d->tag == rig_tag(1)) {
        assert_int_equal(pthread_create(&other, NULL, send_from_elsewhere, r), 0);
        assert_int_equal(pthread_join(other, NULL), 0);
    }
}

static void a_callback_may_wait_for_a_thread_that_makes_requests(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    r->on_done = wait_for_another_thread;
    rig_connect(r);

    assert_int_equal(rig_send(r, 1, "x"), IOTHUB_OK);
    rig_await_dones(r, 2);

    rig_free(r);
}

/* --- while the runner is in a call of the stream ---------------------------------------------- */

static unsigned meddled[SCRIPTED_CALLS];

static void *ask_for_stats(void *arg)
{
    runner_rig *r = arg;
    iothub_stats s;

    iothub_get_stats(r->f.client, &s);
    return NULL;
}

static void wait_for_a_request(runner_rig *r, scripted_call call)
{
    const iothub_lock *g = r->f.client->context.lock;
    bool runs = call == SCRIPTED_PROGRESS || call == SCRIPTED_RECV || call == SCRIPTED_SEND;
    pthread_t other;

    if (runs && g->driver == g->threads->local()) {
        meddled[call]++;
        assert_int_equal(pthread_create(&other, NULL, ask_for_stats, r), 0);
        assert_int_equal(pthread_join(other, NULL), 0);
    }
}

static void send_one_more(runner_rig *r, const iothub_done *d)
{
    if (d->tag == rig_tag(1)) { /* the end of the first message, reported on the runner's thread */
        assert_int_equal(rig_send(r, 2, "from a callback"), IOTHUB_OK);
    }
}

static void no_request_waits_for_a_call_of_the_stream(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    memset(meddled, 0, sizeof meddled);
    r->on_call = wait_for_a_request;
    r->on_done = send_one_more;
    rig_connect(r);

    assert_int_equal(rig_send(r, 1, "x"), IOTHUB_OK);
    rig_await_dones(r, 2);

    assert_true(meddled[SCRIPTED_PROGRESS] > 0);
    assert_true(meddled[SCRIPTED_RECV] > 0);
    assert_true(meddled[SCRIPTED_SEND] > 1); /* more than the one call that sends CONNECT */
    rig_free(r);
}

/* --- failures -------------------------------------------------------------------------------- */

static void no_thread(iothub_options *o)
{
    plat_platform *platform = (plat_platform *)(uintptr_t)o->platform;
    platform->threads = NULL;
}

static void a_platform_without_threads_has_no_runner(void **state)
{
    (void)state;
    runner_rig *r = rig_new(no_thread);
    iothub_error error;

    assert_int_equal(iothub_runner_start(r->f.client, &error), IOTHUB_ERR_ARG);
    assert_non_null(strstr(error.text, "no threads"));
    fixture_connect(&r->f);

    rig_free(r);
}

static void no_second_thread(iothub_options *o)
{
    plat_platform *platform = (plat_platform *)(uintptr_t)o->platform;
    platform->threads = &fake_threads; /* start fails */
}

static void without_a_thread_left_the_client_is_driven_by_hand(void **state)
{
    (void)state;
    runner_rig *r = rig_new(no_second_thread);
    iothub_error error;

    assert_int_equal(iothub_runner_start(r->f.client, &error), IOTHUB_ERR_MEMORY);
    assert_int_equal(iothub_runner_stop(r->f.client), IOTHUB_ERR_STATE);
    fixture_connect(&r->f);

    rig_free(r);
}

static plat_result no_lock(plat_thread *t)
{
    (void)t;
    return PLAT_ERR_MEMORY;
}

static void no_descriptor(iothub_options *o)
{
    static plat_threads threads;
    plat_platform *platform = (plat_platform *)(uintptr_t)o->platform;
    threads = fake_threads;
    threads.init = no_lock;
    platform->threads = &threads;
}

static void without_a_descriptor_left_the_client_is_driven_by_hand(void **state)
{
    (void)state;
    runner_rig *r = rig_new(no_descriptor);
    iothub_error error;

    assert_int_equal(iothub_runner_start(r->f.client, &error), IOTHUB_ERR_MEMORY);
    assert_null(r->f.client->context.lock);
    fixture_connect(&r->f);

    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_sent_immediately_while_no_time_passes),
        cmocka_unit_test(a_client_without_a_deadline_sleeps_until_a_request),
        cmocka_unit_test(every_kind_of_request_wakes_the_runner),
        cmocka_unit_test(a_wait_cut_short_wakes_the_runner),
        cmocka_unit_test(a_lone_request_leaves_on_the_thread_that_makes_it_and_ends_on_the_runners),
        cmocka_unit_test(what_the_stream_did_not_take_the_runner_sends_when_it_does),
        cmocka_unit_test(an_idle_client_wakes_up_for_its_keep_alive_only),
        cmocka_unit_test(each_thread_gives_back_only_a_lock_that_it_holds),
        cmocka_unit_test(while_it_runs_no_other_thread_may_drive),
        cmocka_unit_test(once_stopped_the_client_is_driven_by_hand_again),
        cmocka_unit_test(to_stop_what_never_ran_is_refused),
        cmocka_unit_test(runners_come_and_go_a_thousand_times),
        cmocka_unit_test(a_stop_of_the_client_comes_to_its_end_first),
        cmocka_unit_test(freeing_the_client_stops_its_runner),
        cmocka_unit_test(callbacks_neither_start_nor_stop_a_runner),
        cmocka_unit_test(a_callback_of_iothub_process_starts_none),
        cmocka_unit_test(a_callback_may_wait_for_a_thread_that_makes_requests),
        cmocka_unit_test(no_request_waits_for_a_call_of_the_stream),
        cmocka_unit_test(a_platform_without_threads_has_no_runner),
        cmocka_unit_test(without_a_thread_left_the_client_is_driven_by_hand),
        cmocka_unit_test(without_a_descriptor_left_the_client_is_driven_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
