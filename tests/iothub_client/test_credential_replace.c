#include "credential_fixture.h"
#include "numbered_messages.h"

/* Tests iothub_set_credentials as a planned change while the client works. */

enum { DAY_S = 86400 };

typedef struct replace_rig {
    client_fixture f;
    plat_identity identities[2];
    iothub_credential own[2];       /* each one has a certificate */
    const plat_identity *refused;   /* the certificate that the hub refuses */
    const plat_identity *logged_in; /* the certificate that the hub accepted last */
    numbered_messages messages;
} replace_rig;

/* The fake hub accepts or refuses the certificate of the connection. */
static void serve(scripted_stream *s, scripted_call call, plat_result result, void *user)
{
    replace_rig *r = user;
    const unsigned before = r->f.hub.connects;

    if (call != SCRIPTED_SEND || result != PLAT_OK) {
        return;
    }
    r->f.hub.return_code = r->refused != NULL && s->identity == r->refused ? 5 : 0;
    (void)fake_hub_serve(&r->f.hub, s);
    if (r->f.hub.connects > before && r->f.hub.return_code == 0) {
        r->logged_in = s->identity;
    }
}

static void init(replace_rig *r)
{
    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < 2; i++) {
        r->identities[i] = make_identity(1000 * DAY_S);
        r->own[i] = iothub_x509_credential(&r->identities[i]);
    }
    init_with_credentials(&r->f, &r->own[0], 1);
    for (size_t i = 0; i < FAKE_STREAMS; i++) {
        r->f.platform.streams[i].after = serve;
        r->f.platform.streams[i].user = r;
    }
}

static void connect(replace_rig *r)
{
    init(r);
    fixture_connect(&r->f);
    r->f.hub.session_present = true;
    assert_ptr_equal(r->logged_in, &r->identities[0]);
}

static void send(replace_rig *r)
{
    numbered_send(&r->messages, &r->f);
}

static void assert_nothing_lost(replace_rig *r)
{
    assert_none_lost(&r->messages, &r->f);
}

static void replace(replace_rig *r, unsigned with)
{
    assert_int_equal(iothub_set_credentials(r->f.client, &r->own[with], 1), IOTHUB_OK);
}

static void assert_replaced(const replace_rig *r, unsigned with)
{
    const iothub_credentials_info info = credentials_of(&r->f);

    assert_int_equal(iothub_get_state(r->f.client), IOTHUB_CONNECTED);
    assert_ptr_equal(info.credentials, &r->own[with]);
    assert_null(info.replacement);
    assert_int_equal(info.replaced, IOTHUB_OK);
    assert_ptr_equal(r->logged_in, &r->identities[with]);
}

static void it_is_a_planned_change_with_the_new_certificate(void **state)
{
    (void)state;
    replace_rig r;
    connect(&r);
    const unsigned before = r.f.status_count;
    send(&r);

    replace(&r, 1);
    send(&r);
    fixture_run(&r.f);

    assert_replaced(&r, 1);
    assert_nothing_lost(&r);
    assert_int_equal(r.f.hub.disconnects, 1);
    for (unsigned i = before; i < r.f.status_count; i++) {
        assert_int_equal(r.f.statuses[i].reason, IOTHUB_OK);
    }
    assert_non_null(strstr(r.f.log, "the new credentials are in use"));
    fixture_free(&r.f);
}

static const plat_stage stages[] = { PLAT_STAGE_RESOLVE, PLAT_STAGE_CONNECT, PLAT_STAGE_TLS };

static void the_old_one_stays_in_use_while_the_new_connection_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        replace_rig r;
        connect(&r);
        r.f.platform.streams[1].stall_at = stages[i];
        replace(&r, 1);

        fixture_sleep(&r.f, 60000);
        send(&r);
        fixture_run(&r.f);

        assert_ptr_equal(r.logged_in, &r.identities[0]);
        assert_ptr_equal(credentials_of(&r.f).credentials, &r.own[0]);
        assert_ptr_equal(credentials_of(&r.f).replacement, &r.own[1]);
        assert_nothing_lost(&r);
        r.f.platform.streams[1].stall_at = PLAT_STAGE_OPEN;
        fixture_sleep(&r.f, 60000);
        assert_replaced(&r, 1);
        fixture_free(&r.f);
    }
}

