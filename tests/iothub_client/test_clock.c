#include <stdio.h>

#include "client_fixture.h"
#include "connection/wall_clock.h"

/* Tests a wall clock that is set while the client runs, or that is wrong. */

#define TOKEN_STRING                                                            \
    "HostName=myhub.azure-devices.net;DeviceId=device1;SharedAccessSignature="  \
    "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fdevice1&sig=" \
    "gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=1700003600"

enum { NOW_S = 1700000000, MINUTE_MS = 60000 };

static void step_s(client_fixture *f, int64_t by_s)
{
    f->platform.clock.wall_ms += by_s * 1000;
    fixture_run(f);
}

static void a_clock_set_by_much_renews_the_token_immediately(void **state)
{
    (void)state;
    static const int64_t steps[] = { -31536000, -86400, -3600, -60, 60, 3600, 86400, 31536000 };

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        client_fixture f;
        char expiry[32];
        fixture_init(&f, NULL);
        /* Starts later, so that the clock is still valid after the step back. */
        if (steps[i] < -10000000) {
            fake_clock_set_wall(&f.platform.clock, NOW_S + 100000000);
        }
        fixture_connect(&f);
        fixture_sleep(&f, 2 * MINUTE_MS);
        unsigned statuses = f.status_count;

        step_s(&f, steps[i]);
        fixture_sleep(&f, 1000); /* a connected client looks at the wall clock once a second */

        assert_int_equal(f.hub.connects, 2);
        assert_non_null(strstr(f.log, "2 session the wall clock was set: making a new token"));
        snprintf(expiry, sizeof expiry, "&se=%lld",
                 (long long)(f.platform.clock.wall_ms / 1000 + 3600));
        char earlier[32];
        snprintf(earlier, sizeof earlier, "&se=%lld",
                 (long long)(f.platform.clock.wall_ms / 1000 + 3599));
        assert_true(strstr(f.hub.password, expiry) != NULL ||
                    strstr(f.hub.password, earlier) != NULL);
        for (unsigned n = statuses; n < f.status_count; n++) {
            assert_int_equal(f.statuses[n].reason, IOTHUB_OK);
        }
        fixture_free(&f);
    }
}

/* A time before 2023 means that the clock was never set, and a time after the year 9999 is
 * wrong. */
static void a_clock_is_set_from_2023_to_the_end_of_9999(void **state)
{
    (void)state;
    static const struct {
        int64_t wall_s;
        bool meant;
    } cases[] = {
        { INT64_MIN / 1000, false }, { -1, false },           { 0, false },
        { 1672531199, false },       { 1672531200, true },    { NOW_S, true },
        { 253402300798, true },      { 253402300799, false }, { INT64_MAX / 1000, false },
    };
    client_fixture f;
    fixture_init(&f, NULL);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        f.platform.clock.monotonic_ms = 5999;
        f.platform.clock.wall_ms = cases[i].wall_s * 1000;
        /* The wall clock minus the monotonic clock changes only when the wall clock is set. */
        assert_true(wall_clock_offset_s(f.options.platform->clock) ==
                    (cases[i].meant ? cases[i].wall_s - 5 : INT64_MIN));
    }
    fixture_free(&f);
}

static void behind_the_end_of_9999_the_clock_stands_still(void **state)
{
    (void)state;
    static const int64_t walls_s[] = { 253402300798, 253402300799, 253402300800, INT64_MAX / 1000 };

    for (size_t i = 0; i < sizeof walls_s / sizeof walls_s[0]; i++) {
        client_fixture f;
        fixture_init(&f, NULL);
        f.platform.clock.wall_ms = walls_s[i] * 1000;
        fixture_connect(&f);
        assert_non_null(strstr(f.hub.password, i == 0 ? "&se=253402304398" : "&se=253402304399"));
        fixture_free(&f);
    }
}

static void without_a_clock_it_is_looked_at_once_a_second(void **state)
{
    (void)state;
    client_fixture f;
    iothub_poll p;
    fixture_init(&f, NULL);
    fake_clock_set_wall(&f.platform.clock, 0);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_NO_TIME);
    /* Postpones the attempt, since its delay is random. */
    f.client->session.changeover.channels[0].stage.deadline += 1000000;

    for (int n = 0; n < 20; n++) {
        iothub_poll_info(f.client, &p);
        assert_int_equal(p.timeout_ms, 1000);
        fixture_sleep(&f, 1000);
    }
    fake_clock_set_wall(&f.platform.clock, NOW_S);
    fixture_sleep(&f, 999);
    assert_int_equal(f.hub.connects, 0);
    fixture_sleep(&f, 1);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

