/* Tests that no request to the emulator costs work that grows with the square of its size. The
 * work of the C library (moving memory) is not counted. */

#include "growth_hub.h"

/* Returns {"p00000":<value>,..} between the texts `before` and `after`. */
static char *members(const char *before, size_t n, const char *value, const char *after)
{
    hub_text t = { 0 };

    hub_text_str(&t, before);
    for (size_t i = 0; i < n; i++) {
        hub_text_printf(&t, "%s\"p%05zu\":%s", i > 0 ? "," : "", i, value);
    }
    hub_text_str(&t, after);
    return t.p;
}

static uint64_t ask_with(size_t n, const char *before, const char *value, const char *after,
                         const char *path, int status)
{
    growth_start(0);
    char *body = members(before, n, value, after);

    uint64_t began = steps_now();
    const char *method = strncmp(path, "/twins", 6) == 0 ? "PATCH" : "POST";
    assert_int_equal(growth_request(method, path, body), status);
    uint64_t took = growth_end(began);
    free(body);
    return took;
}

static uint64_t message_with_properties(size_t n)
{
    return ask_with(n, "{\"body\":\"x\",\"properties\":{", "\"\"", "}}",
                    "/emulator/devices/device1/messages", 201);
}

static uint64_t message_with_too_many_properties(size_t n)
{
    return ask_with(20 * n, "{\"body\":\"x\",\"properties\":{", "\"\"", "}}",
                    "/emulator/devices/device1/messages", 413);
}

static uint64_t message_with_one_property_again_and_again(size_t n)
{
    hub_text t = { 0 };
    growth_start(0);
    hub_text_str(&t, "{\"properties\":{\"a\":\"\"");
    for (size_t i = 0; i < n; i++) {
        hub_text_str(&t, ",\"a\":\"\"");
    }
    hub_text_str(&t, "}}");

    uint64_t began = steps_now();
    assert_int_equal(growth_request("POST", "/emulator/devices/device1/messages", t.p), 201);
    uint64_t took = growth_end(began);
    hub_text_free(&t);
    return took;
}

static uint64_t bag_of_telemetry(size_t n)
{
    hub_text t = { 0 };
    growth_start(1);
    hub_text_str(&t, "devices/device1/messages/events/a=1");
    for (size_t i = 0; i < n; i++) {
        hub_text_printf(&t, "&%zu=", i);
    }
    assert_int_equal(fixture_connect(growth.fixture, &growth.keys[0], "device1", true), HUB_OK);

    uint64_t began = steps_now();
    assert_int_equal(fixture_publish(growth.fixture, &growth.keys[0], t.p, "x"), HUB_OK);
    uint64_t took = growth_end(began);
    hub_text_free(&t);
    return took;
}

static uint64_t twin_of_many(size_t n, const char *value, const char *again, const char *method)
{
    growth_start(0);
    char *first = members("{\"properties\":{\"desired\":{", n, value, "}}}");
    char *second = members("{\"properties\":{\"desired\":{", n, again, "}}}");

    uint64_t began = steps_now();
    assert_int_equal(growth_request("PATCH", "/twins/device1", first), 200);
    assert_int_equal(growth_request(method, "/twins/device1", second), 200);
    uint64_t took = growth_end(began);
    free(first);
    free(second);
    return took;
}

static uint64_t twin_changed(size_t n)
{
    return twin_of_many(n, "1", "2", "PATCH");
}

static uint64_t twin_emptied(size_t n)
{
    return twin_of_many(n, "1", "null", "PATCH");
}

static uint64_t twin_replaced(size_t n)
{
    return twin_of_many(n, "{\"a\":1}", "{\"a\":2}", "PUT");
}

static uint64_t twin_patched_too_large(size_t n)
{
    return ask_with(20 * n, "{\"properties\":{\"desired\":{", "1", "}}}", "/twins/device1", 413);
}