/* The old connection breaks in each stage of the new one, and after each step of the client. */
static void a_loss_in_any_stage_loses_no_message(void **state)
{
    (void)state;
    for (unsigned refuses = 0; refuses <= 1; refuses++) {
        for (unsigned step = 0; step < 40; step++) {
            replace_rig r;
            connect(&r);
            r.refused = refuses ? &r.identities[1] : NULL;
            for (size_t i = 0; i < 2; i++) {
                r.f.platform.streams[i].stage_calls = 3;
            }
            send(&r);
            replace(&r, 1);
            for (unsigned n = 0; n < step; n++) {
                send(&r);
                assert_int_equal(iothub_process(r.f.client), IOTHUB_OK);
            }
            scripted_stream *s = fixture_stream(&r.f);
            if (s != NULL) {
                scripted_break(s, PLAT_ERR_IO);
            }
            fixture_sleep(&r.f, 120000);

            assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
            assert_ptr_equal(r.logged_in, &r.identities[refuses ? 0 : 1]);
            assert_null(credentials_of(&r.f).replacement);
            assert_nothing_lost(&r);
            fixture_free(&r.f);
        }
    }
}

static void if_the_new_one_is_refused_the_old_one_is_used_again(void **state)
{
    (void)state;
    replace_rig r;
    connect(&r);
    r.refused = &r.identities[1];
    replace(&r, 1);
    send(&r);

    fixture_sleep(&r.f, 3000);

    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_CONNECTED);
    assert_ptr_equal(r.logged_in, &r.identities[0]);
    assert_ptr_equal(credentials_of(&r.f).credentials, &r.own[0]);
    assert_null(credentials_of(&r.f).replacement);
    assert_int_equal(credentials_of(&r.f).replaced, IOTHUB_ERR_AUTH);
    /* Connections with the old credential, twice with the new one, and again with the old one. */
    assert_int_equal(r.f.hub.connects, 4);
    bool reported = false;
    for (unsigned i = 0; i < r.f.status_count; i++) {
        reported = reported || strstr(r.f.statuses[i].text, "earlier credentials are used again");
    }
    assert_true(reported);
    assert_nothing_lost(&r);
    fixture_free(&r.f);
}

/* With TLS 1.2 the hub refuses a certificate in the handshake. */
static void a_refusal_in_the_handshake_leaves_the_old_connection_alone(void **state)
{
    (void)state;
    replace_rig r;
    connect(&r);
    const unsigned before = r.f.status_count;
    scripted_fail(&r.f.platform.streams[1], SCRIPTED_PROGRESS, 1, PLAT_ERR_IDENTITY_REFUSED);
    replace(&r, 1);
    fixture_run(&r.f);
    scripted_fail(&r.f.platform.streams[1], SCRIPTED_PROGRESS, 1, PLAT_ERR_IDENTITY_REFUSED);
    fixture_sleep(&r.f, 60000);

    assert_int_equal(credentials_of(&r.f).replaced, IOTHUB_ERR_AUTH);
    assert_null(credentials_of(&r.f).replacement);
    assert_int_equal(r.f.status_count, before);
    assert_int_equal(r.f.hub.connects, 1);
    assert_non_null(strstr(r.f.log, "refused; the earlier ones stay in use"));
    fixture_sleep(&r.f, 3600000);
    assert_int_equal(r.f.hub.connects, 1); /* no further attempt is made */
    fixture_free(&r.f);
}

static unsigned memory_failures;

/* There is no memory for the certificate at first. */
static plat_result set_identity_later(plat_stream *s, plat_identity *identity)
{
    if (identity != NULL && memory_failures > 0) {
        memory_failures--;
        return PLAT_ERR_MEMORY;
    }
    ((scripted_stream *)s)->identity = identity;
    return PLAT_OK;
}

