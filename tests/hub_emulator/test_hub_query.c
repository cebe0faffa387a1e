#include "hub_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"

static const char *const twins[] = {
    "a",
    "{\"tags\":{\"location\":{\"region\":\"US\",\"plant\":43},\"floor\":1,\"group\":\"x\","
    "\"list\":[1,{\"k\":\"v\"},\"z\"],\"a-b\":true,\"note\":\"it's \\\"here\\\"\"},"
    "\"properties\":{\"desired\":{\"interval\":60,\"on\":true}}}",
    "b",
    "{\"tags\":{\"location\":{\"region\":\"US\",\"plant\":44},\"floor\":2,\"gone\":\"x\"},"
    "\"properties\":{\"desired\":{\"interval\":300,\"on\":false}}}",
    "c",
    "{\"tags\":{\"location\":{\"region\":\"DE\"},\"floor\":\"2\",\"text\":\"M\xC3\xBCnchen\"},"
    "\"properties\":{\"desired\":{\"interval\":61,\"on\":\"true\"}}}",
    "d",
    "{\"tags\":{\"location\":\"nowhere\",\"floor\":-1.5,\"big\":4503599627370495}}",
};

/* device1 of the fixture has an empty twin; c is disabled; a has the modules m and n. */
static int setup(void **state)
{
    assert_int_equal(fixture_setup(state), 0);
    hub_fixture *f = *state;
    hub_identity *id;
    hub_fault fault;

    for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i += 2) {
        cJSON *body = hub_json_read(twins[i + 1], strlen(twins[i + 1]));
        assert_non_null(body);
        assert_int_equal(
            hub_registry_create(&f->hub.registry, twins[i], NULL, NULL, f->now_ms, &id, &fault),
            HUB_OK);
        hub_change change = { .twin = body, .mode = HUB_TWIN_MERGE };
        assert_int_equal(hub_apply(&f->hub, id, &change, &fault), HUB_OK);
        cJSON_Delete(body);
    }
    fixture_device(f, "c")->enabled = false;
    for (const char *m = "mn"; *m != '\0'; m++) {
        const char name[] = { *m, '\0' };
        assert_int_equal(
            hub_registry_create(&f->hub.registry, "a", name, NULL, f->now_ms, &id, &fault), HUB_OK);
    }
    return 0;
}

/* The text of all rows, page by page, or the text of the fault. */
static char *answer_paged(hub_fixture *f, const char *text, size_t max)
{
    hub_query *q;
    hub_fault fault;
    hub_query_page page = { 0 };
    cJSON *all = cJSON_CreateArray();

    if (hub_query_parse(text, &q, &fault) != HUB_OK) {
        cJSON_Delete(all);
        assert_null(q);
        return hub_strdup(fault.text);
    }
    for (;;) {
        char *from = page.continuation;
        assert_int_equal(hub_query_run(q, &f->hub.registry, from, max, &page, &fault), HUB_OK);
        free(from);
        assert_in_range(cJSON_GetArraySize(page.rows), 0, max);
        cJSON *row;
        while ((row = page.rows->child) != NULL) {
            (void)cJSON_AddItemToArray(all, cJSON_DetachItemViaPointer(page.rows, row));
        }
        cJSON_Delete(page.rows);
        if (page.continuation == NULL) {
            break;
        }
    }
    char *printed = hub_json_print(all);
    cJSON_Delete(all);
    hub_query_free(q);
    return printed;
}

static char *answer(hub_fixture *f, const char *text)
{
    return answer_paged(f, text, HUB_QUERY_PAGE_MAX);
}

static void expect(hub_fixture *f, const char *text, const char *expected)
{
    char *got = answer(f, text);
    if (strcmp(got, expected) != 0) {
        fail_msg("%s\n  expected %s\n  got      %s", text, expected, got);
    }
    free(got);
}

