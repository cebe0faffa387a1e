#include "query_fixture.h"

#include <stdlib.h>
#include <string.h>

/* Expects these ids (one character each) of the devices for which the condition is true. */
static void expect_ids(hub_fixture *f, const char *condition, const char *ids)
{
    char *text = hub_format("SELECT deviceId AS i FROM devices WHERE %s", condition);
    char *got = query_answer(f, text);
    cJSON *rows = hub_json_read(got, strlen(got));
    const cJSON *row;
    char found[16] = "";
    size_t count = 0;

    if (!cJSON_IsArray(rows)) {
        fail_msg("%s: %s", condition, got);
    }
    cJSON_ArrayForEach(row, rows)
    {
        const char *id = hub_json_string(row, "i");
        assert_true(count + 1 < sizeof found);
        found[count++] = strcmp(id, "device1") == 0 ? '1' : id[0];
    }
    if (strcmp(found, ids) != 0) {
        fail_msg("%s: selects %s, not %s", condition, found, ids);
    }
    cJSON_Delete(rows);
    free(got);
    free(text);
}

/* Conditions, and the devices that each of them selects. */
static const struct {
    const char *condition;
    const char *ids;
} conditions[] = {
    { "tags.location.region = 'US'", "ab" },
    { "tags.location.region = \"US\"", "ab" },
    { "tags.location.region='US'AND tags.floor>=2", "b" },
    { "tags.location.region != 'US'", "c" },
    { "tags.location.region <> 'US'", "c" },
    { "NOT tags.location.region = 'US'", "c" },
    { "not not tags.location.region = 'US'", "ab" },
    { "tags.location.region IN ['US','FR']", "ab" },
    { "tags.location.region in ['DE', 'US']", "abc" },
    { "tags.location.region NIN ['US','FR']", "c" },
    { "tags.floor IN [1, -1.5, true, null]", "ad" },
    { "tags.floor IN []", "" },
    { "tags.floor NIN []", "abcd" },
    { "tags.floor = 2", "b" },
    { "tags.floor = '2'", "c" },
    { "tags.floor != 2", "acd" },
    { "tags.floor < 2", "ad" },
    { "tags.floor <= 2", "abd" },
    { "tags.floor > 0x1", "b" },
    { "tags.floor >= 1e0", "ab" },
    { "tags.floor > '1'", "c" },
    { "2 = tags.floor", "b" },
    { "-tags.floor = 1.5", "d" },
    { "tags.floor + 1 = 2", "a" },
    { "tags.floor * 2 - 1 = 3", "b" },
    { "10 - 2 - 3 = 5 AND tags.floor = 1", "a" },
    { "2 + 3 * 4 = 14 AND deviceId = 'a'", "a" },
    { "(2 + 3) * 4 = 20 AND deviceId = 'a'", "a" },
    { "tags.location.plant % 2 = 0", "b" },
    { "tags.location.plant / 0 = 0 OR tags.location.plant / 43 = 1", "a" },
    { "tags.floor / 0 != 1", "" },
    { "properties.desired.interval > 60", "bc" },
    { "properties.desired.on = true", "a" },
    { "properties.desired.on", "a" },
    { "NOT properties.desired.on", "b" },
    { "properties.desired.on = 'true'", "c" },
    { "properties.desired.interval >= 60 AND (tags.floor = 1 OR tags.floor = 2)", "ab" },
    { "tags.floor = 1 OR tags.floor = 2 AND tags.location.region = 'DE'", "a" },
    { "properties.desired.$version > 1", "abc" },
    { "properties.reported.$version = 1", "abcd1" },
    { "properties.desired.$metadata.interval.$lastUpdatedVersion = 2", "abc" },
    { "properties.desired.$metadata.$lastUpdated > '2023-11-14T'", "abcd1" },
    { "is_defined(tags.floor)", "abcd" },
    { "NOT IS_DEFINED(tags.floor)", "1" },
    { "NOT is_defined(properties.desired.interval)", "d1" },
    { "is_defined(properties.desired)", "abcd1" },
    { "tags.floor = undefined", "" },
    { "is_null(statusReason)", "abcd1" },
    { "statusReason = null", "abcd1" },
    { "tags.floor = null", "" },
    { "tags.floor != null", "abcd" },
    { "IS_STRING(tags.floor)", "c" },
    { "IS_NUMBER(tags.floor)", "abd" },
    { "IS_BOOL(properties.desired.on)", "ab" },
    { "IS_OBJECT(tags.location)", "abc" },
    { "IS_ARRAY(tags.list)", "a" },
    { "IS_PRIMITIVE(tags.location)", "d" },
    { "tags.location = tags.location", "d" },
    { "tags.list[0] = 1", "a" },
    { "tags.list[1].k = 'v'", "a" },
    { "tags.list[1]['k'] = 'v'", "a" },
    { "tags.list[9] = 1", "" },
    { "tags.floor[0] = 1", "" },
    { "tags.list.k = 1", "" },
    { "tags['a-b']", "a" },
    { "tags.[[a-b]] = true", "a" },
    { "tags.[[group]] = 'x'", "a" },
    { "tags.group = 'x'", "a" },
    { "tags.big = 4503599627370495", "d" },
    { "tags.note = 'it\\'s \"here\"'", "a" },
    { "tags.note = \"it's \\\"here\\\"\"", "a" },
    { "tags.text = 'M\\u00fcnchen'", "c" },
    { "tags.text = 'M\xC3\xBCnchen'", "c" },
    { "STARTSWITH(tags.text, 'M\xC3\xBC')", "c" },
    { "STARTS_WITH(deviceId, 'dev')", "1" },
    { "ENDSWITH(tags.location.region, 'S')", "ab" },
    { "CONTAINS(deviceId, 'vice')", "1" },
    { "NOT STARTSWITH(tags.text, 'X')", "c" },
    { "STARTSWITH(tags.floor, '2')", "c" },
    { "status = 'enabled'", "abd1" },
    { "STATUS = 'disabled'", "c" },
    { "connectionState = 'Disconnected'", "abcd1" },
    { "ConnectionState = 'Connected'", "" },
    { "DeviceID = 'a'", "a" },
    { "devices.deviceId = 'a'", "a" },
    { "lastActivityTime < '2000-01-01'", "abcd1" },
    { "capabilities.iotEdge = false", "abcd1" },
    { "cloudToDeviceMessageCount = 0", "abcd1" },
    { "etag = 'AAAAAAAAAAE='", "1" },
    { "version = 3", "abcd" },
    { "moduleId = 'm'", "" },
    { "nonsense = 1", "" },
    { "true", "abcd1" },
    { "1", "" },
    { "'text'", "" },
    { "null OR true", "abcd1" },
    { "null AND true", "" },
    { "tags.x = 1 OR deviceId = 'a'", "a" },
    { "NOT (tags.x = 1 AND deviceId = 'zz')", "abcd1" },
};

