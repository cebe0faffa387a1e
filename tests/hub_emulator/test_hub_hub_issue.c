/* Tests connected devices that request certificates. */

#include "dps_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "made_requests.h"
#include "registry/certificate.h"

#define RESULTS "$iothub/credentials/res/"

static const int client;

static int setup(void **state)
{
    int r = dps_fixture_setup(state);
    hub_fixture *f = *state;

    assert_int_equal(fixture_connect(f, &client, "device1", true), HUB_OK);
    fixture_subscribe(f, &client, RESULTS "#", 0);
    return r;
}

static char *csr_of(const char *name)
{
    const made_request_plan plan = { .name = name };
    return made_request(&plan);
}

static void request_raw(hub_fixture *f, const char *rid, const char *body)
{
    char *topic = hub_format("$iothub/credentials/POST/issueCertificate/?$rid=%s", rid);

    assert_int_equal(fixture_publish(f, &client, topic, body), HUB_OK);
    free(topic);
}

/* replace may be NULL. */
static void request(hub_fixture *f, const char *rid, const char *replace)
{
    char *csr = csr_of("device1");
    char *member = replace != NULL ? hub_format(",\"replace\":\"%s\"", replace) : hub_strdup("");
    char *body = hub_format("{\"id\":\"device1\",\"csr\":\"%s\"%s}", csr, member);

    request_raw(f, rid, body);
    free(csr);
    free(member);
    free(body);
}

/* Returns the status of the only answer that was sent since the last call; the caller frees
 * *json. */
static int answer(hub_fixture *f, const char *rid, cJSON **json)
{
    char *end = hub_format("/?$rid=%s", rid);

    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].client_id, "device1");
    assert_int_equal(strncmp(f->sent[0].topic, RESULTS, strlen(RESULTS)), 0);
    int status = atoi(f->sent[0].topic + strlen(RESULTS));
    assert_string_equal(f->sent[0].topic + strlen(RESULTS) + 3, end);
    *json = hub_json_read(f->sent[0].payload, f->sent[0].len);
    fixture_forget_sent(f);
    free(end);
    return status;
}

static void expect(hub_fixture *f, const char *rid, int status)
{
    cJSON *json;
    assert_int_equal(answer(f, rid, &json), status);
    cJSON_Delete(json);
}

static void expect_error(hub_fixture *f, const char *rid, int code, const char *active)
{
    cJSON *json;

    assert_int_equal(answer(f, rid, &json), code / 1000);
    assert_int_equal(hub_json_number(json, "errorCode", 0), code);
    assert_string_equal(dps_member(json, "info.requestId"), active);
    assert_int_equal(dps_member(json, "info.operationExpires")[0] != '\0', active[0] != '\0');
    cJSON_Delete(json);
}

static void pass(hub_fixture *f, int64_t ms)
{
    f->now_ms += ms;
    hub_client_tick(&f->hub);
}

static void a_request_is_accepted_and_answered_with_a_chain(void **state)
{
    hub_fixture *f = *state;
    cJSON *json;

    request(f, "a", NULL);
    assert_int_equal(answer(f, "a", &json), 202);
    char *correlation = hub_strdup(dps_member(json, "correlationId"));
    assert_int_equal(strlen(correlation), 36);
    assert_true(dps_member(json, "operationExpires")[0] != '\0');
    cJSON_Delete(json);

    pass(f, 0);
    assert_int_equal(answer(f, "a", &json), 200);
    assert_string_equal(dps_member(json, "correlationId"), correlation);
    const cJSON *list = cJSON_GetObjectItem(json, "certificates");
    assert_int_equal(cJSON_GetArraySize(list), 3);
    hub_certificate *leaf;
    hub_fault fault;
    assert_int_equal(hub_certificate_from_text(&leaf, list->child->valuestring, &fault), HUB_OK);
    assert_string_equal(leaf->name, "device1");
    assert_int_equal(leaf->not_after_s, FIXTURE_NOW_S + 60);
    hub_certificate_free(leaf);
    cJSON_Delete(json);
    free(correlation);

    pass(f, 1000);
    assert_int_equal(f->sent_count, 0);
    request(f, "b", NULL); /* the first request is no longer active */
    expect(f, "b", 202);
}

