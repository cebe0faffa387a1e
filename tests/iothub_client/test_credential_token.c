#include "credential_fixture.h"

/* Tests a ready-made token that the application passes as a credential. */

static void a_token_is_sent_without_white_space_around_it(void **state)
{
    (void)state;
    char text[IOTHUB_SAS_TOKEN_SIZE + 10];
    client_fixture f;
    snprintf(text, sizeof text, " \t%s\r\n", device_token(3600));
    const iothub_credential token = iothub_token_credential(text);
    init_with_credentials(&f, &token, 1);

    fixture_connect(&f);

    assert_string_equal(f.hub.password, device_token(3600));
    fixture_free(&f);
}

static void its_end_is_announced_at_80_percent_and_when_it_comes(void **state)
{
    (void)state;
    char text[IOTHUB_SAS_TOKEN_SIZE];
    client_fixture f;
    snprintf(text, sizeof text, "%s", device_token(1000));
    const iothub_credential token = iothub_token_credential(text);
    init_with_credentials(&f, &token, 1);
    fixture_connect(&f);

    fixture_sleep(&f, 799999);
    assert_int_equal(f.expiring_count, 0);
    fixture_sleep(&f, 1);
    assert_int_equal(f.expiring_count, 1);
    assert_int_equal(f.seconds_left, 200);
    fixture_sleep(&f, 200000);
    assert_int_equal(f.expiring_count, 2);
    assert_int_equal(f.seconds_left, 0);
    fixture_free(&f);
}

static void an_expired_token_opens_no_connection(void **state)
{
    (void)state;
    char text[IOTHUB_SAS_TOKEN_SIZE];
    client_fixture f;
    snprintf(text, sizeof text, "%s", device_token(0));
    const iothub_credential token = iothub_token_credential(text);
    init_with_credentials(&f, &token, 1);

    assert_int_equal(iothub_start(f.client), IOTHUB_OK);
    fixture_run(&f);

    assert_int_equal(fixture_last_status(&f)->reason, IOTHUB_ERR_TOKEN_EXPIRED);
    assert_int_equal(f.platform.streams[0].calls[SCRIPTED_OPEN], 0);
    fixture_free(&f);
}

static void a_token_of_any_length_logs_in_in_the_least_memory(void **state)
{
    (void)state;
    static char text[IOTHUB_SAS_TOKEN_SIZE + 400];

    for (int len = 1; len <= 300; len += 7) {
        client_fixture f;
        snprintf(text, sizeof text, "%s&skn=%0*d", device_token(3600), len, 0);
        const iothub_credential token = iothub_token_credential(text);
        init_with_credentials(&f, &token, 1);
        f.options.tx_size = 1024;
        void *memory = move_to_the_least(&f, NAMES);
        fixture_connect(&f);
        assert_string_equal(f.hub.password, text);
        fixture_free(&f);
        free(memory);
    }
}

static void a_token_that_is_none_or_for_another_device_is_refused(void **state)
{
    (void)state;
    static char other[IOTHUB_SAS_TOKEN_SIZE];
    snprintf(other, sizeof other, "%s",
             make_token("myhub.azure-devices.net/devices/device2", NOW + 100));
    const struct {
        const char *text;
        iothub_result code;
    } bad[] = {
        { NULL, IOTHUB_ERR_ARG },
        { "", IOTHUB_ERR_PART_INVALID },
        { "SharedAccessSignature sr=a&se=5", IOTHUB_ERR_PART_MISSING },
        { other, IOTHUB_ERR_PART_INVALID },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const iothub_credential token = iothub_token_credential(bad[i].text);
        const iothub_error error = refused_with(&token);
        assert_int_equal(error.code, bad[i].code);
        assert_null(strstr(error.text, "sig="));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_sent_without_white_space_around_it),
        cmocka_unit_test(its_end_is_announced_at_80_percent_and_when_it_comes),
        cmocka_unit_test(an_expired_token_opens_no_connection),
        cmocka_unit_test(a_token_of_any_length_logs_in_in_the_least_memory),
        cmocka_unit_test(a_token_that_is_none_or_for_another_device_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