/* The ids of the devices for which the condition is true, one character each. */
static void expect_ids(hub_fixture *f, const char *condition, const char *ids)
{
    char *text = hub_format("SELECT deviceId AS i FROM devices WHERE %s", condition);
    char *got = answer(f, text);
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

static void conditions_select_what_the_documentation_says(void **state)
{
    static const struct {
        const char *condition;
        const char *ids;
    } cases[] = {
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

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_ids(*state, cases[i].condition, cases[i].ids);
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
        expect(*state, cases[i], cases[i + 1]);
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
        expect(*state, cases[i], cases[i + 1]);
    }
}

static void a_mistake_is_shown_with_its_position(void **state)
{
    static const char *const cases[] = {
        "",
        "query, position 1: SELECT expected, not the end",
        "DROP TABLE devices",
        "query, position 1: SELECT expected, not DROP",
        "SELECT",
        "query, position 7: a property expected, not the end",
        "SELECT FROM devices",
        "query, position 8: * or a property expected, not FROM",
        "SELECT *",
        "query, position 9: FROM expected, not the end",
        "SELECT * FROM",
        "query, position 14: devices or devices.modules expected, not the end",
        "SELECT * FROM twins",
        "query, position 15: devices or devices.modules expected, not twins",
        "SELECT * FROM devices.x",
        "query, position 15: devices or devices.modules expected",
        "SELECT * FROM devices.jobs",
        "query, position 15: devices.jobs is not there: the emulator has no jobs",
        "SELECT * FROM devices extra",
        "query, position 23: the end expected, not extra",
        "SELECT *, tags FROM devices",
        "query, position 9: FROM expected, not ,",
        "SELECT tags, FROM devices",
        "query, position 14: * or a property expected, not FROM",
        "SELECT tags AS FROM devices",
        "query, position 21: FROM expected, not devices",
        "SELECT TOP 0 * FROM devices",
        "query, position 12: a whole number from 1 to 10^9 expected, not 0",
        "SELECT TOP 1.5 * FROM devices",
        "query, position 12: a whole number from 1 to 10^9 expected, not 1.5",
        "SELECT tags.a, tags.b AS a FROM devices",
        "query, position 16: a second column a; name it with AS",
        "SELECT tags.a, COUNT() AS n FROM devices",
        "query, position 8: neither an aggregate nor in GROUP BY",
        "SELECT * FROM devices GROUP BY status",
        "query, position 23: GROUP BY goes with no SELECT *",
        "SELECT COUNT(*) AS n FROM devices",
        "query, position 14: ) expected, not *",
        "SELECT SUM() AS n FROM devices",
        "query, position 12: a property expected, not )",
        "SELECT devices FROM devices",
        "query, position 8: a collection is no property",
        "SELECT * FROM devices WHERE",
        "query, position 28: a value expected, not the end",
        "SELECT * FROM devices WHERE tags.a =",
        "query, position 37: a value expected, not the end",
        "SELECT * FROM devices WHERE tags.a = 'x",
        "query, position 38: a string without its end",
        "SELECT * FROM devices WHERE tags.a = 'M\xC3\xBC' extra",
        "query, position 43: the end expected, not extra",
        "SELECT * FROM devices WHERE tags.a = 'a\\n'",
        "query, position 40: an escape other than \\' \\\" \\\\ \\uXXXX",
        "SELECT * FROM devices WHERE tags.a = '\\ud800'",
        "query, position 39: an escape other than \\' \\\" \\\\ \\uXXXX",
        "SELECT * FROM devices WHERE tags.a = ['x']",
        "query, position 38: an array stands behind IN and NIN only",
        "SELECT * FROM devices WHERE tags.a IN 'x'",
        "query, position 39: [ expected, not 'x'",
        "SELECT * FROM devices WHERE tags.a IN ['x'",
        "query, position 43: ] expected, not the end",
        "SELECT * FROM devices WHERE tags.a IN ['x',]",
        "query, position 44: a constant expected, not ]",
        "SELECT * FROM devices WHERE tags.a IN [-'x']",
        "query, position 41: a number expected, not 'x'",
        "SELECT * FROM devices WHERE tags. = 1",
        "query, position 35: a name expected",
        "SELECT * FROM devices WHERE tags[ = 1",
        "query, position 35: a name in quotes or an index expected, not =",
        "SELECT * FROM devices WHERE tags[-1] = 1",
        "query, position 34: a name in quotes or an index expected, not -",
        "SELECT * FROM devices WHERE tags.[[x = 1",
        "query, position 34: [[ without a name and ]]",
        "SELECT * FROM devices WHERE (tags.a = 1",
        "query, position 40: ) expected, not the end",
        "SELECT * FROM devices WHERE tags.a = 1)",
        "query, position 39: the end expected, not )",
        "SELECT * FROM devices WHERE tags.a == 1",
        "query, position 37: a value expected, not =",
        "SELECT * FROM devices WHERE a = 1 = 2",
        "query, position 35: the end expected, not =",
        "SELECT * FROM devices WHERE tags.a = 12x",
        "query, position 38: not a number",
        "SELECT * FROM devices WHERE tags.a = 0xg",
        "query, position 38: not a hexadecimal number of up to 13 digits",
        "SELECT * FROM devices WHERE tags.a = 1e999",
        "query, position 38: not a number",
        "SELECT * FROM devices WHERE foo(tags.a)",
        "query, position 29: there is no function foo",
        "SELECT * FROM devices WHERE STARTSWITH(tags.a)",
        "query, position 46: , expected, not )",
        "SELECT * FROM devices WHERE is_defined()",
        "query, position 40: a value expected, not )",
        "SELECT * FROM devices; DROP",
        "query, position 22: a character that means nothing here: ;",
        "SELECT * FROM devices WHERE tags.a LIKE 'x'",
        "query, position 36: the end expected, not LIKE",
        "SELECT * FROM devices ORDER BY status",
        "query, position 23: the end expected, not ORDER",
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i += 2) {
        expect(*state, cases[i], cases[i + 1]);
    }
}

/* A text of so many pieces in a row between a beginning and an end. */
static char *repeated(const char *before, const char *piece, size_t count, const char *middle,
                      const char *closing)
{
    hub_text t = { 0 };

    hub_text_str(&t, before);
    for (size_t i = 0; i < count; i++) {
        hub_text_str(&t, piece);
    }
    hub_text_str(&t, middle);
    for (size_t i = 0; i < count; i++) {
        hub_text_str(&t, closing);
    }
    return t.p;
}

static void length_and_nesting_have_an_end(void **state)
{
    static const char *const nested[][3] = {
        { "(", "true", ")" }, { "NOT ", "true", "" }, { "- ", "1", "" }, { "is_null(", "1", ")" }
    };
    const char *where = "SELECT * FROM devices WHERE ";

    for (size_t i = 0; i < sizeof nested / sizeof nested[0]; i++) {
        for (size_t depth = 1; depth < 500; depth += depth < 70 ? 1 : 100) {
            char *text = repeated(where, nested[i][0], depth, nested[i][1], nested[i][2]);
            char *got = answer(*state, text);
            bool refused = strstr(got, "nested deeper than 64 levels") != NULL;
            assert_int_equal(refused, depth >= HUB_QUERY_DEPTH_MAX);
            free(got);
            free(text);
        }
    }
    char *longest = repeated("SELECT COUNT() AS n FROM devices WHERE deviceId='a'", " ",
                             HUB_QUERY_CHARACTERS_MAX - 51, "", "");
    char *longer = hub_format("%s ", longest);
    expect(*state, longest, "[{\"n\":1}]");
    expect(*state, longer, "query: longer than 8192 characters");
    free(longest);
    free(longer);
}

static void long_chains_are_fine(void **state)
{
    static const char *const chains[] = { " AND true", " OR true", " AND 1+1+1=3",
                                          " OR NOT tags.x IN [1,2]" };

    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        char *text =
            repeated("SELECT COUNT() AS n FROM devices WHERE true", chains[i], 340, "", "");
        expect(*state, text, "[{\"n\":5}]");
        free(text);
    }
}

