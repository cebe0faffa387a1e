/* Tests devices that register, and what the hub does with them. */

#include "dps_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const int client;
static const int other_client;

#define RESET ",\"reprovisionPolicy\":{\"updateHubAssignment\":true,\"migrateDeviceData\":false}"
#define NEVER ",\"reprovisionPolicy\":{\"updateHubAssignment\":false,\"migrateDeviceData\":false}"
#define TWIN                                                       \
    ",\"initialTwin\":{\"tags\":{\"t\":\"first\"},\"properties\":" \
    "{\"desired\":{\"d\":1,\"$version\":4}}}"

static void expect_error(dps_answer a, int code)
{
    assert_int_equal(a.status, code / 1000);
    assert_int_equal(hub_json_number(a.json, "errorCode", 0), code);
    assert_true(dps_member(a.json, "message")[0] != '\0');
    assert_int_equal(strlen(dps_member(a.json, "trackingId")), 36);
    assert_true(dps_member(a.json, "timestampUtc")[0] != '\0');
    cJSON_Delete(a.json);
}

static void expect_assigned(dps_answer a, const char *device, const char *substatus)
{
    assert_int_equal(a.status, 200);
    assert_string_equal(dps_member(a.json, "status"), "assigned");
    assert_string_equal(dps_member(a.json, "registrationState.status"), "assigned");
    assert_string_equal(dps_member(a.json, "registrationState.assignedHub"), DPS_FIXTURE_HOST);
    assert_string_equal(dps_member(a.json, "registrationState.deviceId"), device);
    assert_string_equal(dps_member(a.json, "registrationState.substatus"), substatus);
    cJSON_Delete(a.json);
}

static char *tags_of(hub_fixture *f, const char *device)
{
    return hub_json_print(fixture_device(f, device)->twin.tags);
}

/* --- the way to an assignment --------------------------------------------------- */

static void a_device_is_told_to_wait_and_then_its_hub(void **state)
{
    hub_fixture *f = *state;

    (void)dps_fixture_enroll(f, false, "dev", "");
    f->hub.dps->assigning = 3;
    dps_fixture_connect_enrolled(f, &client, "dev");
    dps_answer a = dps_fixture_register(f, &client, "{\"registrationId\":\"dev\"}");
    char *operation = hub_strdup(dps_member(a.json, "operationId"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(a.status, 202);
        assert_int_equal(a.retry_after, 3);
        assert_string_equal(dps_member(a.json, "status"), "assigning");
        assert_string_equal(dps_member(a.json, "operationId"), operation);
        cJSON_Delete(a.json);
        a = dps_fixture_poll(f, &client, operation);
    }
    assert_int_equal(a.retry_after, -1);
    assert_string_equal(dps_member(a.json, "operationId"), operation);
    expect_assigned(a, "dev", "initialAssignment");
    expect_assigned(dps_fixture_poll(f, &client, operation), "dev", "initialAssignment");
    free(operation);
}

static void without_assigning_the_first_answer_is_the_last(void **state)
{
    hub_fixture *f = *state;

    f->hub.dps->assigning = 0;
    (void)dps_fixture_enroll(f, false, "dev", "");
    dps_fixture_connect_enrolled(f, &client, "dev");
    expect_assigned(dps_fixture_register(f, &client, ""), "dev", "initialAssignment");
}

static void the_identity_has_the_keys_of_the_enrolment_and_its_twin(void **state)
{
    hub_fixture *f = *state;
    const dps_enrollment *e = dps_fixture_enroll(
        f, false, "dev", ",\"deviceId\":\"the-device\",\"capabilities\":{\"iotEdge\":true}" TWIN);

    dps_fixture_connect_enrolled(f, &client, "dev");
    expect_assigned(dps_fixture_finish(f, &client, "{}"), "the-device", "initialAssignment");
    const hub_identity *id = fixture_device(f, "the-device");
    assert_string_equal(id->primary_key, e->attestation.first);
    assert_string_equal(id->secondary_key, e->attestation.second);
    assert_true(id->edge);
    char *tags = tags_of(f, "the-device");
    char *desired = hub_json_print(id->twin.desired.values);
    assert_string_equal(tags, "{\"t\":\"first\"}");
    assert_string_equal(desired, "{\"d\":1}");
    free(tags);
    free(desired);
    assert_int_equal(fixture_connect(f, &other_client, "the-device", true), HUB_OK);
}

static void a_member_of_a_group_uses_its_derived_key_in_the_hub_too(void **state)
{
    hub_fixture *f = *state;
    const dps_enrollment *g = dps_fixture_enroll(f, true, "g", TWIN);
    char *keys[] = { dps_derive_key(g->attestation.first, "Dev-1"),
                     dps_derive_key(g->attestation.second, "Dev-1") };

    for (size_t i = 0; i < 2; i++) {
        char *token = dps_fixture_token(f, "Dev-1", keys[i]);
        dps_fixture_connect(f, &client, "Dev-1", token);
        dps_answer a = dps_fixture_finish(f, &client, "");
        assert_string_equal(dps_member(a.json, "registrationState.symmetricKey.enrollmentGroupId"),
                            "g");
        expect_assigned(a, "Dev-1", i == 0 ? "initialAssignment" : "deviceDataMigrated");
        hub_disconnected(&f->hub, &client);
        free(token);
    }
    const hub_identity *id = fixture_device(f, "Dev-1");
    assert_string_equal(id->primary_key, keys[0]);
    assert_string_equal(id->secondary_key, keys[1]);
    free(keys[0]);
    free(keys[1]);
}

static void the_payload_comes_back(void **state)
{
    hub_fixture *f = *state;

    (void)dps_fixture_enroll(f, false, "dev", "");
    dps_fixture_connect_enrolled(f, &client, "dev");
    dps_answer a = dps_fixture_finish(f, &client, "{\"payload\":{\"modelId\":\"m\",\"n\":1.50}}");
    const cJSON *payload = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(a.json, "registrationState"), "payload");
    char *text = hub_json_print(payload);
    assert_string_equal(text, "{\"modelId\":\"m\",\"n\":1.50}");
    free(text);
    cJSON_Delete(a.json);
}