static void a_lack_of_memory_for_the_certificate_only_delays_it(void **state)
{
    (void)state;
    for (unsigned failures = 1; failures <= 8; failures++) {
        plat_stream_ops ops;
        replace_rig r;
        connect(&r);
        ops = *r.f.platform.streams[1].base.ops;
        ops.set_identity = set_identity_later;
        r.f.platform.streams[1].base.ops = &ops;
        memory_failures = failures;
        const unsigned before = r.f.status_count;
        replace(&r, 1);
        send(&r);
        fixture_run(&r.f);
        assert_ptr_equal(r.logged_in, &r.identities[0]);
        assert_int_equal(r.f.status_count, before);

        fixture_sleep(&r.f, 600000);

        assert_int_equal(memory_failures, 0);
        assert_replaced(&r, 1);
        assert_nothing_lost(&r);
        fixture_free(&r.f);
    }
}

static void an_expired_one_changes_nothing(void **state)
{
    (void)state;
    for (int overlap = 0; overlap <= 1; overlap++) {
        replace_rig r;
        init(&r);
        r.f.client->context.options.overlap = overlap == 1;
        fixture_connect(&r.f);
        r.identities[1].info.chain_until_s = NOW - 1;
        replace(&r, 1);

        fixture_sleep(&r.f, 60000);

        assert_int_equal(r.f.hub.connects, 1);
        assert_int_equal(credentials_of(&r.f).replaced, IOTHUB_ERR_CREDENTIAL);
        assert_null(credentials_of(&r.f).replacement);
        fixture_free(&r.f);
    }
}

static void without_overlap_it_works_as_well(void **state)
{
    (void)state;
    replace_rig r;
    init(&r);
    r.f.client->context.options.overlap = false;
    fixture_connect(&r.f);
    send(&r);
    replace(&r, 1);
    send(&r);
    fixture_run(&r.f);

    assert_replaced(&r, 1);
    assert_nothing_lost(&r);
    fixture_free(&r.f);
}

static void a_stopped_client_starts_with_the_new_one(void **state)
{
    (void)state;
    replace_rig r;
    init(&r);
    replace(&r, 1);
    fixture_connect(&r.f);

    assert_replaced(&r, 1);
    assert_int_equal(r.f.hub.connects, 1);
    fixture_free(&r.f);
}

static void a_waiting_client_tries_the_new_one_immediately(void **state)
{
    (void)state;
    replace_rig r;
    init(&r);
    r.refused = &r.identities[0];
    assert_int_equal(iothub_start(r.f.client), IOTHUB_OK);
    fixture_sleep(&r.f, 100000);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_WAITING);

    replace(&r, 1);
    fixture_run(&r.f);

    assert_replaced(&r, 1);
    fixture_free(&r.f);
}

static void never_answer(iothub_client *c, void *user)
{
    (void)c;
    (void)user;
}

static void a_client_that_waits_for_a_token_tries_the_new_one_immediately(void **state)
{
    (void)state;
    char memory[IOTHUB_SAS_TOKEN_SIZE];
    iothub_token_provider provider = { .request = never_answer,
                                       .memory = memory,
                                       .memory_size = sizeof memory };
    const iothub_credential own = iothub_provider_credential(&provider);
    const iothub_credential key = iothub_key_credential(KEY, NULL);
    client_fixture f;
    iothub_poll p;
    init_with_credentials(&f, &own, 1);
    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_get_state(f.client), IOTHUB_RESOLVING);
    iothub_poll_info(f.client, &p);
    assert_true(p.timeout_ms > 0);

    assert_int_equal(iothub_set_credentials(f.client, &key, 1), IOTHUB_OK);
    iothub_poll_info(f.client, &p);
    assert_int_equal(p.timeout_ms, 0);
    fixture_run(&f);

    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_ptr_equal(credentials_of(&f).credentials, &key);
    fixture_free(&f);
}

