#include "provisioning_fixture.h"

#include <stdlib.h>

#include "provisioning/request.h"

/* Tests how the options of a registration are checked and copied. */

static iothub_result take(const iothub_provisioning_options *p, iothub_error *error)
{
    fake_platform platform;
    dps_request r;
    dps_room room;

    fake_platform_init(&platform);
    dps_room_init(&room, NULL, 0);
    iothub_result result = dps_request_take(&r, p, &platform.platform, &room, error);
    fake_platform_free(&platform);
    return result;
}

static iothub_provisioning_options good(void)
{
    iothub_provisioning_options p;

    iothub_provisioning_options_init(&p);
    p.id_scope = "0ne1";
    p.registration_id = "sn-007";
    p.key = K32;
    return p;
}

static void the_defaults_are_those_of_the_header(void **state)
{
    iothub_provisioning_options p;
    (void)state;

    iothub_provisioning_options_init(&p);
    assert_string_equal(p.host, "global.azure-devices-provisioning.net");
    assert_int_equal(p.port, 0);
    assert_string_equal(p.api_version, "2021-06-01");
    assert_int_equal(p.answer_size, 4096);
    assert_int_equal(p.assign_timeout_ms, 600000);
    assert_int_equal(p.register_after, 10);
    assert_null(p.cache);
    iothub_provisioning_options_init(NULL);
}

static void each_wrong_option_is_named(void **state)
{
    static char long_payload[IOTHUB_PROVISIONING_PAYLOAD_MAX + 2];
    iothub_provisioning_options wrong[15];
    static const char *const names[] = {
        "id_scope",
        "registration_id",
        "id scope",
        "registration id",
        "group_key and credential",
        "group_key and credential",
        "base64",
        "base64",
        "payload",
        "payload",
        "host",
        "api_version",
        "answer_size",
        "assign_timeout_ms",
        "register_after",
    };
    iothub_error error;
    (void)state;

    memset(long_payload, ' ', sizeof long_payload - 1);
    for (size_t i = 0; i < 15; i++) {
        wrong[i] = good();
    }
    wrong[0].id_scope = NULL;
    wrong[1].registration_id = "";
    wrong[2].id_scope = "0ne 1";
    wrong[3].registration_id = "a#b";
    wrong[4].key = NULL;
    wrong[5].group_key = K32;
    wrong[6].key = "secret";
    wrong[7].key = NULL;
    wrong[7].group_key = "secret";
    wrong[8].payload = "{";
    wrong[9].payload = long_payload;
    wrong[10].host = "a host";
    wrong[11].api_version = "2021 06";
    wrong[12].answer_size = 1023;
    wrong[13].assign_timeout_ms = 0;
    wrong[14].register_after = 0;
    for (size_t i = 0; i < 15; i++) {
        assert_true(take(&wrong[i], &error) != IOTHUB_OK);
        assert_non_null(strstr(error.text, names[i]));
        assert_null(strstr(error.text, "secret"));
    }
    assert_int_equal(take(NULL, &error), IOTHUB_ERR_ARG);
    memset(&wrong[0], 0, sizeof wrong[0]);
    assert_int_equal(take(&wrong[0], &error), IOTHUB_ERR_ARG);
    assert_non_null(strstr(error.text, "iothub_provisioning_options_init"));
    const iothub_provisioning_options p = good();
    assert_int_equal(take(&p, &error), IOTHUB_OK);
}

static void texts_are_copied_and_the_group_key_is_not_kept(void **state)
{
    char id[] = "sn-007";
    char key[] = K32;
    iothub_provisioning_options p = good();
    fake_platform platform;
    dps_request r;
    dps_room room;
    (void)state;

    fake_platform_init(&platform);
    p.registration_id = id;
    p.key = NULL;
    p.group_key = key;
    dps_room_init(&room, NULL, 0);
    assert_int_equal(dps_request_take(&r, &p, &platform.platform, &room, NULL), IOTHUB_OK);
    const size_t needed = room.needed;
    char *memory = calloc(1, needed);
    dps_room_init(&room, memory, needed);
    assert_int_equal(dps_request_take(&r, &p, &platform.platform, &room, NULL), IOTHUB_OK);
    memset(id, '?', sizeof id - 1);
    memset(key, '?', sizeof key - 1);
    assert_string_equal(r.options.registration_id, "sn-007");
    assert_null(r.options.group_key);
    assert_int_equal(r.key.len, 44);
    for (size_t i = 0; i + 8 < needed; i++) {
        assert_memory_not_equal(memory + i, K32, 8);
    }
    free(memory);
    fake_platform_free(&platform);
}

/* Returns a certificate of a device with this common name. */
static plat_identity certificate_of(const char *common_name)
{
    plat_identity identity;

    memset(&identity, 0, sizeof identity);
    memcpy(identity.info.common_name, common_name, strlen(common_name) + 1);
    return identity;
}