static uint64_t twin_reported(size_t n)
{
    growth_start(1);
    char *body = members("{", n, "1", "}");
    assert_int_equal(fixture_connect(growth.fixture, &growth.keys[0], "device1", true), HUB_OK);

    uint64_t began = steps_now();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fixture_publish(growth.fixture, &growth.keys[0],
                                         "$iothub/twin/PATCH/properties/reported/?$rid=1", body),
                         HUB_OK);
    }
    uint64_t took = growth_end(began);
    free(body);
    return took;
}

static uint64_t array_in_a_twin(size_t n)
{
    hub_text t = { 0 };
    growth_start(0);
    hub_text_str(&t, "{\"properties\":{\"desired\":{\"a\":[1");
    for (size_t i = 0; i < n; i++) {
        hub_text_str(&t, ",{\"b\":\"\"}");
    }
    hub_text_str(&t, "]}}}");

    uint64_t began = steps_now();
    assert_int_equal(growth_request("PATCH", "/twins/device1", t.p), 200);
    assert_int_equal(growth_request("PUT", "/twins/device1", t.p), 200);
    uint64_t took = growth_end(began);
    hub_text_free(&t);
    return took;
}

static uint64_t json_without_end(size_t n)
{
    growth_start(0);
    char *body = calloc(n + 1, 1);
    memset(body, '[', n);

    uint64_t began = steps_now();
    assert_int_equal(growth_request("POST", "/devices", body), 400);
    uint64_t took = growth_end(began);
    free(body);
    return took;
}

static uint64_t bulk(size_t n)
{
    hub_text t = { 0 };
    growth_start(0);
    for (size_t i = 0; i < n; i++) {
        hub_text_printf(&t, "%s{\"id\":\"b%zu\",\"importMode\":\"create\"}", i > 0 ? "," : "[", i);
    }
    hub_text_str(&t, "]");

    uint64_t began = steps_now();
    assert_int_equal(growth_request("POST", "/devices", t.p), 200);
    uint64_t took = growth_end(began);
    hub_text_free(&t);
    return took;
}

static uint64_t query_of(size_t n, const char *before, const char *piece, const char *after)
{
    hub_text t = { 0 };
    growth_start(0);
    (void)growth_add("other", NULL);
    hub_text_str(&t, before);
    for (size_t i = 0; i < n; i++) {
        hub_text_printf(&t, "%s%zu", piece, i);
    }
    hub_text_str(&t, after);

    uint64_t began = steps_now();
    assert_int_equal(growth_request("POST", "/devices/query", t.p), 200);
    uint64_t took = growth_end(began);
    hub_text_free(&t);
    return took;
}

static uint64_t conditions_of_a_query(size_t n)
{
    return query_of(n, "{\"query\":\"SELECT * FROM devices WHERE tags.a = 0",
                    " OR tags.a = ", "\"}");
}

static uint64_t columns_of_a_query(size_t n)
{
    return query_of(n, "{\"query\":\"SELECT tags.a", ", tags.b AS c", " FROM devices\"}");
}

static uint64_t constants_of_a_query(size_t n)
{
    return query_of(n, "{\"query\":\"SELECT * FROM devices WHERE tags.a IN [0", ", ", "]\"}");
}

static void a_request_costs_the_same_for_each_part_of_it(void **state)
{
    (void)state;
    steps_check("properties of a message", message_with_properties, 300);
    steps_check("properties of a message that is refused", message_with_too_many_properties, 500);
    steps_check("one property of a message again and again",
                message_with_one_property_again_and_again, 300);
    steps_check("properties of telemetry", bag_of_telemetry, 300);
    steps_check("members of a twin that are changed", twin_changed, 200);
    steps_check("members of a twin that are removed", twin_emptied, 200);
    steps_check("members of a twin that are replaced", twin_replaced, 100);
    steps_check("members of a twin that is refused", twin_patched_too_large, 300);
    steps_check("members that a device reports", twin_reported, 200);
    steps_check("objects in an array of a twin", array_in_a_twin, 300);
    steps_check("brackets of a JSON text", json_without_end, 10000);
    steps_check("entries of a bulk request", bulk, 12);
    steps_check("conditions of a query", conditions_of_a_query, 40);
    steps_check("columns of a query", columns_of_a_query, 40);
    steps_check("constants of a query", constants_of_a_query, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_costs_the_same_for_each_part_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