static void conditions_select_what_the_documentation_says(void **state)
{
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        expect_ids(*state, conditions[i].condition, conditions[i].ids);
    }
}

static void columns_are_what_select_names(void **state)
{
    static const char *const cases[] = {
        "SELECT DeviceId, LastActivityTime FROM devices WHERE deviceId='a'",
        "[{\"deviceId\":\"a\",\"lastActivityTime\":\"0001-01-01T00:00:00Z\"}]",
        "select properties.desired.interval from devices where is_defined(tags.floor)",
        "[{\"interval\":60},{\"interval\":300},{\"interval\":61},{}]",
        "SELECT tags.location AS l, tags.list[1] FROM devices WHERE deviceId IN ['a','d']",
        "[{\"l\":{\"region\":\"US\",\"plant\":43},\"1\":{\"k\":\"v\"}},{\"l\":\"nowhere\"}]",
        "SELECT status AS 'a b', properties.desired.$version AS v FROM devices WHERE deviceId='c'",
        "[{\"a b\":\"disabled\",\"v\":2}]",
        "SELECT TOP 2 deviceId FROM devices",
        "[{\"deviceId\":\"a\"},{\"deviceId\":\"b\"}]",
        "SELECT devices.deviceId, devices.modules.moduleId FROM devices.modules",
        "[{\"deviceId\":\"a\",\"moduleId\":\"m\"},{\"deviceId\":\"a\",\"moduleId\":\"n\"}]",
        ("SELECT moduleId AS m FROM devices.modules WHERE devices.modules.moduleId = 'n' and "
         "devices.deviceId = 'a'"),
        "[{\"m\":\"n\"}]",
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i += 2) {
        query_expect(*state, cases[i], cases[i + 1]);
    }
}

