#include "query_fixture.h"

#include <stdlib.h>
#include <string.h>

/* Tests queries that are refused, and the limits of length and nesting. */

/* Incorrect queries and the expected text of the fault. */
static const char *const mistakes[] = {
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
    "query, position 15: devices.jobs is not supported: the emulator has no jobs",
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
    "query, position 23: GROUP BY and SELECT * exclude each other",
    "SELECT COUNT(*) AS n FROM devices",
    "query, position 14: ) expected, not *",
    "SELECT SUM() AS n FROM devices",
    "query, position 12: a property expected, not )",
    "SELECT devices FROM devices",
    "query, position 8: a collection is not a property",
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
    "query, position 38: an array is allowed only after IN and NIN",
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
    "query, position 29: unknown function foo",
    "SELECT * FROM devices WHERE STARTSWITH(tags.a)",
    "query, position 46: , expected, not )",
    "SELECT * FROM devices WHERE is_defined()",
    "query, position 40: a value expected, not )",
    "SELECT * FROM devices; DROP",
    "query, position 22: unexpected character ;",
    "SELECT * FROM devices WHERE tags.a LIKE 'x'",
    "query, position 36: the end expected, not LIKE",
    "SELECT * FROM devices ORDER BY status",
    "query, position 23: the end expected, not ORDER",
};

static void a_mistake_is_shown_with_its_position(void **state)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i += 2) {
        query_expect(*state, mistakes[i], mistakes[i + 1]);
    }
}

static void length_and_nesting_have_an_end(void **state)
{
    static const char *const nested[][3] = {
        { "(", "true", ")" }, { "NOT ", "true", "" }, { "- ", "1", "" }, { "is_null(", "1", ")" }
    };
    const char *where = "SELECT * FROM devices WHERE ";

    for (size_t i = 0; i < sizeof nested / sizeof nested[0]; i++) {
        for (size_t depth = 1; depth < 500; depth += depth < 70 ? 1 : 100) {
            char *text = query_repeat(where, nested[i][0], depth, nested[i][1], nested[i][2]);
            char *got = query_answer(*state, text);
            bool refused = strstr(got, "nested deeper than 64 levels") != NULL;
            assert_int_equal(refused, depth >= HUB_QUERY_DEPTH_MAX);
            free(got);
            free(text);
        }
    }
    char *longest = query_repeat("SELECT COUNT() AS n FROM devices WHERE deviceId='a'", " ",
                                 HUB_QUERY_CHARACTERS_MAX - 51, "", "");
    char *longer = hub_format("%s ", longest);
    query_expect(*state, longest, "[{\"n\":1}]");
    query_expect(*state, longer, "query: longer than 8192 characters");
    free(longest);
    free(longer);
}

static void long_chains_are_fine(void **state)
{
    static const char *const chains[] = { " AND true", " OR true", " AND 1+1+1=3",
                                          " OR NOT tags.x IN [1,2]" };

    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        char *text =
            query_repeat("SELECT COUNT() AS n FROM devices WHERE true", chains[i], 340, "", "");
        query_expect(*state, text, "[{\"n\":5}]");
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
        char *got = query_answer(*state, text);
        assert_true(strlen(got) > 0);
        free(got);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_is_shown_with_its_position),
        cmocka_unit_test(length_and_nesting_have_an_end),
        cmocka_unit_test(long_chains_are_fine),
        cmocka_unit_test(every_truncation_is_an_answer_or_a_refusal),
    };
    return cmocka_run_group_tests(tests, query_setup, fixture_teardown);
}
