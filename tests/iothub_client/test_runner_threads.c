#include <stdio.h>
#include <stdlib.h>

#include "runner_rig.h"

enum { SENDERS = 4, MESSAGES = 300, REPORTS = 100, OPEN_MAX = 12 };

/* What the runner's thread passes to the workers, and what the hub counts. The rig's lock
 * protects it, except for the fields of the hub, which belong to the sending thread. */
typedef struct crowd {
    runner_rig *r;
    pthread_t threads[SENDERS + 3];
    size_t thread_count;
    bool over;
    bool quiet; /* the hub has received everything and all its messages were answered */

    uint32_t deliveries[64];
    iothub_method_token tokens[64];
    unsigned deferred, accepted, called, answered;

    /* Members of the hub; the highest number that it received from each sender. */
    unsigned heard[SENDERS];
    unsigned c2d_sent, calls_sent, answers_heard, publishes;
    unsigned fail_every; /* 0: the connection never fails */
} crowd;

typedef struct worker {
    crowd *w;
    unsigned number;
} worker;

static crowd *the_crowd; /* global, because the hooks of the rig have no user pointer */

/* --- the hub ----------------------------------------------------------------------------- */

/* Each message arrives in order; those that were received before may be repeated on a new
 * connection. */
static void hear_telemetry(crowd *w, const fake_hub_publish *p)
{
    unsigned sender = 0;
    unsigned number = 0;

    assert_int_equal(sscanf(p->payload, "%u:%u", &sender, &number), 2);
    assert_in_range(sender, 0, SENDERS - 1);
    assert_in_range(number, 1, w->heard[sender] + 1);
    if (number > w->heard[sender]) {
        w->heard[sender] = number;
    }
}

static void hub_on_publish(runner_rig *r, scripted_stream *s, const fake_hub_publish *p)
{
    crowd *w = the_crowd;

    w->publishes++;
    if (strncmp(p->topic, "$iothub/methods/res/", 20) == 0) {
        w->answers_heard++;
    } else if (strncmp(p->topic, "devices/", 8) == 0) {
        hear_telemetry(w, p);
    }
    if (w->fail_every > 0) {
        if (w->publishes % w->fail_every == 0) {
            scripted_break(s, PLAT_ERR_IO);
        }
        return;
    }
    if (w->publishes % 4 == 0 && w->c2d_sent - r->f.hub.acks < OPEN_MAX) {
        fake_hub_send(s, "devices/device1/messages/devicebound/a=b", "c2d", 3,
                      (uint16_t)(++w->c2d_sent));
    }
    if (w->publishes % 5 == 0 && w->calls_sent - w->answers_heard < OPEN_MAX) {
        char topic[64];
        (void)snprintf(topic, sizeof topic, "$iothub/methods/POST/m/?$rid=%u", ++w->calls_sent);
        fake_hub_send(s, topic, "{}", 2, 0);
    }
}

/* --- callbacks that leave the work to others ------------------------------------------------ */

static iothub_disposition defer(runner_rig *r, const iothub_message *m)
{
    crowd *w = the_crowd;

    (void)pthread_mutex_lock(&r->lock);
    w->deliveries[w->deferred++ % 64] = iothub_message_delivery(m);
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    return IOTHUB_DEFER;
}

static iothub_method_verdict keep_token(runner_rig *r, const iothub_method_call *call)
{
    crowd *w = the_crowd;

    (void)pthread_mutex_lock(&r->lock);
    w->tokens[w->called++ % 64] = call->token;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    return IOTHUB_METHOD_TAKEN;
}

/* --- workers ------------------------------------------------------------------------------- */

static unsigned dones_of(runner_rig *r)
{
    (void)pthread_mutex_lock(&r->lock);
    unsigned n = r->dones;
    (void)pthread_mutex_unlock(&r->lock);
    return n;
}

/* Waits until more than `before` requests have ended; then a queue has room. */
static void await_room(runner_rig *r, unsigned before)
{
    rig_await_dones(r, before + 1);
}

static void *send_all(void *arg)
{
    worker *me = arg;
    runner_rig *r = me->w->r;

    for (unsigned n = 1; n <= MESSAGES;) {
        char body[32];
        unsigned before = dones_of(r);
        (void)snprintf(body, sizeof body, "%u:%u", me->number, n);
        iothub_result result = rig_send(r, me->number * MESSAGES + n, body);
        if (result == IOTHUB_OK) {
            n++;
            continue;
        }
        assert_int_equal(result, IOTHUB_ERR_NO_SPACE);
        assert_int_equal(iothub_last_error(r->f.client)->code, IOTHUB_ERR_NO_SPACE);
        await_room(r, before);
    }
    return NULL;
}

static void *report_all(void *arg)
{
    worker *me = arg;
    runner_rig *r = me->w->r;

    for (unsigned n = 1; n <= REPORTS; n++) {
        unsigned tag = SENDERS * MESSAGES + n;
        unsigned before = dones_of(r);
        iothub_result result =
            n % 2 == 0 ? iothub_twin_get(r->f.client, rig_tag(tag), NULL)
                       : iothub_twin_report(r->f.client, "{\"a\":1}", 7, rig_tag(tag), NULL);
        if (result == IOTHUB_OK) {
            rig_note(r, tag);
        } else {
            assert_int_equal(result, IOTHUB_ERR_NO_SPACE);
            await_room(r, before);
            n--;
        }
    }
    return NULL;
}

