#include <stdio.h>

#include "certificate_fixture.h"
#include "provisioned_home_fixture.h"

/* Tests a client that gets its first certificate from the Device Provisioning Service. */

#define NOW 1700000000 /* time of the fake clock */

enum { LIFE_S = 100000 };

static fake_issuer issuer;
static uint64_t memory[IOTHUB_CERTIFICATE_SIZE / sizeof(uint64_t)];
static char body[512];
static dps_reply reply;

static void prepare(provisioning_fixture *f)
{
    fake_issuer_init(&issuer);
    provisioning_init(f);
    f->platform.platform.identities = &issuer.identities;
    f->options.cache = &f->kv.base;
}

/* Makes the client with a certificate that takes the saved one. */
static void make(provisioning_fixture *f)
{
    iothub_certificate_options o;
    iothub_error error;

    iothub_certificate_options_init(&o);
    o.platform = &f->platform.platform;
    o.maker = &issuer.maker;
    o.cache = &f->kv.base;
    f->client_options.certificate = iothub_certificate_init(memory, sizeof memory, &o, &error);
    assert_non_null(f->client_options.certificate);
    provisioning_make_client(f);
}

/* Ends the client, as the end of a run does. */
static void leave(provisioning_fixture *f)
{
    iothub_free(f->client);
    f->client = NULL;
    iothub_certificate_deinit(f->client_options.certificate);
    f->client_options.certificate = NULL;
    assert_int_equal(issuer.alive, 0);
}

/* From now on the service issues a certificate for the key with this number. */
static void issue_for(provisioning_fixture *f, unsigned key)
{
    const plat_crypto *crypto = f->platform.platform.crypto;
    const int64_t now_s = f->platform.clock.wall_ms / 1000;
    uint8_t der[FAKE_CERTIFICATE_SIZE];
    char text[64];
    size_t len;

    fake_issuer_put(der, key, now_s, now_s + LIFE_S);
    assert_int_equal(crypto->base64_encode(crypto, der, sizeof der, text, sizeof text - 1, &len),
                     PLAT_OK);
    text[len] = '\0';
    snprintf(body, sizeof body,
             "{\"status\":\"assigned\",\"registrationState\":{\"registrationId\":\"sn-007\","
             "\"assignedHub\":\"" HUB
             "\",\"deviceId\":\"device1\",\"issuedCertificateChain\":[\"%s\"]}}",
             text);
    reply = (dps_reply){ 200, NULL, body };
    provisioning_answers(f, &reply, 1);
}

static const char *registration(const provisioning_fixture *f)
{
    const fake_hub_publish *p = fake_hub_last(&f->dps, "$dps/registrations/PUT");

    assert_non_null(p);
    return p->payload;
}

static void connect(provisioning_fixture *f)
{
    start(f);
    provisioning_sleep(f, 5000);
    assert_int_equal(iothub_get_state(f->client), IOTHUB_CONNECTED);
}

static void the_first_certificate_comes_with_the_registration(void **state)
{
    (void)state;
    provisioning_fixture f;
    prepare(&f);
    issue_for(&f, 1);
    make(&f);
    (void)send(&f, "before the start");
    connect(&f);

    assert_non_null(
        strstr(registration(&f), "\"csr\":\"c24tMDA3OiBrZXkgMQ==\"")); /* "sn-007: key 1" */
    assert_non_null(strstr(f.dps.user_name, "api-version=2025-07-01-preview"));
    assert_int_equal(f.hub_opens, 1); /* the key of the registration was not tried */
    assert_string_equal(f.hub.password, "");
    assert_int_equal(f.kv.puts, 2); /* the assignment and the certificate */
    check_all_done(&f, 1);
    leave(&f);
    provisioning_free(&f);
}

static void the_next_run_needs_no_service(void **state)
{
    (void)state;
    provisioning_fixture f;
    prepare(&f);
    issue_for(&f, 1);
    make(&f);
    connect(&f);
    leave(&f);

    f.asked = 0;
    make(&f);
    connect(&f);
    assert_int_equal(f.asked, 0);
    assert_string_equal(f.hub.password, "");
    assert_int_equal(issuer.keys, 1);
    leave(&f);
    provisioning_free(&f);
}

