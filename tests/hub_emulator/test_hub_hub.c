#include "hub_fixture.h"

#include "hub/hub_clients.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS "devices/device1/messages/events/"

static const int one;
static const int two;

/* --- login ------------------------------------------------------------- */

typedef struct attempt {
    const char *why;
    const char *client_id;
    const char *user_name;
    const char *resource;
    const char *policy; /* the policy whose key signs; NULL: the device's own key */
    int64_t lifetime_s;
    bool accepted;
} attempt;

static hub_result try_login(hub_fixture *f, const attempt *a)
{
    const hub_policy *policy =
        a->policy != NULL ? hub_policies_find(&f->hub.registry.policies, a->policy) : NULL;
    const char *key =
        policy != NULL ? policy->primary_key : fixture_device(f, "device1")->primary_key;
    char *token = fixture_token(a->resource, key, FIXTURE_NOW_S + a->lifetime_s, a->policy);
    const hub_credentials c = { .client_id = a->client_id,
                                .user_name = a->user_name,
                                .password = token };
    hub_fault fault;

    hub_result r = hub_connect(&f->hub, &one, &c, true, &fault);
    if (r == HUB_OK) {
        hub_disconnected(&f->hub, &one);
    } else if (strstr(fault.text, key) != NULL || strstr(fault.text, token) != NULL) {
        fail_msg("a secret in: %s", fault.text);
    }
    free(token);
    return r;
}

static void logins_follow_the_rules_of_the_hub(void **state)
{
    hub_fixture *f = *state;
#define USER "localhost/device1/?api-version=2021-04-12"
#define SR   "localhost/devices/device1"
    static const attempt attempts[] = {
        { "as documented", "device1", USER, SR, NULL, 60, true },
        { "with more parameters", "device1", USER "&DeviceClientType=a%20b&model-id=dtmi%3Ax%3B1",
          SR, NULL, 60, true },
        { "a model-id that is no text", "device1", USER "&model-id=%FF", SR, NULL, 60, false },
        { "a model-id cut in an escape", "device1", USER "&model-id=a%2", SR, NULL, 60, false },
        { "a model-id with NUL", "device1", USER "&model-id=%00", SR, NULL, 60, false },
        { "a model-id with a line end", "device1", USER "&model-id=a%0A", SR, NULL, 60, false },
        { "model-id twice", "device1", USER "&model-id=a&model-id=b", SR, NULL, 60, false },
        { "an empty model-id", "device1", USER "&model-id=&model-id2=%&model-id", SR, NULL, 60,
          true },
        { "preview version", "device1", "localhost/device1/?api-version=2025-08-01-preview", SR,
          NULL, 60, true },
        { "the form of 2016", "device1", "localhost/device1/api-version=2016-11-14", SR, NULL, 60,
          true },
        { "any name of the hub", "device1", "my.hub/device1/?api-version=2021-04-12",
          "my.hub/devices/device1", NULL, 60, true },
        { "a policy for the hub", "device1", USER, "localhost", "iothubowner", 60, true },
        { "a policy for all devices", "device1", USER, "localhost/devices", "device", 60, true },
        { "a policy that may not", "device1", USER, "localhost", "service", 60, false },
        { "an unknown policy", "device1", USER, "localhost", "nope", 60, false },
        { "expired", "device1", USER, SR, NULL, 0, false },
        { "scope of another device", "device1", USER, "localhost/devices/device11", NULL, 60,
          false },
        { "scope of half a name", "device1", USER, "localhost/devices/device", NULL, 60, false },
        { "scope of another hub", "device1", USER, "other/devices/device1", NULL, 60, false },
        { "unknown device", "nobody", "localhost/nobody/?api-version=2021-04-12",
          "localhost/devices/nobody", NULL, 60, false },
        { "another client id", "device2", USER, SR, NULL, 60, false },
        { "client id in capitals", "DEVICE1", USER, SR, NULL, 60, false },
        { "no api-version", "device1", "localhost/device1/", SR, NULL, 60, false },
        { "no slash", "device1", "localhost/device1", SR, NULL, 60, false },
        { "api-version not a date", "device1", "localhost/device1/?api-version=1", SR, NULL, 60,
          false },
        { "api-version twice", "device1", USER "&api-version=2021-04-12", SR, NULL, 60, false },
        { "no host", "device1", "/device1/?api-version=2021-04-12", "/devices/device1", NULL, 60,
          false },
        { "no user name", "device1", NULL, SR, NULL, 60, false },
    };

    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        hub_result r = try_login(f, &attempts[i]);
        if ((r == HUB_OK) != attempts[i].accepted) {
            fail_msg("%s: %s", attempts[i].why, hub_result_name(r));
        }
    }
}

