#include "credential_fixture.h"

/* Tests several credentials in order: an operational certificate, then the certificate from the
 * factory. */

enum { DAY_S = 86400, HOUR_MS = 3600000 };

typedef struct order_rig {
    client_fixture f;
    plat_identity identities[3];
    iothub_credential list[3];
    const plat_identity *refused[3]; /* certificates that the hub refuses; NULL: no more */
    unsigned attempts[3];            /* number of logins with each certificate */
} order_rig;

static bool is_refused(const order_rig *r, const plat_identity *identity)
{
    for (size_t i = 0; i < 3; i++) {
        if (r->refused[i] != NULL && r->refused[i] == identity) {
            return true;
        }
    }
    return false;
}

/* The fake hub accepts or refuses the certificate of the connection. */
static void serve(scripted_stream *s, scripted_call call, plat_result result, void *user)
{
    order_rig *r = user;
    const unsigned before = r->f.hub.connects;

    if (call != SCRIPTED_SEND || result != PLAT_OK) {
        return;
    }
    r->f.hub.return_code = is_refused(r, s->identity) ? 5 : 0;
    (void)fake_hub_serve(&r->f.hub, s);
    for (size_t i = 0; i < 3; i++) {
        r->attempts[i] += s->identity == &r->identities[i] ? r->f.hub.connects - before : 0;
    }
}

static void init(order_rig *r, size_t count)
{
    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < 3; i++) {
        r->identities[i] = make_identity(1000 * DAY_S);
        r->list[i] = iothub_x509_credential(&r->identities[i]);
    }
    init_with_credentials(&r->f, r->list, count);
    for (size_t i = 0; i < FAKE_STREAMS; i++) {
        r->f.platform.streams[i].after = serve;
        r->f.platform.streams[i].user = r;
    }
}

static void start(order_rig *r)
{
    assert_int_equal(iothub_start(r->f.client), IOTHUB_OK);
    fixture_run(&r->f);
}

static void assert_uses(const order_rig *r, unsigned index)
{
    const iothub_credentials_info info = credentials_of(&r->f);

    assert_int_equal(iothub_get_state(r->f.client), IOTHUB_CONNECTED);
    assert_int_equal(info.index, index);
    assert_int_equal(info.kind, IOTHUB_CREDENTIAL_X509);
    assert_ptr_equal(info.credentials, r->list);
    assert_null(info.replacement);
}

static void the_first_that_works_is_used(void **state)
{
    (void)state;
    order_rig r;
    init(&r, 3);
    start(&r);

    assert_uses(&r, 0);
    assert_int_equal(r.f.hub.connects, 1);
    fixture_free(&r.f);
}

static void the_next_one_follows_two_refusals_within_seconds(void **state)
{
    (void)state;
    for (unsigned bad = 1; bad <= 2; bad++) {
        order_rig r;
        init(&r, 3);
        for (unsigned i = 0; i < bad; i++) {
            r.refused[i] = &r.identities[i];
        }
        start(&r);
        fixture_sleep(&r.f, 4000);

        assert_uses(&r, bad);
        for (unsigned i = 0; i < 3; i++) {
            /* Only the first one gets a second attempt; after that it counts as refused, and the
             * next ones get one attempt. */
            assert_int_equal(r.attempts[i], i > bad ? 0 : i == 0 ? 2 : 1);
        }
        fixture_free(&r.f);
    }
}

static void one_refusal_is_an_accident(void **state)
{
    (void)state;
    order_rig r;
    init(&r, 2);
    r.refused[0] = &r.identities[0];
    start(&r);
    r.refused[0] = NULL;

    fixture_sleep(&r.f, 1000);

    assert_uses(&r, 0);
    fixture_free(&r.f);
}

static void an_expired_one_is_passed_over_without_a_connection(void **state)
{
    (void)state;
    order_rig r;
    init(&r, 2);
    r.identities[0].info.chain_until_s = NOW - 1;
    start(&r);
    assert_int_equal(fixture_last_status(&r.f)->reason, IOTHUB_ERR_CREDENTIAL);

    fixture_sleep(&r.f, 1000);

    assert_uses(&r, 1);
    assert_int_equal(r.f.hub.connects, 1);
    fixture_free(&r.f);
}

static void a_network_that_fails_says_nothing_about_a_credential(void **state)
{
    (void)state;
    order_rig r;
    init(&r, 2);
    r.f.hub.mute_connect = true;
    start(&r);

    fixture_sleep(&r.f, HOUR_MS);
    assert_int_equal(credentials_of(&r.f).index, 0);
    assert_int_equal(r.attempts[1], 0);
    fixture_free(&r.f);
}

