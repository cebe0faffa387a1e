/* Tests the requests of the provisioning service API. */

#include "dps_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "hub_exchange.h"

#define OWNER "provisioningserviceowner"
#define KEYS  "\"attestation\":{\"type\":\"symmetricKey\"}"

static const int client;

static hub_exchange as_owner(void **state)
{
    return (hub_exchange){ .fixture = *state, .policy = OWNER };
}

static cJSON *reply_json(const hub_exchange *x)
{
    return hub_json_read(hub_reply(x), strlen(hub_reply(x)));
}

static void expect_error(hub_exchange *x, int status, int code)
{
    cJSON *json = reply_json(x);

    assert_int_equal(x->handling.reply.status, status);
    assert_int_equal(hub_json_number(json, "errorCode", 0), code);
    assert_int_equal(strlen(hub_json_string(json, "trackingId")), 36);
    assert_true(hub_json_string(json, "message")[0] != '\0');
    cJSON_Delete(json);
}

/* Returns the etag of the last reply, on the heap. */
static char *etag_of(const hub_exchange *x)
{
    assert_non_null(x->handling.reply.etag);
    return hub_strdup(x->handling.reply.etag);
}

static void an_enrolment_is_created_shown_and_deleted_in_any_case_of_letters(void **state)
{
    static const struct {
        const char *path;
        const char *other_path;
        const char *body;
    } cases[] = {
        { "/enrollments/Dev:1", "/ENROLLMENTS/dev:1", "{\"registrationId\":\"Dev:1\"," KEYS "}" },
        { "/enrollmentGroups/G", "/enrollmentgroups/g", "{\"enrollmentGroupId\":\"G\"," KEYS "}" },
    };
    hub_exchange x = as_owner(state);

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(hub_ask(&x, "GET", cases[i].path, NULL), 404);
        expect_error(&x, 404, 404201);
        assert_int_equal(hub_ask(&x, "PUT", cases[i].path, cases[i].body), 200);
        assert_non_null(strstr(hub_reply(&x), "\"primaryKey\":\""));
        assert_int_equal(hub_ask(&x, "GET", cases[i].other_path, NULL), 200);
        assert_null(strstr(hub_reply(&x), "primaryKey"));
        assert_int_equal(hub_ask(&x, "DELETE", cases[i].other_path, NULL), 204);
        assert_int_equal(hub_ask(&x, "DELETE", cases[i].path, NULL), 404);
        expect_error(&x, 404, 404201);
    }
    hub_exchange_end(&x);
}

static void a_change_needs_the_current_etag(void **state)
{
    static const char body[] = "{\"registrationId\":\"d\"," KEYS "}";
    hub_exchange x = as_owner(state);

    x.if_match = "*";
    assert_int_equal(hub_ask(&x, "PUT", "/enrollments/d", body), 404);
    x.if_match = NULL;
    assert_int_equal(hub_ask(&x, "PUT", "/enrollments/d", body), 200);
    char *first = etag_of(&x);
    assert_int_equal(hub_ask(&x, "PUT", "/enrollments/d", body), 409);
    expect_error(&x, 409, 409201);
    x.if_match = first;
    assert_int_equal(hub_ask(&x, "PUT", "/enrollments/d", body), 200);
    char *second = etag_of(&x);
    assert_string_not_equal(first, second);
    assert_int_equal(hub_ask(&x, "PUT", "/enrollments/d", body), 412);
    expect_error(&x, 412, 412201);
    assert_int_equal(hub_ask(&x, "DELETE", "/enrollments/d", NULL), 412);
    char *quoted = hub_format("\"%s\"", second);
    x.if_match = quoted;
    assert_int_equal(hub_ask(&x, "DELETE", "/enrollments/d", NULL), 204);
    free(first);
    free(second);
    free(quoted);
    hub_exchange_end(&x);
}