static const char *last_event(hub_fixture *f)
{
    uint64_t from = f->hub.telemetry.next_sequence - 1;
    const hub_event *event = hub_telemetry_from(&f->hub.telemetry, &from, NULL);
    return event != NULL ? event->json : "";
}

/* Logs in with that user name and a token for the resource. The token is signed with the key of
 * the policy or, if that is NULL, of device1. */
static hub_result log_in(hub_fixture *f, const char *client_id, const char *user_name,
                         const char *resource, const char *policy)
{
    const hub_policy *p = hub_policies_find(&f->hub.registry.policies, "iothubowner");
    const char *key = policy != NULL ? p->primary_key : fixture_device(f, client_id)->primary_key;
    char *token = fixture_token(resource, key, FIXTURE_NOW_S + 60, policy);
    const hub_credentials c = { .client_id = client_id, .user_name = user_name, .password = token };
    hub_fault fault;

    hub_result r = hub_connect(&f->hub, &one, &c, true, &fault);
    free(token);
    return r;
}

static void expect_model(hub_fixture *f, const char *expected)
{
    cJSON *view = hub_identity_twin_view(fixture_device(f, "device1"));

    assert_string_equal(hub_json_string(view, "modelId"), expected);
    cJSON_Delete(view);
}

static void the_model_of_the_login_is_in_the_twin_and_in_telemetry(void **state)
{
    hub_fixture *f = *state;
#define MODEL "dtmi:com:example:Thermostat;1"

    expect_model(f, "");
    assert_int_equal(
        log_in(f, "device1", USER "&model-id=dtmi%3Acom%3aexample:Thermostat%3B1&x=y", SR, NULL),
        HUB_OK);
    expect_model(f, MODEL);
    assert_int_equal(fixture_publish(f, &one, EVENTS "%24.sub=part", "x"), HUB_OK);
    assert_non_null(strstr(last_event(f), "\"dt-subject\":\"part\""));
    assert_non_null(strstr(last_event(f), "\"dt-dataschema\":\"" MODEL "\""));
    hub_disconnected(&f->hub, &one);
    expect_model(f, MODEL);
    fixture_restart(f);
    expect_model(f, MODEL);
    assert_int_equal(log_in(f, "device1", USER "&model-id=%", SR, NULL), HUB_ERR_UNAUTHORIZED);
    assert_int_equal(log_in(f, "device1", USER "&model-id=other", "x", NULL), HUB_ERR_UNAUTHORIZED);
    expect_model(f, MODEL); /* a refused login does not change the model id */
    assert_int_equal(log_in(f, "device1", USER, SR, NULL), HUB_OK);
    expect_model(f, "");
    assert_int_equal(fixture_publish(f, &one, EVENTS, "x"), HUB_OK);
    assert_null(strstr(last_event(f), "dt-dataschema"));
}

