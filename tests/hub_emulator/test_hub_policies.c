#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "registry/policies.h"

typedef struct place {
    char dir[64];
    hub_store store;
    char notices[1024];
} place;

static void notice(void *user, const char *line)
{
    place *p = user;
    size_t len = strlen(p->notices);

    (void)snprintf(p->notices + len, sizeof p->notices - len, "%s\n", line);
}

static int make_place(void **state)
{
    static place p;

    p = (place){ .dir = P_tmpdir "/hub_policies.XXXXXX" };
    hub_json_init();
    assert_non_null(mkdtemp(p.dir));
    hub_store_open(&p.store, p.dir, notice, &p);
    *state = &p;
    return 0;
}

static int remove_place(void **state)
{
    place *p = *state;
    DIR *dir = opendir(p->dir);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        (void)unlinkat(dirfd(dir), entry->d_name, 0); /* "." and ".." cannot be removed */
    }
    (void)closedir(dir);
    hub_store_close(&p->store);
    return rmdir(p->dir);
}

static hub_policies open_policies(place *p)
{
    hub_policies policies;
    hub_fault fault;

    assert_int_equal(hub_policies_open(&policies, &p->store, &fault), HUB_OK);
    return policies;
}

static void each_policy_has_the_rights_of_its_name(void **state)
{
    hub_policies p = open_policies(*state);
    static const struct {
        const char *name;
        unsigned rights;
    } wanted[] = {
        { "iothubowner", 15 },    { "service", 4 },           { "device", 8 },
        { "registryRead", 1 },    { "registryReadWrite", 3 }, { "provisioningserviceowner", 240 },
        { "enrollmentRead", 16 }, { "registrationRead", 64 },
    };

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const hub_policy *policy = hub_policies_find(&p, wanted[i].name);
        assert_non_null(policy);
        assert_int_equal(policy->rights, wanted[i].rights);
    }
    assert_null(hub_policies_find(&p, "Service"));
    assert_null(hub_policies_find(&p, ""));
    hub_policies_free(&p);
}

static void keys_stay_the_same_in_a_later_run_and_all_differ(void **state)
{
    hub_policies first = open_policies(*state);
    hub_policies second = open_policies(*state);

    for (size_t i = 0; i < HUB_POLICY_COUNT; i++) {
        assert_string_equal(first.items[i].primary_key, second.items[i].primary_key);
        assert_string_equal(first.items[i].secondary_key, second.items[i].secondary_key);
        assert_string_not_equal(first.items[i].primary_key, first.items[i].secondary_key);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(first.items[i].primary_key, first.items[j].primary_key);
        }
    }
    assert_string_equal(((place *)*state)->notices, "");
    hub_policies_free(&first);
    hub_policies_free(&second);
}

static void a_file_that_is_not_of_this_hub_is_set_aside_and_reported(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "{\"format\":\"iothub-hub-emulator-2\",\"policies\":{}}",
        "{\"format\":\"iothub-hub-emulator-1\",\"policies\":{\"service\":{\"primaryKey\":\"x\"}}}",
    };
    place *at = *state;
    hub_policies first = open_policies(at);
    hub_fault fault;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        at->notices[0] = '\0';
        assert_int_equal(
            hub_store_write(&at->store, "hub.json", texts[i], strlen(texts[i]), &fault), HUB_OK);
        hub_policies again = open_policies(at);
        assert_string_not_equal(again.items[0].primary_key, first.items[0].primary_key);
        assert_non_null(strstr(at->notices, "hub.json"));
        assert_non_null(strstr(at->notices, "the hub's policies got new keys"));
        hub_policies_free(&again);
    }
    hub_policies_free(&first);
}

/* An earlier version had the policies of the hub only. */
static void the_file_of_an_earlier_version_gets_the_policies_that_it_lacks(void **state)
{
    static const char *const later[] = { "provisioningserviceowner", "enrollmentRead",
                                         "registrationRead" };
    place *at = *state;
    hub_policies first = open_policies(at);
    hub_fault fault;
    cJSON *json;

    assert_int_equal(hub_store_read_json(&at->store, "hub.json", &json, &fault), HUB_OK);
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItem(json, "policies"), later[i]);
    }
    assert_int_equal(hub_store_write_json(&at->store, "hub.json", json, &fault), HUB_OK);
    cJSON_Delete(json);
    hub_policies second = open_policies(at);
    hub_policies third = open_policies(at);
    for (size_t i = 0; i < HUB_POLICY_COUNT; i++) {
        bool same = strcmp(first.items[i].primary_key, second.items[i].primary_key) == 0;
        assert_int_equal(same, i < HUB_POLICY_COUNT - 3);
        assert_string_equal(second.items[i].primary_key, third.items[i].primary_key);
    }
    assert_string_equal(at->notices, "");
    hub_policies_free(&first);
    hub_policies_free(&second);
    hub_policies_free(&third);
}

static void the_connection_string_is_that_of_the_owner(void **state)
{
    hub_policies p = open_policies(*state);
    char *text = hub_policies_connection_string(&p, "hub.test");
    char *wanted =
        hub_format("HostName=hub.test;SharedAccessKeyName=iothubowner;SharedAccessKey=%s",
                   hub_policies_find(&p, "iothubowner")->primary_key);

    assert_string_equal(text, wanted);
    free(wanted);
    free(text);
    hub_policies_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_policy_has_the_rights_of_its_name, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(keys_stay_the_same_in_a_later_run_and_all_differ,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_of_this_hub_is_set_aside_and_reported,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(
            the_file_of_an_earlier_version_gets_the_policies_that_it_lacks, make_place,
            remove_place),
        cmocka_unit_test_setup_teardown(the_connection_string_is_that_of_the_owner, make_place,
                                        remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