static void *serve_cloud(void *arg)
{
    worker *me = arg;
    crowd *w = me->w;
    runner_rig *r = w->r;
    iothub_stats stats;

    (void)pthread_mutex_lock(&r->lock);
    for (;;) {
        while (!w->over && w->accepted == w->deferred && w->answered == w->called) {
            (void)pthread_cond_wait(&r->changed, &r->lock);
        }
        if (w->accepted < w->deferred) {
            uint32_t delivery = w->deliveries[w->accepted++ % 64];
            (void)pthread_mutex_unlock(&r->lock);
            assert_int_equal(iothub_message_accept(r->f.client, delivery), IOTHUB_OK);
        } else if (w->answered < w->called) {
            iothub_method_token token = w->tokens[w->answered++ % 64];
            (void)pthread_mutex_unlock(&r->lock);
            assert_int_equal(iothub_method_respond(r->f.client, &token, 200, "{}", 2, NULL, NULL),
                             IOTHUB_OK);
        } else {
            break;
        }
        iothub_get_stats(r->f.client, &stats);
        (void)pthread_mutex_lock(&r->lock);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return NULL;
}

static void begin_thread(crowd *w, void *(*run)(void *), worker *me)
{
    me->w = w;
    assert_int_equal(pthread_create(&w->threads[w->thread_count++], NULL, run, me), 0);
}

static void join_from(crowd *w, size_t first)
{
    while (w->thread_count > first) {
        assert_int_equal(pthread_join(w->threads[--w->thread_count], NULL), 0);
    }
}

static crowd *crowd_new(void (*change)(iothub_options *o))
{
    crowd *w = calloc(1, sizeof *w);

    assert_non_null(w);
    the_crowd = w;
    w->r = rig_new(change);
    w->r->on_publish = hub_on_publish;
    return w;
}

static void crowd_free(crowd *w)
{
    rig_free(w->r);
    free(w);
}

/* --- everything together
 * ---------------------------------------------------------------------------- */

static void look_at_the_hub(runner_rig *r)
{
    crowd *w = the_crowd;

    w->quiet = r->f.hub.acks == w->c2d_sent && w->answers_heard == w->calls_sent &&
               r->dones == SENDERS * MESSAGES + REPORTS;
}

static bool is_quiet(const runner_rig *r)
{
    (void)r;
    return the_crowd->quiet;
}

static void everything_at_once_ends_once_and_in_order(void **state)
{
    (void)state;
    crowd *w = crowd_new(NULL);
    runner_rig *r = w->r;
    worker workers[SENDERS + 2];
    r->on_c2d = defer;
    r->on_method = keep_token;
    r->on_sleep = look_at_the_hub;
    rig_connect(r);

    begin_thread(w, serve_cloud, &workers[SENDERS + 1]);
    for (unsigned i = 0; i < SENDERS; i++) {
        workers[i].number = i;
        begin_thread(w, send_all, &workers[i]);
    }
    begin_thread(w, report_all, &workers[SENDERS]);
    join_from(w, 1);
    rig_await(r, is_quiet);
    (void)pthread_mutex_lock(&r->lock);
    w->over = true;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->lock);
    join_from(w, 0);
    assert_int_equal(iothub_stop(r->f.client, 1000), IOTHUB_OK);
    assert_int_equal(iothub_runner_stop(r->f.client), IOTHUB_OK);

    for (unsigned i = 0; i < SENDERS; i++) {
        assert_int_equal(w->heard[i], MESSAGES);
    }
    assert_true(w->c2d_sent > 10 && w->calls_sent > 10);
    assert_int_equal(r->f.hub.acks, w->c2d_sent);
    assert_int_equal(w->answers_heard, w->calls_sent);
    crowd_free(w);
}

static void what_threads_send_survives_a_connection_that_breaks(void **state)
{
    (void)state;
    crowd *w = crowd_new(NULL);
    runner_rig *r = w->r;
    worker workers[SENDERS];
    w->fail_every = 37;
    r->leap = true; /* the delays of the back-off take no time */
    rig_connect(r);

    for (unsigned i = 0; i < SENDERS; i++) {
        workers[i].number = i;
        begin_thread(w, send_all, &workers[i]);
    }
    join_from(w, 0);
    rig_await_dones(r, SENDERS * MESSAGES);
    assert_int_equal(iothub_runner_stop(r->f.client), IOTHUB_OK);

    for (unsigned i = 0; i < SENDERS; i++) {
        assert_int_equal(w->heard[i], MESSAGES);
    }
    assert_true(r->f.hub.connects > 10);
    crowd_free(w);
}

/* --- ends while others send ----------------------------------------------------------------- */