static void the_hub_says_who_has_sent_a_message(void **state)
{
    hub_fixture *f = *state;
    hub_identity *module;
    hub_fault fault;

    assert_int_equal(
        hub_registry_create(&f->hub.registry, "device1", "m", NULL, f->now_ms, &module, &fault),
        HUB_OK);
    assert_int_equal(log_in(f, "device1", USER, SR, NULL), HUB_OK);
    assert_int_equal(fixture_publish(f, &one, EVENTS "%24.cdid=spoof&%24.cmid=spoof", "x"), HUB_OK);
    assert_null(strstr(last_event(f), "spoof"));
    assert_non_null(strstr(last_event(f), "\"iothub-connection-device-id\":\"device1\""));
    assert_null(strstr(last_event(f), "module"));
    assert_non_null(
        strstr(last_event(f), "{\\\"scope\\\":\\\"device\\\",\\\"type\\\":\\\"sas\\\","));
    assert_non_null(strstr(last_event(f), fixture_device(f, "device1")->generation_id));
    hub_disconnected(&f->hub, &one);

    assert_int_equal(log_in(f, "device1", USER, "localhost", "iothubowner"), HUB_OK);
    assert_int_equal(fixture_publish(f, &one, EVENTS, "x"), HUB_OK);
    assert_non_null(strstr(last_event(f), "\\\"scope\\\":\\\"hub\\\""));
    hub_disconnected(&f->hub, &one);

    assert_int_equal(log_in(f, "device1/m", "localhost/device1/m/?api-version=2021-04-12",
                            SR "/modules/m", NULL),
                     HUB_OK);
    assert_int_equal(fixture_publish(f, &one, "devices/device1/modules/m/messages/events", "x"),
                     HUB_OK);
    assert_non_null(strstr(last_event(f), "\\\"scope\\\":\\\"module\\\""));
    assert_non_null(strstr(last_event(f), "\"iothub-connection-module-id\":\"m\""));
    assert_non_null(strstr(last_event(f), module->generation_id));
}

static void the_secondary_key_is_as_good(void **state)
{
    hub_fixture *f = *state;
    char *token =
        fixture_token(SR, fixture_device(f, "device1")->secondary_key, FIXTURE_NOW_S + 1, NULL);
    const hub_credentials c = { .client_id = "device1", .user_name = USER, .password = token };
    hub_fault fault;

    assert_int_equal(hub_connect(&f->hub, &one, &c, true, &fault), HUB_OK);
    free(token);
}

static void a_disabled_device_is_refused(void **state)
{
    hub_fixture *f = *state;

    fixture_device(f, "device1")->enabled = false;
    assert_int_equal(fixture_connect(f, &one, "device1", true), HUB_ERR_UNAUTHORIZED);
}

static void a_connection_ends_with_its_token(void **state)
{
    hub_fixture *f = *state;

    assert_int_equal(fixture_connect(f, &one, "device1", true), HUB_OK);
    f->now_ms += 3600 * 1000 - 1;
    hub_tick(&f->hub);
    assert_string_equal(f->dropped, "");
    f->now_ms += 100; /* deadlines are checked ten times a second */
    hub_tick(&f->hub);
    hub_tick(&f->hub);
    assert_string_equal(f->dropped, "device1 ");
}

/* --- subscriptions ----------------------------------------------------- */

static void a_device_fits_its_five_filters(void **state)
{
    hub_fixture *f = *state;
    hub_fault fault;

    assert_int_equal(fixture_connect(f, &one, "device1", true), HUB_OK);
    fixture_subscribe(f, &one, "devices/device1/messages/devicebound/#", 1);
    fixture_subscribe(f, &one, "$iothub/twin/res/#", 0);
    fixture_subscribe(f, &one, "$iothub/twin/PATCH/properties/desired/#", 0);
    fixture_subscribe(f, &one, "$iothub/methods/POST/#", 0);
    fixture_subscribe(f, &one, "$iothub/credentials/res/#", 0);
    fixture_subscribe(f, &one, "$iothub/twin/res/#", 0);
    assert_int_equal(hub_subscribe(&f->hub, &one, "$iothub/#", 0, &fault), HUB_ERR_ARGUMENT);
}

