#include "credential_fixture.h"

/* Tests a client certificate that is used instead of a token. */

enum { DAY_S = 86400, SLOW_S = 300 };

static void it_logs_in_with_a_user_name_and_without_a_password(void **state)
{
    (void)state;
    plat_identity identity = make_identity(DAY_S);
    const iothub_credential own = iothub_x509_credential(&identity);
    client_fixture f;
    init_with_credentials(&f, &own, 1);

    fixture_connect(&f);

    assert_string_equal(f.hub.client_id, "device1");
    assert_memory_equal(f.hub.user_name, "myhub.azure-devices.net/device1/?api-version=", 45);
    assert_string_equal(f.hub.password, "");
    assert_ptr_equal(fixture_stream(&f)->identity, &identity);
    fixture_free(&f);
}

static void a_module_presents_one_too(void **state)
{
    (void)state;
    plat_identity identity = make_identity(DAY_S);
    const iothub_credential own = iothub_x509_credential(&identity);
    client_fixture f;
    fixture_credentials = &own;
    fixture_credential_count = 1;
    fixture_init_as(&f, "HostName=h.net;DeviceId=d;ModuleId=m;x509=true", take_credentials);

    fixture_connect(&f);

    assert_string_equal(f.hub.client_id, "d/m");
    assert_ptr_equal(fixture_stream(&f)->identity, &identity);
    fixture_free(&f);
}

static void a_client_with_a_key_presents_no_certificate(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, NULL);
    fixture_connect(&f);

    assert_null(fixture_stream(&f)->identity);
    fixture_free(&f);
}

static void a_connection_string_with_x509_needs_a_certificate(void **state)
{
    (void)state;
    plat_identity identity = make_identity(DAY_S);
    const iothub_credential list[] = { iothub_key_credential(KEY, NULL),
                                       iothub_x509_credential(&identity) };
    static const char *const strings[] = { NAMES ";x509=true", NAMES ";X509Cert=True" };
    client_fixture f;
    fixture_init(&f, NULL);

    for (size_t i = 0; i < 2; i++) {
        for (size_t count = 0; count <= 2; count++) {
            iothub_error error;
            f.options.credentials = count > 0 ? list : NULL;
            f.options.credential_count = count;
            iothub_client *c = iothub_new(strings[i], &f.options, &error);
            assert_true((c != NULL) == (count == 2));
            if (c == NULL) {
                assert_int_equal(error.code, IOTHUB_ERR_ARG);
                assert_non_null(strstr(error.text, "iothub_x509_credential"));
            }
            iothub_free(c);
        }
    }
    fixture_free(&f);
}

/* Tests moments before, in and after the life of a certificate. */
static void outside_of_its_dates_no_connection_is_opened(void **state)
{
    (void)state;
    static const struct {
        int64_t at_s; /* seconds after the certificate's first second */
        const char *text;
    } cases[] = {
        { -DAY_S, "not valid yet: set the clock" },
        { -SLOW_S - 1, "not valid yet" },
        { -SLOW_S, NULL },
        { 0, NULL },
        { DAY_S, NULL },
        { DAY_S + 1, "has expired: pass a new one" },
        { 20 * DAY_S, "or set the clock" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plat_identity identity = make_identity(DAY_S);
        const iothub_credential own = iothub_x509_credential(&identity);
        client_fixture f;
        init_with_credentials(&f, &own, 1);
        fake_clock_set_wall(&f.platform.clock, NOW + cases[i].at_s);
        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        fixture_run(&f);

        if (cases[i].text == NULL) {
            assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        } else {
            assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_CREDENTIAL);
            assert_non_null(strstr(fixture_last_status(&f)->text, cases[i].text));
            assert_int_equal(f.platform.streams[0].calls[SCRIPTED_OPEN], 0);
        }
        fixture_free(&f);
    }
}

static void an_intermediate_that_expires_first_ends_the_whole(void **state)
{
    (void)state;
    plat_identity identity = make_identity(DAY_S);
    const iothub_credential own = iothub_x509_credential(&identity);
    client_fixture f;
    identity.info.chain_until_s = NOW + 100;
    init_with_credentials(&f, &own, 1);
    fake_clock_set_wall(&f.platform.clock, NOW + 101);

    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_CREDENTIAL);
    fixture_free(&f);
}

/* Whatever the clock showed at first, the client connects within seconds after it was set. */
static void it_connects_soon_after_the_clock_was_set(void **state)
{
    (void)state;
    static const int64_t wrong[] = { 0,           1, 1672531199, NOW - 10 * DAY_S, NOW + 10 * DAY_S,
                                     253402300799 };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        plat_identity identity = make_identity(DAY_S);
        const iothub_credential own = iothub_x509_credential(&identity);
        client_fixture f;
        init_with_credentials(&f, &own, 1);
        fake_clock_set_wall(&f.platform.clock, wrong[i]);
        assert_int_equal(iothub_start(f.client), IOTHUB_OK);
        fixture_sleep(&f, 3600000);
        assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
        assert_int_equal(f.platform.streams[0].calls[SCRIPTED_OPEN], 0);
        assert_true(f.status_count <
                    500); /* at most one attempt in 15 s on average, so there is no busy loop */

        fake_clock_set_wall(&f.platform.clock, NOW + 60);
        fixture_sleep(&f, 5000);

        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        fixture_free(&f);
    }
}

/* Times to which a clock jumps: never set, behind, ahead, the end of time. */
static const int64_t jumps[] = { 0,
                                 NOW - 3650 * (int64_t)DAY_S,
                                 NOW - 2 * DAY_S,
                                 NOW + 2 * DAY_S,
                                 NOW + 3650 * (int64_t)DAY_S,
                                 253402300799 };
