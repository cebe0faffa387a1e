#include "credential_fixture.h"

/* Expects that the password that the hub received is signed with the key. */
static void check_password(client_fixture *f)
{
    iothub_sas_token token;
    const mqc_span key = MQC_SPAN_LIT(KEY);
    iothub_error error;

    if (iothub_sas_parse(&token, mqc_span_str(f->hub.password), &error) != IOTHUB_OK ||
        iothub_sas_verify(f->platform.platform.crypto, &token, key, &error) != IOTHUB_OK) {
        fail_msg("%s", error.text);
    }
}

/* --- keys ---------------------------------------------------------------------------- */

static void a_module_logs_in_under_its_own_name(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init_as(&f, "HostName=h.net;DeviceId=dev;ModuleId=mod;SharedAccessKey=" KEY, NULL);
    fixture_connect(&f);

    assert_string_equal(f.hub.client_id, "dev/mod");
    assert_string_equal(f.hub.user_name, "h.net/dev/mod/?api-version=2021-04-12&DeviceClientType="
                                         "iothub_device%2F0.1.0");
    assert_non_null(strstr(f.hub.password, "sr=h.net%2Fdevices%2Fdev%2Fmodules%2Fmod&"));
    check_password(&f);
    fixture_free(&f);
}

static void a_device_with_the_key_of_a_policy_names_the_policy(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init_as(&f,
                    "HostName=h.net;DeviceId=dev;SharedAccessKeyName=device;SharedAccessKey=" KEY
                    ";X509Cert=False",
                    NULL);
    fixture_connect(&f);

    assert_string_equal(f.hub.client_id, "dev");
    assert_non_null(strstr(f.hub.password, "sr=h.net%2Fdevices%2Fdev&"));
    assert_non_null(strstr(f.hub.password, "&skn=device"));
    check_password(&f);
    fixture_free(&f);
}

static void a_gateway_is_dialled_and_the_hub_is_named(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init_as(
        &f, "HostName=h.net;DeviceId=dev;GatewayHostName=edge.local;SharedAccessKey=" KEY, NULL);
    fixture_connect(&f);

    assert_string_equal(fixture_stream(&f)->host, "edge.local");
    assert_int_equal(fixture_stream(&f)->port, 8883);
    assert_memory_equal(f.hub.user_name, "h.net/dev/?", 11);
    assert_non_null(strstr(f.hub.password, "sr=h.net%2Fdevices%2Fdev&"));
    assert_null(strstr(f.hub.password, "edge"));
    fixture_free(&f);
}

static void with_model(iothub_options *o)
{
    o->model_id = "dtmi:com:example:Thing;1";
    o->user_agent = "my product/2 (x)";
    o->port = 443;
}

static void model_and_user_agent_are_percent_encoded(void **state)
{
    (void)state;
    client_fixture f;
    fixture_init(&f, with_model);
    fixture_connect(&f);

    assert_string_equal(f.hub.user_name, "myhub.azure-devices.net/device1/?api-version=2021-04-12&"
                                         "DeviceClientType=my%20product%2F2%20%28x%29&"
                                         "model-id=dtmi%3Acom%3Aexample%3AThing%3B1");
    assert_int_equal(fixture_stream(&f)->port, 443);
    fixture_free(&f);
}

static char longest[129];

static void longest_model(iothub_options *o)
{
    o->model_id = longest;
}

static void the_longest_names_and_keys_fit(void **state)
{
    (void)state;
    char text[1024];
    char key[173];
    client_fixture f;

    for (int worst = 0; worst <= 1; worst++) {
        memset(longest, worst ? '%' : 'd', 128); /* '%' needs three bytes in the token */
        memset(key, 'A', 172);                   /* 128 bytes */
        key[171] = '=';
        key[172] = '\0';
        int n = snprintf(text, sizeof text, "HostName=");
        memset(text + n, 'h', 60);
        snprintf(text + n + 60, sizeof text - (size_t)n - 60,
                 ".azure-devices.net;DeviceId=%s;ModuleId=%s;SharedAccessKeyName=%s;"
                 "SharedAccessKey=%s",
                 longest, longest, longest, key);
        fixture_init_as(&f, text, longest_model);
        fixture_connect(&f);
        assert_int_equal(strlen(f.hub.client_id), 257);
        fixture_free(&f);
    }
}