static void a_client_that_is_being_closed_subscribes_to_nothing(void **state)
{
    hub_fixture *f = *state;
    hub_fault fault;

    assert_int_equal(fixture_connect(f, &one, "device1", true), HUB_OK);
    hub_kick(&f->hub, fixture_device(f, "device1"));
    assert_int_equal(hub_subscribe(&f->hub, &one, "anything", 0, &fault), HUB_OK);
    assert_int_equal(fixture_device(f, "device1")->session.subscriptions, 0);
}

/* --- telemetry --------------------------------------------------------- */

static void publish_retained(hub_fixture *f)
{
    const hub_publish p = { .topic = EVENTS, .payload = "x", .len = 1, .retain = true };
    assert_int_equal(hub_accept_publish(&f->hub, &one, &p), HUB_OK);
}

static void retain_becomes_a_property(void **state)
{
    hub_fixture *f = *state;
    hub_identity *id = fixture_device(f, "device1");

    assert_int_equal(fixture_connect(f, &one, "device1", true), HUB_OK);
    publish_retained(f);
    assert_non_null(strstr(last_event(f), "\"mqtt-retain\":\"true\""));
    id->session.old_api = true;
    publish_retained(f);
    assert_non_null(strstr(last_event(f), "\"x-opt-retain\":\"true\""));
}

static void a_will_is_telemetry(void **state)
{
    hub_fixture *f = *state;
    hub_publish p = { .topic = EVENTS "a=1", .payload = "x", .len = 1 };

    /* Ignored, because this connection has not logged in. */
    hub_accept_will(&f->hub, &two, "device1", &p);
    assert_int_equal(f->hub.telemetry.count, 0);
    assert_int_equal(fixture_connect(f, &two, "device1", true), HUB_OK);
    hub_disconnected(&f->hub, &two);
    hub_accept_will(&f->hub, &two, "device1", &p);
    assert_non_null(strstr(last_event(f), "{\"a\":\"1\",\"iothub-MessageType\":\"Will\"}"));
    p.topic = "devices/other/messages/events/";
    hub_accept_will(&f->hub, &two, "device1", &p);
    p.topic = EVENTS "a=%";
    hub_accept_will(&f->hub, &two, "device1", &p);
    hub_accept_will(&f->hub, &two, "nobody", &p);
    assert_int_equal(f->hub.telemetry.count, 1);
}

static void illegal_publishes_are_refused(void **state)
{
    hub_fixture *f = *state;
    static const char *const topics[] = {
        "x",
        "devices/other/messages/events/",
        EVENTS "a=%",
        EVENTS "%24.mid=a%20b",
        "$iothub/twin/GET/",
        "$iothub/methods/res/x/?$rid=1",
        "$iothub/twin/PATCH/properties/desired/?$rid=1",
        "devices/device1/messages/devicebound/",
        "$iothub/credentials/POST/issueCertificate/",
    };

    assert_int_equal(fixture_connect(f, &one, "device1", true), HUB_OK);
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        if (fixture_publish(f, &one, topics[i], "{}") == HUB_OK) {
            fail_msg("%s", topics[i]);
        }
    }
    assert_int_equal(f->hub.telemetry.count, 0);
    assert_int_equal(f->sent_count, 0);
}

/* --- twins ------------------------------------------------------------- */