static void twins_that_agree_are_counted_together(void **state)
{
    static const char *const cases[] = {
        "SELECT COUNT() AS totalNumberOfDevices FROM devices",
        "[{\"totalNumberOfDevices\":5}]",
        "SELECT COUNT() FROM devices WHERE tags.x = 1",
        "[{\"COUNT\":0}]",
        "SELECT count() AS n FROM devices.modules",
        "[{\"n\":2}]",
        "SELECT SUM(tags.floor) AS s, AVG(tags.floor) AS a, MIN(tags.floor) AS i, "
        "MAX(tags.floor) AS x FROM devices",
        "[{\"s\":1.5,\"a\":0.5,\"i\":-1.5,\"x\":\"2\"}]",
        "SELECT SUM(tags.x), AVG(tags.x), MIN(tags.x) FROM devices",
        "[{\"SUM\":0}]",
        "SELECT tags.location.region AS r, COUNT() AS n FROM devices GROUP BY tags.location.region",
        "[{\"n\":2},{\"r\":\"DE\",\"n\":1},{\"r\":\"US\",\"n\":2}]",
        "SELECT COUNT() AS n, status, tags.location.region FROM devices "
        "GROUP BY status, tags.location.region",
        "[{\"n\":1,\"status\":\"disabled\",\"region\":\"DE\"},{\"n\":2,\"status\":\"enabled\"},"
        "{\"n\":2,\"status\":\"enabled\",\"region\":\"US\"}]",
        "SELECT TOP 1 status, COUNT() AS n FROM devices GROUP BY Status",
        "[{\"status\":\"disabled\",\"n\":1}]",
        "SELECT tags.floor FROM devices WHERE tags.floor = 2 OR tags.floor = '2' "
        "GROUP BY tags.floor",
        "[{\"floor\":2},{\"floor\":\"2\"}]",
        "SELECT MAX(lastActivityTime) AS t FROM devices",
        "[{\"t\":\"0001-01-01T00:00:00Z\"}]",
        "SELECT status FROM devices WHERE tags.x = 1 GROUP BY status",
        "[]",
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i += 2) {
        query_expect(*state, cases[i], cases[i + 1]);
    }
}

/* --- pages ------------------------------------------------------------- */

static void pages_of_any_size_give_the_same_rows_in_the_same_order(void **state)
{
    static const char *const queries[] = {
        "SELECT * FROM devices",
        "SELECT deviceId FROM devices",
        "SELECT deviceId FROM devices WHERE tags.floor IN [1, -1.5]",
        "SELECT deviceId FROM devices WHERE tags.floor = 77",
        "SELECT TOP 1 deviceId FROM devices",
        "SELECT TOP 3 deviceId FROM devices",
        "SELECT TOP 5 deviceId FROM devices",
        "SELECT TOP 9 deviceId FROM devices",
        "SELECT moduleId FROM devices.modules",
        "SELECT tags.floor, COUNT() AS n FROM devices GROUP BY tags.floor",
        "SELECT TOP 3 tags.floor, COUNT() AS n FROM devices GROUP BY tags.floor",
        "SELECT COUNT() AS n FROM devices",
    };

    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        char *whole = query_answer(*state, queries[i]);
        for (size_t max = 1; max < 8; max++) {
            char *paged = query_answer_paged(*state, queries[i], max);
            assert_string_equal(paged, whole);
            free(paged);
        }
        free(whole);
    }
}

