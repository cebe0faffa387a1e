#include <stdio.h>
#include <stdlib.h>

#include "client_fixture.h"

/* --- the policy of the application ----------------------------------------------------- */

typedef struct policy {
    client_fixture f; /* must be the first member: callbacks get this pointer */
    iothub_retry last;
    char text[160];
    unsigned asked;
    uint32_t answer;     /* 0: the delay that the client suggests */
    unsigned give_up_at; /* 0: never */
} policy;

static uint32_t on_retry(iothub_client *c, const iothub_retry *r, void *user)
{
    policy *p = user;
    (void)c;
    p->last = *r;
    snprintf(p->text, sizeof p->text, "%s", r->text);
    p->asked++;
    if (p->give_up_at != 0 && r->attempt >= p->give_up_at) {
        return IOTHUB_RETRY_STOP;
    }
    return p->answer != 0 ? p->answer : r->delay_ms;
}

static void with_policy(iothub_options *o)
{
    o->callbacks.retry = on_retry;
}

static policy *make_policy(void)
{
    policy *p = calloc(1, sizeof *p);
    fixture_init(&p->f, with_policy);
    return p;
}

static void free_policy(policy *p)
{
    fixture_free(&p->f);
    free(p);
}

static void the_policy_gets_all_arguments_and_its_delay_is_kept(void **state)
{
    (void)state;
    policy *p = make_policy();
    client_fixture *f = &p->f;
    f->hub.return_code = 3;
    p->answer = 7000;
    assert_int_equal(iothub_start(f->client), IOTHUB_OK);
    fixture_run(f);

    for (unsigned n = 1; n <= 10; n++) {
        assert_int_equal(p->asked, n);
        assert_int_equal(p->last.reason, IOTHUB_ERR_UNAVAILABLE);
        assert_string_equal(p->text, "CONNACK 3: the hub is unavailable");
        assert_int_equal(p->last.attempt, n);
        assert_int_equal(p->last.failing_ms, (n - 1) * 7000);
        assert_in_range(p->last.delay_ms, 1, 60000);
        assert_int_equal(fixture_last_status(f)->retry_in_ms, 7000);
        fixture_sleep(f, 6999);
        assert_int_equal(f->hub.connects, n);
        fixture_sleep(f, 1);
        assert_int_equal(f->hub.connects, n + 1);
    }
    free_policy(p);
}

/* The delay grows from five minutes to an hour. It doubles each time, and a random part is
 * subtracted. */
static void a_credential_that_stays_refused_is_tried_ever_more_slowly(void **state)
{
    (void)state;
    static const uint32_t limits_ms[] = { 1000,    300000,  600000,  1200000,
                                          2400000, 3600000, 3600000, 3600000 };
    uint32_t longest[8] = { 0 };

    for (int times = 0; times < 40; times++) {
        policy *p = make_policy();
        p->f.platform.crypto.seed = (uint32_t)times * 77777u;
        p->f.hub.return_code = 5;
        p->answer = 1;
        assert_int_equal(iothub_start(p->f.client), IOTHUB_OK);
        for (size_t n = 0; n < 8; n++) {
            fixture_run(&p->f);
            assert_int_equal(p->asked, n + 1);
            assert_in_range(p->last.delay_ms, n == 0 ? 1 : limits_ms[n] / 16 - 100, limits_ms[n]);
            longest[n] = p->last.delay_ms > longest[n] ? p->last.delay_ms : longest[n];
            fake_clock_advance(&p->f.platform.clock, 1);
        }
        free_policy(p);
    }
    for (size_t n = 0; n < 8; n++) {
        assert_true(longest[n] > limits_ms[n] / 4 * 3);
    }
}

static uint32_t at_once(iothub_client *c, const iothub_retry *r, void *user)
{
    (void)c;
    (void)r;
    (void)user;
    return 0;
}

static void without_delay(iothub_options *o)
{
    o->callbacks.retry = at_once;
}

static void a_delay_of_zero_is_the_next_millisecond(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, without_delay);
    f.hub.return_code = 3;
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);

    fixture_sleep(&f, 10);

    assert_int_equal(f.hub.connects, 11);
    fixture_free(&f);
}

/* The callback gives up after the failure of each stage, with open requests. This has the effect
 * of a stop, and the client can be started again. */