enum { JUMPS = sizeof jumps / sizeof jumps[0], BEHIND = 3, END_OF_TIME = JUMPS - 1 };

static void a_clock_that_jumps_does_not_end_a_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < JUMPS; i++) {
        plat_identity identity = make_identity(DAY_S);
        const iothub_credential own = iothub_x509_credential(&identity);
        client_fixture f;
        init_with_credentials(&f, &own, 1);
        fixture_connect(&f);
        const unsigned before = f.status_count;

        fake_clock_set_wall(&f.platform.clock, jumps[i]);
        fixture_sleep(&f, 3600000);
        (void)fixture_send(&f, "during");
        fixture_run(&f);
        fake_clock_set_wall(&f.platform.clock, NOW + 3660);
        fixture_sleep(&f, 3600000);
        (void)fixture_send(&f, "after");
        fixture_run(&f);

        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        assert_int_equal(f.status_count, before);
        assert_int_equal(f.hub.connects, 1);
        assert_int_equal(f.done_count, 2);
        assert_int_equal(f.expiring_count, i < BEHIND || i == END_OF_TIME ? 0 : 1);
        fixture_free(&f);
    }
}

static void a_connection_lost_while_the_clock_is_wrong_comes_back_when_it_is_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < JUMPS; i++) {
        plat_identity identity = make_identity(DAY_S);
        const iothub_credential own = iothub_x509_credential(&identity);
        client_fixture f;
        init_with_credentials(&f, &own, 1);
        fixture_connect(&f);
        fake_clock_set_wall(&f.platform.clock, jumps[i]);
        scripted_break(fixture_stream(&f), PLAT_ERR_IO);
        (void)fixture_send(&f, "waits");
        fixture_sleep(&f, 3600000);

        assert_int_equal(iothub_get_state(f.client), IOTHUB_WAITING);
        assert_int_equal(f.hub.connects, 1);
        assert_non_null(strstr(fixture_last_status(&f)->text, "clock"));
        fake_clock_set_wall(&f.platform.clock, NOW + 3660);
        fixture_sleep(&f, 5000);

        assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
        assert_int_equal(f.done_count, 1);
        fixture_free(&f);
    }
}

static void its_end_is_announced_after_80_percent_of_its_life(void **state)
{
    (void)state;
    plat_identity identity = make_identity(1000);
    const iothub_credential own = iothub_x509_credential(&identity);
    client_fixture f;
    init_with_credentials(&f, &own, 1);
    /* The client gets the certificate in the middle of its life. */
    fake_clock_advance(&f.platform.clock, 500000);
    fixture_connect(&f);

    fixture_sleep(&f, 299999);
    assert_int_equal(f.expiring_count, 0);
    fixture_sleep(&f, 1);
    assert_int_equal(f.expiring_count, 1);
    assert_int_equal(f.seconds_left, 201);
    assert_non_null(strstr(f.log, "the client certificate expires soon"));
    fixture_sleep(&f, 200999);
    assert_int_equal(f.expiring_count, 1);
    fixture_sleep(&f, 1);
    assert_int_equal(f.expiring_count, 2);
    assert_int_equal(f.seconds_left, 0);
    fixture_sleep(&f, 3600000);
    assert_int_equal(f.expiring_count, 2);
    assert_int_equal(f.hub.connects, 1); /* the client itself closes no connection */
    fixture_free(&f);
}

static void a_refusal_names_thumbprint_and_ca(void **state)
{
    (void)state;
    plat_identity identity = make_identity(DAY_S);
    const iothub_credential own = iothub_x509_credential(&identity);
    client_fixture f;
    init_with_credentials(&f, &own, 1);
    f.hub.return_code = 5;

    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_AUTH);
    assert_non_null(strstr(fixture_last_status(&f)->text, "register the certificate's thumbprint"));
    fixture_free(&f);
}

static void an_identity_that_could_not_be_made_is_refused(void **state)
{
    (void)state;
    const iothub_credential nothing = iothub_x509_credential(NULL);

    assert_int_equal(refused_with(&nothing).code, IOTHUB_ERR_ARG);
}

static void a_platform_without_certificates_is_named(void **state)
{
    (void)state;
    plat_identity identity = make_identity(DAY_S);
    const iothub_credential own = iothub_x509_credential(&identity);
    iothub_error error;
    client_fixture f;
    fixture_init(&f, NULL);
    f.platform.platform.identities = NULL;
    f.options.credentials = &own;
    f.options.credential_count = 1;

    assert_null(iothub_new(NAMES, &f.options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_UNSUPPORTED);
    assert_non_null(strstr(error.text, "set identities to plat_posix_identities()"));
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_logs_in_with_a_user_name_and_without_a_password),
        cmocka_unit_test(a_module_presents_one_too),
        cmocka_unit_test(a_client_with_a_key_presents_no_certificate),
        cmocka_unit_test(a_connection_string_with_x509_needs_a_certificate),
        cmocka_unit_test(outside_of_its_dates_no_connection_is_opened),
        cmocka_unit_test(an_intermediate_that_expires_first_ends_the_whole),
        cmocka_unit_test(it_connects_soon_after_the_clock_was_set),
        cmocka_unit_test(a_clock_that_jumps_does_not_end_a_connection),
        cmocka_unit_test(a_connection_lost_while_the_clock_is_wrong_comes_back_when_it_is_set),
        cmocka_unit_test(its_end_is_announced_after_80_percent_of_its_life),
        cmocka_unit_test(a_refusal_names_thumbprint_and_ca),
        cmocka_unit_test(an_identity_that_could_not_be_made_is_refused),
        cmocka_unit_test(a_platform_without_certificates_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