/* Names of any length are either refused by iothub_init, which returns the required size, or
 * short enough for a login. */
static void names_are_refused_at_init_or_log_in(void **state)
{
    (void)state;
    static const size_t sizes[] = { IOTHUB_CLIENT_SIZE, IOTHUB_CLIENT_SIZE + 1000,
                                    IOTHUB_MEMORY_SIZE(8192, 16384, 4096) };
    char text[600];

    for (size_t len = 1; len <= 128; len += len < 8 ? 1 : 15) {
        client_fixture f;
        memset(longest, '%', len);
        longest[len] = '\0';
        snprintf(text, sizeof text,
                 "HostName=myhub.azure-devices.net;DeviceId=%s;ModuleId=%s;%s%s%s"
                 "SharedAccessKey=c2VjcmV0",
                 longest, longest, len % 2 == 0 ? "SharedAccessKeyName=" : "",
                 len % 2 == 0 ? longest : "", len % 2 == 0 ? ";" : "");
        fixture_init_as(&f, text, longest_model);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            const size_t missing = missing_of(&f, text, sizes[i]);
            assert_int_equal(missing_of(&f, text, sizes[i] + missing + 15), 0);
            assert_true(missing < 16 || missing_of(&f, text, sizes[i] + missing - 16) != 0);
        }
        fixture_connect(&f);
        assert_int_equal(strlen(f.hub.client_id), 2 * len + 1);
        fixture_free(&f);
    }
}

static void an_id_of_100_characters_needs_no_more_than_the_usual(void **state)
{
    (void)state;
    char text[300];
    client_fixture f;
    fixture_init(&f, NULL);
    memset(longest, 'd', 100);
    longest[100] = '\0';
    snprintf(text, sizeof text, "HostName=%.22s.azure-devices.net;DeviceId=%s;SharedAccessKey=" KEY,
             longest, longest);

    assert_int_equal(missing_of(&f, text, IOTHUB_MEMORY_SIZE(8192, 16384, 4096)), 0);

    f.options.rx_size = f.options.tx_size = 1024;
    f.options.request_size = 256;
    assert_int_equal(missing_of(&f, text, IOTHUB_MEMORY_SIZE(1024, 1024, 256)), 0);
    fixture_free(&f);
}

/* A token that the client makes contains the name of the policy, so its length varies. */
static void the_key_of_a_policy_logs_in_in_the_least_memory(void **state)
{
    (void)state;
    static char policy[129];
    static char text[400];

    for (size_t len = 0; len <= 128; len++) {
        client_fixture f;
        memset(policy, '%', len); /* '%' needs three bytes in the token */
        policy[len] = '\0';
        snprintf(text, sizeof text, "HostName=h.net;DeviceId=d%s%s;SharedAccessKey=" KEY,
                 len > 0 ? ";SharedAccessKeyName=" : "", policy);
        init_with_token(&f, 3600);
        f.options.tx_size = 1024;
        void *memory = move_to_the_least(&f, text);

        fixture_connect(&f);

        check_password(&f);
        assert_int_equal(strstr(f.hub.password, "&skn=") != NULL, len > 0);
        fixture_free(&f);
        free(memory);
    }
}

static plat_result sign_with_ones(const plat_crypto *self, const void *key, size_t key_len,
                                  const void *data, size_t len, uint8_t mac[32])
{
    (void)self;
    (void)key;
    (void)key_len;
    (void)data;
    (void)len;
    memset(mac, 0xFF, 32);
    return PLAT_OK;
}

/* Each '/' of the signature is percent-encoded, and the expiry has the largest number of digits. */
static void the_longest_token_logs_in_in_the_least_memory(void **state)
{
    (void)state;
    static char policy[17];
    static char text[400];

    /* Several lengths, because sizes of memory are rounded up. */
    for (size_t len = 1; len <= 16; len++) {
        client_fixture f;
        memset(policy, 'p', len);
        policy[len] = '\0';
        snprintf(text, sizeof text,
                 "HostName=h.net;DeviceId=d;SharedAccessKeyName=%s;SharedAccessKey=" KEY, policy);
        init_with_token(&f, 3600);
        f.options.tx_size = 1024;
        f.platform.crypto.base.hmac_sha256 = sign_with_ones;
        fake_clock_set_wall(&f.platform.clock,
                            /* One second before the end of 9999, since the last second counts as
                             * an unset clock. */
                            253402300798);
        void *memory = move_to_the_least(&f, text);

        fixture_connect(&f);

        assert_non_null(strstr(f.hub.password, "sig=%2F%2F"));
        assert_non_null(strstr(f.hub.password, "%2F8%3D&se=253402304398"));
        fixture_free(&f);
        free(memory);
    }
}