/* --- registering again ----------------------------------------------------------- */

/* Registers twice. Between the two, the tags of the device are changed and a message is sent to
 * it. */
static void register_twice(hub_fixture *f, const char *members, const char *substatus,
                           const char *tags, size_t messages)
{
    static const char change[] = "{\"tags\":{\"t\":\"changed\"}}";
    cJSON *patch = hub_json_read(change, strlen(change));
    hub_change c = { .twin = patch };
    hub_fault fault;
    char *own = hub_format("%s" TWIN, members);

    (void)dps_fixture_enroll(f, false, "dev", own);
    dps_fixture_connect_enrolled(f, &client, "dev");
    expect_assigned(dps_fixture_finish(f, &client, "{}"), "dev", "initialAssignment");
    assert_int_equal(hub_apply(&f->hub, fixture_device(f, "dev"), &c, &fault), HUB_OK);
    fixture_queue(f, "dev", "m", 60);
    expect_assigned(dps_fixture_finish(f, &client, "{}"), "dev", substatus);
    char *now = tags_of(f, "dev");
    assert_string_equal(now, tags);
    assert_int_equal(fixture_device(f, "dev")->c2d.count, messages);
    free(now);
    free(own);
    cJSON_Delete(patch);
}

static void a_device_that_migrates_keeps_its_data(void **state)
{
    register_twice(*state, "", "deviceDataMigrated", "{\"t\":\"changed\"}", 1);
}

static void a_device_that_is_reset_starts_again_with_the_initial_twin(void **state)
{
    register_twice(*state, RESET, "deviceDataReset", "{\"t\":\"first\"}", 0);
}

static void without_reprovisioning_nothing_changes(void **state)
{
    register_twice(*state, NEVER, "initialAssignment", "{\"t\":\"changed\"}", 1);
}