static void twin_requests_are_answered_to_listeners(void **state)
{
    hub_fixture *f = *state;

    assert_int_equal(fixture_connect(f, &one, "device1", true), HUB_OK);
    assert_int_equal(fixture_publish(f, &one, "$iothub/twin/GET/?$rid=1", " "), HUB_OK);
    assert_int_equal(f->sent_count, 0);
    fixture_subscribe(f, &one, "$iothub/twin/res/#", 0);
    (void)fixture_publish(f, &one, "$iothub/twin/GET/?$rid=a%20b", " ");
    (void)fixture_publish(f, &one, "$iothub/twin/PATCH/properties/reported/?$rid=2", "{\"a\":1}");
    (void)fixture_publish(f, &one, "$iothub/twin/PATCH/properties/reported/?$rid=3", "{\"a\":");
    f->hub.throttle_twins = 1;
    f->hub.throttle_status = 503;
    (void)fixture_publish(f, &one, "$iothub/twin/GET/?$rid=4", " ");

    assert_int_equal(f->sent_count, 4);
    assert_string_equal(f->sent[0].topic, "$iothub/twin/res/200/?$rid=a%20b");
    assert_string_equal(f->sent[1].topic, "$iothub/twin/res/204/?$rid=2&$version=2");
    assert_int_equal(f->sent[1].len, 0);
    assert_string_equal(f->sent[2].topic, "$iothub/twin/res/400/?$rid=3");
    assert_string_equal(f->sent[3].topic, "$iothub/twin/res/503/?$rid=4");
    fixture_restart(f);
    assert_int_equal(fixture_device(f, "device1")->twin.reported.version, 2);
}

static void desired_changes_reach_the_subscribed_devices(void **state)
{
    hub_fixture *f = *state;
    hub_identity *id = fixture_device(f, "device1");
    static const char text[] = "{\"properties\":{\"desired\":{\"a\":1}}}";
    cJSON *body = hub_json_read(text, sizeof text - 1);
    hub_change change = { .twin = body };
    hub_fault fault;

    assert_int_equal(fixture_connect(f, &one, "device1", false), HUB_OK);
    assert_int_equal(hub_apply(&f->hub, id, &change, &fault), HUB_OK);
    fixture_subscribe(f, &one, "$iothub/twin/PATCH/properties/desired/#", 1);
    assert_int_equal(hub_apply(&f->hub, id, &change, &fault), HUB_OK);
    hub_send_queued(&f->hub);
    hub_disconnected(&f->hub, &one);
    assert_int_equal(hub_apply(&f->hub, id, &change, &fault), HUB_OK);
    cJSON_Delete(body);

    assert_int_equal(f->sent_count, 1);
    assert_string_equal(f->sent[0].topic, "$iothub/twin/PATCH/properties/desired/?$version=3");
    assert_string_equal(f->sent[0].payload, "{\"a\":1,\"$version\":3}");
    assert_int_equal(f->sent[0].qos, 0);
}

/* --- sessions ---------------------------------------------------------- */

static void a_second_connection_takes_over(void **state)
{
    hub_fixture *f = *state;
    const hub_identity *id = fixture_device(f, "device1");

    assert_int_equal(fixture_connect(f, &one, "device1", false), HUB_OK);
    fixture_subscribe(f, &one, "$iothub/methods/POST/#", 0);
    assert_int_equal(fixture_connect(f, &two, "device1", false), HUB_OK);
    hub_disconnected(&f->hub, &one);

    assert_non_null(id->session.connection);
    assert_int_equal(id->session.subscriptions, HUB_SUB_METHODS);
    hub_disconnected(&f->hub, &two);
    assert_null(id->session.connection);
    assert_int_equal(id->session.subscriptions, HUB_SUB_METHODS);
    assert_int_equal(fixture_connect(f, &one, "device1", true), HUB_OK);
    assert_int_equal(id->session.subscriptions, 0);
}

/* Mosquitto delivers what is published for a client id after the events of its round. If a client
 * asks, and its next connection logs in within one round, the answer must not reach the latter. */