static void an_answer_waits_for_its_delay_and_for_the_device(void **state)
{
    hub_fixture *f = *state;

    f->hub.dps->issue_delay_s = 5;
    request(f, "a", NULL);
    expect(f, "a", 202);
    pass(f, 4999);
    assert_int_equal(f->sent_count, 0);
    hub_disconnected(&f->hub, &client);
    pass(f, 1);
    assert_int_equal(f->sent_count, 0);
    assert_int_equal(fixture_connect(f, &client, "device1", true), HUB_OK);
    pass(f, 1);
    assert_int_equal(f->sent_count, 0); /* the device does not listen yet */
    fixture_subscribe(f, &client, RESULTS "#", 0);
    pass(f, 1);
    expect(f, "a", 200);
}

static void an_answer_that_nobody_fetches_is_forgotten(void **state)
{
    hub_fixture *f = *state;

    f->hub.dps->issue_expires_s = 10;
    request(f, "a", NULL);
    expect(f, "a", 202);
    hub_disconnected(&f->hub, &client);
    pass(f, 10000);
    assert_int_equal(f->hub.dps->issuances.count, 0);
}

static void one_request_is_active_at_a_time_unless_it_is_replaced(void **state)
{
    hub_fixture *f = *state;

    f->hub.dps->issue_delay_s = 5;
    request(f, "a", "*");
    expect_error(f, "a", 412001, "");
    request(f, "a", NULL);
    expect(f, "a", 202);
    request(f, "b", NULL);
    expect_error(f, "b", 409005, "a");
    request(f, "b", "x");
    expect_error(f, "b", 412001, "a");
    request(f, "b", "a");
    expect(f, "b", 202);
    request(f, "c", "*");
    expect(f, "c", 202);
    pass(f, 5000);
    expect(f, "c", 200);
}

static void a_bad_request_is_refused_and_leaves_the_active_one(void **state)
{
    hub_fixture *f = *state;
    char *other = csr_of("device2");
    char *good = csr_of("device1");
    char *bodies[] = {
        hub_strdup(""),
        hub_strdup("[]"),
        hub_strdup("{\"id\":\"device1\"}"),
        hub_strdup("{\"id\":\"device1\",\"csr\":7}"),
        hub_strdup("{\"id\":\"device1\",\"csr\":\"AAAA\"}"),
        hub_format("{\"id\":\"device1\",\"csr\":\"%s\"}", other),
        hub_format("{\"id\":\"device2\",\"csr\":\"%s\"}", good),
        hub_format("{\"csr\":\"%s\"}", good),
        hub_format("{\"id\":\"device1\",\"csr\":\"%s\",\"replace\":7}", good),
    };

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        request_raw(f, "x", bodies[i]);
        expect_error(f, "x", 400040, "");
        free(bodies[i]);
    }
    f->hub.dps->issue_delay_s = 5;
    request(f, "a", NULL);
    expect(f, "a", 202);
    request_raw(f, "x", "{\"id\":\"device1\",\"csr\":\"AAAA\",\"replace\":\"*\"}");
    expect_error(f, "x", 400040, "a");
    pass(f, 5000);
    expect(f, "a", 200);
    free(other);
    free(good);
}

static void both_encodings_can_be_chosen(void **state)
{
    hub_fixture *f = *state;
    cJSON *json;

    f->hub.dps->pem = true;
    request(f, "a", NULL);
    expect(f, "a", 202);
    pass(f, 0);
    assert_int_equal(answer(f, "a", &json), 200);
    const cJSON *list = cJSON_GetObjectItem(json, "certificates");
    assert_int_equal(strncmp(list->child->valuestring, "-----BEGIN CERTIFICATE-----\n", 28), 0);
    cJSON_Delete(json);
}

static void a_later_device_of_the_same_id_gets_nothing(void **state)
{
    hub_fixture *f = *state;
    hub_identity *made;
    hub_fault fault;

    f->hub.dps->issue_delay_s = 5;
    request(f, "a", NULL);
    expect(f, "a", 202);
    assert_int_equal(hub_delete(&f->hub, fixture_device(f, "device1"), &fault), HUB_OK);
    f->now_ms += 1;
    assert_int_equal(
        hub_registry_create(&f->hub.registry, "device1", NULL, NULL, f->now_ms, &made, &fault),
        HUB_OK);
    hub_disconnected(&f->hub, &client);
    assert_int_equal(fixture_connect(f, &client, "device1", true), HUB_OK);
    fixture_subscribe(f, &client, RESULTS "#", 0);
    pass(f, 6000);
    assert_int_equal(f->sent_count, 0);
    assert_int_equal(f->hub.dps->issuances.count, 0);
}