static void a_deleted_device_is_made_again_unless_the_policy_forbids_it(void **state)
{
    static const struct {
        const char *members;
        bool there;
    } cases[] = { { "", true }, { RESET, true }, { NEVER, false } };
    hub_fixture *f = *state;
    hub_fault fault;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *id = hub_format("dev%zu", i);
        (void)dps_fixture_enroll(f, false, id, cases[i].members);
        dps_fixture_connect_enrolled(f, &client, id);
        cJSON_Delete(dps_fixture_finish(f, &client, "{}").json);
        assert_int_equal(hub_delete(&f->hub, fixture_device(f, id), &fault), HUB_OK);
        dps_answer a = dps_fixture_finish(f, &client, "{}");
        assert_int_equal(a.status, 200);
        cJSON_Delete(a.json);
        assert_int_equal(hub_registry_find(&f->hub.registry, id, NULL) != NULL, cases[i].there);
        hub_disconnected(&f->hub, &client);
        free(id);
    }
}

static void new_keys_of_the_enrolment_reach_the_identity_when_it_registers_again(void **state)
{
    hub_fixture *f = *state;
    static const char key[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    char *body =
        hub_format("{\"registrationId\":\"dev\",\"attestation\":{\"type\":\"symmetricKey\","
                   "\"symmetricKey\":{\"primaryKey\":\"%s\"}}}",
                   key);
    cJSON *json = hub_json_read(body, strlen(body));
    dps_error e;

    (void)dps_fixture_enroll(f, false, "dev", "");
    dps_fixture_connect_enrolled(f, &client, "dev");
    cJSON_Delete(dps_fixture_finish(f, &client, "{}").json);
    assert_non_null(dps_put_enrollment(f->hub.dps, false, "dev", json, f->now_ms, &e));
    hub_disconnected(&f->hub, &client);
    dps_fixture_connect_enrolled(f, &client, "dev");
    cJSON_Delete(dps_fixture_finish(f, &client, "{}").json);
    assert_string_equal(fixture_device(f, "dev")->primary_key, key);
    cJSON_Delete(json);
    free(body);
}

static void one_device_keeps_its_id_whatever_the_case_of_its_registration_id(void **state)
{
    hub_fixture *f = *state;
    const dps_enrollment *e = dps_fixture_enroll(f, false, "Dev", "");

    dps_fixture_connect_enrolled(f, &client, "dev");
    expect_assigned(dps_fixture_finish(f, &client, "{\"registrationId\":\"DEV\"}"), "dev",
                    "initialAssignment");
    char *token = dps_fixture_token(f, "DEV", e->attestation.second);
    dps_fixture_connect(f, &other_client, "DEV", token);
    expect_assigned(dps_fixture_finish(f, &other_client, ""), "dev", "deviceDataMigrated");
    free(token);
}

/* --- refusals --------------------------------------------------------------------- */

static void wrong_credentials_are_accepted_first_and_refused_in_the_answer(void **state)
{
    hub_fixture *f = *state;
    const dps_enrollment *e = dps_fixture_enroll(f, false, "dev", "");
    const dps_enrollment *g = dps_fixture_enroll(f, true, "g", "");
    char *wrong[] = {
        NULL,
        hub_strdup("no token"),
        dps_fixture_token(f, "dev", g->attestation.first),
        dps_fixture_token(f, "dev2", e->attestation.first),
        fixture_token("0ne00000000/registrations/dev", e->attestation.first, f->now_ms / 1000 + 60,
                      "registration"),
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        dps_fixture_connect(f, &client, "dev", wrong[i]);
        expect_error(dps_fixture_register(f, &client, "{}"), 401000);
        hub_disconnected(&f->hub, &client);
        free(wrong[i]);
    }
    assert_null(hub_registry_find(&f->hub.registry, "dev", NULL));
}

static void the_key_of_a_group_is_not_the_key_of_a_device(void **state)
{
    hub_fixture *f = *state;
    const dps_enrollment *g = dps_fixture_enroll(f, true, "g", "");
    char *token = dps_fixture_token(f, "dev", g->attestation.first);

    dps_fixture_connect(f, &client, "dev", token);
    expect_error(dps_fixture_register(f, &client, "{}"), 401000);
    free(token);
}

static void a_device_without_any_enrolment_is_not_found(void **state)
{
    hub_fixture *f = *state;

    dps_fixture_connect(f, &client, "dev", NULL);
    expect_error(dps_fixture_register(f, &client, "{}"), 404201);
}

static void another_id_scope_is_refused(void **state)
{
    hub_fixture *f = *state;
    const dps_enrollment *e = dps_fixture_enroll(f, false, "dev", "");
    char *token = fixture_token("0ne00000000/registrations/dev", e->attestation.first,
                                f->now_ms / 1000 + 60, "registration");
    const hub_credentials c = {
        .client_id = "dev",
        .user_name = "0ne00000000/registrations/dev/api-version=2019-03-31",
        .password = token,
    };
    hub_fault fault;

    assert_int_equal(hub_client_connect(&f->hub, &client, &c, true, &fault), HUB_OK);
    assert_int_equal(hub_client_subscribe(&f->hub, &client, "$dps/registrations/res/#", 1, &fault),
                     HUB_OK);
    expect_error(dps_fixture_register(f, &client, "{}"), 401000);
    free(token);
}

static void a_disabled_enrolment_ends_as_disabled(void **state)
{
    hub_fixture *f = *state;

    (void)dps_fixture_enroll(f, false, "dev", ",\"provisioningStatus\":\"disabled\"");
    dps_fixture_connect_enrolled(f, &client, "dev");
    dps_answer a = dps_fixture_finish(f, &client, "{}");
    assert_int_equal(a.status, 200);
    assert_string_equal(dps_member(a.json, "status"), "disabled");
    assert_string_equal(dps_member(a.json, "registrationState.assignedHub"), "");
    cJSON_Delete(a.json);
    assert_null(hub_registry_find(&f->hub.registry, "dev", NULL));
}

static void a_body_that_is_no_request_is_refused(void **state)
{
    static const char *const bodies[] = {
        "{", "7", "[]", "null", "{\"registrationId\":\"other\"}", "{\"registrationId\":7}", "\xff",
    };
    hub_fixture *f = *state;

    (void)dps_fixture_enroll(f, false, "dev", "");
    dps_fixture_connect_enrolled(f, &client, "dev");
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        expect_error(dps_fixture_register(f, &client, bodies[i]), 400004);
    }
}