static void giving_up_is_a_stop_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        plat_stage stall_at;
        bool mute_connect, mute_subscribe;
    } stages[] = {
        { PLAT_STAGE_RESOLVE, false, false }, { PLAT_STAGE_CONNECT, false, false },
        { PLAT_STAGE_TLS, false, false },     { PLAT_STAGE_OPEN, true, false },
        { PLAT_STAGE_OPEN, false, true },
    };

    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        policy *p = make_policy();
        client_fixture *f = &p->f;
        iothub_op ops[2];
        iothub_result how;
        p->give_up_at = 3;
        f->platform.streams[0].stall_at = stages[i].stall_at;
        f->hub.mute_connect = stages[i].mute_connect;
        f->hub.mute_subscribe = stages[i].mute_subscribe;
        f->hub.mute_publish = true;
        f->hub.twin_status = 0;
        ops[0] = fixture_send(f, "unheard");
        assert_int_equal(iothub_twin_get(f->client, NULL, &ops[1]), IOTHUB_OK);
        assert_int_equal(iothub_start(f->client), IOTHUB_OK);

        fixture_sleep(f, 200000);

        assert_int_equal(p->asked, 3);
        assert_int_equal(iothub_get_state(f->client), IOTHUB_STOPPED);
        assert_int_equal(fixture_last_status(f)->reason, IOTHUB_ERR_TIMEOUT);
        assert_null(fixture_stream(f));
        for (size_t n = 0; n < 2; n++) {
            assert_int_equal(fixture_ended(f, ops[n], &how), 1);
            assert_int_equal(how, n == 1 ? how : IOTHUB_ERR_CANCELLED);
        }
        f->hub.mute_connect = f->hub.mute_subscribe = f->hub.mute_publish = false;
        f->hub.twin_status = 200;
        f->platform.streams[0].stall_at = PLAT_STAGE_OPEN;
        fixture_connect(f);
        free_policy(p);
    }
}

static void giving_up_after_a_loss_stops_too(void **state)
{
    (void)state;
    iothub_poll poll;
    policy *p = make_policy();
    p->give_up_at = 1;
    fixture_connect(&p->f);

    fixture_cut(&p->f);

    assert_int_equal(iothub_get_state(p->f.client), IOTHUB_STOPPED);
    assert_int_equal(fixture_last_status(&p->f)->reason, IOTHUB_ERR_NETWORK);
    iothub_poll_info(p->f.client, &poll);
    assert_int_equal(poll.timeout_ms, -1); /* the client has no deadline any more */
    fixture_sleep(&p->f, 1000000);
    assert_int_equal(p->f.hub.connects, 1);
    fixture_connect(&p->f);
    assert_int_equal(p->f.hub.connects, 2);
    free_policy(p);
}

/* --- the first attempt --------------------------------------------------------------------- */

static void no_route_and_no_dns_at_the_first_attempt_are_ordinary(void **state)
{
    (void)state;
    static const struct {
        plat_result failure;
        iothub_result reason;
    } cases[] = { { PLAT_ERR_DNS, IOTHUB_ERR_DNS },
                  { PLAT_ERR_CONNECT, IOTHUB_ERR_CONNECT },
                  { PLAT_ERR_IO, IOTHUB_ERR_NETWORK } };

    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        client_fixture f;
        scripted_call call = i % 2 == 0 ? SCRIPTED_PROGRESS : SCRIPTED_OPEN;
        iothub_result how;
        fixture_init(&f, NULL);
        iothub_op op = fixture_send(&f, "x");
        scripted_fail(&f.platform.streams[0], call, 1, cases[i / 2].failure);
        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        fixture_run(&f);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
        assert_int_equal(fixture_last_status(&f)->reason, cases[i / 2].reason);
        assert_in_range(fixture_last_status(&f)->retry_in_ms, 1, 1000);

        fixture_sleep(&f, 1000);

        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        assert_int_equal(fixture_ended(&f, op, &how), 1);
        assert_int_equal(how, IOTHUB_OK);
        fixture_free(&f);
    }
}

/* For example with a trust store that cannot be read: the stream exists only to report the
 * reason, and is freed. */
static void a_stream_that_could_not_be_made_names_the_reason_and_is_given_back(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    scripted_stream *named = &f.platform.streams[FAKE_STREAMS - 1];
    f.platform.net.stream_result = PLAT_ERR_TRUST_STORE;
    f.platform.net.names_fault = true;
    named->state = SCRIPTED_FAILED;
    named->borrowed_host = named->host; /* as if it had no host yet */
    named->failure_detail = "roots.pem: no certificate in it";
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_TRUST_STORE);
    assert_string_equal(fixture_last_status(&f)->text, "roots.pem: no certificate in it");
    assert_int_equal(named->state, SCRIPTED_CLOSED);
    assert_null(f.client->session.changeover.channels[0].stream);
    f.platform.net.stream_result = PLAT_OK;
    fixture_sleep(&f, 60000);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(named->calls[SCRIPTED_OPEN], 0);
    fixture_free(&f);
}

/* --- two clients, one identity ------------------------------------------------------------- */