static void the_keys_have_a_request_of_their_own(void **state)
{
    static const struct {
        const char *path;
        bool group;
    } cases[] = { { "/enrollments/one/attestationmechanism", false },
                  { "/enrollmentgroups/many/attestationmechanism", true } };
    hub_exchange x = as_owner(state);

    (void)dps_fixture_enroll(x.fixture, false, "one", "");
    (void)dps_fixture_enroll(x.fixture, true, "many", "");
    for (size_t i = 0; i < 2; i++) {
        const dps_enrollment *e = dps_find_enrollment(x.fixture->hub.dps, cases[i].group,
                                                      cases[i].group ? "many" : "one");
        assert_int_equal(hub_ask(&x, "POST", cases[i].path, NULL), 200);
        cJSON *json = reply_json(&x);
        assert_string_equal(dps_member(json, "type"), "symmetricKey");
        assert_string_equal(dps_member(json, "symmetricKey.primaryKey"), e->attestation.first);
        assert_string_equal(dps_member(json, "symmetricKey.secondaryKey"), e->attestation.second);
        cJSON_Delete(json);
    }
    hub_exchange_end(&x);
}

/* --- pages -------------------------------------------------------------------------- */

static void pages_hold_each_enrolment_once_for_each_size(void **state)
{
    hub_exchange x = as_owner(state);
    char size[16];

    for (int i = 0; i < 7; i++) {
        char *id = hub_format("Dev%d", i * 3 % 7);
        (void)dps_fixture_enroll(x.fixture, false, id, "");
        free(id);
    }
    for (int per_page = 1; per_page <= 8; per_page++) {
        char *continuation = NULL;
        hub_text ids = { 0 };
        (void)snprintf(size, sizeof size, "%d", per_page);
        x.max_item_count = size;
        do {
            x.continuation = continuation;
            assert_int_equal(hub_ask(&x, "POST", "/enrollments/query", "{\"query\":\"SELECT *\"}"),
                             200);
            assert_string_equal(x.handling.reply.item_type, "enrollment");
            cJSON *rows = reply_json(&x);
            const cJSON *row;
            assert_true(cJSON_GetArraySize(rows) <= per_page);
            cJSON_ArrayForEach(row, rows)
            {
                hub_text_printf(&ids, "%s ", hub_json_string(row, "registrationId"));
            }
            cJSON_Delete(rows);
            free(continuation);
            continuation = x.handling.reply.continuation != NULL
                               ? hub_strdup(x.handling.reply.continuation)
                               : NULL;
        } while (continuation != NULL);
        assert_string_equal(ids.p, "Dev0 Dev1 Dev2 Dev3 Dev4 Dev5 Dev6 ");
        hub_text_free(&ids);
        x.continuation = NULL;
    }
    hub_exchange_end(&x);
}

static void only_a_query_for_all_is_accepted(void **state)
{
    static const struct {
        const char *body;
        int status;
    } cases[] = {
        { "{\"query\":\"SELECT *\"}", 200 },
        { "{\"query\":\" select  * from enrollments \"}", 200 },
        { "{\"query\":\"*\"}", 400 },
        { "{\"query\":\"SELECT * FROM\"}", 400 },
        { "{\"query\":\"SELECT * FROM a WHERE b\"}", 400 },
        { "{\"query\":\"SELECT registrationId FROM enrollments\"}", 400 },
        { "{\"query\":\"\"}", 400 },
        { "{\"query\":7}", 400 },
        { "{}", 400 },
        { "[]", 400 },
        { NULL, 400 },
    };
    static const char *const paths[] = { "/enrollments/query", "/enrollmentGroups/query",
                                         "/registrations/g/query" };
    hub_exchange x = as_owner(state);

    (void)dps_fixture_enroll(x.fixture, true, "g", "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t p = 0; p < 3; p++) {
            assert_int_equal(hub_ask(&x, "POST", paths[p], cases[i].body), cases[i].status);
        }
    }
    x.continuation = "not base64";
    assert_int_equal(hub_ask(&x, "POST", paths[0], cases[0].body), 400);
    x.continuation = NULL;
    x.max_item_count = "many";
    assert_int_equal(hub_ask(&x, "POST", paths[0], cases[0].body), 400);
    hub_exchange_end(&x);
}

/* --- registrations -------------------------------------------------------------------- */