static void an_operation_belongs_to_one_device_and_one_attempt(void **state)
{
    hub_fixture *f = *state;

    (void)dps_fixture_enroll(f, false, "a", "");
    (void)dps_fixture_enroll(f, false, "b", "");
    dps_fixture_connect_enrolled(f, &client, "a");
    dps_fixture_connect_enrolled(f, &other_client, "b");
    expect_error(dps_fixture_poll(f, &client, "4.x.y"), 404205);
    dps_answer a = dps_fixture_register(f, &client, "{}");
    const char *operation = dps_member(a.json, "operationId");
    expect_error(dps_fixture_poll(f, &other_client, operation), 404205);
    cJSON_Delete(dps_fixture_register(f, &client, "{}").json);
    expect_error(dps_fixture_poll(f, &client, operation), 404205);
    cJSON_Delete(a.json);
}

/* --- connections ------------------------------------------------------------------ */

static void other_topics_close_the_connection(void **state)
{
    static const char *const topics[] = { "devices/dev/messages/events/",
                                          "$iothub/twin/GET/?$rid=1",
                                          "$dps/registrations/PUT/other/?$rid=1", "" };
    hub_fixture *f = *state;
    hub_fault fault;

    (void)dps_fixture_enroll(f, false, "dev", "");
    dps_fixture_connect_enrolled(f, &client, "dev");
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        const hub_publish p = { .topic = topics[i], .payload = "", .len = 0 };
        assert_int_not_equal(hub_client_check_publish(&f->hub, &client, &p, &fault), HUB_OK);
        assert_int_not_equal(hub_client_subscribe(&f->hub, &client, topics[i], 0, &fault), HUB_OK);
    }
    const hub_publish large = { .topic = "$dps/registrations/PUT/iotdps-register/?$rid=1",
                                .payload = "",
                                .len = 64 * 1024 + 1 };
    assert_int_equal(hub_client_check_publish(&f->hub, &client, &large, &fault), HUB_ERR_TOO_LARGE);
}