/* The hub closes the older one of two connections of the same device. */
static void take_over(client_fixture *winner, client_fixture *loser, unsigned *connects)
{
    if (winner->hub.connects == *connects) {
        return;
    }
    *connects = winner->hub.connects;
    scripted_stream *s = fixture_stream(loser);
    if (s != NULL && s->state == SCRIPTED_READY) {
        scripted_break(s, PLAT_EOF);
        fixture_run(loser);
    }
}

static bool said(const client_fixture *f, const char *text)
{
    for (unsigned i = 0; i < f->status_count && i < FIXTURE_LOG; i++) {
        if (strstr(f->statuses[i].text, text) != NULL) {
            return true;
        }
    }
    return false;
}

static void two_clients_with_one_identity_back_off(void **state)
{
    (void)state;
    client_fixture *f = calloc(2, sizeof *f);
    unsigned connects[2] = { 0, 0 };
    unsigned before = 0;

    for (size_t i = 0; i < 2; i++) {
        fixture_init(&f[i], NULL);
        assert_int_equal(iothub_start(f[i].client), IOTHUB_OK);
    }
    for (unsigned minute = 0; minute < 120; minute++) {
        for (unsigned step = 0; step < 600; step++) {
            for (size_t i = 0; i < 2; i++) {
                fixture_sleep(&f[i], 100);
                take_over(&f[i], &f[1 - i], &connects[i]);
            }
        }
        unsigned all = connects[0] + connects[1];
        assert_in_range(all - before, 0, minute == 0 ? 20 : 8); /* together */
        before = all;
    }

    assert_in_range(before, 30, 2 * 120 + 20); /* about two connects per minute in the long run */
    assert_true(said(&f[0], "another client") && said(&f[1], "another client"));
    fixture_free(&f[0]);
    fixture_free(&f[1]);
    free(f);
}

static void one_early_end_is_not_called_a_take_over(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    for (int n = 0; n < 5; n++) {
        scripted_break(fixture_stream(&f), PLAT_EOF);
        fixture_run(&f);
        assert_string_equal(fixture_last_status(&f)->text, "the hub closed the connection");
        fixture_sleep(&f, 200000); /* a long time without a connection lost */
    }
    fixture_free(&f);
}

/* Connects, lets the hub close the connection after ms milliseconds, and connects again. Returns
 * the text of the status. */
static const char *end_after(client_fixture *f, uint64_t ms)
{
    static char text[160];

    fixture_sleep(f, ms);
    assert_int_equal(iothub_get_state(f->client), IOTHUB_CONNECTED);
    scripted_break(fixture_stream(f), PLAT_EOF);
    fixture_run(f);
    snprintf(text, sizeof text, "%s", fixture_last_status(f)->text);
    fixture_sleep(f, fixture_last_status(f)->retry_in_ms);
    assert_int_equal(iothub_get_state(f->client), IOTHUB_CONNECTED);
    return text;
}

/* Each of two competing clients connects again within retry_max_ms, so a client that stays
 * connected for twice as long has no rival. */
static void a_duel_of_two_clients_ends_after_twice_the_longest_back_off(void **state)
{
    (void)state;
    for (int stable = 0; stable <= 1; stable++) {
        client_fixture f;
        iothub_stats stats;
        fixture_init(&f, NULL);
        const uint64_t long_ms = 2 * (uint64_t)f.options.retry_max_ms - (stable ? 0 : 1);
        fixture_connect(&f);

        assert_null(strstr(end_after(&f, 1), "another client"));
        assert_non_null(strstr(end_after(&f, 1), "another client"));
        for (int n = 0; n < 3; n++) {
            bool named = strstr(end_after(&f, long_ms), "another client") != NULL;
            assert_int_equal(named, !stable);
            /* After a long connection, the next end counts as the first: no rival is named and
             * there is no wait. */
            named = strstr(end_after(&f, 0), "another client") != NULL;
            assert_int_equal(named, !stable);
            assert_int_equal(f.client->session.back_off.failures, stable ? 2 : 4 + 2 * n);
        }
        iothub_get_stats(f.client, &stats);
        assert_int_equal(stats.losses, 8);
        fixture_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_gets_all_arguments_and_its_delay_is_kept),
        cmocka_unit_test(a_credential_that_stays_refused_is_tried_ever_more_slowly),
        cmocka_unit_test(a_delay_of_zero_is_the_next_millisecond),
        cmocka_unit_test(giving_up_is_a_stop_with_the_reason),
        cmocka_unit_test(giving_up_after_a_loss_stops_too),
        cmocka_unit_test(no_route_and_no_dns_at_the_first_attempt_are_ordinary),
        cmocka_unit_test(a_stream_that_could_not_be_made_names_the_reason_and_is_given_back),
        cmocka_unit_test(two_clients_with_one_identity_back_off),
        cmocka_unit_test(one_early_end_is_not_called_a_take_over),
        cmocka_unit_test(a_duel_of_two_clients_ends_after_twice_the_longest_back_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
