#include "hub_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hub_result create(hub_fixture *f, const char *device, const char *module)
{
    hub_identity *made;
    hub_fault fault;
    return hub_registry_create(&f->hub.registry, device, module, NULL, f->now_ms, &made, &fault);
}

static hub_result apply(hub_fixture *f, const char *device, const char *text)
{
    hub_fault fault;
    cJSON *body = hub_json_read(text, strlen(text));
    hub_change change = { .identity = body };

    assert_non_null(body);
    hub_result r =
        hub_registry_change(&f->hub.registry, fixture_device(f, device), &change, 5, &fault);
    cJSON_Delete(body);
    return r;
}

static void identities_survive_a_restart(void **state)
{
    hub_fixture *f = *state;

    assert_int_equal(create(f, "a", NULL), HUB_OK);
    assert_int_equal(create(f, "a", "m"), HUB_OK);
    assert_int_equal(apply(f, "a", "{\"status\":\"Disabled\",\"statusReason\":\"x\"}"), HUB_OK);
    assert_int_equal(apply(f, "a/m", "{\"managedBy\":\"IotEdge\"}"), HUB_OK);
    char *key = hub_strdup(fixture_device(f, "a/m")->primary_key);
    char *service = hub_policies_connection_string(&f->hub.registry.policies, "h");
    fixture_restart(f);

    assert_int_equal(f->hub.registry.identities.count, 3);
    assert_false(fixture_device(f, "a")->enabled);
    assert_string_equal(fixture_device(f, "a")->status_reason, "x");
    assert_string_equal(fixture_device(f, "a/m")->primary_key, key);
    assert_string_equal(fixture_device(f, "a/m")->managed_by, "IotEdge");
    char *again = hub_policies_connection_string(&f->hub.registry.policies, "h");
    assert_string_equal(service, again);
    free(key);
    free(service);
    free(again);
}

static void new_identities_are_checked(void **state)
{
    hub_fixture *f = *state;
    char longest[130] = "";

    memset(longest, 'x', 128);
    assert_int_equal(create(f, longest, NULL), HUB_OK);
    longest[128] = 'x';
    assert_int_equal(create(f, longest, NULL), HUB_ERR_ARGUMENT);
    assert_int_equal(create(f, "", NULL), HUB_ERR_ARGUMENT);
    assert_int_equal(create(f, "a/b", NULL), HUB_ERR_ARGUMENT);
    assert_int_equal(create(f, "a b", NULL), HUB_ERR_ARGUMENT);
    assert_int_equal(create(f, "\xC3\xA4", NULL), HUB_ERR_ARGUMENT);
    assert_int_equal(create(f, "..", NULL), HUB_ERR_ARGUMENT);
    assert_int_equal(create(f, "A-Z.a+z%_#*?!(),=@$':;9", NULL), HUB_OK);
    assert_int_equal(create(f, "device1", NULL), HUB_ERR_EXISTS);
    assert_int_equal(create(f, "Device1", NULL), HUB_OK);
    assert_int_equal(create(f, "nobody", "m"), HUB_ERR_NO_DEVICE);
    assert_int_equal(create(f, "device1", "m/"), HUB_ERR_ARGUMENT);
}

static void a_refused_change_changes_nothing(void **state)
{
    hub_fixture *f = *state;
    hub_identity *id = fixture_device(f, "device1");
    char *key = hub_strdup(id->primary_key);
    static const char *const bad[] = {
        "{\"status\":\"on\"}",
        "{\"authentication\":{\"type\":\"selfSigned\"}}",
        "{\"authentication\":{\"symmetricKey\":{\"primaryKey\":\"???\"}}}",
        "{\"authentication\":{\"symmetricKey\":{\"secondaryKey\":\"QQ==\"}}}",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(apply(f, "device1", bad[i]), HUB_ERR_ARGUMENT);
    }
    assert_int_equal(
        apply(f, "device1", "{\"authentication\":{\"symmetricKey\":{\"primaryKey\":\"\"}}}"),
        HUB_OK);
    assert_true(id->enabled);
    assert_string_equal(id->primary_key, key);
    free(key);
}

static void a_deleted_device_leaves_no_file(void **state)
{
    hub_fixture *f = *state;
    hub_fault fault;

    assert_int_equal(create(f, "a", NULL), HUB_OK);
    assert_int_equal(create(f, "a", "m"), HUB_OK);
    fixture_queue(f, "a", "x", 60);
    assert_int_equal(hub_delete(&f->hub, fixture_device(f, "a"), &fault), HUB_OK);
    assert_int_equal(f->hub.registry.identities.count, 1);
    fixture_restart(f);
    assert_int_equal(f->hub.registry.identities.count, 1);
}

static void many_identities_are_found_in_order(void **state)
{
    hub_fixture *f = *state;

    for (int i = 0; i < 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "d%02d", (i * 37) % 100);
        assert_int_equal(create(f, name, NULL), HUB_OK);
    }
    for (size_t i = 1; i < f->hub.registry.identities.count; i++) {
        assert_true(strcmp(f->hub.registry.identities.items[i - 1]->client_id,
                           f->hub.registry.identities.items[i]->client_id) < 0);
    }
    assert_null(hub_registry_find(&f->hub.registry, "device1/x", NULL));
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(identities_survive_a_restart),
        FIXTURE_TEST(new_identities_are_checked),
        FIXTURE_TEST(a_refused_change_changes_nothing),
        FIXTURE_TEST(a_deleted_device_leaves_no_file),
        FIXTURE_TEST(many_identities_are_found_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
