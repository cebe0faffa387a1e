#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "iothub/pnp.h"

static const char *const listed[] = { "thermostat1", "thermostat2", "\xC3\xA9t\xC3\xA9" };
enum { LISTED = 3, CAP = 4000 };

/* --- desired properties ------------------------------------------------------------------- */

/* Writes one line for each property: component, name and value. */
static iothub_result put_properties(mqc_span text, size_t count, char *out)
{
    iothub_pnp_walk p;
    size_t len = 0;

    out[0] = '\0';
    iothub_pnp_walk_init(&p, text, listed, count);
    while (iothub_pnp_next(&p)) {
        assert_true(iothub_json_kind_of(p.value) == p.kind);
        len +=
            (size_t)snprintf(out + len, CAP - len, "%.*s.%.*s=%.*s\n", (int)p.component.len,
                             (const char *)p.component.ptr, (int)p.name.len,
                             (const char *)p.name.ptr, (int)p.value.len, (const char *)p.value.ptr);
        assert_true(len < CAP);
    }
    assert_false(iothub_pnp_next(&p));
    return p.result;
}

static const struct {
    const char *text;
    size_t count; /* number of component names that are passed */
    const char *properties;
} walks[] = {
    { "{}", LISTED, "" },
    { "{\"$version\":1}", LISTED, "" },
    { "{\"targetTemperature\":21.5,\"$version\":3}", 0, ".\"targetTemperature\"=21.5\n" },
    { "{\"a\":{\"b\":1},\"c\":[1,{\"d\":2}],\"e\":null,\"f\":\"x\"}", 0,
      ".\"a\"={\"b\":1}\n.\"c\"=[1,{\"d\":2}]\n.\"e\"=null\n.\"f\"=\"x\"\n" },
    /* Components are recognised by their mark, wherever it is. */
    { "{\"t1\":{\"__t\":\"c\",\"a\":1,\"o\":{\"x\":{}}},\"t2\":{\"a\":2,\"__t\":\"c\"},\"a\":3}", 0,
      "\"t1\".\"a\"=1\n\"t1\".\"o\"={\"x\":{}}\n\"t2\".\"a\"=2\n.\"a\"=3\n" },
    { "{\"t1\":{\"__t\":\"C\",\"a\":1},\"t2\":{\"__t\":7},\"t3\":{\"x\":{\"__t\":\"c\"}}}", 0,
      ".\"t1\"={\"__t\":\"C\",\"a\":1}\n.\"t2\"={\"__t\":7}\n.\"t3\"={\"x\":{\"__t\":\"c\"}}\n" },
    { "{\"t1\":{\"\\u005f_t\":\"\\u0063\",\"a\":1}}", 0, "\"t1\".\"a\"=1\n" },
    /* Components in the list need no mark; other objects are properties. */
    { "{\"thermostat1\":{\"a\":1},\"other\":{\"a\":2},\"marked\":{\"__t\":\"c\",\"a\":3}}", LISTED,
      "\"thermostat1\".\"a\"=1\n.\"other\"={\"a\":2}\n\"marked\".\"a\"=3\n" },
    { "{\"\\u00e9t\\u00e9\":{\"a\":1}}", LISTED, "\"\\u00e9t\\u00e9\".\"a\"=1\n" },
    { "{\"thermostat2\":{\"a\":null,\"__t\":\"c\",\"b\":null}}", 2,
      "\"thermostat2\".\"a\"=null\n\"thermostat2\".\"b\"=null\n" },
    { "{\"thermostat1\":{},\"a\":1}", LISTED, ".\"a\"=1\n" },
    /* A removed component is reported as null; a name in the list that is not an object is a
     * property. */
    { "{\"thermostat1\":null,\"other\":null}", LISTED, "\"thermostat1\".=null\n.\"other\"=null\n" },
    { "{\"thermostat1\":null}", 0, ".\"thermostat1\"=null\n" },
    { "{\"thermostat1\":5,\"thermostat2\":[{\"__t\":\"c\"}]}", LISTED,
      ".\"thermostat1\"=5\n.\"thermostat2\"=[{\"__t\":\"c\"}]\n" },
    /* metadata anywhere */
    { "{\"$metadata\":{\"__t\":\"c\",\"a\":1},\"\\u0024v\":2,\"__t\":\"c\","
      "\"thermostat1\":{\"$version\":4,\"$x\":{\"a\":1},\"a\":5},\"\":6}",
      LISTED, "\"thermostat1\".\"a\"=5\n.\"\"=6\n" },
    /* A property inside a component may look like a component. */
    { "{\"thermostat1\":{\"thermostat2\":{\"__t\":\"c\",\"a\":1}},\"b\":2}", LISTED,
      "\"thermostat1\".\"thermostat2\"={\"__t\":\"c\",\"a\":1}\n.\"b\"=2\n" },
};

static void each_property_is_given_with_its_component(void **state)
{
    (void)state;

    for (size_t i = 0; i < sizeof walks / sizeof walks[0]; i++) {
        char out[CAP];
        assert_int_equal(put_properties(mqc_span_str(walks[i].text), walks[i].count, out),
                         IOTHUB_OK);
        assert_string_equal(out, walks[i].properties);
    }
}

