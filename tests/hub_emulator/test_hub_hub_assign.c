/* Tests devices that register with certificates, or request certificates when they register, and
 * log in to the hub with them. */

#include "dps_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "made_certificates.h"
#include "made_requests.h"

static const int client;
static const int hub_client;

#define PREVIEW "2025-07-01-preview"

/* Logs in to the provisioning service; token and chain may be NULL. */
static void connect_to_dps(hub_fixture *f, const char *id, const char *version, const char *token,
                           const hub_client_chain *chain)
{
    char *user =
        hub_format("%s/registrations/%s/api-version=%s", f->hub.dps->id_scope, id, version);
    const hub_credentials c = {
        .client_id = id, .user_name = user, .password = token, .chain = chain
    };
    hub_fault fault;

    assert_int_equal(hub_client_connect(&f->hub, &client, &c, true, &fault), HUB_OK);
    assert_int_equal(hub_client_subscribe(&f->hub, &client, "$dps/registrations/res/#", 1, &fault),
                     HUB_OK);
    free(user);
}

/* Logs in to the hub with certificates. */
static hub_result log_in(hub_fixture *f, const char *device, const hub_client_chain *chain)
{
    char *user = hub_format(DPS_FIXTURE_HOST "/%s/?api-version=2021-04-12", device);
    const hub_credentials c = { .client_id = device, .user_name = user, .chain = chain };
    hub_fault fault;
    hub_result r = hub_client_connect(&f->hub, &hub_client, &c, true, &fault);

    if (r == HUB_OK) {
        hub_disconnected(&f->hub, &hub_client);
    }
    free(user);
    return r;
}

static void enroll_certificate(hub_fixture *f, const char *id, const char *kind, bool group,
                               const made_certificate *m)
{
    char *certificate = made_text(m);
    char *text = hub_format("{\"%s\":\"%s\",\"attestation\":{\"type\":\"x509\",\"x509\":{\"%s\":"
                            "{\"primary\":{\"certificate\":\"%s\"}}}}}",
                            group ? "enrollmentGroupId" : "registrationId", id, kind, certificate);
    cJSON *body = hub_json_read(text, strlen(text));
    dps_error e;

    assert_non_null(dps_put_enrollment(f->hub.dps, group, id, body, f->now_ms, &e));
    cJSON_Delete(body);
    free(text);
    free(certificate);
}

static void make(made_certificate *m, const char *name, const made_certificate *issuer, bool is_ca)
{
    const made_plan plan = { .name = name,
                             .issuer = issuer,
                             .not_before_s = FIXTURE_NOW_S - 100,
                             .not_after_s = FIXTURE_NOW_S + 1000,
                             .is_ca = is_ca,
                             .path_len = -1 };
    made_init(m, &plan);
}

static hub_client_chain chain_of(const made_certificate *m)
{
    hub_client_chain chain;
    hub_fault fault;
    char *text = made_text(m);

    assert_int_equal(hub_client_chain_read(&chain, text, strlen(text), &fault), HUB_OK);
    free(text);
    return chain;
}

/* --- certificates ------------------------------------------------------------------- */

static void a_device_logs_in_with_the_certificate_of_its_enrolment(void **state)
{
    hub_fixture *f = *state;
    made_certificate own;
    made_certificate other;

    make(&own, "dev", NULL, false);
    make(&other, "dev", NULL, false);
    hub_client_chain chain = chain_of(&own);
    hub_client_chain other_chain = chain_of(&other);
    enroll_certificate(f, "dev", "clientCertificates", false, &own);
    connect_to_dps(f, "dev", "2019-03-31", NULL, &chain);
    dps_answer a = dps_fixture_finish(f, &client, "{}");
    assert_int_equal(a.status, 200);
    assert_non_null(cJSON_GetObjectItem(cJSON_GetObjectItem(a.json, "registrationState"), "x509"));
    cJSON_Delete(a.json);
    assert_int_equal(log_in(f, "dev", &chain), HUB_OK);
    assert_int_not_equal(log_in(f, "dev", &other_chain), HUB_OK);
    hub_client_chain_free(&chain);
    hub_client_chain_free(&other_chain);
    made_deinit(&own);
    made_deinit(&other);
}