static void *send_until_over(void *arg)
{
    worker *me = arg;
    runner_rig *r = me->w->r;
    bool over = false;

    for (unsigned n = 1; !over; n++) {
        unsigned tag = me->number * 10000 + n % 10000 + 1;
        iothub_result result = rig_send(r, tag, "0:1");
        assert_true(result == IOTHUB_OK || result == IOTHUB_ERR_NO_SPACE);
        (void)pthread_mutex_lock(&r->lock);
        over = me->w->over;
        (void)pthread_mutex_unlock(&r->lock);
    }
    return NULL;
}

static void finish(crowd *w)
{
    (void)pthread_mutex_lock(&w->r->lock);
    w->over = true;
    (void)pthread_mutex_unlock(&w->r->lock);
    join_from(w, 0);
}

static void runners_come_and_go_while_others_send(void **state)
{
    (void)state;
    crowd *w = crowd_new(NULL);
    runner_rig *r = w->r;
    worker workers[2];
    r->on_publish = NULL;
    rig_connect(r);
    for (unsigned i = 0; i < 2; i++) {
        workers[i].number = i;
        begin_thread(w, send_until_over, &workers[i]);
    }

    for (unsigned turn = 1; turn <= 30; turn++) {
        rig_await_dones(r, turn * 10);
        assert_int_equal(iothub_runner_stop(r->f.client), IOTHUB_OK);
        assert_int_equal(iothub_process(r->f.client), IOTHUB_OK);
        assert_int_equal(iothub_process(r->f.client), IOTHUB_OK);
        rig_start(r);
    }

    finish(w);
    crowd_free(w);
}

static void the_client_stops_and_starts_while_others_send(void **state)
{
    (void)state;
    crowd *w = crowd_new(NULL);
    runner_rig *r = w->r;
    worker workers[2];
    r->on_publish = NULL;
    rig_connect(r);
    for (unsigned i = 0; i < 2; i++) {
        workers[i].number = i;
        begin_thread(w, send_until_over, &workers[i]);
    }

    for (unsigned turn = 1; turn <= 30; turn++) {
        assert_int_equal(iothub_stop(r->f.client, 0), IOTHUB_OK);
        rig_await_state(r, IOTHUB_STOPPED);
        assert_int_equal(iothub_start(r->f.client), IOTHUB_OK);
        rig_await_state(r, IOTHUB_CONNECTED);
    }

    finish(w);
    crowd_free(w);
}

static void *stop_runner(void *arg)
{
    runner_rig *r = arg;
    iothub_result *result = malloc(sizeof *result);

    assert_non_null(result);
    *result = iothub_runner_stop(r->f.client);
    return result;
}

static void of_two_that_stop_the_runner_one_does(void **state)
{
    (void)state;
    runner_rig *r = rig_new(NULL);
    rig_connect(r);

    for (int turn = 0; turn < 50; turn++) {
        pthread_t other;
        void *result;
        assert_int_equal(pthread_create(&other, NULL, stop_runner, r), 0);
        iothub_result mine = iothub_runner_stop(r->f.client);
        assert_int_equal(pthread_join(other, &result), 0);
        assert_true((mine == IOTHUB_OK) != (*(iothub_result *)result == IOTHUB_OK));
        free(result);
        rig_start(r);
    }

    rig_free(r);
}

/* --- what a thread's calls return
 * -------------------------------------------------------------------- */

typedef struct refusal {
    runner_rig *r;
    pthread_barrier_t *both;
    const char *id;
} refusal;

static void *be_refused(void *arg)
{
    const refusal *me = arg;
    iothub_client *c = me->r->f.client;
    const iothub_property bad = { me->id, NULL };
    const iothub_telemetry t = {
        .body = "x", .body_len = 1, .properties = &bad, .property_count = 1
    };

    for (int turn = 0; turn < 100; turn++) {
        assert_int_equal(iothub_send_telemetry(c, &t, NULL), IOTHUB_ERR_ARG);
        (void)pthread_barrier_wait(me->both); /* meanwhile the other thread was refused */
        assert_non_null(strstr(iothub_last_error(c)->text, me->id));
        (void)pthread_barrier_wait(me->both);
    }
    return NULL;
}

static void each_thread_reads_its_own_refusal(void **state)
{
    (void)state;
    pthread_barrier_t both;
    pthread_t other;
    runner_rig *r = rig_new(NULL);
    refusal mine = { r, &both, "colour" };
    refusal theirs = { r, &both, "shape" };
    rig_connect(r);
    assert_int_equal(pthread_barrier_init(&both, NULL, 2), 0);

    assert_int_equal(pthread_create(&other, NULL, be_refused, &theirs), 0);
    (void)be_refused(&mine);

    assert_int_equal(pthread_join(other, NULL), 0);
    (void)pthread_barrier_destroy(&both);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_at_once_ends_once_and_in_order),
        cmocka_unit_test(what_threads_send_survives_a_connection_that_breaks),
        cmocka_unit_test(runners_come_and_go_while_others_send),
        cmocka_unit_test(the_client_stops_and_starts_while_others_send),
        cmocka_unit_test(of_two_that_stop_the_runner_one_does),
        cmocka_unit_test(each_thread_reads_its_own_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