static void what_is_no_object_has_no_properties(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "5", "[{\"a\":1}]", "null", "\"a\"", "{", "x" };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char out[CAP];
        assert_int_equal(put_properties(mqc_span_str(texts[i]), LISTED, out), IOTHUB_ERR_JSON);
        assert_string_equal(out, "");
    }
    char out[CAP];
    assert_int_equal(put_properties(mqc_span_of(NULL, 0), 0, out), IOTHUB_ERR_JSON);
}

static const char document[] =
    "{\"thermostat1\":{\"__t\":\"c\",\"targetTemperature\":21.5,\"o\":{\"a\":[1,{}]}},\"r\":{\"x\":"
    "{\"y\":null}},\"led\":{\"on\":true,\"__t\":\"c\"},\"thermostat2\":null,\"t\":\"\\u0041\","
    "\"$version\":4}";

/* Writes the same list from the tree that cJSON has read. */
static void put_expected(const cJSON *tree, char *out)
{
    const cJSON *member;
    size_t len = 0;

    out[0] = '\0';
    cJSON_ArrayForEach(member, tree)
    {
        bool named = false;
        for (size_t i = 0; i < LISTED; i++) {
            named = named || strcmp(member->string, listed[i]) == 0;
        }
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(member, "__t"));
        const bool marked = cJSON_IsObject(member) && type != NULL && strcmp(type, "c") == 0;
        const bool removed = named && cJSON_IsNull(member);
        if (member->string[0] == '$' || strcmp(member->string, "__t") == 0) {
            continue;
        }
        const bool component = cJSON_IsObject(member) && (named || marked);
        const cJSON *property = component ? member->child : member;
        while (property != NULL) {
            if (!component ||
                (property->string[0] != '$' && strcmp(property->string, "__t") != 0)) {
                char *value = cJSON_PrintUnformatted(property);
                len += (size_t)snprintf(out + len, CAP - len, "%s.%s=%s\n",
                                        component || removed ? member->string : "",
                                        removed ? "" : property->string, value);
                cJSON_free(value);
            }
            property = component ? property->next : NULL;
        }
    }
}

/* Writes the list of our walk, with names and values as cJSON prints them. */
static void put_normal(mqc_span text, char *out)
{
    iothub_pnp_walk p;
    size_t len = 0;

    out[0] = '\0';
    iothub_pnp_walk_init(&p, text, listed, LISTED);
    while (iothub_pnp_next(&p)) {
        char component[100] = "";
        char name[100] = "";
        (void)iothub_json_get_string(p.component, component, sizeof component, NULL);
        (void)iothub_json_get_string(p.name, name, sizeof name, NULL);
        cJSON *value = cJSON_ParseWithLength((const char *)p.value.ptr, p.value.len);
        char *printed = cJSON_PrintUnformatted(value);
        len += (size_t)snprintf(out + len, CAP - len, "%s.%s=%s\n", component, name, printed);
        cJSON_free(printed);
        cJSON_Delete(value);
    }
}

/* Walks through a copy whose allocation ends with the text. Returns whether the document is
 * accepted. */
static bool walk_copy(const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    char out[CAP];
    char expected[CAP];

    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    const bool good = put_properties(mqc_span_of(copy + 1, len), LISTED, out) == IOTHUB_OK;
    if (good) {
        cJSON *tree = cJSON_ParseWithLength(copy + 1, len);
        put_normal(mqc_span_of(copy + 1, len), out);
        put_expected(tree, expected);
        assert_string_equal(out, expected);
        cJSON_Delete(tree);
    }
    free(copy);
    return good;
}

static void every_truncation_ends_with_a_fault(void **state)
{
    (void)state;

    assert_true(walk_copy(document, sizeof document - 1));
    for (size_t len = 0; len + 1 < sizeof document; len++) {
        assert_false(walk_copy(document, len));
    }
}

static void every_changed_byte_is_walked_as_another_reader_would(void **state)
{
    (void)state;
    char text[sizeof document];
    unsigned accepted = 0;

    memcpy(text, document, sizeof text);
    for (size_t at = 0; at + 1 < sizeof document; at++) {
        for (int byte = 0; byte < 256; byte++) {
            text[at] = (char)byte;
            accepted += walk_copy(text, sizeof document - 1) ? 1 : 0;
        }
        text[at] = document[at];
    }
    assert_true(accepted > 1000);
}

/* --- reported properties ------------------------------------------------------------------ */

