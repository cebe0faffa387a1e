#include "credential_fixture.h"
#include "numbered_messages.h"

/* SAS tokens that a function of the application provides, immediately or later. */

enum { HOUR_MS = 3600000 };

typedef enum answer { ANSWER_TOKEN, ANSWER_LATER, ANSWER_FAILURE } answer;

typedef struct provider_rig {
    client_fixture f;
    iothub_token_provider provider;
    iothub_credential credential;
    char memory[IOTHUB_SAS_TOKEN_SIZE];
    answer how;
    int64_t life_s;
    unsigned requests;
    unsigned progress;                    /* number of calls of progress, */
    uint32_t progress_ms;                 /* what it returns, */
    unsigned provide_after;               /* and which of these calls provides the token; 0: none */
    unsigned refuse;                      /* number of tokens that the hub refuses from now on */
    char provided[IOTHUB_SAS_TOKEN_SIZE]; /* the latest token */
    numbered_messages messages;
} provider_rig;

static provider_rig *rig_of(void *user)
{
    return user;
}

static int64_t wall_s(const provider_rig *r)
{
    return r->f.platform.clock.wall_ms / 1000;
}

static const char *new_token(provider_rig *r)
{
    snprintf(r->provided, sizeof r->provided, "%s",
             make_token(DEVICE_RESOURCE, (uint64_t)(wall_s(r) + r->life_s)));
    return r->provided;
}

static void provide(provider_rig *r)
{
    assert_int_equal(iothub_provide_token(r->f.client, new_token(r)), IOTHUB_OK);
}

static void on_request(iothub_client *c, void *user)
{
    provider_rig *r = rig_of(user);

    assert_ptr_equal(c, r->f.client);
    fixture_check_unlocked(&r->f);
    r->requests++;
    switch (r->how) {
    case ANSWER_TOKEN: provide(r); break;
    case ANSWER_FAILURE: assert_int_equal(iothub_token_failed(c, "no network"), IOTHUB_OK); break;
    case ANSWER_LATER: break;
    }
}

static uint32_t on_progress(iothub_client *c, void *user)
{
    provider_rig *r = rig_of(user);

    assert_ptr_equal(c, r->f.client);
    fixture_check_unlocked(&r->f);
    r->progress++;
    if (r->progress == r->provide_after) {
        provide(r);
    }
    return r->progress_ms;
}

static void serve(scripted_stream *s, scripted_call call, plat_result result, void *user)
{
    provider_rig *r = rig_of(user);
    const unsigned before = r->f.hub.connects;

    if (call != SCRIPTED_SEND || result != PLAT_OK) {
        return;
    }
    r->f.hub.return_code = r->refuse > 0 ? 5 : 0;
    (void)fake_hub_serve(&r->f.hub, s);
    if (r->f.hub.connects > before && r->refuse > 0) {
        r->refuse--;
    }
}

static void init(provider_rig *r, answer how)
{
    memset(r, 0, sizeof *r);
    r->how = how;
    r->life_s = 3600;
    r->provider.request = on_request;
    r->provider.user = r;
    r->provider.memory = r->memory;
    r->provider.memory_size = sizeof r->memory;
    r->credential = iothub_provider_credential(&r->provider);
    init_with_credentials(&r->f, &r->credential, 1);
    for (size_t i = 0; i < FAKE_STREAMS; i++) {
        r->f.platform.streams[i].after = serve;
        r->f.platform.streams[i].user = r;
    }
}

static void start(provider_rig *r)
{
    assert_int_equal(iothub_start(r->f.client), IOTHUB_OK);
    fixture_run(&r->f);
}

static void a_token_that_is_provided_immediately_logs_in(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_TOKEN);
    start(&r);

    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    assert_int_equal(r.requests, 1);
    assert_string_equal(r.f.hub.password, r.provided);
    assert_int_equal(credentials_of(&r.f).kind, IOTHUB_CREDENTIAL_PROVIDER);
    fixture_free(&r.f);
}