static hub_result first_page(hub_fixture *f, const char *text, const char *token,
                             hub_query_page *page)
{
    hub_query *q;
    hub_fault fault;

    assert_int_equal(hub_query_parse(text, &q, &fault), HUB_OK);
    hub_result r = hub_query_run(q, &f->hub.registry, token, 2, page, &fault);
    hub_query_free(q);
    return r;
}

static void what_comes_and_goes_between_pages_hides_nothing(void **state)
{
    hub_fixture *f = *state;
    const char *text = "SELECT deviceId FROM devices";
    hub_query_page page;
    hub_query_page second;
    hub_identity *made;
    hub_fault fault;

    assert_int_equal(first_page(f, text, NULL, &page), HUB_OK);
    assert_string_equal(hub_json_string(page.rows->child->next, "deviceId"), "b");
    assert_int_equal(hub_delete(&f->hub, fixture_device(f, "b"), &fault), HUB_OK);
    assert_int_equal(
        hub_registry_create(&f->hub.registry, "aa", NULL, NULL, f->now_ms, &made, &fault), HUB_OK);
    assert_int_equal(first_page(f, text, page.continuation, &second), HUB_OK);
    assert_string_equal(hub_json_string(second.rows->child, "deviceId"), "c");
    cJSON_Delete(page.rows);
    cJSON_Delete(second.rows);
    free(page.continuation);
    free(second.continuation);
}

static void a_token_of_another_query_or_a_made_up_one_is_refused(void **state)
{
    static const char *const bad[] = { "x",   "AAAA",         "MQ==",
                                       "%%%", "bWFyayAwIA==", "MDAwMDAwMDAwMDAwMDAwMCAxIGE=" };
    hub_fixture *f = *state;
    const char *text = "SELECT deviceId FROM devices";
    hub_query_page page;
    hub_query_page other;

    assert_int_equal(first_page(f, text, "", &page), HUB_OK);
    assert_non_null(page.continuation);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(first_page(f, text, bad[i], &other), HUB_ERR_ARGUMENT);
    }
    assert_int_equal(first_page(f, "SELECT status FROM devices", page.continuation, &other),
                     HUB_ERR_ARGUMENT);
    size_t len = strlen(page.continuation);
    for (size_t cut = 1; cut < len; cut++) { /* tries each truncation and each changed character */
        char *piece = hub_memdup(page.continuation, cut);
        if (first_page(f, text, piece, &other) == HUB_OK) {
            cJSON_Delete(other.rows);
            free(other.continuation);
        }
        free(piece);
        piece = hub_strdup(page.continuation);
        piece[cut] ^= 1;
        if (first_page(f, text, piece, &other) == HUB_OK) {
            cJSON_Delete(other.rows);
            free(other.continuation);
        }
        free(piece);
    }
    char *huge = query_repeat("", "QUFB", 5000, "", "");
    assert_int_equal(first_page(f, text, huge, &other), HUB_ERR_ARGUMENT);
    free(huge);
    cJSON_Delete(page.rows);
    free(page.continuation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_select_what_the_documentation_says),
        cmocka_unit_test(columns_are_what_select_names),
        cmocka_unit_test(twins_that_agree_are_counted_together),
        cmocka_unit_test(pages_of_any_size_give_the_same_rows_in_the_same_order),
        cmocka_unit_test_setup_teardown(what_comes_and_goes_between_pages_hides_nothing,
                                        query_setup, fixture_teardown),
        cmocka_unit_test(a_token_of_another_query_or_a_made_up_one_is_refused),
    };
    return cmocka_run_group_tests(tests, query_setup, fixture_teardown);
}