static void every_truncation_is_an_answer_or_a_refusal(void **state)
{
    const char *whole =
        "SELECT TOP 3 tags.list[1]['k'] AS x, MAX(tags.[[a b]]) AS 'y' FROM devices "
        "WHERE NOT (tags.a IN [-1.5e3, 'a\\u00fc\\'', null] OR "
        "STARTSWITH(deviceId, \"a\") AND 0x1F % 2 <> -1) GROUP BY tags.list[1].k";

    for (size_t len = 0; len <= strlen(whole); len++) {
        char *text = hub_memdup(whole, len);
        char *got = answer(*state, text);
        assert_true(strlen(got) > 0);
        free(got);
        free(text);
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
        char *whole = answer(*state, queries[i]);
        for (size_t max = 1; max < 8; max++) {
            char *paged = answer_paged(*state, queries[i], max);
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

static void a_token_of_another_query_or_of_nobody_is_refused(void **state)
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
    for (size_t cut = 1; cut < len; cut++) { /* each truncation, each character changed */
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
    char *huge = repeated("", "QUFB", 5000, "", "");
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
        cmocka_unit_test(a_mistake_is_shown_with_its_position),
        cmocka_unit_test(length_and_nesting_have_an_end),
        cmocka_unit_test(long_chains_are_fine),
        cmocka_unit_test(every_truncation_is_an_answer_or_a_refusal),
        cmocka_unit_test(pages_of_any_size_give_the_same_rows_in_the_same_order),
        cmocka_unit_test_setup_teardown(what_comes_and_goes_between_pages_hides_nothing, setup,
                                        fixture_teardown),
        cmocka_unit_test(a_token_of_another_query_or_of_nobody_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, fixture_teardown);
}