static void an_attempt_that_goes_on_is_not_disturbed(void **state)
{
    (void)state;
    replace_rig r;
    init(&r);
    r.f.platform.streams[0].stall_at = PLAT_STAGE_TLS;
    assert_int_equal(iothub_start(r.f.client), IOTHUB_OK);
    fixture_run(&r.f);
    replace(&r, 1);
    r.f.platform.streams[0].stall_at = PLAT_STAGE_OPEN;
    fixture_run(&r.f);

    assert_replaced(&r, 1);
    /* The first connection was made with the old credential. */
    assert_int_equal(r.f.hub.connects, 2);
    fixture_free(&r.f);
}

static void the_latest_of_several_replacements_counts(void **state)
{
    (void)state;
    replace_rig r;
    connect(&r);
    const iothub_credential key = iothub_key_credential(KEY, NULL);
    r.f.platform.streams[1].stall_at = PLAT_STAGE_TLS;
    assert_int_equal(iothub_set_credentials(r.f.client, &key, 1), IOTHUB_OK);
    fixture_run(&r.f);

    replace(&r, 1); /* replaces the credentials while the connection for the key is being opened */
    r.f.platform.streams[1].stall_at = PLAT_STAGE_OPEN;
    fixture_run(&r.f);

    assert_replaced(&r, 1);
    assert_int_equal(r.f.hub.connects, 2);
    fixture_free(&r.f);
}

static void during_a_login_with_new_ones_others_are_refused(void **state)
{
    (void)state;
    replace_rig r;
    connect(&r);
    r.f.hub.mute_connect = true;
    replace(&r, 1);
    fixture_run(&r.f);
    assert_int_equal(iothub_get_state(r.f.client), IOTHUB_LOGGING_IN);

    assert_int_equal(iothub_set_credentials(r.f.client, &r.own[0], 1), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(r.f.client)->text, "after the next status callback"));
    r.f.hub.mute_connect = false;
    fixture_sleep(&r.f, 60000);
    assert_replaced(&r, 1);
    fixture_free(&r.f);
}

static void what_cannot_be_used_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static char long_token[4000];
    replace_rig r;
    connect(&r);
    const int len = snprintf(long_token, sizeof long_token, "%s&skn=", device_token(3600));
    memset(long_token + len, 'p', 2000);
    const iothub_credential bad[] = {
        iothub_key_credential("not base64", NULL),
        iothub_token_credential("x"),
        iothub_x509_credential(NULL),
        iothub_token_credential(long_token),
    };
    static const iothub_result codes[] = { IOTHUB_ERR_KEY, IOTHUB_ERR_PART_INVALID, IOTHUB_ERR_ARG,
                                           IOTHUB_ERR_MEMORY };

    for (size_t i = 0; i < 4; i++) {
        const iothub_credential list[] = { r.own[1], bad[i] };
        assert_int_equal(iothub_set_credentials(r.f.client, list, 2), codes[i]);
    }
    assert_int_equal(iothub_set_credentials(r.f.client, NULL, 1), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_set_credentials(r.f.client, r.own, 0), IOTHUB_ERR_ARG);
    assert_int_equal(iothub_set_credentials(r.f.client, r.own, 17), IOTHUB_ERR_ARG);
    fixture_sleep(&r.f, 60000);
    assert_int_equal(r.f.hub.connects, 1);
    assert_null(credentials_of(&r.f).replacement);
    fixture_free(&r.f);
}

static void the_key_of_a_connection_string_can_be_replaced_and_its_renewal_ends(void **state)
{
    (void)state;
    plat_identity identity = make_identity(DAY_S);
    const iothub_credential own = iothub_x509_credential(&identity);
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    assert_null(credentials_of(&f).credentials);
    assert_int_equal(credentials_of(&f).kind, IOTHUB_CREDENTIAL_KEY);

    assert_int_equal(iothub_set_credentials(f.client, &own, 1), IOTHUB_OK);
    fixture_sleep(&f, 7200000);

    assert_int_equal(f.hub.connects, 2);
    assert_string_equal(f.hub.password, "");
    assert_int_equal(credentials_of(&f).kind, IOTHUB_CREDENTIAL_X509);
    fixture_free(&f);
}