/* While it waits for half an hour, the client wakes only to look at the clock. */
static void a_refused_client_looks_at_the_clock_every_five_seconds(void **state)
{
    (void)state;
    client_fixture f;
    iothub_poll p;
    fixture_init(&f, NULL);
    f.hub.return_code = 5;
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    /* The second attempt comes before the first look at the clock. */
    iothub_poll_info(f.client, &p);
    assert_int_equal(p.timeout_ms, (int)fixture_last_status(&f)->retry_in_ms);
    fixture_sleep(&f, 2000);
    assert_int_equal(f.hub.connects, 2);
    /* Postpones the attempt, since its delay is random. */
    f.client->session.changeover.channels[0].stage.deadline += 1000000;

    iothub_poll_info(f.client, &p);
    fixture_sleep(&f, (uint64_t)p.timeout_ms);
    for (int n = 0; n < 20; n++) {
        iothub_poll_info(f.client, &p);
        assert_int_equal(p.timeout_ms, 5000);
        fixture_sleep(&f, 5000);
    }
    assert_int_equal(f.hub.connects, 2);
    fixture_free(&f);
}

static void drift_is_no_reason_to_renew(void **state)
{
    (void)state;
    for (int64_t by_s = -5; by_s <= 5; by_s++) {
        client_fixture f;
        fixture_init(&f, NULL);
        fixture_connect(&f);
        fixture_sleep(&f, 2 * MINUTE_MS);

        step_s(&f, by_s);
        fixture_sleep(&f, 10 * MINUTE_MS);

        assert_int_equal(f.hub.connects, 1);
        fixture_free(&f);
    }
}

static void a_clock_that_flaps_renews_once_a_minute_at_most(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    for (int s = 0; s < 1200; s++) {
        step_s(&f, s % 2 == 0 ? 7200 : -7200);
        fixture_sleep(&f, 1000);
    }

    assert_in_range(f.hub.connects, 5, 22);
    for (unsigned n = 0; n < f.status_count && n < FIXTURE_LOG; n++) {
        assert_int_equal(f.statuses[n].reason, IOTHUB_OK);
    }
    fixture_free(&f);
}

static void no_overlap(iothub_options *o)
{
    o->overlap = false;
}

static void a_clock_that_is_lost_keeps_the_connection(void **state)
{
    (void)state;
    for (int overlap = 0; overlap < 2; overlap++) {
        client_fixture f;
        iothub_poll p;
        fixture_init(&f, overlap ? NULL : no_overlap);
        fixture_connect(&f);
        fixture_sleep(&f, 2 * MINUTE_MS);

        fake_clock_set_wall(&f.platform.clock, 0);
        /* This is later than the time of the renewal, which is impossible without a clock. */
        fixture_sleep(&f, 100 * MINUTE_MS);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        assert_int_equal(f.hub.connects, 1);
        iothub_poll_info(f.client, &p);
        assert_true(p.timeout_ms > 0);
        fake_clock_set_wall(&f.platform.clock, NOW_S + 6000);
        fixture_sleep(&f, MINUTE_MS);

        assert_int_equal(f.hub.connects, 2);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        fixture_free(&f);
    }
}

/* The delay until the time is known does not matter. */
static void a_clock_that_becomes_valid_late_is_seen_within_a_second(void **state)
{
    (void)state;
    static const uint64_t late_ms[] = { 100, 3000, 59999, 3600000, 86400000 };

    for (size_t i = 0; i < sizeof late_ms / sizeof late_ms[0]; i++) {
        for (int64_t before_s = 0; before_s < NOW_S; before_s += 800000000) { /* 1970, 1995 */
            client_fixture f;
            fixture_init(&f, NULL);
            fake_clock_set_wall(&f.platform.clock, before_s);
            assert_int_equal(iothub_start(f.client), IOTHUB_OK);
            fixture_run(&f);
            assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_NO_TIME);
            fixture_sleep(&f, late_ms[i]);
            assert_int_equal(f.hub.connects, 0);

            fake_clock_set_wall(&f.platform.clock, NOW_S);
            fixture_sleep(&f, 1000);

            assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
            fixture_free(&f);
        }
    }
}

static void failures_that_a_wrong_clock_makes_are_over_when_it_is_set(void **state)
{
    (void)state;
    for (int refused = 0; refused < 2; refused++) {
        client_fixture f;
        fixture_init(&f, NULL);
        scripted_stream *s = &f.platform.streams[0];
        f.hub.return_code = refused ? 5 : 0;
        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        for (int n = 0; n < 4; n++) {
            scripted_fail(s, SCRIPTED_PROGRESS, refused ? 0 : 1, PLAT_ERR_CERT_DATE);
            (void)iothub_reconnect_now(f.client);
            fixture_run(&f);
        }
        assert_int_equal(fixture_last_status(&f)->reason,
                         refused ? IOTHUB_ERR_AUTH : IOTHUB_ERR_TLS_DATE);

        f.hub.return_code = 0;
        scripted_fail(s, SCRIPTED_ANY, 0, PLAT_OK);
        step_s(&f, 86400);
        fixture_sleep(&f, 5000);

        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        fixture_free(&f);
    }
}