static void a_client_of_the_hub_may_not_use_the_topics_of_the_service(void **state)
{
    hub_fixture *f = *state;
    const hub_publish p = { .topic = "$dps/registrations/PUT/iotdps-register/?$rid=1",
                            .payload = "{}",
                            .len = 2 };
    hub_fault fault;

    assert_int_equal(fixture_connect(f, &client, "device1", true), HUB_OK);
    assert_int_not_equal(hub_client_check_publish(&f->hub, &client, &p, &fault), HUB_OK);
    assert_int_not_equal(
        hub_client_subscribe(&f->hub, &client, "$dps/registrations/res/#", 1, &fault), HUB_OK);
}

static void without_a_subscription_there_is_no_answer(void **state)
{
    hub_fixture *f = *state;

    (void)dps_fixture_enroll(f, false, "dev", "");
    dps_fixture_connect_enrolled(f, &client, "dev");
    hub_client_unsubscribe(&f->hub, &client, "$dps/registrations/res/#");
    assert_int_equal(dps_fixture_register(f, &client, "{}").status, 0);
}

static void devices_of_the_service_are_no_connected_devices_of_the_hub(void **state)
{
    hub_fixture *f = *state;

    (void)dps_fixture_enroll(f, false, "device1", "");
    dps_fixture_connect_enrolled(f, &client, "device1");
    assert_int_equal(f->hub.connections.count, 0);
    assert_false(hub_is_online(&f->hub, "device1"));
    assert_true(hub_knows(&f->hub, &client));
    hub_disconnected(&f->hub, &client);
    assert_false(hub_knows(&f->hub, &client));
    assert_int_equal(f->hub.connections.count, 0);
}

/* The front adds the prefix so that the broker can distinguish the two logins of a device. */
static void the_client_id_may_have_a_prefix_that_only_the_broker_sees(void **state)
{
    hub_fixture *f = *state;
    const dps_enrollment *e = dps_fixture_enroll(f, false, "dev", "");
    char *token = dps_fixture_token(f, "dev", e->attestation.first);
    char *user = hub_format("%s/registrations/dev/api-version=2019-03-31", f->hub.dps->id_scope);
    const hub_credentials c = { .client_id = "dps 7 dev", .user_name = user, .password = token };
    const hub_publish p = { .topic = "$dps/registrations/PUT/iotdps-register/?$rid=7",
                            .payload = "{}",
                            .len = 2 };
    hub_fault fault;

    assert_int_equal(hub_client_connect(&f->hub, &client, &c, true, &fault), HUB_OK);
    assert_int_equal(hub_client_subscribe(&f->hub, &client, "$dps/registrations/res/#", 1, &fault),
                     HUB_OK);
    assert_int_equal(hub_client_accept_publish(&f->hub, &client, &p), HUB_OK);
    hub_client_tick(&f->hub);
    assert_string_equal(f->sent[0].client_id, "dps 7 dev");
    assert_non_null(strstr(f->sent[0].topic, "/202/"));
    free(token);
    free(user);
}

static void without_the_service_its_login_is_refused(void **state)
{
    hub_fixture *f = *state;
    const hub_credentials c = {
        .client_id = "dev",
        .user_name = "0ne00000000/registrations/dev/api-version=2019-03-31",
        .password = "x",
    };
    hub_fault fault;

    fixture_restart(f);
    assert_int_equal(hub_client_connect(&f->hub, &client, &c, true, &fault), HUB_ERR_UNAUTHORIZED);
}

/* --- faults ----------------------------------------------------------------------- */

static void set_fault(hub_fixture *f, const char *text)
{
    cJSON *json = hub_json_read(text, strlen(text));
    dps_error e;

    static const dps_fault_words words = { "register", "poll" };
    assert_true(dps_faults_set(&f->hub.dps->faults, json, &words, &e));
    cJSON_Delete(json);
}