/* The application may free or reuse its text after the client was made. */
static void the_name_of_a_policy_is_copied_like_all_others(void **state)
{
    (void)state;
    char text[256];
    client_fixture f;
    fixture_init(&f, NULL);
    iothub_free(f.client);
    snprintf(text, sizeof text,
             "HostName=h.net;DeviceId=dev;SharedAccessKeyName=device;SharedAccessKey=%s", KEY);
    f.client = iothub_new(text, &f.options, NULL);
    assert_non_null(f.client);
    memset(text, 'x', sizeof text);

    fixture_connect(&f);

    assert_non_null(strstr(f.hub.password, "&skn=device"));
    check_password(&f);
    fixture_free(&f);
}

/* --- credentials of the options --------------------------------------------------------- */

static void a_secret_in_the_connection_string_and_one_in_the_options_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *named;
    } cases[] = {
        { NAMES ";SharedAccessKey=" KEY, "SharedAccessKey and options.credentials exclude" },
        { NAMES ";SharedAccessSignature=SharedAccessSignature sr=a&sig=YQ==&se=1",
          "SharedAccessSignature and options.credentials exclude" },
    };
    const iothub_credential key = iothub_key_credential(KEY, NULL);
    client_fixture f;
    fixture_init(&f, NULL);
    f.options.credentials = &key;
    f.options.credential_count = 1;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        iothub_error error;
        assert_null(iothub_new(cases[i].text, &f.options, &error));
        assert_int_equal(error.code, IOTHUB_ERR_PART_INVALID);
        assert_non_null(strstr(error.text, cases[i].named));
    }
    fixture_free(&f);
}

static void without_any_secret_the_key_is_missed(void **state)
{
    (void)state;
    iothub_error error;
    client_fixture f;
    fixture_init(&f, NULL);

    assert_null(iothub_new(NAMES, &f.options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_PART_MISSING);
    assert_non_null(strstr(error.text, "SharedAccessKey"));
    fixture_free(&f);
}

static void a_struct_that_nothing_made_is_no_credential(void **state)
{
    (void)state;
    const iothub_credential nothing = { .kind = IOTHUB_CREDENTIAL_NONE };
    const iothub_error error = refused_with(&nothing);

    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    assert_non_null(strstr(error.text, "iothub/credential.h"));
}

static void a_module_uses_credentials_of_the_options_too(void **state)
{
    (void)state;
    const iothub_credential key = iothub_key_credential(KEY, NULL);
    client_fixture f;
    fixture_credentials = &key;
    fixture_credential_count = 1;
    fixture_init_as(&f, "HostName=h.net;DeviceId=dev;ModuleId=mod", take_credentials);

    fixture_connect(&f);

    assert_string_equal(f.hub.client_id, "dev/mod");
    assert_non_null(strstr(f.hub.password, "sr=h.net%2Fdevices%2Fdev%2Fmodules%2Fmod&"));
    check_password(&f);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_module_logs_in_under_its_own_name),
        cmocka_unit_test(a_device_with_the_key_of_a_policy_names_the_policy),
        cmocka_unit_test(the_name_of_a_policy_is_copied_like_all_others),
        cmocka_unit_test(a_gateway_is_dialled_and_the_hub_is_named),
        cmocka_unit_test(model_and_user_agent_are_percent_encoded),
        cmocka_unit_test(the_longest_names_and_keys_fit),
        cmocka_unit_test(names_are_refused_at_init_or_log_in),
        cmocka_unit_test(an_id_of_100_characters_needs_no_more_than_the_usual),
        cmocka_unit_test(the_key_of_a_policy_logs_in_in_the_least_memory),
        cmocka_unit_test(the_longest_token_logs_in_in_the_least_memory),
        cmocka_unit_test(a_secret_in_the_connection_string_and_one_in_the_options_are_refused),
        cmocka_unit_test(without_any_secret_the_key_is_missed),
        cmocka_unit_test(a_struct_that_nothing_made_is_no_credential),
        cmocka_unit_test(a_module_uses_credentials_of_the_options_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