/* A replacement that fails does not stop the renewals of the key that stays in use. */
static void a_key_that_stays_is_renewed_in_time(void **state)
{
    (void)state;
    plat_identity identity = make_identity(-1);
    const iothub_credential expired = iothub_x509_credential(&identity);
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);
    assert_int_equal(iothub_set_credentials(f.client, &expired, 1), IOTHUB_OK);
    fixture_sleep(&f, 60000);
    assert_int_equal(f.hub.connects, 1);

    fixture_sleep(&f, 2880000 - 60000);

    assert_int_equal(f.hub.connects, 2);
    assert_int_equal(credentials_of(&f).replaced, IOTHUB_ERR_CREDENTIAL);
    fixture_free(&f);
}

static void a_token_cannot_be_set_after_credentials_were(void **state)
{
    (void)state;
    const iothub_credential key = iothub_key_credential(KEY, NULL);
    client_fixture f;
    init_with_token(&f, 3600);
    fixture_connect(&f);
    assert_int_equal(iothub_set_token(f.client, device_token(7200)), IOTHUB_OK);
    fixture_run(&f);
    assert_int_equal(iothub_set_credentials(f.client, &key, 1), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(iothub_set_token(f.client, device_token(9000)), IOTHUB_ERR_STATE);
    assert_int_equal(f.hub.connects, 3);
    fixture_free(&f);
}

static void a_thousand_certificates_in_turn_lose_and_repeat_nothing(void **state)
{
    (void)state;
    replace_rig r;
    connect(&r);

    for (unsigned i = 1; i <= 1000; i++) {
        /* Each replacement uses a new certificate, in the memory of the one before the last. */
        r.identities[i % 2] = make_identity(1000 * DAY_S - i);
        send(&r);
        replace(&r, i % 2);
        send(&r);
        fixture_run(&r.f);
        assert_replaced(&r, i % 2);
        numbered_look(&r.messages, &r.f);
    }
    assert_int_equal(r.f.hub.connects, 1001);
    assert_each_once(&r.messages, &r.f);
    assert_int_equal(r.f.platform.net.made, 2);
    fixture_free(&r.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_planned_change_with_the_new_certificate),
        cmocka_unit_test(the_old_one_stays_in_use_while_the_new_connection_opens),
        cmocka_unit_test(a_loss_in_any_stage_loses_no_message),
        cmocka_unit_test(if_the_new_one_is_refused_the_old_one_is_used_again),
        cmocka_unit_test(a_refusal_in_the_handshake_leaves_the_old_connection_alone),
        cmocka_unit_test(a_lack_of_memory_for_the_certificate_only_delays_it),
        cmocka_unit_test(an_expired_one_changes_nothing),
        cmocka_unit_test(without_overlap_it_works_as_well),
        cmocka_unit_test(a_stopped_client_starts_with_the_new_one),
        cmocka_unit_test(a_waiting_client_tries_the_new_one_immediately),
        cmocka_unit_test(a_client_that_waits_for_a_token_tries_the_new_one_immediately),
        cmocka_unit_test(an_attempt_that_goes_on_is_not_disturbed),
        cmocka_unit_test(the_latest_of_several_replacements_counts),
        cmocka_unit_test(during_a_login_with_new_ones_others_are_refused),
        cmocka_unit_test(what_cannot_be_used_is_refused_and_changes_nothing),
        cmocka_unit_test(the_key_of_a_connection_string_can_be_replaced_and_its_renewal_ends),
        cmocka_unit_test(a_key_that_stays_is_renewed_in_time),
        cmocka_unit_test(a_token_cannot_be_set_after_credentials_were),
        cmocka_unit_test(a_thousand_certificates_in_turn_lose_and_repeat_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