static void when_all_are_refused_the_rounds_become_slow(void **state)
{
    (void)state;
    order_rig r;
    init(&r, 3);
    for (size_t i = 0; i < 3; i++) {
        r.refused[i] = &r.identities[i];
    }
    start(&r);
    fixture_sleep(&r.f, 10000);
    const unsigned soon = r.f.hub.connects;

    fixture_sleep(&r.f, 24 * HOUR_MS);

    assert_in_range(soon, 4, 8);
    /* The client makes three attempts about twice an hour. */
    assert_in_range(r.f.hub.connects, 30, 400);
    for (size_t i = 0; i < 3; i++) {
        assert_in_range(r.attempts[i], 10, 140);
    }
    assert_int_equal(fixture_last_status(&r.f)->reason, IOTHUB_ERR_AUTH);
    memset(r.refused, 0, sizeof r.refused);
    fixture_sleep(&r.f, HOUR_MS + 60000);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    fixture_free(&r.f);
}

static void after_a_loss_the_first_is_tried_again_but_not_within_an_hour(void **state)
{
    (void)state;
    order_rig r;
    init(&r, 2);
    r.refused[0] = &r.identities[0];
    start(&r);
    fixture_sleep(&r.f, 2000);
    assert_uses(&r, 1);
    const unsigned before = r.attempts[0];

    fixture_cut(&r.f);
    fixture_sleep(&r.f, 60000);
    assert_uses(&r, 1);
    assert_int_equal(r.attempts[0], before);

    fixture_sleep(&r.f, HOUR_MS);
    assert_uses(&r, 1); /* a connection that works is left alone */
    assert_int_equal(r.f.hub.connects, before + 2);
    r.refused[0] = NULL;
    fixture_cut(&r.f);
    fixture_sleep(&r.f, 60000);
    assert_uses(&r, 0);
    fixture_free(&r.f);
}

static void a_clock_that_is_set_makes_the_first_valid_again(void **state)
{
    (void)state;
    order_rig r;
    init(&r, 2);
    r.identities[0].info.not_before_s = NOW + DAY_S;
    start(&r);
    fixture_sleep(&r.f, 1000);
    assert_uses(&r, 1);

    fake_clock_set_wall(&r.f.platform.clock, NOW + DAY_S + 10);
    fixture_sleep(&r.f, 240000); /* an idle client notices the new time at its next wake-up */

    assert_uses(&r, 0);
    /* The client changed to the new connection with DISCONNECT. */
    assert_int_equal(r.f.hub.disconnects, 1);
    fixture_free(&r.f);
}

static void kinds_may_be_mixed(void **state)
{
    (void)state;
    plat_identity identity = make_identity(DAY_S);
    char token[IOTHUB_SAS_TOKEN_SIZE];
    client_fixture f;
    snprintf(token, sizeof token, "%s", device_token(0)); /* expired */
    identity.info.chain_until_s = NOW - 1;                /* expired as well */
    const iothub_credential list[] = { iothub_token_credential(token),
                                       iothub_x509_credential(&identity),
                                       iothub_key_credential(KEY, NULL) };
    init_with_credentials(&f, list, 3);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);

    fixture_sleep(&f, 4000);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_int_equal(credentials_of(&f).index, 2);
    assert_int_equal(credentials_of(&f).kind, IOTHUB_CREDENTIAL_KEY);
    assert_memory_equal(f.hub.password, "SharedAccessSignature ", 22);
    assert_null(fixture_stream(&f)->identity);
    fixture_sleep(&f, 2 * HOUR_MS); /* the tokens of the key are renewed */
    assert_int_equal(f.hub.connects, 3);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_works_is_used),
        cmocka_unit_test(the_next_one_follows_two_refusals_within_seconds),
        cmocka_unit_test(one_refusal_is_an_accident),
        cmocka_unit_test(an_expired_one_is_passed_over_without_a_connection),
        cmocka_unit_test(a_network_that_fails_says_nothing_about_a_credential),
        cmocka_unit_test(when_all_are_refused_the_rounds_become_slow),
        cmocka_unit_test(after_a_loss_the_first_is_tried_again_but_not_within_an_hour),
        cmocka_unit_test(a_clock_that_is_set_makes_the_first_valid_again),
        cmocka_unit_test(kinds_may_be_mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