static void the_client_waits_for_a_token_that_comes_later(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_LATER);
    start(&r);
    fixture_sleep(&r.f, 50000);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_RESOLVING);
    assert_int_equal(r.requests, 1);
    assert_int_equal(r.f.platform.streams[0].calls[SCRIPTED_OPEN], 0);

    provide(&r);
    fixture_run(&r.f);

    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    for (unsigned i = 0; i < r.f.status_count; i++) {
        assert_int_equal(r.f.statuses[i].reason, IOTHUB_OK);
    }
    fixture_free(&r.f);
}

static void without_an_answer_the_request_is_repeated_with_back_off(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_LATER);
    start(&r);

    fixture_sleep(&r.f, 60000);
    assert_int_equal(fixture_last_status(&r.f)->state, IOTHUB_WAITING);
    assert_int_equal(fixture_last_status(&r.f)->reason, IOTHUB_ERR_NO_TOKEN);
    assert_non_null(strstr(r.f.log, "no answer within request_timeout_ms"));
    fixture_sleep(&r.f, HOUR_MS);
    assert_in_range(r.requests, 20, 62);

    provide(&r); /* a late answer is accepted */
    fixture_sleep(&r.f, 60000);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    fixture_free(&r.f);
}

static void a_failure_is_named_and_repeated(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_FAILURE);
    start(&r);
    assert_int_equal(fixture_last_status(&r.f)->reason, IOTHUB_ERR_NO_TOKEN);
    assert_non_null(strstr(r.f.log, "the token provider failed: no network"));
    assert_string_equal(fixture_last_status(&r.f)->text, "the token provider failed: no network");

    fixture_sleep(&r.f, HOUR_MS);
    assert_in_range(r.requests, 40, 250);
    r.how = ANSWER_TOKEN;
    fixture_sleep(&r.f, 60000);

    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    fixture_free(&r.f);
}

static void a_new_token_is_requested_after_80_percent_for_a_planned_renewal(void **state)
{
    (void)state;
    for (answer how = ANSWER_TOKEN; how <= ANSWER_LATER; how++) {
        provider_rig r;
        init(&r, ANSWER_TOKEN);
        start(&r);
        const unsigned before = r.f.status_count;
        r.how = how;
        fixture_sleep(&r.f, 2879199); /* 80 % of an hour less the second that may be over */
        assert_int_equal(r.requests, 1);
        fixture_sleep(&r.f, 1);
        assert_int_equal(r.requests, 2);
        if (how == ANSWER_LATER) { /* the old one stays in use */
            fixture_sleep(&r.f, 30000);
            assert_int_equal(r.f.hub.connects, 1);
            assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
            provide(&r);
            fixture_run(&r.f);
        }
        assert_int_equal(r.f.hub.connects, 2);
        assert_int_equal(r.f.hub.disconnects, 1);
        assert_string_equal(r.f.hub.password, r.provided);
        for (unsigned i = before; i < r.f.status_count; i++) {
            assert_int_equal(r.f.statuses[i].reason, IOTHUB_OK);
        }
        assert_int_equal(r.f.expiring_count, 0);
        fixture_free(&r.f);
    }
}

static void a_renewal_whose_request_fails_leaves_the_connection_alone(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_TOKEN);
    start(&r);
    r.how = ANSWER_FAILURE;
    const unsigned before = r.f.status_count;
    fixture_sleep(&r.f, HOUR_MS - 60000); /* 9 minutes beyond 80 % */

    assert_int_equal(r.f.status_count, before);
    assert_int_equal(r.f.hub.connects, 1);
    assert_in_range(r.requests, 10, 70);
    r.how = ANSWER_TOKEN;
    fixture_sleep(&r.f, 60000);
    assert_int_equal(r.f.hub.connects, 2);
    fixture_free(&r.f);
}

static void after_a_loss_a_valid_token_is_used_again(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_TOKEN);
    start(&r);

    fixture_cut(&r.f);
    fixture_sleep(&r.f, 2000);

    assert_int_equal(r.f.hub.connects, 2);
    assert_int_equal(r.requests, 1);
    fixture_free(&r.f);
}

