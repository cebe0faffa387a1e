/* Makes every change of the provisioning service with a failure or a kill in each of its system
 * calls; see fault_sweep.h. */

#include "dps_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fault_sweep.h"

static const int client;

#define KEYS                                                                                       \
    "\"attestation\":{\"type\":\"symmetricKey\",\"symmetricKey\":{\"primaryKey\":"                 \
    "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\",\"secondaryKey\":\"cGFzc3dvcmRwYXNzd29yZA==" \
    "\"}}"

/* --- what is asked for; true: it succeeds ------------------------------------------ */

static bool put(hub_fixture *f, bool group, const char *id, const char *members)
{
    char *text = hub_format("{\"%s\":\"%s\"," KEYS "%s}",
                            group ? "enrollmentGroupId" : "registrationId", id, members);
    cJSON *body = hub_json_read(text, strlen(text));
    dps_error e;
    bool ok = dps_put_enrollment(f->hub.dps, group, id, body, f->now_ms, &e) != NULL;

    assert_true(ok || e.code == DPS_CODE_SERVER);
    assert_true(ok || strstr(e.text, ".json") == NULL);
    cJSON_Delete(body);
    free(text);
    return ok;
}

static bool register_device(hub_fixture *f, const char *id)
{
    char *key = dps_derive_key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", id);
    char *token = dps_fixture_token(f, id, key);

    dps_fixture_connect(f, &client, id, token);
    dps_answer a = dps_fixture_register(f, &client, "{}");
    hub_disconnected(&f->hub, &client);
    if (a.status != 200 && a.status != 500) {
        fail_msg("%s: status %d", id, a.status);
    }
    cJSON_Delete(a.json);
    free(key);
    free(token);
    return a.status == 200;
}

static bool create(hub_fixture *f)
{
    return put(f, false, "new", "");
}

static bool create_group(hub_fixture *f)
{
    return put(f, true, "new", "");
}

static bool change(hub_fixture *f)
{
    return put(f, false, "one", ",\"provisioningStatus\":\"disabled\"");
}

static bool delete_one(hub_fixture *f)
{
    dps_error e;
    return dps_delete_enrollment(f->hub.dps, dps_find_enrollment(f->hub.dps, false, "one"), &e);
}

static bool delete_group(hub_fixture *f)
{
    dps_error e;
    return dps_delete_enrollment(f->hub.dps, dps_find_enrollment(f->hub.dps, true, "g"), &e);
}

static bool register_new(hub_fixture *f)
{
    return register_device(f, "new");
}

static bool register_again(hub_fixture *f)
{
    f->now_ms += 1000;
    return register_device(f, "a");
}

static bool delete_registration(hub_fixture *f)
{
    dps_error e;
    return dps_delete_registration(f->hub.dps, dps_find_registration(f->hub.dps, "a"), &e);
}

static const fault_request requests[] = {
    { "create", create },
    { "create a group", create_group },
    { "change", change },
    { "delete", delete_one },
    { "delete a group", delete_group },
    { "register", register_new },
    { "register again", register_again },
    { "delete a registration", delete_registration },
};

/* --- what must be there ------------------------------------------------------------- */

/* Leaves out members that are random. */
static void describe(hub_text *t, cJSON *json)
{
    cJSON_DeleteItemFromObjectCaseSensitive(json, "etag");
    cJSON_DeleteItemFromObjectCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(json, "registrationState"), "etag");
    hub_json_put(t, json);
    hub_text_str(t, "\n");
    cJSON_Delete(json);
}

static char *describe_all(hub_fixture *f)
{
    const dps *d = f->hub.dps;
    hub_text t = { 0 };

    hub_text_printf(&t, "%s\n", d->id_scope != NULL ? "scope" : "no scope");
    for (size_t i = 0; i < d->individuals.count; i++) {
        describe(&t, dps_show_enrollment(d, d->individuals.items[i].value, true));
    }
    for (size_t i = 0; i < d->groups.count; i++) {
        describe(&t, dps_show_enrollment(d, d->groups.items[i].value, true));
    }
    for (size_t i = 0; i < d->registrations.count; i++) {
        describe(&t, dps_registration_view(d->registrations.items[i].value));
    }
    return t.p;
}

/* Makes a hub with an enrolment, and with a group with two members that have registered. */
static hub_fixture *make_world(void)
{
    void *state;

    assert_int_equal(dps_fixture_setup(&state), 0);
    hub_fixture *f = state;
    f->hub.dps->assigning = 0;
    assert_true(put(f, false, "one", ""));
    assert_true(put(f, true, "g", ""));
    assert_true(register_device(f, "a"));
    assert_true(register_device(f, "b"));
    return f;
}

static void end_world(hub_fixture *f)
{
    void *state = f;
    assert_int_equal(fixture_teardown(&state), 0);
}

static void restart(hub_fixture *f)
{
    fixture_restart(f);
    dps_fixture_open(f);
}

/* A device that got no assignment can try again, and one that got one is known to the hub. */
static void expect_devices(hub_fixture *f)
{
    f->hub.dps->assigning = 0;
    for (size_t i = 0; i < f->hub.dps->registrations.count; i++) {
        const dps_registration *r = f->hub.dps->registrations.items[i].value;
        assert_non_null(hub_registry_find(&f->hub.registry, r->device_id, NULL));
    }
    if (dps_find_enrollment(f->hub.dps, true, "g") != NULL) {
        assert_true(register_device(f, "later"));
    }
}

static const fault_world world = {
    .requests = requests,
    .count = sizeof requests / sizeof requests[0],
    .make = make_world,
    .end = end_world,
    .restart = restart,
    .describe = describe_all,
    .check = expect_devices,
};

static void what_fails_is_not_in_effect_and_what_succeeds_stays(void **state)
{
    (void)state;
    fault_sweep_failures(&world);
}

static void a_kill_leaves_the_state_before_or_after(void **state)
{
    (void)state;
    fault_sweep_kills(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fails_is_not_in_effect_and_what_succeeds_stays),
        cmocka_unit_test(a_kill_leaves_the_state_before_or_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