static void an_answer_to_an_earlier_connection_does_not_reach_the_next_one(void **state)
{
    static const char *const questions[] = { "$iothub/twin/GET/?$rid=1",
                                             "$iothub/twin/PATCH/properties/reported/?$rid=1" };
    hub_fixture *f = *state;

    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        for (int kept = 0; kept < 2; kept++) {
            const hub_publish p = { .topic = questions[i], .payload = "{}", .len = 2 };
            assert_int_equal(fixture_connect(f, &one, "device1", kept == 0), HUB_OK);
            fixture_subscribe(f, &one, "$iothub/twin/res/#", 0);
            hub_tick(&f->hub);
            assert_int_equal(hub_client_accept_publish(&f->hub, &one, &p), HUB_OK);
            assert_int_equal(fixture_connect(f, &two, "device1", kept == 0), HUB_OK);
            hub_disconnected(&f->hub, &one);
            fixture_subscribe(f, &two, "$iothub/twin/res/#", 0);
            hub_tick(&f->hub);
            assert_int_equal(f->sent_count, 0);

            assert_int_equal(hub_client_accept_publish(&f->hub, &two, &p), HUB_OK);
            hub_tick(&f->hub);
            assert_int_equal(f->sent_count, 1);
            fixture_forget_sent(f);
            hub_disconnected(&f->hub, &two);
        }
    }
}

static void a_deleted_device_is_dropped(void **state)
{
    hub_fixture *f = *state;
    hub_fault fault;

    assert_int_equal(fixture_connect(f, &one, "device1", true), HUB_OK);
    assert_int_equal(hub_delete(&f->hub, fixture_device(f, "device1"), &fault), HUB_OK);
    assert_int_equal(fixture_publish(f, &one, EVENTS, "x"), HUB_ERR_UNAUTHORIZED);
    hub_unsubscribe(&f->hub, &one, "x");
    hub_tick(&f->hub);
    assert_string_equal(f->dropped, "device1 ");
    hub_disconnected(&f->hub, &one);
    assert_int_equal(f->hub.connections.count, 0);
}

static void modules_have_topics_of_their_own(void **state)
{
    hub_fixture *f = *state;
    hub_identity *made;
    hub_fault fault;

    assert_int_equal(
        hub_registry_create(&f->hub.registry, "device1", "m", NULL, f->now_ms, &made, &fault),
        HUB_OK);
    assert_int_equal(fixture_connect(f, &one, "device1/m", true), HUB_OK);
    fixture_subscribe(f, &one, "devices/device1/modules/m/#", 1);
    assert_int_equal(
        fixture_publish(f, &one, "devices/device1/modules/m/messages/events/%24.on=out", "x"),
        HUB_OK);
    assert_int_equal(fixture_publish(f, &one, EVENTS, "x"), HUB_ERR_ARGUMENT);

    assert_non_null(strstr(last_event(f), "\"moduleId\":\"m\""));
    assert_non_null(strstr(last_event(f), "\"iothub-output-name\":\"out\""));
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(logins_follow_the_rules_of_the_hub),
        FIXTURE_TEST(the_model_of_the_login_is_in_the_twin_and_in_telemetry),
        FIXTURE_TEST(the_hub_says_who_has_sent_a_message),
        FIXTURE_TEST(the_secondary_key_is_as_good),
        FIXTURE_TEST(a_disabled_device_is_refused),
        FIXTURE_TEST(a_connection_ends_with_its_token),
        FIXTURE_TEST(a_device_fits_its_five_filters),
        FIXTURE_TEST(a_client_that_is_being_closed_subscribes_to_nothing),
        FIXTURE_TEST(retain_becomes_a_property),
        FIXTURE_TEST(a_will_is_telemetry),
        FIXTURE_TEST(illegal_publishes_are_refused),
        FIXTURE_TEST(twin_requests_are_answered_to_listeners),
        FIXTURE_TEST(desired_changes_reach_the_subscribed_devices),
        FIXTURE_TEST(a_second_connection_takes_over),
        FIXTURE_TEST(an_answer_to_an_earlier_connection_does_not_reach_the_next_one),
        FIXTURE_TEST(a_deleted_device_is_dropped),
        FIXTURE_TEST(modules_have_topics_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