static void a_refused_token_is_requested_again_immediately_once(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_TOKEN);
    r.refuse = 1;
    start(&r);
    fixture_sleep(&r.f, 1000);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    assert_int_equal(r.requests, 2);
    fixture_free(&r.f);

    init(&r, ANSWER_TOKEN);
    r.refuse = 1000;
    start(&r);
    fixture_sleep(&r.f, HOUR_MS);
    assert_in_range(r.requests, 3, 30); /* then slowly */
    assert_int_equal(r.requests, r.f.hub.connects);
    assert_int_equal(fixture_last_status(&r.f)->reason, IOTHUB_ERR_AUTH);
    fixture_free(&r.f);
}

static void a_provider_that_fails_twice_gives_way_to_the_next_credential(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_FAILURE);
    const iothub_credential list[] = { r.credential, iothub_key_credential(KEY, NULL) };
    fixture_free(&r.f);
    init_with_credentials(&r.f, list, 2);
    assert_int_equal(iothub_start(r.f.client), IOTHUB_OK);

    fixture_sleep(&r.f, 3000);

    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    assert_int_equal(credentials_of(&r.f).index, 1);
    assert_int_equal(r.requests, 2);
    fixture_free(&r.f);
}

static void progress_is_called_while_a_token_is_requested(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_LATER);
    r.provider.progress = on_progress;
    r.progress_ms = 100;
    r.provide_after = 21;
    start(&r);
    iothub_poll p;
    iothub_poll_info(r.f.client, &p);
    assert_in_range(p.timeout_ms, 1, 100);

    fixture_sleep(&r.f, 2500);

    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    assert_int_equal(r.progress, 21);
    fixture_sleep(&r.f, 60000);
    assert_int_equal(r.progress, 21);
    fixture_free(&r.f);
}

static void a_stop_ends_the_wait_for_a_token(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_LATER);
    start(&r);

    assert_int_equal(iothub_stop(r.f.client, 1000), IOTHUB_OK);
    fixture_sleep(&r.f, 1000);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_STOPPED);

    provide(&r); /* the next start uses this token */
    fixture_run(&r.f);
    start(&r);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    assert_int_equal(r.requests, 1);
    fixture_free(&r.f);
}

static void bad_tokens_are_refused_and_the_request_stays_open(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_LATER);
    start(&r);
    static char other[IOTHUB_SAS_TOKEN_SIZE];
    static char long_token[IOTHUB_SAS_TOKEN_SIZE + 300];
    snprintf(other, sizeof other, "%s",
             make_token("myhub.azure-devices.net/devices/device2", NOW + 100));
    int len = snprintf(long_token, sizeof long_token, "%s&skn=", new_token(&r));
    memset(long_token + len, 'p', sizeof long_token - (size_t)len - 1);

    assert_int_equal(iothub_provide_token(r.f.client, NULL), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_provide_token(r.f.client, "x"), IOTHUB_ERR_PART_INVALID);
    assert_int_equal(iothub_provide_token(r.f.client, other), IOTHUB_ERR_PART_INVALID);
    assert_int_equal(iothub_provide_token(r.f.client, long_token), IOTHUB_ERR_MEMORY);
    assert_int_equal(iothub_provide_token(r.f.client, device_token(0)), IOTHUB_ERR_TOKEN_EXPIRED);
    fixture_run(&r.f);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_RESOLVING);
    provide(&r);
    fixture_run(&r.f);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    fixture_free(&r.f);
}

static void without_a_provider_tokens_are_refused(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);

    assert_int_equal(iothub_provide_token(f.client, device_token(100)), IOTHUB_ERR_STATE);
    assert_int_equal(iothub_token_failed(f.client, "x"), IOTHUB_ERR_STATE);
    fixture_free(&f);
}