static void faults_hit_requests_and_results(void **state)
{
    static const struct {
        const char *fault;
        int first;  /* the status of the answer to the request; 0: none */
        int second; /* the status of the result; 0: none */
        bool json;  /* the last answer is JSON */
    } cases[] = {
        { "\"kind\":\"status\",\"status\":429,\"errorCode\":429002,\"retryAfter\":3", 429, 0,
          true },
        { "\"kind\":\"silence\",\"on\":\"request\"", 0, 0, true },
        { "\"kind\":\"half\",\"on\":\"result\"", 202, 200, false },
        { "\"kind\":\"nonsense\",\"on\":\"result\"", 202, 200, false },
        { "\"kind\":\"silence\",\"on\":\"result\"", 202, 0, true },
        { "\"kind\":\"status\",\"status\":503,\"on\":\"result\"", 202, 503, true },
    };
    static const dps_fault_words words = { "request", "result" };
    hub_fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = hub_format("{\"count\":1,%s}", cases[i].fault);
        cJSON *json = hub_json_read(text, strlen(text));
        cJSON *body = NULL;
        dps_error e;
        int status[2];
        assert_true(dps_faults_set(&f->hub.dps->issue_faults, json, &words, &e));
        cJSON_Delete(json);
        free(text);
        for (int k = 0; k < 2; k++) {
            if (k == 0) {
                request(f, "a", NULL);
            } else {
                pass(f, 1);
            }
            status[k] = 0;
            if (f->sent_count > 0) {
                cJSON_Delete(body);
                status[k] = answer(f, "a", &body);
            }
        }
        assert_int_equal(status[0], cases[i].first);
        assert_int_equal(status[1], cases[i].second);
        assert_int_equal(body != NULL, cases[i].json && cases[i].first != 0);
        if (cases[i].first == 429) {
            assert_int_equal(hub_json_number(body, "retryAfter", 0), 3);
            assert_int_equal(hub_json_number(body, "errorCode", 0), 429002);
        }
        cJSON_Delete(body);
        assert_int_equal(f->hub.dps->issuances.count, 0);
    }
}

static void without_the_service_no_certificates_are_issued(void **state)
{
    hub_fixture *f = *state;

    fixture_restart(f);
    assert_int_equal(fixture_connect(f, &client, "device1", true), HUB_OK);
    fixture_subscribe(f, &client, RESULTS "#", 0);
    request(f, "a", NULL);
    expect_error(f, "a", 403000, "");
    hub_client_tick(&f->hub);
}

static void a_request_without_an_id_or_that_is_too_long_closes_the_connection(void **state)
{
    hub_fixture *f = *state;
    char *body = hub_calloc(1, 16 * 1024 + 2);

    memset(body, ' ', 16 * 1024 + 1);
    assert_int_not_equal(
        fixture_publish(f, &client, "$iothub/credentials/POST/issueCertificate/", "{}"), HUB_OK);
    assert_int_not_equal(
        fixture_publish(f, &client, "$iothub/credentials/POST/other/?$rid=1", "{}"), HUB_OK);
    assert_int_equal(
        fixture_publish(f, &client, "$iothub/credentials/POST/issueCertificate/?$rid=1", body),
        HUB_ERR_TOO_LARGE);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
        TEST(a_request_is_accepted_and_answered_with_a_chain),
        TEST(an_answer_waits_for_its_delay_and_for_the_device),
        TEST(an_answer_that_nobody_fetches_is_forgotten),
        TEST(one_request_is_active_at_a_time_unless_it_is_replaced),
        TEST(a_bad_request_is_refused_and_leaves_the_active_one),
        TEST(both_encodings_can_be_chosen),
        TEST(a_later_device_of_the_same_id_gets_nothing),
        TEST(faults_hit_requests_and_results),
        TEST(without_the_service_no_certificates_are_issued),
        TEST(a_request_without_an_id_or_that_is_too_long_closes_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