static void a_registration_is_shown_with_its_enrolment_and_can_be_deleted(void **state)
{
    hub_exchange x = as_owner(state);

    (void)dps_fixture_enroll(x.fixture, false, "dev", "");
    assert_int_equal(hub_ask(&x, "GET", "/registrations/dev", NULL), 404);
    expect_error(&x, 404, 404202);
    dps_fixture_connect_enrolled(x.fixture, &client, "dev");
    cJSON_Delete(dps_fixture_finish(x.fixture, &client, "{}").json);

    assert_int_equal(hub_ask(&x, "GET", "/Registrations/DEV", NULL), 200);
    char *etag = etag_of(&x);
    cJSON *json = reply_json(&x);
    assert_string_equal(dps_member(json, "assignedHub"), DPS_FIXTURE_HOST);
    cJSON_Delete(json);
    assert_int_equal(hub_ask(&x, "GET", "/enrollments/dev", NULL), 200);
    json = reply_json(&x);
    assert_string_equal(dps_member(json, "registrationState.status"), "assigned");
    cJSON_Delete(json);

    x.if_match = "other";
    assert_int_equal(hub_ask(&x, "DELETE", "/registrations/dev", NULL), 412);
    x.if_match = etag;
    assert_int_equal(hub_ask(&x, "DELETE", "/registrations/dev", NULL), 204);
    x.if_match = NULL;
    assert_int_equal(hub_ask(&x, "GET", "/registrations/dev", NULL), 404);
    free(etag);
    hub_exchange_end(&x);
}

static void the_registrations_of_a_group_are_those_of_its_members(void **state)
{
    static const char *const members[] = { "a", "b", "c" };
    hub_exchange x = as_owner(state);
    hub_fixture *f = *state;

    (void)dps_fixture_enroll(f, false, "single", "");
    (void)dps_fixture_enroll(f, true, "other", "");
    const dps_enrollment *g = dps_fixture_enroll(f, true, "g", "");
    for (size_t i = 0; i < 3; i++) {
        char *key = dps_derive_key(g->attestation.first, members[i]);
        char *token = dps_fixture_token(f, members[i], key);
        dps_fixture_connect(f, &client, members[i], token);
        cJSON_Delete(dps_fixture_finish(f, &client, "{}").json);
        hub_disconnected(&f->hub, &client);
        free(key);
        free(token);
    }
    assert_int_equal(hub_ask(&x, "POST", "/registrations/g/query", "{\"query\":\"SELECT *\"}"),
                     200);
    assert_string_equal(x.handling.reply.item_type, "deviceRegistration");
    cJSON *rows = reply_json(&x);
    assert_int_equal(cJSON_GetArraySize(rows), 3);
    cJSON_Delete(rows);
    assert_int_equal(hub_ask(&x, "POST", "/registrations/other/query", "{\"query\":\"SELECT *\"}"),
                     200);
    assert_string_equal(hub_reply(&x), "[]");
    assert_int_equal(hub_ask(&x, "POST", "/registrations/none/query", "{\"query\":\"SELECT *\"}"),
                     404);
    hub_exchange_end(&x);
}

/* --- bulk ------------------------------------------------------------------------------ */

static void a_bulk_request_goes_on_after_a_failed_entry(void **state)
{
    static const char create[] =
        "{\"mode\":\"create\",\"enrollments\":[{\"registrationId\":\"a\"," KEYS "},"
        "{\"registrationId\":\"b\"},{\"registrationId\":\"c\"," KEYS "},{}]}";
    hub_exchange x = as_owner(state);

    assert_int_equal(hub_ask(&x, "POST", "/enrollments", create), 200);
    cJSON *json = reply_json(&x);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "isSuccessful")));
    const cJSON *errors = cJSON_GetObjectItem(json, "errors");
    assert_int_equal(cJSON_GetArraySize(errors), 2);
    assert_string_equal(hub_json_string(errors->child, "registrationId"), "b");
    assert_int_equal(hub_json_number(errors->child, "errorCode", 0), 400004);
    cJSON_Delete(json);
    assert_int_equal(hub_ask(&x, "GET", "/enrollments/a", NULL), 200);
    assert_int_equal(hub_ask(&x, "GET", "/enrollments/c", NULL), 200);
    hub_exchange_end(&x);
}