static void a_certificate_must_be_for_the_registration_id(void **state)
{
    plat_identity right = certificate_of("SN-007");
    plat_identity wrong = certificate_of("sn-008");
    plat_identity nameless = certificate_of("");
    const iothub_credential credentials[] = { iothub_x509_credential(&right),
                                              iothub_x509_credential(&wrong),
                                              iothub_x509_credential(&nameless),
                                              iothub_x509_credential(NULL) };
    static const iothub_result results[] = { IOTHUB_OK, IOTHUB_ERR_CREDENTIAL,
                                             IOTHUB_ERR_CREDENTIAL, IOTHUB_ERR_ARG };
    iothub_provisioning_options p = good();
    iothub_error error;
    (void)state;

    p.key = NULL;
    for (size_t i = 0; i < 4; i++) {
        p.credential = &credentials[i];
        assert_int_equal(take(&p, &error), results[i]);
    }
    p.credential = &credentials[1];
    (void)take(&p, &error);
    assert_non_null(strstr(error.text, "sn-008"));
    p.key = K32;
    assert_int_equal(take(&p, &error), IOTHUB_ERR_ARG);
}

static void a_key_may_come_as_a_credential_and_a_token_may_not(void **state)
{
    const iothub_credential key = iothub_key_credential(K32, NULL);
    const iothub_credential broken = iothub_key_credential(NULL, NULL);
    const iothub_credential token = iothub_token_credential("SharedAccessSignature sr=x");
    iothub_provisioning_options p = good();
    (void)state;

    p.key = NULL;
    p.credential = &key;
    assert_int_equal(take(&p, NULL), IOTHUB_OK);
    p.credential = &broken;
    assert_int_equal(take(&p, NULL), IOTHUB_ERR_KEY);
    p.credential = &token;
    assert_int_equal(take(&p, NULL), IOTHUB_ERR_UNSUPPORTED);
}

static void an_older_struct_keeps_the_defaults_of_what_it_lacks(void **state)
{
    iothub_provisioning_options p = good();
    fake_platform platform;
    dps_request r;
    dps_room room;
    (void)state;

    fake_platform_init(&platform);
    p.struct_size = offsetof(iothub_provisioning_options, payload);
    p.answer_size = 0; /* ignored, because this member lies behind the end of the struct */
    dps_room_init(&room, NULL, 0);
    assert_int_equal(dps_request_take(&r, &p, &platform.platform, &room, NULL), IOTHUB_OK);
    assert_int_equal(r.options.answer_size, 4096);
    fake_platform_free(&platform);
}

static iothub_provisioning_options with_request(const char *csr)
{
    iothub_provisioning_options p = good();

    p.csr = csr;
    p.api_version = "2025-07-01-preview";
    return p;
}

static void a_certificate_request_is_base64_of_limited_length(void **state)
{
    static char csr[IOTHUB_CSR_MAX + 5];
    iothub_provisioning_options p = with_request(csr);
    iothub_error error;
    (void)state;

    memset(csr, 'A', IOTHUB_CSR_MAX);
    assert_int_equal(take(&p, &error), IOTHUB_OK);
    memset(csr, 'A', IOTHUB_CSR_MAX + 4);
    assert_int_equal(take(&p, &error), IOTHUB_ERR_TOO_BIG);
    static const char *const wrong[] = { "", "MAA", "MAA=\n",
                                         "MA\"=", "-----BEGIN CERTIFICATE REQUEST-----" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        p.csr = wrong[i];
        assert_int_equal(take(&p, &error), IOTHUB_ERR_ARG);
        assert_non_null(strstr(error.text, "csr is not base64"));
    }
}

static void a_certificate_request_needs_a_preview_of_the_service(void **state)
{
    iothub_provisioning_options p = with_request("MAA=");
    iothub_error error;
    (void)state;

    static const char *const wrong[] = { "2021-06-01", "-preview", "2025-07-01-previews",
                                         "preview" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        p.api_version = wrong[i];
        assert_int_equal(take(&p, &error), IOTHUB_ERR_ARG);
        assert_non_null(strstr(error.text, "2025-07-01-preview"));
    }
}

static void a_certificate_request_makes_room_for_the_answer(void **state)
{
    iothub_provisioning_options p = with_request("MAA=");
    fake_platform platform;
    dps_request r;
    dps_room room;
    (void)state;

    fake_platform_init(&platform);
    for (size_t size = 1024; size <= 65536; size *= 8) {
        p.answer_size = size;
        dps_room_init(&room, NULL, 0);
        assert_int_equal(dps_request_take(&r, &p, &platform.platform, &room, NULL), IOTHUB_OK);
        assert_int_equal(r.options.answer_size,
                         size < IOTHUB_CSR_ANSWER_MIN ? IOTHUB_CSR_ANSWER_MIN : size);
    }
    fake_platform_free(&platform);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_header),
        cmocka_unit_test(each_wrong_option_is_named),
        cmocka_unit_test(texts_are_copied_and_the_group_key_is_not_kept),
        cmocka_unit_test(a_certificate_must_be_for_the_registration_id),
        cmocka_unit_test(a_key_may_come_as_a_credential_and_a_token_may_not),
        cmocka_unit_test(an_older_struct_keeps_the_defaults_of_what_it_lacks),
        cmocka_unit_test(a_certificate_request_is_base64_of_limited_length),
        cmocka_unit_test(a_certificate_request_needs_a_preview_of_the_service),
        cmocka_unit_test(a_certificate_request_makes_room_for_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