/* The hub knows the certificate of the device, and does not know the authority. */
static void a_member_of_a_group_logs_in_with_the_certificate_that_it_registered_with(void **state)
{
    hub_fixture *f = *state;
    made_certificate root;
    made_certificate first;
    made_certificate second;

    make(&root, "root", NULL, true);
    make(&first, "dev", &root, false);
    make(&second, "dev", &root, false);
    hub_client_chain chain = chain_of(&first);
    hub_client_chain newer = chain_of(&second);
    enroll_certificate(f, "g", "signingCertificates", true, &root);
    connect_to_dps(f, "dev", "2019-03-31", NULL, &chain);
    dps_answer a = dps_fixture_finish(f, &client, "{}");
    assert_string_equal(dps_member(a.json, "registrationState.x509.enrollmentGroupId"), "g");
    cJSON_Delete(a.json);
    assert_int_equal(log_in(f, "dev", &chain), HUB_OK);
    assert_int_not_equal(log_in(f, "dev", &newer), HUB_OK);

    hub_disconnected(&f->hub, &client);
    connect_to_dps(f, "dev", "2019-03-31", NULL, &newer);
    cJSON_Delete(dps_fixture_finish(f, &client, "{}").json);
    assert_int_equal(log_in(f, "dev", &newer), HUB_OK);
    assert_int_not_equal(log_in(f, "dev", &chain), HUB_OK);
    hub_client_chain_free(&chain);
    hub_client_chain_free(&newer);
    made_deinit(&root);
    made_deinit(&first);
    made_deinit(&second);
}

/* --- requests ------------------------------------------------------------------------ */

static char *body_with_csr(const char *name)
{
    const made_request_plan plan = { .name = name };
    char *csr = made_request(&plan);
    char *body = hub_format("{\"csr\":\"%s\"}", csr);

    free(csr);
    return body;
}

/* Returns the chain of an answer, as the device shows it to the hub. */
static hub_client_chain issued(const dps_answer *a)
{
    const cJSON *list = cJSON_GetObjectItem(cJSON_GetObjectItem(a->json, "registrationState"),
                                            "issuedCertificateChain");
    hub_client_chain chain;
    hub_fault fault;

    assert_int_equal(cJSON_GetArraySize(list), 3);
    char *text = hub_format("%s,%s", cJSON_GetArrayItem(list, 0)->valuestring,
                            cJSON_GetArrayItem(list, 1)->valuestring);
    assert_int_equal(hub_client_chain_read(&chain, text, strlen(text), &fault), HUB_OK);
    free(text);
    return chain;
}

static void connect_with_key(hub_fixture *f, const char *id, const char *version)
{
    const dps_enrollment *e = dps_find_enrollment(f->hub.dps, false, id);
    char *token = dps_fixture_token(f, id, e->attestation.first);

    connect_to_dps(f, id, version, token, NULL);
    free(token);
}

static void a_device_logs_in_with_the_certificate_that_it_requested(void **state)
{
    hub_fixture *f = *state;
    char *body = body_with_csr("dev");

    (void)dps_fixture_enroll(f, false, "dev", ",\"deviceId\":\"the-device\"");
    connect_with_key(f, "dev", PREVIEW);
    dps_answer a = dps_fixture_finish(f, &client, body);
    assert_int_equal(a.status, 200);
    hub_client_chain chain = issued(&a);
    assert_string_equal(chain.items[0]->name, "the-device");
    cJSON_Delete(a.json);
    assert_int_equal(log_in(f, "the-device", &chain), HUB_OK);

    /* The certificates of one device do not open another device, and they expire. */
    (void)dps_fixture_enroll(f, false, "dev2", "");
    char *other_body = body_with_csr("dev2");
    hub_disconnected(&f->hub, &client);
    connect_with_key(f, "dev2", PREVIEW);
    a = dps_fixture_finish(f, &client, other_body);
    hub_client_chain other = issued(&a);
    cJSON_Delete(a.json);
    assert_int_equal(log_in(f, "dev2", &other), HUB_OK);
    assert_int_not_equal(log_in(f, "the-device", &other), HUB_OK);
    f->now_ms += 61 * 1000;
    assert_int_not_equal(log_in(f, "the-device", &chain), HUB_OK);
    hub_client_chain_free(&chain);
    hub_client_chain_free(&other);
    free(body);
    free(other_body);
}