static void a_provider_without_its_parts_is_refused(void **state)
{
    (void)state;
    char memory[64];
    iothub_token_provider good = { .request = on_request,
                                   .memory = memory,
                                   .memory_size = sizeof memory };

    for (int fault = 0; fault < 4; fault++) {
        iothub_token_provider p = good;
        p.request = fault == 0 ? NULL : p.request;
        p.memory = fault == 1 ? NULL : p.memory;
        p.memory_size = fault == 2 ? 63 : p.memory_size;
        const iothub_credential c = iothub_provider_credential(fault == 3 ? NULL : &p);
        assert_int_equal(refused_with(&c).code, IOTHUB_ERR_ARG);
    }
}

static void without_a_clock_no_token_is_requested(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_TOKEN);
    fake_clock_set_wall(&r.f.platform.clock, 0);
    start(&r);
    assert_int_equal(fixture_last_status(&r.f)->reason, IOTHUB_ERR_NO_TIME);
    assert_int_equal(r.requests, 0);

    fake_clock_set_wall(&r.f.platform.clock, NOW);
    fixture_sleep(&r.f, 1000);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    fixture_free(&r.f);
}

static void a_clock_that_is_set_leads_to_a_new_token(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_TOKEN);
    start(&r);
    fixture_sleep(&r.f, 120000);

    fake_clock_set_wall(&r.f.platform.clock, NOW + 86400);
    fixture_sleep(&r.f, 240000);

    assert_int_equal(r.requests, 2);
    assert_int_equal(r.f.hub.connects, 2);
    assert_string_equal(r.f.hub.password, r.provided);
    fixture_free(&r.f);
}

static void a_thousand_tokens_of_three_seconds_lose_and_repeat_nothing(void **state)
{
    (void)state;
    provider_rig r;
    init(&r, ANSWER_TOKEN);
    r.life_s = 3;
    start(&r);

    for (unsigned i = 1; i <= 1000; i++) {
        r.how = i % 3 == 0 ? ANSWER_LATER : ANSWER_TOKEN;
        numbered_send(&r.messages, &r.f);
        fixture_sleep(&r.f, 1000);
        numbered_send(&r.messages, &r.f);
        fixture_sleep(&r.f, 600);
        if (r.how == ANSWER_LATER) {
            provide(&r);
            fixture_run(&r.f);
        }
        numbered_look(&r.messages, &r.f);
    }

    iothub_stats stats;
    iothub_get_stats(r.f.client, &stats);
    assert_in_range(r.requests, 1000, 1002);
    assert_in_range(r.f.hub.connects, 1000, 1001);
    assert_true(stats.losses == 0 && stats.failed_attempts == 0);
    assert_each_once(&r.messages, &r.f);
    fixture_free(&r.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_that_is_provided_immediately_logs_in),
        cmocka_unit_test(the_client_waits_for_a_token_that_comes_later),
        cmocka_unit_test(without_an_answer_the_request_is_repeated_with_back_off),
        cmocka_unit_test(a_failure_is_named_and_repeated),
        cmocka_unit_test(a_new_token_is_requested_after_80_percent_for_a_planned_renewal),
        cmocka_unit_test(a_renewal_whose_request_fails_leaves_the_connection_alone),
        cmocka_unit_test(after_a_loss_a_valid_token_is_used_again),
        cmocka_unit_test(a_refused_token_is_requested_again_immediately_once),
        cmocka_unit_test(a_provider_that_fails_twice_gives_way_to_the_next_credential),
        cmocka_unit_test(progress_is_called_while_a_token_is_requested),
        cmocka_unit_test(a_stop_ends_the_wait_for_a_token),
        cmocka_unit_test(bad_tokens_are_refused_and_the_request_stays_open),
        cmocka_unit_test(without_a_provider_tokens_are_refused),
        cmocka_unit_test(a_provider_without_its_parts_is_refused),
        cmocka_unit_test(without_a_clock_no_token_is_requested),
        cmocka_unit_test(a_clock_that_is_set_leads_to_a_new_token),
        cmocka_unit_test(a_thousand_tokens_of_three_seconds_lose_and_repeat_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
