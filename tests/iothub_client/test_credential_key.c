#include "credential_fixture.h"

/* Tests a shared access key that the application passes as a credential. */

static void check_signature(client_fixture *f, const char *key)
{
    iothub_sas_token token;

    assert_int_equal(iothub_sas_parse(&token, mqc_span_str(f->hub.password), NULL), IOTHUB_OK);
    assert_int_equal(
        iothub_sas_verify(f->platform.platform.crypto, &token, mqc_span_str(key), NULL), IOTHUB_OK);
}

static void a_key_logs_in_like_the_same_key_in_the_connection_string(void **state)
{
    (void)state;
    const iothub_credential key = iothub_key_credential(KEY, NULL);
    char expected[IOTHUB_SAS_TOKEN_SIZE];
    client_fixture f;
    fixture_init_as(&f, NAMES ";SharedAccessKey=" KEY, NULL);
    fixture_connect(&f);
    snprintf(expected, sizeof expected, "%s", f.hub.password);
    fixture_free(&f);

    init_with_credentials(&f, &key, 1);
    fixture_connect(&f);

    assert_string_equal(f.hub.password, expected);
    fixture_free(&f);
}

static void the_tokens_of_a_key_are_renewed(void **state)
{
    (void)state;
    const iothub_credential key = iothub_key_credential(KEY, NULL);
    client_fixture f;
    init_with_credentials(&f, &key, 1);
    fixture_connect(&f);

    fixture_sleep(&f, 2880000);

    assert_int_equal(f.hub.connects, 2);
    assert_non_null(strstr(f.hub.password, "&se=1700006480"));
    assert_int_equal(f.expiring_count, 0);
    fixture_free(&f);
}

static void the_name_of_its_policy_is_in_the_token(void **state)
{
    (void)state;
    const iothub_credential key = iothub_key_credential(KEY, "device");
    client_fixture f;
    init_with_credentials(&f, &key, 1);
    fixture_connect(&f);

    assert_non_null(strstr(f.hub.password, "&skn=device"));
    check_signature(&f, KEY);
    fixture_free(&f);
}

/* The client needs as much memory as the longest token takes. */
static void a_policy_of_any_length_logs_in_in_the_least_memory(void **state)
{
    (void)state;
    static char policy[130];

    for (size_t len = 0; len <= 129; len++) {
        client_fixture f;
        memset(policy, '%', len);
        policy[len] = '\0';
        const iothub_credential key = iothub_key_credential(KEY, policy);
        if (len > 128) {
            assert_int_equal(refused_with(&key).code, IOTHUB_ERR_PART_INVALID);
            continue;
        }
        init_with_credentials(&f, &key, 1);
        f.options.tx_size = 1024;
        void *memory = move_to_the_least(&f, NAMES);
        fixture_connect(&f);
        check_signature(&f, KEY);
        fixture_free(&f);
        free(memory);
    }
}

static void a_key_that_is_none_is_refused_and_never_shown(void **state)
{
    (void)state;
    static char long_key[1024 / 3 * 4 + 9];
    memset(long_key, 'A', sizeof long_key - 1);
    static const char *const bad[] = { NULL, "", "c2VjcmV0c", "c2VjcmV0 ", long_key };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const iothub_credential key = iothub_key_credential(bad[i], NULL);
        const iothub_error error = refused_with(&key);
        assert_int_equal(error.code, IOTHUB_ERR_KEY);
        assert_null(strstr(error.text, "c2Vj"));
    }
}

static void a_token_cannot_replace_a_key(void **state)
{
    (void)state;
    const iothub_credential key = iothub_key_credential(KEY, NULL);
    client_fixture f;
    init_with_credentials(&f, &key, 1);

    assert_int_equal(iothub_set_token(f.client, device_token(100)), IOTHUB_ERR_STATE);
    assert_non_null(strstr(iothub_last_error(f.client)->text, "iothub_set_credentials"));
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_logs_in_like_the_same_key_in_the_connection_string),
        cmocka_unit_test(the_tokens_of_a_key_are_renewed),
        cmocka_unit_test(the_name_of_its_policy_is_in_the_token),
        cmocka_unit_test(a_policy_of_any_length_logs_in_in_the_least_memory),
        cmocka_unit_test(a_key_that_is_none_is_refused_and_never_shown),
        cmocka_unit_test(a_token_cannot_replace_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