static void a_flapping_clock_does_not_hammer_a_hub_that_refuses(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    f.hub.return_code = 5;
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);

    for (int s = 0; s < 600; s++) {
        step_s(&f, s % 2 == 0 ? 7200 : -7200);
        fixture_sleep(&f, 1000);
    }

    assert_in_range(f.hub.connects, 2, 600 / 5 + 3);
    fixture_free(&f);
}

static void the_notice_of_a_given_token_follows_the_clock(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init_as(&f, TOKEN_STRING, NULL);
    fixture_connect(&f);
    fixture_sleep(&f, MINUTE_MS);
    assert_int_equal(f.expiring_count, 0);

    step_s(&f, 3500); /* the token is valid for 40 s more */
    fixture_sleep(&f, 32000);
    assert_int_equal(f.expiring_count, 1);
    assert_in_range(f.seconds_left, 1, 9);

    step_s(&f, -3500); /* sets the wall clock right again */
    fixture_sleep(&f, 2700 * 1000);
    assert_int_equal(f.expiring_count, 1);
    fixture_sleep(&f, 200 * 1000);
    assert_int_equal(f.expiring_count, 2);

    step_s(&f, 86400);
    assert_int_equal(f.seconds_left, 0);
    /* Only the hub decides whether the token has expired. */
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

static void an_expired_token_is_good_again_when_the_clock_was_wrong(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init_as(&f, TOKEN_STRING, NULL);
    step_s(&f, 86400);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_sleep(&f, 2000000);
    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_TOKEN_EXPIRED);

    fake_clock_set_wall(&f.platform.clock, NOW_S);
    fixture_sleep(&f, 5000);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    fixture_free(&f);
}

/* The clock jumps from each of these times to each other one, in each phase of a client's life. */
static const int64_t extremes[] = { -1000000000000000,
                                    -1,
                                    0,
                                    1,
                                    1672531199, /* the last time that counts as an unset clock */
                                    1672531200,
                                    NOW_S,
                                    2147483647, /* 2038 */
                                    2147483648,
                                    4294967295, /* 2106 */
                                    4294967296,
                                    253402300799, /* 9999 */
                                    253402300800,
                                    9000000000000000 };

static void no_year_overflows(void **state)
{
    (void)state;
    enum { COUNT = sizeof extremes / sizeof extremes[0] };

    for (size_t from = 0; from < COUNT; from++) {
        for (size_t to = 0; to < 2 * COUNT; to++) {
            client_fixture f;
            fixture_init_as(&f, to % 2 ? TOKEN_STRING : NULL, NULL);
            fake_clock_set_wall(&f.platform.clock, extremes[from]);
            assert_int_equal(iothub_start(f.client), IOTHUB_OK);
            fixture_sleep(&f, 2 * MINUTE_MS);

            fake_clock_set_wall(&f.platform.clock, extremes[to / 2]);
            fixture_sleep(&f, 61 * MINUTE_MS);
            assert_in_range(f.hub.connects, 0, 6);
            assert_in_range(f.expiring_count, 0, 6);
            bool named = fixture_last_status(&f)->reason == IOTHUB_ERR_NO_TIME ||
                         fixture_last_status(&f)->reason == IOTHUB_ERR_TOKEN_EXPIRED;
            assert_true(iothub_get_state(f.client) == IOTHUB_CONNECTED || named);

            fake_clock_set_wall(&f.platform.clock, NOW_S);
            fixture_sleep(&f, 2 * MINUTE_MS);
            assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
            fixture_free(&f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_set_by_much_renews_the_token_immediately),
        cmocka_unit_test(a_clock_is_set_from_2023_to_the_end_of_9999),
        cmocka_unit_test(a_refused_client_looks_at_the_clock_every_five_seconds),
        cmocka_unit_test(without_a_clock_it_is_looked_at_once_a_second),
        cmocka_unit_test(behind_the_end_of_9999_the_clock_stands_still),
        cmocka_unit_test(drift_is_no_reason_to_renew),
        cmocka_unit_test(a_clock_that_flaps_renews_once_a_minute_at_most),
        cmocka_unit_test(a_clock_that_is_lost_keeps_the_connection),
        cmocka_unit_test(a_clock_that_becomes_valid_late_is_seen_within_a_second),
        cmocka_unit_test(failures_that_a_wrong_clock_makes_are_over_when_it_is_set),
        cmocka_unit_test(a_flapping_clock_does_not_hammer_a_hub_that_refuses),
        cmocka_unit_test(the_notice_of_a_given_token_follows_the_clock),
        cmocka_unit_test(an_expired_token_is_good_again_when_the_clock_was_wrong),
        cmocka_unit_test(no_year_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