static void certificates_survive_a_restart_of_the_hub(void **state)
{
    hub_fixture *f = *state;
    char *body = body_with_csr("dev");

    (void)dps_fixture_enroll(f, false, "dev", "");
    connect_with_key(f, "dev", PREVIEW);
    dps_answer a = dps_fixture_finish(f, &client, body);
    hub_client_chain chain = issued(&a);
    cJSON_Delete(a.json);
    fixture_restart(f);
    dps_fixture_open(f);
    assert_int_equal(log_in(f, "dev", &chain), HUB_OK);
    hub_client_chain_free(&chain);
    free(body);
}

static void a_device_that_registers_without_a_request_uses_its_key_again(void **state)
{
    hub_fixture *f = *state;
    char *body = body_with_csr("dev");

    (void)dps_fixture_enroll(f, false, "dev", "");
    connect_with_key(f, "dev", PREVIEW);
    dps_answer a = dps_fixture_finish(f, &client, body);
    hub_client_chain chain = issued(&a);
    cJSON_Delete(a.json);
    a = dps_fixture_finish(f, &client, "{}");
    assert_null(cJSON_GetObjectItem(cJSON_GetObjectItem(a.json, "registrationState"),
                                    "issuedCertificateChain"));
    cJSON_Delete(a.json);
    assert_int_not_equal(log_in(f, "dev", &chain), HUB_OK);
    assert_int_equal(fixture_connect(f, &hub_client, "dev", true), HUB_OK);
    hub_client_chain_free(&chain);
    free(body);
}

static void a_request_that_is_not_acceptable_leaves_everything_as_it_is(void **state)
{
    hub_fixture *f = *state;
    char *other = body_with_csr("other");
    char *good = body_with_csr("dev");
    const struct {
        const char *version;
        const char *body;
        int code;
    } cases[] = {
        { PREVIEW, other, 400040 },
        { PREVIEW, "{\"csr\":\"AAAA\"}", 400040 },
        { PREVIEW, "{\"csr\":7}", 400040 },
        { "2019-03-31", good, 400004 },
    };

    (void)dps_fixture_enroll(f, false, "dev", "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        connect_with_key(f, "dev", cases[i].version);
        dps_answer a = dps_fixture_register(f, &client, cases[i].body);
        assert_int_equal(a.status, 400);
        assert_int_equal(hub_json_number(a.json, "errorCode", 0), cases[i].code);
        cJSON_Delete(a.json);
        hub_disconnected(&f->hub, &client);
        assert_null(hub_registry_find(&f->hub.registry, "dev", NULL));
        assert_null(dps_find_registration(f->hub.dps, "dev"));
    }
    free(other);
    free(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DPS_TEST(a_device_logs_in_with_the_certificate_of_its_enrolment),
        DPS_TEST(a_member_of_a_group_logs_in_with_the_certificate_that_it_registered_with),
        DPS_TEST(a_device_logs_in_with_the_certificate_that_it_requested),
        DPS_TEST(certificates_survive_a_restart_of_the_hub),
        DPS_TEST(a_device_that_registers_without_a_request_uses_its_key_again),
        DPS_TEST(a_request_that_is_not_acceptable_leaves_everything_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