static void answers_and_components_are_written(void **state)
{
    (void)state;
    iothub_json_writer w;
    char buf[300];

    iothub_json_writer_init(&w, buf, sizeof buf);
    iothub_json_put_object(&w, NULL);
    iothub_json_put_string(&w, "serialNumber", "s1");
    iothub_pnp_put_ack(&w, "interval", IOTHUB_PNP_DEVICE_VALUE, 0, "initialize");
    iothub_json_put_int(&w, IOTHUB_PNP_VALUE, 10);
    iothub_json_put_end(&w);
    iothub_pnp_put_component(&w, "thermostat1");
    iothub_json_put_double(&w, "max", 25.5, 1);
    iothub_pnp_put_ack(&w, "targetTemperature", IOTHUB_PNP_COMPLETED, UINT64_MAX, NULL);
    iothub_json_put_raw(&w, IOTHUB_PNP_VALUE, mqc_span_str("21.50"));
    iothub_json_put_end(&w);
    iothub_json_put_end(&w);
    iothub_json_put_end(&w);
    assert_int_equal(iothub_json_writer_finish(&w), IOTHUB_OK);
    assert_string_equal(
        buf, "{\"serialNumber\":\"s1\",\"interval\":{\"ac\":203,\"av\":0,\"ad\":\"initialize\","
             "\"value\":10},\"thermostat1\":{\"__t\":\"c\",\"max\":25.5,\"targetTemperature\":{"
             "\"ac\":200,\"av\":18446744073709551615,\"ad\":null,\"value\":21.50}}}");
}

/* Answers every property of the document; names are written as they were read. */
static void a_whole_document_is_answered_name_by_name(void **state)
{
    (void)state;
    iothub_json_writer w;
    iothub_pnp_walk p;
    char buf[600];

    iothub_json_writer_init(&w, buf, sizeof buf);
    iothub_json_put_object(&w, NULL);
    iothub_pnp_walk_init(
        &p, mqc_span_str("{\"\\u00e9t\\u00e9\":{\"on\":true},\"r\":[1],\"$version\":9}"), listed,
        LISTED);
    while (iothub_pnp_next(&p)) {
        if (p.component.len != 0) {
            iothub_json_put_name(&w, p.component);
            iothub_pnp_put_component(&w, NULL);
        }
        iothub_json_put_name(&w, p.name);
        iothub_pnp_put_ack(&w, NULL, IOTHUB_PNP_IN_PROGRESS, 9, "wait");
        iothub_json_put_raw(&w, IOTHUB_PNP_VALUE, p.value);
        iothub_json_put_end(&w);
        if (p.component.len != 0) {
            iothub_json_put_end(&w);
        }
    }
    iothub_json_put_end(&w);
    assert_int_equal(iothub_json_writer_finish(&w), IOTHUB_OK);
    assert_string_equal(
        buf,
        "{\"\\u00e9t\\u00e9\":{\"__t\":\"c\",\"on\":{\"ac\":202,\"av\":9,\"ad\":\"wait\",\"value\":"
        "true}},\"r\":{\"ac\":202,\"av\":9,\"ad\":\"wait\",\"value\":[1]}}");
}

/* --- telemetry and commands --------------------------------------------------------------- */

static void telemetry_carries_its_component_and_says_that_it_is_json(void **state)
{
    (void)state;
    static const char body[] = "{\"temperature\":21.5}";
    iothub_telemetry t = iothub_pnp_telemetry("thermostat1", body, sizeof body - 1);

    assert_ptr_equal(t.body, body);
    assert_int_equal(t.body_len, sizeof body - 1);
    assert_string_equal(t.component, "thermostat1");
    assert_string_equal(t.content_type, "application/json");
    assert_string_equal(t.content_encoding, "utf-8");
    assert_null(t.message_id);
    assert_int_equal(t.property_count, 0);
    assert_null(iothub_pnp_telemetry(NULL, body, 1).component);
}

static void commands_have_a_component_and_a_name(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *component;
        const char *name;
    } commands[] = {
        { "reboot", "", "reboot" },
        { "thermostat1*getMaxMinReport", "thermostat1", "getMaxMinReport" },
        { "a*b*c", "a", "b*c" },
        { "a*", "a", "" },
        { "*a", "", "*a" },
        { "*", "", "*" },
        { "", "", "" },
    };

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const mqc_span method = mqc_span_str(commands[i].method);
        const char *component = commands[i].component;
        const iothub_pnp_command c = iothub_pnp_command_of(method);
        assert_true(mqc_span_eq(c.component, mqc_span_str(component)));
        assert_true(mqc_span_eq(c.name, mqc_span_str(commands[i].name)));
        assert_true(iothub_pnp_is_command(method, component[0] == '\0' ? NULL : component,
                                          commands[i].name));
        assert_false(iothub_pnp_is_command(method, "other", commands[i].name));
        assert_false(iothub_pnp_is_command(method, component, "other"));
        assert_int_equal(iothub_pnp_is_command(method, NULL, commands[i].name),
                         component[0] == '\0');
    }
    assert_int_equal(iothub_pnp_command_of(mqc_span_of(NULL, 0)).name.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_property_is_given_with_its_component),
        cmocka_unit_test(what_is_no_object_has_no_properties),
        cmocka_unit_test(every_truncation_ends_with_a_fault),
        cmocka_unit_test(every_changed_byte_is_walked_as_another_reader_would),
        cmocka_unit_test(answers_and_components_are_written),
        cmocka_unit_test(a_whole_document_is_answered_name_by_name),
        cmocka_unit_test(telemetry_carries_its_component_and_says_that_it_is_json),
        cmocka_unit_test(commands_have_a_component_and_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