static void an_expired_certificate_is_replaced_by_a_registration(void **state)
{
    (void)state;
    provisioning_fixture f;
    prepare(&f);
    issue_for(&f, 1);
    make(&f);
    connect(&f);
    leave(&f);

    fake_clock_advance(&f.platform.clock, (uint64_t)(LIFE_S + 1) * 1000);
    issue_for(&f, 2);
    f.asked = 0;
    f.hub_opens = 0;
    make(&f);
    connect(&f);
    assert_int_equal(f.asked, 1);
    assert_int_equal(f.hub_opens, 1);
    assert_string_equal(f.hub.password, "");
    leave(&f);
    provisioning_free(&f);
}

static void each_registration_has_a_new_key(void **state)
{
    static const dps_reply refused[] = { { 403, NULL, "" } };
    (void)state;
    provisioning_fixture f;
    prepare(&f);
    PROVISIONING_ANSWERS(&f, refused);
    make(&f);
    start(&f);
    for (unsigned i = 0; i < 7200 && issuer.keys < 2; i++) {
        provisioning_sleep(&f, 1000);
    }
    assert_true(issuer.keys > 1);

    issue_for(&f, issuer.keys + 1);
    for (unsigned i = 0; i < 7200 && iothub_get_state(f.client) != IOTHUB_CONNECTED; i++) {
        provisioning_sleep(&f, 1000);
    }
    assert_int_equal(iothub_get_state(f.client), IOTHUB_CONNECTED);
    assert_string_equal(f.hub.password, "");
    leave(&f);
    provisioning_free(&f);
}

static void without_an_issued_certificate_the_key_logs_in(void **state)
{
    (void)state;
    provisioning_fixture f;
    prepare(&f);
    PROVISIONING_ANSWERS(&f, assigned);
    make(&f);
    connect(&f);

    assert_string_not_equal(f.hub.password, "");
    /* Then the hub is asked. */
    assert_int_equal(received(&f, ""), 0);
    assert_non_null(fake_hub_last(&f.hub, "$iothub/credentials/POST/issueCertificate/"));
    leave(&f);
    provisioning_free(&f);
}

static void a_certificate_for_another_key_leaves_the_key_in_use(void **state)
{
    (void)state;
    provisioning_fixture f;
    prepare(&f);
    issue_for(&f, 9);
    make(&f);
    connect(&f);

    assert_string_not_equal(f.hub.password, "");
    assert_int_equal(f.kv.puts, 1);
    leave(&f);
    provisioning_free(&f);
}

/* The hub refuses everybody, so the client registers again, each time with another key. */
static void a_hub_that_refuses_the_certificate_leads_to_another_registration(void **state)
{
    (void)state;
    provisioning_fixture f;
    prepare(&f);
    issue_for(&f, 1);
    f.hub.return_code = 5;
    make(&f);
    start(&f);
    for (unsigned i = 0; i < 7200 && f.asked < 2; i++) {
        provisioning_sleep(&f, 1000);
    }
    assert_int_equal(f.asked, 2);
    assert_int_equal(issuer.keys, 2);
    assert_int_equal(f.kv.puts, 2); /* two assignments, and no certificate */
    leave(&f);
    provisioning_free(&f);
}

static void a_request_of_the_application_is_refused(void **state)
{
    (void)state;
    iothub_certificate_options o;
    provisioning_fixture f;
    iothub_error error;
    prepare(&f);
    iothub_certificate_options_init(&o);
    o.platform = &f.platform.platform;
    o.maker = &issuer.maker;
    f.client_options.certificate = iothub_certificate_init(memory, sizeof memory, &o, &error);
    f.options.csr = "MAEA";
    f.options.api_version = "2025-07-01-preview";

    assert_null(iothub_new_provisioned(&f.options, &f.client_options, &error));
    assert_int_equal(error.code, IOTHUB_ERR_ARG);
    assert_non_null(strstr(error.text, "csr is set, but iothub_options.certificate"));
    iothub_certificate_deinit(f.client_options.certificate);
    provisioning_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_certificate_comes_with_the_registration),
        cmocka_unit_test(the_next_run_needs_no_service),
        cmocka_unit_test(an_expired_certificate_is_replaced_by_a_registration),
        cmocka_unit_test(each_registration_has_a_new_key),
        cmocka_unit_test(without_an_issued_certificate_the_key_logs_in),
        cmocka_unit_test(a_certificate_for_another_key_leaves_the_key_in_use),
        cmocka_unit_test(a_hub_that_refuses_the_certificate_leads_to_another_registration),
        cmocka_unit_test(a_request_of_the_application_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