static void each_mode_of_a_bulk_request_does_what_it_says(void **state)
{
    static const struct {
        const char *mode;
        const char *id;
        const char *etag; /* "=": the current one */
        int code;         /* error code; 0: the request succeeds */
    } cases[] = {
        { "create", "old", NULL, 409201 },
        { "update", "new", NULL, 404201 },
        { "update", "old", NULL, 0 },
        { "updateIfMatchETag", "old", "x", 412201 },
        { "updateIfMatchETag", "old", NULL, 412201 },
        { "updateIfMatchEtag", "old", "=", 0 },
        { "delete", "new", NULL, 404201 },
        { "delete", "old", "x", 412201 },
        { "delete", "old", NULL, 0 },
        { "create", "old", NULL, 0 },
        { "DELETE", "old", "=", 0 },
    };
    hub_exchange x = as_owner(state);

    (void)dps_fixture_enroll(x.fixture, false, "old", "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const dps_enrollment *e = dps_find_enrollment(x.fixture->hub.dps, false, cases[i].id);
        const bool current = cases[i].etag != NULL && cases[i].etag[0] == '=';
        char *etag = current ? dps_enrollment_etag(e)
                             : hub_strdup(cases[i].etag != NULL ? cases[i].etag : "");
        char *body = hub_format(
            "{\"mode\":\"%s\",\"enrollments\":[{\"registrationId\":\"%s\"%s%s%s," KEYS "}]}",
            cases[i].mode, cases[i].id, cases[i].etag != NULL ? ",\"etag\":\"" : "", etag,
            cases[i].etag != NULL ? "\"" : "");
        assert_int_equal(hub_ask(&x, "POST", "/enrollments", body), 200);
        cJSON *json = reply_json(&x);
        const cJSON *error = cJSON_GetObjectItem(json, "errors")->child;
        assert_int_equal(error != NULL ? hub_json_number(error, "errorCode", 1) : 0, cases[i].code);
        cJSON_Delete(json);
        free(body);
        free(etag);
    }
    hub_exchange_end(&x);
}

static void a_bulk_request_that_is_none_is_refused(void **state)
{
    static const char *const bodies[] = {
        NULL,
        "{}",
        "[]",
        "{\"mode\":\"create\"}",
        "{\"mode\":\"replace\",\"enrollments\":[]}",
        "{\"enrollments\":[]}",
        "{\"mode\":7,\"enrollments\":[]}",
        "{\"mode\":\"create\",\"enrollments\":[1,2,3,4,5,6,7,8,9,10,11]}",
    };
    hub_exchange x = as_owner(state);

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_int_equal(hub_ask(&x, "POST", "/enrollments", bodies[i]), 400);
        expect_error(&x, 400, 400004);
    }
    hub_exchange_end(&x);
}

/* --- rights ------------------------------------------------------------------------------ */

static void each_policy_opens_its_paths_only(void **state)
{
    static const struct {
        const char *method;
        const char *path;
        const char *body;
        const char *policies; /* the policies that may make this request */
    } cases[] = {
        { "GET", "/enrollments/d", NULL, OWNER " enrollmentRead" },
        { "POST", "/enrollments/query", "{\"query\":\"SELECT *\"}", OWNER " enrollmentRead" },
        { "POST", "/enrollments/d/attestationmechanism", NULL, OWNER },
        { "PUT", "/enrollmentGroups/g", "{}", OWNER },
        { "DELETE", "/enrollments/d", NULL, OWNER },
        { "GET", "/registrations/d", NULL, OWNER " registrationRead" },
        { "DELETE", "/registrations/d", NULL, OWNER },
        { "PUT", "/emulator/dps/faults", "{}", "iothubowner service " OWNER },
        { "GET", "/devices/device1", NULL, "iothubowner registryRead registryReadWrite" },
    };
    hub_exchange x = { .fixture = *state };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t p = 0; p < HUB_POLICY_COUNT; p++) {
            const char *name = x.fixture->hub.registry.policies.items[p].name;
            const char *at = strstr(cases[i].policies, name);
            char after = at != NULL ? at[strlen(name)] : 'x';
            bool allowed = after == ' ' || after == '\0';
            x.policy = name;
            int status = hub_ask(&x, cases[i].method, cases[i].path, cases[i].body);
            assert_int_equal(status != 401, allowed);
        }
    }
    hub_exchange_end(&x);
}