static void faults_take_the_place_of_answers_and_end(void **state)
{
    hub_fixture *f = *state;

    (void)dps_fixture_enroll(f, false, "dev", "");
    dps_fixture_connect_enrolled(f, &client, "dev");

    set_fault(f, "{\"count\":2,\"kind\":\"status\",\"status\":429,\"retryAfter\":9}");
    for (int i = 0; i < 2; i++) {
        dps_answer a = dps_fixture_register(f, &client, "{}");
        assert_int_equal(a.retry_after, 9);
        expect_error(a, 429001);
    }
    set_fault(f, "{\"count\":1,\"kind\":\"silence\"}");
    assert_int_equal(dps_fixture_register(f, &client, "{}").status, 0);
    set_fault(f, "{\"count\":1,\"kind\":\"nonsense\"}");
    dps_answer a = dps_fixture_register(f, &client, "{}");
    assert_int_equal(a.status, 202);
    assert_null(a.json);
    set_fault(f, "{\"count\":1,\"kind\":\"half\"}");
    a = dps_fixture_register(f, &client, "{}");
    assert_int_equal(a.status, 202);
    assert_null(a.json);
    set_fault(f, "{\"count\":1,\"kind\":\"failed\",\"errorCode\":400209}");
    a = dps_fixture_finish(f, &client, "{}");
    assert_string_equal(dps_member(a.json, "status"), "failed");
    cJSON_Delete(a.json);
    set_fault(f, "{\"count\":1,\"kind\":\"unassigned\"}");
    a = dps_fixture_finish(f, &client, "{}");
    assert_string_equal(dps_member(a.json, "status"), "unassigned");
    cJSON_Delete(a.json);
    expect_assigned(dps_fixture_finish(f, &client, "{}"), "dev", "initialAssignment");

    set_fault(f, "{\"count\":1,\"kind\":\"close\"}");
    assert_int_equal(dps_fixture_register(f, &client, "{}").status, 0);
    hub_tick(&f->hub);
    assert_string_equal(f->dropped, "dev ");
    assert_false(hub_knows(&f->hub, &client));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DPS_TEST(a_device_is_told_to_wait_and_then_its_hub),
        DPS_TEST(without_assigning_the_first_answer_is_the_last),
        DPS_TEST(the_identity_has_the_keys_of_the_enrolment_and_its_twin),
        DPS_TEST(a_member_of_a_group_uses_its_derived_key_in_the_hub_too),
        DPS_TEST(the_payload_comes_back),
        DPS_TEST(a_device_that_migrates_keeps_its_data),
        DPS_TEST(a_device_that_is_reset_starts_again_with_the_initial_twin),
        DPS_TEST(without_reprovisioning_nothing_changes),
        DPS_TEST(a_deleted_device_is_made_again_unless_the_policy_forbids_it),
        DPS_TEST(new_keys_of_the_enrolment_reach_the_identity_when_it_registers_again),
        DPS_TEST(one_device_keeps_its_id_whatever_the_case_of_its_registration_id),
        DPS_TEST(wrong_credentials_are_accepted_first_and_refused_in_the_answer),
        DPS_TEST(the_key_of_a_group_is_not_the_key_of_a_device),
        DPS_TEST(a_device_without_any_enrolment_is_not_found),
        DPS_TEST(another_id_scope_is_refused),
        DPS_TEST(a_disabled_enrolment_ends_as_disabled),
        DPS_TEST(a_body_that_is_no_request_is_refused),
        DPS_TEST(an_operation_belongs_to_one_device_and_one_attempt),
        DPS_TEST(other_topics_close_the_connection),
        DPS_TEST(a_client_of_the_hub_may_not_use_the_topics_of_the_service),
        DPS_TEST(without_a_subscription_there_is_no_answer),
        DPS_TEST(devices_of_the_service_are_no_connected_devices_of_the_hub),
        DPS_TEST(the_client_id_may_have_a_prefix_that_only_the_broker_sees),
        DPS_TEST(without_the_service_its_login_is_refused),
        DPS_TEST(faults_take_the_place_of_answers_and_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