static void a_refusal_before_the_handler_has_the_form_of_the_service_too(void **state)
{
    hub_exchange x = as_owner(state);

    x.token = "no token";
    assert_int_equal(hub_ask(&x, "GET", "/enrollments/d", NULL), 401);
    expect_error(&x, 401, 401000);
    x.token = NULL;
    assert_int_equal(hub_ask(&x, "PATCH", "/enrollments/d", NULL), 405);
    expect_error(&x, 405, 405000);
    assert_int_equal(hub_ask(&x, "GET", "/enrollments/d/e/f", NULL), 404);
    expect_error(&x, 404, 404000);
    assert_int_equal(hub_ask(&x, "PUT", "/enrollments/d", "{"), 400);
    expect_error(&x, 400, 400004);
    x.version = "latest";
    assert_int_equal(hub_ask(&x, "GET", "/enrollments/d", NULL), 400);
    expect_error(&x, 400, 400004);
    hub_exchange_end(&x);
}

static void without_the_service_its_paths_do_not_exist(void **state)
{
    static const char *const paths[] = { "/enrollments/d", "/registrations/d",
                                         "/emulator/dps/faults" };
    hub_exchange x = { .fixture = *state };

    fixture_restart(x.fixture);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(hub_ask(&x, "GET", paths[i], NULL), 404);
        assert_non_null(strstr(hub_reply(&x), "ResourceNotFound"));
    }
    hub_exchange_end(&x);
}

/* --- the emulator's own ------------------------------------------------------------------- */

static void faults_and_settings_are_set_over_rest(void **state)
{
    hub_exchange x = as_owner(state);
    const dps *d = x.fixture->hub.dps;

    assert_int_equal(
        hub_ask(&x, "PUT", "/emulator/dps/faults", "{\"count\":2,\"kind\":\"silence\"}"), 204);
    assert_int_equal(d->faults.left, 2);
    assert_int_equal(hub_ask(&x, "PUT", "/emulator/dps/faults", "{\"count\":2}"), 400);
    assert_int_equal(hub_ask(&x, "PUT", "/emulator/dps/settings",
                             "{\"assigning\":5,\"retryAfter\":0,\"connectionProfile\":\"p\"}"),
                     204);
    assert_int_equal(d->assigning, 5);
    assert_int_equal(d->retry_after_s, 0);
    assert_string_equal(d->profile, "p");
    assert_int_equal(hub_ask(&x, "PUT", "/emulator/dps/settings", "{\"connectionProfile\":null}"),
                     204);
    assert_null(d->profile);
    assert_int_equal(hub_ask(&x, "PUT", "/emulator/dps/settings", "{\"assigning\":\"x\"}"), 400);
    expect_error(&x, 400, 400004);
    hub_exchange_end(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DPS_TEST(an_enrolment_is_created_shown_and_deleted_in_any_case_of_letters),
        DPS_TEST(a_change_needs_the_current_etag),
        DPS_TEST(the_keys_have_a_request_of_their_own),
        DPS_TEST(pages_hold_each_enrolment_once_for_each_size),
        DPS_TEST(only_a_query_for_all_is_accepted),
        DPS_TEST(a_registration_is_shown_with_its_enrolment_and_can_be_deleted),
        DPS_TEST(the_registrations_of_a_group_are_those_of_its_members),
        DPS_TEST(a_bulk_request_goes_on_after_a_failed_entry),
        DPS_TEST(each_mode_of_a_bulk_request_does_what_it_says),
        DPS_TEST(a_bulk_request_that_is_none_is_refused),
        DPS_TEST(each_policy_opens_its_paths_only),
        DPS_TEST(a_refusal_before_the_handler_has_the_form_of_the_service_too),
        DPS_TEST(without_the_service_its_paths_do_not_exist),
        DPS_TEST(faults_and_settings_are_set_over_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
